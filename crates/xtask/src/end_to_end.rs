//! Running a program of the `end-to-end` package with the binaries it drives.

use std::path::{Path, PathBuf};

use crate::{error::Error, shell, workspace::Workspace};

/// Builds binaries. The selection decides with which features shared dependencies
/// are compiled, so it is worth naming the same one each time.
pub(crate) fn build(workspace: &Workspace, what: &str, selection: &[&str]) -> Result<(), Error> {
    shell::step(&format!("build {what}"), || {
        shell::run(
            shell::cargo(&workspace.root).args(["build", "--locked"]).args(selection),
            "fix what the compiler says; if it is about Cargo.lock, run `cargo update --workspace`",
        )
    })
}

/// Runs `program` from the folder in which the user is, so that paths in its
/// arguments mean what they say. `profile` is the folder of its binary, and
/// `driven` that of the functions that it runs; `variables` are more of its environment.
pub(crate) fn run(
    workspace: &Workspace,
    profile: &str,
    program: &str,
    functions_dir: &Path,
    arguments: &[String],
    variables: &[(&str, PathBuf)],
) -> Result<(), Error> {
    shell::step(program, || {
        let mut command = shell::program(workspace.binary(profile, program));
        command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
        command.env("FUNCTIONS_DIR", functions_dir);
        shell::run(&mut command, &format!("the lines above say what the {program} met"))
    })
}
