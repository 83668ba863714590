//! The export: rows a second, peak memory, and API requests beyond the minimum.

use std::time::Instant;

use end_to_end::{CommittedExport, TestEnv, s3::S3Server};
use serde_json::Value;
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Owner, Role, TenantGroup,
};

use crate::{BenchResult, MIB, print_line};

pub(crate) const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const MAX_PAGE_SIZE: u64 = 1_000;

/// Measures exports of these numbers of events.
pub(crate) async fn run(sizes: &[u64]) -> BenchResult {
    print_line("One run of one tenant, from an empty folder, into a folder:")?;
    print_line("     events    seconds   events/s  peak MiB  calls    min  objects   MiB out")?;
    for size in sizes {
        export(*size, 1, false).await?;
    }
    print_line("\nOne run of many tenants of one partner:")?;
    print_line("     events    seconds   events/s  peak MiB  calls    min  objects   MiB out")?;
    for tenants in [50, 2_000] {
        print_line(&format!("{tenants} tenants:"))?;
        export(100_000, tenants, false).await?;
    }
    print_line("\nOne run of one tenant, to an S3 server on this machine:")?;
    print_line("     events    seconds   events/s  peak MiB  calls    min  objects   MiB out")?;
    export(100_000, 1, true).await
}

pub(crate) fn config(events: u64, tenants: u64) -> Config {
    // Almost a day, so that the feed still has all events.
    let hours = 23.9;
    let each = events / tenants;
    Config {
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
        tenants: vec![TenantGroup {
            name: Some("Acme".into()),
            ..TenantGroup::new(Owner::Partner, tenants as usize)
        }],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig {
            history_hours: hours,
            events_per_hour: each as f64 / hours * 1.01,
            events_total: Some(each),
            alerts_total: Some(0),
            ..DataConfig::default().without_anomalies()
        },
        ..Config::default()
    }
}

/// Measures one run. Fails if rows are missing or duplicate.
async fn export(events: u64, tenants: u64, to_s3: bool) -> BenchResult {
    let env = TestEnv::start(config(events, tenants), CredentialKind::Partner).await?;
    let root = tempfile::tempdir()?;
    let served = tempfile::tempdir()?;
    let s3 = S3Server::start(served.path()).await?;
    let (function, folder) = if to_s3 {
        (s3.configure(env.export_function(&s3.location())), s3.folder())
    } else {
        (env.export_function(&root.path().to_string_lossy()), root.path().to_owned())
    };
    let mut sandbox = function.env("EXPORT_DATASETS", "events").start().await?;
    let started = Instant::now();
    let report = env.run_export(&mut sandbox).await?;
    let took = started.elapsed().as_secs_f64();
    let peak = sandbox.peak_rss_bytes().unwrap_or(0);
    sandbox.stop().await;

    let number = |name: &str| report[name].as_u64().unwrap_or(0);
    if number("rows") != events || number("failed") > 0 {
        return Err(format!("{} rows of {events}: {}", number("rows"), truncated(&report)).into());
    }
    let committed = CommittedExport::load(&folder)?;
    if let Some(defect) = env.defects(&committed).first() {
        return Err(defect.to_string().into());
    }
    // One whoami, a page of tenants for each hundred, and full pages of events.
    let least = 1 + tenants.div_ceil(100) + tenants * (events / tenants).div_ceil(MAX_PAGE_SIZE);
    print_line(&format!(
        "  {events:>9}  {took:>9.2}  {:>9.0}  {:>8.1}  {:>5}  {least:>5}  {:>7}  {:>8.1}",
        events as f64 / took,
        peak as f64 / MIB,
        number("api_requests"),
        committed.objects(),
        committed.bytes() as f64 / MIB,
    ))?;
    if number("token_requests") != 1 {
        print_line(&format!("      tokens requested: {}", number("token_requests")))?;
    }
    Ok(())
}

fn truncated(report: &Value) -> String {
    report.to_string().chars().take(600).collect()
}
