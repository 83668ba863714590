//! Credentials in Secrets Manager, with the built export.

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use end_to_end::{
    World,
    estate::{Estate, PREFIX, partner, secret_of, without_queue},
    moto::Moto,
    queue::EventSource,
};
use local_lambda::Sandbox;
use serde_json::{Value, json};
use sophos_simulator::{Config, CredentialConfig, CredentialInfo, CredentialKind, Owner, Role, TenantGroup};

struct Stage {
    moto: Moto,
    secrets: Client,
    estate: Estate,
}

impl Stage {
    /// An estate, and an emulator of AWS, if there is one.
    async fn start(config: Config) -> Option<Self> {
        let moto = Moto::start().await.expect("the emulator serves")?;
        let estate = Estate::start(config, CredentialKind::Partner).await.expect("an estate");
        Some(Self { secrets: moto.secrets(), moto, estate })
    }

    fn credential(&self) -> CredentialInfo {
        self.estate.world.credential().clone()
    }

    async fn create(&self, name: &str, value: &str) {
        let create = self.secrets.create_secret().name(format!("{PREFIX}{name}")).secret_string(value);
        create.send().await.expect("a secret");
    }

    async fn put(&self, name: &str, value: &str, label: Option<&str>) {
        let put = self.secrets.put_secret_value().secret_id(format!("{PREFIX}{name}")).secret_string(value);
        let put = put.set_version_stages(label.map(|label| vec![label.to_owned()]));
        put.send().await.expect("a version");
    }

    /// The export without a queue.
    async fn direct(&self) -> Sandbox {
        let function = without_queue(self.estate.managed(&self.moto));
        function.env("SOPHOS_SECRETS_TTL_SECONDS", "3600").start().await.expect("the function starts")
    }

    async fn run(&self, sandbox: &mut Sandbox) -> Value {
        self.estate.world.run(sandbox).await.expect("a report")
    }

    fn delete(&self, credential: &CredentialInfo) {
        assert!(self.estate.world.simulator.remove_credential(&credential.client_id));
    }

