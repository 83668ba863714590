use std::{sync::Arc, time::Duration};

use lambda_support::{InvocationError, WebhookSecrets, metrics};
use serde_json::{Value, json};
use sophos_api::{Client, ReqwestTransport, TenantId, Transport};
use sophos_isolation::{
    ApprovalLinks, CommandError, DecisionId, DecisionState, Engine, EngineError, FollowUpReport, Ledger,
    adapters,
    check::{Check, CheckError},
    policy::Policy,
    signal::clean,
};
use sophos_secrets::CredentialStore;
use sophos_store::Store;
use tokio::sync::Mutex;

use crate::{
    CheckPayload, CheckRequest, Config, EndpointRef, EventBus, PolicyFile, QueueMessage, ReleaseTarget,
    WorkerTask, approval_links, credential_selection::CredentialSelection,
};

/// How long a published key may take to be fetched: a sender waits for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for which a failed request to the ledger is repeated: a sender waits for
/// the webhook, which has 25 seconds.
const LEDGER_RETRY_TIMEOUT: Duration = Duration::from_secs(5);

type WorkerEngine = Engine<ReqwestTransport, Arc<Store>, Arc<EventBus>>;

/// An engine, and what it was made with.
#[derive(Debug)]
struct CachedEngine {
    selection: CredentialSelection,
    approval_links: Option<ApprovalLinks>,
    engine: Arc<WorkerEngine>,
}

/// Why an invocation failed as a whole. Nothing is lost: what is not done is on
/// the agenda.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// There is no policy, or no connection to make.
    #[error("{0}")]
    Configuration(String),
    /// There is no credential to work with.
    #[error("{0}")]
    NoCredential(String),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An order came to nothing.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A payload cannot be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl From<WorkerError> for InvocationError {
    fn from(error: WorkerError) -> Self {
        let kind = match &error {
            WorkerError::NoCredential(_) => return Self::no_credential(error),
            WorkerError::Configuration(_) => "ConfigurationError",
            WorkerError::Engine(EngineError::Store(_)) | WorkerError::Command(CommandError::Store(_)) => {
                "LedgerFailed"
            }
            WorkerError::Engine(EngineError::Service(_)) => "SophosFailed",
            WorkerError::Engine(_) => "IsolationFailed",
            WorkerError::Command(_) | WorkerError::Check(_) => "CommandRejected",
        };
        Self::new(kind, error)
    }
}

/// What a follow-up looks at.
#[derive(Clone, Copy)]
enum FollowUpScope<'d> {
    /// Everything that is due.
    Due,
    /// All that has not ended.
    Open,
    /// Those that somebody has asked about; their reminders are for a moment that
    /// is still to come.
    Decisions(&'d [DecisionId]),
}

/// Works on decisions, with one credential.
#[derive(Debug)]
pub struct Worker {
    config: Config,
    policy: PolicyFile,
    store: Arc<Store>,
    event_bus: Arc<EventBus>,
    transport: ReqwestTransport,
    credentials: Arc<dyn CredentialStore>,
    secrets: WebhookSecrets,
    /// Where the rate budget is spent together with other functions.
    rate_limit_store: Option<Store>,
    /// Kept from one invocation to the next, with its token and what it knows.
    engine: Mutex<Option<CachedEngine>>,
}

