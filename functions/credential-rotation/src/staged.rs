//! Which staged credential can take over.

use jiff::Timestamp;
use sophos_secrets::{Purpose, Role, StoredCredential};

/// What a credential is measured against.
#[derive(Debug, Clone, Copy)]
pub struct CandidateFilter<'a> {
    /// The credential that is in force.
    pub current: Option<&'a StoredCredential>,
    /// The one before it.
    pub previous: Option<&'a StoredCredential>,
    /// The time.
    pub now: Timestamp,
}

/// Why a credential cannot take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// It ended then.
    #[error("it ended on {}", .0.strftime("%F"))]
    Expired(Timestamp),
    /// It is in force already.
    #[error("it is the current one; take its label off")]
    Current,
    /// It was in force before. Perhaps it is deleted already.
    #[error("it is the one before the current one; take its label off")]
    Previous,
    /// It may do less than it must.
    #[error("its role, {0}, is not enough for {1}")]
    InsufficientRole(Role, Purpose),
}

impl CandidateFilter<'_> {
    /// Whether this credential can take over, by all that is known without
    /// asking the service.
    ///
    /// # Errors
    /// Why not.
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

    /// What a credential is tested for: what it says that it is used for, else what
    /// the current one says, else export.
    pub fn required_purposes(&self, candidate: &StoredCredential) -> Vec<Purpose> {
        let said = [Some(candidate), self.current].into_iter().flatten();
        let mut said = said.map(|stored| &stored.used_for).filter(|purposes| !purposes.is_empty());
        said.next().cloned().unwrap_or_else(|| vec![Purpose::Export])
    }

    /// What the current one serves, and a credential would not if it took over.
    pub fn dropped_purposes(&self, candidate: &StoredCredential) -> Vec<Purpose> {
        let serves_no_more = |purpose: &Purpose| {
            self.current.is_some_and(|current| current.is_used_for(*purpose))
                && !candidate.is_used_for(*purpose)
        };
        Purpose::ALL.into_iter().filter(serves_no_more).collect()
    }
}

/// Whether two are the same credential of the console.
pub fn is_same_credential(one: &StoredCredential, other: &StoredCredential) -> bool {
    one.credentials.client_id().eq_ignore_ascii_case(other.credentials.client_id())
}
