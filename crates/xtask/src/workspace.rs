//! Where the workspace and its build directory are.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{error::Error, shell};

/// The two folders that every command needs.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo, which also knows of `CARGO_TARGET_DIR` and of configuration files.
    pub(crate) fn find() -> Result<Self, Error> {
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        // Cargo resolves a relative target directory against the working directory,
        // so it is asked from where the root is.
        let root = package.ancestors().nth(2).unwrap_or(&package);
        let metadata = Self::metadata(root)?;
        let folder = |name| match metadata[name].as_str() {
            Some(path) => Ok(PathBuf::from(path)),
            None => Err(Error::new(format!("cargo metadata has no `{name}`; update cargo"))),
        };
        Ok(Self { root: folder("workspace_root")?, target: folder("target_directory")? })
    }

    fn metadata(root: &Path) -> Result<serde_json::Value, Error> {
        let metadata = shell::output(
            shell::cargo(root).args(["metadata", "--format-version", "1", "--no-deps"]),
            "run this through `cargo xtask` inside the workspace",
        )?;
        serde_json::from_str(&metadata)
            .map_err(|error| Error::new(format!("cargo metadata is not JSON: {error}")))
    }

    /// The packages of the workspace: their names and folders.
    pub(crate) fn members(&self) -> Result<Vec<(String, PathBuf)>, Error> {
        let metadata = Self::metadata(&self.root)?;
        let packages = metadata["packages"].as_array().into_iter().flatten();
        let named = packages.filter_map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str()?);
            Some((package["name"].as_str()?.to_owned(), manifest.parent()?.to_owned()))
        });
        Ok(named.collect())
    }

    /// The names of the Lambda functions: the folders in `functions` that are packages.
    pub(crate) fn functions(&self) -> Result<Vec<String>, Error> {
        let folder = self.root.join("functions");
        let entries = folder
            .read_dir()
            .map_err(|error| Error::new(format!("cannot list {}: {error}", folder.display())))?;
        let mut names: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.path().join("Cargo.toml").is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    /// A binary that `cargo build` has made.
    pub(crate) fn binary(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(name).with_extension(env::consts::EXE_EXTENSION)
    }

    /// A file's size in bytes.
    pub(crate) fn size(path: &Path) -> Result<u64, Error> {
        path.metadata()
            .map(|metadata| metadata.len())
            .map_err(|error| Error::new(format!("{} was not built: {error}", path.display())))
    }
}
