use std::{sync::Arc, time::Duration};

use lambda_support::{Failure, Secrets, metrics};
use serde_json::{Value, json};
use sophos_api::{Client, ReqwestTransport, TenantId, Transport};
use sophos_isolation::{
    AnswerError, ApprovalLinks, DecisionId, Engine, EngineError, FollowUpReport, Ledger, State, adapters,
    check::{Check, CheckError},
    policy::Policy,
    signal::clean,
};
use sophos_secrets::CredentialStore;
use sophos_store::Store;
use tokio::sync::Mutex;

use crate::{
    Bus, CheckRequest, Config, Machine, Message, Payload, PolicyFile, Release, Task, approval_key,
    chosen::Chosen,
};

/// How long a published key may take to be fetched: a sender waits for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for which a failed request to the ledger is repeated: a sender waits for
/// the webhook, which has 25 seconds.
const LEDGER_RETRY_TIME: Duration = Duration::from_secs(5);

type EngineOf = Engine<ReqwestTransport, Arc<Store>, Arc<Bus>>;

/// An engine, and what it was made with.
#[derive(Debug)]
struct Kept {
    chosen: Chosen,
    links: Option<ApprovalLinks>,
    engine: Arc<EngineOf>,
}

/// Why an invocation failed as a whole. Nothing is lost: what is not done is on
/// the agenda.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// There is no policy, or no connection to make.
    #[error("{0}")]
    Setting(String),
    /// There is no credential to work with.
    #[error("{0}")]
    NoCredential(String),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An order came to nothing.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// A payload cannot be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl From<WorkerError> for Failure {
    fn from(error: WorkerError) -> Self {
        let kind = match &error {
            WorkerError::NoCredential(_) => return Self::no_credential(error),
            WorkerError::Setting(_) => "NotReady",
            WorkerError::Engine(EngineError::Store(_)) | WorkerError::Answer(AnswerError::Store(_)) => {
                "LedgerFailed"
            }
            WorkerError::Engine(EngineError::Service(_)) => "SophosFailed",
            WorkerError::Engine(_) => "IsolationFailed",
            WorkerError::Answer(_) | WorkerError::Check(_) => "OrderRefused",
        };
        Self::new(kind, error)
    }
}

/// What a follow-up looks at.
#[derive(Clone, Copy)]
enum Look<'d> {
    /// Everything that is due.
    Due,
    /// All that has not ended.
    All,
    /// Those that somebody has asked about; their reminders are for a moment that
    /// is still to come.
    At(&'d [DecisionId]),
}

/// Works on decisions, with one credential.
#[derive(Debug)]
pub struct Worker {
    config: Config,
    policy: PolicyFile,
    store: Arc<Store>,
    bus: Arc<Bus>,
    transport: ReqwestTransport,
    credentials: Arc<dyn CredentialStore>,
    secrets: Secrets,
    /// Where the rate budget is spent together with other functions.
    shared: Option<Store>,
    /// Kept from one invocation to the next, with its token and what it knows.
    engine: Mutex<Option<Kept>>,
}

