//! The imports of the world `webhook`.

use std::sync::Arc;

use super::{
    CLIENT_IP_HEADER,
    bindings::sophos::central::{
        audit_log::{self, AuditRecord},
        ledger_store,
        outcomes::{self, Outcome},
        policy::{self, PolicySettings},
        queue::{self, Dispatch},
        webhook_secrets::{self, Keys},
    },
    folder::FolderStore,
};

/// A callback. Its error goes to the audit log.
pub type Callback<T> = Box<dyn Fn(T) -> Result<(), String> + Send + Sync>;

/// The host's part, which all instances share. An error goes to the audit log, and the
/// component asks the sender to retry.
pub struct WebhookHost {
    /// Returns a sender's secret by its name in the policy.
    pub secrets: Box<dyn Fn(&str) -> Result<Keys, String> + Send + Sync>,
    /// The ledger, which holds all state.
    pub ledger: FolderStore,
    /// Returns the policy in force. Without a `client_ip_header` the caller is the peer of
    /// the connection.
    pub policy: Box<dyn Fn() -> Result<PolicySettings, String> + Send + Sync>,
    /// Records a request.
    pub audit_log: Box<dyn Fn(&AuditRecord) + Send + Sync>,
    /// Publishes an outcome, if the host receives outcomes.
    pub outcomes: Option<Callback<Outcome>>,
    /// Queues decisions for `decisions.process`. Without it a sender waits until the
    /// service has accepted the isolation.
    pub queue: Option<Callback<Vec<String>>>,
}

impl webhook_secrets::Host for Arc<WebhookHost> {
    fn get(&mut self, name: String) -> Result<Keys, String> {
        (self.secrets)(&name)
    }
}

impl ledger_store::Host for Arc<WebhookHost> {
    async fn create(&mut self, path: String, body: Vec<u8>) -> Result<bool, String> {
        run_blocking(self, move |store| store.create(&path, &body)).await
    }

    async fn read(&mut self, path: String) -> Result<Option<Vec<u8>>, String> {
        run_blocking(self, move |store| store.get(&path)).await
    }

    async fn delete(&mut self, path: String) -> Result<(), String> {
        run_blocking(self, move |store| store.delete(&path)).await
    }

    async fn list(&mut self, folder: String) -> Result<Vec<String>, String> {
        run_blocking(self, move |store| store.list_names(&folder)).await
    }
}

/// Runs a blocking disk operation outside the async threads.
async fn run_blocking<T: Send + 'static>(
    host: &Arc<WebhookHost>,
    operation: impl FnOnce(&FolderStore) -> std::io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let host = Arc::clone(host);
    let result = tokio::task::spawn_blocking(move || operation(&host.ledger)).await;
    result.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

impl queue::Host for Arc<WebhookHost> {
    fn enqueue(&mut self, decisions: Vec<String>) -> Result<Dispatch, String> {
        match &self.queue {
            Some(queue) => queue(decisions).map(|()| Dispatch::Queued),
            None => Ok(Dispatch::Inline),
        }
    }
}

impl policy::Host for Arc<WebhookHost> {
    fn current(&mut self) -> Result<PolicySettings, String> {
        let mut settings = (self.policy)()?;
        settings.client_ip_header.get_or_insert_with(|| CLIENT_IP_HEADER.to_string());
        Ok(settings)
    }
}

impl outcomes::Host for Arc<WebhookHost> {
    fn is_enabled(&mut self) -> bool {
        self.outcomes.is_some()
    }

    fn publish(&mut self, outcome: Outcome) -> Result<(), String> {
        self.outcomes.as_ref().map_or(Ok(()), |publish| publish(outcome))
    }
}

impl audit_log::Host for Arc<WebhookHost> {
    fn append(&mut self, entry: AuditRecord) {
        (self.audit_log)(&entry);
    }
}
