//! `cargo xtask book`: the documentation as a book.

use std::{path::PathBuf, process::Command};

use crate::{error::Error, setup, shell, workspace::Workspace};

/// Builds `docs/` into `book` of the target folder. A chapter that `SUMMARY.md` names and that does
/// not exist is an error.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Error> {
    let mdbook = find_mdbook(workspace)?;
    let book = workspace.target.join("book");
    shell::step("build the book", || {
        let mut build = shell::program(&mdbook);
        build.current_dir(&workspace.root).args(["build", "docs", "--dest-dir"]).arg(&book);
        shell::run(&mut build, "correct docs/SUMMARY.md or the chapter that mdbook names")
    })?;
    println!("{}", book.join("index.html").display());
    Ok(())
}

/// The program on the path, or else one that is installed beside the build.
fn find_mdbook(workspace: &Workspace) -> Result<PathBuf, Error> {
    let is_installed = Command::new("mdbook").arg("--version").output().is_ok_and(|out| out.status.success());
    if is_installed {
        return Ok(PathBuf::from("mdbook"));
    }
    Ok(setup::install_mdbook(workspace)?.join("mdbook"))
}
