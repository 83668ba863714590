//! `cargo xtask demo`: an export and isolations on this machine, end to end.

use clap::Args;

use crate::{
    end_to_end,
    error::Error,
    package::{self, Architecture},
    workspace::Workspace,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Run the release packages for this processor, not the debug build; packages for
    /// another processor than this machine's run under qemu
    #[arg(long, value_enum)]
    packages: Option<Architecture>,

    /// Arguments for the demo, after `--`
    #[arg(last = true)]
    passthrough: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let functions = match arguments.packages {
        Some(architecture) => package::build_runnable(workspace, &workspace.functions(), architecture)?,
        None => workspace.target.join("debug"),
    };
    // The same selection as `test` avoids a rebuild.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;
    end_to_end::run(workspace, "debug", "demo", &functions, &arguments.passthrough, &[])
}
