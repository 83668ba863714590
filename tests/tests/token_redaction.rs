//! Tests with a service that repeats requests in its responses. No response, log or object of
//! the functions contains the secret or a token.

use std::{collections::BTreeMap, fs, path::Path};

use end_to_end::{
    TestEnv,
    isolation::{Delivery, ENFORCE_POLICY, IsolationEnv, hostname, simulator_config},
};
use local_lambda::FunctionUrl;
use serde_json::json;
use sophos_simulator::{
    Config, CredentialConfig, CredentialInfo, CredentialKind, FaultAction, FaultPlan, FaultRule, Owner, Role,
    TenantGroup,
};

/// The prefix of the simulator's tokens.
const TOKEN: &str = "eyJhbGci";

const REDACTED: &str = "[redacted]";

fn echo(operation: &str, status: u16) -> FaultPlan {
    FaultPlan::new([FaultRule::new(operation, FaultAction::Echo { status })])
}

/// Fails if a text contains the token or the secret, in any form of the echo.
#[track_caller]
fn assert_clean<'t>(credential: &CredentialInfo, texts: impl IntoIterator<Item = &'t String>) {
    let longest = credential.client_secret.split(|c: char| !c.is_ascii_alphanumeric());
    let longest = longest.max_by_key(|part| part.len()).expect("a part");
    assert!(longest.len() >= 8, "a part that is found again");
    for text in texts {
        for needle in [TOKEN, longest, &credential.client_secret] {
            assert!(!text.contains(needle), "{needle} is in {text}");
        }
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = fs::read(&path).expect("a file");
            files.insert(path.to_string_lossy().into_owned(), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn export_redacts_a_token_echoed_by_the_service() {
    let config = Config {
        tenants: vec![TenantGroup::new(Owner::Partner, 2)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        ..Config::default()
    };
    let env = TestEnv::start(config, CredentialKind::Partner).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    for (operation, status) in [
        ("token", 401),
        ("token", 400),
        ("whoami", 403),
        ("partner.tenants", 400),
        ("siem.events", 403),
        ("siem.alerts", 409),
        ("*", 401),
    ] {
        let function = env.export_function(&folder.path().to_string_lossy()).env("LOG_LEVEL", "trace");
        let mut sandbox = function.start().await.expect("the function starts");
        env.simulator.set_faults(echo(operation, status));
        let outcome = sandbox.invoke(&TestEnv::schedule_event()).await;
        let mut texts = vec![format!("{outcome:?}")];
        texts.extend(sandbox.stop().await.logs);
        assert_clean(env.credential(), &texts);
        assert!(texts.iter().any(|text| text.contains(REDACTED)), "{operation}: {texts:#?}");
    }
    let mut files = BTreeMap::new();
    collect(folder.path(), &mut files);
    assert_clean(env.credential(), files.values());
}

#[tokio::test(flavor = "multi_thread")]
async fn isolation_redacts_a_token_echoed_by_the_service() {
    let env = IsolationEnv::start(simulator_config(8), CredentialKind::Tenant, ENFORCE_POLICY)
        .await
        .expect("an environment");
    let webhook = FunctionUrl::start(env.webhook().env("LOG_LEVEL", "trace"), 1).await;
    let webhook = webhook.expect("the webhook");
    let mut worker = env.worker().env("LOG_LEVEL", "trace").start().await.expect("the worker");
    let http = reqwest::Client::new();
    let mut texts = Vec::new();
    let operations =
        ["token", "whoami", "endpoints.list", "isolation.get", "isolation.bulk", "endpoints.get"];
    for (number, operation) in (1..).zip(operations) {
        // Known tenants are not requested again.
        env.simulator.revoke_tokens();
        env.simulator.set_faults(echo(operation, 403));
        let delivery = Delivery::isolate(&number.to_string(), &hostname(number));
        let (_, response) = delivery.send(&http, &webhook.url()).await.expect("a response");
        texts.push(response.to_string());
        for order in [json!({ "show": response["decision"] }), json!({ "follow_up": "all" })] {
            texts.push(format!("{:?}", worker.invoke(&order).await));
        }
    }
    texts.extend(webhook.stop().await.into_iter().flat_map(|stopped| stopped.logs));
    texts.extend(worker.stop().await.logs);
    let objects = env.objects().expect("objects").into_values();
    let objects: Vec<_> = objects.map(|body| String::from_utf8_lossy(&body).into_owned()).collect();
    assert_clean(env.credential(), texts.iter().chain(&objects));
    for (what, texts) in [("what is said", &texts), ("the ledger", &objects)] {
        assert!(texts.iter().any(|text| text.contains(REDACTED)), "{what}: {texts:#?}");
    }
}
