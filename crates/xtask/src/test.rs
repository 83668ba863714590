//! `cargo xtask test`: everything that must hold before a change goes in.

use clap::Args;

use crate::{
    core, end_to_end,
    error::Error,
    hosts::{Further, Hosts},
    ignored::{
        self, Group, OF_DUCKDB, OF_EMULATOR, OF_HOSTS, OF_RECORDED, OF_RUST_HOST, RECORDED, RUST_HOST,
    },
    setup, shell,
    tally::Tally,
    workspace::Workspace,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Also run the component in this host, which takes long to build the first time
    #[arg(long, value_enum)]
    hosts: Option<Further>,
    /// Fail if a test was ignored, but for those that need recorded material or `--hosts rust`
    #[arg(long)]
    none_ignored: bool,
    /// What to pass on to `cargo test`, after `--`
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    setup::compiler(workspace)?;
    // A machine that cannot get the targets still learns the result of its tests.
    let targets = setup::targets(workspace, &setup::WASM_TARGETS);
    // The tests that want it are ignored without; the reason is told at the end.
    let emulator = setup::deployment_tools(workspace);

    let duckdb = setup::duckdb(workspace);

    let hosts = Hosts::prepare(workspace, arguments.hosts);

    // The end-to-end tests start these from the build directory.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;

    let recorded = ignored::recorded_material(workspace);
    let groups: Vec<Group> = [
        emulator.is_ok().then_some(OF_EMULATOR),
        hosts.as_ref().is_ok_and(Hosts::are_usual).then_some(OF_HOSTS),
        (hosts.is_ok() && arguments.hosts == Some(Further::Rust)).then_some(OF_RUST_HOST),
        duckdb.is_ok().then_some(OF_DUCKDB),
        recorded.is_some().then_some(OF_RECORDED),
    ]
    .into_iter()
    .flatten()
    .collect();

    let mut tally = Tally::default();
    let tests = shell::step("cargo test", || {
        let mut test = shell::cargo(&workspace.root);
        test.args(["test", "--workspace", "--locked", "--no-fail-fast"]).args(&arguments.rest);
        if let Ok(variables) = &emulator {
            test.envs(variables.iter().map(|(name, path)| (name, path)));
        }
        if let Ok(hosts) = &hosts {
            test.envs(hosts.variables());
        }
        let mut webhook = shell::cargo(&workspace.root);
        webhook.args(["test", "--package", "sophos-component", "--locked", "--features", core::WEBHOOK]);
        let mut hold = |test| shell::stream(test, |line| tally.see(line));
        // All of them, so that all that failed is told.
        let mut good = hold(&mut test)? & hold(&mut webhook)?;
        for group in groups.iter().filter(|_| arguments.rest.is_empty()) {
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
            let mut of_group = Tally::default();
            good &= shell::stream(&mut run, |line| of_group.see(line))?;
            tally.add_ignored_run(&of_group, group.reason);
        }
        if good {
            Ok(())
        } else {
            Err(Error::new("tests failed; the names are above, run one with `cargo test <name>`"))
        }
    });
    let core = core::independent(workspace).and(targets).and_then(|()| core::builds_for_wasm(workspace));
    println!("{tally}");
    if let Err(error) = emulator {
        println!("skipped: what runs against the emulator of AWS, which could not be installed\n{error}");
    }
    if let Err(error) = duckdb {
        println!("skipped: the test that reads rows with DuckDB, which could not be installed\n{error}");
    }
    let components = hosts.map(|hosts| hosts.missing().iter().for_each(|why| println!("{why}")));
    let ignored = match tally.ignored().find(|(reason, _)| ![RECORDED, RUST_HOST].contains(reason)) {
        Some((reason, count)) if arguments.none_ignored && arguments.rest.is_empty() => {
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
