//! The [`LedgerStore`] of an S3 bucket or a folder.

use sophos_store::Store;

use crate::ledger::{LedgerStore, LedgerStoreError};

impl LedgerStore for Store {
    async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, LedgerStoreError> {
        Self::create(self, path, body).await.map_err(LedgerStoreError::new)
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        let body = Self::read(self, path).await.map_err(LedgerStoreError::new)?;
        Ok(body.map(|body| body.to_vec()))
    }

    async fn delete(&self, path: &str) -> Result<(), LedgerStoreError> {
        self.remove_if_allowed(path).await.map_err(LedgerStoreError::new)
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, LedgerStoreError> {
        self.list_names(folder, "").await.map_err(LedgerStoreError::new)
    }
}
