//! Tests that kill the function at every S3 request and run it again. No record is lost or
//! duplicate, and no garbage stays.

use std::time::Duration;

use end_to_end::{
    CommittedExport, TestEnv,
    s3::{S3Server, S3Trap},
};
use local_lambda::LambdaFunction;
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Owner, Role, TenantGroup,
};

const RUN_INTERVAL: Duration = Duration::from_secs(300);

fn config() -> Config {
    Config {
        clock: ClockConfig { start: Some("2026-11-23T23:40:00Z".into()), running: false },
        tenants: vec![TenantGroup { name: Some("Acme".into()), ..TenantGroup::new(Owner::Standalone, 1) }],
        credentials: vec![CredentialConfig::for_tenant("Acme", Role::ReadOnly)],
        data: DataConfig {
            late_share: 0.05,
            repeat_share: 0.05,
            events_per_hour: 900.0,
            ..DataConfig::default()
        },
        ..Config::default()
    }
}

struct Fixture {
    env: TestEnv,
    s3: S3Server,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn start(config: Config) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let s3 = S3Server::start(folder.path()).await.expect("an S3 server");
        let env = TestEnv::start(config, CredentialKind::Tenant).await.expect("a simulator");
        Self { env, s3, _folder: folder }
    }

    /// The streams run one after the other, so that requests have one order.
    fn function(&self) -> LambdaFunction {
        self.s3.configure(self.env.export_function(&self.s3.location())).env("EXPORT_CONCURRENCY", "1")
    }

    /// A complete run in a new process.
    async fn run(&self) -> Vec<String> {
        self.s3.set_trap(None);
        let mut sandbox = self.function().start().await.expect("the function starts");
        let report = self.env.run_export(&mut sandbox).await.expect("a report");
        assert_eq!(report["failed"], 0, "{report}");
        self.s3.requests()
    }

    /// Kills a run in the trap. Returns `false` if the run did not reach it.
    async fn run_until_trapped(&self, trap: S3Trap) -> bool {
        self.s3.set_trap(Some(trap));
        let mut sandbox = self.function().start().await.expect("the function starts");
        let event = TestEnv::schedule_event();
        let killed = tokio::select! {
            _ = sandbox.invoke(&event) => false,
            () = self.s3.wait_for_trap() => true,
        };
        sandbox.kill();
        killed
    }

    fn check(&self, when: &str) -> CommittedExport {
        let committed = CommittedExport::load(&self.s3.folder()).expect("an export");
        let defects = self.env.defects(&committed);
        assert!(defects.is_empty(), "{when}: {} defects, such as {}", defects.len(), defects[0]);
        committed
    }
}

/// Kills a run at each of its requests in turn.
async fn kill_at_every_request(fixture: &Fixture) {
    let usual = fixture.run().await;
    fixture.check("before any crash");
    let mut killed = 0;
    for number in 1.. {
        let mut reached = false;
        for trap in [S3Trap::Before(number), S3Trap::After(number)] {
            fixture.env.simulator.clock().advance(RUN_INTERVAL);
            if !fixture.run_until_trapped(trap).await {
                continue;
            }
            reached = true;
            killed += 1;
            let at = fixture.s3.requests().pop().unwrap_or_default();
            fixture.run().await;
            fixture.check(&format!("after a kill at {trap:?}: {at}"));
        }
        if !reached {
            break;
        }
    }
    assert!(killed >= usual.len(), "{killed} kills, and a run makes {} requests", usual.len());
    println!("killed {killed} times; a run makes some {} requests:\n{}", usual.len(), usual.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_at_any_request_loses_and_leaks_nothing() {
    let fixture = Fixture::start(config()).await;
    fixture.run().await;
    fixture.env.simulator.clock().advance(RUN_INTERVAL);
    kill_at_every_request(&fixture).await;
    let committed = fixture.check("at the end");
    let now = fixture.env.simulator.clock().now_ms();
    let missing = fixture.env.missing(&committed, now - 86_400_000, now - 121_000);
    assert!(missing.is_empty(), "{} records never arrived, such as {}", missing.len(), missing[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeatedly_killed_runs_still_make_progress() {
    let fixture = Fixture::start(config()).await;
    fixture.run().await;
    // Each run is killed one request later than the one before, with no complete run
    // between.
    for number in 1..40 {
        fixture.env.simulator.clock().advance(RUN_INTERVAL / 5);
        fixture.run_until_trapped(S3Trap::After(number)).await;
    }
    fixture.env.simulator.clock().advance(RUN_INTERVAL);
    fixture.run().await;
    fixture.check("after forty crashes in a row");
}

/// At noon, with correct clocks of endpoints, a run writes one object, and its seventh request
/// is the commit. One request tests the bucket.
fn noon_config() -> Config {
    let mut config = config();
    config.clock.start = Some("2026-11-23T12:00:00Z".into());
    config.data.wrong_clock_share = 0.0;
    config
}

const COMMIT_REQUEST: usize = 7;

#[tokio::test(flavor = "multi_thread")]
async fn commit_counts_when_its_response_is_lost() {
    let fixture = Fixture::start(noon_config()).await;
    fixture.run().await;
    fixture.env.simulator.clock().advance(RUN_INTERVAL);
    fixture.s3.set_trap(Some(S3Trap::FailResponse(COMMIT_REQUEST)));
    let mut sandbox = fixture.function().start().await.expect("the function starts");
    let report = fixture.env.run_export(&mut sandbox).await.expect("a report");
    assert!(fixture.s3.requests()[COMMIT_REQUEST - 1].ends_with(".json"), "{:?}", fixture.s3.requests());
    assert_eq!(report["streams"][0]["outcome"], "committed", "{report}");
    fixture.check("when the store repeated itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_commit_is_not_rolled_back() {
    let fixture = Fixture::start(noon_config()).await;
    fixture.run().await;
    fixture.env.simulator.clock().advance(RUN_INTERVAL);
    fixture.s3.set_trap(Some(S3Trap::FailObject(COMMIT_REQUEST)));
    let mut sandbox = fixture.function().start().await.expect("the function starts");
    let report = fixture.env.run_export(&mut sandbox).await.expect("a report");
    assert_eq!(report["streams"][0]["outcome"], "failed", "{report}");
    assert!(fixture.s3.requests()[COMMIT_REQUEST - 1].ends_with(".json"), "{:?}", fixture.s3.requests());
    fixture.run().await;
    fixture.check("when the store came back");
}
