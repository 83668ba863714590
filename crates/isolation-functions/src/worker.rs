use std::{sync::Arc, time::Duration};

use lambda_support::{InvocationError, WebhookSecrets, metrics};
use serde_json::{Value, json};
use sophos_api::{Client, ReqwestTransport, TenantId, Transport};
use sophos_isolation::{
    ApprovalLinks, CommandError, DecisionId, DecisionState, Engine, EngineError, FollowUpReport,
    FollowUpScope, Ledger, ProcessedDecision, adapters,
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

/// The time-out for fetching a published key, while a sender waits.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for which a failed request to the ledger is retried. A sender waits for
/// the webhook, which has 25 seconds.
const LEDGER_RETRY_TIMEOUT: Duration = Duration::from_secs(5);

type WorkerEngine = Engine<ReqwestTransport, Arc<Store>, Arc<EventBus>>;

/// An engine, with the credentials and links that it was created with.
#[derive(Debug)]
struct CachedEngine {
    selection: CredentialSelection,
    approval_links: Option<ApprovalLinks>,
    engine: Arc<WorkerEngine>,
}

/// The failure of an invocation. Unfinished decisions stay scheduled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// No policy is available, or the configuration is invalid.
    #[error("{0}")]
    Configuration(String),
    /// No credential is available.
    #[error("{0}")]
    NoCredential(String),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A command was rejected.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A payload cannot be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// The failure to fetch a document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The URL is not of `https`.
    #[error("invalid URL: expected https")]
    NotHttps,
    /// The request failed.
    #[error("{0}")]
    Failed(String),
    /// The response has another status than 200.
    #[error("the response has the status {0}")]
    Status(u16),
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

/// The worker: it processes decisions and commands.
#[derive(Debug)]
pub struct Worker {
    config: Config,
    policy: PolicyFile,
    store: Arc<Store>,
    event_bus: Arc<EventBus>,
    transport: ReqwestTransport,
    credentials: Arc<dyn CredentialStore>,
    secrets: WebhookSecrets,
    /// The store of the rate limit that functions share.
    rate_limit_store: Option<Store>,
    /// The engine of the last invocation, with its token and caches.
    engine: Mutex<Option<CachedEngine>>,
}

impl Worker {
    /// Creates a worker. It makes no request.
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

    /// Returns the configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the store of the secrets that the policy names.
    pub fn secrets(&self) -> &WebhookSecrets {
        &self.secrets
    }

    /// Fetches a document at an `https` URL for the webhook: the key set of an issuer
    /// or the certificate of a service.
    ///
    /// # Errors
    /// When no response arrives in time, or its status is not 200.
    pub async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        if !url.starts_with("https://") {
            return Err(FetchError::NotHttps);
        }
        let request = http::Request::get(url).body(Vec::new());
        let request = request.map_err(|error| FetchError::Failed(error.to_string()))?;
        let response = self.transport.send(request, FETCH_TIMEOUT).await;
        let response = response.map_err(|error| FetchError::Failed(error.to_string()))?;
        match response.status().as_u16() {
            200 => Ok(response.into_body().to_vec()),
            status => Err(FetchError::Status(status)),
        }
    }

    /// Returns the current policy.
    ///
    /// # Errors
    /// When no policy is available.
    pub async fn policy(&self) -> Result<Arc<Policy>, WorkerError> {
        self.policy.current().await.map_err(configuration_error)
    }

    /// Returns the current policy, or the absent policy, under which nothing is
    /// isolated and releases continue.
    async fn policy_or_absent(&self) -> Result<Arc<Policy>, WorkerError> {
        self.policy.current_or_absent().await.map_err(configuration_error)
    }

    /// Returns the store of the ledger.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// Runs a task. Returns the response of the invocation. Waits end at `deadline`,
    /// since the Unix epoch.
    ///
    /// # Errors
    /// When the whole task failed.
    pub async fn handle(&self, task: WorkerTask, deadline: Duration) -> Result<Value, WorkerError> {
        match task {
            WorkerTask::Messages(messages) => self.process_messages(messages, deadline).await,
            WorkerTask::FollowUp { all } => {
                let scope = if all { FollowUpScope::Open } else { FollowUpScope::Due };
                let report = self.follow_up(scope, deadline).await?;
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

    /// Checks a payload.
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

    /// Stores the result of a check from the queue. The webhook waits only seconds for
    /// it, so a failed check is not retried.
    async fn answer_check(&self, request: &CheckRequest, deadline: Duration) {
        let result = match self.check(request.payload(), deadline).await {
            Ok(result) => result,
            Err(error) => json!({ "error": error.to_string() }),
        };
        if let Err(error) = self.store.create(&request.answer_path(), result.to_string().into_bytes()).await {
            tracing::error!(event = "check_answer_failed", %error, "failed to store the result of a check");
        }
    }

    /// Completes a check with the endpoint of each signal. It records and changes
    /// nothing.
    ///
    /// # Errors
    /// When Sophos Central or the ledger fails.
    pub async fn complete_check(
        &self,
        policy: &Policy,
        check: Check,
        deadline: Duration,
    ) -> Result<Check, WorkerError> {
        let engine = self.engine(policy, deadline).await?;
        Ok(engine.check(policy, check, Some(deadline)).await?)
    }

    /// Processes decisions. Returns the result of each.
    ///
    /// # Errors
    /// When no policy or no credential is available.
    pub async fn process(
        &self,
        ids: &[DecisionId],
        deadline: Duration,
    ) -> Result<Vec<ProcessedDecision>, WorkerError> {
        let policy = self.policy_or_absent().await?;
        let engine = self.engine(&policy, deadline).await?;
        let processed = engine.process(&policy, ids, Some(deadline)).await;
        for ProcessedDecision { id, result } in &processed {
            match result {
                Ok(Some(state)) => {
                    tracing::info!(event = "decision_processed", decision_id = %id, %state, "processed a decision")
                }
                Ok(None) => {
                    tracing::error!(event = "decision_not_found", decision_id = %id, "decision not found in this ledger")
                }
                Err(error) => {
                    tracing::error!(event = "decision_failed", decision_id = %id, %error, "failed to process a decision")
                }
            }
        }
        let is_refused =
            |decision: &&ProcessedDecision| matches!(decision.result, Ok(Some(DecisionState::Refused)));
        let refused = processed.iter().filter(is_refused).count();
        if refused > 0 {
            // The response has no such count, and the webhook may process decisions too.
            let refused = [("RefusedDecisions", "Count", refused as f64)];
            metrics::write([metrics::emf_record(
                &self.config.metrics_namespace,
                "",
                metrics::now_ms(),
                &[],
                &refused,
            )]);
        }
        Ok(processed)
    }

    async fn follow_up(
        &self,
        scope: FollowUpScope<'_>,
        deadline: Duration,
    ) -> Result<FollowUpReport, WorkerError> {
        let policy = self.policy_or_absent().await?;
        let engine = self.engine(&policy, deadline).await?;
        if let Some(stop) = engine.ledger().load_emergency_stop().await.map_err(EngineError::from)? {
            tracing::warn!(
                event = "isolation_stopped",
                reason = stop.reason,
                "the emergency stop is in effect; nothing is isolated"
            );
        }
        let report = engine.follow_up_scope(&policy, scope, Some(deadline)).await?;
        for error in &report.errors {
            tracing::error!(event = "follow_up_failed", error, "failed to follow up a decision");
        }
        for (state, count) in &report.transitions {
            tracing::info!(event = "decisions_moved", state, count, "decisions changed their state");
        }
        tracing::info!(
            event = "followed_up",
            due = report.due,
            overdue = report.overdue,
            "followed up on decisions"
        );
        Ok(report)
    }

    /// Requests the release of an endpoint, in its tenant or in all tenants of the
    /// policy.
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
        let processed = self.process(&ids, deadline).await?;
        for request in messages.iter().filter_map(|message| message.check.as_ref()) {
            self.answer_check(request, deadline).await;
        }
        let failed = |message: &&QueueMessage| match &message.decision {
            // The message of an unknown decision stays in the queue: this function and
            // the webhook may have different ledgers.
            Some(id) => processed
                .iter()
                .any(|processed| processed.id == *id && !matches!(processed.result, Ok(Some(_)))),
            None if message.check.is_some() => false,
            None => {
                let (event, message_id) = ("message_without_decision", &message.id);
                tracing::error!(event, message_id, "the message contains no decision id");
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

    /// Returns the engine for the current credentials and approval links.
    async fn engine(&self, policy: &Policy, deadline: Duration) -> Result<Arc<WorkerEngine>, WorkerError> {
        let listed = lambda_support::list_credentials(&*self.credentials, deadline).await;
        let listed = listed.map_err(|error| WorkerError::NoCredential(error.to_string()))?;
        let selection = CredentialSelection::from_listed(listed, &format!("{:?}", self.credentials))?;
        let mut cache = self.engine.lock().await;
        let previous = cache.as_ref().and_then(|cached| cached.approval_links.as_ref());
        let url = self.config.approval_url.as_deref();
        let links = approval_links::load_approval_links(&self.secrets, url, policy, previous)
            .await
            .map_err(configuration_error)?;
        let has_same_links = |cached: &CachedEngine| match (&cached.approval_links, &links) {
            (Some(cached), Some(links)) => cached.is_same(links),
            (cached, links) => cached.is_none() && links.is_none(),
        };
        let is_current = |cached: &&CachedEngine| cached.selection == selection && has_same_links(cached);
        if let Some(cached) = cache.as_ref().filter(is_current) {
            return Ok(Arc::clone(&cached.engine));
        }
        let clients = selection
            .per_tenant
            .iter()
            .map(|(tenant, name)| (TenantId::from(tenant.as_str()), self.client(name)));
        let client = self.client(&selection.default);
        let engine = Engine::new(client, Ledger::new(self.store()), Arc::clone(&self.event_bus))
            .with_tenant_clients(clients.collect())
            .with_approval_links(links.clone())
            .with_lease(self.config.lease);
        let cached = CachedEngine { selection, approval_links: links, engine: Arc::new(engine) };
        Ok(Arc::clone(&cache.insert(cached).engine))
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
