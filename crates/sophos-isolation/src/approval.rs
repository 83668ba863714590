//! A person's word on a decision that waits.
//!
//! A link carries the decision, the time until which it is good, and an
//! HMAC-SHA256 over both. Following it shows what is asked; only the form on
//! that page answers, since mail programs follow links by themselves.

use std::{fmt, time::Duration};

use hmac::Mac;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    decision::{Decision, DecisionId, DecisionState, ReleaseReason, Transition},
    ledger::{Ledger, LedgerStore, LedgerStoreError},
    outcome::ApprovalUrl,
    signal::clean,
    verify::{Encoding, Keys, mac},
};

/// How often a decision is read again because somebody else took a step.
pub(crate) const MAX_ATTEMPTS: usize = 8;

/// Makes links by which decisions are approved.
#[derive(Clone)]
pub struct ApprovalLinks {
    base: String,
    key: SecretString,
}

impl fmt::Debug for ApprovalLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApprovalLinks").field("base", &self.base).finish_non_exhaustive()
    }
}

impl ApprovalLinks {
    /// Links to the webhook at this address, signed with this key.
    pub fn new(base: impl Into<String>, key: SecretString) -> Self {
        Self { base: base.into().trim_end_matches('/').to_owned(), key: Keys::new(key, None).into_current() }
    }

    /// Whether the links of both are the same: at one address, signed with one key.
    pub fn is_same(&self, other: &Self) -> bool {
        self.base == other.base && self.key.expose_secret() == other.key.expose_secret()
    }

    /// The link for a decision, good until a moment in seconds since the Unix
    /// epoch.
    pub fn link(&self, id: &DecisionId, expires_at: u64) -> ApprovalUrl {
        let signature = sign(self.key.expose_secret(), id, expires_at);
        let digits: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        ApprovalUrl(format!("{}/approvals/{id}?until={expires_at}&signature={digits}", self.base))
    }
}

fn sign(key: &str, id: &DecisionId, expires_at: u64) -> Vec<u8> {
    let mut mac = mac(key.as_bytes());
    mac.update(format!("approval\n{id}\n{expires_at}").as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Whether a link has the form of one of ours and is not too old, whatever the key
/// is.
pub(crate) fn is_plausible_link(expires_at: u64, signature: &str, now: Duration) -> bool {
    now.as_secs() < expires_at && Encoding::Hex.decode(signature).is_some()
}

/// Whether a link is one of ours and still good.
pub(crate) fn verify_link(
    keys: &Keys,
    id: &DecisionId,
    expires_at: u64,
    signature: &str,
    now: Duration,
) -> bool {
    let Some(bytes) = Encoding::Hex.decode(signature) else { return false };
    let good = keys.versions().any(|(_, key)| {
        let mut mac = mac(key.as_bytes());
        mac.update(format!("approval\n{id}\n{expires_at}").as_bytes());
        mac.verify_slice(&bytes).is_ok()
    });
    good && is_plausible_link(expires_at, signature, now)
}

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalAnswer {
    /// Isolate it.
    Approve,
    /// Do not.
    Decline,
}

impl ApprovalAnswer {
    fn to_transition(self, by: &str) -> Transition {
        let who = clean(by);
        match self {
            Self::Approve => Transition::Approved { by: who },
            Self::Decline => Transition::Declined { by: who },
        }
    }
}

/// The answer of a person who followed a link: an object that the webhook
/// creates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubmittedAnswer {
    /// The form of this object: 1.
    version: u32,
    decision: DecisionId,
    pub(crate) answer: ApprovalAnswer,
    by: String,
    /// Milliseconds since the Unix epoch.
    at_ms: u64,
}

fn answer_path(id: &DecisionId) -> String {
    format!("answers/{id}.json")
}

/// Whether a decision waits for an answer at a moment.
fn is_awaiting_answer(decision: &Decision, at: Duration) -> bool {
    match decision.entries().last().map(|entry| &entry.transition) {
        Some(Transition::PendingApproval { expires_at: until, .. }) => at.as_secs() < *until,
        _ => false,
    }
}

/// The outcome for a decision that waits no longer.
fn check_repeated_answer(decision: Decision, answer: ApprovalAnswer) -> Result<Decision, CommandError> {
    let repeated = match answer {
        ApprovalAnswer::Approve => decision.is_approved(),
        ApprovalAnswer::Decline => decision.state() == DecisionState::Declined,
    };
    if repeated {
        return Ok(decision);
    }
    let wanted = "only one that waits, and whose time is not up, can be answered";
    Err(CommandError::InvalidState { state: decision.state(), expected: wanted })
}

/// Why an answer or a wish came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no such decision.
    #[error("there is no decision {0}")]
    Unknown(DecisionId),
    /// The decision does not stand where this would change anything.
    #[error("the decision is {state}; {expected}")]
    InvalidState {
        /// Where it stands.
        state: DecisionState,
        /// Where it would have to stand.
        expected: &'static str,
    },
    /// A tenant or an endpoint is named by what is not its id.
    #[error("invalid machine: expected the UUID of a tenant and of an endpoint")]
    InvalidEndpoint,
    /// No decision holds the machine.
    #[error(
        "nothing to release: no open decision is about endpoint {endpoint}; an isolation that others asked \
         for is released in Sophos Central"
    )]
    NothingToRelease {
        /// The endpoint.
        endpoint: String,
    },
    /// The store failed; ask again.
    #[error(transparent)]
    Store(#[from] LedgerStoreError),
}

