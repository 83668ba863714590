//! Tests of exports of many tenants: a plan, a queue and workers.

use std::{collections::BTreeMap, time::Duration};

use end_to_end::{
    TestEnv,
    pipeline_env::{PipelineEnv, partner_config, without_export_queue},
    queue::EventSource,
};
use local_lambda::Sandbox;
use serde_json::{Value, json};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Dataset, FaultAction, FaultPlan,
    FaultRule, LimiterConfig, Owner, Role, TenantGroup, TenantState,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// Tenants of a partner and of an organization. One belongs to both, one also has its own
/// credential, and one has only that.
fn config() -> Config {
    let named = |name: &str, owner| TenantGroup { name: Some(name.into()), ..TenantGroup::new(owner, 1) };
    Config {
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
        tenants: vec![
            TenantGroup::new(Owner::Partner, 5),
            TenantGroup::new(Owner::Organization, 2),
            named("Shared", Owner::Both),
            named("Own", Owner::Partner),
            named("Alone", Owner::Standalone),
        ],
        credentials: vec![
            CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly),
            CredentialConfig::new(CredentialKind::Organization, Role::ReadOnly),
            CredentialConfig::for_tenant("Own", Role::ReadOnly),
            CredentialConfig::for_tenant("Alone", Role::ReadOnly),
        ],
        data: DataConfig { events_per_hour: 60.0, alerts_per_hour: 5.0, ..DataConfig::default() },
        ..Config::default()
    }
}

struct Fixture {
    estate: PipelineEnv,
    planner: Sandbox,
    source: EventSource,
    plans: u32,
}

impl Fixture {
    async fn start(config: Config, workers: usize, change: &[(&str, &str)]) -> Self {
        let estate = PipelineEnv::start(config, CredentialKind::Partner).await.expect("an estate");
        let function = || estate.function().envs(change.iter().copied());
        let planner = function().start().await.expect("the planner starts");
        let source = EventSource::new(&estate.queue, function(), workers, 10).await.expect("a worker starts");
        Self { estate, planner, source, plans: 0 }
    }

    async fn plan(&mut self) -> Value {
        self.plans += 1;
        self.estate.plan(&mut self.planner, &format!("plan-{}", self.plans)).await.expect("a plan")
    }

    /// Creates a plan and drains it.
    async fn plan_and_drain(&mut self) -> Value {
        let report = self.plan().await;
        let drained = self.source.drain().await;
        assert_eq!(drained.failures, Vec::<String>::new(), "{}", self.logs());
        report
    }

    fn advance_clock(&self, by: Duration) {
        self.estate.env.simulator.clock().advance(by);
    }

    fn tenant(&self, name: &str) -> String {
        let tenants = self.estate.env.simulator.tenants();
        tenants.into_iter().find(|tenant| tenant.name == name).expect("a tenant of this name").id
    }

    fn tenants(&self) -> Vec<String> {
        self.estate.env.simulator.tenants().into_iter().map(|tenant| tenant.id).collect()
    }

    fn logs(&self) -> String {
        self.source.pool().logs().join("\n")
    }

