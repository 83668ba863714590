//! Running a program of the `end-to-end` package with the binaries it drives.

use crate::{error::Error, shell, workspace::Workspace};

/// The binaries that are driven, each with the variable that tells its path.
const DRIVEN: [(&str, &str); 2] =
    [("ALERT_EXPORT_BIN", "alert-export"), ("SIMULATOR_BIN", "sophos-simulator")];

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
/// arguments mean what they say. `profile` is the folder of its binary.
pub(crate) fn run(
    workspace: &Workspace,
    profile: &str,
    program: &str,
    arguments: &[String],
) -> Result<(), Error> {
    shell::step(program, || {
        let mut command = shell::program(workspace.binary(profile, program));
        command.args(arguments);
        for (variable, name) in DRIVEN {
            command.env(variable, workspace.binary(profile, name));
        }
        shell::run(&mut command, &format!("the lines above say what the {program} met"))
    })
}
