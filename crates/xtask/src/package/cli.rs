//! The command line as one static binary for Linux.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::build::Architecture;
use crate::{error::Error, setup, shell, workspace::Workspace};

/// The target, whose C library is linked into the program.
fn target(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64-unknown-linux-musl",
        Architecture::Arm64 => "aarch64-unknown-linux-musl",
    }
}

/// Builds the command line for this machine's architecture, and checks that it needs no
/// library of the system.
pub(super) fn run(workspace: &Workspace) -> Result<(), Error> {
    let target = target(Architecture::HOST);
    setup::install_targets(workspace, &[target])?;
    let compiler = write_compiler(workspace, target)?;
    shell::step("package sophos", || {
        let mut build = shell::cargo(&workspace.root);
        build.args(["build", "--release", "--locked", "--package", "sophos-cli", "--target", target]);
        build.env(format!("CC_{}", target.replace('-', "_")), &compiler);
        shell::run(&mut build, "see the lines above")
    })?;
    let program = workspace.target.join(target).join("release/sophos");
    check_static(&program)?;
    let failed = |error| Error::new(format!("reading {} failed: {error}", program.display()));
    println!("{}: {} bytes, static", program.display(), fs::metadata(&program).map_err(failed)?.len());
    let mut start = Command::new(&program);
    shell::stdout(start.arg("--version"), "the built program does not start").map(|line| print!("{line}"))
}

/// Writes the C compiler of the target: zig, which has musl's headers and comes with
/// cargo-lambda. It does not know the names of Rust's targets, which build scripts pass.
fn write_compiler(workspace: &Workspace, target: &str) -> Result<PathBuf, Error> {
    let zig = setup::install_package_tools(workspace)?.join("python-zig");
    let compiler = workspace.target.join("tools").join(format!("cc-{target}"));
    let script = format!(
        "#!/bin/sh\nfor argument; do\n  shift\n  case $argument in --target=*) ;; *) set -- \"$@\" \"$argument\" ;; esac\n\
         done\nexec '{}' cc -target {} \"$@\"\n",
        zig.display(),
        target.replace("-unknown", ""),
    );
    let failed = |error| Error::new(format!("writing {} failed: {error}", compiler.display()));
    fs::write(&compiler, script).map_err(failed)?;
    fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    Ok(compiler)
}

/// Fails if the program needs a dynamic linker.
fn check_static(program: &Path) -> Result<(), Error> {
    let failed = |error| Error::new(format!("reading {} failed: {error}", program.display()));
    let mut bytes = Vec::new();
    File::open(program).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?;
    match has_interpreter(&bytes) {
        Some(false) => Ok(()),
        Some(true) => Err(Error::new(format!("{} is not static: it names a linker", program.display()))),
        None => Err(Error::new(format!("invalid program {}: expected ELF of 64 bits", program.display()))),
    }
}

/// Whether an ELF file of 64 bits, little endian, names a dynamic linker.
fn has_interpreter(file: &[u8]) -> Option<bool> {
    const PT_INTERP: usize = 3;
    let number = |offset: usize, length: usize| {
        let bytes = file.get(offset..offset + length)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (offset, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let types = (0..count).map(|index| number(offset + index * size, 4));
    types.collect::<Option<Vec<_>>>().map(|types| types.contains(&PT_INTERP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreter_is_found_in_program_headers() {
        // A header of 64 bytes, then two program headers of 56.
        let mut file = vec![0; 64 + 2 * 56];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (file[32], file[54], file[56]) = (64, 56, 2);
        file[64] = 1;
        assert_eq!(has_interpreter(&file), Some(false));
        file[64 + 56] = 3;
        assert_eq!(has_interpreter(&file), Some(true));
        assert_eq!(has_interpreter(&file[..100]), None);
        assert_eq!(has_interpreter(b"#!/bin/sh"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn test_program_itself_has_an_interpreter() {
        let program = std::env::current_exe().expect("a path");
        check_static(&program).expect_err("dynamically linked");
    }
}
