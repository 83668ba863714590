//! Tests of rotation: the built function, invoked by the emulator's Secrets Manager, with the
//! simulator.

use std::{sync::Arc, time::Duration};

use aws_sdk_secretsmanager::{Client, types::RotationRulesType};
use end_to_end::{
    LambdaService,
    moto::{Moto, Rotation},
    pipeline_env::{PREFIX, PipelineEnv, partner_config, secret_value, without_export_queue},
};
use local_lambda::{InvocationOutcome, Pool, Sandbox};
use serde_json::{Value, json};
use sophos_simulator::{
    CredentialInfo, CredentialKind, FaultAction, FaultPlan, FaultRule, Owner, TenantGroup,
};

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

struct Fixture {
    moto: Moto,
    secrets: Client,
    estate: PipelineEnv,
    function: Arc<Pool>,
    arn: String,
    secret: String,
    _lambda: LambdaService,
}

impl Fixture {
    /// Starts with a partner's credential in a rotatable secret, if the emulator is
    /// installed.
    async fn start(events: u64) -> Option<Self> {
        let lambda = LambdaService::start().await.expect("a service");
        let moto = Moto::start_with_lambda(&lambda.endpoint()).await.expect("the emulator serves")?;
        let mut config = partner_config(1, events);
        config.tenants.push(TenantGroup::new(Owner::Organization, 1));
        let estate = PipelineEnv::start(config, CredentialKind::Partner).await.expect("an estate");
        let function = Pool::start(estate.rotation_function(&moto), 2).await.expect("the function starts");
        let function = Arc::new(function);
        let arn = lambda.register("credential-rotation", Arc::clone(&function));
        let secrets = moto.secrets();
        let secret = format!("{PREFIX}partner");
        let value = secret_value(estate.env.credential());
        secrets.create_secret().name(&secret).secret_string(value).send().await.expect("a secret");
        Some(Self { moto, secrets, estate, function, arn, secret, _lambda: lambda })
    }

    /// Stages a credential, as the README describes.
    async fn stage_credential(&self, label: &str, value: &str) {
        let put = self.secrets.put_secret_value().secret_id(&self.secret).secret_string(value);
        put.version_stages(label).send().await.expect("a staged version");
    }

    /// Rotates until success or an error.
    async fn rotate(&self) -> Rotation {
        // Secrets Manager returns an error if the rotation before is incomplete, and
        // continues that one.
        drop(
            self.secrets.rotate_secret().secret_id(&self.secret).rotation_lambda_arn(&self.arn).send().await,
        );
        self.moto.rotations().await.expect("rotations").pop().expect("one at least")
    }

    async fn current(&self) -> String {
        let value = self.secrets.get_secret_value().secret_id(&self.secret).version_stage("AWSCURRENT");
        let value = value.send().await.expect("a value").secret_string.expect("text");
        let value: Value = serde_json::from_str(&value).expect("JSON");
        value["client_id"].as_str().expect("a client id").to_owned()
    }

    async fn labels(&self) -> Vec<String> {
        let described =
            self.secrets.describe_secret().secret_id(&self.secret).send().await.expect("a secret");
        let mut labels: Vec<_> =
            described.version_ids_to_stages.expect("versions").into_values().flatten().collect();
        labels.sort_unstable();
        labels
    }

    fn create_credential(&self, kind: CredentialKind) -> CredentialInfo {
        self.estate.create_credential(kind).expect("a credential")
    }

