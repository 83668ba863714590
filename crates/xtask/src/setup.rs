//! `cargo xtask setup`: installs the requirements of the other commands.

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

/// The targets for which the core crates must compile.
pub(crate) const WASM_TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip2"];

/// The target of Lambda's arm64 architecture.
pub(crate) const ARM64_TARGET: &str = "aarch64-unknown-linux-gnu";

const CARGO_FUZZ: &str = "cargo-fuzz@0.13.2";
const CARGO_CYCLONEDX: &str = "cargo-cyclonedx@0.5.9";
const MDBOOK: &str = "mdbook@0.5.4";

/// The builder of Lambda functions, with a cross compiler.
const CARGO_LAMBDA: PythonTool = PythonTool::new("cargo-lambda", "cargo-lambda.txt");

/// The builder of the static command line, with a C compiler that has musl's headers.
const CARGO_ZIGBUILD: PythonTool = PythonTool::new("cargo-zigbuild", "cargo-zigbuild.txt");

/// An emulator of AWS with the services that the functions use. Its `server` extra would
/// install all services, which is twice as much.
const MOTO: PythonTool = PythonTool::new("moto", "moto.txt");

/// The SAM CLI, which deploys the stack.
const SAM: PythonTool = PythonTool::new("sam", "sam.txt");

/// The HTTP client of the benchmark's Python peer.
const REQUESTS: PythonTool = PythonTool::new("requests", "requests.txt");

const CHECKOV: PythonTool = PythonTool::new("checkov", "checkov.txt");

/// Clients of Sophos Central from other projects, which run against the simulator.
const PEERS: PythonTool = PythonTool::new("peers", "peers.txt").with_python((3, 12));

/// Readers of exported rows: DuckDB, pyarrow, Polars and pycef.
const READERS: PythonTool = PythonTool::new("readers", "readers.txt");

/// The environment variable with the Python of the emulator, for the tests.
pub(crate) const EMULATOR_VARIABLE: &str = "EMULATOR_PYTHON";

/// The environment variable with the Python of the readers, for the tests.
pub(crate) const READERS_VARIABLE: &str = "READERS_PYTHON";

/// The environment variable with the SAM CLI, for the tests.
pub(crate) const SAM_VARIABLE: &str = "SAM_CLI";

/// The minimum compiler version; the same as `rust-version`.
const MIN_RUST_VERSION: (u32, u32) = (1, 95);

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Also install the requirements of `package`: cargo-lambda and the arm64 target
    #[arg(long)]
    package: bool,

    /// Also install the emulator of AWS and the SAM CLI, for the tests
    #[arg(long)]
    emulator: bool,

    /// Also install DuckDB, pyarrow, Polars and pycef, for tests that read exported rows
    #[arg(long)]
    readers: bool,

    /// Also install the clients that `peers` runs; they need Python 3.12
    #[arg(long)]
    peers: bool,
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
    if arguments.readers {
        println!("{READERS_VARIABLE}={}", readers(workspace)?.display());
    }
    if arguments.peers {
        install_peers(workspace)?;
    }
    Ok(())
}

/// Checks the compiler's version.
pub(crate) fn check_compiler(workspace: &Workspace) -> Result<(), Error> {
    shell::step("check rustc", || {
        let hint = "install Rust with rustup, see https://rustup.rs";
        let version = shell::stdout(rustc(workspace).arg("--version"), hint)?;
        match parse_version(&version) {
            Some(found) if found >= MIN_RUST_VERSION => Ok(()),
            _ => Err(Error::new(format!(
                "this workspace needs Rust {}.{} or later, found `{}`; run `rustup update`",
                MIN_RUST_VERSION.0,
                MIN_RUST_VERSION.1,
                version.trim(),
            ))),
        }
    })
}

/// Installs the missing targets.
pub(crate) fn install_targets(workspace: &Workspace, names: &[&str]) -> Result<(), Error> {
    let sysroot =
        shell::stdout(rustc(workspace).args(["--print", "sysroot"]), "check the Rust installation")?;
    let installed = Path::new(sysroot.trim()).join("lib/rustlib");
    for name in names.iter().filter(|name| !installed.join(name).join("lib").is_dir()) {
        shell::step(&format!("add target {name}"), || {
            if Command::new("rustup").arg("--version").output().is_err() {
                return Err(Error::new(format!(
                    "the compiler cannot build for {name} and rustup is not here to change that; \
                     install your system's package for this target"
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

/// Installs cargo-lambda in the build directory and returns the folder of its programs.
pub(crate) fn install_package_tools(workspace: &Workspace) -> Result<PathBuf, Error> {
    install_targets(workspace, &[ARM64_TARGET])?;
    CARGO_LAMBDA.install(workspace)
}

/// Installs cargo-zigbuild and a target, and returns the folder of its programs.
pub(crate) fn install_static_build_tools(workspace: &Workspace, target: &str) -> Result<PathBuf, Error> {
    install_targets(workspace, &[target])?;
    CARGO_ZIGBUILD.install(workspace)
}

/// Installs the requirements of the emulator in `tests/emulator` and returns its Python.
pub(crate) fn install_emulator(workspace: &Workspace) -> Result<PathBuf, Error> {
    Ok(MOTO.install(workspace)?.join("python"))
}

/// Installs the emulator and the SAM CLI and returns their environment variables.
pub(crate) fn install_deployment_tools(workspace: &Workspace) -> Result<[(&'static str, PathBuf); 2], Error> {
    Ok([
        (EMULATOR_VARIABLE, install_emulator(workspace)?),
        (SAM_VARIABLE, install_sam(workspace)?.join("sam")),
    ])
}

/// Installs the SAM CLI, with its linter and transform, and returns the folder of its programs.
pub(crate) fn install_sam(workspace: &Workspace) -> Result<PathBuf, Error> {
    SAM.install(workspace)
}

/// Installs the HTTP client of the peer in `tests/peers` and returns its Python.
pub(crate) fn requests(workspace: &Workspace) -> Result<PathBuf, Error> {
    Ok(REQUESTS.install(workspace)?.join("python"))
}

/// Installs the clients in `tests/peers` and returns their Python.
pub(crate) fn install_peers(workspace: &Workspace) -> Result<PathBuf, Error> {
    Ok(PEERS.install(workspace)?.join("python"))
}

/// Installs the readers of rows and returns their Python.
pub(crate) fn readers(workspace: &Workspace) -> Result<PathBuf, Error> {
    Ok(READERS.install(workspace)?.join("python"))
}

/// Installs checkov, the security scanner of templates, and returns the folder of its programs.
/// Its dependencies conflict with those of SAM.
pub(crate) fn install_checkov(workspace: &Workspace) -> Result<PathBuf, Error> {
    CHECKOV.install(workspace)
}

/// Installs cargo-fuzz in the build directory and returns the folder of its programs.
pub(crate) fn install_fuzz_tools(workspace: &Workspace) -> Result<PathBuf, Error> {
    tools::install_crate(workspace, CARGO_FUZZ, &[])
}

/// Installs cargo-cyclonedx and returns the folder of its programs.
pub(crate) fn install_sbom_tools(workspace: &Workspace) -> Result<PathBuf, Error> {
    tools::install_crate(workspace, CARGO_CYCLONEDX, &[])
}

/// Installs mdBook beside the build, without its server and search, and returns the folder of its programs.
pub(crate) fn install_mdbook(workspace: &Workspace) -> Result<PathBuf, Error> {
    tools::install_crate(workspace, MDBOOK, &["--no-default-features"])
}

/// The default target of the compiler.
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

/// The major and minor number in `rustc 1.95.0 (…)`.
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
