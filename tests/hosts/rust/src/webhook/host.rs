//! What the webhook has of its host.

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

/// Takes something, or says why not, for the audit log.
pub type Callback<T> = Box<dyn Fn(T) -> Result<(), String> + Send + Sync>;

/// What all instances have of this host. Everything else of the machine is out of
/// their reach. An error goes to the audit log, and has the sender send again.
pub struct WebhookHost {
    /// The sender's secret of this name, which is the policy's.
    pub secrets: Box<dyn Fn(&str) -> Result<Keys, String> + Send + Sync>,
    /// The ledger: all that lasts.
    pub ledger: FolderStore,
    /// The policy as it is now. Without a `client_ip_header` of a proxy in front, the
    /// caller is whoever made the connection.
    pub policy: Box<dyn Fn() -> Result<PolicySettings, String> + Send + Sync>,
    /// Where it is recorded what came in.
    pub audit_log: Box<dyn Fn(&AuditRecord) + Send + Sync>,
    /// Who is told of outcomes, if somebody is.
    pub outcomes: Option<Callback<Outcome>>,
    /// A queue of decisions for `decisions.work`. Without one a sender waits until the
    /// service has taken the isolation on.
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

/// Does what waits for a disk where it holds nobody up.
async fn run_blocking<T: Send + 'static>(
    place: &Arc<WebhookHost>,
    what: impl FnOnce(&FolderStore) -> std::io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let place = Arc::clone(place);
    let done = tokio::task::spawn_blocking(move || what(&place.ledger)).await;
    done.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
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
        let mut rules = (self.policy)()?;
        rules.client_ip_header.get_or_insert_with(|| CLIENT_IP_HEADER.to_string());
        Ok(rules)
    }
}

impl outcomes::Host for Arc<WebhookHost> {
    fn is_enabled(&mut self) -> bool {
        self.outcomes.is_some()
    }

    fn publish(&mut self, outcome: Outcome) -> Result<(), String> {
        self.outcomes.as_ref().map_or(Ok(()), |tell| tell(outcome))
    }
}

impl audit_log::Host for Arc<WebhookHost> {
    fn append(&mut self, entry: AuditRecord) {
        (self.audit_log)(&entry);
    }
}
