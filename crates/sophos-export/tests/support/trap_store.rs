//! A store in memory that stops at a chosen operation.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};
use tokio::sync::Notify;

/// The trap of a store: the operation with a number, and all after it, wait.
#[derive(Debug)]
pub(crate) struct Trap {
    operations: AtomicUsize,
    at: AtomicUsize,
    is_after: AtomicBool,
    reached: Notify,
    resumed: Notify,
}

impl Default for Trap {
    fn default() -> Self {
        Self {
            operations: AtomicUsize::new(0),
            at: AtomicUsize::new(usize::MAX),
            is_after: AtomicBool::new(false),
            reached: Notify::new(),
            resumed: Notify::new(),
        }
    }
}

impl Trap {
    /// Stops before the operation with this number from now, from 1, or after it.
    pub(crate) fn set(&self, operation: usize, is_after: bool) {
        self.operations.store(0, Ordering::SeqCst);
        self.is_after.store(is_after, Ordering::SeqCst);
        self.at.store(operation, Ordering::SeqCst);
    }

    /// Lets new operations pass.
    pub(crate) fn open(&self) {
        self.at.store(usize::MAX, Ordering::SeqCst);
    }

    /// Resumes the operations that wait.
    pub(crate) fn resume(&self) {
        self.resumed.notify_waiters();
    }

    /// Drops the future at the trap, as a crash does. Returns `false` if it ended before.
    pub(crate) async fn kill<F: Future>(&self, operation: usize, is_after: bool, run: F) -> bool {
        self.set(operation, is_after);
        let killed = tokio::select! {
            biased;
            _ = run => false,
            () = self.reached.notified() => true,
        };
        self.open();
        killed
    }

    /// Waits until an operation stops in the trap.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    async fn wait(&self) {
        let resumed = self.resumed.notified();
        self.reached.notify_one();
        resumed.await;
    }

    async fn enter(&self) -> usize {
        let number = self.operations.fetch_add(1, Ordering::SeqCst) + 1;
        let at = self.at.load(Ordering::SeqCst);
        if number > at || (number == at && !self.is_after.load(Ordering::SeqCst)) {
            self.wait().await;
        }
        number
    }

    async fn leave(&self, number: usize) {
        if number == self.at.load(Ordering::SeqCst) && self.is_after.load(Ordering::SeqCst) {
            self.wait().await;
        }
    }

    async fn guard<F: Future>(&self, operation: F) -> F::Output {
        let number = self.enter().await;
        let output = operation.await;
        self.leave(number).await;
        output
    }
}

/// A store in memory with a trap.
#[derive(Debug)]
pub(crate) struct TrapStore {
    objects: Arc<InMemory>,
    trap: Arc<Trap>,
}

impl TrapStore {
    pub(crate) fn new(objects: Arc<InMemory>, trap: Arc<Trap>) -> Self {
        Self { objects, trap }
    }

    /// The items of a stream, as one operation.
    fn guarded<I: Send + 'static>(&self, items: BoxStream<'static, I>) -> BoxStream<'static, I> {
        let trap = Arc::clone(&self.trap);
        let all = async move { futures_util::stream::iter(trap.guard(items.collect::<Vec<_>>()).await) };
        futures_util::stream::once(all).flatten().boxed()
    }
}

impl fmt::Display for TrapStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a store with a trap")
    }
}

type Operation<'o, R> = Pin<Box<dyn Future<Output = Result<R>> + Send + 'o>>;

// The methods as the trait's macro expands them.
impl ObjectStore for TrapStore {
    fn put_opts<'s, 'l, 'o>(
        &'s self,
        location: &'l Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Operation<'o, PutResult>
    where
        's: 'o,
        'l: 'o,
    {
        Box::pin(self.trap.guard(self.objects.put_opts(location, payload, options)))
    }

    fn put_multipart_opts<'s, 'l, 'o>(
        &'s self,
        location: &'l Path,
        options: PutMultipartOptions,
    ) -> Operation<'o, Box<dyn MultipartUpload>>
    where
        's: 'o,
        'l: 'o,
    {
        self.objects.put_multipart_opts(location, options)
    }

    fn get_opts<'s, 'l, 'o>(&'s self, location: &'l Path, options: GetOptions) -> Operation<'o, GetResult>
    where
        's: 'o,
        'l: 'o,
    {
        Box::pin(self.trap.guard(self.objects.get_opts(location, options)))
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.guarded(self.objects.delete_stream(locations))
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.guarded(self.objects.list(prefix))
    }

    fn list_with_delimiter<'s, 'p, 'o>(&'s self, prefix: Option<&'p Path>) -> Operation<'o, ListResult>
    where
        's: 'o,
        'p: 'o,
    {
        Box::pin(self.trap.guard(self.objects.list_with_delimiter(prefix)))
    }

    fn copy_opts<'s, 'f, 't, 'o>(
        &'s self,
        from: &'f Path,
        to: &'t Path,
        options: CopyOptions,
    ) -> Operation<'o, ()>
    where
        's: 'o,
        'f: 'o,
        't: 'o,
    {
        self.objects.copy_opts(from, to, options)
    }
}
