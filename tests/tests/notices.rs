//! Tests of the notices of committed objects on an event bus. No committed object stays
//! unannounced, whatever kills the function, and none is announced before its commit.

use std::{collections::BTreeSet, path::Path, time::Duration};

use end_to_end::{
    TestEnv,
    moto::Moto,
    s3::{S3Server, S3Trap},
};
use local_lambda::LambdaFunction;
use serde_json::{Value, json};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Owner, Role, TenantGroup,
};

const RUN_INTERVAL: Duration = Duration::from_secs(300);

const BUS: &str = "siem";

/// At noon, with correct clocks of endpoints, a run writes one object.
fn config() -> Config {
    Config {
        clock: ClockConfig { start: Some("2026-11-23T12:00:00Z".into()), running: false },
        tenants: vec![TenantGroup { name: Some("Acme".into()), ..TenantGroup::new(Owner::Standalone, 1) }],
        credentials: vec![CredentialConfig::for_tenant("Acme", Role::ReadOnly)],
        data: DataConfig { events_per_hour: 600.0, wrong_clock_share: 0.0, ..DataConfig::default() },
        ..Config::default()
    }
}

struct Fixture {
    env: TestEnv,
    s3: S3Server,
    moto: Moto,
    queue: String,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn start() -> Self {
        let Some(moto) = Moto::start().await.expect("the emulator serves") else {
            panic!("missing EMULATOR_PYTHON")
        };
        let queue = moto.create_queue("notices").await.expect("a queue");
        let pattern = json!({ "source": ["sophos-central.export"], "detail-type": ["Object Committed"] });
        moto.create_bus(BUS, &pattern.to_string(), &queue).await.expect("a bus");
        let folder = tempfile::tempdir().expect("a folder");
        let s3 = S3Server::start(folder.path()).await.expect("an S3 server");
        let env = TestEnv::start(config(), CredentialKind::Tenant).await.expect("a simulator");
        Self { env, s3, moto, queue, _folder: folder }
    }

    /// The function, announcing on this bus; none if it is empty.
    fn function(&self, bus: &str) -> LambdaFunction {
        let function = self.env.export_function(&self.s3.location());
        let function = self.s3.configure(self.moto.configure(function));
        function.env("EXPORT_DATASETS", "events").env("EXPORT_EVENT_BUS", bus)
    }

    /// A complete run in a new process. Returns the report of its stream.
    async fn run(&self, bus: &str) -> Value {
        self.env.simulator.clock().advance(RUN_INTERVAL);
        self.s3.set_trap(None);
        let mut sandbox = self.function(bus).start().await.expect("the function starts");
        let report = self.env.run_export(&mut sandbox).await.expect("a report");
        assert_eq!(report["failed"], 0, "{report}");
        report["streams"][0].clone()
    }

    /// Kills a run in the trap. Returns `false` if the run did not reach it.
    async fn run_until_trapped(&self, trap: S3Trap) -> bool {
        self.env.simulator.clock().advance(RUN_INTERVAL);
        self.s3.set_trap(Some(trap));
        let mut sandbox = self.function(BUS).start().await.expect("the function starts");
        let event = TestEnv::schedule_event();
        let killed = tokio::select! {
            _ = sandbox.invoke(&event) => false,
            () = self.s3.wait_for_trap() => true,
        };
        sandbox.kill();
        killed
    }

    /// The details of the events on the bus since the last call.
    async fn notices(&self) -> Vec<Value> {
        let mut notices = Vec::new();
        loop {
            let messages = self.moto.receive(&self.queue).await.expect("messages");
            if messages.is_empty() {
                return notices;
            }
            let bodies = messages.iter().map(|message| message.body().expect("a body"));
            let events = bodies.map(|body| serde_json::from_str::<Value>(body).expect("JSON"));
            notices.extend(events.map(|event| event["detail"].clone()));
        }
    }

