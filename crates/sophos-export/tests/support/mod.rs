//! The export of one tenant from a scripted service to a store in memory.

// Each test file is a crate, and uses a part of this module.
#![allow(dead_code, unused_imports)]

mod ledger_env;
mod log_env;
mod service;
mod simulated;
mod trap_store;

use std::{
    io::Read,
    sync::{Arc, Once},
    time::Duration,
};

use flate2::read::GzDecoder;
use futures_util::StreamExt;
pub(crate) use ledger_env::{LedgerEnv, pending, released, row_id, signal, target};
pub(crate) use log_env::{LogEnv, sorted};
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use serde_json::{Value, json};
pub(crate) use service::{Request, ScriptedResponse, ScriptedService};
pub(crate) use simulated::SimulatedEnv;
use sophos_api::{Client, Credentials, RateLimit};
use sophos_export::{
    DataObject, Dataset, ExportSettings, Exporter, InventoryChanges, LogRecord, Store, StreamReport,
    TenantInventory, TenantRef,
};
pub(crate) use trap_store::{Trap, TrapStore};

pub(crate) const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
/// 2026-11-23T10:00:00Z.
pub(crate) const NOW_MS: i64 = 1_795_428_000_000;
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// An exporter, its service and its store.
pub(crate) struct TestEnv {
    pub(crate) service: Arc<ScriptedService>,
    pub(crate) store: Store,
    /// The trap of the store, which is open.
    pub(crate) trap: Arc<Trap>,
    objects: Arc<InMemory>,
    exporter: Exporter<Arc<ScriptedService>>,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        Self::with_settings(|_| {})
    }

    pub(crate) fn with_settings(change: impl FnOnce(&mut ExportSettings)) -> Self {
        let mut settings = ExportSettings::default();
        change(&mut settings);
        let service = ScriptedService::new(NOW_MS);
        let objects = Arc::new(InMemory::new());
        let trap = Arc::new(Trap::default());
        let store = Store::from_object_store(Arc::new(TrapStore::new(objects.clone(), trap.clone())));
        let exporter = exporter(&service, &store, settings);
        Self { service, store, trap, objects, exporter }
    }

    /// Continues with other settings.
    pub(crate) fn change_settings(&mut self, change: impl FnOnce(&mut ExportSettings)) {
        let mut settings = ExportSettings::default();
        change(&mut settings);
        self.exporter = exporter(&self.service, &self.store, settings);
    }

    /// One run over a stream, with at most an hour of the service's clock.
    pub(crate) async fn run(&self, dataset: Dataset) -> StreamReport {
        self.run_for(dataset, HOUR).await
    }

    /// One run over a stream that stops after `for_ms` of the service's clock.
    pub(crate) async fn run_for(&self, dataset: Dataset, for_ms: i64) -> StreamReport {
        let mut member = TenantRef::new(TENANT);
        member.data_region = Some("eu01".into());
        let stop_at = Duration::from_millis((self.service.now_ms() + for_ms) as u64);
        // On the heap: the futures of some tests are large.
        Box::pin(self.exporter.export_stream(&member, dataset, Some(stop_at))).await
    }

    /// Takes a snapshot of the endpoints with these records, in pages of at most `page`.
    pub(crate) async fn snapshot(&self, endpoints: &[Value], page: usize) -> StreamReport {
        self.serve_endpoints(endpoints, page);
        self.run(Dataset::Endpoints).await
    }

    /// Serves these endpoints from now on, in pages of at most `page`.
    pub(crate) fn serve_endpoints(&self, endpoints: &[Value], page: usize) {
        let endpoints = endpoints.to_vec();
        self.service.route(move |request| endpoint_page(&endpoints, request, page));
    }

    /// One run over the events, with these responses.
    pub(crate) async fn run_events(
        &self,
        answers: impl IntoIterator<Item = ScriptedResponse>,
    ) -> StreamReport {
        self.service.respond_with(answers);
        self.run(Dataset::Events).await
    }

    /// The tenants of a credential, at most this old.
    pub(crate) async fn tenant_inventory(
        &self,
        credential: &str,
        max_age: Duration,
    ) -> (TenantInventory, InventoryChanges) {
        self.exporter.tenant_inventory(credential, max_age, None).await.expect("an inventory")
    }

    /// The names of all objects.
    pub(crate) async fn object_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .objects
            .list(None)
            .map(|object| object.expect("an object").location.to_string())
            .collect()
            .await;
        names.sort();
        names
    }

    pub(crate) async fn read_object(&self, path: &str) -> Vec<u8> {
        self.store.read(path).await.expect("a store").expect(path).to_vec()
    }

    /// The log of a stream, in order.
    pub(crate) async fn log(&self, dataset: Dataset) -> Vec<LogRecord> {
        load_log(&self.store, &format!("_log/{dataset}/{TENANT}")).await
    }

    pub(crate) async fn last_record(&self, dataset: Dataset) -> LogRecord {
        self.log(dataset).await.pop().expect("a commit")
    }

    /// The lines of these objects.
    pub(crate) async fn lines(&self, objects: &[DataObject]) -> Vec<Value> {
        decode_rows(&self.store, objects).await
    }

    /// All committed rows of a dataset, in the order of the log.
    pub(crate) async fn rows(&self, dataset: Dataset) -> Vec<Value> {
        let mut rows = Vec::new();
        for record in self.log(dataset).await {
            rows.extend(self.lines(&record.objects).await);
        }
        rows
    }

    /// The ids of all committed events, in the order of the log.
    pub(crate) async fn event_ids(&self) -> Vec<String> {
        let rows = self.rows(Dataset::Events).await;
        rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
    }
}

