//! The build of the command line as one static binary for Linux.

use std::{fs, path::Path, process::Command};

use super::build::{Architecture, environment};
use crate::{error::Error, setup, shell, workspace::Workspace};

/// The target whose C library is part of the binary.
fn target(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64-unknown-linux-musl",
        Architecture::Arm64 => "aarch64-unknown-linux-musl",
    }
}

/// The other systems, each by one target.
const OTHER_TARGETS: [&str; 2] = ["x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

/// Compiles the command line for Windows and macOS without linking it. The C code of its
/// dependencies is compiled as well.
pub(super) fn check_targets(workspace: &Workspace) -> Result<(), Error> {
    for target in OTHER_TARGETS {
        let tools = setup::install_static_build_tools(workspace, target)?;
        shell::step(&format!("check sophos for {target}"), || {
            let mut check = shell::program(tools.join("cargo-zigbuild"));
            check
                .current_dir(&workspace.root)
                .envs(environment(workspace, &tools, target)?)
                .env("CARGO_TARGET_DIR", &workspace.target)
                .args(["check", "--locked", "--package", "sophos-cli", "--target", target]);
            shell::run(&mut check, "fix the errors above")
        })?;
    }
    Ok(())
}

/// Builds the command line, checks that it needs no library of the system, and starts it.
pub(super) fn run(workspace: &Workspace) -> Result<(), Error> {
    let target = target(Architecture::HOST);
    let tools = setup::install_static_build_tools(workspace, target)?;
    shell::step("package sophos", || {
        let mut build = shell::cargo(&workspace.root);
        build
            .envs(environment(workspace, &tools, target)?)
            .env("CARGO_TARGET_DIR", &workspace.target)
            .args(["zigbuild", "--release", "--locked", "--package", "sophos-cli", "--target", target]);
        shell::run(&mut build, "fix the errors above")
    })?;
    let program = workspace.target.join(target).join("release/sophos");
    check_static(&program)?;
    let version = shell::stdout(Command::new(&program).arg("--version"), "the built program does not start")?;
    println!("{}: {}, {} bytes, static", program.display(), version.trim(), Workspace::size(&program)?);
    Ok(())
}

/// Fails if the program needs a dynamic linker.
fn check_static(program: &Path) -> Result<(), Error> {
    let file = fs::read(program)
        .map_err(|error| Error::new(format!("reading {} failed: {error}", program.display())))?;
    match has_interpreter(&file) {
        Some(false) => Ok(()),
        Some(true) => Err(Error::new(format!(
            "invalid program {}: expected a static one, found the name of a dynamic linker",
            program.display()
        ))),
        None => Err(Error::new(format!("invalid program {}: expected ELF of 64 bits", program.display()))),
    }
}

/// Whether a little-endian ELF file of 64 bits names a dynamic linker. None for other files.
fn has_interpreter(file: &[u8]) -> Option<bool> {
    const PT_INTERP: usize = 3;
    let number = |offset: usize, length: usize| {
        let bytes = file.get(offset..offset.checked_add(length)?)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    };
    if file.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (offset, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let types = (0..count).map(|index| number(offset.checked_add(index * size)?, 4));
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
        file[32..40].fill(0xff);
        assert_eq!(has_interpreter(&file), None);
        assert_eq!(has_interpreter(b"#!/bin/sh"), None);
    }

    #[test]
    #[cfg(all(target_os = "linux", not(target_env = "musl")))]
    fn check_rejects_a_dynamically_linked_program() {
        let program = std::env::current_exe().expect("a path");
        let error = check_static(&program).expect_err("dynamically linked").to_string();
        assert!(error.contains("expected a static one"), "{error}");
    }
}
