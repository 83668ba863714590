//! Tests of the built export with credentials in Secrets Manager.

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use end_to_end::{
    TestEnv,
    moto::Moto,
    pipeline_env::{PREFIX, PipelineEnv, partner_config, secret_value, without_export_queue},
    queue::EventSource,
};
use local_lambda::Sandbox;
use serde_json::{Value, json};
use sophos_simulator::{Config, CredentialConfig, CredentialInfo, CredentialKind, Owner, Role, TenantGroup};

struct Fixture {
    moto: Moto,
    secrets: Client,
    estate: PipelineEnv,
}

impl Fixture {
    /// Starts an environment, if the emulator of AWS is installed.
    async fn start(config: Config) -> Option<Self> {
        let moto = Moto::start().await.expect("the emulator serves")?;
        let estate = PipelineEnv::start(config, CredentialKind::Partner).await.expect("an estate");
        Some(Self { secrets: moto.secrets(), moto, estate })
    }

    fn credential(&self) -> CredentialInfo {
        self.estate.env.credential().clone()
    }

    async fn create_secret(&self, name: &str, value: &str) {
        let create = self.secrets.create_secret().name(format!("{PREFIX}{name}")).secret_string(value);
        create.send().await.expect("a secret");
    }

    async fn put_version(&self, name: &str, value: &str, label: Option<&str>) {
        let put = self.secrets.put_secret_value().secret_id(format!("{PREFIX}{name}")).secret_string(value);
        let put = put.set_version_stages(label.map(|label| vec![label.to_owned()]));
        put.send().await.expect("a version");
    }

    /// The export without a queue.
    async fn start_without_queue(&self) -> Sandbox {
        let function = without_export_queue(self.estate.with_secrets_manager(&self.moto));
        function.env("SOPHOS_SECRETS_TTL_SECONDS", "3600").start().await.expect("the function starts")
    }

    async fn run(&self, sandbox: &mut Sandbox) -> Value {
        self.estate.env.run_export(sandbox).await.expect("a report")
    }

    fn delete_credential(&self, credential: &CredentialInfo) {
        assert!(self.estate.env.simulator.remove_credential(&credential.client_id));
    }

