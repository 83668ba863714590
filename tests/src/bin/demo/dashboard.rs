//! A picture of the stack's dashboard: the metrics of twelve simulated hours of the built
//! functions, in the widgets of `infra/dashboard.yaml`.

mod draw;
mod samples;
mod widget;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use end_to_end::{
    TestEnv,
    isolation::{Delivery, IsolationEnv, unix_now, webhook_secret},
    package_dir,
};
use local_lambda::FunctionUrl;
use serde_json::json;
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, FaultAction, FaultPlan, FaultRule,
    Owner, RetryAfter, Role, TenantGroup, TenantState,
};

use self::samples::{LinesRead, Samples};
use crate::{isolation, print_line};

/// The path of the definition of the dashboard.
fn template() -> PathBuf {
    package_dir().join("../infra/dashboard.yaml")
}

const START: &str = "2026-11-23T20:00:00Z";
const HOURS: i64 = 12;
const INTERVAL_MINUTES: i64 = 15;
const HOUR_MS: i64 = 3_600_000;

/// Runs the functions, and writes the picture to `picture`.
pub(crate) async fn run(folder: &Path, picture: &Path) -> Result<(), Box<dyn Error>> {
    let widgets = widget::parse(&fs::read_to_string(template())?)?;
    let mut samples = Samples::default();
    let start_ms = START.parse::<jiff::Timestamp>()?.as_millisecond();
    export(folder, start_ms, &mut samples).await?;
    isolate(start_ms, &mut samples).await?;
    fs::write(picture, draw::dashboard(&widgets, &samples, start_ms, start_ms + HOURS * HOUR_MS))?;
    print_line(&format!("The picture is {}.", picture.display()))?;
    Ok(())
}

/// Scheduled exports of a partner's tenants. One tenant rejects all requests for two hours, and
/// the service throttles one run.
async fn export(folder: &Path, start_ms: i64, samples: &mut Samples) -> Result<(), Box<dyn Error>> {
    let tenant = TenantGroup {
        events_per_hour: Some(600.0),
        alerts_per_hour: Some(12.0),
        ..TenantGroup::new(Owner::Partner, 5)
    };
    let config = Config {
        clock: ClockConfig { start: Some(START.into()), running: false },
        tenants: vec![tenant],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig { history_hours: 1.0, ..DataConfig::default() },
        ..Config::default()
    };
    let env = TestEnv::start(config, CredentialKind::Partner).await?;
    let tenants = env.simulator.tenants();
    let closed = tenants.first().ok_or("the simulator has no tenant")?.id.clone();
    let function = env.export_function(&folder.to_string_lossy()).env("METRICS_PER_TENANT", "false");
    let mut sandbox = function.start().await?;
    let mut lines = LinesRead::default();
    for run in 0..=HOURS * 60 / INTERVAL_MINUTES {
        let minutes = run * INTERVAL_MINUTES;
        let state = if (240..360).contains(&minutes) { TenantState::Forbidden } else { TenantState::Active };
        env.simulator.set_tenant_state(&closed, state);
        let throttled = FaultAction::Status { status: 429, retry_after: Some(RetryAfter::Seconds(0)) };
        let faults = if minutes == 540 { 8 } else { 0 };
        env.simulator
            .set_faults(FaultPlan::new(vec![FaultRule::new("siem.events", throttled).times(faults)]));
        let began = std::time::Instant::now();
        env.run_export(&mut sandbox).await?;
        let at = start_ms + minutes * 60_000;
        samples.add_invocation("alert-export", at, began.elapsed());
        lines.read(&sandbox.logs(), at, samples);
        env.simulator.clock().advance(Duration::from_secs(60 * INTERVAL_MINUTES.unsigned_abs()));
    }
    Ok(())
}

/// Alerts of two tools through the night, one of them forged, with the follow-ups.
async fn isolate(start_ms: i64, samples: &mut Samples) -> Result<(), Box<dyn Error>> {
    let env = IsolationEnv::start(isolation::config(), CredentialKind::Tenant, isolation::POLICY).await?;
    let http = reqwest::Client::new();
    let webhook = FunctionUrl::start(env.webhook(), 1).await?;
    let mut worker = env.worker().start().await?;
    let (mut webhook_lines, mut worker_lines) = (LinesRead::default(), LinesRead::default());
    let forged = isolation::pagerduty_incident("LAPTOP-4711", "F1");
    let deliveries = [
        (60, falcon("LAPTOP-4711", "ldt:1:1")),
        (150, siem("dc01.harbour.example", "s1")),
        (155, Delivery::pagerduty("oncall", &forged, "a guessed key")),
        (200, soar("FRONTDESK", "case-7")),
        (390, siem("LAPTOP-0815", "s2")),
        (405, falcon("build-agent-7", "ldt:1:2")),
        (600, falcon("build-agent-7", "ldt:1:3")),
    ];
    for (minutes, delivery) in deliveries {
        let at = start_ms + minutes * 60_000;
        let began = std::time::Instant::now();
        let (status, _) = delivery.send(&http, &webhook.url()).await?;
        samples.add_invocation("isolation-webhook", at, began.elapsed());
        samples.add_response(at, status);
        env.simulator.clock().advance(Duration::from_secs(61));
        let began = std::time::Instant::now();
        env.follow_up(&mut worker).await?;
        samples.add_invocation("isolation-worker", at, began.elapsed());
        webhook_lines.read(&webhook.logs(), at, samples);
        worker_lines.read(&worker.logs(), at, samples);
    }
    Ok(())
}

fn falcon(hostname: &str, id: &str) -> Delivery {
    let alert = isolation::crowdstrike_detection(hostname, id);
    Delivery::crowdstrike("falcon", &alert, webhook_secret("webhooks/crowdstrike"), unix_now())
}

fn siem(hostname: &str, id: &str) -> Delivery {
    Delivery::splunk("siem", &isolation::splunk_result(hostname, id), webhook_secret("webhooks/splunk"))
}

fn soar(hostname: &str, id: &str) -> Delivery {
    let body = json!({ "event_id": id, "target": { "hostname": hostname }, "reason": "phishing kit" });
    Delivery::generic("soar", &body, webhook_secret("webhooks/generic"), unix_now())
}
