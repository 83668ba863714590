//! The audit of credentials. Sophos Central does not warn about their expiry.
//!
//! A credential expires at `expires_at`, or else 36 months after `created_at`, or else 36
//! months after it was stored, which is the latest possible time. Each credential has one
//! log record, one line of metrics with the dimension `Credential`, and an entry in the
//! response. Totals allow a single alarm:
//!
//! | metric | of each | total |
//! |---|---|---|
//! | days until expiry, negative after it | `DaysToExpiry` | `MinDaysToExpiry` |
//! | expired or invalid | `Unusable` | `UnusableCredentials` |
//! | eligible staged credentials | `StagedCredentials` | `CredentialsWithoutStagedVersion` |
//! | more privileges than its purposes need | `Overprivileged` | `OverprivilegedCredentials` |
//! | days since the last use by others | `DaysSinceUse` | `UnusedCredentials` |
//! | number of credentials | | `Credentials` |
//!
//! A record is an error if the credential is unusable or expires within 7 days. It is a
//! warning if it expires within 30 days or needs other action.
//!
//! Secrets Manager counts the read of an audit as a use, by the day. So an audit stores
//! the last use by others in a tag of each secret. It should run once a day after 18:00
//! UTC. Earlier in the day its read cannot be told from others, and no credential is
//! found unused.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    InspectedCredential, Purpose, SecretMetadata, StagingLabels, StoredCredential, max_expiry,
    staged::CandidateFilter,
};

/// The days before expiry from which a credential is an error.
const EXPIRY_ERROR_DAYS: i64 = 7;
/// The days before expiry from which a credential is a warning.
const EXPIRY_WARNING_DAYS: i64 = 30;

/// The settings of an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    /// The days without a read after which a credential counts as unused.
    pub unused_days: i64,
    /// The purposes of credentials without `used_for`.
    pub default_purposes: Vec<Purpose>,
}

/// The severity of a credential's problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No action is needed.
    Info,
    /// Action is needed soon.
    Warn,
    /// Action is needed now.
    Error,
}

/// The status of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CredentialStatus {
    /// The name.
    pub name: String,
    /// The severity of its problems.
    pub severity: Severity,
    /// The problems, each with its remedy.
    pub problems: Vec<String>,
    /// The latest possible expiry, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The whole days until expiry; negative after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_to_expiry: Option<i64>,
    /// Whether it is expired or invalid.
    pub unusable: bool,
    /// Whether it has more privileges than its purposes need.
    pub overprivileged: bool,
    /// The whole days since the last read by others, or since it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_since_use: Option<i64>,
    /// Whether that exceeds [`AuditSettings::unused_days`].
    pub unused: bool,
    /// The number of eligible staged credentials. `None` outside of Secrets Manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged: Option<u64>,
    /// The days until the last of these expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged_days_to_expiry: Option<i64>,
}

/// Audits a credential.
pub fn audit(credential: &InspectedCredential, settings: &AuditSettings, now: Timestamp) -> CredentialStatus {
    let mut status = CredentialStatus {
        name: credential.name.clone(),
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
    match &credential.credential {
        Ok(stored) => {
            let stored_at = credential.metadata.as_ref().and_then(|metadata| metadata.stored_at);
            status.check_expiry(stored.expiry().or_else(|| stored_at.and_then(max_expiry)), now);
            status.check_role(stored, settings);
        }
        Err(error) => {
            status.unusable = true;
            status.add_problem(Severity::Error, error.to_string());
        }
    }
    if let Some(metadata) = &credential.metadata {
        status.check_usage(metadata, settings, now);
        status.check_staged(metadata, credential.credential.as_deref().ok(), now);
    }
    status
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
        let remedy = "stage a new one and rotate";
        if self.unusable {
            self.add_problem(Severity::Error, format!("it has expired; {remedy}"));
        } else if days < EXPIRY_WARNING_DAYS {
            let severity = if days < EXPIRY_ERROR_DAYS { Severity::Error } else { Severity::Warn };
            self.add_problem(severity, format!("it expires within {} days; {remedy}", days + 1));
        }
    }

    fn check_role(&mut self, stored: &StoredCredential, settings: &AuditSettings) {
        let used_for = &stored.used_for;
        let purposes = if used_for.is_empty() { &settings.default_purposes } else { used_for };
        let Some(role) = stored.role else { return };
        self.overprivileged = role.is_overprivileged_for(purposes);
        if self.overprivileged {
            self.add_problem(
                Severity::Warn,
                format!("its role, {role}, has more privileges than its purposes need"),
            );
        }
        if let Some(purpose) = purposes.iter().find(|purpose| !role.is_sufficient_for(**purpose)) {
            self.add_problem(Severity::Warn, format!("its role, {role}, is not sufficient for {purpose}"));
        }
    }

    fn check_usage(&mut self, metadata: &SecretMetadata, settings: &AuditSettings, now: Timestamp) {
        let since = metadata.last_used.or(metadata.stored_at).map(|last| days_between(last, now).max(0));
        self.days_since_use = since;
        self.unused = since.is_some_and(|days| days > settings.unused_days);
        if let Some(days) = since.filter(|_| self.unused) {
            self.add_problem(
                Severity::Warn,
                format!("it was not used for {days} days; delete it if it is not needed"),
            );
        }
    }

    fn check_staged(
        &mut self,
        metadata: &SecretMetadata,
        current: Option<&StoredCredential>,
        now: Timestamp,
    ) {
        let filter = CandidateFilter { current, previous: metadata.previous.as_deref(), now };
        let mut eligible = Vec::new();
        for staged in &metadata.staged {
            let label = &staged.label;
            match &staged.credential {
                _ if StagingLabels::is_rejected(label) => {
                    self.add_problem(
                        Severity::Warn,
                        format!("{label:?} was rejected; replace it, or remove its label"),
                    );
                }
                Ok(stored) => match filter.check(stored) {
                    Ok(()) => eligible.push(stored.expiry()),
                    Err(rejected) => {
                        self.add_problem(Severity::Warn, format!("{label:?} is not eligible: {rejected}"))
                    }
                },
                Err(error) => self.add_problem(Severity::Warn, format!("{label:?} is not eligible: {error}")),
            }
        }
        self.staged = Some(eligible.len() as u64);
        self.staged_days_to_expiry = eligible.into_iter().flatten().map(|end| days_between(now, end)).max();
        if metadata.rotation_in_progress {
            self.add_problem(Severity::Warn, "its rotation is in progress; see its log");
        }
    }
}

/// The whole days between two times; negative if `to` is earlier.
fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    const SECONDS: i64 = 86_400;
    from.duration_until(to).as_secs().div_euclid(SECONDS)
}
