//! The export of a ledger of isolation, which the crate of the ledger writes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use object_store::{ObjectStore, memory::InMemory};
use serde_json::Value;
use sophos_export::{
    ExportSettings, LedgerExporter, LogRecord, Store, StreamId, StreamReport, StreamVerification,
};
use sophos_isolation::{
    CreatedDecision, DecisionId, IsolationTarget, Ledger, ReceivedSignal, Transition, adapters::Tool,
    signal::Signal,
};

use super::{NOW_MS, TENANT, Trap, TrapStore, decode_rows, load_log};

pub(crate) const ENDPOINT: &str = "00000000-0000-4000-8000-000000000001";

/// A ledger, and the store of its export. Both have the same trap.
pub(crate) struct LedgerEnv {
    pub(crate) ledger: Ledger<Store>,
    pub(crate) store: Store,
    pub(crate) trap: Arc<Trap>,
    objects: Arc<InMemory>,
    exporter: LedgerExporter,
    now_ms: AtomicI64,
}

impl LedgerEnv {
    pub(crate) fn new() -> Self {
        Self::with_settings(|_| {})
    }

    pub(crate) fn with_settings(change: impl FnOnce(&mut ExportSettings)) -> Self {
        let mut settings = ExportSettings::default();
        change(&mut settings);
        let trap = Arc::new(Trap::default());
        let store = |objects: &Arc<InMemory>| {
            Store::from_object_store(Arc::new(TrapStore::new(Arc::clone(objects), Arc::clone(&trap))))
        };
        let (objects, exported) = (Arc::new(InMemory::new()), Arc::new(InMemory::new()));
        let (ledger, store) = (store(&objects), store(&exported));
        let exporter = LedgerExporter::new(ledger.clone(), store.clone(), settings);
        let now_ms = AtomicI64::new(NOW_MS);
        Self { ledger: Ledger::new(ledger), store, trap, objects, exporter, now_ms }
    }

    pub(crate) fn advance(&self, by_ms: i64) {
        self.now_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Duration {
        Duration::from_millis(self.now_ms.load(Ordering::SeqCst) as u64)
    }

    /// One run.
    pub(crate) async fn run(&self) -> StreamReport {
        self.exporter.run(|| self.now(), None).await
    }

    /// One run that stops after this many looks at the clock.
    pub(crate) async fn run_for_ticks(&self, ticks: u64) -> StreamReport {
        let started = self.now();
        let elapsed = std::sync::atomic::AtomicU64::new(0);
        let now = || started + Duration::from_millis(elapsed.fetch_add(1, Ordering::SeqCst));
        self.exporter.run(now, Some(started + Duration::from_millis(ticks))).await
    }

    /// Records a signal with this event id.
    pub(crate) async fn receive(&self, event: &str) -> DecisionId {
        self.receive_at(event, self.now()).await
    }

    pub(crate) async fn receive_at(&self, event: &str, at: Duration) -> DecisionId {
        let id = DecisionId::from_event_id("edr", event);
        let created = self.ledger.create_decision(&id, &signal(), at).await.expect("a decision");
        let (CreatedDecision::New(decision) | CreatedDecision::Existing(decision)) = created;
        decision.id().clone()
    }

    /// Appends a transition to a decision. Returns the id of its row.
    pub(crate) async fn append(&self, id: &DecisionId, transition: Transition) -> String {
        let mut decision = self.ledger.load_decision(id).await.expect("a store").expect("a decision");
        assert!(self.ledger.append_transition(&mut decision, transition, self.now()).await.expect("a store"));
        row_id(id, decision.entries().len())
    }

    /// All commits, in order.
    pub(crate) async fn log(&self) -> Vec<LogRecord> {
        load_log(&self.store, &StreamId::of_ledger().log_folder()).await
    }

    /// All committed rows, in order.
    pub(crate) async fn rows(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        for record in self.log().await {
            rows.extend(decode_rows(&self.store, &record.objects).await);
        }
        rows
    }

    /// The ids of all committed rows, sorted.
    pub(crate) async fn row_ids(&self) -> Vec<String> {
        super::sorted_ids(&self.rows().await)
    }

    /// The sorted ids of the rows that the ledger shall have.
    pub(crate) async fn expected_ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for id in self.ledger.decision_ids().await.expect("a listing") {
            let decision = self.ledger.load_decision(&id).await.expect("a store").expect("a decision");
            ids.extend((1..=decision.entries().len()).map(|sequence| row_id(&id, sequence)));
        }
        ids.sort();
        ids
    }

    /// Verifies the log, the objects, and that no row is there twice.
    pub(crate) async fn verify(&self) {
        let stream = StreamId::of_ledger();
        let verification =
            StreamVerification::run(&self.store, &stream, true, |_| {}).await.expect("a store");
        assert_eq!(verification.findings, []);
    }

    /// The names of the ledger's objects.
    pub(crate) async fn ledger_objects(&self) -> Vec<String> {
        let objects = self.objects.list(None);
        objects.map(|object| object.expect("an object").location.to_string()).collect().await
    }
}

/// The id of a row.
pub(crate) fn row_id(id: &DecisionId, sequence: usize) -> String {
    format!("{id}-{sequence:04}")
}

pub(crate) fn signal() -> ReceivedSignal {
    let mut signal = Signal::default();
    signal.title = "malware".to_owned();
    ReceivedSignal {
        source: "edr".to_owned(),
        tool: Tool::Generic,
        signal,
        alert: None,
        body_sha256: "ab".repeat(32),
        source_ip: None,
        secret_stage: None,
        not_actionable: None,
    }
}

pub(crate) fn target() -> IsolationTarget {
    IsolationTarget { tenant: TENANT.to_owned(), endpoint: ENDPOINT.to_owned(), hostname: None }
}

/// A transition after which others follow.
pub(crate) fn pending() -> Transition {
    Transition::PendingApproval { target: target(), reason: "a server".to_owned(), expires_at: 0 }
}

/// A final transition.
pub(crate) fn released() -> Transition {
    Transition::Released { detail: "by the schedule".to_owned(), effective_at: None }
}
