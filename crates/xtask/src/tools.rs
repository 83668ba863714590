//! Programs of others, installed beside the build, each in a folder of its own.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{error::Error, shell, workspace::Workspace};

/// Installs these packages of PyPI under `name`, unless just they are there
/// already, and returns the folder of their programs.
pub(crate) fn from_pypi(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf, Error> {
    install(workspace, name, packages, |venv| {
        let hint = "install Python 3 with its venv module (on Debian: apt-get install python3-venv)";
        shell::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv), hint)
            .map_err(|error| Error::new(format!("{error}\n{hint}")))?;
        let hint = "check the network and the settings of pip";
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
        shell::output(&mut pip, hint).map(drop)
    })
}

/// The same for packages of npm; returns the folder that holds `node_modules`.
/// Their scripts are not run.
pub(crate) fn from_npm(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf, Error> {
    let programs = install(workspace, name, packages, |folder| {
        let make = std::fs::create_dir_all(folder);
        make.map_err(|error| Error::new(format!("cannot make {}: {error}", folder.display())))?;
        let hint = "install Node with npm; check the network and the settings of npm";
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
        shell::output(npm.arg(folder).args(packages), hint).map(drop)
    })?;
    Ok(programs.parent().map_or(programs.clone(), Path::to_owned))
}

/// The same for a program that is built from a crate, such as `cargo-fuzz@0.13.2`.
pub(crate) fn from_crate(workspace: &Workspace, package: &str) -> Result<PathBuf, Error> {
    let name = package.split('@').next().unwrap_or(package);
    install(workspace, name, &[package], |folder| {
        let mut install = shell::cargo(&workspace.root);
        // Built in a folder that is gone afterwards.
        install.env_remove("CARGO_TARGET_DIR");
        install.args(["install", "--quiet", "--locked", "--force", "--root"]);
        let hint = "check the network, and that there is a C++ compiler (on Debian: apt-get install g++)";
        shell::output(install.arg(folder).arg(package), hint).map(drop)
    })
}

fn install(
    workspace: &Workspace,
    name: &str,
    packages: &[&str],
    install: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let folder = workspace.target.join("tools").join(name);
    let marker = folder.join("installed");
    let wanted = packages.join("\n");
    if !std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        shell::step(&format!("install {}", packages.join(", ")), || {
            install(&folder)?;
            // Written last, so that a set-up that was cut off is done again.
            std::fs::write(&marker, &wanted)
                .map_err(|error| Error::new(format!("cannot write {}: {error}", marker.display())))
        })?;
    }
    Ok(folder.join("bin"))
}
