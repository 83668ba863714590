//! `cargo xtask setup`: what the other commands need to be installed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;

use crate::{
    error::Error,
    shell,
    tools::{self, PythonTool},
    workspace::Workspace,
};

/// The targets that the core crate must stay clean on.
pub(crate) const WASM_TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip2"];

/// The other architecture of Lambda; that of most build machines needs no set-up.
pub(crate) const ARM64_TARGET: &str = "aarch64-unknown-linux-gnu";

const CARGO_FUZZ: &str = "cargo-fuzz@0.13.2";
const CARGO_CYCLONEDX: &str = "cargo-cyclonedx@0.5.9";
const MDBOOK: &str = "mdbook@0.5.4";

/// Builds functions for Lambda, with a cross compiler.
const CARGO_LAMBDA: PythonTool = PythonTool::new("cargo-lambda", "cargo-lambda.txt");

/// An emulator of AWS with the services that the functions use, and what deploys a stack
/// there. Its own extra for a server would bring all services, which is twice as much.
const MOTO: PythonTool = PythonTool::new("moto", "moto.txt");

/// The command line with which a person deploys the stack.
const SAM: PythonTool = PythonTool::new("sam", "sam.txt");

/// The HTTP client of the program that the export is measured beside.
const REQUESTS: PythonTool = PythonTool::new("requests", "requests.txt");

const CHECKOV: PythonTool = PythonTool::new("checkov", "checkov.txt");

/// A reader of exported rows.
const DUCKDB: PythonTool = PythonTool::new("duckdb", "duckdb.txt");

/// What tells the tests which Python has what the emulator needs.
pub(crate) const EMULATOR_VARIABLE: &str = "EMULATOR_PYTHON";

/// The variable with the Python that has DuckDB, for tests.
pub(crate) const DUCKDB_VARIABLE: &str = "DUCKDB_PYTHON";

/// What tells them where the command line of SAM is.
pub(crate) const SAM_VARIABLE: &str = "SAM_CLI";

/// The oldest compiler that builds the workspace; keep it with `rust-version`.
const MIN_RUST_VERSION: (u32, u32) = (1, 95);

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Also install what `package` needs: cargo-lambda and the arm64 target
    #[arg(long)]
    package: bool,

    /// Also install the emulator of AWS that some tests run against, and the command
    /// line of SAM that deploys there
    #[arg(long)]
    emulator: bool,

    /// Also install DuckDB, with which a test reads exported rows
    #[arg(long)]
    duckdb: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    check_compiler(workspace)?;
    install_targets(workspace, &WASM_TARGETS)?;
    if arguments.package {
        install_package_tools(workspace)?;
    }
    if arguments.emulator {
        for (variable, path) in install_deployment_tools(workspace)? {
            println!("{variable}={}", path.display());
        }
    }
    if arguments.duckdb {
        println!("{DUCKDB_VARIABLE}={}", duckdb(workspace)?.display());
    }
    Ok(())
}

/// Checks that the compiler is new enough.
pub(crate) fn check_compiler(workspace: &Workspace) -> Result<(), Error> {
    shell::step("check rustc", || {
        let hint = "install Rust with rustup, see https://rustup.rs";
        let version = shell::stdout(rustc(workspace).arg("--version"), hint)?;
        match parse_version(&version) {
            Some(found) if found >= MIN_RUST_VERSION => Ok(()),
            _ => Err(Error::new(format!(
                "this workspace needs Rust {}.{} or newer, found `{}`; run `rustup update`",
                MIN_RUST_VERSION.0,
                MIN_RUST_VERSION.1,
                version.trim(),
            ))),
        }
    })
}

/// Adds those of the targets that the compiler does not have yet.
pub(crate) fn install_targets(workspace: &Workspace, names: &[&str]) -> Result<(), Error> {
    let sysroot =
        shell::stdout(rustc(workspace).args(["--print", "sysroot"]), "check the Rust installation")?;
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
            shell::stdout(&mut rustup, &hint).map(drop)
        })?;
    }
    Ok(())
}

/// Installs cargo-lambda beside the build and returns the folder of its programs.
pub(crate) fn install_package_tools(workspace: &Workspace) -> Result<PathBuf, Error> {
    install_targets(workspace, &[ARM64_TARGET])?;
    CARGO_LAMBDA.install(workspace)
}

/// Installs what the emulator of AWS needs beside the build and returns the Python that
/// has it. The emulator itself is in `tests/emulator`.
pub(crate) fn install_emulator(workspace: &Workspace) -> Result<PathBuf, Error> {
    Ok(MOTO.install(workspace)?.join("python"))
}

/// Installs the emulator and the command line of SAM, and returns the variables by which
/// others find them.
pub(crate) fn install_deployment_tools(workspace: &Workspace) -> Result<[(&'static str, PathBuf); 2], Error> {
    Ok([
        (EMULATOR_VARIABLE, install_emulator(workspace)?),
        (SAM_VARIABLE, install_sam(workspace)?.join("sam")),
    ])
}

/// Installs the command line of SAM, with the linter and the transform that it brings,
/// and returns the folder of its programs.
pub(crate) fn install_sam(workspace: &Workspace) -> Result<PathBuf, Error> {
    SAM.install(workspace)
}

/// Installs the HTTP client of the peer in `tests/peers`, and returns the Python that has it.
pub(crate) fn requests(workspace: &Workspace) -> Result<PathBuf, Error> {
    Ok(REQUESTS.install(workspace)?.join("python"))
}

/// Installs DuckDB, and returns the Python that has it.
pub(crate) fn duckdb(workspace: &Workspace) -> Result<PathBuf, Error> {
    Ok(DUCKDB.install(workspace)?.join("python"))
}

/// Installs what looks for holes in templates and returns the folder of its programs.
/// What it needs does not go with what SAM needs.
pub(crate) fn install_checkov(workspace: &Workspace) -> Result<PathBuf, Error> {
    CHECKOV.install(workspace)
}

/// Installs cargo-fuzz beside the build and returns the folder of its programs.
pub(crate) fn install_fuzz_tools(workspace: &Workspace) -> Result<PathBuf, Error> {
    tools::install_crate(workspace, CARGO_FUZZ, &[])
}

/// Installs what writes bills of materials and returns the folder of its programs.
pub(crate) fn install_sbom_tools(workspace: &Workspace) -> Result<PathBuf, Error> {
    tools::install_crate(workspace, CARGO_CYCLONEDX, &[])
}

/// Installs mdBook beside the build, without its server and search, and returns the folder of its programs.
pub(crate) fn install_mdbook(workspace: &Workspace) -> Result<PathBuf, Error> {
    tools::install_crate(workspace, MDBOOK, &["--no-default-features"])
}

/// The target that the compiler builds for by itself.
pub(crate) fn host_target(workspace: &Workspace) -> Result<String, Error> {
    let host =
        shell::stdout(rustc(workspace).args(["--print", "host-tuple"]), "check the Rust installation")?;
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
        assert!(parse_version("rustc 1.100.0-nightly (0 2026-01-01)") > Some(MIN_RUST_VERSION));
        assert!(parse_version("rustc 1.9.0") < Some(MIN_RUST_VERSION));
        assert_eq!(parse_version("no compiler"), None);
    }
}
