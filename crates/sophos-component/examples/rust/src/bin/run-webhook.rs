//! The webhook for the tests. The first line of standard input has the settings, the
//! others have commands.
//!
//! The settings are `component`, `service`, `policy` and `secrets` (files), `ledger` (a
//! folder), `outcomes` (a file for JSON lines, or null) and `queue` (the same for
//! decisions). The credential is in the environment. A command is `{"call":
//! "follow-up", "arguments": ["due"]}`, a function of `decisions`.
//!
//! The first line of output is `{"listening": <address>}`. The others are
//! `{"audit_record": …}` for each entry of the audit log, and `{"ok": …}` or
//! `{"failure": …}` for each command.

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use central_host::{
    AllowedHttp, AuthProvider, CallOutcome, DynamicCall,
    bindings::sophos::central::credentials::{Access, BaseUrls, Client, Grant, Service},
    webhook::{
        self, Callback, FolderStore, Webhook, WebhookHost,
        bindings::sophos::central::{policy::PolicySettings, webhook_secrets::Keys},
        json_lines,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
};
use wasmtime::{Result, error::Context};

const MAX_CONCURRENT_REQUESTS: u32 = 16;

#[derive(Deserialize)]
struct Settings {
    component: PathBuf,
    service: ServiceUrls,
    policy: PathBuf,
    secrets: PathBuf,
    ledger: PathBuf,
    outcomes: Option<PathBuf>,
    queue: Option<PathBuf>,
}

#[derive(Deserialize)]
struct ServiceUrls {
    identity: String,
    global: String,
}

#[derive(Deserialize)]
struct Secrets {
    secrets: HashMap<String, Secret>,
}

#[derive(Deserialize)]
struct Secret {
    current: String,
    previous: Option<String>,
}

#[derive(Deserialize)]
struct Command {
    call: String,
    arguments: Vec<Value>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut commands = BufReader::new(tokio::io::stdin()).lines();
    let settings: Settings = serde_json::from_str(&commands.next_line().await?.context("missing settings")?)?;
    let obtain = auth_provider(&settings.service)?;
    let requests = AllowedHttp::new(reqwest::Client::builder().no_proxy(), |host| host == "127.0.0.1")?;
    let engine = central_host::pooling_engine(MAX_CONCURRENT_REQUESTS + 1)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let component = settings.component.clone();
    let host = webhook_host(settings, address.clone());
    let webhook = Arc::new(Webhook::load(&engine, &component, host, obtain, requests)?);

    println!("{}", json!({"listening": address}));
    tokio::spawn(webhook::serve(Arc::clone(&webhook), listener, MAX_CONCURRENT_REQUESTS));
    while let Some(command) = commands.next_line().await? {
        let Command { call, arguments } = serde_json::from_str(&command)?;
        let call =
            DynamicCall { interface: "decisions", function: &call, arguments: &arguments, tenant: None };
        let answer = match webhook.session().await?.call(call).await {
            Ok((CallOutcome::Ok(value), _)) => json!({"ok": value}),
            Ok((CallOutcome::Failure(error), _)) => json!({"failure": error}),
            Ok((CallOutcome::Absent, _)) => json!({"failure": "unknown function"}),
            Err(error) => json!({"failure": format!("{error:#}")}),
        };
        println!("{answer}");
    }
    Ok(())
}

fn webhook_host(settings: Settings, address: String) -> WebhookHost {
    let Settings { policy, secrets, ledger, outcomes, queue, .. } = settings;
    WebhookHost {
        secrets: Box::new(move |name| {
            let text = fs::read_to_string(&secrets).map_err(|error| error.to_string())?;
            let mut all: Secrets = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
            let Secret { current, previous } =
                all.secrets.remove(name).ok_or_else(|| format!("unknown secret \"{name}\""))?;
            Ok(Keys { current, previous })
        }),
        ledger: FolderStore::new(ledger),
        policy: Box::new(move || {
            let text = fs::read_to_string(&policy).map_err(|error| error.to_string())?;
            Ok(PolicySettings { text, webhook_url: Some(address.clone()), client_ip_header: None })
        }),
        audit_log: Box::new(|record| {
            println!("{}", json!({"audit_record": json_lines::audit_record(record)}))
        }),
        outcomes: outcomes.map(|file| {
            let publish: Callback<_> =
                Box::new(move |outcome| append_line(&file, &json_lines::outcome(&outcome)));
            publish
        }),
        queue: queue.map(|file| {
            let enqueue: Callback<Vec<String>> =
                Box::new(move |decisions| append_line(&file, &json!(decisions)));
            enqueue
        }),
    }
}

fn append_line(file: &Path, line: &Value) -> Result<(), String> {
    json_lines::append_line(file, line).map_err(|error| error.to_string())
}

fn auth_provider(service: &ServiceUrls) -> Result<AuthProvider> {
    let client = Client {
        id: env::var("SOPHOS_CLIENT_ID").context("missing SOPHOS_CLIENT_ID")?,
        secret: env::var("SOPHOS_CLIENT_SECRET").context("missing SOPHOS_CLIENT_SECRET")?,
    };
    let addresses = BaseUrls { identity: service.identity.clone(), global: service.global.clone() };
    let access = Access { grant: Grant::Client(client), service: Service::Other(addresses) };
    Ok(Arc::new(move |_| Box::pin(std::future::ready(Ok(access.clone())))))
}
