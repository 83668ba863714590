//! Builds and runs programs of the `end-to-end` package.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{error::Error, shell, workspace::Workspace};

/// Builds binaries. The selection determines the features of shared dependencies: the
/// same selection avoids a rebuild.
pub(crate) fn build(workspace: &Workspace, what: &str, selection: &[&str]) -> Result<(), Error> {
    shell::step(&format!("build {what}"), || {
        shell::run(
            shell::cargo(&workspace.root).args(["build", "--locked"]).args(selection),
            "fix the errors above; if Cargo.lock is out of date, run `cargo update --workspace`",
        )
    })
}

/// Runs `program` in the user's working directory. `profile` is the folder of its
/// binary, `functions_dir` that of the functions that it runs, and `variables` are added to
/// its environment.
pub(crate) fn run(
    workspace: &Workspace,
    profile: &str,
    program: &str,
    functions_dir: &Path,
    arguments: &[impl AsRef<OsStr>],
    variables: &[(&str, PathBuf)],
) -> Result<(), Error> {
    let mut command = command(workspace, profile, program, functions_dir, arguments);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    shell::step(program, || shell::run(&mut command, "see the lines above"))
}

/// The command that [`run`] runs, without more variables.
pub(crate) fn command(
    workspace: &Workspace,
    profile: &str,
    program: &str,
    functions_dir: &Path,
    arguments: &[impl AsRef<OsStr>],
) -> Command {
    let mut command = shell::program(workspace.binary(profile, program));
    command.args(arguments).env("FUNCTIONS_DIR", functions_dir);
    // As `cargo run` sets it.
    command.env("CARGO_MANIFEST_DIR", workspace.root.join("tests"));
    command
}
