//! The watch over credentials, which the service itself does not keep: it tells
//! nobody that one is about to end.
//!
//! A credential ends as it says (`expires_at`), else 36 months after it was made
//! (`created_at`), else 36 months after it was stored, which is the latest that
//! it can be. Everything is looked at for each credential, and told in one
//! record, in a line of metrics with the dimension `Credential`, and in the
//! answer; and once for all of them, so that one alarm is enough:
//!
//! | metric | of each | of all |
//! |---|---|---|
//! | days until it ends, below 0 after that | `DaysToExpiry` | `MinDaysToExpiry` |
//! | it ended, or is no credential | `Unusable` | `UnusableCredentials` |
//! | staged ones that can take over | `StagedCredentials` | `CredentialsWithoutStagedVersion` |
//! | it may do more than it must | `Overprivileged` | `OverprivilegedCredentials` |
//! | days since anybody else read it | `DaysSinceUse` | `UnusedCredentials` |
//! | how many there are | | `Credentials` |
//!
//! A record is an error when less than 7 days are left or it is unusable, and a
//! warning when less than 30 days are left or something else should be done.
//!
//! Secrets Manager counts the watch's own reading as a use, by the day. So the
//! watch notes in a tag of each secret when others used it, and should run once a
//! day, after 18:00 UTC: earlier, its own reading cannot be told from that of
//! others, and nothing is found to be unused.

use jiff::Timestamp;
use serde::Serialize;
use sophos_secrets::{
    InspectedCredential, Purpose, SecretMetadata, StagingLabels, StoredCredential, max_expiry,
};

use crate::staged::CandidateFilter;

/// Days before its end from which on a credential is urgent.
const EXPIRY_ERROR_DAYS: i64 = 7;
/// Days before its end from which on a credential is to be replaced.
const EXPIRY_WARNING_DAYS: i64 = 30;

/// What credentials are held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    /// After how many days without being read one is unused.
    pub unused_days: i64,
    /// What those are used for that do not say so.
    pub default_purposes: Vec<Purpose>,
}

/// How much a credential wants to be looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is to be done.
    Info,
    /// Something should be done.
    Warn,
    /// Something must be done now.
    Error,
}

/// What was seen of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CredentialStatus {
    /// Its name.
    pub name: String,
    /// How much it wants to be looked after.
    pub severity: Severity,
    /// What is to be done about it.
    pub problems: Vec<String>,
    /// When it ends at the latest, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whole days until then; below 0 after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_to_expiry: Option<i64>,
    /// Whether it ended, or is no credential.
    pub unusable: bool,
    /// Whether it may do more than it must.
    pub overprivileged: bool,
    /// Whole days since others last read it, or since it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_since_use: Option<i64>,
    /// Whether that is longer than it should be.
    pub unused: bool,
    /// Staged credentials that can take over and were not refused. `None` where
    /// none can be staged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged: Option<u64>,
    /// Days until the last of these ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged_days_to_expiry: Option<i64>,
}

/// Looks at a credential.
pub fn audit(surveyed: &InspectedCredential, limits: &AuditSettings, now: Timestamp) -> CredentialStatus {
    let mut watched = CredentialStatus {
        name: surveyed.name.clone(),
        severity: Severity::Info,
        problems: Vec::new(),
        expires_at: None,
        days_to_expiry: None,
        unusable: false,
        overprivileged: false,
        days_since_use: None,
        unused: false,
        staged: None,
        staged_days_to_expiry: None,
    };
    match &surveyed.credential {
        Ok(stored) => {
            let stored_at = surveyed.metadata.as_ref().and_then(|managed| managed.stored_at);
            watched.check_expiry(stored.expiry().or_else(|| stored_at.and_then(max_expiry)), now);
            watched.check_role(stored, limits);
        }
        Err(error) => {
            watched.unusable = true;
            watched.add_problem(Severity::Error, error.to_string());
        }
    }
    if let Some(managed) = &surveyed.metadata {
        watched.check_usage(managed, limits, now);
        watched.check_staged(managed, surveyed.credential.as_deref().ok(), now);
    }
    watched
}

impl CredentialStatus {
    fn add_problem(&mut self, severity: Severity, problem: impl Into<String>) {
        self.severity = self.severity.max(severity);
        self.problems.push(problem.into());
    }

    fn check_expiry(&mut self, end: Option<Timestamp>, now: Timestamp) {
        let Some(end) = end else { return };
        let days = days_between(now, end);
        self.expires_at = Some(end.to_string());
        self.days_to_expiry = Some(days);
        self.unusable = end <= now;
        let stage = "stage a new one and rotate";
        if self.unusable {
            self.add_problem(Severity::Error, format!("it has ended; {stage}"));
        } else if days < EXPIRY_WARNING_DAYS {
            let severity = if days < EXPIRY_ERROR_DAYS { Severity::Error } else { Severity::Warn };
            self.add_problem(severity, format!("it ends within {} days; {stage}", days + 1));
        }
    }

    fn check_role(&mut self, stored: &StoredCredential, limits: &AuditSettings) {
        let said = &stored.used_for;
        let purposes = if said.is_empty() { &limits.default_purposes } else { said };
        let Some(role) = stored.role else { return };
        self.overprivileged = role.is_overprivileged_for(purposes);
        if self.overprivileged {
            self.add_problem(Severity::Warn, format!("its role, {role}, may do more than it is used for"));
        }
        if let Some(purpose) = purposes.iter().find(|purpose| !role.is_sufficient_for(**purpose)) {
            self.add_problem(Severity::Warn, format!("its role, {role}, is not enough for {purpose}"));
        }
    }

    fn check_usage(&mut self, managed: &SecretMetadata, limits: &AuditSettings, now: Timestamp) {
        let since = managed.last_used.or(managed.stored_at).map(|last| days_between(last, now).max(0));
        self.days_since_use = since;
        self.unused = since.is_some_and(|days| days > limits.unused_days);
        if let Some(days) = since.filter(|_| self.unused) {
            self.add_problem(
                Severity::Warn,
                format!("nobody has used it for {days} days; delete what is not needed"),
            );
        }
    }

    fn check_staged(&mut self, managed: &SecretMetadata, current: Option<&StoredCredential>, now: Timestamp) {
        let pool = CandidateFilter { current, previous: managed.previous.as_deref(), now };
        let mut fit = Vec::new();
        for staged in &managed.staged {
            let label = &staged.label;
            match &staged.credential {
                _ if StagingLabels::is_rejected(label) => {
                    self.add_problem(
                        Severity::Warn,
                        format!("{label:?} was refused; replace it, or take its label off"),
                    );
                }
                Ok(stored) => match pool.check(stored) {
                    Ok(()) => fit.push(stored.expiry()),
                    Err(unfit) => {
                        self.add_problem(Severity::Warn, format!("{label:?} cannot take over: {unfit}"))
                    }
                },
                Err(error) => {
                    self.add_problem(Severity::Warn, format!("{label:?} cannot take over: {error}"))
                }
            }
        }
        self.staged = Some(fit.len() as u64);
        self.staged_days_to_expiry = fit.into_iter().flatten().map(|end| days_between(now, end)).max();
        if managed.rotation_in_progress {
            self.add_problem(Severity::Warn, "its rotation has not ended; its log says why");
        }
    }
}

/// Whole days from one time to another; below 0 if it lies before.
fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    const SECONDS: i64 = 86_400;
    from.duration_until(to).as_secs().div_euclid(SECONDS)
}
