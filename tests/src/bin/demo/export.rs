//! The first part: scheduled runs of the built export against a local Sophos Central, and the
//! proof that each record arrived once.

use std::{error::Error, io, path::Path, time::Duration};

use end_to_end::{CommittedExport, TestEnv};
use serde_json::Value;
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, FaultAction, FaultPlan, FaultRule,
    Owner, RetryAfter, Role, TenantGroup, TenantState,
};

use crate::print_line;

const MINUTE: Duration = Duration::from_secs(60);
const START: &str = "2026-11-23T10:00:00Z";

/// An invocation, and the events before it.
struct DemoStep {
    description: &'static str,
    advance: Duration,
    faults: Vec<FaultRule>,
}

fn steps() -> Vec<DemoStep> {
    let step = |description, minutes, faults| DemoStep { description, advance: MINUTE * minutes, faults };
    let throttled = FaultAction::Status { status: 429, retry_after: Some(RetryAfter::Seconds(1)) };
    vec![
        step("The first run exports the last 24 hours", 0, vec![]),
        step("5 minutes later the schedule fires again", 5, vec![]),
        step(
            "5 minutes later the service fails: 429, 503, a truncated body, revoked tokens",
            5,
            vec![
                FaultRule::new("siem.events", throttled).times(1),
                FaultRule::new("siem.events", FaultAction::RevokeTokens).skip(1).times(1),
                FaultRule::new("siem.events", FaultAction::Truncate).skip(2).times(1),
                FaultRule::new("siem.alerts", FaultAction::status(503)).times(2),
            ],
        ),
        step(
            "30 hours later the feed has lost 6 hours of events; the export backfills alerts",
            30 * 60,
            vec![],
        ),
        step("5 minutes later the schedule fires again", 5, vec![]),
    ]
}

fn config() -> Config {
    let groups =
        [("Harbour Logistics", 900.0, 20.0), ("Orchard Clinics", 240.0, 6.0), ("Quarry & Sons", 30.0, 1.0)];
    let tenants = groups.map(|(name, events, alerts)| TenantGroup {
        name: Some(name.into()),
        events_per_hour: Some(events),
        alerts_per_hour: Some(alerts),
        ..TenantGroup::new(Owner::Partner, 1)
    });
    let small = TenantGroup { name: Some("Branch".into()), ..TenantGroup::new(Owner::Partner, 8) };
    let closed = TenantGroup { name: Some("Expired Trial".into()), ..TenantGroup::new(Owner::Partner, 1) };
    Config {
        clock: ClockConfig { start: Some(START.into()), running: false },
        tenants: tenants.into_iter().chain([small, closed]).collect(),
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig { events_per_hour: 60.0, alerts_per_hour: 2.0, ..DataConfig::default() },
        ..Config::default()
    }
}

pub(crate) async fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let env = TestEnv::start(config(), CredentialKind::Partner).await?;
    let closed = env.simulator.tenants().into_iter().find(|tenant| tenant.name.starts_with("Expired"));
    if let Some(closed) = &closed {
        env.simulator.set_tenant_state(&closed.id, TenantState::Forbidden);
    }
    let tenants = env.simulator.tenants().len();
    print_line(&format!(
        "The simulator serves {tenants} tenants of one partner. One of them rejects all requests."
    ))?;
    print_line("A schedule invokes the built alert-export function on a local Lambda Runtime API:\n")?;

    let mut sandbox = env.export_function(&folder.to_string_lossy()).start().await?;
    let started = env.simulator.clock().now_ms();
    let mut reports = Vec::new();
    for step in steps() {
        env.simulator.clock().advance(step.advance);
        env.simulator.set_faults(FaultPlan::new(step.faults));
        let report = env.run_export(&mut sandbox).await?;
        print_run(step.description, &report)?;
        reports.push(report);
    }
    let init = sandbox.init_duration();
    let stopped = sandbox.stop().await;

    let committed = CommittedExport::load(folder)?;
    print_line("")?;
    for (name, value) in table(&env, &committed, &reports) {
        print_line(&format!("  {name:<28}{value:>16}"))?;
    }
    print_line(&format!("  {:<28}{:>13.1} ms", "first poll (debug build)", init.as_secs_f64() * 1e3))?;
    if let Some(peak) = stopped.peak_rss_bytes {
        print_line(&format!(
            "  {:<28}{:>12.1} MiB",
            "peak memory (debug build)",
            peak as f64 / f64::from(1 << 20)
        ))?;
    }
    print_line("")?;
    verify(&env, &committed, &reports, started)?;
    print_line(&format!(
        "\nThe rows are in events/ and alerts/ of {}, the commit log is in _log/.",
        folder.display()
    ))?;
    Ok(())
}

