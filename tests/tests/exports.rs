//! Tests of the built export against the simulator.

use std::time::Duration;

use end_to_end::{
    CommittedExport, TestEnv,
    s3::{S3Server, S3Trap},
};
use local_lambda::{InvocationOutcome, Sandbox};
use serde_json::{Value, json};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Dataset, FaultAction, FaultPlan,
    FaultRule, Owner, RetryAfter, Role, TenantGroup, TenantState,
};
use tempfile::TempDir;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR_MS: i64 = 3_600_000;

/// Tenants of a partner and of an organization, and a standalone one.
fn config() -> Config {
    let named = |name: &str, owner| TenantGroup { name: Some(name.into()), ..TenantGroup::new(owner, 1) };
    Config {
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
        tenants: vec![
            TenantGroup::new(Owner::Partner, 4),
            TenantGroup::new(Owner::Organization, 2),
            named("Alone", Owner::Standalone),
        ],
        credentials: vec![
            CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly),
            CredentialConfig::new(CredentialKind::Organization, Role::ReadOnly),
            CredentialConfig::for_tenant("Alone", Role::ReadOnly),
        ],
        data: DataConfig {
            events_per_hour: 120.0,
            alerts_per_hour: 10.0,
            late_share: 0.05,
            repeat_share: 0.05,
            ..DataConfig::default()
        },
        ..Config::default()
    }
}

struct Fixture {
    env: TestEnv,
    folder: TempDir,
}

impl Fixture {
    async fn start(kind: CredentialKind) -> Self {
        let env = TestEnv::start(config(), kind).await.expect("a simulator");
        Self { env, folder: tempfile::tempdir().expect("a folder") }
    }

    fn location(&self) -> String {
        self.folder.path().to_string_lossy().into_owned()
    }

    async fn sandbox(&self) -> Sandbox {
        self.env.export_function(&self.location()).start().await.expect("the function starts")
    }

    async fn run(&self, sandbox: &mut Sandbox) -> Value {
        self.env.run_export(sandbox).await.expect("a report")
    }

    fn advance_clock(&self, by: Duration) {
        self.env.simulator.clock().advance(by);
    }

    fn now(&self) -> i64 {
        self.env.simulator.clock().now_ms()
    }

    fn check(&self) -> CommittedExport {
        let committed = CommittedExport::load(self.folder.path()).expect("an export");
        let defects = self.env.defects(&committed);
        assert!(defects.is_empty(), "{} defects, such as {}", defects.len(), defects[0]);
        committed
    }
}