    /// The committed objects, as the log names them, each with its sequence number.
    fn committed(&self) -> BTreeSet<(u64, String)> {
        let mut committed = BTreeSet::new();
        for tenant in folders(&self.s3.folder().join("_log/events")) {
            for file in
                folders(&tenant).into_iter().filter(|file| file.extension().is_some_and(|e| e == "json"))
            {
                let record = std::fs::read(&file).expect("a log record");
                let record: Value = serde_json::from_slice(&record).expect("JSON");
                let sequence = record["sequence"].as_u64().expect("a number");
                let objects = record["objects"].as_array().expect("objects");
                let path = |object: &Value| object["path"].as_str().expect("a path").to_owned();
                committed.extend(objects.iter().map(|object| (sequence, path(object))));
            }
        }
        committed
    }

    /// The objects of the notices since the last call. Each is committed.
    async fn announced(&self, when: &str) -> Vec<(u64, String)> {
        let committed = self.committed();
        let notices = self.notices().await;
        let object = |notice: &Value| {
            let key = notice["key"].as_str().expect("a key");
            let path = key.strip_prefix("sophos/").expect("the export's folder").to_owned();
            (notice["sequence"].as_u64().expect("a number"), path)
        };
        let announced: Vec<_> = notices.iter().map(object).collect();
        for one in &announced {
            assert!(committed.contains(one), "{when}: {one:?} is announced before its commit");
        }
        announced
    }
}

fn folders(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten();
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn kill_at_any_request_loses_no_notice() {
    let fixture = Fixture::start().await;
    fixture.run(BUS).await;
    let mut all: BTreeSet<_> = fixture.announced("the first run").await.into_iter().collect();
    assert!(!all.is_empty(), "the first run announces");
    let mut killed = 0;
    for number in 1.. {
        let mut reached = false;
        for trap in [S3Trap::Before(number), S3Trap::After(number)] {
            let trapped = fixture.run_until_trapped(trap).await;
            reached |= trapped;
            killed += u32::from(trapped);
            let when = format!("killed at {trap:?}: {:?}", fixture.s3.requests().last());
            all.extend(fixture.announced(&when).await);
            let report = fixture.run(BUS).await;
            assert_eq!(report["announcement_error"], Value::Null, "{report}");
            all.extend(fixture.announced(&when).await);
            assert_eq!(all, fixture.committed(), "{when}");
        }
        if !reached {
            break;
        }
    }
    assert!(killed > 14, "{killed}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn notices_need_no_further_store_request() {
    let fixture = Fixture::start().await;
    fixture.run("").await;
    let mut requests = Vec::new();
    for bus in ["", BUS] {
        fixture.run(bus).await;
        requests.push(fixture.s3.requests());
    }
    assert_eq!(requests[0].len(), requests[1].len(), "{requests:#?}");
    let announced = fixture.announced("at the end").await;
    assert_eq!(announced.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>(), [3]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn failed_notices_are_sent_by_the_next_run_in_order() {
    let fixture = Fixture::start().await;
    for _ in 0..2 {
        let report = fixture.run("missing").await;
        assert_eq!(report["outcome"], "committed", "{report}");
        let error = report["announcement_error"].as_str().unwrap_or_default();
        assert!(error.starts_with("PutEvents failed: "), "{report}");
    }
    assert_eq!(fixture.announced("without the bus").await, []);
    let report = fixture.run(BUS).await;
    assert_eq!((&report["announced"], &report["announcement_error"]), (&json!(3), &Value::Null), "{report}");
    let announced = fixture.announced("with the bus").await;
    let mut sequences: Vec<_> = announced.iter().map(|(sequence, _)| *sequence).collect();
    assert!(sequences.is_sorted(), "{sequences:?}");
    sequences.dedup();
    assert_eq!(sequences, [1, 2, 3]);
    assert_eq!(announced.into_iter().collect::<BTreeSet<_>>(), fixture.committed());
}
