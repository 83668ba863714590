//! Compilation, loading and instantiation.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use central_host::{
    CentralComponent,
    webhook::{FolderStore, Webhook, WebhookHost},
};
use flate2::{Compression, write::GzEncoder};
use wasmtime::{Engine, Result, component::Component};

use crate::{Times, find_components, ms, simulator::Simulator, us};

const LOADS: usize = 30;
const INSTANCES: usize = 300;

pub(crate) async fn run(components: &Path) -> Result<()> {
    println!(
        "| world | bytes | gzip -9 | compile, ms | artifact, KB | load it, ms | first instance, µs | instance, µs | of a pool, µs |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    let nowhere = Simulator::unreachable();
    for (world, file) in find_components(components)? {
        let bytes = fs::read(&file)?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&bytes)?;
        let gzip = gzip.finish()?.len();

        let engine = central_host::engine()?;
        let began = Instant::now();
        let compiled = Component::new(&engine, &bytes)?;
        let compile = ms(began.elapsed());

        let artifact = file.with_extension("cwasm");
        fs::write(&artifact, compiled.serialize()?)?;
        let size = fs::metadata(&artifact)?.len() / 1_000;
        let mut loads = Vec::new();
        for _ in 0..LOADS {
            let began = Instant::now();
            // SAFETY: this program has just written the artifact.
            let loaded = unsafe { Component::deserialize_file(&engine, &artifact)? };
            loads.push(began.elapsed());
            drop(loaded);
        }
        let load = ms(Times::new(loads).median());
        print!("| {world} | {} | {gzip} | {compile:.0} | {size} | {load:.2} ", bytes.len());
        let (first, alone) = time_instances(&engine, &artifact, &nowhere).await?;
        let (_, pooled) = time_instances(&central_host::pooling_engine(8)?, &artifact, &nowhere).await?;
        println!("| {first:.0} | {:.0} | {:.0} |", us(alone.median()), us(pooled.median()));
        fs::remove_file(&artifact)?;
    }
    Ok(())
}

/// Returns the time of the first instance in microseconds, and the times of the others.
/// Each instance is dropped before the next.
async fn time_instances(engine: &Engine, artifact: &Path, nowhere: &Simulator) -> Result<(f64, Times)> {
    let (obtain, requests) = (nowhere.auth_provider(), nowhere.requests()?);
    let mut times = Vec::new();
    if artifact.file_stem().is_some_and(|world| world == "webhook") {
        let webhook = Webhook::load(engine, artifact, unused_host(), obtain, requests)?;
        for _ in 0..=INSTANCES {
            let began = Instant::now();
            let session = webhook.session().await?;
            times.push(began.elapsed());
            drop(session);
        }
    } else {
        let central = CentralComponent::load(engine, artifact)?;
        for _ in 0..=INSTANCES {
            let (obtain, requests) = (obtain.clone(), requests.clone());
            let began = Instant::now();
            let session = central.session(obtain, requests).await?;
            times.push(began.elapsed());
            drop(session);
        }
    }
    let first = us(times.remove(0));
    Ok((first, Times::new(times)))
}

/// Returns a host that is never called.
fn unused_host() -> WebhookHost {
    WebhookHost {
        secrets: Box::new(|_| Err("unused".to_owned())),
        ledger: FolderStore::new(PathBuf::new()),
        policy: Box::new(|| Err("unused".to_owned())),
        audit_log: Box::new(|_| {}),
        outcomes: None,
        queue: None,
    }
}
