//! Approval links, and the answers that are submitted with them.
//!
//! A link holds the decision, its expiry, and an HMAC-SHA256 over both. It shows
//! a page; only the form on that page submits an answer, as mail programs follow
//! links on their own.

use std::{fmt, time::Duration};

use hmac::Mac;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    commands::CommandError,
    decision::{Decision, DecisionId, DecisionState, Transition},
    ledger::{Ledger, LedgerStore, LedgerStoreError, paths},
    outcome::ApprovalUrl,
    signal::clean,
    verify::{Encoding, Keys, mac},
};

/// Creates approval links.
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
    /// Creates links to the webhook at this URL, signed with this key.
    pub fn new(base: impl Into<String>, key: SecretString) -> Self {
        Self { base: base.into().trim_end_matches('/').to_owned(), key: Keys::new(key, None).into_current() }
    }

    /// Whether both have the same URL and key.
    pub fn is_same(&self, other: &Self) -> bool {
        self.base == other.base && self.key.expose_secret() == other.key.expose_secret()
    }

    /// Returns the link for a decision, valid until `expires_at` in seconds since
    /// the Unix epoch.
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

/// Whether a link is well-formed and has not expired, whatever its signature.
pub(crate) fn is_plausible_link(expires_at: u64, signature: &str, now: Duration) -> bool {
    now.as_secs() < expires_at && Encoding::Hex.decode(signature).is_some()
}

/// Returns whether a link has a valid signature and has not expired.
pub(crate) fn verify_link(
    keys: &Keys,
    id: &DecisionId,
    expires_at: u64,
    signature: &str,
    now: Duration,
) -> bool {
    let Some(bytes) = Encoding::Hex.decode(signature) else { return false };
    let is_signed = keys.versions().any(|(_, key)| {
        let mut mac = mac(key.as_bytes());
        mac.update(format!("approval\n{id}\n{expires_at}").as_bytes());
        mac.verify_slice(&bytes).is_ok()
    });
    is_signed && is_plausible_link(expires_at, signature, now)
}

/// The answer of a person to a decision that awaits approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalAnswer {
    /// Isolate the endpoint.
    Approve,
    /// Do not isolate the endpoint.
    Decline,
}

impl ApprovalAnswer {
    pub(crate) fn to_transition(self, by: &str) -> Transition {
        let by = clean(by);
        match self {
            Self::Approve => Transition::Approved { by },
            Self::Decline => Transition::Declined { by },
        }
    }
}

/// The answer of a person who followed an approval link, as the webhook stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SubmittedAnswer {
    /// The format version: 1.
    version: u32,
    decision: DecisionId,
    pub(crate) answer: ApprovalAnswer,
    by: String,
    /// Milliseconds since the Unix epoch.
    at_ms: u64,
}

/// Whether a decision awaits approval at a time.
pub(crate) fn is_awaiting_answer(decision: &Decision, at: Duration) -> bool {
    match decision.entries().last().map(|entry| &entry.transition) {
        Some(Transition::PendingApproval { expires_at, .. }) => at.as_secs() < *expires_at,
        _ => false,
    }
}

/// Accepts the repetition of the answer that a decision got before.
///
/// # Errors
/// When it got another answer, or none in time.
pub(crate) fn check_repeated_answer(
    decision: Decision,
    answer: ApprovalAnswer,
) -> Result<Decision, CommandError> {
    let is_repeated = match answer {
        ApprovalAnswer::Approve => decision.is_approved(),
        ApprovalAnswer::Decline => decision.state() == DecisionState::Declined,
    };
    if is_repeated {
        return Ok(decision);
    }
    let expected = "only one that awaits approval and has not expired can be answered";
    Err(CommandError::InvalidState { state: decision.state(), expected })
}

impl<O: LedgerStore> Ledger<O> {
    /// Stores the answer of a person who followed an approval link, and schedules
    /// the follow-up in which the worker applies it. The first answer counts;
    /// repeating it changes nothing.
    ///
    /// # Errors
    /// When the decision does not exist, no longer awaits approval or got another
    /// answer, or the store fails.
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
        if !self.store().create(&paths::answer(id), body).await?
            && self.load_submitted_answer(id).await?.is_some_and(|first| first.answer != answer)
        {
            let expected = "another answer was given before";
            return Err(CommandError::InvalidState { state: decision.state(), expected });
        }
        Ok(decision)
    }

    /// Loads the answer that was submitted for a decision, if any.
    pub(crate) async fn load_submitted_answer(
        &self,
        id: &DecisionId,
    ) -> Result<Option<SubmittedAnswer>, LedgerStoreError> {
        let path = paths::answer(id);
        let Some(body) = self.store().read(&path).await? else { return Ok(None) };
        let submitted: SubmittedAnswer = serde_json::from_slice(&body).map_err(|error| {
            LedgerStoreError::new(format!("invalid object \"{path}\": expected an answer ({error})"))
        })?;
        Ok(Some(submitted).filter(|submitted| submitted.version == 1 && submitted.decision == *id))
    }

    /// Records the submitted answer to a decision that awaits approval. Returns
    /// whether a transition was recorded. An answer in time counts until the
    /// decision is recorded as expired.
    pub(crate) async fn apply_submitted_answer(
        &self,
        decision: &mut Decision,
        now: Duration,
    ) -> Result<bool, LedgerStoreError> {
        if decision.state() != DecisionState::PendingApproval {
            return Ok(false);
        }
        let id = decision.id().clone();
        let Some(SubmittedAnswer { answer, by, at_ms, .. }) = self.load_submitted_answer(&id).await? else {
            return Ok(false);
        };
        let submitted_at = Duration::from_millis(at_ms).min(now);
        if !is_awaiting_answer(decision, submitted_at) {
            return Ok(false);
        }
        self.append_transition(decision, answer.to_transition(&by), now).await
    }
}
