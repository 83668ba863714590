//! `cargo xtask package`: the zip files that Lambda runs, and what is in them.
//!
//! The same sources give the same bytes, in any folder: paths of this machine are
//! taken out of what is compiled, and the zip holds no time.

mod archive;
mod bill;

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};

use crate::{error::Error, setup, shell, workspace::Workspace};

/// The most that a zip file may weigh. Lambda takes 50 MB; but every byte is loaded
/// at a cold start, and a sudden megabyte is a dependency that nobody meant.
const ZIP_LIMIT: u64 = 6 << 20;

/// The moment that everything is said to be from: the first that a zip knows.
const EPOCH: &str = "315532800";

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Build for this architecture only
    #[arg(long, value_enum)]
    arch: Option<Architecture>,
    /// Build this function only
    #[arg(long)]
    function: Option<String>,
    /// Write no bills of materials
    #[arg(long)]
    no_bills: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Architecture {
    #[value(name = "x86_64")]
    X86,
    #[value(name = "arm64")]
    Arm,
}

impl Architecture {
    /// The name that Lambda uses.
    fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86_64",
            Self::Arm => "arm64",
        }
    }

    fn flag(self) -> &'static str {
        match self {
            Self::X86 => "--x86-64",
            Self::Arm => "--arm64",
        }
    }

    fn target(self) -> &'static str {
        match self {
            Self::X86 => "x86_64-unknown-linux-gnu",
            Self::Arm => setup::ARM64_TARGET,
        }
    }
}

/// One line of the closing table.
struct Package {
    function: String,
    architecture: Architecture,
    zip: PathBuf,
    zip_bytes: u64,
    binary_bytes: u64,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    setup::compiler(workspace)?;
    let tools = setup::package_tools(workspace)?;
    let mut functions = workspace.functions();
    if let Some(only) = &arguments.function {
        let names = functions.join(", ");
        functions.retain(|function| function == only);
        if functions.is_empty() {
            return Err(Error::new(format!("there is no function `{only}`; the functions are {names}")));
        }
    }
    let bills = if arguments.no_bills { None } else { Some(setup::bill_tools(workspace)?) };
    let mut packages = Vec::new();
    for architecture in [Architecture::X86, Architecture::Arm] {
        if arguments.arch.is_some_and(|only| only != architecture) {
            continue;
        }
        for function in &functions {
            let name = format!("package {function} for {}", architecture.name());
            packages.push(shell::step(&name, || build(workspace, &tools, function, architecture))?);
        }
        if let Some(tools) = &bills {
            let name = format!("bills of materials for {}", architecture.name());
            let into = folder(workspace, architecture);
            shell::step(&name, || bill::write(workspace, tools, architecture.target(), &functions, &into))?;
        }
    }
    print(&packages);
    check(&packages)
}

fn folder(workspace: &Workspace, architecture: Architecture) -> PathBuf {
    workspace.target.join("lambda").join(architecture.name())
}

fn build(
    workspace: &Workspace,
    tools: &Path,
    function: &str,
    architecture: Architecture,
) -> Result<Package, Error> {
    let folder = folder(workspace, architecture);
    let mut command = shell::cargo(&workspace.root);
    command
        .env("PATH", path_with(tools)?)
        .env("SOURCE_DATE_EPOCH", EPOCH)
        .args(["lambda", "build", "--release", "--locked"])
        .args(["--package", function, "--bin", function, architecture.flag()])
        .arg("--lambda-dir")
        .arg(&folder);
    for (variable, flags) in without_paths(workspace, architecture)? {
        command.env(variable, flags);
    }
    shell::run(&mut command, "fix what the compiler says; `cargo xtask setup --package` repairs the tools")?;
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

/// What takes the paths of this machine out of what is compiled: in Rust, and in
/// the C that some crates bring.
fn without_paths(
    workspace: &Workspace,
    architecture: Architecture,
) -> Result<[(String, OsString); 2], Error> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let home = home.ok_or_else(|| Error::new("there is no home folder; set CARGO_HOME"))?;
    let places = [(&home, "/cargo"), (&workspace.target, "/target"), (&workspace.root, "/sources")];
    let flags = |name: &str, given: &str| {
        let mut flags = env::var_os(given).unwrap_or_default();
        for (from, to) in places {
            flags.push(format!(" {name}={}={to}", from.display()));
        }
        flags
    };
    let c = format!("CFLAGS_{}", architecture.target().replace('-', "_"));
    Ok([
        ("RUSTFLAGS".to_owned(), flags("--remap-path-prefix", "RUSTFLAGS")),
        (c.clone(), flags("-ffile-prefix-map", &c)),
    ])
}

fn path_with(tools: &Path) -> Result<OsString, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [tools.to_owned()].into_iter().chain(env::split_paths(&path));
    env::join_paths(folders).map_err(|error| Error::new(format!("cannot extend PATH: {error}")))
}

fn print(packages: &[Package]) {
    println!("{:<24} {:<12} {:>12} {:>14}", "function", "architecture", "zip bytes", "binary bytes");
    for Package { function, architecture, zip_bytes, binary_bytes, .. } in packages {
        println!("{function:<24} {:<12} {zip_bytes:>12} {binary_bytes:>14}", architecture.name());
    }
}

fn check(packages: &[Package]) -> Result<(), Error> {
    let heavy: Vec<_> = packages
        .iter()
        .filter(|package| package.zip_bytes > ZIP_LIMIT)
        .map(|package| {
            let over = package.zip_bytes - ZIP_LIMIT;
            format!("{} is {over} bytes over the limit of {ZIP_LIMIT}", package.zip.display())
        })
        .collect();
    if heavy.is_empty() {
        return Ok(());
    }
    let hint = "look for a new dependency with `cargo tree -p <function> --edges normal`";
    Err(Error::new(format!("{}\n{hint}", heavy.join("\n"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heavy_package_is_named() {
        let package = |zip_bytes| Package {
            function: "alert-export".to_owned(),
            architecture: Architecture::Arm,
            zip: PathBuf::from("lambda/arm64/alert-export/bootstrap.zip"),
            zip_bytes,
            binary_bytes: 0,
        };
        assert!(check(&[package(ZIP_LIMIT)]).is_ok());
        let error = check(&[package(1), package(ZIP_LIMIT + 9)]).unwrap_err().to_string();
        assert!(error.contains("arm64/alert-export/bootstrap.zip is 9 bytes over"), "{error}");
    }
}
