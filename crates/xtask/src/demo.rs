//! `cargo xtask demo`: one export from end to end on this machine.

use clap::Args;

use crate::{end_to_end, error::Error, workspace::Workspace};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// What to pass on to the demo, after `--`
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    // The selection of `test`: whoever has run one waits little for the other.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;
    end_to_end::run(workspace, "debug", "demo", &workspace.target.join("debug"), &arguments.rest, &[])
}
