//! Bills of materials of the packages, in CycloneDX JSON.

use std::{fs, path::Path};

use crate::{error::Error, shell, workspace::Workspace};

/// The file name of the bills beside each manifest.
const SBOM_NAME: &str = "sbom";

/// Writes the bill of each function for a target as `sbom.json` beside its zip, without paths
/// of this machine.
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
    let output = shell::stdout(&mut command, "see the output of cargo-cyclonedx");
    let bills = workspace.packages.iter().map(|(name, folder)| {
        let file = folder.join(SBOM_NAME).with_extension("json");
        let bill = fs::read_to_string(&file);
        // cargo-cyclonedx writes a bill for every package of the workspace beside its
        // sources.
        let _ = fs::remove_file(&file);
        (name, bill)
    });
    let bills: Vec<_> = bills.collect();
    output?;
    let root = workspace.root.to_string_lossy();
    for (function, bill) in bills.into_iter().filter(|(name, _)| functions.contains(name)) {
        let file = into.join(function).join(SBOM_NAME).with_extension("json");
        bill.and_then(|bill| fs::write(&file, bill.replace(&*root, "")))
            .map_err(|error| Error::new(format!("writing {} failed: {error}", file.display())))?;
    }
    Ok(())
}
