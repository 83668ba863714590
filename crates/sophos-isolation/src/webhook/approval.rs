//! The page on which a person approves or declines.

use std::time::Duration;

use super::{KeySource, Notice, Queue, Request, Response, Webhook, page};
use crate::{
    approval::{self, Answer, AnswerError},
    decision::{DecisionId, State},
    ledger::Objects,
    policy::Policy,
};

const WRONG: &str = "an approval link was wrong or too old";

impl<O: Objects, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    pub(super) async fn approval(
        &self,
        policy: &Policy,
        id: &str,
        request: &Request,
        now: Duration,
        notice: &mut Notice,
    ) -> Response {
        // One answer for all that is not a good link.
        let gone = || Response::page(403, &page::message("This link is not valid, or not any more."));
        let (Ok(id), Some(secret)) = (id.parse::<DecisionId>(), &policy.approval().secret) else {
            return gone();
        };
        let until = request.query("until").and_then(|until| until.parse::<u64>().ok());
        let (Some(until), Some(signature)) = (until, request.query("signature")) else { return gone() };
        // What cannot be a good link needs no key.
        if !approval::can_be_good(until, &signature, now) {
            notice.problem = Some(WRONG.into());
            return gone();
        }
        let keys = match self.keys.keys(secret).await {
            Ok(keys) => keys,
            // Only a link that is good could be told so, and none can be verified.
            Err(failure) => {
                notice.error_kind = Some("SecretUnreadable");
                notice.secret = Some(secret.clone());
                notice.problem = Some(failure);
                return gone();
            }
        };
        self.warn_of(secret, &keys, notice);
        let keys = if policy.approval().accept_previous { keys } else { keys.without_previous() };
        if !approval::is_good(&keys, &id, until, &signature, now) {
            notice.problem = Some(WRONG.into());
            return gone();
        }
        let outcome = match request.method.as_str() {
            "POST" => match request.form("answer").as_deref() {
                Some("approve") => self.answer(&id, Answer::Approve, now).await,
                Some("decline") => self.answer(&id, Answer::Decline, now).await,
                _ => return Response::page(422, &page::message("The form has no answer.")),
            },
            _ => self.ask(&id).await,
        };
        match outcome {
            Ok(page) => Response::page(200, &page),
            Err(failure) => {
                notice.problem = Some(failure);
                Response::send_again()
            }
        }
    }

    /// The page for a decision. One that was answered does not ask again, also
    /// before the worker has taken the answer.
    async fn ask(&self, id: &DecisionId) -> Result<String, String> {
        let decision = self.ledger.decision(id).await.map_err(|failure| failure.to_string())?;
        let Some(decision) = decision else { return Ok(page::message("There is no such decision.")) };
        if decision.state() == State::Waiting {
            let submitted = self.ledger.submitted(id).await.map_err(|failure| failure.to_string())?;
            if let Some(submitted) = submitted {
                return Ok(page::answered(&decision, submitted.answer));
            }
        }
        Ok(page::ask(&decision))
    }

    async fn answer(&self, id: &DecisionId, answer: Answer, now: Duration) -> Result<String, String> {
        match self.ledger.submit_answer(id, answer, "the holder of the approval link", now).await {
            Ok(decision) => {
                if answer == Answer::Approve {
                    self.queue.send(std::slice::from_ref(id)).await?;
                }
                Ok(page::answered(&decision, answer))
            }
            Err(AnswerError::Store(failure)) => Err(failure.to_string()),
            Err(other) => Ok(page::message(&format!("Nothing was changed: {other}."))),
        }
    }
}
