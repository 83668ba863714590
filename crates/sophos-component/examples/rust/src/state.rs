//! The imports of components, and the state of one instance.

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
        credentials::{self, Access, RequestReason},
        transport, types,
    },
    http_client::AllowedHttp,
};

/// The maximum memory of an instance, in bytes. A page of 500 endpoints takes about a
/// tenth of it.
pub(crate) const MAX_MEMORY_LEN: usize = 64 << 20;

/// The implementation of `credentials.obtain`. The error is a message for people: it
/// names the searched place and contains no secret.
pub type AuthProvider = Arc<dyn Fn(RequestReason) -> AuthFuture + Send + Sync>;

/// The pending result of an [`AuthProvider`].
pub type AuthFuture = Pin<Box<dyn Future<Output = Result<Access, String>> + Send>>;

/// The state of one instance. `H` is the state of a world's further imports, such as
/// the webhook's ledger.
pub struct HostState<H = ()> {
    pub(crate) host: H,
    auth_provider: AuthProvider,
    requests: AllowedHttp,
    started_at: Instant,
    clocks: WasiClocksCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    limits: StoreLimits,
}

impl<H> HostState<H> {
    pub(crate) fn new(host: H, obtain: AuthProvider, requests: AllowedHttp) -> Self {
        Self {
            host,
            auth_provider: obtain,
            requests,
            started_at: Instant::now(),
            clocks: WasiClocksCtx::default(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            limits: StoreLimitsBuilder::new().memory_size(MAX_MEMORY_LEN).build(),
        }
    }

    /// Returns a store for one instance.
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

struct TableData;

impl HasData for TableData {
    type Data<'a> = &'a mut ResourceTable;
}

/// Adds all imports that this host offers. A component with any other import fails
/// before it runs.
pub(crate) fn add_to_linker<H: Send + 'static>(linker: &mut Linker<HostState<H>>) -> Result<()> {
    credentials::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    // The embedded worlds import nothing from WASI.
    transport::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    // The other worlds import these.
    io::error::add_to_linker::<_, TableData>(linker, HostState::table)?;
    io::poll::add_to_linker::<_, TableData>(linker, HostState::table)?;
    io::streams::add_to_linker::<_, TableData>(linker, HostState::table)?;
    monotonic_clock::add_to_linker::<_, WasiClocks>(linker, HostState::clocks)?;
    add_only_http_to_linker_async(linker)
}

impl<H: Send> WasiHttpView for HostState<H> {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.requests }
    }
}

impl<H: Send> types::Host for HostState<H> {}

impl<H: Send> credentials::Host for HostState<H> {
    async fn obtain(&mut self, reason: RequestReason) -> Result<Access, String> {
        (self.auth_provider)(reason).await
    }
}

impl<H: Send> transport::Host for HostState<H> {
    async fn send(
        &mut self,
        request: transport::Request,
    ) -> Result<transport::Response, transport::TransportError> {
        self.requests.send_embedded(request).await
    }

    fn now_ms(&mut self) -> u64 {
        u64::try_from(self.started_at.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn wait(&mut self, milliseconds: u32) {
        tokio::time::sleep(Duration::from_millis(milliseconds.into())).await;
    }
}
