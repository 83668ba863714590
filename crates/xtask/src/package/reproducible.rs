//! The check that the same sources give the same bytes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::build::{Package, build};
use crate::{error::Error, shell, workspace::Workspace};

/// Builds these packages again, from scratch and from a copy of the sources in a folder with a
/// longer name, and compares them.
pub(super) fn check_reproducible(
    workspace: &Workspace,
    tools: &Path,
    packages: &[Package],
) -> Result<(), Error> {
    let folder =
        tempfile::tempdir().map_err(|error| Error::new(format!("creating a folder failed: {error}")))?;
    let root = folder.path().join("the-same-sources-elsewhere");
    copy_sources(workspace, &root)?;
    let copy = Workspace { target: folder.path().join("compiled"), root, packages: Vec::new() };
    let mut different = Vec::new();
    for first in packages {
        let name = format!("package {} for {} again", first.function, first.architecture.name());
        let second = shell::step(&name, || build(&copy, tools, &first.function, first.architecture))?;
        if read_file(&first.zip)? != read_file(&second.zip)? {
            different.push(first.zip.display().to_string());
        }
    }
    if different.is_empty() {
        println!("reproducible: two folders give the same bytes for {} zip files", packages.len());
        return Ok(());
    }
    let kept = folder.keep();
    Err(Error::new(format!(
        "not reproducible: {}; the second build is in {}, compare both with `cmp -l` or diffoscope",
        different.join(", "),
        kept.display()
    )))
}

fn read_file(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|error| Error::new(format!("reading {} failed: {error}", file.display())))
}

/// Copies the sources: all files that git tracks or would add.
fn copy_sources(workspace: &Workspace, to: &Path) -> Result<(), Error> {
    let mut git = shell::program("git");
    git.current_dir(&workspace.root);
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = shell::stdout(&mut git, "run this in a git checkout")?;
    for file in listed.split('\0').filter(|file| !file.is_empty()).map(PathBuf::from) {
        let from = workspace.root.join(&file);
        // Git still lists a file that was removed and not committed.
        if from.exists() {
            copy_file(&from, &to.join(&file))
                .map_err(|error| Error::new(format!("copying {} failed: {error}", from.display())))?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).map(drop)
}
