//! `cargo xtask test`: everything that must hold before a change goes in.

use clap::Args;

use crate::{
    core, end_to_end,
    error::Error,
    hosts::{Further, Hosts},
    setup, shell,
    tally::Tally,
    workspace::Workspace,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Also run the component in this host, which takes long to build the first time
    #[arg(long, value_enum)]
    hosts: Option<Further>,
    /// What to pass on to `cargo test`, after `--`
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    setup::compiler(workspace)?;
    // A machine that cannot get the targets still learns the result of its tests.
    let targets = setup::targets(workspace, &setup::WASM_TARGETS);
    // The tests that want it say so and pass without; the reason is told at the end.
    let emulator = setup::deployment_tools(workspace);

    let hosts = Hosts::prepare(workspace, arguments.hosts);

    // The end-to-end tests start these from the build directory.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;

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
        if shell::stream(&mut test, |line| tally.see(line))? {
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
    let components = hosts.map(|hosts| hosts.missing().iter().for_each(|why| println!("{why}")));
    let failed: Vec<_> = [tests, core, components].into_iter().filter_map(Result::err).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::new(failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}
