//! The build of one function, by cargo-lambda.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::ValueEnum;

use super::archive;
use crate::{error::Error, setup, shell, workspace::Workspace};

/// The timestamp of all files: the earliest that a zip can have.
pub(super) const SOURCE_DATE_EPOCH: &str = "315532800";

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Architecture {
    #[value(name = "x86_64")]
    X86_64,
    #[value(name = "arm64")]
    Arm64,
}

impl Architecture {
    /// The architecture of this machine.
    pub(crate) const HOST: Self = if cfg!(target_arch = "aarch64") { Self::Arm64 } else { Self::X86_64 };

    /// The architecture's name at Lambda.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    fn flag(self) -> &'static str {
        match self {
            Self::X86_64 => "--x86-64",
            Self::Arm64 => "--arm64",
        }
    }

    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => setup::ARM64_TARGET,
        }
    }
}

/// A function's zip file.
pub(super) struct Package {
    pub(super) function: String,
    pub(super) architecture: Architecture,
    pub(super) zip: PathBuf,
    pub(super) zip_bytes: u64,
    pub(super) binary_bytes: u64,
}

/// The folder of an architecture's packages, each in its own subfolder.
pub(super) fn package_dir(workspace: &Workspace, architecture: Architecture) -> PathBuf {
    workspace.target.join("lambda").join(architecture.name())
}

/// Builds and packs a function. `tools` is the folder of cargo-lambda.
pub(super) fn build(
    workspace: &Workspace,
    tools: &Path,
    function: &str,
    architecture: Architecture,
) -> Result<Package, Error> {
    let folder = package_dir(workspace, architecture);
    let mut command = shell::cargo(&workspace.root);
    command
        .envs(environment(workspace, tools, architecture.target())?)
        .env("CARGO_TARGET_DIR", &workspace.target)
        .args(["lambda", "build", "--release", "--locked"])
        .args(["--package", function, "--bin", function, architecture.flag()])
        .arg("--lambda-dir")
        .arg(&folder);
    shell::run(&mut command, "fix the errors above; `cargo xtask setup --package` reinstalls the tools")?;
    let binary = folder.join(function).join("bootstrap");
    let zip = folder.join(function).join("bootstrap.zip");
    archive::pack(&binary, &zip)?;
    Ok(Package {
        function: function.to_owned(),
        architecture,
        zip_bytes: Workspace::size(&zip)?,
        binary_bytes: Workspace::size(&binary)?,
        zip,
    })
}

/// The environment of a reproducible build for a target, with the programs in `tools`.
pub(crate) fn environment(
    workspace: &Workspace,
    tools: &Path,
    target: &str,
) -> Result<Vec<(String, OsString)>, Error> {
    let mut variables = remap_path_flags(workspace, target)?.to_vec();
    variables.push(("PATH".to_owned(), path_with(tools)?));
    variables.push(("SOURCE_DATE_EPOCH".to_owned(), SOURCE_DATE_EPOCH.into()));
    Ok(variables)
}

/// The compiler flags that remove paths of this machine from Rust and C code.
fn remap_path_flags(workspace: &Workspace, target: &str) -> Result<[(String, OsString); 2], Error> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let home = home.ok_or_else(|| Error::new("missing home folder; set CARGO_HOME"))?;
    let places = [(&home, "/cargo"), (&workspace.target, "/target"), (&workspace.root, "/sources")];
    let flags = |name: &str, given: &str| {
        let mut flags = env::var_os(given).unwrap_or_default();
        for (from, to) in places {
            flags.push(format!(" {name}={}={to}", from.display()));
        }
        flags
    };
    let c = format!("CFLAGS_{}", target.replace('-', "_"));
    Ok([
        ("RUSTFLAGS".to_owned(), flags("--remap-path-prefix", "RUSTFLAGS")),
        (c.clone(), flags("-ffile-prefix-map", &c)),
    ])
}

fn path_with(tools: &Path) -> Result<OsString, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [tools.to_owned()].into_iter().chain(env::split_paths(&path));
    env::join_paths(folders).map_err(|error| Error::new(format!("extending PATH failed: {error}")))
}