fn print_run(description: &str, report: &Value) -> io::Result<()> {
    let streams = report["streams"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |name: &str| streams.iter().filter_map(|stream| stream[name].as_u64()).sum::<u64>();
    print_line(&format!("* {description}"))?;
    print_line(&format!(
        "    {} rows ({} backfilled), {} duplicates dropped, {} objects, {} API requests, {} throttled",
        report["rows"],
        of("backfilled"),
        of("duplicates"),
        report["objects"],
        report["api_requests"],
        report["throttled"],
    ))?;
    let gap = streams.iter().flat_map(|stream| stream["gaps"].as_array()).flatten().next();
    if let Some(gap) = gap {
        let length = gap["to_ms"].as_i64().unwrap_or(0) - gap["from_ms"].as_i64().unwrap_or(0);
        print_line(&format!("    each stream reports a gap of {:.1} hours", length as f64 / 3.6e6))?;
    }
    for stream in
        streams.iter().filter(|stream| stream["outcome"] == "failed" && stream["dataset"] == "events")
    {
        let error = stream["error"].as_str().unwrap_or_default();
        print_line(&format!("    one tenant failed: {}", error.split(';').next().unwrap_or(error)))?;
    }
    Ok(())
}

fn table(env: &TestEnv, committed: &CommittedExport, reports: &[Value]) -> Vec<(&'static str, String)> {
    let sum = |name: &str| reports.iter().filter_map(|report| report[name].as_u64()).sum::<u64>().to_string();
    vec![
        ("tenants", env.simulator.tenants().len().to_string()),
        ("runs", reports.len().to_string()),
        ("events fetched", committed.rows_of("events").to_string()),
        ("alerts fetched", committed.rows_of("alerts").to_string()),
        ("API requests", sum("api_requests")),
        ("tokens requested", sum("token_requests")),
        ("objects", committed.objects().to_string()),
        ("bytes", committed.bytes().to_string()),
    ]
}

/// Compares the committed rows with the served and the existing records.
fn verify(
    env: &TestEnv,
    committed: &CommittedExport,
    reports: &[Value],
    started: i64,
) -> Result<(), Box<dyn Error>> {
    let served = env.total_served();
    let mut defects = env.defects(committed);
    // Events from the gap are lost, and the last records may not be visible yet.
    let day = 24 * 60 * 60 * 1_000;
    let now = env.simulator.clock().now_ms();
    let gap = reports
        .iter()
        .flat_map(|report| report["streams"].as_array().into_iter().flatten())
        .find_map(|stream| stream["gaps"].get(0))
        .and_then(|gap| Some((gap["from_ms"].as_i64()?, gap["to_ms"].as_i64()?)))
        .ok_or("no run reported a gap")?;
    defects.extend(env.missing(committed, started - day, gap.0 - day / 100));
    defects.extend(env.missing(committed, gap.1, now - 121_000));
    for defect in defects.iter().take(10) {
        print_line(&format!("  DEFECT: {defect}"))?;
    }
    if !defects.is_empty() {
        return Err(format!("{} defects", defects.len()).into());
    }
    print_line(&format!(
        "PROOF: the export committed {} rows. Each of the {served} served records is there once.",
        committed.rows()
    ))?;
    print_line("       No other record of the service is missing, except events in the reported gap.")?;
    Ok(())
}
