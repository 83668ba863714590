//! Forged responses of Sophos Central.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};
use sophos_api::{Client, Credentials, Hosts, RateLimit, Transport, TransportError};
use sophos_isolation::{
    Decision, DecisionId, DecisionState, Engine, EngineError, Ledger, ReceivedSignal, adapters::Tool,
};
use sophos_store::Store;

use crate::support::{ACME, BETA, OTHER, TestPolicy, id};

/// A token that looks like ordinary text.
const TOKEN: &str = "opaque-access-token-0123456789abcdef";

/// Answers every listing of endpoints with this, and records the requests.
#[derive(Clone)]
struct ForgedTransport {
    endpoints: Value,
    isolation: Option<Value>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Transport for ForgedTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        _: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let path = request.uri().path();
        self.requests.lock().unwrap().push(format!("{} {path}", request.method()));
        let body = match path {
            "/api/v2/oauth2/token" => json!({
                "access_token": TOKEN, "expires_in": 3600, "token_type": "bearer", "errorCode": "success",
            }),
            "/whoami/v1" => json!({
                "id": ACME, "idType": "partner", "apiHosts": { "global": "http://central.test" },
            }),
            path if path.starts_with("/partner/v1/tenants/") => json!({
                "id": path.rsplit('/').next(), "apiHost": "http://central.test", "dataRegion": "eu01",
            }),
            "/endpoint/v1/endpoints" => json!({ "items": self.endpoints, "pages": { "size": 1 } }),
            path if path.ends_with("/isolation") && self.isolation.is_some() => json!(self.isolation),
            path => panic!("unexpected request for {path}"),
        };
        Ok(http::Response::new(serde_json::to_vec(&body).unwrap().into()))
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1_768_478_400)
    }

    async fn sleep(&self, _: Duration) {}
}

async fn refusal_code(endpoints: Value, host: Value) -> String {
    let forger = ForgedTransport { endpoints, isolation: None, requests: Arc::default() };
    let (worked, whole) = work_on(forger.clone(), host).await;
    assert!(matches!(worked, Ok(Some(DecisionState::Refused))), "{worked:?}");
    let requests = forger.requests.lock().unwrap().clone();
    assert!(!requests.iter().any(|request| request.ends_with("/isolation")), "{requests:?}");
    let last = serde_json::to_value(whole.entries().last().unwrap()).unwrap();
    last["code"].as_str().unwrap().to_owned()
}

/// Processes a decision about a host, and loads it.
async fn work_on(
    forger: ForgedTransport,
    host: Value,
) -> (Result<Option<DecisionState>, EngineError>, Decision) {
    let base = || "http://central.test".parse().unwrap();
    let client = Client::builder(forger.clone(), Credentials::new("id", "client-secret-of-this".to_owned()))
        .hosts(Hosts::new(base(), base()))
        .rate_limit(RateLimit::unlimited())
        .build();
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(Store::open(folder.path().to_str().unwrap()).unwrap());
    let received = ReceivedSignal {
        source: "edr".into(),
        tool: Tool::Generic,
        signal: serde_json::from_value(
            json!({ "action": "isolate", "severity": "high", "title": "", "tenant": ACME, "host": host }),
        )
        .unwrap(),
        alert: None,
        body_sha256: String::new(),
        source_ip: None,
        secret_stage: None,
        not_actionable: None,
    };
    let decision = DecisionId::from_event_id("edr", "event");
    ledger.create_decision(&decision, &received, forger.now()).await.unwrap();
    let engine = Engine::new(client, ledger, ());
    let mut worked =
        engine.process(&TestPolicy::default().policy(), std::slice::from_ref(&decision), None).await;
    let whole = engine.ledger().load_decision(&decision).await.unwrap().unwrap();
    (worked.remove(0).result, whole)
}

#[tokio::test]
async fn ledger_contains_no_token_echoed_by_the_service() {
    let name = format!("pc-1.{TOKEN}");
    let endpoint = json!({ "id": id(1), "hostname": name, "online": true, "tenant": { "id": ACME } });
    let isolation = json!({ "enabled": true, "comment": format!("by Bearer {TOKEN} and later with client-secret-of-this") });
    let forger = ForgedTransport {
        endpoints: json!([endpoint]),
        isolation: Some(isolation),
        requests: Arc::default(),
    };
    let (worked, whole) = work_on(forger, json!({ "hostnames": [name] })).await;
    assert!(matches!(worked, Ok(Some(DecisionState::AlreadyIsolated))), "{worked:?}");
    let last = serde_json::to_value(whole.entries().last().unwrap()).unwrap();
    assert_eq!(last["comment"], "by Bearer [redacted] and later with [redacted]", "{last}");
    assert_eq!(last["target"]["hostname"], "pc-1.[redacted]", "{last}");
}

#[tokio::test]
async fn lookup_rejects_an_endpoint_of_another_tenant() {
    for tenant in [BETA, OTHER] {
        let endpoint = json!({
            "id": id(1), "hostname": "pc-1", "online": true, "tenant": { "id": tenant },
        });
        assert_eq!(
            refusal_code(json!([endpoint]), json!({ "hostnames": ["pc-1"] })).await,
            "invalid_endpoint"
        );
    }
}

#[tokio::test]
async fn lookup_rejects_an_endpoint_without_a_valid_id() {
    for id in ["", "../../../../alerts", "1", "00000000-0000-4000-8000-00000000000g"] {
        let endpoint = json!({ "id": id, "hostname": "pc-1", "online": true, "tenant": { "id": ACME } });
        assert_eq!(
            refusal_code(json!([endpoint]), json!({ "hostnames": ["pc-1"] })).await,
            "invalid_endpoint",
            "{id}"
        );
    }
}

#[tokio::test]
async fn lookup_fails_on_invalid_items() {
    let good = json!({ "id": id(1), "hostname": "pc-1", "online": true, "tenant": { "id": ACME } });
    for bad in [json!({ "hostname": "pc-1" }), json!(null), json!("pc-1")] {
        let host = json!({ "hostnames": ["pc-1"] });
        assert_eq!(refusal_code(json!([good, bad]), host).await, "invalid_endpoint");
    }
}

#[tokio::test]
async fn lookup_ignores_an_endpoint_that_was_not_requested() {
    let endpoint = json!({ "id": id(2), "hostname": "pc-2", "online": true, "tenant": { "id": ACME } });
    for host in [json!({ "hostnames": ["pc-1"] }), json!({ "endpoint_id": id(1) })] {
        assert_eq!(refusal_code(json!([endpoint]), host).await, "not_found");
    }
}
