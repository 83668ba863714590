//! `cargo xtask deploy`: the stack, deployed on this machine and at work.

use clap::Args;

use crate::{end_to_end, error::Error, setup, workspace::Workspace};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Into an emulator of AWS on this machine, which ends with the command
    #[arg(long)]
    local: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    if !arguments.local {
        return Err(Error::new(
            "say `cargo xtask deploy --local` for an emulator on this machine; into an account of AWS you deploy \
             with `sam build` and `sam deploy`, see infra/DEPLOY.md",
        ));
    }
    let tools = setup::deployment_tools(workspace)?;
    // The selection of `test`: whoever has run one waits little for the other.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;
    end_to_end::run(workspace, "debug", "deploy", "debug", &[], &tools)
}
