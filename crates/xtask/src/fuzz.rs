//! `cargo xtask fuzz`: coverage-guided random input, for a bounded time.

mod property_test;
mod report;
mod summary;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, value_parser};

use self::{
    report::FuzzReport,
    summary::{Row, Summary},
};
use crate::{error::Error, setup, shell, workspace::Workspace};

/// The maximum length of an input, in bytes.
const MAX_INPUT_LEN: u32 = 4_096;

/// The maximum memory of a run, in MiB.
const RSS_LIMIT_MB: u32 = 1_024;

/// The maximum time of one input, in seconds.
const TIMEOUT_SECONDS: u32 = 10;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The duration of each target, in seconds
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(1..))]
    seconds: u32,
    /// Run only this target; may be repeated
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// The number of cases of each property of the target `identity`, and of each target
    /// with `--report`
    #[arg(long, default_value_t = 100_000, value_parser = value_parser!(u32).range(1..))]
    cases: u32,
    /// Run `--cases` of each target without a time limit, and write a Markdown table of the
    /// results
    #[arg(long, value_name = "FILE", conflicts_with = "seconds")]
    report: Option<PathBuf>,
}

/// The limit of a target's run.
#[derive(Debug, Clone, Copy)]
enum RunLimit {
    Seconds(u32),
    Cases(u32),
}

/// The folders of the fuzzer.
#[derive(Debug)]
struct FuzzDirs {
    /// The package of the targets.
    package: PathBuf,
    /// The built programs and the findings, outside of the repository.
    build: PathBuf,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let folders = FuzzDirs {
        package: workspace.root.join("crates/sophos-isolation/fuzz"),
        build: workspace.target.join("fuzz"),
    };
    let mut names = list_targets(&folders.package)?;
    names.push(property_test::NAME.to_owned());
    let mut targets = select_targets(names, &arguments.targets)?;
    let has_property = targets.pop_if(|last| last == property_test::NAME).is_some();
    let bound = match arguments.report {
        Some(_) => RunLimit::Cases(arguments.cases),
        None => RunLimit::Seconds(arguments.seconds),
    };
    let mut failures = Vec::new();
    let mut summary = Summary::default();
    if !targets.is_empty() {
        let binaries = build(workspace, &folders, &targets)?;
        let mut reports = Vec::new();
        for target in targets {
            let name = format!("fuzz {target}");
            let report = shell::step(&name, || fuzz(&folders, &binaries, &target, bound))?;
            let attack = summary::read_attack(&folders.package, &target)?;
            summary.add(Row::new(&target, attack, report.executions, report.finding()));
            reports.push((target, report));
        }
        println!("\n{}", report::table(&reports));
        failures
            .extend(reports.iter().filter_map(|(target, report)| report.crash_message(target, &binaries)));
    }
    if has_property {
        let report = property_test::run(workspace, arguments.cases)?;
        println!("\n{}", report.summary_line());
        summary.add(Row::new(
            property_test::NAME,
            property_test::ATTACK.to_owned(),
            report.inputs(),
            report.finding(),
        ));
        failures.extend(report.reproduction());
    }
    if let Some(file) = &arguments.report {
        fs::write(file, summary.document(arguments.cases))
            .map_err(|error| Error::new(format!("writing {} failed: {error}", file.display())))?;
        println!("\n{}\nwritten to {}", summary.markdown(), file.display());
    }
    if failures.is_empty() { Ok(()) } else { Err(Error::new(failures.join("\n"))) }
}

/// The names of the targets: the programs of the package.
fn list_targets(package: &Path) -> Result<Vec<String>, Error> {
    let folder = package.join("src/bin");
    let entries = folder
        .read_dir()
        .map_err(|error| Error::new(format!("listing {} failed: {error}", folder.display())))?;
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut names: Vec<_> = entries.flatten().filter_map(|entry| stem(entry.path())).collect();
    names.sort();
    Ok(names)
}

/// The selected targets, or all.
fn select_targets(all: Vec<String>, wanted: &[String]) -> Result<Vec<String>, Error> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        return Err(Error::new(format!("unknown target `{unknown}`: expected one of {}", all.join(", "))));
    }
    Ok(all.into_iter().filter(|name| wanted.is_empty() || wanted.contains(name)).collect())
}

/// Builds the targets and returns the folder of their programs. Coverage works with a stable
/// compiler. Sanitizers would need nightly, and are of little use without unsafe code.
fn build(workspace: &Workspace, folders: &FuzzDirs, targets: &[String]) -> Result<PathBuf, Error> {
    let tool = setup::install_fuzz_tools(workspace)?.join("cargo-fuzz");
    let host = setup::host_target(workspace)?;
    shell::step("build the fuzz targets", || {
        let mut build = shell::program(&tool);
        build.current_dir(&workspace.root).args(["build", "--sanitizer", "none", "--target", &host]);
        build.arg("--fuzz-dir").arg(&folders.package).arg("--target-dir").arg(&folders.build);
        if let [target] = targets {
            build.arg(target);
        }
        shell::stdout(&mut build, "fix the errors above").map(drop)
    })?;
    Ok(folders.build.join(host).join("release"))
}

fn fuzz(folders: &FuzzDirs, binaries: &Path, target: &str, bound: RunLimit) -> Result<FuzzReport, Error> {
    let grown = folders.build.join("corpus").join(target);
    let artifacts = folders.build.join("artifacts").join(target);
    for folder in [&grown, &artifacts] {
        fs::create_dir_all(folder)
            .map_err(|error| Error::new(format!("creating {} failed: {error}", folder.display())))?;
    }
    let mut run = shell::program(binaries.join(target));
    // New inputs go to the first folder.
    run.arg(&grown).arg(folders.package.join("corpus").join(target));
    run.arg(format!("-dict={}", folders.package.join("words.dict").display()));
    run.arg(format!("-artifact_prefix={}/", artifacts.display()));
    run.args([
        match bound {
            RunLimit::Seconds(seconds) => format!("-max_total_time={seconds}"),
            RunLimit::Cases(cases) => format!("-runs={cases}"),
        },
        format!("-max_len={MAX_INPUT_LEN}"),
        format!("-rss_limit_mb={RSS_LIMIT_MB}"),
        format!("-timeout={TIMEOUT_SECONDS}"),
        "-print_final_stats=1".to_owned(),
    ]);
    let (success, output) = shell::stderr(&mut run)?;
    let report = FuzzReport::parse(&output);
    if !success && report.artifact.is_none() {
        let end: Vec<_> = output.lines().rev().take(20).collect();
        let end: Vec<_> = end.into_iter().rev().collect();
        return Err(Error::new(format!("{target} ended without a finding:\n{}", end.join("\n"))));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_chosen_by_name() {
        let all = || ["okta", "policy", "resolve"].map(str::to_owned).to_vec();
        let wanted = ["resolve", "okta"].map(str::to_owned);
        assert_eq!(select_targets(all(), &[]).expect("all"), all());
        assert_eq!(select_targets(all(), &wanted).expect("two"), ["okta", "resolve"]);
        let error = select_targets(all(), &["x".to_owned()]).expect_err("none").to_string();
        assert_eq!(error, "unknown target `x`: expected one of okta, policy, resolve");
    }

    #[test]
    fn every_target_has_seeds_and_every_seed_a_target() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sophos-isolation/fuzz");
        let mut seeds: Vec<_> = fs::read_dir(package.join("corpus"))
            .expect("seeds")
            .map(|entry| entry.expect("a folder").file_name().to_string_lossy().into_owned())
            .collect();
        seeds.sort();
        assert_eq!(list_targets(&package).expect("targets"), seeds);
    }
}
