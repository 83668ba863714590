//! A ledger for a check: it reads a ledger and keeps every write in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use sophos_isolation::{LedgerStore, LedgerStoreError};
use sophos_store::Store;

/// A ledger store whose writes stay in memory.
#[derive(Debug, Default)]
pub(super) struct ScratchLedger {
    ledger: Option<Store>,
    /// The written objects; `None` for a deleted one.
    written: Mutex<BTreeMap<String, Option<Vec<u8>>>>,
}

impl ScratchLedger {
    /// Creates a ledger over another one, or an empty one.
    pub(super) fn over(ledger: Option<Store>) -> Self {
        Self { ledger, written: Mutex::default() }
    }

    fn written(&self) -> MutexGuard<'_, BTreeMap<String, Option<Vec<u8>>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LedgerStore for ScratchLedger {
    async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, LedgerStoreError> {
        if LedgerStore::read(self, path).await?.is_some() {
            return Ok(false);
        }
        self.written().insert(path.to_owned(), Some(body));
        Ok(true)
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        if let Some(written) = self.written().get(path) {
            return Ok(written.clone());
        }
        match &self.ledger {
            Some(ledger) => LedgerStore::read(ledger, path).await,
            None => Ok(None),
        }
    }

    async fn delete(&self, path: &str) -> Result<(), LedgerStoreError> {
        self.written().insert(path.to_owned(), None);
        Ok(())
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, LedgerStoreError> {
        let mut names: BTreeSet<String> = match &self.ledger {
            Some(ledger) => LedgerStore::list(ledger, folder).await?.into_iter().collect(),
            None => BTreeSet::new(),
        };
        for (path, body) in self.written().iter() {
            let Some(("", name)) = path.strip_prefix(folder).and_then(|rest| rest.split_once('/')) else {
                continue;
            };
            if name.contains('/') {
                continue;
            }
            if body.is_some() {
                names.insert(name.to_owned())
            } else {
                names.remove(name)
            };
        }
        Ok(names.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn scratch_ledger_reads_through_and_writes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        store.create("a/1", b"one".to_vec()).await.expect("created");
        store.create("a/2", b"two".to_vec()).await.expect("created");
        let scratch = ScratchLedger::over(Some(store.clone()));
        assert!(!scratch.create("a/1", b"other".to_vec()).await.expect("an answer"));
        assert!(scratch.create("a/3", b"three".to_vec()).await.expect("created"));
        assert!(scratch.create("a/below/4", Vec::new()).await.expect("created"));
        scratch.delete("a/2").await.expect("deleted");
        assert_eq!(scratch.list("a").await.expect("a listing"), ["1", "3"]);
        assert_eq!(LedgerStore::read(&scratch, "a/3").await.expect("read"), Some(b"three".to_vec()));
        assert_eq!(LedgerStore::read(&scratch, "a/2").await.expect("read"), None);
        assert!(scratch.create("a/2", b"again".to_vec()).await.expect("created"));
        assert_eq!(store.list_names("a", "").await.expect("a listing"), ["1", "2"], "as before");
    }
}
