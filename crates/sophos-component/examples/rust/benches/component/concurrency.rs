//! A thousand concurrent instances, each with one call.

use std::{fs, path::Path, time::Instant};

use central_host::{CentralComponent, Session, bindings::exports::sophos::central::endpoints::PageOptions};
use tokio::task::JoinSet;
use wasmtime::{Result, bail};

use crate::{
    ms,
    simulator::{Simulator, TENANT},
};

pub(crate) async fn run(components: &Path, simulator: &Simulator, instances: u32) -> Result<()> {
    let engine = central_host::pooling_engine(instances)?;
    let central = CentralComponent::load(&engine, &components.join("embedded.wasm"))?;
    let requests = simulator.requests()?;
    // The first call warms shared caches.
    drop(call_once(central.session(simulator.auth_provider(), requests.clone()).await?).await?);

    let before = resident_bytes()?;
    let began = Instant::now();
    let mut sessions = Vec::new();
    for _ in 0..instances {
        sessions.push(central.session(simulator.auth_provider(), requests.clone()).await?);
    }
    let made = ms(began.elapsed());
    let after = resident_bytes()?;

    let began = Instant::now();
    let mut calls = JoinSet::new();
    for session in sessions {
        calls.spawn(call_once(session));
    }
    let called = calls.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    let done = ms(began.elapsed());
    let used = resident_bytes()?;

    let each = |bytes: u64| bytes.saturating_sub(before) as f64 / f64::from(instances) / 1024.0;
    println!(
        "\n{} concurrent instances from a pool, each with its own token and a page of 50 endpoints:\n",
        called.len()
    );
    println!("| | all, ms | resident, MiB | each, KiB |");
    println!("|---|---:|---:|---:|");
    println!("| before | | {:.1} | |", mib(before));
    println!("| made | {made:.1} | {:.1} | {:.0} |", mib(after), each(after));
    println!("| called, all still there | {done:.0} | {:.1} | {:.0} |", mib(used), each(used));
    Ok(())
}

/// Opens the tenant and reads a page of its endpoints.
async fn call_once(mut session: Session) -> Result<Session> {
    let interfaces = session.interfaces()?;
    let tenant = match interfaces.sophos_central_tenants().call_open(&mut session.store, TENANT).await? {
        Ok(tenant) => tenant,
        Err(failure) => bail!("{}", failure.message),
    };
    let listing = PageOptions { after: None, size: None, view: None, sort: None, fields: None };
    let endpoints = interfaces.sophos_central_endpoints();
    match endpoints.call_search(&mut session.store, tenant, &[], &listing).await? {
        Ok(page) if page.endpoints.len() == 50 => Ok(session),
        Ok(page) => bail!("a page of {} endpoints", page.endpoints.len()),
        Err(failure) => bail!("{}", failure.message),
    }
}

/// Returns the resident memory of this process, in bytes. Linux only.
fn resident_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()).unwrap_or("0").parse()?;
    Ok(kib * 1024)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
