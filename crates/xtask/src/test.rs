//! `cargo xtask test`: everything that must hold before a change goes in.

use clap::Args;

use crate::{core, end_to_end, error::Error, setup, shell, tally::Tally, workspace::Workspace};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
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

    // The end-to-end tests start these from the build directory.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;

    let mut tally = Tally::default();
    let tests = shell::step("cargo test", || {
        let mut test = shell::cargo(&workspace.root);
        test.args(["test", "--workspace", "--locked", "--no-fail-fast"]).args(&arguments.rest);
        if let Ok(variables) = &emulator {
            test.envs(variables.iter().map(|(name, path)| (name, path)));
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
    match (tests, core) {
        (Err(tests), Err(core)) => Err(Error::new(format!("{tests}\n{core}"))),
        (tests, core) => tests.and(core),
    }
}
