//! `cargo xtask package`: the zip files that Lambda runs.

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

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Build for this architecture only
    #[arg(long, value_enum)]
    arch: Option<Architecture>,
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
    let functions = workspace.functions()?;
    let mut packages = Vec::new();
    for architecture in [Architecture::X86, Architecture::Arm] {
        if arguments.arch.is_some_and(|only| only != architecture) {
            continue;
        }
        for function in &functions {
            let name = format!("package {function} for {}", architecture.name());
            packages.push(shell::step(&name, || build(workspace, &tools, function, architecture))?);
        }
    }
    print(&packages);
    check(&packages)
}

fn build(
    workspace: &Workspace,
    tools: &Path,
    function: &str,
    architecture: Architecture,
) -> Result<Package, Error> {
    let folder = workspace.target.join("lambda").join(architecture.name());
    let mut command = shell::cargo(&workspace.root);
    command
        .env("PATH", path_with(tools)?)
        .args(["lambda", "build", "--release", "--locked", "--output-format", "zip"])
        .args(["--package", function, "--bin", function, architecture.flag()])
        .arg("--lambda-dir")
        .arg(&folder);
    shell::run(&mut command, "fix what the compiler says; `cargo xtask setup --package` repairs the tools")?;
    let zip = folder.join(function).join("bootstrap.zip");
    Ok(Package {
        function: function.to_owned(),
        architecture,
        zip_bytes: Workspace::size(&zip)?,
        binary_bytes: unpacked_size(&zip)?,
        zip,
    })
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

/// The size of the files in a zip before they were packed, from its directory.
fn unpacked_size(zip: &Path) -> Result<u64, Error> {
    let bytes =
        std::fs::read(zip).map_err(|error| Error::new(format!("cannot read {}: {error}", zip.display())))?;
    directory_sizes(&bytes)
        .ok_or_else(|| Error::new(format!("{} is not a zip file; build it again", zip.display())))
}

/// Sums the unpacked sizes in the central directory of a zip.
fn directory_sizes(zip: &[u8]) -> Option<u64> {
    let end = zip.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let entries = number(zip, end + 10, 2)?;
    let mut at = usize::try_from(number(zip, end + 16, 4)?).ok()?;
    let mut sum = 0;
    for _ in 0..entries {
        if zip.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        sum += number(zip, at + 24, 4)?;
        // The name, the extra field and the comment follow the fixed part.
        let variable = number(zip, at + 28, 2)? + number(zip, at + 30, 2)? + number(zip, at + 32, 2)?;
        at += 46 + usize::try_from(variable).ok()?;
    }
    Some(sum)
}

/// A little-endian number of `width` bytes.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + width)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with entries of these sizes, without the packed data.
    fn directory(sizes: &[u32]) -> Vec<u8> {
        let mut zip = b"data".to_vec();
        for size in sizes {
            let mut entry = [0; 46];
            entry[..4].copy_from_slice(b"PK\x01\x02");
            entry[24..28].copy_from_slice(&size.to_le_bytes());
            entry[28] = 4;
            zip.extend(entry);
            zip.extend(b"name");
        }
        let mut end = [0; 22];
        end[..4].copy_from_slice(b"PK\x05\x06");
        end[10] = u8::try_from(sizes.len()).unwrap();
        end[16] = 4;
        zip.extend(end);
        zip
    }

    #[test]
    fn unpacked_sizes_are_summed() {
        assert_eq!(directory_sizes(&directory(&[14_598_128])), Some(14_598_128));
        assert_eq!(directory_sizes(&directory(&[1, 300])), Some(301));
        assert_eq!(directory_sizes(b"not a zip"), None);
        assert_eq!(directory_sizes(&directory(&[7])[5..]), None);
    }

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
