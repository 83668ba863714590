//! Third-party programs in the build directory, each in its own folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::Error,
    python::{self, PythonVersion},
    shell,
    workspace::Workspace,
};

/// The folder of the lock files of this package.
const LOCKS_DIR: &str = "crates/xtask/locks";

/// PyPI packages from a lock file with versions and hashes.
///
/// `uv pip compile` creates it from the `.in` file beside it; its first lines have the command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PythonTool {
    /// The folder of the installation.
    pub(crate) name: &'static str,
    /// The folder of the lock file, relative to the workspace root.
    folder: &'static str,
    lock: &'static str,
    /// The minimum version of Python, unless the machine's `python3` suffices.
    minimum: Option<PythonVersion>,
}

impl PythonTool {
    /// A tool with its lock file in this package.
    pub(crate) const fn new(name: &'static str, lock: &'static str) -> Self {
        Self { name, folder: LOCKS_DIR, lock, minimum: None }
    }

    /// A tool with its lock file in another folder.
    pub(crate) const fn with_lock_dir(folder: &'static str, name: &'static str, lock: &'static str) -> Self {
        Self { name, folder, lock, minimum: None }
    }

    /// The same tool with a minimum version of Python.
    pub(crate) const fn with_python(self, minimum: PythonVersion) -> Self {
        Self { minimum: Some(minimum), ..self }
    }

    /// Installs the packages of the lock file, unless they are installed, and returns the
    /// folder of its programs. pip rejects packages without a hash.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<PathBuf, Error> {
        let lock = workspace.root.join(self.folder).join(self.lock);
        let folder = install(workspace, self.name, &stamp(&[&lock])?, |venv| {
            let hint =
                "install Python 3.10 or later with its venv module (on Debian: apt-get install python3-venv)";
            let python = self.minimum.map_or_else(|| Ok(PathBuf::from("python3")), python::find)?;
            shell::stdout(Command::new(python).args(["-m", "venv", "--clear"]).arg(venv), hint)
                .map_err(|error| Error::new(format!("{error}\n{hint}")))?;
            let hint =
                "check the network and pip's settings; another hash is another package than the locked one";
            let mut pip = Command::new(venv.join("bin/python"));
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
            // The lock file includes the dependencies of its packages.
            pip.args(["--no-deps", "--require-hashes", "--requirement"]).arg(&lock);
            shell::stdout(&mut pip, hint).map(drop)
        })?;
        Ok(folder.join("bin"))
    }
}

/// npm packages from a `package.json` and a `package-lock.json` in one folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeTool {
    /// The folder of the installation.
    pub(crate) name: &'static str,
    /// The folder of both files, relative to the workspace root.
    pub(crate) folder: &'static str,
}

impl NodeTool {
    /// Installs the packages of the lock file, unless they are installed, and returns the
    /// folder with `node_modules`. Scripts of packages do not run.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<PathBuf, Error> {
        let [package, lock] = ["package.json", "package-lock.json"]
            .map(|name| (name, workspace.root.join(self.folder).join(name)));
        install(workspace, self.name, &stamp(&[&package.1, &lock.1])?, |folder| {
            // Files of an earlier version would count as installed packages.
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder)
                .map_err(|error| Error::new(format!("creating {} failed: {error}", folder.display())))?;
            for (name, file) in [&package, &lock] {
                fs::copy(file, folder.join(name))
                    .map_err(|error| Error::new(format!("copying {} failed: {error}", file.display())))?;
            }
            let hint = "install Node with npm; check the network and npm's settings";
            let mut npm = Command::new("npm");
            npm.args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
            shell::stdout(npm.arg(folder), hint).map(drop)
        })
    }
}

/// Installs a program from a crate, such as `cargo-fuzz@0.13.2`, with the dependencies of its
/// `Cargo.lock`. Returns the folder of its programs.
pub(crate) fn install_crate(
    workspace: &Workspace,
    package: &str,
    options: &[&str],
) -> Result<PathBuf, Error> {
    let name = package.split('@').next().unwrap_or(package);
    let folder = install(workspace, name, package, |folder| {
        let mut install = shell::cargo(&workspace.root);
        // The build uses a temporary folder.
        install.env_remove("CARGO_TARGET_DIR");
        install.args(["install", "--quiet", "--locked", "--force"]).args(options).arg("--root");
        let hint = "check the network, and install a C++ compiler (on Debian: apt-get install g++)";
        shell::stdout(install.arg(folder).arg(package), hint).map(drop)
    })?;
    Ok(folder.join("bin"))
}

/// The content of these files. The tool is reinstalled when they change.
fn stamp(files: &[&Path]) -> Result<String, Error> {
    let read = |file: &&Path| {
        fs::read_to_string(file)
            .map_err(|error| Error::new(format!("reading {} failed: {error}", file.display())))
    };
    files.iter().map(read).collect::<Result<Vec<_>, _>>().map(|texts| texts.join("\n"))
}

/// Installs into the folder with this name, unless it has the same stamp, and returns that
/// folder.
fn install(
    workspace: &Workspace,
    name: &str,
    stamp: &str,
    install: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let folder = workspace.target.join("tools").join(name);
    let marker = folder.join("installed");
    if !fs::read_to_string(&marker).is_ok_and(|installed| installed == stamp) {
        shell::step(&format!("install {name}"), || {
            install(&folder)?;
            // Written last, so that an interrupted installation is repeated.
            fs::write(&marker, stamp)
                .map_err(|error| Error::new(format!("writing {} failed: {error}", marker.display())))
        })?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn install_runs_again_when_the_stamp_changes() {
        let root = tempfile::tempdir().expect("a folder");
        let target = root.path().to_owned();
        let workspace = Workspace { root: target.clone(), target, packages: Vec::new() };
        let mut runs = 0;
        for (stamp, expected) in [("one", 1), ("one", 1), ("two", 2), ("two", 2)] {
            install(&workspace, "tool", stamp, |folder| {
                runs += 1;
                fs::create_dir_all(folder).map_err(|error| Error::new(error.to_string()))
            })
            .expect("installed");
            assert_eq!(runs, expected, "{stamp}");
        }
    }
}