impl Worker {
    /// A worker of this configuration. Nothing is asked yet.
    ///
    /// # Errors
    /// When the ledger's location or TLS cannot be opened.
    pub async fn new(config: Config) -> Result<Self, WorkerError> {
        let store = Store::open_within(&config.ledger, LEDGER_RETRY_TIME).map_err(setting)?;
        Ok(Self {
            policy: PolicyFile::new(&config.policy).in_dry_run(config.dry_run),
            store: Arc::new(store),
            bus: Arc::new(Bus::of(config.event_bus.clone()).await),
            transport: config.sophos.transport().map_err(setting)?,
            credentials: config.sophos.credentials.open().await,
            secrets: config.secrets.open().await,
            shared: config.sophos.shared_store().map_err(setting)?,
            engine: Mutex::new(None),
            config,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The secrets that the policy names.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Gets what is published at an `https` URL, for the webhook: the key set of
    /// an issuer, the certificate of a service.
    ///
    /// # Errors
    /// When there is no answer in time, or another status than 200.
    pub async fn fetch(&self, url: &str) -> Result<Vec<u8>, String> {
        if !url.starts_with("https://") {
            return Err("only https is fetched".to_owned());
        }
        let request = http::Request::get(url).body(Vec::new()).map_err(|error| error.to_string())?;
        let answer = self.transport.send(request, FETCH_TIMEOUT).await.map_err(|error| error.to_string())?;
        match answer.status().as_u16() {
            200 => Ok(answer.into_body().to_vec()),
            status => Err(format!("the answer has the status {status}")),
        }
    }

    /// The policy as it is now.
    ///
    /// # Errors
    /// When there is none.
    pub async fn policy(&self) -> Result<Arc<Policy>, WorkerError> {
        self.policy.current().await.map_err(setting)
    }

    /// The policy as it is now, or one by which nothing is isolated and releases go
    /// on.
    async fn policy_or_absent(&self) -> Result<Arc<Policy>, WorkerError> {
        self.policy.current_or_absent().await.map_err(setting)
    }

    /// The store that the ledger is in.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// Does what an invocation asks for, and answers as Lambda expects it. No
    /// wait goes past `stop_at`, in time since the Unix epoch.
    ///
    /// # Errors
    /// When nothing of it could be done.
    pub async fn handle(&self, task: Task, stop_at: Duration) -> Result<Value, WorkerError> {
        match task {
            Task::Messages(messages) => self.messages(messages, stop_at).await,
            Task::FollowUp { all } => {
                let look = if all { Look::All } else { Look::Due };
                let report = self.follow_up(look, stop_at).await?;
                Ok(serde_json::to_value(report).unwrap_or_default())
            }
            Task::Answer { id, answer, by } => {
                let ledger = Ledger::new(self.store());
                let decision = ledger.answer(&id, answer, &by, self.transport.now()).await?;
                if decision.state() == State::Approved {
                    self.work(std::slice::from_ref(&id), stop_at).await?;
                } else {
                    self.follow_up(Look::At(std::slice::from_ref(&id)), stop_at).await?;
                }
                self.show(&id).await
            }
            Task::Release { what: Release::Decision(id), by } => {
                let ended = Ledger::new(self.store()).release(&id, &by, self.transport.now()).await?;
                self.follow_up(Look::At(&ended), stop_at).await?;
                self.show(&id).await
            }
            Task::Release { what: Release::Machine(Machine { endpoint, tenant }), by } => {
                let ended = self.release_machine(&endpoint, tenant, &by).await?;
                self.follow_up(Look::At(&ended), stop_at).await?;
                let mut shown = Vec::with_capacity(ended.len());
                for id in &ended {
                    shown.push(self.show(id).await?);
                }
                Ok(json!({ "released": shown }))
            }
            Task::Show(id) => self.show(&id).await,
            Task::Check(payload) => self.check(&payload, stop_at).await,
        }
    }

    /// Tells what a payload would lead to.
    async fn check(&self, payload: &Payload, stop_at: Duration) -> Result<Value, WorkerError> {
        let Payload { source, payload, idempotency_key } = payload;
        let policy = self.policy().await?;
        let body = match payload {
            Value::String(text) => text.as_bytes().to_vec(),
            json => json.to_string().into_bytes(),
        };
        let message = adapters::Message { body: &body, idempotency_key: idempotency_key.as_deref() };
        let check = Check::of(&policy, source, &message, self.transport.now())?;
        let check = self.complete(&policy, check, stop_at).await?;
        Ok(serde_json::to_value(check).unwrap_or_default())
    }

    /// Answers a check that came through the queue. The webhook waits for it only
    /// for a moment, so that it is not tried again.
    async fn answer(&self, request: &CheckRequest, stop_at: Duration) {
        let answer = match self.check(request.payload(), stop_at).await {
            Ok(answer) => answer,
            Err(error) => json!({ "error": error.to_string() }),
        };
        if let Err(error) = self.store.create(&request.answer_path(), answer.to_string().into_bytes()).await {
            tracing::error!(event = "check_not_answered", %error, "failed to store the answer to a check");
        }
    }

    /// Completes a check with the endpoint of each signal. Nothing is recorded or
    /// changed.
    ///
    /// # Errors
    /// When Sophos Central or the ledger cannot be read.
    pub async fn complete(
        &self,
        policy: &Policy,
        check: Check,
        stop_at: Duration,
    ) -> Result<Check, WorkerError> {
        let engine = self.engine(policy).await?;
        Ok(engine.check(policy, check, Some(stop_at)).await?)
    }

    /// Works on decisions, and tells what became of each.
    ///
    /// # Errors
    /// When nothing could be done at all.
    pub async fn work(
        &self,
        ids: &[DecisionId],
        stop_at: Duration,
    ) -> Result<Vec<(DecisionId, Result<Option<State>, EngineError>)>, WorkerError> {
        let policy = self.policy_or_absent().await?;
        let engine = self.engine(&policy).await?;
        let worked = engine.work(&policy, ids, Some(stop_at)).await;
        for one in &worked {
            match &one.outcome {
                Ok(Some(state)) => tracing::info!(decision = %one.id, %state, "worked on"),
                Ok(None) => tracing::error!(decision = %one.id, "there is no such decision in this ledger"),
                Err(error) => tracing::error!(decision = %one.id, %error, "not taken further"),
            }
        }
        let refused = worked.iter().filter(|one| matches!(one.outcome, Ok(Some(State::Refused)))).count();
        if refused > 0 {
            // Here and not with the answer: SQS gets no more than the failures, and the webhook may work too.
            let refused = [("RefusedDecisions", "Count", refused as f64)];
            metrics::write([metrics::line(
                &self.config.metrics_namespace,
                "",
                metrics::now_ms(),
                &[],
                &refused,
            )]);
        }
        Ok(worked.into_iter().map(|one| (one.id, one.outcome)).collect())
    }

    async fn follow_up(&self, look: Look<'_>, stop_at: Duration) -> Result<FollowUpReport, WorkerError> {
        let policy = self.policy_or_absent().await?;
        let engine = self.engine(&policy).await?;
        if let Some(stop) = engine.ledger().stop().await.map_err(EngineError::from)? {
            tracing::warn!(event = "isolation_stopped", reason = stop.reason, "nothing is isolated");
        }
        let report = match look {
            Look::Due => engine.follow_up(&policy, Some(stop_at)).await?,
            Look::All => engine.follow_up_all(&policy, Some(stop_at)).await?,
            Look::At(ids) => engine.follow_up_on(&policy, ids, Some(stop_at)).await?,
        };
        for error in &report.errors {
            tracing::error!(error, "a decision could not be followed up");
        }
        for (state, count) in &report.moved {
            tracing::info!(event = "decisions_moved", state, count, "decisions have a new state");
        }
        tracing::info!(event = "followed_up", due = report.due, overdue = report.overdue, "followed up");
        Ok(report)
    }

    /// Asks for the release of a machine, in its tenant or in whichever of the
    /// policy's tenants has it.
    async fn release_machine(
        &self,
        endpoint: &str,
        tenant: Option<String>,
        by: &str,
    ) -> Result<Vec<DecisionId>, WorkerError> {
        let tenants = match tenant {
            Some(tenant) => vec![tenant],
            None => {
                let policy = self.policy().await?;
                policy.tenants().into_iter().map(|tenant| tenant.as_str().to_owned()).collect()
            }
        };
        let ledger = Ledger::new(self.store());
        let mut ended = Vec::new();
        for tenant in tenants {
            match ledger.release_machine(&tenant, endpoint, by, self.transport.now()).await {
                Ok(ids) => ended.extend(ids),
                Err(AnswerError::NothingToRelease { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if ended.is_empty() {
            return Err(AnswerError::NothingToRelease { endpoint: clean(endpoint) }.into());
        }
        Ok(ended)
    }

    async fn messages(&self, messages: Vec<Message>, stop_at: Duration) -> Result<Value, WorkerError> {
        let ids: Vec<_> = messages.iter().filter_map(|message| message.decision.clone()).collect();
        let worked = self.work(&ids, stop_at).await?;
        for request in messages.iter().filter_map(|message| message.check.as_ref()) {
            self.answer(request, stop_at).await;
        }
        let failed = |message: &&Message| match &message.decision {
            // One that is unknown is lost if its message goes: this function and
            // the webhook may have different ledgers.
            Some(id) => {
                worked.iter().any(|(worked, outcome)| worked == id && !matches!(outcome, Ok(Some(_))))
            }
            None if message.check.is_some() => false,
            None => {
                let (event, message_id) = ("message_without_decision", &message.id);
                tracing::error!(event, message_id, "the message names no decision");
                true
            }
        };
        let failures: Vec<_> =
            messages.iter().filter(failed).map(|message| json!({ "itemIdentifier": message.id })).collect();
        Ok(json!({ "batchItemFailures": failures }))
    }

    async fn show(&self, id: &DecisionId) -> Result<Value, WorkerError> {
        let decision = Ledger::new(self.store()).decision(id).await.map_err(AnswerError::from)?;
        let decision = decision.ok_or_else(|| AnswerError::Unknown(id.clone()))?;
        let mut shown = serde_json::to_value(&decision).unwrap_or_default();
        shown["state"] = json!(decision.state());
        Ok(shown)
    }

    /// The engine of the credentials and the key of approval links that there are
    /// now.
    async fn engine(&self, policy: &Policy) -> Result<Arc<EngineOf>, WorkerError> {
        let listed = self.credentials.list().await;
        let listed = listed.map_err(|error| WorkerError::NoCredential(error.to_string()))?;
        let chosen = Chosen::of(listed, &format!("{:?}", self.credentials));
        let chosen = chosen.map_err(WorkerError::NoCredential)?;
        let mut slot = self.engine.lock().await;
        let before = slot.as_ref().and_then(|kept| kept.links.as_ref());
        let url = self.config.approval_url.as_deref();
        let links = approval_key::links(&self.secrets, url, policy, before).await.map_err(setting)?;
        let same_links = |kept: &Kept| match (&kept.links, &links) {
            (Some(known), Some(links)) => known.is_same(links),
            (known, links) => known.is_none() && links.is_none(),
        };
        if let Some(kept) = slot.as_ref().filter(|kept| kept.chosen == chosen && same_links(kept)) {
            return Ok(Arc::clone(&kept.engine));
        }
        let own =
            chosen.own.iter().map(|(tenant, name)| (TenantId::from(tenant.as_str()), self.client(name)));
        let engine = Engine::new(self.client(&chosen.all), Ledger::new(self.store()), Arc::clone(&self.bus));
        let engine = engine.with_clients(own.collect()).with_approvals(links.clone());
        let engine = Arc::new(engine.with_lease(self.config.lease));
        Ok(Arc::clone(&slot.insert(Kept { chosen, links, engine }).engine))
    }

    fn client(&self, credential: &str) -> Client<ReqwestTransport> {
        self.config.sophos.client(&self.transport, &self.credentials, credential, self.shared.as_ref())
    }
}

fn setting(error: impl std::fmt::Display) -> WorkerError {
    WorkerError::Setting(error.to_string())
}
