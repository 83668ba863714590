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
    let act = |says, minutes, faults| DemoStep { description: says, advance: MINUTE * minutes, faults };
    let refused = FaultAction::Status { status: 429, retry_after: Some(RetryAfter::Seconds(1)) };
    vec![
        act("first run: the last 24 hours", 0, vec![]),
        act("5 minutes later", 5, vec![]),
        act(
            "5 minutes later, and the service misbehaves: 429, 503, a cut body, tokens revoked",
            5,
            vec![
                FaultRule::new("siem.events", refused).times(1),
                FaultRule::new("siem.events", FaultAction::RevokeTokens).skip(1).times(1),
                FaultRule::new("siem.events", FaultAction::Truncate).skip(2).times(1),
                FaultRule::new("siem.alerts", FaultAction::status(503)).times(2),
            ],
        ),
        act("30 hours later: the feed keeps 24, so there is a gap; alerts are filled in", 30 * 60, vec![]),
        act("5 minutes later", 5, vec![]),
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
    let world = TestEnv::start(config(), CredentialKind::Partner).await?;
    let closed = world.simulator.tenants().into_iter().find(|tenant| tenant.name.starts_with("Expired"));
    if let Some(closed) = &closed {
        world.simulator.set_tenant_state(&closed.id, TenantState::Forbidden);
    }
    let tenants = world.simulator.tenants().len();
    print_line(&format!(
        "A Sophos Central on this machine: {tenants} tenants of one partner, one of which refuses everything."
    ))?;
    print_line("The built alert-export function, on a local Lambda Runtime API, invoked by a schedule:\n")?;

    let mut sandbox = world.export_function(&folder.to_string_lossy()).start().await?;
    let started = world.simulator.clock().now_ms();
    let mut reports = Vec::new();
    for act in steps() {
        world.simulator.clock().advance(act.advance);
        world.simulator.set_faults(FaultPlan::new(act.faults));
        let report = world.run_export(&mut sandbox).await?;
        print_run(act.description, &report)?;
        reports.push(report);
    }
    let init = sandbox.init_duration();
    let stopped = sandbox.stop().await;

    let committed = CommittedExport::load(folder)?;
    print_line("")?;
    for (name, value) in table(&world, &committed, &reports) {
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
    verify(&world, &committed, &reports, started)?;
    print_line(&format!(
        "\nRows are under events/ and alerts/ of {}, what was committed under _log/.",
        folder.display()
    ))?;
    Ok(())
}

fn print_run(what: &str, report: &Value) -> io::Result<()> {
    let streams = report["streams"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |name: &str| streams.iter().filter_map(|stream| stream[name].as_u64()).sum::<u64>();
    print_line(&format!("* {what}"))?;
    print_line(&format!(
        "    {} rows ({} filled in), {} seen again and left out, {} objects, {} calls, {} times throttled",
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
        print_line(&format!("    a gap of {:.1} hours, reported for each stream", length as f64 / 3.6e6))?;
    }
    for stream in
        streams.iter().filter(|stream| stream["outcome"] == "failed" && stream["dataset"] == "events")
    {
        let error = stream["error"].as_str().unwrap_or_default();
        print_line(&format!(
            "    one tenant failed, the others did not: {}",
            error.split(';').next().unwrap_or(error)
        ))?;
    }
    Ok(())
}

fn table(world: &TestEnv, committed: &CommittedExport, reports: &[Value]) -> Vec<(&'static str, String)> {
    let sum = |name: &str| reports.iter().filter_map(|report| report[name].as_u64()).sum::<u64>().to_string();
    vec![
        ("tenants", world.simulator.tenants().len().to_string()),
        ("runs", reports.len().to_string()),
        ("events fetched", committed.rows_of("events").to_string()),
        ("alerts fetched", committed.rows_of("alerts").to_string()),
        ("API calls made", sum("api_requests")),
        ("tokens requested", sum("token_requests")),
        ("objects", committed.objects().to_string()),
        ("bytes", committed.bytes().to_string()),
    ]
}

/// Compares the committed rows with the served and the existing records.
fn verify(
    world: &TestEnv,
    committed: &CommittedExport,
    reports: &[Value],
    started: i64,
) -> Result<(), Box<dyn Error>> {
    let served = world.total_served();
    let mut defects = world.defects(committed);
    // Events from the gap are lost, and the last records may not be visible yet.
    let day = 24 * 60 * 60 * 1_000;
    let now = world.simulator.clock().now_ms();
    let gap = reports
        .iter()
        .flat_map(|report| report["streams"].as_array().into_iter().flatten())
        .find_map(|stream| stream["gaps"].get(0))
        .and_then(|gap| Some((gap["from_ms"].as_i64()?, gap["to_ms"].as_i64()?)))
        .ok_or("no run reported the gap")?;
    defects.extend(world.missing(committed, started - day, gap.0 - day / 100));
    defects.extend(world.missing(committed, gap.1, now - 121_000));
    for defect in defects.iter().take(10) {
        print_line(&format!("  DEFECT: {defect}"))?;
    }
    if !defects.is_empty() {
        return Err(format!("{} defects", defects.len()).into());
    }
    print_line(&format!(
        "PROOF: {} rows in committed objects = {served} rows that the service handed out, each exactly once;",
        committed.rows()
    ))?;
    print_line("       and all that it took in, but for the reported gap of events, is among them.")?;
    Ok(())
}
