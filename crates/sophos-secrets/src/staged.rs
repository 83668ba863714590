//! The eligibility of staged credentials.

use jiff::Timestamp;

use crate::{Purpose, Role, StoredCredential};

/// The conditions of eligibility.
#[derive(Debug, Clone, Copy)]
pub struct CandidateFilter<'a> {
    /// The current credential.
    pub current: Option<&'a StoredCredential>,
    /// The previous credential.
    pub previous: Option<&'a StoredCredential>,
    /// The current time.
    pub now: Timestamp,
}

/// The reason why a staged credential is not eligible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It expired at this time.
    #[error("it expired on {}", .0.strftime("%F"))]
    Expired(Timestamp),
    /// It is the current credential.
    #[error("it is the current credential; remove its label")]
    Current,
    /// It is the previous credential, which may be deleted in the console.
    #[error("it is the previous credential; remove its label")]
    Previous,
    /// Its role is not sufficient for a purpose.
    #[error("its role, {0}, is not sufficient for {1}")]
    InsufficientRole(Role, Purpose),
}

impl CandidateFilter<'_> {
    /// Checks whether a credential is eligible, without a request to the service.
    ///
    /// # Errors
    /// The reason why it is not.
    pub fn check(&self, candidate: &StoredCredential) -> Result<(), Rejected> {
        let is = |other: Option<&StoredCredential>| {
            other.is_some_and(|other| is_same_credential(candidate, other))
        };
        if is(self.current) {
            return Err(Rejected::Current);
        }
        if is(self.previous) {
            return Err(Rejected::Previous);
        }
        if let Some(end) = candidate.expiry().filter(|end| *end <= self.now) {
            return Err(Rejected::Expired(end));
        }
        let Some(role) = candidate.role else { return Ok(()) };
        let purposes = self.required_purposes(candidate);
        match purposes.into_iter().find(|purpose| !role.is_sufficient_for(*purpose)) {
            Some(purpose) => Err(Rejected::InsufficientRole(role, purpose)),
            None => Ok(()),
        }
    }

    /// The purposes that a credential is tested for: its own, or else those of the current
    /// credential, or else export.
    pub fn required_purposes(&self, candidate: &StoredCredential) -> Vec<Purpose> {
        let credentials = [Some(candidate), self.current].into_iter().flatten();
        let mut used_for = credentials.map(|stored| &stored.used_for).filter(|purposes| !purposes.is_empty());
        used_for.next().cloned().unwrap_or_else(|| vec![Purpose::Export])
    }

    /// The purposes of the current credential that a candidate does not serve.
    pub fn dropped_purposes(&self, candidate: &StoredCredential) -> Vec<Purpose> {
        let is_dropped = |purpose: &Purpose| {
            self.current.is_some_and(|current| current.is_used_for(*purpose))
                && !candidate.is_used_for(*purpose)
        };
        Purpose::ALL.into_iter().filter(is_dropped).collect()
    }
}

/// Whether two stored credentials have the same client id.
pub fn is_same_credential(credential: &StoredCredential, other: &StoredCredential) -> bool {
    credential.credentials.client_id().eq_ignore_ascii_case(other.credentials.client_id())
}