impl Worker {
    /// A worker of this configuration. Nothing is asked yet.
    ///
    /// # Errors
    /// When the ledger's location or TLS cannot be opened.
    pub async fn new(config: Config) -> Result<Self, WorkerError> {
        let store = Store::open_with_retry_timeout(&config.ledger, LEDGER_RETRY_TIMEOUT)
            .map_err(configuration_error)?;
        Ok(Self {
            policy: PolicyFile::new(&config.policy).with_dry_run(config.dry_run),
            store: Arc::new(store),
            event_bus: Arc::new(EventBus::connect(config.event_bus.clone()).await),
            transport: config.sophos.transport().map_err(configuration_error)?,
            credentials: config.sophos.credentials.open().await,
            secrets: config.secrets.open().await,
            rate_limit_store: config.sophos.open_rate_limit_store().map_err(configuration_error)?,
            engine: Mutex::new(None),
            config,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The secrets that the policy names.
    pub fn secrets(&self) -> &WebhookSecrets {
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
        self.policy.current().await.map_err(configuration_error)
    }

    /// The policy as it is now, or one by which nothing is isolated and releases go
    /// on.
    async fn policy_or_absent(&self) -> Result<Arc<Policy>, WorkerError> {
        self.policy.current_or_absent().await.map_err(configuration_error)
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
    pub async fn handle(&self, task: WorkerTask, deadline: Duration) -> Result<Value, WorkerError> {
        match task {
            WorkerTask::Messages(messages) => self.process_messages(messages, deadline).await,
            WorkerTask::FollowUp { all } => {
                let look = if all { FollowUpScope::Open } else { FollowUpScope::Due };
                let report = self.follow_up(look, deadline).await?;
                Ok(serde_json::to_value(report).unwrap_or_default())
            }
            WorkerTask::AnswerApproval { id, answer, by } => {
                let ledger = Ledger::new(self.store());
                let decision = ledger.answer_approval(&id, answer, &by, self.transport.now()).await?;
                if decision.state() == DecisionState::Approved {
                    self.process(std::slice::from_ref(&id), deadline).await?;
                } else {
                    self.follow_up(FollowUpScope::Decisions(std::slice::from_ref(&id)), deadline).await?;
                }
                self.show_decision(&id).await
            }
            WorkerTask::Release { target: ReleaseTarget::Decision(id), by } => {
                let ended =
                    Ledger::new(self.store()).release_decision(&id, &by, self.transport.now()).await?;
                self.follow_up(FollowUpScope::Decisions(&ended), deadline).await?;
                self.show_decision(&id).await
            }
            WorkerTask::Release { target: ReleaseTarget::Endpoint(EndpointRef { endpoint, tenant }), by } => {
                let ended = self.release_endpoint(&endpoint, tenant, &by).await?;
                self.follow_up(FollowUpScope::Decisions(&ended), deadline).await?;
                let mut shown = Vec::with_capacity(ended.len());
                for id in &ended {
                    shown.push(self.show_decision(id).await?);
                }
                Ok(json!({ "released": shown }))
            }
            WorkerTask::Show(id) => self.show_decision(&id).await,
            WorkerTask::Check(payload) => self.check(&payload, deadline).await,
        }
    }

    /// Tells what a payload would lead to.
    async fn check(&self, payload: &CheckPayload, deadline: Duration) -> Result<Value, WorkerError> {
        let CheckPayload { source, payload, idempotency_key } = payload;
        let policy = self.policy().await?;
        let body = match payload {
            Value::String(text) => text.as_bytes().to_vec(),
            json => json.to_string().into_bytes(),
        };
        let message = adapters::Message { body: &body, idempotency_key: idempotency_key.as_deref() };
        let check = Check::from_message(&policy, source, &message, self.transport.now())?;
        let check = self.complete_check(&policy, check, deadline).await?;
        Ok(serde_json::to_value(check).unwrap_or_default())
    }

    /// Answers a check that came through the queue. The webhook waits for it only
    /// for a moment, so that it is not tried again.
    async fn answer_check(&self, request: &CheckRequest, deadline: Duration) {
        let answer = match self.check(request.payload(), deadline).await {
            Ok(answer) => answer,
            Err(error) => json!({ "error": error.to_string() }),
        };
        if let Err(error) = self.store.create(&request.answer_path(), answer.to_string().into_bytes()).await {
            tracing::error!(event = "check_answer_failed", %error, "failed to store the answer to a check");
        }
    }

    /// Completes a check with the endpoint of each signal. Nothing is recorded or
    /// changed.
    ///
    /// # Errors
    /// When Sophos Central or the ledger cannot be read.
    pub async fn complete_check(
        &self,
        policy: &Policy,
        check: Check,
        deadline: Duration,
    ) -> Result<Check, WorkerError> {
        let engine = self.engine(policy).await?;
        Ok(engine.check(policy, check, Some(deadline)).await?)
    }

    /// Works on decisions, and tells what became of each.
    ///
    /// # Errors
    /// When nothing could be done at all.
    pub async fn process(
        &self,
        ids: &[DecisionId],
        deadline: Duration,
    ) -> Result<Vec<(DecisionId, Result<Option<DecisionState>, EngineError>)>, WorkerError> {
        let policy = self.policy_or_absent().await?;
        let engine = self.engine(&policy).await?;
        let worked = engine.process(&policy, ids, Some(deadline)).await;
        for one in &worked {
            match &one.result {
                Ok(Some(state)) => {
                    tracing::info!(event = "decision_processed", decision_id = %one.id, %state, "processed a decision")
                }
                Ok(None) => {
                    tracing::error!(event = "decision_not_found", decision_id = %one.id, "decision not found in this ledger")
                }
                Err(error) => {
                    tracing::error!(event = "decision_failed", decision_id = %one.id, %error, "failed to process a decision")
                }
            }
        }
        let refused =
            worked.iter().filter(|one| matches!(one.result, Ok(Some(DecisionState::Refused)))).count();
        if refused > 0 {
            // Here and not with the answer: SQS gets no more than the failures, and the webhook may work too.
            let refused = [("RefusedDecisions", "Count", refused as f64)];
            metrics::write([metrics::emf_record(
                &self.config.metrics_namespace,
                "",
                metrics::now_ms(),
                &[],
                &refused,
            )]);
        }
        Ok(worked.into_iter().map(|one| (one.id, one.result)).collect())
    }

    async fn follow_up(
        &self,
        scope: FollowUpScope<'_>,
        deadline: Duration,
    ) -> Result<FollowUpReport, WorkerError> {
        let policy = self.policy_or_absent().await?;
        let engine = self.engine(&policy).await?;
        if let Some(stop) = engine.ledger().load_emergency_stop().await.map_err(EngineError::from)? {
            tracing::warn!(event = "isolation_stopped", reason = stop.reason, "nothing is isolated");
        }
        let report = match scope {
            FollowUpScope::Due => engine.follow_up(&policy, Some(deadline)).await?,
            FollowUpScope::Open => engine.follow_up_all(&policy, Some(deadline)).await?,
            FollowUpScope::Decisions(ids) => engine.follow_up_on(&policy, ids, Some(deadline)).await?,
        };
        for error in &report.errors {
            tracing::error!(event = "follow_up_failed", error, "failed to follow up a decision");
        }
        for (state, count) in &report.transitions {
            tracing::info!(event = "decisions_moved", state, count, "decisions have a new state");
        }
        tracing::info!(event = "followed_up", due = report.due, overdue = report.overdue, "followed up");
        Ok(report)
    }

    /// Asks for the release of a machine, in its tenant or in whichever of the
    /// policy's tenants has it.
    async fn release_endpoint(
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
            match ledger.release_endpoint(&tenant, endpoint, by, self.transport.now()).await {
                Ok(ids) => ended.extend(ids),
                Err(CommandError::NothingToRelease { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if ended.is_empty() {
            return Err(CommandError::NothingToRelease { endpoint: clean(endpoint) }.into());
        }
        Ok(ended)
    }

    async fn process_messages(
        &self,
        messages: Vec<QueueMessage>,
        deadline: Duration,
    ) -> Result<Value, WorkerError> {
        let ids: Vec<_> = messages.iter().filter_map(|message| message.decision.clone()).collect();
        let worked = self.process(&ids, deadline).await?;
        for request in messages.iter().filter_map(|message| message.check.as_ref()) {
            self.answer_check(request, deadline).await;
        }
        let failed = |message: &&QueueMessage| match &message.decision {
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

    async fn show_decision(&self, id: &DecisionId) -> Result<Value, WorkerError> {
        let decision = Ledger::new(self.store()).load_decision(id).await.map_err(CommandError::from)?;
        let decision = decision.ok_or_else(|| CommandError::Unknown(id.clone()))?;
        let mut shown = serde_json::to_value(&decision).unwrap_or_default();
        shown["state"] = json!(decision.state());
        Ok(shown)
    }

    /// The engine of the credentials and the key of approval links that there are
    /// now.
    async fn engine(&self, policy: &Policy) -> Result<Arc<WorkerEngine>, WorkerError> {
        let listed = self.credentials.list().await;
        let listed = listed.map_err(|error| WorkerError::NoCredential(error.to_string()))?;
        let chosen = CredentialSelection::from_listed(listed, &format!("{:?}", self.credentials));
        let chosen = chosen.map_err(WorkerError::NoCredential)?;
        let mut slot = self.engine.lock().await;
        let before = slot.as_ref().and_then(|kept| kept.approval_links.as_ref());
        let url = self.config.approval_url.as_deref();
        let links = approval_links::load_approval_links(&self.secrets, url, policy, before)
            .await
            .map_err(configuration_error)?;
        let same_links = |kept: &CachedEngine| match (&kept.approval_links, &links) {
            (Some(known), Some(links)) => known.is_same(links),
            (known, links) => known.is_none() && links.is_none(),
        };
        if let Some(kept) = slot.as_ref().filter(|kept| kept.selection == chosen && same_links(kept)) {
            return Ok(Arc::clone(&kept.engine));
        }
        let own = chosen
            .per_tenant
            .iter()
            .map(|(tenant, name)| (TenantId::from(tenant.as_str()), self.client(name)));
        let engine =
            Engine::new(self.client(&chosen.default), Ledger::new(self.store()), Arc::clone(&self.event_bus));
        let engine = engine.with_tenant_clients(own.collect()).with_approval_links(links.clone());
        let engine = Arc::new(engine.with_lease(self.config.lease));
        Ok(Arc::clone(&slot.insert(CachedEngine { selection: chosen, approval_links: links, engine }).engine))
    }

    fn client(&self, credential: &str) -> Client<ReqwestTransport> {
        self.config.sophos.client(
            &self.transport,
            &self.credentials,
            credential,
            self.rate_limit_store.as_ref(),
        )
    }
}

fn configuration_error(error: impl std::fmt::Display) -> WorkerError {
    WorkerError::Configuration(error.to_string())
}
