//! The export of one tenant from a scripted service to a store in memory.

// Each test file is a crate, and uses a part of this module.
#![allow(dead_code, unused_imports)]

mod service;
mod simulated;

use std::{
    io::Read,
    sync::{Arc, Once},
    time::Duration,
};

use flate2::read::GzDecoder;
use futures_util::StreamExt;
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path};
use serde_json::{Value, json};
pub(crate) use service::{Request, ScriptedResponse, ScriptedService};
pub(crate) use simulated::{SimulatedEnv, sorted};
use sophos_api::{Client, Credentials, RateLimit};
use sophos_export::{
    DataObject, Dataset, ExportSettings, Exporter, InventoryChanges, LogRecord, Store, StreamReport,
    TenantInventory, TenantRef,
};

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
        let store = Store::from_object_store(objects.clone());
        let client = Client::builder(Arc::clone(&service), Credentials::new("client", "secret"))
            .rate_limit(RateLimit::unlimited())
            .build();
        let exporter = Exporter::new(client, store.clone(), settings);
        Self { service, store, objects, exporter }
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
        self.exporter.export_stream(&member, dataset, Some(stop_at)).await
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
        let folder = format!("_log/{dataset}/{TENANT}");
        let mut records = Vec::new();
        for name in self.store.list_names(&folder, "").await.expect("a listing") {
            if name.ends_with(".json") {
                let body = self.read_object(&format!("{folder}/{name}")).await;
                records.push(serde_json::from_slice(&body).expect("a log record"));
            }
        }
        records
    }

    pub(crate) async fn last_record(&self, dataset: Dataset) -> LogRecord {
        self.log(dataset).await.pop().expect("a commit")
    }

    /// The lines of these objects.
    pub(crate) async fn lines(&self, objects: &[DataObject]) -> Vec<Value> {
        let mut lines = Vec::new();
        for object in objects {
            let body = self.read_object(&object.path).await;
            assert_eq!(body.len() as u64, object.bytes, "{}", object.path);
            let mut text = String::new();
            GzDecoder::new(body.as_slice()).read_to_string(&mut text).expect("gzip");
            let rows: Vec<Value> =
                text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            assert_eq!(rows.len() as u64, object.rows, "{}", object.path);
            lines.extend(rows);
        }
        lines
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

/// A time as the service writes it.
pub(crate) fn format_time(ms: i64) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms).expect("a time"))
}

/// An event whose time is its creation time.
pub(crate) fn event(id: &str, at_ms: i64) -> Value {
    json!({ "id": id, "when": format_time(at_ms), "created_at": format_time(at_ms), "type": "Event::Endpoint::Test" })
}
