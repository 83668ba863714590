//! The paths of the workspace.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{error::Error, shell};

/// The folders and packages of the workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    /// The names and folders of the packages.
    pub(crate) packages: Vec<(String, PathBuf)>,
}

impl Workspace {
    /// Runs `cargo metadata`, which includes `CARGO_TARGET_DIR` and configuration files.
    pub(crate) fn find() -> Result<Self, Error> {
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        // Cargo resolves a relative target directory against the working directory, so
        // it runs in the root.
        let root = package.ancestors().nth(2).unwrap_or(&package);
        let metadata = shell::stdout(
            shell::cargo(root).args(["metadata", "--format-version", "1", "--no-deps"]),
            "run this through `cargo xtask` inside the workspace",
        )?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)
            .map_err(|error| Error::new(format!("parsing cargo metadata failed: {error}")))?;
        let folder = |name| match metadata[name].as_str() {
            Some(path) => Ok(PathBuf::from(path)),
            None => Err(Error::new(format!("missing `{name}` in cargo metadata; update cargo"))),
        };
        let packages = metadata["packages"].as_array().into_iter().flatten().filter_map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str()?);
            Some((package["name"].as_str()?.to_owned(), manifest.parent()?.to_owned()))
        });
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
            packages: packages.collect(),
        })
    }

    /// The names of the Lambda functions: the packages in `functions`.
    pub(crate) fn functions(&self) -> Vec<String> {
        let folder = self.root.join("functions");
        let functions = self.packages.iter().filter(|(_, package)| package.parent() == Some(&folder));
        let mut names: Vec<_> = functions.map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// The path of a binary that `cargo build` builds.
    pub(crate) fn binary(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(name).with_extension(env::consts::EXE_EXTENSION)
    }

    /// A file's size in bytes.
    pub(crate) fn size(path: &Path) -> Result<u64, Error> {
        path.metadata().map(|metadata| metadata.len()).map_err(|error| {
            Error::new(format!("reading {} failed: {error}; build it first", path.display()))
        })
    }
}
