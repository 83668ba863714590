//! `cargo xtask test`: everything that must hold before a change goes in.

use clap::Args;

use crate::{
    core_crates, end_to_end,
    error::Error,
    hosts::{OptionalHost, TestHosts},
    ignored::{
        self, DUCKDB_TESTS, EMULATOR_TESTS, HOST_TESTS, IgnoredTests, RECORDED_REASON,
        RECORDED_SIMULATOR_TESTS, RECORDED_TESTS, RECORDED_WEBHOOK_TESTS, RUST_HOST_REASON, RUST_HOST_TESTS,
    },
    setup, shell,
    test_counts::TestCounts,
    workspace::Workspace,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Also run the component in this host, which takes long to build the first time
    #[arg(long, value_enum)]
    hosts: Option<OptionalHost>,
    /// Fail if a test was ignored, but for those that need recorded material or `--hosts rust`
    #[arg(long)]
    none_ignored: bool,
    /// What to pass on to `cargo test`, after `--`
    #[arg(last = true)]
    passthrough: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    setup::check_compiler(workspace)?;
    // A machine that cannot get the targets still learns the result of its tests.
    let targets = setup::install_targets(workspace, &setup::WASM_TARGETS);
    // The tests that want it are ignored without; the reason is told at the end.
    let emulator = setup::install_deployment_tools(workspace);

    let duckdb = setup::duckdb(workspace);

    let hosts = TestHosts::prepare(workspace, arguments.hosts);

    // The end-to-end tests start these from the build directory.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;

    let recorded = ignored::recorded_material(workspace);
    let groups: Vec<IgnoredTests> = [
        emulator.is_ok().then_some(EMULATOR_TESTS),
        hosts.as_ref().is_ok_and(TestHosts::has_default_hosts).then_some(HOST_TESTS),
        (hosts.is_ok() && arguments.hosts == Some(OptionalHost::Rust)).then_some(RUST_HOST_TESTS),
        duckdb.is_ok().then_some(DUCKDB_TESTS),
        recorded.is_some().then_some(RECORDED_TESTS),
        recorded.is_some().then_some(RECORDED_SIMULATOR_TESTS),
        recorded.is_some().then_some(RECORDED_WEBHOOK_TESTS),
    ]
    .into_iter()
    .flatten()
    .collect();

    let mut tally = TestCounts::default();
    let tests = shell::step("cargo test", || {
        let mut test = shell::cargo(&workspace.root);
        test.args(["test", "--workspace", "--locked", "--no-fail-fast"]).args(&arguments.passthrough);
        if let Ok(variables) = &emulator {
            test.envs(variables.iter().map(|(name, path)| (name, path)));
        }
        if let Ok(hosts) = &hosts {
            test.envs(hosts.variables());
        }
        let mut webhook = shell::cargo(&workspace.root);
        webhook.args([
            "test",
            "--package",
            "sophos-component",
            "--locked",
            "--features",
            core_crates::WEBHOOK_FEATURE,
        ]);
        let mut hold = |test| shell::stream(test, |line| tally.add_line(line));
        // All of them, so that all that failed is told.
        let mut good = hold(&mut test)? & hold(&mut webhook)?;
        for group in groups.iter().filter(|_| arguments.passthrough.is_empty()) {
            let mut run = shell::cargo(&workspace.root);
            run.args(group.arguments());
            if let Ok(variables) = &emulator {
                run.envs(variables.iter().map(|(name, path)| (name, path)));
            }
            if let Ok(hosts) = &hosts {
                run.envs(hosts.variables());
            }
            run.envs(duckdb.iter().map(|python| (setup::DUCKDB_VARIABLE, python)));
            run.envs(recorded.iter().map(|folder| ("RECORDED_MATERIAL", folder)));
            let mut of_group = TestCounts::default();
            good &= shell::stream(&mut run, |line| of_group.add_line(line))?;
            tally.add_ignored_run(&of_group, group.reason);
        }
        if good {
            Ok(())
        } else {
            Err(Error::new("tests failed; the names are above, run one with `cargo test <name>`"))
        }
    });
    let core = core_crates::check_dependencies(workspace)
        .and(targets)
        .and_then(|()| core_crates::check_wasm_build(workspace));
    println!("{tally}");
    if let Err(error) = emulator {
        println!("skipped: what runs against the emulator of AWS, which could not be installed\n{error}");
    }
    if let Err(error) = duckdb {
        println!("skipped: the test that reads rows with DuckDB, which could not be installed\n{error}");
    }
    let components = hosts.map(|hosts| hosts.missing().iter().for_each(|why| println!("{why}")));
    let ignored =
        match tally.ignored().find(|(reason, _)| ![RECORDED_REASON, RUST_HOST_REASON].contains(reason)) {
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
