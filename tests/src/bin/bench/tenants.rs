//! Thousands of tenants through the queue: the rate relative to the limit, and the requests to
//! the queue and to Secrets Manager.

use std::time::{Duration, Instant};

use end_to_end::{
    moto::Moto,
    pipeline_env::{PREFIX, PipelineEnv, secret_value},
    queue::EventSource,
};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Dataset, LimiterConfig, Owner, Role,
    TenantGroup,
};

use crate::{BenchResult, MIB, print_line};

pub(crate) const TENANTS: u64 = 5_000;
const EVENTS: u64 = 200;
const WORKERS: usize = 8;
const RATES: [u32; 2] = [100, 200];

/// The interval between kills of a worker.
const KILL_INTERVAL: Duration = Duration::from_secs(5);

/// The columns of the table.
const COLUMNS: [&str; 12] = [
    "tenants",
    "rate/s",
    "killed",
    "seconds",
    "tenants/min",
    "bound",
    "of bound",
    "calls",
    "429s",
    "SQS/tenant",
    "secrets",
    "peak MiB",
];

/// A line of the table, with each value under its heading.
fn table_row(values: [String; COLUMNS.len()]) -> String {
    let column = |(value, heading): (String, &&str)| format!("{value:>0$}", heading.len().max(6));
    values.into_iter().zip(&COLUMNS).map(column).collect::<Vec<_>>().join("  ")
}

/// Measures estates of these numbers of tenants.
pub(crate) async fn run(sizes: &[u64]) -> BenchResult {
    print_line(&format!(
        "One plan of one partner's tenants, two datasets each, {EVENTS} events a tenant, exported by {WORKERS} \
         processes. The simulator rejects requests over the rate."
    ))?;
    print_line("\"secrets\" are the requests to Secrets Manager; - without the emulator.")?;
    print_line(&table_row(COLUMNS.map(str::to_owned)))?;
    for size in sizes {
        for rate in RATES {
            for killing in [false, true] {
                export(*size, rate, killing).await?;
            }
        }
    }
    Ok(())
}

fn config(tenants: u64, rate: u32) -> Config {
    let hours = 23.9;
    Config {
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
        tenants: vec![TenantGroup::new(Owner::Partner, tenants as usize)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig {
            history_hours: hours,
            events_per_hour: EVENTS as f64 / hours * 1.01,
            events_total: Some(EVENTS),
            alerts_total: Some(5),
            ..DataConfig::default().without_anomalies()
        },
        limiter: LimiterConfig { per_second: Some(rate), real_time: true, ..LimiterConfig::default() },
        ..Config::default()
    }
}

/// Drains one plan. Fails if rows are missing or duplicate.
async fn export(tenants: u64, rate: u32, killing: bool) -> BenchResult {
    let estate = PipelineEnv::start(config(tenants, rate), CredentialKind::Partner).await?;
    let moto = Moto::start().await?;
    if let Some(moto) = &moto {
        let name = format!("{PREFIX}partner");
        let value = secret_value(estate.env.credential());
        moto.secrets().create_secret().name(name).secret_string(value).send().await?;
        moto.reset_calls().await?;
    }
    let budget = format!("{rate}/s");
    let function = || {
        let function =
            moto.as_ref().map_or_else(|| estate.function(), |moto| estate.with_secrets_manager(moto));
        let function = function.env("SOPHOS_RATE_LIMIT", &budget).env("METRICS_PER_TENANT", "false");
        function.env("LOG_LEVEL", "warn")
    };
    let mut planner = function().start().await?;
    let mut source = EventSource::new(&estate.queue, function(), WORKERS, 10).await?;
    let started = Instant::now();
    let plan = estate.plan(&mut planner, "bench").await?;
    source.run();
    let mut killed = 0;
    let mut next_kill = started + KILL_INTERVAL;
    // The messages of a killed worker become visible after a minute, as on SQS.
    while !estate.queue.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        // Near the end, a killed worker's message would delay the result by a minute.
        if killing && Instant::now() >= next_kill && estate.queue.deleted() < tenants * 2 * 9 / 10 {
            killed += usize::from(source.pool().kill_one().is_some());
            next_kill += KILL_INTERVAL;
        }
    }
    let took = started.elapsed().as_secs_f64();
    let peak = source.pool().peak_rss_bytes().unwrap_or(0);
    let calls = estate.env.simulator.calls();
    let committed = estate.committed()?;
    let rows = committed.rows();
    let simulator = &estate.env.simulator;
    let there: usize = [Dataset::Events, Dataset::Alerts]
        .iter()
        .flat_map(|dataset| {
            simulator.tenants().into_iter().map(|tenant| estate.env.served_ids(*dataset, &tenant.id).len())
        })
        .sum();
    if rows != there as u64 || rows < tenants * EVENTS {
        return Err(format!("{rows} rows of {there}: {plan}").into());
    }
    let read = match &moto {
        Some(moto) => moto.calls_to("secretsmanager").await?.to_string(),
        None => "-".into(),
    };
    let made = calls.total - calls.operation("token");
    let bound = f64::from(rate) * 60.0 * tenants as f64 / made as f64;
    let speed = tenants as f64 * 60.0 / took;
    print_line(&table_row([
        tenants.to_string(),
        rate.to_string(),
        killed.to_string(),
        format!("{took:.1}"),
        format!("{speed:.0}"),
        format!("{bound:.0}"),
        format!("{:.1}%", speed / bound * 100.0),
        made.to_string(),
        calls.status(429).to_string(),
        format!("{:.2}", estate.queue.requests() as f64 / tenants as f64),
        read,
        format!("{:.1}", peak as f64 / MIB),
    ]))?;
    Ok(())
}
