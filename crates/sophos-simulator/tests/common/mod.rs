//! A small HTTP client for the tests.
#![allow(dead_code, reason = "no test uses all of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use reqwest::Method;
use serde_json::{Value, json};
use sophos_simulator::{Config, CredentialInfo, DataConfig, Owner, Simulator, TenantGroup};

pub(crate) const START: &str = "2026-01-15T12:00:00Z";
pub(crate) const START_MS: i64 = 1_768_478_400_000;
pub(crate) const DAY_MS: i64 = 86_400_000;

/// A complete response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }
}

/// A fixed clock, regular feeds, no irregular forms.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.clock.start = Some(START.to_owned());
    config.data = DataConfig::default().without_anomalies();
    config.quirks.size_is_count = 0.0;
    config.quirks.rare_error_forms = 0.0;
    config
}

/// One partner tenant with these amounts.
pub(crate) fn one_tenant(events_per_hour: f64, alerts_per_hour: f64, endpoints: u64) -> Config {
    Config {
        tenants: vec![TenantGroup {
            events_per_hour: Some(events_per_hour),
            alerts_per_hour: Some(alerts_per_hour),
            endpoints: Some(endpoints),
            ..TenantGroup::new(Owner::Partner, 1)
        }],
        ..config()
    }
}

pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

pub(crate) fn credential(sim: &Simulator, id_type: &str, role: &str) -> CredentialInfo {
    let mut all = sim.credentials().into_iter();
    all.find(|c| c.id_type == id_type && c.role == role).unwrap()
}

/// A client with one credential.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Result<Reply, reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await?;
    Ok(Reply { status, headers, text })
}

pub(crate) async fn request_token(sim: &Simulator, client_id: &str, secret: &str, scope: &str) -> Reply {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret),
        ("scope", scope),
    ];
    let encoded: Vec<String> = form
        .iter()
        .map(|(name, value)| {
            let bytes = value.bytes().map(|b| format!("%{b:02X}"));
            format!("{name}={}", bytes.collect::<String>())
        })
        .collect();
    let request = http()
        .post(format!("{}/api/v2/oauth2/token", sim.identity_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encoded.join("&"));
    send(request).await.unwrap()
}

impl Client {
    pub(crate) async fn new(sim: &Simulator, id_type: &str, role: &str) -> Self {
        let credential = credential(sim, id_type, role);
        let reply = request_token(sim, &credential.client_id, &credential.client_secret, "token").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        Self { http: http(), token: reply.json()["access_token"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn partner(sim: &Simulator) -> Self {
        Self::new(sim, "partner", "super_admin").await
    }

    pub(crate) fn request(
        &self,
        method: &str,
        url: &str,
        scope: Option<(&str, &str)>,
        body: Option<&Value>,
    ) -> reqwest::RequestBuilder {
        let method: Method = method.parse().unwrap();
        let mut request =
            self.http.request(method, url).header("authorization", format!("Bearer {}", self.token));
        if let Some((name, value)) = scope {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        request
    }

    pub(crate) async fn get(&self, url: &str, scope: Option<(&str, &str)>) -> Reply {
        send(self.request("GET", url, scope, None)).await.unwrap()
    }
}

/// A client and one of its tenants.
#[derive(Debug)]
pub(crate) struct TenantClient<'a> {
    pub(crate) client: &'a Client,
    pub(crate) host: String,
    pub(crate) tenant: String,
}

impl<'a> TenantClient<'a> {
    /// The simulator's tenant with this index.
    pub(crate) fn new(sim: &Simulator, client: &'a Client, number: usize) -> Self {
        let tenant = sim.tenants()[number].clone();
        Self { client, host: sim.region_url(&tenant.region).unwrap(), tenant: tenant.id }
    }

    pub(crate) async fn try_get(&self, path: &str) -> Result<Reply, reqwest::Error> {
        let scope = Some(("X-Tenant-ID", self.tenant.as_str()));
        let url = format!("{}{path}", self.host);
        send(self.client.request("GET", &url, scope, None)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.try_get(path).await.unwrap()
    }

    pub(crate) async fn get_ok(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.json()
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        let scope = Some(("X-Tenant-ID", self.tenant.as_str()));
        let url = format!("{}{path}", self.host);
        let request = self.client.request(method, &url, scope, Some(&body));
        send(request).await.unwrap()
    }

    /// The ids of all pages of a SIEM feed, and the last cursor.
    pub(crate) async fn collect_ids(
        &self,
        feed: &str,
        limit: u32,
        cursor: Option<String>,
    ) -> (Vec<String>, String) {
        let mut ids = Vec::new();
        let mut cursor = cursor;
        loop {
            let from = cursor.map(|c| format!("&cursor={c}")).unwrap_or_default();
            let page = self.get_ok(&format!("/siem/v1/{feed}?limit={limit}{from}")).await;
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit as usize);
            ids.extend(items.iter().map(|i| text(&i["id"])));
            let next = text(&page["next_cursor"]);
            if page["has_more"] == json!(false) {
                return (ids, next);
            }
            assert_eq!(items.len(), limit as usize);
            cursor = Some(next);
        }
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(crate) fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| text(&item["id"])).collect()
}

/// A file of the recorded material, beside the checkout or in `RECORDED_MATERIAL`.
pub(crate) fn recorded(path: &str) -> Value {
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("RECORDED_MATERIAL").map_or_else(beside, std::path::PathBuf::from);
    let file = root.join(path);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap()
}
