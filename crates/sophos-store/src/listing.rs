//! Listings with folders and sizes.

use futures_util::TryStreamExt;

use crate::{error::StoreError, store::Store};

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// The path from the root of the store.
    pub path: String,
    /// The size in bytes.
    pub bytes: u64,
}

impl Store {
    /// Lists all objects in `folder` and its subfolders, in the order of their paths.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_objects(&self, folder: &str) -> Result<Vec<StoredObject>, StoreError> {
        let within = self.resolve(folder)?;
        let mut objects = Vec::new();
        let mut listing = self.objects.list(Some(&within));
        while let Some(object) = listing.try_next().await? {
            let Some(path) = self.relative_path(&object.location) else { continue };
            objects.push(StoredObject { path, bytes: object.size });
        }
        objects.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(objects)
    }

    /// Lists the names of the folders directly in `folder`, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_folders(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let within = self.resolve(folder)?;
        let listing = self.objects.list_with_delimiter(Some(&within)).await?;
        let mut names: Vec<_> =
            listing.common_prefixes.iter().filter_map(|prefix| Some(prefix.filename()?.to_owned())).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}
