//! `cargo xtask demo`: an export and isolations on this machine, end to end.

mod picture;

use std::{fs, path::PathBuf};

use clap::Args;

use crate::{
    end_to_end,
    error::Error,
    package::{self, Architecture},
    shell,
    workspace::Workspace,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Run the release packages for this processor, not the debug build; packages for
    /// another processor than this machine's run under qemu
    #[arg(long, value_enum)]
    packages: Option<Architecture>,

    /// Write a picture of the output, as SVG, to this file
    #[arg(long)]
    picture: Option<PathBuf>,

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
    let Some(picture) = &arguments.picture else {
        return end_to_end::run(workspace, "debug", "demo", &functions, &arguments.passthrough, &[]);
    };
    let mut lines = Vec::new();
    let mut demo = end_to_end::command(workspace, "debug", "demo", &functions, &arguments.passthrough);
    if !shell::stream(&mut demo, |line| lines.push(line.to_owned()))? {
        return Err(Error::new("demo failed; see the lines above"));
    }
    fs::write(picture, picture::draw(&lines))
        .map_err(|error| Error::new(format!("writing {} failed: {error}", picture.display())))
}