    async fn secret_requests(&self) -> (u64, u64, u64) {
        let calls = self.moto.calls().await.expect("counts");
        let of = |name: &str| calls.get(&format!("secretsmanager.{name}")).copied().unwrap_or_default();
        (of("ListSecrets"), of("BatchGetSecretValue"), of("GetSecretValue"))
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn warm_function_fetches_its_credential_once() {
    let Some(fixture) = Fixture::start(partner_config(3, 500)).await else {
        panic!("missing EMULATOR_PYTHON")
    };
    fixture.create_secret("partner", &secret_value(&fixture.credential())).await;
    // Neither of these is a credential of this stack.
    fixture.secrets.create_secret().name("other/thing").secret_string("{}").send().await.expect("a secret");
    fixture.moto.reset_calls().await.expect("counts");
    let mut sandbox = fixture.start_without_queue().await;
    for _ in 0..5 {
        let report = fixture.run(&mut sandbox).await;
        assert_eq!((&report["failed"], &report["tenants"]), (&json!(0), &json!(3)), "{report}");
        fixture.estate.env.simulator.clock().advance(Duration::from_secs(300));
    }
    assert_eq!(fixture.secret_requests().await, (1, 1, 0));
    fixture.estate.committed().expect("an export");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn credential_replaced_during_an_export_loses_nothing() {
    let Some(fixture) = Fixture::start(partner_config(1, 100_000)).await else {
        panic!("missing EMULATOR_PYTHON")
    };
    let old = fixture.credential();
    fixture.create_secret("partner", &secret_value(&old)).await;
    let mut sandbox = fixture.start_without_queue().await;
    let new = fixture.estate.create_credential(CredentialKind::Partner).expect("a credential");
    let rotate = async {
        let simulator = &fixture.estate.env.simulator;
        while simulator.calls().operation("siem.events") < 30 {
            tokio::task::yield_now().await;
        }
        fixture.put_version("partner", &secret_value(&new), None).await;
        fixture.delete_credential(&old);
        simulator.calls().operation("siem.events")
    };
    let (report, page) = tokio::join!(fixture.run(&mut sandbox), rotate);
    assert!(page < 90, "it was in the middle, not at page {page}");
    assert_eq!((&report["failed"], &report["unfinished"]), (&json!(0), &json!(0)), "{report}");
    let committed = fixture.estate.committed().expect("each record once");
    assert_eq!(committed.rows_of("events"), 100_000);
    // After its expiry the list is read once more, and no version of the earlier one.
    let (_, _, reads) = fixture.secret_requests().await;
    assert_eq!(reads, 1);
    let logs = sandbox.stop().await.logs.join("\n");
    for credential in [&old, &new] {
        assert!(!logs.contains(&credential.client_secret), "a secret is in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn only_current_and_fallback_previous_versions_are_used() {
    let Some(fixture) = Fixture::start(partner_config(1, 500)).await else {
        panic!("missing EMULATOR_PYTHON")
    };
    let good = fixture.credential();
    let bad = json!({ "client_id": good.client_id, "client_secret": "never was good" }).to_string();
    fixture.create_secret("partner", &secret_value(&good)).await;
    fixture.put_version("partner", &bad, Some("AWSPENDING")).await;
    fixture.put_version("partner", &bad, Some("STAGED")).await;
    let mut sandbox = fixture.start_without_queue().await;
    assert_eq!(fixture.run(&mut sandbox).await["failed"], 0);

    // The current version is invalid: the export uses the previous one while it exists.
    fixture.put_version("partner", &bad, None).await;
    let mut sandbox = fixture.start_without_queue().await;
    let report = fixture.run(&mut sandbox).await;
    assert_eq!(report["failed"], 0, "{report}");
    let logs = sandbox.stop().await.logs.join("\n");
    assert!(logs.contains("trying the previous version"), "{logs}");

    // An invalid secret value does not stop the export.
    fixture.put_version("partner", &secret_value(&good), None).await;
    fixture.put_version("partner", r#"{"client_id":"hush-hush-hush"}"#, None).await;
    let mut sandbox = fixture.start_without_queue().await;
    let report = fixture.run(&mut sandbox).await;
    assert_eq!(report["failed"], 0, "{report}");
    let logs = sandbox.stop().await.logs.join("\n");
    assert!(logs.contains("using the previous version") && !logs.contains("hush-hush"), "{logs}");

    // Both are rejected: the error names the secret and the credentials, and contains no
    // secret.
    fixture.put_version("partner", &secret_value(&good), None).await;
    fixture.put_version("partner", &bad, None).await;
    fixture.delete_credential(&good);
    let mut sandbox = fixture.start_without_queue().await;
    let refused = sandbox.invoke(&TestEnv::schedule_event()).await;
    assert_eq!(refused.error_kind(), Some("ExportFailed"), "{refused:?}");
    let message = format!("{refused:?}");
    assert!(message.contains("sophos/credentials/partner") && message.contains(&good.client_id), "{message}");
    assert!(!message.contains("never was good") && !message.contains(&good.client_secret), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn malformed_secret_is_reported_and_affects_no_other() {
    let Some(fixture) = Fixture::start(partner_config(2, 500)).await else {
        panic!("missing EMULATOR_PYTHON")
    };
    fixture.create_secret("partner", &secret_value(&fixture.credential())).await;
    fixture
        .create_secret("broken", r#"{"client_id":"x","client_secret":"hush-hush","expiry":"never"}"#)
        .await;
    fixture.create_secret("empty", "hush-hush").await;
    let mut sandbox = fixture.start_without_queue().await;
    let report = fixture.run(&mut sandbox).await;
    assert_eq!((&report["failed"], &report["tenants"]), (&json!(0), &json!(2)), "{report}");
    let message = report["unusable_credentials"].to_string();
    assert!(message.contains("credentials/broken") && message.contains("credentials/empty"), "{message}");
    let logs = sandbox.stop().await.logs.join("\n");
    assert_eq!(logs.matches("credential_skipped").count(), 2, "{logs}");
    assert!(!message.contains("hush") && !logs.contains("hush"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn credential_for_another_use_is_not_used_for_export() {
    let Some(fixture) = Fixture::start(partner_config(2, 500)).await else {
        panic!("missing EMULATOR_PYTHON")
    };
    let simulator = &fixture.estate.env.simulator;
    let used_for = |credential: &CredentialInfo, purposes: Value| {
        let mut value: Value = serde_json::from_str(&secret_value(credential)).expect("JSON");
        value["used_for"] = purposes;
        value.to_string()
    };
    let tenant = simulator.tenants().swap_remove(0).id;
    let own = simulator.add_credential(CredentialConfig::for_tenant(&tenant, Role::ReadOnly));
    let own = own.expect("a credential");
    fixture.create_secret("isolation", &used_for(&own, json!(["isolation"]))).await;
    let function = || fixture.estate.with_secrets_manager(&fixture.moto).start();

    // No other credential exists: both kinds of export report that and name it.
    for mut sandbox in [fixture.start_without_queue().await, function().await.expect("the planner starts")] {
        let failed = sandbox.invoke(&TestEnv::schedule_event()).await;
        assert_eq!(failed.error_kind(), Some("NoCredential"), "{failed:?}");
        let message = format!("{failed:?}").replace('\\', "");
        let what_to_do = r#"credentials/isolation is not used for export: add "export" to its used_for"#;
        assert!(message.contains(what_to_do), "{message}");
    }
    assert_eq!(simulator.calls().total, 0, "it is not tried");

    // A credential without `used_for` serves all functions.
    fixture.create_secret("partner", &used_for(&fixture.credential(), json!([]))).await;
    let mut planner = function().await.expect("the planner starts");
    let report = fixture.estate.plan(&mut planner, "1").await.expect("a plan");
    assert_eq!((&report["tenants"], &report["credentials"][1]), (&json!(2), &Value::Null), "{report}");
    let mut sandbox = fixture.start_without_queue().await;
    let report = fixture.run(&mut sandbox).await;
    assert_eq!((&report["failed"], &report["tenants"]), (&json!(0), &json!(2)), "{report}");
    assert_eq!(report["unusable_credentials"], Value::Null, "nothing is wrong with it: {report}");
    let logs = sandbox.stop().await.logs;
    let message: Vec<_> = logs.iter().filter(|line| line.contains("credential_not_selected")).collect();
    assert!(!message.is_empty() && message.iter().all(|line| line.contains("DEBUG")), "{message:?}");
    fixture.estate.committed().expect("an export");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn five_hundred_credentials_need_thirty_requests() {
    let mut config = partner_config(0, 20);
    config.tenants = vec![TenantGroup::new(Owner::Standalone, 500)];
    config.tenants.push(TenantGroup::new(Owner::Partner, 1));
    let Some(fixture) = Fixture::start(config).await else { panic!("missing EMULATOR_PYTHON") };
    let simulator = &fixture.estate.env.simulator;
    let tenants = simulator.tenants();
    for tenant in tenants.iter().filter(|tenant| tenant.owner == Owner::Standalone) {
        let credential = simulator.add_credential(CredentialConfig::for_tenant(&tenant.id, Role::ReadOnly));
        fixture.create_secret(&tenant.id, &secret_value(&credential.expect("a credential"))).await;
    }
    fixture.moto.reset_calls().await.expect("counts");
    simulator.reset_calls();
    let mut planner =
        fixture.estate.with_secrets_manager(&fixture.moto).start().await.expect("the planner starts");
    let report = fixture.estate.plan(&mut planner, "1").await.expect("a plan");
    assert_eq!((&report["planned"], &report["tenants"]), (&json!(1_000), &json!(500)), "{report}");
    assert_eq!(fixture.secret_requests().await, (5, 25, 0));
    assert_eq!(simulator.calls().total, 0, "each says whose it is");

    // After some messages, each process has read each credential once.
    let function = fixture.estate.with_secrets_manager(&fixture.moto).env("EXPORT_CONCURRENCY", "8");
    let source = EventSource::new(&fixture.estate.queue, function, 2, 10).await.expect("a worker starts");
    let drained = source.drain().await;
    assert_eq!((drained.handled, drained.failures), (1_000, vec![]));
    let (_, _, reads) = fixture.secret_requests().await;
    assert!((500..=1_000).contains(&reads), "{reads}");
    fixture.estate.committed().expect("an export");
}
