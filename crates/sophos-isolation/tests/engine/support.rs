//! A simulated Sophos Central, a folder for the ledger, and any number of engines
//! over both.

mod rules;
mod transport;

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use sophos_api::{
    ApiClient, Client, Credentials, Hosts, RateLimit, ReqwestTransport, Transport,
    operations::endpoint::isolation::UpdateIsolation,
};
use sophos_isolation::{
    AlertKey, ApprovalLinks, CreatedDecision, Decision, DecisionId, DecisionState, Engine, FollowUpReport,
    Ledger, LedgerStore, ReceivedSignal, Transition, adapters::Tool, policy::Policy,
};
use sophos_simulator::{
    Config, CredentialConfig, CredentialInfo, CredentialKind, DataConfig, FaultPlan, FaultRule,
    IsolationChange, MachineConfig, Owner, Role, Simulator, TenantGroup,
};
use sophos_store::Store;
use tempfile::TempDir;

pub(crate) use rules::*;
use transport::{CallGate, ClockedTransport, RecordingPublisher};

pub(crate) const ACME: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
pub(crate) const BETA: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
pub(crate) const OTHER: &str = "5f8c1a1e-0b53-4c7b-8a63-0f5b8f1f6a52";

/// The beginning of an hour, so that a test stays within the hour.
const START: &str = "2026-01-15T12:00:00Z";

pub(crate) const HOUR: u64 = 3_600;

pub(crate) type TestEngine = Engine<ClockedTransport, Store, Arc<RecordingPublisher>>;

pub(crate) struct TestEnv {
    pub(crate) sim: Simulator,
    pub(crate) publisher: Arc<RecordingPublisher>,
    transport: ClockedTransport,
    directory: TempDir,
    credential: Mutex<CredentialInfo>,
    console: Client<ClockedTransport>,
}

impl TestEnv {
    pub(crate) async fn new(machines: Vec<MachineConfig>) -> Self {
        Self::with_config(machines, |_| {}).await
    }

