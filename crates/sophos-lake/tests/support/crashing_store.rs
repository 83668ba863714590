//! A store whose process dies at one of its operations.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::StreamExt;
use futures_util::{FutureExt, future::BoxFuture, stream, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};

/// The operations that are left until the death, shared by the stores of one process.
#[derive(Debug)]
pub(crate) struct Fuse {
    left: AtomicU64,
    /// Whether the last operation takes effect before the process dies.
    takes_effect: bool,
}

impl Fuse {
    pub(crate) fn new(operations: u64, takes_effect: bool) -> Arc<Self> {
        Arc::new(Self { left: AtomicU64::new(operations), takes_effect })
    }

    pub(crate) fn is_burnt(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }

    /// Takes an operation. The first member says whether it takes effect, the second
    /// whether its response arrives.
    fn take(&self) -> (bool, bool) {
        let taken = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match taken {
            Ok(1) => (self.takes_effect, false),
            Ok(_) => (true, true),
            Err(_) => (false, false),
        }
    }
}

fn dead<T>() -> Result<T> {
    Err(Error::Generic { store: "CrashingStore", source: "the process died".into() })
}

/// Objects in memory behind a fuse.
#[derive(Debug)]
pub(crate) struct CrashingStore {
    pub(crate) objects: Arc<InMemory>,
    pub(crate) fuse: Arc<Fuse>,
}

impl fmt::Display for CrashingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CrashingStore")
    }
}

impl ObjectStore for CrashingStore {
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
        async move {
            let (takes_effect, responds) = self.fuse.take();
            let put =
                if takes_effect { self.objects.put_opts(location, payload, options).await } else { dead() };
            if responds { put } else { dead() }
        }
        .boxed()
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
        unreachable!("the lake writes whole objects")
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
        async move { if self.fuse.take().1 { self.objects.get_opts(location, options).await } else { dead() } }
            .boxed()
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        unreachable!("the lake deletes nothing")
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.fuse.take().1 { self.objects.list(prefix) } else { stream::once(async { dead() }).boxed() }
    }

    fn list_with_delimiter<'s, 'p, 'f>(
        &'s self,
        prefix: Option<&'p Path>,
    ) -> BoxFuture<'f, Result<ListResult>>
    where
        's: 'f,
        'p: 'f,
        Self: 'f,
    {
        async move { if self.fuse.take().1 { self.objects.list_with_delimiter(prefix).await } else { dead() } }
            .boxed()
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
        async { unreachable!("the lake copies nothing") }.boxed()
    }
}
