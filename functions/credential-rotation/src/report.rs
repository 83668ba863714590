use lambda_support::metrics::{self, Metric};
use serde::Serialize;
use serde_json::Value;

use crate::audit::{CredentialStatus, Severity};

/// The report of an audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditReport {
    /// The number of credentials.
    pub count: u64,
    /// The number of expired and invalid credentials.
    pub unusable: u64,
    /// The number of credentials in Secrets Manager without an eligible staged credential.
    pub without_staged: u64,
    /// The number of credentials with more privileges than their purposes need.
    pub overprivileged: u64,
    /// The number of unused credentials.
    pub unused: u64,
    /// The days until the first expiry, if one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_days_to_expiry: Option<i64>,
    /// The credentials.
    pub credentials: Vec<CredentialStatus>,
}

impl AuditReport {
    /// Creates the report of these credentials.
    pub fn new(credentials: Vec<CredentialStatus>) -> Self {
        let count = |which: fn(&CredentialStatus) -> bool| {
            credentials.iter().filter(|status| which(status)).count() as u64
        };
        Self {
            count: credentials.len() as u64,
            unusable: count(|status| status.unusable),
            without_staged: count(|status| status.staged == Some(0)),
            overprivileged: count(|status| status.overprivileged),
            unused: count(|status| status.unused),
            min_days_to_expiry: credentials.iter().filter_map(|status| status.days_to_expiry).min(),
            credentials,
        }
    }

    /// Writes a log record for each credential, and one for all.
    pub fn log(&self) {
        for status in &self.credentials {
            let CredentialStatus { name, expires_at, days_to_expiry, staged, days_since_use, .. } = status;
            let problems = status.problems.join("; ");
            macro_rules! record {
                ($level:ident) => {
                    tracing::$level!(
                        event = "credential_status",
                        secret_name = name,
                        problems,
                        expires_at,
                        days_to_expiry,
                        staged,
                        days_since_use,
                        "audited a credential"
                    )
                };
            }
            match status.severity {
                Severity::Error => record!(error),
                Severity::Warn => record!(warn),
                Severity::Info => record!(info),
            }
        }
        if self.credentials.is_empty() {
            tracing::error!(
                event = "no_credentials",
                "no credential found; check the SOPHOS_SECRET… variables"
            );
        }
        tracing::info!(
            event = "audit_completed",
            credentials = self.count,
            unusable = self.unusable,
            without_staged = self.without_staged,
            min_days_to_expiry = self.min_days_to_expiry,
            "audit completed"
        );
    }

    /// The metrics: one line for each credential, and one for all.
    pub fn metrics(&self, namespace: &str, request_id: &str, now_ms: u64) -> Vec<Value> {
        let days = |name, days: Option<i64>| days.map(|days| (name, "None", days as f64));
        let count = |name, count: u64| Some((name, "Count", count as f64));
        let line = |dimensions: &[(&str, &str)], known: &[Option<Metric>]| {
            let known: Vec<_> = known.iter().copied().flatten().collect();
            metrics::emf_record(namespace, request_id, now_ms, dimensions, &known)
        };
        let credential = |status: &CredentialStatus| {
            line(
                &[("Credential", &status.name)],
                &[
                    days("DaysToExpiry", status.days_to_expiry),
                    status.staged.and_then(|staged| count("StagedCredentials", staged)),
                    days("DaysSinceUse", status.days_since_use),
                    count("Overprivileged", status.overprivileged.into()),
                    count("Unusable", status.unusable.into()),
                ],
            )
        };
        let all = [
            days("MinDaysToExpiry", self.min_days_to_expiry),
            count("Credentials", self.count),
            count("UnusableCredentials", self.unusable),
            count("CredentialsWithoutStagedVersion", self.without_staged),
            count("OverprivilegedCredentials", self.overprivileged),
            count("UnusedCredentials", self.unused),
        ];
        self.credentials.iter().map(credential).chain([line(&[], &all)]).collect()
    }
}
