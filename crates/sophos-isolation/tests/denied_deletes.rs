//! A ledger over a store that does not allow deletions: what has to be free is free,
//! and the rest stays without a failure.

#[path = "../../sophos-store/tests/support/faulty_store.rs"]
mod faulty_store;

use std::sync::Arc;

use sophos_isolation::{DecisionId, Ledger, LedgerStore};
use sophos_store::Store;

use crate::faulty_store::FaultyStore;

fn store() -> Store {
    Store::from_object_store(Arc::new(FaultyStore::default()))
}

#[tokio::test]
async fn ledger_keeps_a_reminder_that_cannot_be_removed() {
    let ledger = Ledger::new(store());
    let id: DecisionId = "iso-6a9d74ab99de88ec57b68d51".parse().expect("an id");
    let reminder = ledger.schedule_follow_up(&id, 1_795_000_000).await.expect("a reminder");
    ledger.delete_follow_up(&reminder).await.expect("a refused deletion is no failure");
    assert_eq!(ledger.scheduled_follow_ups().await.expect("a listing"), [reminder]);
}

#[tokio::test]
async fn store_fails_when_a_deletion_fails_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
    std::fs::create_dir_all(folder.path().join("inbox/a/b")).expect("a folder");
    // A folder that is not empty cannot be removed as an object.
    LedgerStore::delete(&store, "inbox/a").await.expect_err("no refusal of a right");
}
