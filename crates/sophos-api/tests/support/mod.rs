//! A scripted service with a manual clock.

// Each test file is a crate, and uses a part of this module.
#![allow(dead_code, unused_imports)]

pub(crate) mod script;
pub(crate) mod source;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub(crate) use script::{ScriptedResponse, ScriptedTransport, SentRequest};
use serde_json::{Value, json};
use sophos_api::{
    Client, Credentials, Error, Operation, RateLimit, RetryPolicy, TenantClient, models::Tenant,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A secret that is easy to find in any output.
pub(crate) const SECRET: &str = "5ecre7-of-the-credential";

/// The id of the owner of each credential.
pub(crate) const OWN_ID: &str = "5AC55058-622D-4929-8E5D-8FF554F312FE";

/// The tenant of most tests.
pub(crate) const TENANT_ID: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";

pub(crate) fn credentials() -> Credentials {
    Credentials::new("client-id", SECRET)
}

/// A client without a rate limit.
pub(crate) fn client(script: &Arc<ScriptedTransport>) -> Client<Arc<ScriptedTransport>> {
    client_with(script, RateLimit::unlimited(), RetryPolicy::default())
}

pub(crate) fn client_with(
    script: &Arc<ScriptedTransport>,
    rate_limit: RateLimit,
    retry_policy: RetryPolicy,
) -> Client<Arc<ScriptedTransport>> {
    Client::builder(Arc::clone(script), credentials())
        .rate_limit(rate_limit)
        .retry_policy(retry_policy)
        .build()
}

/// A handle of the usual tenant.
pub(crate) fn tenant(client: &Client<Arc<ScriptedTransport>>) -> TenantClient<Arc<ScriptedTransport>> {
    tenant_with_id(client, TENANT_ID)
}

pub(crate) fn tenant_with_id(
    client: &Client<Arc<ScriptedTransport>>,
    id: &str,
) -> TenantClient<Arc<ScriptedTransport>> {
    let record = tenant_record(json!({"id": id, "apiHost": "https://api-eu01.central.sophos.com"}));
    client.for_tenant(&record).expect("a host under the domain")
}

pub(crate) fn tenant_record(json: Value) -> Tenant {
    serde_json::from_value(json).expect("a tenant's record")
}

pub(crate) fn whoami(id_type: &str) -> Value {
    let mut hosts = json!({"global": "https://api.central.sophos.com"});
    if id_type == "tenant" {
        hosts["dataRegion"] = json!("https://api-eu02.central.sophos.com");
    }
    json!({"id": OWN_ID, "idType": id_type, "apiHosts": hosts})
}

/// The last page of a listing by key.
pub(crate) fn last_page(ids: &[&str]) -> ScriptedResponse {
    let items: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    ScriptedResponse::json(json!({"items": items, "pages": {"size": 50, "maxSize": 500}}))
}

/// Parses a response as an operation does.
pub(crate) fn parse_response<O: Operation>(
    status: u16,
    body: impl Into<Vec<u8>>,
) -> Result<O::Response, Error> {
    let body: Vec<u8> = body.into();
    O::parse_response(&http::Response::builder().status(status).body(body.into()).expect("a response"))
}

/// A body in a format of the service, with invented values.
pub(crate) fn fixture(file: &str) -> String {
    read_text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(file))
}

/// The path of recorded material: beside the checkout, or in the folder of the variable.
pub(crate) fn recorded(path: &str) -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("RECORDED_MATERIAL").map_or_else(beside, PathBuf::from).join(path)
}

pub(crate) fn read_text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
