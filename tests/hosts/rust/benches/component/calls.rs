//! A page of 500 endpoints, by the native client and by the component, in turns.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use central_host::{
    Central, State,
    bindings::{
        Embedded,
        exports::sophos::central::endpoints::Listing,
        sophos::central::{credentials, transport},
    },
};
use sophos_api::{Caller, Paged, TenantClient, Transport, models::EndpointView, operations::endpoints::ListEndpoints, ReqwestTransport};
use wasmtime::{
    AsContextMut, Result, Store, bail,
    component::{Component, HasSelf, Linker, ResourceAny},
};

use crate::{
    Times,
    canned::Canned,
    ms,
    simulator::{Simulator, TENANT},
};

const PAGE: u32 = 500;
const ROUNDS: usize = 60;

pub(crate) async fn run(components: &Path, simulator: &Simulator) -> Result<()> {
    let real = ReqwestTransport::configured(reqwest::Client::builder().no_proxy())?;
    let canned = Canned::new(real.clone(), simulator.access());
    let engine = central_host::engine()?;

    let native = simulator.native(real)?.tenant(TENANT).await?;
    let native_canned = simulator.native(canned.clone())?.tenant(TENANT).await?;
    let mut embedded = typed(&Central::load(&engine, &components.join("embedded.wasm"))?, simulator).await?;
    let mut wasi = typed(&Central::load(&engine, &components.join("operator.wasm"))?, simulator).await?;
    let mut still = still(&Component::from_file(&engine, components.join("embedded.wasm"))?, &canned).await?;

    let mut times: [Vec<Duration>; 5] = Default::default();
    for round in 0..ROUNDS + 5 {
        let taken = [
            listed(&native).await?,
            embedded.listed().await?,
            wasi.listed().await?,
            listed(&native_canned).await?,
            still.listed().await?,
        ];
        // The first ones make connections and fill caches.
        if round >= 5 {
            times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
        }
    }
    let [native, embedded, wasi, native_canned, still] = times.map(Times::of);
    println!("\nA page of {PAGE} endpoints, {} KB, {ROUNDS} times in turns:\n", canned.largest() / 1_000);
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
    println!("| {what} | {:.2} | {:.2} | {ratio:.2} |", ms(times.least()), ms(times.median()));
}

/// The native client: a page, each endpoint read.
async fn listed<T: Transport>(tenant: &TenantClient<T>) -> Result<Duration> {
    let operation =
        ListEndpoints { page_size: Some(PAGE), view: Some(EndpointView::Full), ..ListEndpoints::default() };
    let began = Instant::now();
    let page = tenant.send(&operation).await?;
    let endpoints: Vec<_> =
        ListEndpoints::items(page).into_iter().map(|item| item.read()).collect::<Result<_, _>>()?;
    let taken = began.elapsed();
    full(endpoints.len())?;
    Ok(taken)
}

fn full(endpoints: usize) -> Result<()> {
    if endpoints != PAGE as usize {
        bail!("a page of {endpoints} endpoints");
    }
    Ok(())
}

/// A component with a tenant opened.
struct Typed<T: 'static> {
    store: Store<T>,
    interfaces: Embedded,
    tenant: ResourceAny,
}

impl<T: Send> Typed<T> {
    async fn opened(mut store: Store<T>, interfaces: Embedded) -> Result<Self> {
        let tenants = interfaces.sophos_central_tenants();
        match tenants.call_open(store.as_context_mut(), TENANT).await? {
            Ok(tenant) => Ok(Self { store, interfaces, tenant }),
            Err(failure) => bail!("{}", failure.message),
        }
    }

    /// The same page.
    async fn listed(&mut self) -> Result<Duration> {
        let listing = Listing { after: None, size: Some(PAGE), view: None, sort: None, fields: None };
        let endpoints = self.interfaces.sophos_central_endpoints();
        let began = Instant::now();
        let page = endpoints.call_search(&mut self.store, self.tenant, &[], &listing).await?;
        let taken = began.elapsed();
        match page {
            Ok(page) => full(page.endpoints.len())?,
            Err(failure) => bail!("{}", failure.message),
        }
        Ok(taken)
    }
}

async fn typed(central: &Central, simulator: &Simulator) -> Result<Typed<State>> {
    let mut session = central.session(simulator.obtain(), simulator.requests()?).await?;
    let interfaces = session.interfaces()?;
    Typed::opened(session.store, interfaces).await
}

/// The component over what is known already.
async fn still(component: &Component, canned: &Canned) -> Result<Typed<Canned>> {
    let mut linker = Linker::new(component.engine());
    credentials::add_to_linker::<_, HasSelf<_>>(&mut linker, |canned: &mut Canned| canned)?;
    transport::add_to_linker::<_, HasSelf<_>>(&mut linker, |canned: &mut Canned| canned)?;
    let mut store = Store::new(component.engine(), canned.clone());
    let interfaces = Embedded::instantiate_async(&mut store, component, &linker).await?;
    Typed::opened(store, interfaces).await
}
