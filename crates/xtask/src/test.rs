//! `cargo xtask test`: all tests, and the checks of the core crates.

use std::ffi::OsString;

use clap::Args;

use crate::{
    core_crates, end_to_end,
    error::Error,
    hosts::{OptionalHost, TestHosts},
    ignored::{
        self, EMULATOR_TESTS, HOST_TESTS, IgnoredTests, KEYRING_REASON, KEYRING_TESTS, READER_TESTS,
        RECORDED_REASON, RECORDED_SIMULATOR_TESTS, RECORDED_TESTS, RECORDED_WEBHOOK_TESTS, RUST_HOST_REASON,
        RUST_HOST_TESTS,
    },
    setup, shell,
    test_counts::TestCounts,
    workspace::Workspace,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Run only the tests that need nothing but Rust: no emulator of AWS, no hosts of the component
    #[arg(long, conflicts_with_all = ["hosts", "none_ignored"])]
    fast: bool,
    /// Also run the component in this host; its first build takes long
    #[arg(long, value_enum)]
    hosts: Option<OptionalHost>,
    /// Fail if a test was ignored, except tests that need recorded material, a keyring or `--hosts rust`
    #[arg(long)]
    none_ignored: bool,
    /// Arguments for `cargo test`, after `--`
    #[arg(last = true)]
    passthrough: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    setup::check_compiler(workspace)?;
    if arguments.fast { run_fast(workspace, arguments) } else { run_all(workspace, arguments) }
}

fn run_fast(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    build_binaries(workspace)?;
    let mut counts = TestCounts::default();
    let tests = shell::step("cargo test", || {
        verdict(run_cargo_tests(workspace, &arguments.passthrough, &[], &mut counts)?)
    });
    println!("{counts}");
    println!("skipped: the ignored tests; run `cargo xtask test` without `--fast`");
    tests
}

fn run_all(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    // Without the targets the native tests still run; the error follows at the end.
    let targets = setup::install_targets(workspace, &setup::WASM_TARGETS);
    // Without these tools the tests that need them stay ignored.
    let emulator = setup::install_deployment_tools(workspace);
    let readers = setup::readers(workspace);
    let hosts = TestHosts::prepare(workspace, arguments.hosts);
    build_binaries(workspace)?;

    let recorded = ignored::recorded_material(workspace);
    let groups: Vec<IgnoredTests> = [
        emulator.is_ok().then_some(EMULATOR_TESTS),
        hosts.as_ref().is_ok_and(TestHosts::has_default_hosts).then_some(HOST_TESTS),
        (hosts.is_ok() && arguments.hosts == Some(OptionalHost::Rust)).then_some(RUST_HOST_TESTS),
        ignored::has_keyring().then_some(KEYRING_TESTS),
        readers.is_ok().then_some(READER_TESTS),
        recorded.is_some().then_some(RECORDED_TESTS),
        recorded.is_some().then_some(RECORDED_SIMULATOR_TESTS),
        recorded.is_some().then_some(RECORDED_WEBHOOK_TESTS),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut variables: Vec<(OsString, OsString)> = Vec::new();
    for (name, path) in emulator.iter().flatten() {
        variables.push((name.into(), path.into()));
    }
    for (name, value) in hosts.iter().flat_map(TestHosts::variables) {
        variables.push((name.into(), value.into()));
    }

    let mut counts = TestCounts::default();
    let tests = shell::step("cargo test", || {
        let mut passed = run_cargo_tests(workspace, &arguments.passthrough, &variables, &mut counts)?;
        for group in groups.iter().filter(|_| arguments.passthrough.is_empty()) {
            let mut test = shell::cargo(&workspace.root);
            test.args(group.arguments()).envs(variables.iter().cloned());
            test.envs(readers.iter().map(|python| (setup::READERS_VARIABLE, python)));
            test.envs(recorded.iter().map(|folder| ("RECORDED_MATERIAL", folder)));
            let mut of_group = TestCounts::default();
            passed &= shell::stream(&mut test, |line| of_group.add_line(line))?;
            counts.add_ignored_run(&of_group, group.reason);
        }
        verdict(passed)
    });
    let core = core_crates::check_dependencies(workspace)
        .and(targets)
        .and_then(|()| core_crates::check_wasm_build(workspace));
    println!("{counts}");
    if let Err(error) = emulator {
        println!("skipped: the tests with the emulator of AWS, which could not be installed\n{error}");
    }
    if let Err(error) = readers {
        println!("skipped: the tests with readers of rows, which could not be installed\n{error}");
    }
    let components = hosts.map(|hosts| hosts.missing().iter().for_each(|reason| println!("{reason}")));
    let ignored = match counts
        .ignored()
        .find(|(reason, _)| ![RECORDED_REASON, RUST_HOST_REASON, KEYRING_REASON].contains(reason))
    {
        Some((reason, count)) if arguments.none_ignored && arguments.passthrough.is_empty() => {
            Err(Error::new(format!("{count} tests were ignored: {reason}")))
        }
        _ => Ok(()),
    };
    let failed: Vec<_> = [tests, core, components, ignored].into_iter().filter_map(Result::err).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::new(failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// Builds the binaries that the end-to-end tests start from the build directory.
fn build_binaries(workspace: &Workspace) -> Result<(), Error> {
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])
}

/// Runs all tests that are not ignored and returns whether all passed.
fn run_cargo_tests(
    workspace: &Workspace,
    passthrough: &[String],
    variables: &[(OsString, OsString)],
    counts: &mut TestCounts,
) -> Result<bool, Error> {
    let mut all = shell::cargo(&workspace.root);
    all.args(["test", "--workspace", "--locked", "--no-fail-fast"]).args(passthrough);
    all.envs(variables.iter().cloned());
    let mut webhook = shell::cargo(&workspace.root);
    webhook.args(["test", "--package", "sophos-component", "--locked"]);
    webhook.args(["--features", core_crates::WEBHOOK_FEATURE]);
    let mut run = |test| shell::stream(test, |line| counts.add_line(line));
    // The second runs even if the first fails, to report all failures.
    Ok(run(&mut all)? & run(&mut webhook)?)
}

fn verdict(passed: bool) -> Result<(), Error> {
    if passed {
        return Ok(());
    }
    Err(Error::new("tests failed: see the names above; run one with `cargo test <name>`"))
}
