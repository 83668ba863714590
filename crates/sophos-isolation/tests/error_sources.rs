//! The causes of errors of the parts that a caller provides.
#![cfg(feature = "store")]

use std::{error::Error, io};

use sophos_isolation::{BackendError, EngineError, LedgerStore};
use sophos_store::{Store, StoreError};

#[tokio::test]
async fn ledger_error_keeps_the_error_of_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().to_str().expect("text")).expect("a store");
    let error = LedgerStore::read(&store, "decisions/../../stop").await.expect_err("an invalid path");
    let cause = error.source().and_then(|source| source.downcast_ref::<StoreError>());
    let cause = cause.expect("the error of the store");
    assert_eq!(error.to_string(), format!("ledger store failed: {cause}"));
    assert_eq!(EngineError::from(error.clone()).to_string(), error.to_string());
}

#[test]
fn backend_error_displays_as_its_cause_and_keeps_it() {
    let error = BackendError::new(io::Error::other(io::Error::from(io::ErrorKind::TimedOut)));
    assert_eq!(error.to_string(), error.get_ref().to_string());
    assert!(error.get_ref().is::<io::Error>());
    assert_eq!(format!("{:?}", BackendError::new("down")), "BackendError(\"down\")");
}
