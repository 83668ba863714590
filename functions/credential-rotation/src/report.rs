use lambda_support::metrics::{self, Metric};
use serde::Serialize;
use serde_json::Value;

use crate::audit::{CredentialStatus, Severity};

/// What a watch over all credentials saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditReport {
    /// How many there are.
    pub count: u64,
    /// Those that ended or are no credentials.
    pub unusable: u64,
    /// Those that have no staged credential that can take over, where one can be
    /// staged.
    pub without_staged: u64,
    /// Those that may do more than they must.
    pub overprivileged: u64,
    /// Those that nobody uses.
    pub unused: u64,
    /// Days until the first one ends, if any end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_days_to_expiry: Option<i64>,
    /// Each of them.
    pub credentials: Vec<CredentialStatus>,
}

impl AuditReport {
    /// The report of these credentials.
    pub fn new(credentials: Vec<CredentialStatus>) -> Self {
        let count =
            |which: fn(&CredentialStatus) -> bool| credentials.iter().filter(|one| which(one)).count() as u64;
        Self {
            count: credentials.len() as u64,
            unusable: count(|one| one.unusable),
            without_staged: count(|one| one.staged == Some(0)),
            overprivileged: count(|one| one.overprivileged),
            unused: count(|one| one.unused),
            min_days_to_expiry: credentials.iter().filter_map(|one| one.days_to_expiry).min(),
            credentials,
        }
    }

    /// Writes a record of each credential, and one of all.
    pub fn log(&self) {
        for one in &self.credentials {
            let CredentialStatus {
                name, expires_at: ends_at, days_to_expiry, staged, days_since_use, ..
            } = one;
            let problems = one.problems.join("; ");
            macro_rules! record {
                ($level:ident) => {
                    tracing::$level!(
                        event = "credential_status",
                        credential = name,
                        problems,
                        ends_at,
                        days_to_expiry,
                        staged,
                        days_since_use,
                        "a credential"
                    )
                };
            }
            match one.severity {
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
            "watched"
        );
    }

    /// The lines of metrics: one of each credential, and one of all.
    pub fn metrics(&self, namespace: &str, request_id: &str, now_ms: u64) -> Vec<Value> {
        let days = |name, days: Option<i64>| days.map(|days| (name, "None", days as f64));
        let count = |name, count: u64| Some((name, "Count", count as f64));
        let line = |dimensions: &[(&str, &str)], known: &[Option<Metric>]| {
            let known: Vec<_> = known.iter().copied().flatten().collect();
            metrics::emf_record(namespace, request_id, now_ms, dimensions, &known)
        };
        let one = |one: &CredentialStatus| {
            line(
                &[("Credential", &one.name)],
                &[
                    days("DaysToExpiry", one.days_to_expiry),
                    one.staged.and_then(|staged| count("StagedCredentials", staged)),
                    days("DaysSinceUse", one.days_since_use),
                    count("Overprivileged", one.overprivileged.into()),
                    count("Unusable", one.unusable.into()),
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
        self.credentials.iter().map(one).chain([line(&[], &all)]).collect()
    }
}
