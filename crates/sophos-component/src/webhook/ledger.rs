//! The ledger over the imported `ledger-store`.

use sophos_isolation::{Ledger, LedgerStore, LedgerStoreError};

use crate::bindings::{sophos::central::ledger_store, wasi::random::random::get_random_u64};

/// The imported `ledger-store`.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostStore;

/// Opens the ledger with a random writer id.
pub(super) fn open() -> Ledger<HostStore> {
    Ledger::with_writer_id(HostStore, format!("{:016x}{:016x}", get_random_u64(), get_random_u64()))
}

impl LedgerStore for HostStore {
    async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, LedgerStoreError> {
        ledger_store::create(path, &body).map_err(LedgerStoreError::new)
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        ledger_store::read(path).map_err(LedgerStoreError::new)
    }

    async fn delete(&self, path: &str) -> Result<(), LedgerStoreError> {
        ledger_store::delete(path).map_err(LedgerStoreError::new)
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, LedgerStoreError> {
        ledger_store::list(folder).map_err(LedgerStoreError::new)
    }
}
