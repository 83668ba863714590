//! The ledger in an object store: a bucket, or a folder.

use sophos_store::Store;

use crate::ledger::{Objects, StoreFailure};

impl Objects for Store {
    async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, StoreFailure> {
        Self::create(self, path, body).await.map_err(StoreFailure::new)
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreFailure> {
        let body = Self::read(self, path).await.map_err(StoreFailure::new)?;
        Ok(body.map(|body| body.to_vec()))
    }

    async fn remove(&self, path: &str) -> Result<(), StoreFailure> {
        self.remove_if_allowed(path).await.map_err(StoreFailure::new)
    }

    async fn names(&self, folder: &str) -> Result<Vec<String>, StoreFailure> {
        self.names_after(folder, "").await.map_err(StoreFailure::new)
    }
}
