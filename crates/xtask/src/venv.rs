//! Programs from PyPI, each in an environment of its own beside the build.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{error::Error, shell, workspace::Workspace};

/// Installs these packages under `name`, unless just they are there already, and
/// returns the folder of their programs.
pub(crate) fn programs(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf, Error> {
    let venv = workspace.target.join("tools").join(name);
    let programs = venv.join("bin");
    let marker = venv.join("installed");
    let wanted = packages.join("\n");
    if holds(&marker, &wanted) {
        return Ok(programs);
    }
    shell::step(&format!("install {}", packages.join(", ")), || {
        let hint = "install Python 3 with its venv module (on Debian: apt-get install python3-venv)";
        shell::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv), hint)
            .map_err(|error| Error::new(format!("{error}\n{hint}")))?;
        let hint = "check the network and the settings of pip";
        let mut pip = Command::new(programs.join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
        shell::output(&mut pip, hint)?;
        // Written last, so that a set-up that was cut off is done again.
        std::fs::write(&marker, &wanted)
            .map_err(|error| Error::new(format!("cannot write {}: {error}", marker.display())))
    })?;
    Ok(programs)
}

fn holds(marker: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(marker).is_ok_and(|installed| installed == wanted)
}