impl<O: LedgerStore> Ledger<O> {
    /// Takes a person's answer to a decision that waits, and puts it on the
    /// agenda. To give the same answer again changes nothing. For the worker: the
    /// webhook [submits](Self::submit_answer) an answer.
    ///
    /// # Errors
    /// When there is no such decision, it does not wait any more, or the store
    /// fails.
    pub async fn answer_approval(
        &self,
        id: &DecisionId,
        answer: ApprovalAnswer,
        by: &str,
        now: Duration,
    ) -> Result<Decision, CommandError> {
        for _ in 0..MAX_ATTEMPTS {
            let mut decision = self.require_decision(id).await?;
            if !is_awaiting_answer(&decision, now) {
                return check_repeated_answer(decision, answer);
            }
            self.schedule_follow_up_soon(id, now).await?;
            if self.append_transition(&mut decision, answer.to_transition(by), now).await? {
                return Ok(decision);
            }
        }
        Err(LedgerStoreError::new("others keep changing the decision; ask again").into())
    }

    /// Stores the answer of a person who followed a link, for the worker to take,
    /// with a reminder. The first answer counts; to give it again changes nothing.
    ///
    /// # Errors
    /// When there is no such decision, it does not wait any more, another answer
    /// was given, or the store fails.
    pub async fn submit_answer(
        &self,
        id: &DecisionId,
        answer: ApprovalAnswer,
        by: &str,
        now: Duration,
    ) -> Result<Decision, CommandError> {
        let decision = self.require_decision(id).await?;
        if !is_awaiting_answer(&decision, now) {
            return check_repeated_answer(decision, answer);
        }
        self.schedule_inbox_follow_up(id, now).await?;
        let submitted = SubmittedAnswer {
            version: 1,
            decision: id.clone(),
            answer,
            by: clean(by),
            at_ms: now.as_millis() as u64,
        };
        let body = serde_json::to_vec_pretty(&submitted).map_err(LedgerStoreError::new)?;
        if !self.store().create(&answer_path(id), body).await?
            && self.load_submitted_answer(id).await?.is_some_and(|first| first.answer != answer)
        {
            let wanted = "another answer was given before";
            return Err(CommandError::InvalidState { state: decision.state(), expected: wanted });
        }
        Ok(decision)
    }

    /// The answer that was submitted for a decision, if one was.
    pub(crate) async fn load_submitted_answer(
        &self,
        id: &DecisionId,
    ) -> Result<Option<SubmittedAnswer>, LedgerStoreError> {
        let path = answer_path(id);
        let Some(body) = self.store().read(&path).await? else { return Ok(None) };
        let submitted: SubmittedAnswer = serde_json::from_slice(&body).map_err(|error| {
            LedgerStoreError::new(format!("invalid object \"{path}\": expected an answer ({error})"))
        })?;
        Ok(Some(submitted).filter(|submitted| submitted.version == 1 && submitted.decision == *id))
    }

    /// Takes the submitted answer to a decision that waits. Says whether a step
    /// was taken. An answer that was given in time counts until the decision has
    /// expired.
    pub(crate) async fn apply_submitted_answer(
        &self,
        decision: &mut Decision,
        now: Duration,
    ) -> Result<bool, LedgerStoreError> {
        if decision.state() != DecisionState::PendingApproval {
            return Ok(false);
        }
        let id = decision.id().clone();
        let Some(SubmittedAnswer { answer, by: who, at_ms, .. }) = self.load_submitted_answer(&id).await?
        else {
            return Ok(false);
        };
        let given = Duration::from_millis(at_ms).min(now);
        if !is_awaiting_answer(decision, given) {
            return Ok(false);
        }
        self.append_transition(decision, answer.to_transition(&who), now).await
    }

    /// Asks for the end of one decision's isolation, and puts it on the agenda.
    /// To ask again changes nothing. Other decisions may still hold the machine:
    /// [`release`](Self::release_decision) ends those as well.
    ///
    /// # Errors
    /// When there is no such decision, it holds no endpoint, or the store fails.
    pub async fn request_release(
        &self,
        id: &DecisionId,
        by: &str,
        now: Duration,
    ) -> Result<Decision, CommandError> {
        for _ in 0..MAX_ATTEMPTS {
            let mut decision = self.require_decision(id).await?;
            match decision.state() {
                DecisionState::ReleasePending | DecisionState::ReleaseRequested | DecisionState::Released => {
                    return Ok(decision);
                }
                DecisionState::Requested | DecisionState::Isolated => {}
                state => {
                    let wanted = "only one that has asked for isolation can be released";
                    return Err(CommandError::InvalidState { state, expected: wanted });
                }
            }
            self.schedule_follow_up_soon(id, now).await?;
            let step = Transition::ReleasePending { reason: ReleaseReason::Requested, by: Some(clean(by)) };
            if self.append_transition(&mut decision, step, now).await? {
                return Ok(decision);
            }
        }
        Err(LedgerStoreError::new("others keep changing the decision; ask again").into())
    }

    pub(crate) async fn require_decision(&self, id: &DecisionId) -> Result<Decision, CommandError> {
        self.load_decision(id).await?.ok_or_else(|| CommandError::Unknown(id.clone()))
    }
}