pub(crate) fn exporter(
    service: &Arc<ScriptedService>,
    store: &Store,
    settings: ExportSettings,
) -> Exporter<Arc<ScriptedService>> {
    let client = Client::builder(Arc::clone(service), Credentials::new("client", "secret"))
        .rate_limit(RateLimit::unlimited())
        .build();
    Exporter::new(client, store.clone(), settings)
}

/// The SHA-256 in hexadecimal.
pub(crate) fn sha256(body: &[u8]) -> String {
    use sha2::{Digest, Sha256};

    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time as the service writes it.
pub(crate) fn format_time(ms: i64) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms).expect("a time"))
}

/// An event whose time is its creation time.
pub(crate) fn event(id: &str, at_ms: i64) -> Value {
    json!({ "id": id, "when": format_time(at_ms), "created_at": format_time(at_ms), "type": "Event::Endpoint::Test" })
}

/// The page of a listing by key. The key is the number of the records before the page.
pub(crate) fn endpoint_page(endpoints: &[Value], request: &Request, page: usize) -> ScriptedResponse {
    let start = request.page_key.as_ref().map_or(0, |key| key.parse().expect("our own key"));
    let size = page.min(request.limit.map_or(50, |limit| limit as usize));
    let end = endpoints.len().min(start + size);
    let mut pages = json!({ "size": size, "maxSize": 500 });
    if end < endpoints.len() {
        pages["nextKey"] = json!(end.to_string());
    }
    ScriptedResponse::bytes(json!({ "items": endpoints[start..end], "pages": pages }).to_string())
}

/// An endpoint with a number.
pub(crate) fn endpoint(number: u32) -> Value {
    json!({
        "id": format!("{number:08x}-5df7-4cc0-b8d4-068cfd6820d1"),
        "hostname": format!("LAPTOP-{number}"),
        "health": { "overall": "good" },
        "lastSeenAt": format_time(NOW_MS),
    })
}

/// The ids of rows or records, sorted.
pub(crate) fn sorted_ids(records: &[Value]) -> Vec<String> {
    let mut ids: Vec<_> =
        records.iter().map(|record| record["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

/// The log in this folder, in order.
pub(crate) async fn load_log(store: &Store, folder: &str) -> Vec<LogRecord> {
    let mut records = Vec::new();
    for name in store.list_names(folder, "").await.expect("a listing") {
        if name.ends_with(".json") {
            let body = store.read(&format!("{folder}/{name}")).await.expect("a store").expect(&name);
            records.push(serde_json::from_slice(&body).expect("a log record"));
        }
    }
    records
}

/// The lines of these objects.
pub(crate) async fn decode_rows(store: &Store, objects: &[DataObject]) -> Vec<Value> {
    let mut lines = Vec::new();
    for object in objects {
        let body = store.read(&object.path).await.expect("a store").expect(&object.path);
        assert_eq!(body.len() as u64, object.bytes, "{}", object.path);
        let mut text = String::new();
        GzDecoder::new(&body[..]).read_to_string(&mut text).expect("gzip");
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(rows.len() as u64, object.rows, "{}", object.path);
        lines.extend(rows);
    }
    lines
}