    /// All records up to an hour ago are committed exactly once.
    fn assert_committed_once(&self) {
        let committed = self.estate.committed().expect("what was served, once");
        let now = self.estate.env.simulator.clock().now_ms();
        for tenant in self.estate.env.simulator.tenants() {
            for dataset in [Dataset::Events, Dataset::Alerts] {
                let produced = self.estate.env.simulator.produced(
                    dataset,
                    &tenant.id,
                    now - 20 * 3_600_000,
                    now - 3_600_000,
                );
                let lacking = committed.missing(dataset.as_str(), &tenant.id, &produced);
                assert!(lacking.is_empty(), "{} of {}: {}", tenant.name, dataset.as_str(), lacking[0]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_is_exported_by_its_most_specific_credential() {
    let mut fixture = Fixture::start(config(), 2, &[]).await;
    let report = fixture.plan_and_drain().await;
    assert_eq!((&report["planned"], &report["tenants"]), (&json!(20), &json!(10)), "{report}");
    let of = |name: &str| fixture.tenant(name)[..8].to_owned();
    let served: BTreeMap<_, _> = report["credentials"]
        .as_array()
        .expect("credentials")
        .iter()
        .map(|one| {
            (one["name"].as_str().expect("a name").to_owned(), one["tenants"].as_u64().expect("a number"))
        })
        .collect();
    assert_eq!(served[&format!("tenant-{}", of("Own"))], 1);
    assert_eq!(served[&format!("tenant-{}", of("Alone"))], 1);
    let all =
        |kind: &str| served.iter().filter(|(name, _)| name.starts_with(kind)).map(|(_, n)| n).sum::<u64>();
    assert_eq!((all("organization"), all("partner")), (3, 5), "what both have is the organization's");
    fixture.assert_committed_once();
    assert!(fixture.estate.queue.is_empty());

    // The lists of tenants are cached: the next round requests none.
    fixture.advance_clock(Duration::from_secs(600));
    fixture.estate.env.simulator.reset_calls();
    fixture.plan_and_drain().await;
    fixture.assert_committed_once();
    let calls = fixture.estate.env.simulator.calls();
    // A new process requests a token and the owner of its credential.
    let known = |name: &&String| name.starts_with("siem.") || ["token", "whoami"].contains(&name.as_str());
    let others: Vec<_> = calls.by_operation.keys().filter(|name| !known(name)).collect();
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn run_without_a_queue_exports_with_all_credentials() {
    let estate = PipelineEnv::start(config(), CredentialKind::Partner).await.expect("an estate");
    let mut sandbox = without_export_queue(estate.function()).start().await.expect("the function starts");
    let report = estate.env.run_export(&mut sandbox).await.expect("a report");
    let streams = report["streams"].as_array().expect("streams").len();
    assert_eq!((&report["tenants"], streams), (&json!(10), 20), "{report}");
    assert_eq!(report["token_requests"], 4);
    estate.committed().expect("what was served, once");

    // The credential of one tenant is deleted, and no other serves it.
    let simulator = &estate.env.simulator;
    let own = simulator.tenants().into_iter().find(|tenant| tenant.name == "Own").expect("a tenant").id;
    let credentials = simulator.credentials();
    let credential = credentials.iter().find(|one| one.principal_id == own).expect("its credential");
    assert!(simulator.remove_credential(&credential.client_id));
    simulator.clock().advance(HOUR);
    let report = estate.env.run_export(&mut sandbox).await.expect("a report");
    let streams = report["streams"].as_array().expect("streams");
    let failed: Vec<_> = streams.iter().filter(|stream| stream["outcome"] == "failed").collect();
    assert_eq!((failed.len(), streams.len()), (2, 20), "{report}");
    for stream in failed {
        let error = stream["error"].as_str().expect("the reason");
        assert_eq!(stream["tenant"], own);
        assert!(
            error.contains(&PipelineEnv::credential_name(credential))
                && error.contains(&credential.client_id),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_distinguishes_service_from_credential_errors() {
    let estate = PipelineEnv::start(partner_config(2, 20), CredentialKind::Partner).await.expect("an estate");
    let simulator = &estate.env.simulator;
    let credentials = simulator.credentials();
    for function in [estate.function(), without_export_queue(estate.function())] {
        let mut sandbox = function.start().await.expect("the function starts");
        // An outage, and a lasting rejection.
        for (status, seconds) in [(503, 3), (403, 60)] {
            simulator.set_faults(FaultPlan::new([FaultRule::new("whoami", FaultAction::status(status))]));
            let soon = Duration::from_secs(seconds);
            let failed = sandbox.invoke_with_deadline(&TestEnv::schedule_event(), soon).await;
            assert_eq!(failed.error_kind(), Some("ExportFailed"), "{failed:?}");
            let name = PipelineEnv::credential_name(&credentials[0]);
            assert!(format!("{failed:?}").contains(&name), "the credential is named: {failed:?}");
        }
        simulator.set_faults(FaultPlan::default());
        estate.store_credentials(&[]).expect("a file");
        let failed = sandbox.invoke(&TestEnv::schedule_event()).await;
        assert_eq!(failed.error_kind(), Some("NoCredential"), "{failed:?}");
        estate.store_credentials(&credentials).expect("a file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn added_removed_and_moved_tenants_are_independent() {
    let mut config = config();
    config.tenants.push(TenantGroup { name: Some("Later".into()), ..TenantGroup::new(Owner::Partner, 1) });
    let mut fixture = Fixture::start(config, 2, &[("EXPORT_INVENTORY_MAX_AGE_SECONDS", "0")]).await;
    let [later, shut] = ["Later", "Own"].map(|name| fixture.tenant(name));
    let [moving, gone] = [0, 1].map(|number| fixture.tenants()[number].clone());
    assert!(fixture.estate.env.simulator.set_tenant_state(&later, TenantState::Removed));
    let report = fixture.plan_and_drain().await;
    assert_eq!(report["tenants"], 10, "{report}");

    fixture.advance_clock(Duration::from_secs(600));
    let sim = &fixture.estate.env.simulator;
    let from = sim.tenants()[0].region.clone();
    let to = if from == "eu01" { "us01" } else { "eu01" };
    assert!(sim.set_tenant_state(&later, TenantState::Active));
    assert!(sim.set_tenant_state(&gone, TenantState::Removed));
    assert!(sim.set_tenant_state(&shut, TenantState::Forbidden));
    assert!(sim.move_tenant(&moving, to));
    let report = fixture.plan_and_drain().await;
    let changes: Vec<_> = report["credentials"].as_array().expect("credentials").iter().collect();
    let changes = |what: &str| {
        changes.iter().flat_map(|one| one[what].as_array().cloned().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(changes("added"), [json!(later)]);
    assert_eq!(changes("removed"), [json!(gone)]);
    assert_eq!(changes("moved"), [json!({ "tenant": moving, "from": from, "to": to })]);
    let logs = fixture.logs();
    let refused = logs.lines().filter(|line| line.contains("stream_failed") && line.contains(&shut)).count();
    assert_eq!(refused, 2, "one line for each stream\n{logs}");
    assert_eq!(logs.matches("stream_failed").count(), 2, "{logs}");
    fixture.estate.committed().expect("what was served, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn tenant_moved_after_planning_is_exported() {
    let mut fixture = Fixture::start(config(), 1, &[]).await;
    fixture.plan_and_drain().await;
    fixture.advance_clock(Duration::from_secs(600));
    fixture.plan().await;
    let sim = &fixture.estate.env.simulator;
    let (moving, from) =
        sim.tenants().into_iter().map(|tenant| (tenant.id, tenant.region)).next().expect("a tenant");
    assert!(sim.move_tenant(&moving, if from == "eu01" { "us01" } else { "eu01" }));
    fixture.source.drain().await;
    let logs = fixture.logs();
    assert_eq!(logs.matches("tenant_moved").count(), 2, "one line for each stream\n{logs}");
    assert_eq!(logs.matches("stream_failed").count(), 0, "{logs}");
    fixture.assert_committed_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_is_sent_once_and_not_before_the_last_one_completes() {
    let mut fixture = Fixture::start(config(), 1, &[]).await;
    let report = fixture.plan().await;
    fixture.plans -= 1;
    let again = fixture.plan().await;
    assert_eq!((&report["planned"], &again["deferred_reason"].is_string()), (&json!(20), &true), "{again}");
    assert_eq!(fixture.estate.queue.messages().len(), 20);
    fixture.source.drain().await;
    fixture.assert_committed_once();
    // Lambda repeats a schedule's event if it did not receive the response.
    fixture.plans -= 1;
    fixture.plan().await;
    assert_eq!(fixture.estate.queue.messages().len(), 0, "the same plan was sent already");
}

#[tokio::test(flavor = "multi_thread")]
async fn partially_sent_plan_resumes_on_retry() {
    let mut config = config();
    config.tenants[0] = TenantGroup::new(Owner::Partner, 60);
    let mut fixture = Fixture::start(config, 1, &[]).await;
    // An id can be any text of any length.
    let id = "größer als eine UUID ".repeat(40);
    fixture.estate.queue.fail_sends_after(Some(4));
    fixture.estate.plan(&mut fixture.planner, &id).await.expect_err("the queue fails");
    let sent = fixture.estate.queue.messages().len();
    assert!((20..100).contains(&sent), "{sent}");
    fixture.estate.queue.fail_sends_after(None);
    let report = fixture.estate.plan(&mut fixture.planner, &id).await.expect("a plan");
    assert_eq!((&report["planned"], &report["deferred_reason"]), (&json!(130), &json!(null)), "{report}");
    let messages = fixture.estate.queue.messages();
    assert_eq!(messages.len(), 130, "none of them twice");
    for other in [&*id, "the next"] {
        let report = fixture.estate.plan(&mut fixture.planner, other).await.expect("a plan");
        assert!(report["deferred_reason"].is_string(), "all of it was sent: {report}");
    }
    fixture.source.drain().await;
    fixture.assert_committed_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn large_tenant_does_not_starve_small_ones() {
    let mut config = config();
    config.tenants[0] = TenantGroup::new(Owner::Partner, 8);
    let large = TenantGroup {
        name: Some("Large".into()),
        events_per_hour: Some(4_000.0),
        ..TenantGroup::new(Owner::Partner, 1)
    };
    config.tenants.push(large);
    let changes = [
        ("EXPORT_STREAM_TIMEOUT_SECONDS", "1"),
        ("EXPORT_CONCURRENCY", "1"),
        ("SOPHOS_RATE_LIMIT", "20/s+20"),
    ];
    let mut fixture = Fixture::start(config, 1, &changes).await;
    fixture.plan_and_drain().await;
    fixture.assert_committed_once();
    let committed = fixture.estate.committed().expect("what was served");
    let large = fixture.tenant("Large");
    // The service's clock stands still; that of the files does not.
    let ended = |tenant: &str| {
        let record = format!("_log/events/{tenant}/{:012}.json", committed.log("events", tenant).len());
        let written =
            std::fs::metadata(fixture.estate.export_dir().join(record)).and_then(|file| file.modified());
        written.expect("the last record")
    };
    let turns = committed.log("events", &large).len();
    assert!(turns > 3, "so many events take several turns, not {turns}");
    let before = fixture.tenants().iter().filter(|tenant| ended(tenant) < ended(&large)).count();
    assert_eq!(before, fixture.tenants().len() - 1, "all others were done before");
}

#[tokio::test(flavor = "multi_thread")]
async fn unprocessable_message_goes_to_the_dlq_with_a_reason() {
    let mut fixture = Fixture::start(config(), 1, &[("EXPORT_MAX_RECEIVES", "2")]).await;
    fixture.plan_and_drain().await;
    // A damaged log, an unknown message, and a tenant whose requests fail.
    let [damaged, failing] = ["Own", "Alone"].map(|name| fixture.tenant(name));
    let record = fixture.estate.export_dir().join(format!("_log/events/{damaged}/000000000001.json"));
    std::fs::write(record, "{}").expect("a damaged log");
    fixture.estate.queue.send_to("a group", "no message of ours");
    let fails = FaultRule::new("siem.alerts", FaultAction::status(500)).tenant(&failing);
    fixture.estate.env.simulator.set_faults(FaultPlan::new([fails]));
    fixture.advance_clock(Duration::from_secs(600));
    fixture.plan().await;
    for _ in 0..3 {
        let drained = fixture.source.drain().await;
        assert_eq!(drained.failures, Vec::<String>::new(), "{}", fixture.logs());
        fixture.estate.queue.make_visible();
    }
    let dead = fixture.estate.queue.dead_letters();
    let mut kinds: Vec<_> =
        dead.iter().filter_map(|message| message.attributes["error_kind"]["StringValue"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["InvalidLogRecord", "InvalidMessage", "Unavailable"], "{dead:?}");
    for message in &dead {
        let reason = message.attributes["reason"]["StringValue"].as_str().expect("a reason");
        assert!(reason.len() > 20, "{reason}");
    }
    assert!(fixture.estate.queue.is_empty());
    fixture.estate.env.simulator.set_faults(FaultPlan::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_extends_the_visibility_timeout() {
    let mut fixture = Fixture::start(config(), 2, &[("EXPORT_DATASETS", "events")]).await;
    // The message becomes visible long before the service responds.
    fixture.estate.queue.set_visibility_timeout(Duration::from_millis(300));
    let slow = FaultRule::new("siem.events", FaultAction::Delay { milliseconds: 1_500 });
    fixture.estate.env.simulator.set_faults(FaultPlan::new([slow]));
    fixture.plan_and_drain().await;
    fixture.estate.env.simulator.set_faults(FaultPlan::default());
    let calls = fixture.estate.env.simulator.calls();
    for tenant in fixture.tenants() {
        // One day of so few events is one or two pages.
        let requests = calls.operation_for("siem.events", &tenant);
        assert!((1..=2).contains(&requests), "{requests} requests for {tenant}");
    }
    let logs = fixture.logs();
    assert_eq!(logs.matches("committed first").count(), 0, "{logs}");
    fixture.estate.committed().expect("what was served, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_workers_lose_nothing_and_keep_the_rate_limit() {
    let mut config = config();
    config.tenants[0] = TenantGroup::new(Owner::Partner, 120);
    config.limiter = LimiterConfig { per_second: Some(100), real_time: true, ..LimiterConfig::default() };
    let mut fixture = Fixture::start(config, 8, &[("SOPHOS_RATE_LIMIT", "100/s")]).await;
    fixture.estate.env.simulator.reset_calls();
    for round in 0..3 {
        fixture.advance_clock(HOUR / 2);
        fixture.plan().await;
        let before = fixture.estate.queue.deleted();
        let killer = async {
            for kill in 1..=4 {
                fixture.estate.queue.wait_for_deleted(before + 40 * kill).await;
                fixture.source.pool().kill_one();
            }
        };
        let (drained, ()) = tokio::join!(fixture.source.drain(), killer);
        assert!(drained.handled > 100, "round {round}: {drained:?}");
        // The messages of a killed worker become visible.
        fixture.estate.queue.make_visible();
        fixture.source.drain().await;
        assert!(fixture.estate.queue.is_empty());
    }
    fixture.assert_committed_once();
    assert_eq!(fixture.estate.env.simulator.calls().status(429), 0);
}
