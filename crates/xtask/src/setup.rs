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

/// Tools that are installed beside the build, and their versions.
const CARGO_LAMBDA: (&str, &str) = ("cargo-lambda", "1.9.2");
const CARGO_FUZZ: (&str, &str) = ("cargo-fuzz", "0.13.2");

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
    tool(workspace, CARGO_LAMBDA, |venv| {
        let hint = "install Python 3 with its venv module (on Debian: apt-get install python3-venv)";
        shell::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv), hint)
            .map_err(|error| Error::new(format!("{error}\n{hint}")))?;
        let (name, version) = CARGO_LAMBDA;
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        shell::output(pip.arg(format!("{name}=={version}")), "check the network and the settings of pip")
            .map(drop)
    })
}

/// Installs cargo-fuzz beside the build and returns the folder of its programs.
pub(crate) fn fuzz_tools(workspace: &Workspace) -> Result<PathBuf, Error> {
    tool(workspace, CARGO_FUZZ, |folder| {
        let (name, version) = CARGO_FUZZ;
        let mut install = shell::cargo(&workspace.root);
        // Built in a folder that is gone afterwards.
        install.env_remove("CARGO_TARGET_DIR");
        install.args(["install", "--quiet", "--locked", "--force", "--version", version, "--root"]);
        let hint = "check the network, and that there is a C++ compiler (on Debian: apt-get install g++)";
        shell::output(install.arg(folder).arg(name), hint).map(drop)
    })
}

/// Installs a tool in a folder beside the build, unless this version is there,
/// and returns the folder of its programs.
fn tool(
    workspace: &Workspace,
    (name, version): (&str, &str),
    install: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let folder = workspace.target.join("tools").join(name);
    let marker = folder.join("installed");
    // Written last, so that a set-up that was cut off is done again.
    let wanted = format!("{name}=={version}");
    if !std::fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        shell::step(&format!("install {wanted}"), || {
            install(&folder)?;
            std::fs::write(&marker, &wanted)
                .map_err(|error| Error::new(format!("cannot write {}: {error}", marker.display())))
        })?;
    }
    Ok(folder.join("bin"))
}

/// The target that the compiler builds for by itself.
pub(crate) fn host(workspace: &Workspace) -> Result<String, Error> {
    let host =
        shell::output(rustc(workspace).args(["--print", "host-tuple"]), "check the Rust installation")?;
    Ok(host.trim().to_owned())
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
