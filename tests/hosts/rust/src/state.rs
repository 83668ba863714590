//! What this host offers to a component, and what of it belongs to one instance.

use std::{pin::Pin, sync::Arc, time::Duration, time::Instant};

use wasmtime::{
    Engine, Result, Store, StoreLimits, StoreLimitsBuilder,
    component::{HasData, HasSelf, Linker, ResourceTable},
};
use wasmtime_wasi::{
    clocks::{WasiClocks, WasiClocksCtx, WasiClocksCtxView},
    p2::bindings::{clocks::monotonic_clock, io},
};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView, p2::add_only_http_to_linker_async};

use crate::{
    bindings::sophos::central::{
        credentials::{self, Access, Occasion},
        transport, types,
    },
    requests::Requests,
};

/// The most memory that an instance may grow to. A page of 500 endpoints takes
/// about a tenth of it.
pub(crate) const MOST_MEMORY: usize = 64 << 20;

/// How the component is let in. It is told why it is asked, and an error is a text
/// for people: where the grant was looked for, and no secret.
pub type Obtain = Arc<dyn Fn(Occasion) -> Obtained + Send + Sync>;

/// A grant, once it is there.
pub type Obtained = Pin<Box<dyn Future<Output = Result<Access, String>> + Send>>;

/// What belongs to one instance. `H` is what a world of its own has of its host, as
/// the webhook's ledger.
pub struct State<H = ()> {
    pub(crate) host: H,
    obtain: Obtain,
    requests: Requests,
    began: Instant,
    clocks: WasiClocksCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    limits: StoreLimits,
}

impl<H> State<H> {
    pub(crate) fn new(host: H, obtain: Obtain, requests: Requests) -> Self {
        Self {
            host,
            obtain,
            requests,
            began: Instant::now(),
            clocks: WasiClocksCtx::default(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            limits: StoreLimitsBuilder::new().memory_size(MOST_MEMORY).build(),
        }
    }

    /// A store, for one instance.
    pub(crate) fn store(self, engine: &Engine) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|state| &mut state.limits);
        store
    }

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    pub(crate) fn clocks(&mut self) -> WasiClocksCtxView<'_> {
        WasiClocksCtxView { ctx: &mut self.clocks, table: &mut self.table }
    }
}

struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// All that a component can have. An interface that is not here it cannot reach, and
/// one that wants another is refused before it runs.
pub(crate) fn offer<H: Send + 'static>(linker: &mut Linker<State<H>>) -> Result<()> {
    credentials::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    // For the embedded worlds, which take nothing of WASI:
    transport::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    // for the others:
    io::error::add_to_linker::<_, Table>(linker, State::table)?;
    io::poll::add_to_linker::<_, Table>(linker, State::table)?;
    io::streams::add_to_linker::<_, Table>(linker, State::table)?;
    monotonic_clock::add_to_linker::<_, WasiClocks>(linker, State::clocks)?;
    add_only_http_to_linker_async(linker)
}

impl<H: Send> WasiHttpView for State<H> {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.requests }
    }
}

impl<H: Send> types::Host for State<H> {}

impl<H: Send> credentials::Host for State<H> {
    async fn obtain(&mut self, why: Occasion) -> Result<Access, String> {
        (self.obtain)(why).await
    }
}

impl<H: Send> transport::Host for State<H> {
    async fn send(&mut self, request: transport::Request) -> Result<transport::Response, transport::Fault> {
        self.requests.carry(request).await
    }

    fn now_ms(&mut self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn wait(&mut self, milliseconds: u32) {
        tokio::time::sleep(Duration::from_millis(milliseconds.into())).await;
    }
}