    async fn export(&self) -> Sandbox {
        without_export_queue(self.estate.with_secrets_manager(&self.moto))
            .start()
            .await
            .expect("the export starts")
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn staged_credential_is_promoted_during_an_export() {
    let Some(fixture) = Fixture::start(100_000).await else { panic!("missing EMULATOR_PYTHON") };
    let old = fixture.estate.env.credential().clone();
    let new = fixture.create_credential(CredentialKind::Partner);
    fixture.stage_credential("STAGED", &secret_value(&new)).await;
    let mut export = fixture.export().await;
    let rotate = async {
        let simulator = &fixture.estate.env.simulator;
        while simulator.calls().operation("siem.events") < 20 {
            tokio::task::yield_now().await;
        }
        let rotation = fixture.rotate().await;
        // The administrator deletes the old one in the console.
        assert!(simulator.remove_credential(&old.client_id));
        (rotation, simulator.calls().operation("siem.events"))
    };
    let (report, (rotation, page)) = tokio::join!(fixture.estate.env.run_export(&mut export), rotate);
    let report = report.expect("a report");
    assert_eq!((rotation.steps, rotation.error), (STEPS.map(str::to_owned).to_vec(), None));
    assert_eq!(fixture.current().await, new.client_id);
    assert_eq!(fixture.labels().await, ["AWSCURRENT", "AWSPREVIOUS"], "it is no longer staged");
    assert!(page < 100, "it was in the middle, not at page {page}");
    assert_eq!((&report["failed"], &report["unfinished"]), (&json!(0), &json!(0)), "{report}");
    let committed = fixture.estate.committed().expect("each record once");
    assert_eq!(committed.rows_of("events"), 100_000);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn unusable_staged_credential_leaves_the_current_one() {
    let Some(fixture) = Fixture::start(500).await else { panic!("missing EMULATOR_PYTHON") };
    let old = fixture.estate.env.credential().clone();

    // No credential is staged.
    let rotation = fixture.rotate().await;
    assert_eq!(rotation.steps, ["createSecret"]);
    let message = rotation.error.expect("an error of an empty pool");
    assert!(message.contains("put-secret-value") && message.contains("STAGED"), "{message}");
    assert_eq!(fixture.current().await, old.client_id);

    // A credential that is unknown to the service, one that has expired, and one of another
    // owner.
    let mut ended: Value =
        serde_json::from_str(&secret_value(&fixture.create_credential(CredentialKind::Partner)))
            .expect("JSON");
    ended["expires_at"] = json!("2020-01-01");
    fixture.stage_credential("STAGED", &ended.to_string()).await;
    let rotation = fixture.rotate().await;
    let message = rotation.error.expect("an error of an expired credential");
    assert!(message.contains("2020-01-01"), "{message}");

    let foreign = fixture.create_credential(CredentialKind::Organization);
    let unowned = json!({ "client_id": foreign.client_id, "client_secret": foreign.client_secret });
    fixture.stage_credential("STAGED_2", &unowned.to_string()).await;
    let rotation = fixture.rotate().await;
    let message = rotation.error.expect("an error of another owner");
    assert_eq!(rotation.steps, ["createSecret", "setSecret", "testSecret"], "{message}");
    assert!(message.contains(&foreign.client_id) && message.contains("organization"), "{message}");
    assert_eq!(fixture.current().await, old.client_id);

    let deleted = fixture.create_credential(CredentialKind::Partner);
    assert!(fixture.estate.env.simulator.remove_credential(&deleted.client_id));
    fixture.stage_credential("STAGED_2", &secret_value(&deleted)).await;
    let rotation = fixture.rotate().await;
    assert_eq!(rotation.steps, ["createSecret", "setSecret", "testSecret"]);
    assert_eq!(fixture.current().await, old.client_id);

    // The valid credential behind them becomes current.
    let good = fixture.create_credential(CredentialKind::Partner);
    fixture.stage_credential("STAGED_3", &secret_value(&good)).await;
    let rotation = fixture.rotate().await;
    assert_eq!((rotation.steps, rotation.error), (STEPS.map(str::to_owned).to_vec(), None));
    assert_eq!(fixture.current().await, good.client_id);
    let mut export = fixture.export().await;
    assert_eq!(fixture.estate.env.run_export(&mut export).await.expect("a report")["failed"], 0);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn failed_step_is_retried_with_the_same_version() {
    let Some(fixture) = Fixture::start(500).await else { panic!("missing EMULATOR_PYTHON") };
    let new = fixture.create_credential(CredentialKind::Partner);
    fixture.stage_credential("STAGED", &secret_value(&new)).await;
    let simulator = &fixture.estate.env.simulator;
    simulator.set_faults(FaultPlan::new([FaultRule::new("whoami", FaultAction::status(503))]));
    let failed = fixture.rotate().await;
    assert_eq!(failed.steps, ["createSecret", "setSecret", "testSecret"]);

    // The process is killed while it waits for the service.
    let slow = FaultAction::Delay { milliseconds: 30_000 };
    simulator.set_faults(FaultPlan::new([FaultRule::new("whoami", slow)]));
    simulator.reset_calls();
    let kill = async {
        while simulator.calls().operation("whoami") == 0 {
            tokio::task::yield_now().await;
        }
        fixture.function.kill_one().expect("a running process");
    };
    let (killed, ()) = tokio::join!(fixture.rotate(), kill);
    assert!(killed.error.is_some(), "{killed:?}");
    assert_eq!(killed.token, failed.token, "the earlier rotation continues");

    simulator.set_faults(FaultPlan::default());
    let done = fixture.rotate().await;
    assert_eq!((&done.token, &done.error), (&failed.token, &None));
    assert_eq!(fixture.current().await, new.client_id);
    assert_eq!(fixture.labels().await, ["AWSCURRENT", "AWSPREVIOUS"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn rotation_can_be_enabled_before_or_after_the_credential() {
    let Some(fixture) = Fixture::start(500).await else { panic!("missing EMULATOR_PYTHON") };
    let placeholder = format!("{PREFIX}second");
    let value = r#"{"no_credential_yet":"store one with put-secret-value","random":"hush-hush-hush"}"#;
    fixture.secrets.create_secret().name(&placeholder).secret_string(value).send().await.expect("a secret");
    let next = fixture.create_credential(CredentialKind::Partner);
    fixture.stage_credential("STAGED", &secret_value(&next)).await;
    fixture.estate.env.simulator.reset_calls();
    for secret in [&placeholder, &fixture.secret] {
        let rotate = fixture.secrets.rotate_secret().secret_id(secret).rotation_lambda_arn(&fixture.arn);
        let days = RotationRulesType::builder().automatically_after_days(365).build();
        rotate.rotation_rules(days).rotate_immediately(false).send().await.expect("it is arranged");
        let tried = fixture.moto.rotations().await.expect("rotations").pop().expect("one at least");
        assert_eq!((tried.steps, tried.error), (vec!["testSecret".to_owned()], None), "{secret}");
    }
    assert_eq!(fixture.labels().await, ["AWSCURRENT", "STAGED"], "what is staged stays where it is");
    assert_eq!(fixture.estate.env.simulator.calls().total, 0, "no request is needed");
    let logs = fixture.function.logs().join("\n");
    assert!(logs.contains("only tests the configuration") && !logs.contains("hush-hush"), "{logs}");

    // The schedule rotates the credential when it is due.
    let rotation = fixture.rotate().await;
    assert_eq!((rotation.steps, rotation.error), (STEPS.map(str::to_owned).to_vec(), None));
    assert_eq!(fixture.current().await, next.client_id);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn audit_reports_the_expiry_of_each_credential() {
    let Some(fixture) = Fixture::start(500).await else { panic!("missing EMULATOR_PYTHON") };
    let secret = |days: i64, more: Value| {
        let now = jiff::Timestamp::now();
        let ends = now + jiff::SignedDuration::from_hours(24 * days + 1);
        let mut value = json!({ "client_id": "an-id", "client_secret": "hush-hush-hush", "expires_at": ends.to_string() });
        value.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        value.to_string()
    };
    let more = [
        ("soon", secret(5, json!({}))),
        ("wide", secret(400, json!({ "role": "super_admin", "used_for": ["export"] }))),
        ("broken", "hush-hush-hush".to_owned()),
    ];
    for (name, value) in more {
        let create = fixture.secrets.create_secret().name(format!("{PREFIX}{name}")).secret_string(value);
        create.send().await.expect("a secret");
    }
    fixture.stage_credential("STAGED", &secret(300, json!({}))).await;
    let event = end_to_end::TestEnv::schedule_event();
    let InvocationOutcome::Ok(report) = fixture.function.invoke(&event).await.expect("a sandbox") else {
        panic!("a report")
    };
    let of = |name: &str| {
        let all = report["credentials"].as_array().expect("credentials").iter();
        all.clone().find(|one| one["name"] == format!("{PREFIX}{name}")).expect("it is watched").clone()
    };
    assert_eq!((&report["count"], &report["min_days_to_expiry"]), (&json!(4), &json!(5)), "{report}");
    assert_eq!(of("soon")["days_to_expiry"], 5);
    assert_eq!(of("wide")["overprivileged"], true);
    assert_eq!(of("broken")["unusable"], true);
    assert_eq!(of("partner")["staged"], 1);
    // Without an expiry in the secret, the time of storage gives the day.
    let life = of("partner")["days_to_expiry"].as_i64().expect("days");
    assert!((1_094..=1_097).contains(&life), "{life}");
    // The audit reads secrets, too. It must not count its own reads as use.
    let described =
        fixture.secrets.describe_secret().secret_id(&fixture.secret).send().await.expect("a secret");
    let tags = described.tags.expect("tags");
    assert!(tags.iter().any(|tag| tag.key() == Some("sophos-central:last-used")), "{tags:?}");
    assert_eq!(of("partner")["days_since_use"], 0);
    let logs = fixture.function.logs();
    let metrics: Vec<Value> = logs
        .iter()
        .filter(|line| line.contains("_aws"))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(metrics.len(), 5, "one for each, and one for all");
    let soon = metrics.iter().find(|line| line["Credential"] == format!("{PREFIX}soon")).expect("a line");
    assert_eq!(soon["DaysToExpiry"], 5.0);
    assert!(metrics.iter().any(|line| line["MinDaysToExpiry"] == 5.0 && line["UnusableCredentials"] == 1.0));
    assert!(!logs.join("\n").contains("hush-hush"), "a secret is in the log");
    tokio::time::timeout(Duration::from_secs(60), fixture.function.stop()).await.expect("it stops");
}
