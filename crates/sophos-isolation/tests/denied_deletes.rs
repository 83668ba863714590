//! A ledger over a store that does not allow deletions: what has to be free is free,
//! and the rest stays without a failure.

use std::{fmt, sync::Arc};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};
use sophos_isolation::{DecisionId, Ledger, Objects};
use sophos_store::Store;

/// A store in memory that answers deletions as S3 does without the right.
#[derive(Debug)]
struct NoRemoval(InMemory);

impl fmt::Display for NoRemoval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoRemoval")
    }
}

impl ObjectStore for NoRemoval {
    fn put_opts<'s, 'p, 'f>(
        &'s self,
        location: &'p Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> BoxFuture<'f, Result<PutResult>>
    where
        's: 'f,
        'p: 'f,
        Self: 'f,
    {
        self.0.put_opts(location, payload, options)
    }

    fn put_multipart_opts<'s, 'p, 'f>(
        &'s self,
        _: &'p Path,
        _: PutMultipartOptions,
    ) -> BoxFuture<'f, Result<Box<dyn MultipartUpload>>>
    where
        's: 'f,
        'p: 'f,
        Self: 'f,
    {
        unreachable!("a ledger writes nothing large")
    }

    fn get_opts<'s, 'p, 'f>(
        &'s self,
        location: &'p Path,
        options: GetOptions,
    ) -> BoxFuture<'f, Result<GetResult>>
    where
        's: 'f,
        'p: 'f,
        Self: 'f,
    {
        self.0.get_opts(location, options)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let denied = |location: Result<Path>| {
            Err(Error::PermissionDenied { path: location?.to_string(), source: "AccessDenied".into() })
        };
        locations.map(denied).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    fn list_with_delimiter<'s, 'p, 'f>(&'s self, _: Option<&'p Path>) -> BoxFuture<'f, Result<ListResult>>
    where
        's: 'f,
        'p: 'f,
        Self: 'f,
    {
        unreachable!("a ledger lists one folder")
    }

    fn copy_opts<'s, 'p, 'q, 'f>(
        &'s self,
        _: &'p Path,
        _: &'q Path,
        _: CopyOptions,
    ) -> BoxFuture<'f, Result<()>>
    where
        's: 'f,
        'p: 'f,
        'q: 'f,
        Self: 'f,
    {
        async { unreachable!("a ledger copies nothing") }.boxed()
    }
}

fn store() -> Store {
    Store::over(Arc::new(NoRemoval(InMemory::new())))
}

#[tokio::test]
async fn ledger_keeps_a_reminder_that_cannot_be_removed() {
    let ledger = Ledger::new(store());
    let id: DecisionId = "iso-6a9d74ab99de88ec57b68d51".parse().expect("an id");
    let reminder = ledger.remind(&id, 1_795_000_000).await.expect("a reminder");
    ledger.forget(&reminder).await.expect("a refused deletion is no failure");
    assert_eq!(ledger.agenda().await.expect("a listing"), [reminder]);
}

#[tokio::test]
async fn store_fails_when_a_deletion_fails_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
    std::fs::create_dir_all(folder.path().join("inbox/a/b")).expect("a folder");
    // A folder that is not empty cannot be removed as an object.
    Objects::remove(&store, "inbox/a").await.expect_err("no refusal of a right");
}
