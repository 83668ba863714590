//! A server of the webhook: `serve settings.json`.
//!
//! ```json
//! {
//!   "component": "webhook.cwasm",
//!   "listen": "127.0.0.1:8080",
//!   "credential": "credential.json",
//!   "policy": "policy.toml",
//!   "secrets": "secrets",
//!   "ledger": "ledger",
//!   "outcomes": "outcomes.jsonl",
//!   "audit_log": "audit_log.jsonl",
//!   "webhook_url": "https://hooks.example.com"
//! }
//! ```
//!
//! Paths are against the folder of the settings. What is in the files is read whenever
//! it is needed, so a change is in force at once. The credential is `{"id": …,
//! "secret": …}`. `secrets` is a folder with a file for each sender, and beside it one
//! that ends with `.previous` while it rotates. `client_ip_header` is the header in which
//! a proxy in front writes the caller's address. `service`, with an `identity` and a
//! `global` address, leads to something else that speaks the API.
//!
//! Prints the address that it listens on, and serves until it is told to end.

use std::{
    fs,
    io::ErrorKind,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use central_host::{
    AllowedHttp, AuthProvider,
    bindings::sophos::central::credentials::{Access, BaseUrls, Client, Grant, Service},
    webhook::{
        self, FolderStore, Webhook, WebhookHost,
        bindings::sophos::central::{policy::PolicySettings, webhook_secrets::Keys},
        json_lines,
    },
};
use serde::Deserialize;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use wasmtime::{Result, error::Context};

/// The most requests that are answered at once. A follow-up needs a place as well.
const MAX_CONCURRENT_REQUESTS: u32 = 64;

const FOLLOW_UP_INTERVAL: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    component: PathBuf,
    listen: SocketAddr,
    credential: PathBuf,
    policy: PathBuf,
    secrets: PathBuf,
    ledger: PathBuf,
    outcomes: PathBuf,
    audit_log: PathBuf,
    webhook_url: Option<String>,
    client_ip_header: Option<String>,
    service: Option<ServiceUrls>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceUrls {
    identity: String,
    global: String,
}

#[derive(Deserialize)]
struct Credential {
    id: String,
    secret: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let file = PathBuf::from(std::env::args_os().nth(1).context("name the file of the settings")?);
    let settings = fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let settings: Settings =
        serde_json::from_str(&settings).with_context(|| format!("{} is not understood", file.display()))?;
    let folder = file.parent().unwrap_or(Path::new("."));

    let requests = match &settings.service {
        None => AllowedHttp::to_sophos()?,
        Some(service) => {
            let global: http::Uri = service.global.parse()?;
            let host = global.host().context("the service's global address has no host")?.to_owned();
            AllowedHttp::new(reqwest::Client::builder(), move |wanted| wanted == host)?
        }
    };
    let engine = central_host::pooling_engine(MAX_CONCURRENT_REQUESTS + 1)?;
    let obtain = auth_provider(folder.join(&settings.credential), settings.service.clone());
    let component = folder.join(&settings.component);
    let listen = settings.listen;
    let webhook = Webhook::load(&engine, &component, webhook_host(folder, settings), obtain, requests)?;
    let webhook = Arc::new(webhook);

    let listener = TcpListener::bind(listen).await?;
    println!("http://{}", listener.local_addr()?);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        () = webhook::serve(Arc::clone(&webhook), listener, MAX_CONCURRENT_REQUESTS) => {}
        () = webhook::run_follow_up(webhook, FOLLOW_UP_INTERVAL) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// What the webhook has of this host: files.
fn webhook_host(folder: &Path, settings: Settings) -> WebhookHost {
    let policy = folder.join(settings.policy);
    let secrets = folder.join(settings.secrets);
    let journal = folder.join(settings.audit_log);
    let outcomes = folder.join(settings.outcomes);
    WebhookHost {
        secrets: Box::new(move |name| load_secret(&secrets, name)),
        ledger: FolderStore::new(folder.join(settings.ledger)),
        policy: Box::new(move || {
            let text = fs::read_to_string(&policy)
                .map_err(|error| format!("the policy {} cannot be read: {error}", policy.display()))?;
            let (webhook_url, client_ip_header) =
                (settings.webhook_url.clone(), settings.client_ip_header.clone());
            Ok(PolicySettings { text, webhook_url, client_ip_header })
        }),
        audit_log: Box::new(move |notice| {
            let line = json_lines::audit_record(notice);
            if let Err(error) = json_lines::append_line(&journal, &line) {
                eprintln!("{error}: {line}");
            }
        }),
        outcomes: Some(Box::new(move |outcome| {
            json_lines::append_line(&outcomes, &json_lines::outcome(&outcome))
        })),
        queue: None,
    }
}

/// A sender's secret, of a folder with a file for each.
fn load_secret(folder: &Path, name: &str) -> Result<Keys, String> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return Err(format!("`{}` cannot be a secret's name here", name.escape_debug()));
    }
    let file = folder.join(name);
    let current = read_secret_file(&file)?.ok_or_else(|| format!("there is no file {}", file.display()))?;
    Ok(Keys { current, previous: read_secret_file(&folder.join(format!("{name}.previous")))? })
}

/// A secret, without the line's end that editors put behind it.
fn read_secret_file(file: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}", file.display())),
    }
}

/// The credential of a file.
fn auth_provider(file: PathBuf, service: Option<ServiceUrls>) -> AuthProvider {
    Arc::new(move |_| {
        let read = fs::read_to_string(&file).map_err(|error| error.to_string());
        // What is wrong in it is not told: it would show what is in it.
        let read =
            read.and_then(|text| serde_json::from_str(&text).map_err(|_| "it is no credential".to_owned()));
        let access = match read {
            Ok(Credential { id, secret }) => Ok(Access {
                grant: Grant::Client(Client { id, secret }),
                service: match service.clone() {
                    None => Service::Sophos,
                    Some(ServiceUrls { identity, global }) => Service::Other(BaseUrls { identity, global }),
                },
            }),
            Err(why) => Err(format!("the credential was looked for in {}: {why}", file.display())),
        };
        Box::pin(std::future::ready(access))
    })
}
