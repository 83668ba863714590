//! A service, or somebody in its place, that names what it should not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};
use sophos_api::{Client, Credentials, Hosts, RateBudget, Transport, TransportError};
use sophos_isolation::{DecisionId, Engine, Ledger, Received, State, adapters::Tool};
use sophos_store::Store;

use crate::support::{ACME, BETA, OTHER, Rules, id};

/// Answers every listing of endpoints with this, and keeps what was asked.
#[derive(Clone)]
struct Forger {
    endpoints: Value,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Transport for Forger {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        _: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let path = request.uri().path();
        self.asked.lock().unwrap().push(format!("{} {path}", request.method()));
        let answer = match path {
            "/api/v2/oauth2/token" => json!({
                "access_token": "a", "expires_in": 3600, "token_type": "bearer", "errorCode": "success",
            }),
            "/whoami/v1" => json!({
                "id": ACME, "idType": "partner", "apiHosts": { "global": "http://central.test" },
            }),
            path if path.starts_with("/partner/v1/tenants/") => json!({
                "id": path.rsplit('/').next(), "apiHost": "http://central.test", "dataRegion": "eu01",
            }),
            "/endpoint/v1/endpoints" => json!({ "items": self.endpoints, "pages": { "size": 1 } }),
            path => panic!("nobody should ask for {path}"),
        };
        Ok(http::Response::new(serde_json::to_vec(&answer).unwrap().into()))
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1_768_478_400)
    }

    async fn sleep(&self, _: Duration) {}
}

async fn code(endpoints: Value, host: Value) -> String {
    let forger = Forger { endpoints, asked: Arc::default() };
    let base = || "http://central.test".parse().unwrap();
    let client = Client::builder(forger.clone(), Credentials::new("id", "secret".to_owned()))
        .hosts(Hosts::at(base(), base()))
        .budget(RateBudget::unlimited())
        .build();
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(Store::open(folder.path().to_str().unwrap()).unwrap());
    let received = Received {
        source: "edr".into(),
        tool: Tool::Generic,
        signal: serde_json::from_value(
            json!({ "action": "isolate", "severity": "high", "title": "", "tenant": ACME, "host": host }),
        )
        .unwrap(),
        alert: None,
        body_sha256: String::new(),
        from: None,
        key: None,
        not_actionable: None,
    };
    let decision = DecisionId::of("edr", "event");
    ledger.begin(&decision, &received, forger.now()).await.unwrap();
    let engine = Engine::new(client, ledger, ());
    let worked = engine.work(&Rules::default().policy(), std::slice::from_ref(&decision), None).await;
    assert!(matches!(worked[0].outcome, Ok(Some(State::Refused))), "{worked:?}");
    let asked = forger.asked.lock().unwrap().clone();
    assert!(!asked.iter().any(|asked| asked.ends_with("/isolation")), "{asked:?}");
    let whole = engine.ledger().decision(&decision).await.unwrap().unwrap();
    let last = serde_json::to_value(whole.entries().last().unwrap()).unwrap();
    last["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_endpoint_of_another_tenant_is_foreign() {
    for tenant in [BETA, OTHER] {
        let endpoint = json!({
            "id": id(1), "hostname": "pc-1", "online": true, "tenant": { "id": tenant },
        });
        assert_eq!(code(json!([endpoint]), json!({ "hostnames": ["pc-1"] })).await, "foreign");
    }
}

#[tokio::test]
async fn an_endpoint_without_a_proper_id_is_foreign() {
    for id in ["", "../../../../alerts", "1", "00000000-0000-4000-8000-00000000000g"] {
        let endpoint = json!({ "id": id, "hostname": "pc-1", "online": true, "tenant": { "id": ACME } });
        assert_eq!(code(json!([endpoint]), json!({ "hostnames": ["pc-1"] })).await, "foreign", "{id}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_not_passed_over() {
    let good = json!({ "id": id(1), "hostname": "pc-1", "online": true, "tenant": { "id": ACME } });
    for bad in [json!({ "hostname": "pc-1" }), json!(null), json!("pc-1")] {
        let host = json!({ "hostnames": ["pc-1"] });
        assert_eq!(code(json!([good, bad]), host).await, "foreign");
    }
}

#[tokio::test]
async fn an_endpoint_that_was_not_asked_for_is_not_found() {
    let endpoint = json!({ "id": id(2), "hostname": "pc-2", "online": true, "tenant": { "id": ACME } });
    for host in [json!({ "hostnames": ["pc-1"] }), json!({ "endpoint_id": id(1) })] {
        assert_eq!(code(json!([endpoint]), host).await, "not_found");
    }
}
