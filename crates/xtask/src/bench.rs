//! `cargo xtask bench`: how fast and how lean the released function is.

use clap::Args;

use crate::{end_to_end, error::Error, workspace::Workspace};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// What to pass on to the bench, after `--`
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    // By itself, so that it has the features it is shipped with and no others.
    end_to_end::build(workspace, "the function", &["--release", "-p", "alert-export"])?;
    let rest = ["--profile", "tools", "--bins", "-p", "end-to-end"];
    end_to_end::build(workspace, "the simulator and the benchmark", &rest)?;
    end_to_end::run(workspace, "tools", "bench", "release", &arguments.rest)
}
