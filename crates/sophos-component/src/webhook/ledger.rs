//! The ledger in the host's store.

use sophos_isolation::{Ledger, Objects, StoreFailure};

use crate::bindings::{sophos::central::ledger_store, wasi::random::random::get_random_u64};

/// The imported `ledger-store`.
#[derive(Debug, Clone, Copy)]
pub(super) struct HostStore;

/// The ledger, for a run with a name that no other has.
pub(super) fn open() -> Ledger<HostStore> {
    Ledger::of_run(HostStore, format!("{:016x}{:016x}", get_random_u64(), get_random_u64()))
}

impl Objects for HostStore {
    async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, StoreFailure> {
        ledger_store::create(path, &body).map_err(StoreFailure::new)
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreFailure> {
        ledger_store::read(path).map_err(StoreFailure::new)
    }

    async fn remove(&self, path: &str) -> Result<(), StoreFailure> {
        ledger_store::remove(path).map_err(StoreFailure::new)
    }

    async fn names(&self, folder: &str) -> Result<Vec<String>, StoreFailure> {
        ledger_store::names(folder).map_err(StoreFailure::new)
    }
}
