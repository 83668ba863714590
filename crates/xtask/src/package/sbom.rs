//! Bills of materials: what a package was made of, in CycloneDX's JSON.

use std::{fs, path::Path};

use crate::{error::Error, shell, workspace::Workspace};

/// The name under which they are written beside each manifest, and found again.
const SBOM_NAME: &str = "sbom";

/// Writes the bill of each function for a target, as `sbom.json` beside
/// its zip. It names no path of this machine.
pub(super) fn write(
    workspace: &Workspace,
    tools: &Path,
    target: &str,
    functions: &[String],
    into: &Path,
) -> Result<(), Error> {
    let mut command = shell::program(tools.join("cargo-cyclonedx"));
    command
        .current_dir(&workspace.root)
        .env("SOURCE_DATE_EPOCH", super::build::SOURCE_DATE_EPOCH)
        .args(["cyclonedx", "-qq", "--format", "json", "--spec-version", "1.5", "--all"])
        .args(["--target", target, "--override-filename", SBOM_NAME]);
    let told = shell::stdout(&mut command, "see what cargo-cyclonedx says");
    let bills = workspace.packages.iter().map(|(name, folder)| {
        let file = folder.join(SBOM_NAME).with_extension("json");
        let bill = fs::read_to_string(&file);
        // It writes one for every package of the workspace, in the sources.
        let _ = fs::remove_file(&file);
        (name, bill)
    });
    let bills: Vec<_> = bills.collect();
    told?;
    let root = workspace.root.to_string_lossy();
    for (function, bill) in bills.into_iter().filter(|(name, _)| functions.contains(name)) {
        let file = into.join(function).join(SBOM_NAME).with_extension("json");
        bill.and_then(|bill| fs::write(&file, bill.replace(&*root, "")))
            .map_err(|error| Error::new(format!("cannot write {}: {error}", file.display())))?;
    }
    Ok(())
}
