//! A store that denies deletions, as S3 does without the permission, and that may never
//! respond to a listing.

use std::{fmt, future::pending};

use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};

/// Objects in memory that cannot be deleted.
#[derive(Debug, Default)]
pub(crate) struct FaultyStore {
    pub(crate) objects: InMemory,
    /// Whether listings never respond.
    pub(crate) never_lists: bool,
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

impl ObjectStore for FaultyStore {
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
        self.objects.put_opts(location, payload, options)
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
        unreachable!("no user writes parts of objects")
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
        self.objects.get_opts(location, options)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let denied = |location: Result<Path>| {
            Err(Error::PermissionDenied { path: location?.to_string(), source: "AccessDenied".into() })
        };
        locations.map(denied).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.never_lists { stream::once(pending()).boxed() } else { self.objects.list(prefix) }
    }

    fn list_with_delimiter<'s, 'p, 'f>(&'s self, _: Option<&'p Path>) -> BoxFuture<'f, Result<ListResult>>
    where
        's: 'f,
        'p: 'f,
        Self: 'f,
    {
        unreachable!("no user lists by delimiters")
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
        async { unreachable!("no user copies") }.boxed()
    }
}
