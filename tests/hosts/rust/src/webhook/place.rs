//! What the webhook has of its host.

use std::sync::Arc;

use super::{
    CALLER,
    bindings::sophos::central::{
        journal::{self, Notice},
        ledger_store,
        outcomes::{self, Outcome},
        policy::{self, Rules},
        queue::{self, Handling},
        sender_secrets::{self, Keys},
    },
    folder::Folder,
};

/// Takes something, or says why not, for the journal.
pub type Takes<T> = Box<dyn Fn(T) -> Result<(), String> + Send + Sync>;

/// What all instances have of this host. Everything else of the machine is out of
/// their reach. An error goes to the journal, and has the sender send again.
pub struct Place {
    /// The sender's secret of this name, which is the policy's.
    pub secrets: Box<dyn Fn(&str) -> Result<Keys, String> + Send + Sync>,
    /// The ledger: all that lasts.
    pub store: Folder,
    /// The policy as it is now. Without a `caller_header` of a proxy in front, the
    /// caller is whoever made the connection.
    pub rules: Box<dyn Fn() -> Result<Rules, String> + Send + Sync>,
    /// Where it is recorded what came in.
    pub journal: Box<dyn Fn(&Notice) + Send + Sync>,
    /// Who is told of outcomes, if somebody is.
    pub outcomes: Option<Takes<Outcome>>,
    /// A queue of decisions for `decisions.work`. Without one a sender waits until the
    /// service has taken the isolation on.
    pub queue: Option<Takes<Vec<String>>>,
}

impl sender_secrets::Host for Arc<Place> {
    fn read(&mut self, name: String) -> Result<Keys, String> {
        (self.secrets)(&name)
    }
}

impl ledger_store::Host for Arc<Place> {
    async fn create(&mut self, path: String, body: Vec<u8>) -> Result<bool, String> {
        apart(self, move |store| store.create(&path, &body)).await
    }

    async fn read(&mut self, path: String) -> Result<Option<Vec<u8>>, String> {
        apart(self, move |store| store.read(&path)).await
    }

    async fn remove(&mut self, path: String) -> Result<(), String> {
        apart(self, move |store| store.remove(&path)).await
    }

    async fn names(&mut self, folder: String) -> Result<Vec<String>, String> {
        apart(self, move |store| store.names(&folder)).await
    }
}

/// Does what waits for a disk where it holds nobody up.
async fn apart<T: Send + 'static>(
    place: &Arc<Place>,
    what: impl FnOnce(&Folder) -> std::io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let place = Arc::clone(place);
    let done = tokio::task::spawn_blocking(move || what(&place.store)).await;
    done.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

impl queue::Host for Arc<Place> {
    fn hand_on(&mut self, decisions: Vec<String>) -> Result<Handling, String> {
        match &self.queue {
            Some(queue) => queue(decisions).map(|()| Handling::Queued),
            None => Ok(Handling::Here),
        }
    }
}

impl policy::Host for Arc<Place> {
    fn current(&mut self) -> Result<Rules, String> {
        let mut rules = (self.rules)()?;
        rules.caller_header.get_or_insert_with(|| CALLER.to_string());
        Ok(rules)
    }
}

impl outcomes::Host for Arc<Place> {
    fn has_listener(&mut self) -> bool {
        self.outcomes.is_some()
    }

    fn publish(&mut self, outcome: Outcome) -> Result<(), String> {
        self.outcomes.as_ref().map_or(Ok(()), |tell| tell(outcome))
    }
}

impl journal::Host for Arc<Place> {
    fn record_notice(&mut self, notice: Notice) {
        (self.journal)(&notice);
    }
}
