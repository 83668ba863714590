//! Packages for another processor, run by qemu.

use std::{
    env, fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::build::{Architecture, Package};
use crate::error::Error;

/// The emulator of an architecture: qemu's program, the folder of the C library, and the Debian
/// packages of both.
fn emulator(architecture: Architecture) -> (&'static str, &'static str, &'static str) {
    match architecture {
        Architecture::Arm64 => {
            ("qemu-aarch64", "/usr/aarch64-linux-gnu", "qemu-user libc6-arm64-cross libgcc-s1-arm64-cross")
        }
        Architecture::X86_64 => {
            ("qemu-x86_64", "/usr/x86_64-linux-gnu", "qemu-user libc6-amd64-cross libgcc-s1-amd64-cross")
        }
    }
}

/// Writes a `bootstrap` script for each package that runs it in qemu. Returns the folder of the
/// scripts.
pub(super) fn write_wrappers(
    packages: &[Package],
    architecture: Architecture,
    folder: &Path,
) -> Result<PathBuf, Error> {
    let (program, libraries, debian) = emulator(architecture);
    let path = env::var_os("PATH").unwrap_or_default();
    let qemu = env::split_paths(&path).map(|folder| folder.join(program)).find(|program| program.is_file());
    let (Some(qemu), true) = (qemu, Path::new(libraries).is_dir()) else {
        return Err(Error::new(format!(
            "programs for {} need {program} and {libraries} on this machine (on Debian: apt-get install {debian})",
            architecture.name()
        )));
    };
    let scripts = folder.with_file_name(format!("{}-emulated", architecture.name()));
    for Package { function, .. } in packages {
        let binary = folder.join(function).join("bootstrap");
        let script = format!("#!/bin/sh\nexec '{}' -L {libraries} '{}'\n", qemu.display(), binary.display());
        let file = scripts.join(function).join("bootstrap");
        write_script(&file, &script)
            .map_err(|error| Error::new(format!("writing {} failed: {error}", file.display())))?;
    }
    Ok(scripts)
}

fn write_script(file: &Path, script: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, script)?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}
