//! Tests of the isolation functions with Secrets Manager: the keys of senders, and the
//! credential.

use end_to_end::{
    isolation::{
        Delivery, ENFORCE_POLICY, IsolationEnv, parse_decision_id, simulator_config, unix_now, webhook_secret,
    },
    moto::Moto,
};
use local_lambda::{FunctionUrl, LambdaFunction};
use serde_json::{Value, json};
use sophos_isolation::DecisionState;
use sophos_simulator::CredentialKind;

const KEY: &str = "sophos/webhooks/generic";

struct Fixture {
    moto: Moto,
    env: IsolationEnv,
}

impl Fixture {
    /// Starts an environment with all secrets in Secrets Manager, if the emulator is
    /// installed.
    async fn start() -> Option<Self> {
        let moto = Moto::start().await.expect("the emulator serves")?;
        let env = IsolationEnv::start(simulator_config(9), CredentialKind::Tenant, ENFORCE_POLICY)
            .await
            .expect("an environment");
        let credential = env.simulator.credentials().remove(0);
        let value = json!({
            "client_id": credential.client_id,
            "client_secret": credential.client_secret,
            "tenant_id": credential.principal_id,
            "role": "management",
            "used_for": ["isolation"],
        });
        let secrets = [
            ("sophos/credentials/acme", value.to_string()),
            (KEY, webhook_secret("webhooks/generic").to_owned()),
        ];
        for (name, value) in secrets {
            moto.secrets().create_secret().name(name).secret_string(value).send().await.expect("a secret");
        }
        Some(Self { moto, env })
    }

    fn managed(&self, function: LambdaFunction) -> LambdaFunction {
        let function = self.moto.configure(function);
        ["WEBHOOK_SECRETS_FILE", "SOPHOS_CLIENT_ID", "SOPHOS_CLIENT_SECRET", "SOPHOS_CREDENTIALS_FILE"]
            .into_iter()
            .fold(function, LambdaFunction::env_remove)
            .env("WEBHOOK_SECRETS_PREFIX", "sophos/")
            .env("SOPHOS_SECRETS_PREFIX", "sophos/credentials/")
            .env("AWS_ACCESS_KEY_ID", "AKIALOOPBACK")
            .env("AWS_SECRET_ACCESS_KEY", "a-secret-key-of-the-tests")
    }

    async fn webhook(&self) -> FunctionUrl {
        FunctionUrl::start(self.managed(self.env.webhook()), 1).await.expect("the webhook starts")
    }

    async fn rotate(&self, key: &str) {
        let put = self.moto.secrets().put_secret_value().secret_id(KEY).secret_string(key);
        put.send().await.expect("a version");
    }
}

/// Sends an event about a machine, signed with this key.
async fn send(webhook: &FunctionUrl, machine: usize, key: &str) -> (u16, Value) {
    let body = json!({
        "event_id": format!("event {machine}"),
        "target": { "endpoint_id": end_to_end::isolation::machine_id(machine) },
        "reason": "beacon",
    });
    let delivery = Delivery::generic("soar", &body, key, unix_now());
    delivery.send(&reqwest::Client::new(), &webhook.url()).await.expect("a response")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn only_current_and_previous_key_are_accepted_on_rotation() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    let old = webhook_secret("webhooks/generic");
    let webhook = fixture.webhook().await;
    let (status, response) = send(&webhook, 1, old).await;
    assert_eq!(status, 202, "{response}\n{}", webhook.logs().join("\n"));
    let id = parse_decision_id(&response).expect("a decision");
    assert_eq!(fixture.env.state(&id).await.expect("a state"), DecisionState::Requested);

    // A new process reads both keys.
    fixture.rotate("another-key-0123456789abcdef").await;
    let webhook = fixture.webhook().await;
    assert_eq!(send(&webhook, 2, old).await.0, 202);
    assert_eq!(send(&webhook, 3, "another-key-0123456789abcdef").await.0, 202);
    assert_eq!(send(&webhook, 4, "a-forged-key-0123456789abcdef").await.0, 401);

    fixture.rotate("a-third-key-0123456789abcdef").await;
    let webhook = fixture.webhook().await;
    assert_eq!(send(&webhook, 5, old).await.0, 401, "it is neither current nor previous");
    assert_eq!(send(&webhook, 6, "another-key-0123456789abcdef").await.0, 202);
    assert_eq!(fixture.env.simulator.isolation_changes().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn warm_process_fetches_the_key_once() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    let webhook = fixture.webhook().await;
    fixture.moto.reset_calls().await.expect("counts");
    for machine in 1..=6 {
        assert_eq!(send(&webhook, machine, webhook_secret("webhooks/generic")).await.0, 202);
    }
    let calls = fixture.moto.calls().await.expect("counts");
    let reads: Vec<_> = calls.iter().filter(|(name, _)| name.starts_with("secretsmanager.")).collect();
    let of = |name: &str| calls.get(&format!("secretsmanager.{name}")).copied().unwrap_or_default();
    // Both versions of the key; the credential by its list.
    assert_eq!((of("GetSecretValue"), of("ListSecrets"), of("BatchGetSecretValue")), (2, 1, 1), "{reads:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn credential_for_another_use_does_not_isolate() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    let store = async |used_for: Value| {
        let secrets = fixture.moto.secrets();
        let (secret, credential) = ("sophos/credentials/acme", fixture.env.simulator.credentials().remove(0));
        let value = json!({
            "client_id": credential.client_id,
            "client_secret": credential.client_secret,
            "used_for": used_for,
        });
        let put = secrets.put_secret_value().secret_id(secret).secret_string(value.to_string());
        put.send().await.expect("a version");
    };
    store(json!(["export"])).await;
    let webhook = fixture.webhook().await;
    let (status, response) = send(&webhook, 1, webhook_secret("webhooks/generic")).await;
    let logs = webhook.logs().join("\n").replace('\\', "");
    let what_to_do = r#"credentials/acme is not used for isolation: add "isolation" to its used_for"#;
    assert!(status == 503 && logs.contains(what_to_do), "{status} {response}\n{logs}");
    assert_eq!(fixture.env.simulator.calls().total, 0);

    store(json!(["export", "isolation"])).await;
    let webhook = fixture.webhook().await;
    let (status, response) = send(&webhook, 1, webhook_secret("webhooks/generic")).await;
    // The event was recorded the first time.
    assert_eq!(status, 200, "{response}\n{}", webhook.logs().join("\n"));
    let id = parse_decision_id(&response).expect("a decision");
    assert_eq!(fixture.env.state(&id).await.expect("a state"), DecisionState::Requested);
}
