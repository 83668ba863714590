//! A budget over a store that refuses to remove objects, and one that gives no answer.

use std::{fmt, future::pending, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};
use sophos_api::{SharedBudget, Transport, TransportError};
use sophos_store::SlotBudget;
use sophos_store::Store;
use tokio::time::Instant;

const START: Duration = Duration::from_secs(1_795_000_000);

/// Tokio's own time, which goes on when everybody waits.
#[derive(Debug, Clone, Copy)]
struct Time(Instant);

impl Transport for Time {
    async fn send(
        &self,
        _: http::Request<Vec<u8>>,
        _: Duration,
    ) -> std::result::Result<http::Response<Bytes>, TransportError> {
        unreachable!("a budget sends nothing")
    }

    fn now(&self) -> Duration {
        START + self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    NoRemoval,
    NoAnswer,
}

/// A store in memory with this fault.
#[derive(Debug)]
struct Faulty(InMemory, Fault);

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faulty({:?})", self.1)
    }
}

impl ObjectStore for Faulty {
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
        unreachable!("a budget writes nothing large")
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
        match self.1 {
            Fault::NoRemoval => self.0.list(prefix),
            Fault::NoAnswer => stream::once(pending()).boxed(),
        }
    }

    fn list_with_delimiter<'s, 'p, 'f>(&'s self, _: Option<&'p Path>) -> BoxFuture<'f, Result<ListResult>>
    where
        's: 'f,
        'p: 'f,
        Self: 'f,
    {
        unreachable!("a budget lists one folder")
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
        async { unreachable!("a budget copies nothing") }.boxed()
    }
}

fn budget(fault: Fault) -> SlotBudget<Time> {
    let store = Store::over(Arc::new(Faulty(InMemory::new(), fault)));
    let windows = "1/s".parse().expect("a budget");
    SlotBudget::new(store, "_budget/acme", &windows, Time(Instant::now())).expect("a budget with bounds")
}

#[tokio::test(start_paused = true)]
async fn budget_holds_when_past_slots_cannot_be_removed() {
    let budget = budget(Fault::NoRemoval);
    budget.turn(None).await.expect("no deadline");
    // The first slot is past, and stays.
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    let begun = Instant::now();
    for _ in 0..60 {
        budget.turn(None).await.expect("no deadline");
    }
    assert!(begun.elapsed() > Duration::from_secs(30), "60 requests at one a second: {:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn budget_lets_requests_through_when_the_store_hangs() {
    let budget = budget(Fault::NoAnswer);
    let begun = Instant::now();
    assert_eq!(budget.turn(None).await, Ok(Duration::ZERO));
    assert_eq!(begun.elapsed().as_secs(), 5);
}