    pub(crate) async fn with_config(machines: Vec<MachineConfig>, change: impl FnOnce(&mut Config)) -> Self {
        let tenant = |id: &str| TenantGroup {
            id: Some(id.to_owned()),
            endpoints: Some(0),
            ..TenantGroup::new(Owner::Partner, 1)
        };
        let mut config = Config {
            tenants: vec![tenant(ACME), tenant(BETA), tenant(OTHER)],
            machines,
            credentials: vec![
                CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin),
                CredentialConfig::new(CredentialKind::Partner, Role::Management),
                CredentialConfig::new(CredentialKind::Partner, Role::Management),
            ],
            data: DataConfig {
                offline_share: 0.0,
                cloud_share: 0.0,
                clone_share: 0.0,
                events_total: Some(0),
                alerts_total: Some(0),
                ..DataConfig::default()
            },
            ..Config::default()
        };
        config.clock.start = Some(START.to_owned());
        config.quirks.size_is_count = 0.0;
        change(&mut config);
        let sim = Simulator::start(config).await.unwrap();
        let settings = reqwest::Client::builder().no_proxy();
        let transport = ClockedTransport {
            http: ReqwestTransport::from_builder(settings).unwrap(),
            clock: sim.clock(),
            clock_lock: Arc::default(),
            gate: Arc::default(),
        };
        let [ours, theirs] = [0, 1].map(|at| sim.credentials()[at].clone());
        let console = client(&sim, &transport, &theirs);
        let folder = tempfile::tempdir().unwrap();
        Self {
            sim,
            publisher: Arc::default(),
            transport,
            directory: folder,
            credential: Mutex::new(ours),
            console,
        }
    }

    /// An engine as in a separate process.
    pub(crate) fn engine(&self) -> TestEngine {
        self.engine_with_transport(self.transport.clone())
    }

    /// An engine with another credential for each of these tenants.
    pub(crate) fn engine_with_tenant_credentials(&self, tenants: &[&str]) -> TestEngine {
        let own = || client(&self.sim, &self.transport, &self.sim.credentials()[2]);
        self.engine().with_tenant_clients(tenants.iter().map(|tenant| ((*tenant).into(), own())).collect())
    }

    fn engine_with_transport(&self, transport: ClockedTransport) -> TestEngine {
        self.engine_of(transport, self.ledger())
    }

    /// An engine over another ledger.
    pub(crate) fn engine_with_ledger(&self, ledger: Ledger<Store>) -> TestEngine {
        self.engine_of(self.transport.clone(), ledger)
    }

    fn engine_of(&self, transport: ClockedTransport, ledger: Ledger<Store>) -> TestEngine {
        let client = client(&self.sim, &transport, &self.credential.lock().unwrap());
        let links = ApprovalLinks::new("https://hooks.example", "a key".to_owned().into());
        Engine::new(client, ledger, Arc::clone(&self.publisher)).with_approval_links(Some(links))
    }

    pub(crate) fn ledger(&self) -> Ledger<Store> {
        Ledger::new(Store::open(self.directory.path().to_str().unwrap()).unwrap())
    }

    /// The path of an object of the ledger.
    pub(crate) fn path(&self, object: &str) -> std::path::PathBuf {
        self.directory.path().join(object)
    }

    pub(crate) async fn object_names(&self, folder: &str) -> Vec<String> {
        LedgerStore::list(self.ledger().store(), folder).await.unwrap()
    }

    pub(crate) fn client_id(&self) -> String {
        self.credential.lock().unwrap().client_id.clone()
    }

    /// Expires the credential and its tokens.
    pub(crate) fn expire_credential(&self) {
        assert!(self.sim.expire_credential(&self.client_id()));
        self.sim.revoke_tokens();
    }

    /// Gives later engines another credential.
    pub(crate) fn renew_credential(&self) {
        let next = self.sim.credentials()[2].clone();
        *self.credential.lock().unwrap() = next;
    }

    pub(crate) fn now(&self) -> Duration {
        self.transport.now()
    }

    pub(crate) fn advance_clock(&self, seconds: u64) {
        self.sim.clock().advance(Duration::from_secs(seconds));
    }

    pub(crate) fn fault(&self, rule: FaultRule) {
        self.sim.set_faults(FaultPlan::new([rule]));
    }

    pub(crate) fn clear_faults(&self) {
        self.sim.set_faults(FaultPlan::default());
    }

    /// Creates the decision of a signal of `edr` about this host.
    pub(crate) async fn begin(&self, event: &str, host: Value) -> DecisionId {
        self.begin_with(event, json!({ "host": host })).await
    }

    /// The same with more members of a signal, over the default ones.
    pub(crate) async fn begin_with(&self, event: &str, signal: Value) -> DecisionId {
        self.begin_for_source("edr", event, signal).await
    }

    pub(crate) async fn begin_for_source(&self, source: &str, event: &str, signal: Value) -> DecisionId {
        self.begin_update(source, event, event, signal).await
    }

    /// Creates the decision of an event about an alert.
    pub(crate) async fn begin_update(
        &self,
        source: &str,
        alert: &str,
        event: &str,
        signal: Value,
    ) -> DecisionId {
        let mut whole = json!({ "action": "isolate", "severity": "critical", "title": "malware" });
        whole.as_object_mut().unwrap().extend(signal.as_object().unwrap().clone());
        let received = ReceivedSignal {
            source: source.to_owned(),
            tool: Tool::Generic,
            signal: serde_json::from_value(whole).unwrap(),
            alert: Some(AlertKey::from_alert_id(source, alert)),
            body_sha256: "00".repeat(32),
            source_ip: None,
            secret_stage: None,
            not_actionable: None,
        };
        let id = DecisionId::from_event_id(source, event);
        let begun = self.ledger().create_decision(&id, &received, self.now()).await.unwrap();
        assert!(matches!(begun, CreatedDecision::New(_)), "{event} was begun before");
        id
    }

    /// Creates one decision for each of these machines.
    pub(crate) async fn begin_all(&self, numbers: impl IntoIterator<Item = u32>) -> Vec<DecisionId> {
        let mut ids = Vec::new();
        for number in numbers {
            ids.push(self.begin(&format!("event {number}"), host(number)).await);
        }
        ids
    }

    /// Processes a decision with a new engine.
    pub(crate) async fn work(&self, policy: &Policy, id: &DecisionId) -> DecisionState {
        let worked = self.engine().process(policy, std::slice::from_ref(id), None).await;
        let [worked] = worked.as_slice() else { panic!("{worked:?}") };
        worked.result.clone().unwrap().unwrap()
    }

    /// Creates the decision of a signal and processes it.
    pub(crate) async fn decide(&self, policy: &Policy, event: &str, host: Value) -> DecisionId {
        let id = self.begin(event, host).await;
        self.work(policy, &id).await;
        id
    }

    /// A run that dies, either right before its request or before it has the
    /// response.
    pub(crate) async fn crash_run(&self, policy: &Policy, ids: &[DecisionId], carried_out: bool) {
        assert!(self.try_crash_run(policy, ids, carried_out).await, "it made no call");
    }

    /// The same, unless no request is needed. Returns whether it died.
    pub(crate) async fn try_crash_run(&self, policy: &Policy, ids: &[DecisionId], carried_out: bool) -> bool {
        let mute = Arc::new(CallGate::default());
        if carried_out { &mute.block_after } else { &mute.block_before }.store(true, Ordering::SeqCst);
        let transport = ClockedTransport { gate: Arc::clone(&mute), ..self.transport.clone() };
        let engine = self.engine_with_transport(transport);
        tokio::select! {
            _ = engine.process(policy, ids, None) => false,
            () = mute.reached.notified() => true,
        }
    }

    /// Processes decisions with an engine, and runs a task right before its
    /// request.
    pub(crate) async fn work_while(
        &self,
        policy: &Policy,
        ids: &[DecisionId],
        what: impl Future<Output = ()>,
    ) {
        let mute = Arc::new(CallGate::default());
        mute.block_before.store(true, Ordering::SeqCst);
        let engine = self
            .engine_with_transport(ClockedTransport { gate: Arc::clone(&mute), ..self.transport.clone() });
        let other = async {
            mute.reached.notified().await;
            what.await;
            mute.block_before.store(false, Ordering::SeqCst);
            mute.resume.notify_one();
        };
        tokio::join!(engine.process(policy, ids, None), other);
    }

    pub(crate) async fn follow_up(&self, policy: &Policy) -> FollowUpReport {
        self.engine().follow_up(policy, None).await.unwrap()
    }

    /// Advances the clock, with a follow-up each minute.
    pub(crate) async fn follow_up_for(&self, policy: &Policy, seconds: u64) {
        let engine = self.engine();
        let until = self.now() + Duration::from_secs(seconds);
        while self.now() < until {
            self.advance_clock(60.min((until - self.now()).as_secs().max(1)));
            engine.follow_up(policy, None).await.unwrap();
        }
    }

    pub(crate) async fn decision(&self, id: &DecisionId) -> Decision {
        let decision = self.ledger().load_decision(id).await.unwrap().unwrap();
        let sequences = decision.entries().iter().map(|entry| entry.sequence as usize);
        assert!(sequences.eq(1..=decision.entries().len()));
        assert!(decision.entries().is_sorted_by_key(|entry| entry.at_ms), "{decision:#?}");
        let objects = self.object_names(&format!("decisions/{id}")).await;
        let is_taken_up = decision.entries().len() > 1 || !objects.is_empty();
        let expected = if is_taken_up { decision.entries().len() } else { 0 };
        assert_eq!(objects.len(), expected, "the ledger has no holes");
        decision
    }

    pub(crate) async fn state(&self, id: &DecisionId) -> DecisionState {
        self.decision(id).await.state()
    }

    /// The names of a decision's transitions.
    pub(crate) async fn steps(&self, id: &DecisionId) -> Vec<String> {
        self.decision(id).await.entries().iter().map(|entry| step_name(&entry.transition)).collect()
    }

    /// The code of a refusal.
    pub(crate) async fn code(&self, id: &DecisionId) -> String {
        match &self.decision(id).await.entries().last().unwrap().transition {
            Transition::Refused { code, .. } => code.clone(),
            step => panic!("not refused: {step:?}"),
        }
    }

    /// The accepted changes, as `on` or `off` with the machine's number.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.sim.isolation_changes().iter().map(change_text).collect()
    }

    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.sim.calls().operation(operation)
    }

    /// Isolates or releases in the console.
    pub(crate) async fn isolate_in_console(&self, number: u32, enabled: bool, comment: &str) {
        self.try_isolate_in_console(number, enabled, comment).await.unwrap();
    }

    pub(crate) async fn try_isolate_in_console(
        &self,
        number: u32,
        enabled: bool,
        comment: &str,
    ) -> Result<(), sophos_api::Error> {
        let call = UpdateIsolation::new(id(number), enabled).comment(comment);
        self.console.tenant(ACME).await?.send(&call).await.map(drop)
    }

    pub(crate) fn set_online(&self, number: u32, online: bool) {
        assert!(self.sim.set_endpoint_online(ACME, &id(number), online));
    }
}

fn client(
    sim: &Simulator,
    transport: &ClockedTransport,
    credential: &CredentialInfo,
) -> Client<ClockedTransport> {
    let credentials = Credentials::new(credential.client_id.as_str(), credential.client_secret.clone());
    let [identity, global] = [sim.identity_url(), sim.global_url()].map(|url| url.parse().unwrap());
    Client::builder(transport.clone(), credentials)
        .hosts(Hosts::new(identity, global))
        .rate_limit(RateLimit::unlimited())
        .build()
}

pub(crate) fn step_name(step: &Transition) -> String {
    serde_json::to_value(step).unwrap()["transition"].as_str().unwrap().to_owned()
}

pub(crate) fn change_text(change: &IsolationChange) -> String {
    let number = change.endpoint.rsplit('-').next().unwrap().trim_start_matches('0');
    format!("{} {number}", if change.enabled { "on" } else { "off" })
}
