//! The webhook as senders, approvers and unauthenticated callers see it.

mod accounts;
mod approval;
mod approval_links;
mod certificates;
mod conditions;
mod delivery;
mod disabled;
mod dry_run;
mod events;
mod handshakes;
mod identity;
mod information_disclosure;
#[cfg(feature = "public-keys")]
mod jwt;
mod keys;
mod layouts;
mod parse_failure;
mod properties;
mod replay;
mod request_cost;
mod sender_layouts;
#[cfg(feature = "public-keys")]
mod sns;
mod static_secrets;
mod test_env;
mod time;
mod unauthenticated;
mod verification;
mod version_stages;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

#[cfg(feature = "public-keys")]
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use sophos_isolation::{
    policy::Policy,
    verify::{Keys, Verification},
    webhook::{Request, Response},
};

use self::test_env::TestEnv;

/// The time of these tests.
const NOW: Duration = Duration::from_secs(1_790_000_000);

const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";

/// A part of every secret, by which a printed one is found.
const SECRET_MARKER: &str = "5ecre7";

/// The current value of a secret.
fn current_value(name: &str) -> String {
    format!("{SECRET_MARKER}-of-{name}")
}

/// The previous value of a secret.
fn previous_value(name: &str) -> String {
    format!("old-{SECRET_MARKER}-of-{name}")
}

fn keys(current: &str, previous: Option<&str>) -> Keys {
    Keys::new(current.into(), previous.map(Into::into))
}

const POLICY: &str = r#"
version = 1

[approve]
secret = "approval"

[sources.scripts]
tool = "generic"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
verify = { scheme = "signature", secret = "scripts" }

[sources.pd]
tool = "pagerduty"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
verify = { scheme = "signature", secret = "pd" }

[sources.office]
tool = "generic"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
allow_from = ["203.0.113.0/24", "2001:db8::/32"]
content_types = ["text/plain"]
verify = { scheme = "bearer", secret = "office" }

[sources.splunk]
tool = "splunk"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
verify = { scheme = "path", secret = "splunk" }
fields = { hostname = "/result/dest_host" }

[sources.okta]
tool = "okta"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
verify = { scheme = "header", secret = "okta", header = "Authorization" }

[sources.elastic]
tool = "elastic"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
verify = { scheme = "basic", secret = "elastic", user = "kibana" }

[sources.defender]
tool = "microsoft_defender"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
verify = { scheme = "bearer", secret = "defender" }

[sources.sentinel]
tool = "microsoft_sentinel"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
verify = { scheme = "bearer", secret = "sentinel" }

[sources.guardduty]
tool = "guardduty"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
accounts = { "123456789012" = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f" }

[sources.hub]
tool = "security_hub"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
accounts = { "123456789012" = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f" }
"#;

fn post(path: &str, body: impl Into<Vec<u8>>) -> Request {
    let request =
        Request { method: "POST".into(), path: path.into(), body: body.into(), ..Request::default() };
    request.with_header("content-type", "application/json")
}

fn get(path: &str) -> Request {
    Request { method: "GET".into(), path: path.into(), ..Request::default() }
}

trait RequestExt {
    /// With this header in place of any other of its name.
    fn with_header(self, name: &str, value: impl Into<String>) -> Self;
    fn without_header(self, name: &str) -> Self;
}

impl RequestExt for Request {
    fn with_header(self, name: &str, value: impl Into<String>) -> Self {
        let mut request = self.without_header(name);
        request.headers.push((name.into(), value.into()));
        request
    }

    fn without_header(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| own != name);
        self
    }
}

fn hmac_sha256(key: &str, signed: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length");
    mac.update(signed);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64_standard(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(feature = "public-keys")]
fn base64_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The generic layout's signature.
fn v1_signature(key: &str, time: &str, body: &[u8]) -> String {
    format!("v1={}", hex(&hmac_sha256(key, &[time.as_bytes(), b".", body].concat())))
}

/// A delivery of the source `scripts`, made now.
fn signed_request(body: impl Into<Vec<u8>>) -> Request {
    let (time, body) = (NOW.as_secs().to_string(), body.into());
    let signature = v1_signature(&current_value("scripts"), &time, &body);
    post("/hooks/scripts", body)
        .with_header("x-sophos-timestamp", time)
        .with_header("x-sophos-signature", signature)
}

/// A body in our own form.
fn alert_body(event: &str) -> String {
    let target = json!({ "hostname": "ws-042" });
    json!({ "event_id": event, "target": target, "severity": "high", "title": "beacon" }).to_string()
}

/// The ids in a response.
fn decision_ids(response: &Response) -> Vec<String> {
    let body: Value = serde_json::from_str(&response.body).expect("JSON");
    let ids: Vec<String> = serde_json::from_value(body["decisions"].clone()).expect("ids");
    assert_eq!(body["decision"].as_str(), ids.first().map(String::as_str));
    ids
}

/// The verification that a policy parses from a `verify` table.
fn verification(tool: &str, table: &str) -> Verification {
    parse_verification(tool, &format!("secret = \"x\", {table}"))
}

/// The same of a scheme without a secret.
fn verification_without_secret(table: &str) -> Verification {
    parse_verification("generic", table)
}

fn parse_verification(tool: &str, table: &str) -> Verification {
    let text = format!(
        "version = 1\n[sources.x]\ntool = \"{tool}\"\ntenants = [\"{TENANT}\"]\nverify = {{ {table} }}"
    );
    let policy = Policy::parse(&text).expect("a policy");
    policy.source("x").expect("the source").verification.clone()
}

/// A webhook of the recorded material: beside the checkout, or where the variable says.
fn recorded(path: &str) -> Vec<u8> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("RECORDED_MATERIAL").map_or_else(beside, PathBuf::from);
    let file = root.join("fixtures/webhooks").join(path);
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