fn streams(report: &Value) -> &[Value] {
    report["streams"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether times agree: the service reports whole seconds.
fn is_close_to(time: &Value, wanted: i64) -> bool {
    time.as_i64().is_some_and(|time| (time - wanted).abs() < 5_000)
}

fn outcomes(report: &Value, outcome: &str) -> usize {
    streams(report).iter().filter(|stream| stream["outcome"] == outcome).count()
}

/// The limit fits one page of 250 records, but not one of 500.
#[tokio::test(flavor = "multi_thread")]
async fn export_reads_smaller_pages_when_one_is_too_large() {
    let fixture = Fixture::start(CredentialKind::Tenant).await;
    let function =
        fixture.env.export_function(&fixture.location()).env("SOPHOS_MAX_RESPONSE_BYTES", "262144");
    let mut sandbox = function.start().await.expect("the function starts");
    let report = fixture.run(&mut sandbox).await;
    assert_eq!((&report["failed"], outcomes(&report, "committed")), (&json!(0), 2), "{report}");
    let reduced = sandbox.logs().iter().filter(|line| line.contains("page_limit_reduced")).count();
    assert!(reduced >= 2, "{reduced}");
    assert!(fixture.check().rows_of("events") > 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_credential_kind_exports_exactly_its_tenants() {
    for (kind, tenants) in
        [(CredentialKind::Partner, 4), (CredentialKind::Organization, 2), (CredentialKind::Tenant, 1)]
    {
        let fixture = Fixture::start(kind).await;
        let mut sandbox = fixture.sandbox().await;
        let report = fixture.run(&mut sandbox).await;
        assert_eq!(report["tenants"], tenants, "{kind:?}");
        assert_eq!(outcomes(&report, "committed"), 2 * tenants);
        fixture.advance_clock(5 * MINUTE);
        assert_eq!(fixture.run(&mut sandbox).await["token_requests"], 0, "the token is kept from run to run");
        let committed = fixture.check();
        assert!(committed.rows_of("events") > 2_000 * tenants as u64);
        assert!(committed.rows_of("alerts") > 200 * tenants as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_and_repeated_records_are_exported_once() {
    let fixture = Fixture::start(CredentialKind::Tenant).await;
    let mut sandbox = fixture.sandbox().await;
    let begun = fixture.now();
    let mut duplicates = 0;
    for seconds in [0, 40, 7, 300, 90, 1_200, 3, 3_600, 61, 20_000, 15] {
        fixture.advance_clock(Duration::from_secs(seconds));
        let report = fixture.run(&mut sandbox).await;
        duplicates += streams(&report).iter().filter_map(|stream| stream["duplicates"].as_u64()).sum::<u64>();
    }
    let committed = fixture.check();
    assert!(duplicates > 0, "the simulator repeats records, and the end of the feed is read again");
    let missing = fixture.env.missing(&committed, begun - 24 * HOUR_MS, fixture.now() - 121_000);
    assert!(missing.is_empty(), "{} are missing, such as {}", missing.len(), missing[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_tenant_does_not_affect_others() {
    let fixture = Fixture::start(CredentialKind::Partner).await;
    let closed = fixture.env.simulator.tenants().swap_remove(1).id;
    assert!(fixture.env.simulator.set_tenant_state(&closed, TenantState::Forbidden));
    let mut sandbox = fixture.sandbox().await;
    let report = fixture.run(&mut sandbox).await;
    assert_eq!((outcomes(&report, "failed"), outcomes(&report, "committed")), (2, 6));
    for stream in streams(&report).iter().filter(|stream| stream["tenant"] == closed.as_str()) {
        assert_eq!(stream["error_kind"], "Forbidden");
        assert!(stream["error"].as_str().is_some_and(|error| error.contains("role")), "{stream}");
        assert_eq!(stream["freshness_seconds"], Value::Null, "there is nothing of it yet");
    }
    // The tenant is active again, and the export has the records of the outage.
    let begun = fixture.now();
    assert!(fixture.env.simulator.set_tenant_state(&closed, TenantState::Active));
    fixture.advance_clock(3 * 60 * MINUTE);
    assert_eq!(outcomes(&fixture.run(&mut sandbox).await, "failed"), 0);
    let missing = fixture.env.missing(&fixture.check(), begun - 21 * HOUR_MS, fixture.now() - 121_000);
    assert!(missing.is_empty(), "{} are missing, such as {}", missing.len(), missing[0]);
    // While it fails again, its age rises and is reported.
    assert!(fixture.env.simulator.set_tenant_state(&closed, TenantState::Forbidden));
    fixture.advance_clock(2 * 60 * MINUTE);
    let report = fixture.run(&mut sandbox).await;
    for stream in streams(&report) {
        let age = stream["freshness_seconds"].as_f64().unwrap_or_default();
        assert_eq!(age >= 7_190.0, stream["outcome"] == "failed", "{stream}");
    }
    assert_eq!(outcomes(&report, "failed"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn week_long_outage_is_reported_and_alerts_are_backfilled() {
    let fixture = Fixture::start(CredentialKind::Tenant).await;
    let tenant = fixture.env.simulator.tenants().pop().expect("a tenant").id;
    let mut sandbox = fixture.sandbox().await;
    fixture.run(&mut sandbox).await;
    let left = fixture.now();
    fixture.advance_clock(7 * 24 * 60 * MINUTE);
    let report = fixture.run(&mut sandbox).await;
    for stream in streams(&report) {
        let gap = &stream["gaps"][0];
        assert!(is_close_to(&gap["from_ms"], left), "{stream}");
        assert!(is_close_to(&gap["to_ms"], fixture.now() - 24 * HOUR_MS), "{stream}");
        let filled = stream["backfilled"].as_u64().unwrap_or(0);
        assert_eq!(filled > 1_000, stream["dataset"] == "alerts", "{stream}");
    }
    fixture.advance_clock(5 * MINUTE);
    let report = fixture.run(&mut sandbox).await;
    assert!(streams(&report).iter().all(|stream| stream["gaps"].is_null()), "reported once: {report}");
    let committed = fixture.check();
    let alerts = fixture.env.simulator.produced(
        Dataset::Alerts,
        &tenant,
        left - 24 * HOUR_MS,
        fixture.now() - 121_000,
    );
    assert_eq!(committed.missing("alerts", &tenant, &alerts), [], "no alert of the week is missing");
    let record = committed.log("events", &tenant).iter().find(|record| !record["gaps"][0].is_null());
    assert!(
        record.is_some_and(|record| is_close_to(&record["gaps"][0]["from_ms"], left)),
        "the log tells it too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn backfill_resumes_after_a_timeout() {
    let fixture = Fixture::start(CredentialKind::Tenant).await;
    let mut sandbox = fixture.sandbox().await;
    fixture.run(&mut sandbox).await;
    let left = fixture.now();
    fixture.advance_clock(7 * 24 * 60 * MINUTE);
    fixture.env.simulator.set_faults(FaultPlan::new([FaultRule::new(
        "alerts.list",
        FaultAction::Delay { milliseconds: 250 },
    )]));
    let mut runs = 0;
    loop {
        runs += 1;
        let outcome =
            sandbox.invoke_with_deadline(&TestEnv::schedule_event(), Duration::from_millis(2_500)).await;
        let report = outcome.ok().expect("a report");
        let pending = streams(&report).iter().any(|stream| stream["has_more"] == true);
        if !pending {
            break;
        }
        assert!(runs < 40, "{report}");
    }
    assert!(runs > 1, "a week of alerts is more than one short run reads");
    let missing =
        fixture.env.missing(&fixture.check(), fixture.now() - 24 * HOUR_MS + 1_000, fixture.now() - 121_000);
    assert!(missing.is_empty());
    let tenant = fixture.env.simulator.tenants().pop().expect("a tenant").id;
    let alerts = fixture.env.simulator.produced(Dataset::Alerts, &tenant, left, fixture.now() - 121_000);
    assert_eq!(fixture.check().missing("alerts", &tenant, &alerts), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn service_faults_delay_but_do_not_lose_records() {
    let fixture = Fixture::start(CredentialKind::Partner).await;
    let mut sandbox = fixture.sandbox().await;
    let begun = fixture.now();
    let seconds = Some(RetryAfter::Seconds(1));
    let feed = |action| FaultRule::new("siem.events", action).probability(0.12);
    fixture.env.simulator.set_faults(FaultPlan::new([
        feed(FaultAction::Status { status: 429, retry_after: None }),
        feed(FaultAction::status(503)),
        feed(FaultAction::Html { status: 502 }),
        feed(FaultAction::Disconnect),
        feed(FaultAction::Truncate),
        feed(FaultAction::Malformed),
        FaultRule::new("siem.events", FaultAction::RevokeTokens).skip(3).every(7),
        FaultRule::new("siem.alerts", FaultAction::Status { status: 429, retry_after: seconds }).times(1),
        FaultRule::new("token", FaultAction::status(500)).times(1),
        FaultRule::new("partner.tenants", FaultAction::status(504)).times(1),
    ]));
    for _ in 0..4 {
        fixture.advance_clock(10 * MINUTE);
        sandbox.invoke(&TestEnv::schedule_event()).await;
    }
    fixture.env.simulator.set_faults(FaultPlan::default());
    assert_eq!(fixture.run(&mut sandbox).await["failed"], 0);
    let missing = fixture.env.missing(&fixture.check(), begun - 23 * HOUR_MS, fixture.now() - 121_000);
    assert!(missing.is_empty(), "{} are missing, such as {}", missing.len(), missing[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn run_stops_before_its_deadline_and_the_next_resumes() {
    let fixture = Fixture::start(CredentialKind::Tenant).await;
    fixture.env.simulator.set_faults(FaultPlan::new([FaultRule::new(
        "siem.events",
        FaultAction::Delay { milliseconds: 1_400 },
    )]));
    let mut sandbox = fixture.sandbox().await;
    let mut reports = Vec::new();
    while reports.last().is_none_or(|report: &Value| report["unfinished"] != 0) {
        let outcome = sandbox.invoke_with_deadline(&TestEnv::schedule_event(), Duration::from_secs(4)).await;
        assert!(matches!(outcome, InvocationOutcome::Ok(_)), "{outcome:?}");
        reports.push(outcome.ok().expect("a report"));
        assert!(reports.len() < 20, "{reports:?}");
    }
    assert!(reports.len() > 1, "it had to stop at least once");
    let missing =
        fixture.env.missing(&fixture.check(), fixture.now() - 24 * HOUR_MS, fixture.now() - 121_000);
    assert!(missing.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sqs_message_exports_one_tenant() {
    let fixture = Fixture::start(CredentialKind::Partner).await;
    let tenant = fixture.env.simulator.tenants().swap_remove(2).id;
    let mut sandbox = fixture.sandbox().await;
    let event = json!({ "tenant_id": tenant.to_uppercase(), "datasets": ["alerts"] });
    let report = sandbox.invoke(&event).await.ok().expect("a report");
    assert_eq!(streams(&report).len(), 1);
    assert_eq!(streams(&report)[0]["tenant"], tenant.as_str());
    let committed = fixture.check();
    assert!(committed.rows_of("alerts") > 0 && committed.rows_of("events") == 0);

    let outcome = sandbox.invoke(&json!({ "tenant_id": "11111111-2222-4333-8444-555555555555" })).await;
    assert_eq!(outcome.error_kind(), Some("ExportFailed"), "{outcome:?}");
    let outcome = sandbox.invoke(&json!({ "tenant_id": " " })).await;
    assert_eq!(outcome.error_kind(), Some("InvalidEvent"), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_runs_commit_once_and_roll_back_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let s3 = S3Server::start(folder.path()).await.expect("an S3 server");
    let env = TestEnv::start(config(), CredentialKind::Tenant).await.expect("a simulator");
    let function = || s3.configure(env.export_function(&s3.location())).env("EXPORT_CONCURRENCY", "1");
    let mut slow = function().start().await.expect("the function starts");
    let mut quick = function().start().await.expect("the function starts");
    env.run_export(&mut slow).await.expect("a report");
    env.simulator.clock().advance(5 * MINUTE);

    // The slow process stops right before its commit; the fast one overtakes it.
    s3.set_trap(Some(S3Trap::Before(6)));
    let event = TestEnv::schedule_event();
    let (outcome, ()) = tokio::join!(slow.invoke(&event), async {
        s3.wait_for_trap().await;
        assert!(s3.requests()[5].contains(".json"), "the sixth request is the commit: {:?}", s3.requests());
        let report = env.run_export(&mut quick).await.expect("a report");
        assert_eq!(outcomes(&report, "committed"), 2, "{report}");
        s3.release();
    });
    let report = outcome.ok().expect("a report");
    assert_eq!(outcomes(&report, "superseded"), 1, "{report}");
    let committed = CommittedExport::load(&s3.folder()).expect("an export");
    assert_eq!(env.defects(&committed), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_runs_export_each_row_once() {
    let fixture = Fixture::start(CredentialKind::Partner).await;
    let mut sandboxes = Vec::new();
    for _ in 0..4 {
        sandboxes.push(fixture.sandbox().await);
    }
    for _ in 0..4 {
        let event = TestEnv::schedule_event();
        let [a, b, c, d] = &mut sandboxes[..] else { unreachable!("there are four") };
        tokio::join!(a.invoke(&event), b.invoke(&event), c.invoke(&event), d.invoke(&event));
        fixture.advance_clock(MINUTE);
    }
    fixture.run(&mut sandboxes[0]).await;
    fixture.check();
}
