//! `cargo xtask setup`: what the other commands need to be installed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;

use crate::{error::Error, shell, workspace::Workspace};

/// The targets that the core crate must stay clean on.
pub(crate) const WASM_TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip2"];

/// The other architecture of Lambda; that of most build machines needs no set-up.
const ARM64_TARGET: &str = "aarch64-unknown-linux-gnu";

const CARGO_LAMBDA: &str = "cargo-lambda==1.9.2";

/// The oldest compiler that builds the workspace; keep it with `rust-version`.
const RUST_VERSION: (u32, u32) = (1, 95);

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Also install what `package` needs: cargo-lambda and the arm64 target
    #[arg(long)]
    package: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    compiler(workspace)?;
    targets(workspace, &WASM_TARGETS)?;
    if arguments.package {
        package_tools(workspace)?;
    }
    Ok(())
}

/// Checks that the compiler is new enough.
pub(crate) fn compiler(workspace: &Workspace) -> Result<(), Error> {
    shell::step("check rustc", || {
        let hint = "install Rust with rustup, see https://rustup.rs";
        let version = shell::output(rustc(workspace).arg("--version"), hint)?;
        match parse_version(&version) {
            Some(found) if found >= RUST_VERSION => Ok(()),
            _ => Err(Error::new(format!(
                "this workspace needs Rust {}.{} or newer, found `{}`; run `rustup update`",
                RUST_VERSION.0,
                RUST_VERSION.1,
                version.trim(),
            ))),
        }
    })
}

/// Adds those of the targets that the compiler does not have yet.
pub(crate) fn targets(workspace: &Workspace, names: &[&str]) -> Result<(), Error> {
    let sysroot =
        shell::output(rustc(workspace).args(["--print", "sysroot"]), "check the Rust installation")?;
    let installed = Path::new(sysroot.trim()).join("lib/rustlib");
    for name in names.iter().filter(|name| !installed.join(name).join("lib").is_dir()) {
        shell::step(&format!("add target {name}"), || {
            if Command::new("rustup").arg("--version").output().is_err() {
                return Err(Error::new(format!(
                    "the compiler cannot build for {name} and rustup is not here to change that; \
                     install the package of your system that holds this target"
                )));
            }
            let hint = format!("check the network, then run `rustup target add {name}`");
            let mut rustup = Command::new("rustup");
            rustup.current_dir(&workspace.root).args(["target", "add", name]);
            shell::output(&mut rustup, &hint).map(drop)
        })?;
    }
    Ok(())
}

/// Installs cargo-lambda beside the build and returns the folder of its programs.
pub(crate) fn package_tools(workspace: &Workspace) -> Result<PathBuf, Error> {
    targets(workspace, &[ARM64_TARGET])?;
    let venv = workspace.target.join("tools/cargo-lambda");
    let programs = venv.join("bin");
    let marker = venv.join("installed");
    // Written last, so that a set-up that was cut off is done again.
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == CARGO_LAMBDA) {
        return Ok(programs);
    }
    shell::step(&format!("install {CARGO_LAMBDA}"), || {
        let hint = "install Python 3 with its venv module (on Debian: apt-get install python3-venv)";
        shell::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv), hint)
            .map_err(|error| Error::new(format!("{error}\n{hint}")))?;
        let hint = "check the network and the settings of pip";
        let mut pip = Command::new(programs.join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", CARGO_LAMBDA]);
        shell::output(&mut pip, hint)?;
        std::fs::write(&marker, CARGO_LAMBDA)
            .map_err(|error| Error::new(format!("cannot write {}: {error}", marker.display())))
    })?;
    Ok(programs)
}

fn rustc(workspace: &Workspace) -> Command {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(&workspace.root);
    rustc
}

/// Major and minor number from `rustc 1.95.0 (…)`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(parse_version("rustc 1.95.0 (59807616e 2026-04-14)\n"), Some((1, 95)));
        assert!(parse_version("rustc 1.100.0-nightly (0 2026-01-01)") > Some(RUST_VERSION));
        assert!(parse_version("rustc 1.9.0") < Some(RUST_VERSION));
        assert_eq!(parse_version("no compiler"), None);
    }
}
