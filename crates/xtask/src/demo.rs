//! `cargo xtask demo`: an export and isolations from end to end on this machine.

use clap::Args;

use crate::{
    end_to_end,
    error::Error,
    package::{self, Architecture},
    workspace::Workspace,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Run the packages that are shipped for these processors, not this workspace's
    /// quicker build; those of another processor than this machine's run under qemu
    #[arg(long, value_enum)]
    packages: Option<Architecture>,

    /// What to pass on to the demo, after `--`
    #[arg(last = true)]
    passthrough: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let functions = match arguments.packages {
        Some(architecture) => package::build_runnable(workspace, &workspace.functions(), architecture)?,
        None => workspace.target.join("debug"),
    };
    // The selection of `test`: whoever has run one waits little for the other.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;
    end_to_end::run(workspace, "debug", "demo", &functions, &arguments.passthrough, &[])
}
