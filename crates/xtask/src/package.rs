//! `cargo xtask package`: the zip files for Lambda, and the command line.
//!
//! The same sources give the same bytes in any folder: the build removes paths of this machine,
//! and the zip has no time.

mod archive;
mod build;
mod command_line;
mod qemu;
mod reproducible;
mod sbom;

use std::path::{Path, PathBuf};

use clap::Args;

pub(crate) use self::build::{Architecture, environment};
use self::build::{Package, build, package_dir};
use crate::{error::Error, setup, shell, workspace::Workspace};

/// The maximum size of a zip file. Lambda accepts 50 MB, but a cold start loads every byte, and
/// a sudden growth is an unintended dependency.
const MAX_ZIP_LEN: u64 = 8 << 20;

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
    no_sbom: bool,
    /// Build everything again from a copy of the sources in another folder, and compare the
    /// bytes
    #[arg(long)]
    check_reproducible: bool,
    /// Build the command line for this machine's architecture instead, as one static binary for
    /// Linux
    #[arg(long, conflicts_with_all = ["arch", "function", "no_sbom", "check_reproducible"])]
    cli: bool,
    /// With `--cli`, compile the command line for Windows and macOS instead, without linking it
    #[arg(long, requires = "cli")]
    check_targets: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    setup::check_compiler(workspace)?;
    if arguments.check_targets {
        return command_line::check_targets(workspace);
    }
    if arguments.cli {
        return command_line::run(workspace);
    }
    let tools = setup::install_package_tools(workspace)?;
    let mut functions = workspace.functions();
    if let Some(only) = &arguments.function {
        let names = functions.join(", ");
        functions.retain(|function| function == only);
        if functions.is_empty() {
            return Err(Error::new(format!("unknown function `{only}`: expected one of {names}")));
        }
    }
    let bills = if arguments.no_sbom { None } else { Some(setup::install_sbom_tools(workspace)?) };
    let mut packages = Vec::new();
    for architecture in [Architecture::X86_64, Architecture::Arm64] {
        if arguments.arch.is_some_and(|only| only != architecture) {
            continue;
        }
        packages.extend(build_all(workspace, &tools, &functions, architecture)?);
        if let Some(tools) = &bills {
            let name = format!("bills of materials for {}", architecture.name());
            let into = package_dir(workspace, architecture);
            shell::step(&name, || sbom::write(workspace, tools, architecture.target(), &functions, &into))?;
        }
    }
    print_sizes(&packages);
    check_sizes(&packages)?;
    if arguments.check_reproducible {
        reproducible::check_reproducible(workspace, &tools, &packages)
    } else {
        Ok(())
    }
}

/// Builds the release packages of functions. Returns a folder with a subfolder and a
/// `bootstrap` for each, runnable on this machine.
pub(crate) fn build_runnable(
    workspace: &Workspace,
    functions: &[impl AsRef<str>],
    architecture: Architecture,
) -> Result<PathBuf, Error> {
    let tools = setup::install_package_tools(workspace)?;
    let packages = build_all(workspace, &tools, functions, architecture)?;
    print_sizes(&packages);
    let folder = package_dir(workspace, architecture);
    if architecture == Architecture::HOST {
        Ok(folder)
    } else {
        qemu::write_wrappers(&packages, architecture, &folder)
    }
}

fn build_all(
    workspace: &Workspace,
    tools: &Path,
    functions: &[impl AsRef<str>],
    architecture: Architecture,
) -> Result<Vec<Package>, Error> {
    let packages = functions.iter().map(AsRef::as_ref).map(|function| {
        let name = format!("package {function} for {}", architecture.name());
        shell::step(&name, || build(workspace, tools, function, architecture))
    });
    packages.collect()
}

fn print_sizes(packages: &[Package]) {
    println!("{:<24} {:<12} {:>12} {:>14}", "function", "architecture", "zip bytes", "binary bytes");
    for Package { function, architecture, zip_bytes, binary_bytes, .. } in packages {
        println!("{function:<24} {:<12} {zip_bytes:>12} {binary_bytes:>14}", architecture.name());
    }
}

fn check_sizes(packages: &[Package]) -> Result<(), Error> {
    let heavy: Vec<_> = packages
        .iter()
        .filter(|package| package.zip_bytes > MAX_ZIP_LEN)
        .map(|package| {
            let over = package.zip_bytes - MAX_ZIP_LEN;
            format!("{} is {over} bytes over the limit of {MAX_ZIP_LEN}", package.zip.display())
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
    fn check_names_packages_over_the_size_limit() {
        let package = |zip_bytes| Package {
            function: "alert-export".to_owned(),
            architecture: Architecture::Arm64,
            zip: PathBuf::from("lambda/arm64/alert-export/bootstrap.zip"),
            zip_bytes,
            binary_bytes: 0,
        };
        assert!(check_sizes(&[package(MAX_ZIP_LEN)]).is_ok());
        let error = check_sizes(&[package(1), package(MAX_ZIP_LEN + 9)]).unwrap_err().to_string();
        assert!(error.contains("arm64/alert-export/bootstrap.zip is 9 bytes over"), "{error}");
    }
}
