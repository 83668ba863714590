//! A page of 500 endpoints, through the native client and through the component, in turns.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use central_host::{
    CentralComponent, HostState,
    bindings::{
        Embedded,
        exports::sophos::central::endpoints::PageOptions,
        sophos::central::{credentials, transport},
    },
};
use sophos_api::{
    ApiClient, Paged, ReqwestTransport, TenantClient, Transport, models::EndpointView,
    operations::endpoint::endpoints::ListEndpoints,
};
use wasmtime::{
    AsContextMut, Result, Store, bail,
    component::{Component, HasSelf, Linker, ResourceAny},
};

use crate::{
    Times,
    cached_transport::CachedTransport,
    ms,
    simulator::{Simulator, TENANT},
};

const PAGE_SIZE: u32 = 500;
const ROUNDS: usize = 60;

pub(crate) async fn run(components: &Path, simulator: &Simulator) -> Result<()> {
    let real = ReqwestTransport::from_builder(reqwest::Client::builder().no_proxy())?;
    let canned = CachedTransport::new(real.clone(), simulator.access());
    let engine = central_host::engine()?;

    let native = simulator.native_client(real)?.tenant(TENANT).await?;
    let native_canned = simulator.native_client(canned.clone())?.tenant(TENANT).await?;
    let mut embedded =
        open_component(&CentralComponent::load(&engine, &components.join("embedded.wasm"))?, simulator)
            .await?;
    let mut wasi =
        open_component(&CentralComponent::load(&engine, &components.join("operator.wasm"))?, simulator)
            .await?;
    let mut still =
        open_cached_component(&Component::from_file(&engine, components.join("embedded.wasm"))?, &canned)
            .await?;

    let mut times: [Vec<Duration>; 5] = Default::default();
    for round in 0..ROUNDS + 5 {
        let taken = [
            time_native_listing(&native).await?,
            embedded.time_listing().await?,
            wasi.time_listing().await?,
            time_native_listing(&native_canned).await?,
            still.time_listing().await?,
        ];
        // The first ones make connections and fill caches.
        if round >= 5 {
            times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
        }
    }
    let [native, embedded, wasi, native_canned, still] = times.map(Times::new);
    println!(
        "\nA page of {PAGE_SIZE} endpoints, {} KB, {ROUNDS} times in turns:\n",
        canned.max_response_len() / 1_000
    );
    println!("| | least, ms | median, ms | to native |");
    println!("|---|---:|---:|---:|");
    row("native, pooled reqwest", &native, &native);
    row("component `embedded`, pooled reqwest", &embedded, &native);
    row("component `operator`, wasi:http", &wasi, &native);
    row("native, without a socket", &native_canned, &native_canned);
    row("component `embedded`, without a socket", &still, &native_canned);
    Ok(())
}

fn row(what: &str, times: &Times, native: &Times) {
    let ratio = ms(times.median()) / ms(native.median());
    println!("| {what} | {:.2} | {:.2} | {ratio:.2} |", ms(times.min()), ms(times.median()));
}

/// Times one page through the native client, with every endpoint parsed.
async fn time_native_listing<T: Transport>(tenant: &TenantClient<T>) -> Result<Duration> {
    let operation = ListEndpoints::new().page_size(PAGE_SIZE).view(EndpointView::Full);
    let began = Instant::now();
    let page = tenant.send(&operation).await?;
    let endpoints: Vec<_> =
        ListEndpoints::items(page).into_iter().map(|item| item.parse()).collect::<Result<_, _>>()?;
    let taken = began.elapsed();
    check_page(endpoints.len())?;
    Ok(taken)
}

fn check_page(endpoints: usize) -> Result<()> {
    if endpoints != PAGE_SIZE as usize {
        bail!("a page of {endpoints} endpoints");
    }
    Ok(())
}

/// A component with an open tenant.
struct OpenedTenant<T: 'static> {
    store: Store<T>,
    interfaces: Embedded,
    tenant: ResourceAny,
}

impl<T: Send> OpenedTenant<T> {
    async fn open(mut store: Store<T>, interfaces: Embedded) -> Result<Self> {
        let tenants = interfaces.sophos_central_tenants();
        match tenants.call_open(store.as_context_mut(), TENANT).await? {
            Ok(tenant) => Ok(Self { store, interfaces, tenant }),
            Err(failure) => bail!("{}", failure.message),
        }
    }

    /// Times one page.
    async fn time_listing(&mut self) -> Result<Duration> {
        let listing =
            PageOptions { after: None, size: Some(PAGE_SIZE), view: None, sort: None, fields: None };
        let endpoints = self.interfaces.sophos_central_endpoints();
        let began = Instant::now();
        let page = endpoints.call_search(&mut self.store, self.tenant, &[], &listing).await?;
        let taken = began.elapsed();
        match page {
            Ok(page) => check_page(page.endpoints.len())?,
            Err(failure) => bail!("{}", failure.message),
        }
        Ok(taken)
    }
}

async fn open_component(
    central: &CentralComponent,
    simulator: &Simulator,
) -> Result<OpenedTenant<HostState>> {
    let mut session = central.session(simulator.auth_provider(), simulator.requests()?).await?;
    let interfaces = session.interfaces()?;
    OpenedTenant::open(session.store, interfaces).await
}

/// Opens a component over the cached transport.
async fn open_cached_component(
    component: &Component,
    canned: &CachedTransport,
) -> Result<OpenedTenant<CachedTransport>> {
    let mut linker = Linker::new(component.engine());
    credentials::add_to_linker::<_, HasSelf<_>>(&mut linker, |canned: &mut CachedTransport| canned)?;
    transport::add_to_linker::<_, HasSelf<_>>(&mut linker, |canned: &mut CachedTransport| canned)?;
    let mut store = Store::new(component.engine(), canned.clone());
    let interfaces = Embedded::instantiate_async(&mut store, component, &linker).await?;
    OpenedTenant::open(store, interfaces).await
}