    async fn reads(&self) -> (u64, u64, u64) {
        let calls = self.moto.calls().await.expect("counts");
        let of = |name: &str| calls.get(&format!("secretsmanager.{name}")).copied().unwrap_or_default();
        (of("ListSecrets"), of("BatchGetSecretValue"), of("GetSecretValue"))
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn a_warm_function_reads_its_credential_once() {
    let Some(stage) = Stage::start(partner(3, 500)).await else { panic!("EMULATOR_PYTHON is not set") };
    stage.create("partner", &secret_of(&stage.credential())).await;
    // Neither of these is a credential of this stack.
    stage.secrets.create_secret().name("other/thing").secret_string("{}").send().await.expect("a secret");
    stage.moto.reset_calls().await.expect("counts");
    let mut sandbox = stage.direct().await;
    for _ in 0..5 {
        let report = stage.run(&mut sandbox).await;
        assert_eq!((&report["failed"], &report["tenants"]), (&json!(0), &json!(3)), "{report}");
        stage.estate.world.simulator.clock().advance(Duration::from_secs(300));
    }
    assert_eq!(stage.reads().await, (1, 1, 0));
    stage.estate.committed().expect("an export");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn a_credential_that_is_replaced_in_the_middle_of_a_long_export_loses_nothing() {
    let Some(stage) = Stage::start(partner(1, 100_000)).await else { panic!("EMULATOR_PYTHON is not set") };
    let old = stage.credential();
    stage.create("partner", &secret_of(&old)).await;
    let mut sandbox = stage.direct().await;
    let new = stage.estate.another(CredentialKind::Partner).expect("a credential");
    let rotate = async {
        let simulator = &stage.estate.world.simulator;
        while simulator.calls().operation("siem.events") < 30 {
            tokio::task::yield_now().await;
        }
        stage.put("partner", &secret_of(&new), None).await;
        stage.delete(&old);
        simulator.calls().operation("siem.events")
    };
    let (report, page) = tokio::join!(stage.run(&mut sandbox), rotate);
    assert!(page < 90, "it was in the middle, not at page {page}");
    assert_eq!((&report["failed"], &report["unfinished"]), (&json!(0), &json!(0)), "{report}");
    let committed = stage.estate.committed().expect("each record once");
    assert_eq!(committed.rows_of("events"), 100_000);
    // The list is of when it was fresh; past it one reading, and none of the one before.
    let (_, _, reads) = stage.reads().await;
    assert_eq!(reads, 1);
    let logs = sandbox.stop().await.logs.join("\n");
    for credential in [&old, &new] {
        assert!(!logs.contains(&credential.client_secret), "a secret is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn what_is_staged_or_pending_is_not_used_and_what_is_previous_is_when_it_must() {
    let Some(stage) = Stage::start(partner(1, 500)).await else { panic!("EMULATOR_PYTHON is not set") };
    let good = stage.credential();
    let bad = json!({ "client_id": good.client_id, "client_secret": "never was good" }).to_string();
    stage.create("partner", &secret_of(&good)).await;
    stage.put("partner", &bad, Some("AWSPENDING")).await;
    stage.put("partner", &bad, Some("STAGED")).await;
    let mut sandbox = stage.direct().await;
    assert_eq!(stage.run(&mut sandbox).await["failed"], 0);

    // A new current that is no good: the one before is, for as long as it is there.
    stage.put("partner", &bad, None).await;
    let mut sandbox = stage.direct().await;
    let report = stage.run(&mut sandbox).await;
    assert_eq!(report["failed"], 0, "{report}");
    let logs = sandbox.stop().await.logs.join("\n");
    assert!(logs.contains("the version before it is tried"), "{logs}");

    // Nor does a mistake in storing it stop the export.
    stage.put("partner", &secret_of(&good), None).await;
    stage.put("partner", r#"{"client_id":"hush-hush-hush"}"#, None).await;
    let mut sandbox = stage.direct().await;
    let report = stage.run(&mut sandbox).await;
    assert_eq!(report["failed"], 0, "{report}");
    let logs = sandbox.stop().await.logs.join("\n");
    assert!(logs.contains("the version before it is used") && !logs.contains("hush-hush"), "{logs}");

    // Both refused: the error names the secret, the credentials, and no secret.
    stage.put("partner", &secret_of(&good), None).await;
    stage.put("partner", &bad, None).await;
    stage.delete(&good);
    let mut sandbox = stage.direct().await;
    let refused = sandbox.invoke(&World::schedule()).await;
    assert_eq!(refused.error_kind(), Some("ExportFailed"), "{refused:?}");
    let told = format!("{refused:?}");
    assert!(told.contains("sophos/credentials/partner") && told.contains(&good.client_id), "{told}");
    assert!(!told.contains("never was good") && !told.contains(&good.client_secret), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn a_malformed_secret_is_named_and_harms_no_other() {
    let Some(stage) = Stage::start(partner(2, 500)).await else { panic!("EMULATOR_PYTHON is not set") };
    stage.create("partner", &secret_of(&stage.credential())).await;
    stage.create("broken", r#"{"client_id":"x","client_secret":"hush-hush","expiry":"never"}"#).await;
    stage.create("empty", "hush-hush").await;
    let mut sandbox = stage.direct().await;
    let report = stage.run(&mut sandbox).await;
    assert_eq!((&report["failed"], &report["tenants"]), (&json!(0), &json!(2)), "{report}");
    let told = report["unusable_credentials"].to_string();
    assert!(told.contains("credentials/broken") && told.contains("credentials/empty"), "{told}");
    let logs = sandbox.stop().await.logs.join("\n");
    assert_eq!(logs.matches("a credential was left out").count(), 2, "{logs}");
    assert!(!told.contains("hush") && !logs.contains("hush"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn a_credential_that_is_for_something_else_is_not_exported_with() {
    let Some(stage) = Stage::start(partner(2, 500)).await else { panic!("EMULATOR_PYTHON is not set") };
    let simulator = &stage.estate.world.simulator;
    let used_for = |credential: &CredentialInfo, purposes: Value| {
        let mut value: Value = serde_json::from_str(&secret_of(credential)).expect("JSON");
        value["used_for"] = purposes;
        value.to_string()
    };
    let tenant = simulator.tenants().swap_remove(0).id;
    let own = simulator.add_credential(CredentialConfig::for_tenant(&tenant, Role::ReadOnly));
    let own = own.expect("a credential");
    stage.create("isolation", &used_for(&own, json!(["isolation"]))).await;
    let function = || stage.estate.managed(&stage.moto).start();

    // There is no other: both ways of exporting say so, and name it.
    for mut sandbox in [stage.direct().await, function().await.expect("the planner starts")] {
        let failed = sandbox.invoke(&World::schedule()).await;
        assert_eq!(failed.error_kind(), Some("NoCredential"), "{failed:?}");
        let told = format!("{failed:?}").replace('\\', "");
        let what_to_do = r#"credentials/isolation is not used for export: add "export" to its used_for"#;
        assert!(told.contains(what_to_do), "{told}");
    }
    assert_eq!(simulator.calls().total, 0, "it is not tried");

    // What does not say serves everything, also the tenant that has one for something else.
    stage.create("partner", &used_for(&stage.credential(), json!([]))).await;
    let mut planner = function().await.expect("the planner starts");
    let report = stage.estate.plan(&mut planner, "1").await.expect("a plan");
    assert_eq!((&report["tenants"], &report["credentials"][1]), (&json!(2), &Value::Null), "{report}");
    let mut sandbox = stage.direct().await;
    let report = stage.run(&mut sandbox).await;
    assert_eq!((&report["failed"], &report["tenants"]), (&json!(0), &json!(2)), "{report}");
    assert_eq!(report["unusable_credentials"], Value::Null, "nothing is wrong with it: {report}");
    let logs = sandbox.stop().await.logs;
    let told: Vec<_> = logs.iter().filter(|line| line.contains("it is used for something else")).collect();
    assert!(!told.is_empty() && told.iter().all(|line| line.contains("DEBUG")), "{told:?}");
    stage.estate.committed().expect("an export");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn five_hundred_credentials_are_planned_for_by_thirty_requests() {
    let mut config = partner(0, 20);
    config.tenants = vec![TenantGroup::of(Owner::Alone, 500)];
    config.tenants.push(TenantGroup::of(Owner::Partner, 1));
    let Some(stage) = Stage::start(config).await else { panic!("EMULATOR_PYTHON is not set") };
    let simulator = &stage.estate.world.simulator;
    let tenants = simulator.tenants();
    for tenant in tenants.iter().filter(|tenant| tenant.owner == Owner::Alone) {
        let credential = simulator.add_credential(CredentialConfig::for_tenant(&tenant.id, Role::ReadOnly));
        stage.create(&tenant.id, &secret_of(&credential.expect("a credential"))).await;
    }
    stage.moto.reset_calls().await.expect("counts");
    simulator.reset_calls();
    let mut planner = stage.estate.managed(&stage.moto).start().await.expect("the planner starts");
    let report = stage.estate.plan(&mut planner, "1").await.expect("a plan");
    assert_eq!((&report["planned"], &report["tenants"]), (&json!(1_000), &json!(500)), "{report}");
    assert_eq!(stage.reads().await, (5, 25, 0));
    assert_eq!(simulator.calls().total, 0, "each says whose it is");

    // Some of them are worked off: each credential is read once by each process.
    let function = stage.estate.managed(&stage.moto).env("EXPORT_CONCURRENCY", "8");
    let source = EventSource::new(&stage.estate.queue, function, 2, 10).await.expect("a worker starts");
    let drained = source.drain().await;
    assert_eq!((drained.handled, drained.failures), (1_000, vec![]));
    let (_, _, reads) = stage.reads().await;
    assert!((500..=1_000).contains(&reads), "{reads}");
    stage.estate.committed().expect("an export");
}
