//! The page on which a person approves or declines.

use std::time::Duration;

use super::{KeySource, Queue, Request, RequestLog, Response, Webhook, page};
use crate::{
    approval::{self, ApprovalAnswer},
    commands::CommandError,
    decision::{DecisionId, DecisionState},
    ledger::LedgerStore,
    policy::Policy,
};

const INVALID_LINK: &str = "an approval link was wrong or too old";

impl<O: LedgerStore, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    pub(super) async fn handle_approval(
        &self,
        policy: &Policy,
        id: &str,
        request: &Request,
        now: Duration,
        notice: &mut RequestLog,
    ) -> Response {
        // One answer for all that is not a good link.
        let gone = || Response::html(403, &page::render_message("This link is not valid, or not any more."));
        let (Ok(id), Some(secret)) = (id.parse::<DecisionId>(), &policy.approval().secret) else {
            return gone();
        };
        let until = request.query_parameter("until").and_then(|until| until.parse::<u64>().ok());
        let (Some(until), Some(signature)) = (until, request.query_parameter("signature")) else {
            return gone();
        };
        // What cannot be a good link needs no key.
        if !approval::is_plausible_link(until, &signature, now) {
            notice.problem = Some(INVALID_LINK.into());
            return gone();
        }
        let keys = match self.keys.load_keys(secret).await {
            Ok(keys) => keys,
            // Only a link that is good could be told so, and none can be verified.
            Err(failure) => {
                notice.error_kind = Some("SecretUnreadable");
                notice.secret_name = Some(secret.clone());
                notice.problem = Some(failure);
                return gone();
            }
        };
        self.warn_about_key_format(secret, &keys, notice);
        let keys = if policy.approval().accept_previous { keys } else { keys.without_previous() };
        if !approval::verify_link(&keys, &id, until, &signature, now) {
            notice.problem = Some(INVALID_LINK.into());
            return gone();
        }
        let outcome = match request.method.as_str() {
            "POST" => match request.form_field("answer").as_deref() {
                Some("approve") => self.record_answer(&id, ApprovalAnswer::Approve, now).await,
                Some("decline") => self.record_answer(&id, ApprovalAnswer::Decline, now).await,
                _ => return Response::html(422, &page::render_message("The form has no answer.")),
            },
            _ => self.approval_page(&id).await,
        };
        match outcome {
            Ok(page) => Response::html(200, &page),
            Err(failure) => {
                notice.problem = Some(failure);
                Response::service_unavailable()
            }
        }
    }

    /// The page for a decision. One that was answered does not ask again, also
    /// before the worker has taken the answer.
    async fn approval_page(&self, id: &DecisionId) -> Result<String, String> {
        let decision = self.ledger.load_decision(id).await.map_err(|failure| failure.to_string())?;
        let Some(decision) = decision else { return Ok(page::render_message("There is no such decision.")) };
        if decision.state() == DecisionState::PendingApproval {
            let submitted =
                self.ledger.load_submitted_answer(id).await.map_err(|failure| failure.to_string())?;
            if let Some(submitted) = submitted {
                return Ok(page::render_answer(&decision, submitted.answer));
            }
        }
        Ok(page::render_approval_form(&decision))
    }

    async fn record_answer(
        &self,
        id: &DecisionId,
        answer: ApprovalAnswer,
        now: Duration,
    ) -> Result<String, String> {
        match self.ledger.submit_answer(id, answer, "the holder of the approval link", now).await {
            Ok(decision) => {
                if answer == ApprovalAnswer::Approve {
                    self.queue.send(std::slice::from_ref(id)).await?;
                }
                Ok(page::render_answer(&decision, answer))
            }
            Err(CommandError::Store(failure)) => Err(failure.to_string()),
            Err(other) => Ok(page::render_message(&format!("Nothing was changed: {other}."))),
        }
    }
}
