//! The secrets and the queue of a webhook, which the caller provides.

use serde_json::Value;

use crate::{
    adapters::Message, backend_error::BackendError, check::Check, decision::DecisionId, policy::Policy,
    verify::Keys,
};

/// The source of secrets, by their names in the policy.
pub trait KeySource: Send + Sync {
    /// Loads the current and the previous value of a secret.
    ///
    /// # Errors
    /// The cause, with the name of the secret and without its value.
    fn load_keys(&self, name: &str) -> impl Future<Output = Result<Keys, BackendError>> + Send;

    /// Fetches an `https` URL: a key set, a certificate, or the confirmation of a
    /// subscription. An implementation follows no redirect, limits the time, and
    /// accepts only the status 200. Without an implementation the schemes that need
    /// it fail.
    ///
    /// # Errors
    /// The cause, without secrets.
    fn fetch_url(&self, url: &str) -> impl Future<Output = Result<Vec<u8>, BackendError>> + Send {
        let _ = url;
        std::future::ready(Err(BackendError::new("this host makes no requests")))
    }
}

/// The queue of decisions for the worker.
pub trait Queue: Send + Sync {
    /// Sends decisions. Duplicates do no harm.
    ///
    /// # Errors
    /// The cause, without secrets. The sender gets a response to retry.
    fn send(&self, decisions: &[DecisionId]) -> impl Future<Output = Result<(), BackendError>> + Send;

    /// Has the worker resolve the endpoints of a check. A queue without a worker
    /// returns the check unchanged.
    ///
    /// # Errors
    /// The cause, without secrets.
    fn check(
        &self,
        policy: &Policy,
        message: &Message<'_>,
        check: Check,
    ) -> impl Future<Output = Result<Value, BackendError>> + Send {
        let _ = (policy, message);
        std::future::ready(serde_json::to_value(check).map_err(BackendError::new))
    }
}
