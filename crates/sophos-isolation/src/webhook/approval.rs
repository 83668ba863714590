//! The requests of approval links.

use std::time::Duration;

use super::{KeySource, Queue, Request, RequestLog, Response, Webhook, page};
use crate::{
    approval::{self, ApprovalAnswer},
    backend_error::BackendError,
    commands::CommandError,
    decision::{DecisionId, DecisionState},
    ledger::{LedgerStore, LedgerStoreError},
    policy::Policy,
};

const INVALID_LINK: &str = "the approval link is invalid or has expired";

/// The failure to show a page, or to record or queue an answer.
#[derive(Debug, thiserror::Error)]
enum ApprovalError {
    #[error(transparent)]
    Store(#[from] LedgerStoreError),
    #[error(transparent)]
    Queue(#[from] BackendError),
}

impl<O: LedgerStore, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    pub(super) async fn handle_approval(
        &self,
        policy: &Policy,
        id: &str,
        request: &Request,
        now: Duration,
        log: &mut RequestLog,
    ) -> Response {
        // One response for all invalid links.
        let gone = || Response::html(403, &page::render_message("This link is invalid or has expired."));
        let (Ok(id), Some(secret)) = (id.parse::<DecisionId>(), &policy.approval().secret) else {
            return gone();
        };
        let expires_at = request.query_parameter("until").and_then(|until| until.parse::<u64>().ok());
        let (Some(expires_at), Some(signature)) = (expires_at, request.query_parameter("signature")) else {
            return gone();
        };
        // A malformed or expired link needs no key.
        if !approval::is_plausible_link(expires_at, &signature, now) {
            log.problem = Some(INVALID_LINK.into());
            return gone();
        }
        let keys = match self.keys.load_keys(secret).await {
            Ok(keys) => keys,
            // Another response would be safe only for a valid link.
            Err(failure) => {
                log.error_kind = Some("SecretUnreadable");
                log.secret_name = Some(secret.clone());
                log.problem = Some(failure.to_string());
                return gone();
            }
        };
        self.warn_about_key_format(secret, &keys, log);
        let keys = if policy.approval().accept_previous { keys } else { keys.without_previous() };
        if !approval::verify_link(&keys, &id, expires_at, &signature, now) {
            log.problem = Some(INVALID_LINK.into());
            return gone();
        }
        let outcome = match request.method.as_str() {
            "POST" => match request.form_field("answer").as_deref() {
                Some("approve") => self.record_answer(&id, ApprovalAnswer::Approve, now).await,
                Some("decline") => self.record_answer(&id, ApprovalAnswer::Decline, now).await,
                _ => return Response::html(422, &page::render_message("The form has no valid answer.")),
            },
            _ => self.approval_page(&id).await,
        };
        match outcome {
            Ok(page) => Response::html(200, &page),
            Err(failure) => {
                log.problem = Some(failure.to_string());
                Response::service_unavailable()
            }
        }
    }

    /// Returns the page for a decision. After an answer it shows the confirmation,
    /// also before the worker has applied the answer.
    async fn approval_page(&self, id: &DecisionId) -> Result<String, ApprovalError> {
        let Some(decision) = self.ledger.load_decision(id).await? else {
            return Ok(page::render_message("This decision does not exist."));
        };
        if decision.state() == DecisionState::PendingApproval
            && let Some(submitted) = self.ledger.load_submitted_answer(id).await?
        {
            return Ok(page::render_answer(&decision, submitted.answer));
        }
        Ok(page::render_approval_form(&decision))
    }

    async fn record_answer(
        &self,
        id: &DecisionId,
        answer: ApprovalAnswer,
        now: Duration,
    ) -> Result<String, ApprovalError> {
        match self.ledger.submit_answer(id, answer, "the holder of the approval link", now).await {
            Ok(decision) => {
                if answer == ApprovalAnswer::Approve {
                    self.queue.send(std::slice::from_ref(id)).await?;
                }
                Ok(page::render_answer(&decision, answer))
            }
            Err(CommandError::Store(failure)) => Err(failure.into()),
            Err(other) => Ok(page::render_message(&format!("Nothing was changed: {other}."))),
        }
    }
}
