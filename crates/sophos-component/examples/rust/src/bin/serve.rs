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
//! Paths are relative to the folder of the settings. The program reads the files when it
//! needs them, so a change takes effect immediately. The credential is `{"id": …,
//! "secret": …}`. `secrets` is a folder with a file for each secret. During a rotation a
//! file with the suffix `.previous` has the old value. `client_ip_header` is the header
//! in which a proxy writes the caller's address. `service` has the `identity` and
//! `global` base URLs of another service with the same API.
//!
//! The program prints its address and serves until SIGINT or SIGTERM.

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

/// The maximum number of concurrent requests. The follow-up needs one more instance.
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
    let file = PathBuf::from(std::env::args_os().nth(1).context("missing argument: the settings file")?);
    let settings = fs::read_to_string(&file).with_context(|| format!("reading {} failed", file.display()))?;
    let settings: Settings =
        serde_json::from_str(&settings).with_context(|| format!("invalid settings in {}", file.display()))?;
    let folder = file.parent().unwrap_or(Path::new("."));

    let requests = match &settings.service {
        None => AllowedHttp::to_sophos()?,
        Some(service) => {
            let global: http::Uri = service.global.parse()?;
            let host = global.host().context("invalid global base URL: expected a host")?.to_owned();
            AllowedHttp::new(reqwest::Client::builder(), move |destination| destination == host)?
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

/// Returns the host's part, which is all in files.
fn webhook_host(folder: &Path, settings: Settings) -> WebhookHost {
    let policy = folder.join(settings.policy);
    let secrets = folder.join(settings.secrets);
    let audit_log = folder.join(settings.audit_log);
    let outcomes = folder.join(settings.outcomes);
    WebhookHost {
        secrets: Box::new(move |name| load_secret(&secrets, name)),
        ledger: FolderStore::new(folder.join(settings.ledger)),
        policy: Box::new(move || {
            let text = fs::read_to_string(&policy)
                .map_err(|error| format!("reading the policy {} failed: {error}", policy.display()))?;
            let (webhook_url, client_ip_header) =
                (settings.webhook_url.clone(), settings.client_ip_header.clone());
            Ok(PolicySettings { text, webhook_url, client_ip_header })
        }),
        audit_log: Box::new(move |record| {
            let line = json_lines::audit_record(record);
            if let Err(error) = json_lines::append_line(&audit_log, &line) {
                eprintln!("{error}: {line}");
            }
        }),
        outcomes: Some(Box::new(move |outcome| {
            json_lines::append_line(&outcomes, &json_lines::outcome(&outcome))
                .map_err(|error| error.to_string())
        })),
        queue: None,
    }
}

/// Loads a sender's secret from the folder.
fn load_secret(folder: &Path, name: &str) -> Result<Keys, String> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return Err(format!("invalid secret name \"{}\": expected a file name", name.escape_debug()));
    }
    let file = folder.join(name);
    let current = read_secret_file(&file)?
        .ok_or_else(|| format!("unknown secret: {} does not exist", file.display()))?;
    Ok(Keys { current, previous: read_secret_file(&folder.join(format!("{name}.previous")))? })
}

/// Reads a secret without the final newline that editors add.
fn read_secret_file(file: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("reading {} failed: {error}", file.display())),
    }
}

/// Returns the credential of a file, which it reads for each request.
fn auth_provider(file: PathBuf, service: Option<ServiceUrls>) -> AuthProvider {
    Arc::new(move |_| {
        let read = fs::read_to_string(&file).map_err(|error| error.to_string());
        // The parser's message could contain the secret.
        let read = read.and_then(|text| {
            serde_json::from_str(&text).map_err(|_| "expected {\"id\": …, \"secret\": …}".to_owned())
        });
        let access = match read {
            Ok(Credential { id, secret }) => Ok(Access {
                grant: Grant::Client(Client { id, secret }),
                service: match service.clone() {
                    None => Service::Sophos,
                    Some(ServiceUrls { identity, global }) => Service::Other(BaseUrls { identity, global }),
                },
            }),
            Err(error) => Err(format!("loading the credential from {} failed: {error}", file.display())),
        };
        Box::pin(std::future::ready(access))
    })
}
