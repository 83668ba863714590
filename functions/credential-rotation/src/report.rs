use lambda_support::metrics::{self, Metric};
use serde::Serialize;
use serde_json::Value;

use crate::watch::{Urgency, Watched};

/// What a watch over all credentials saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// How many there are.
    pub count: u64,
    /// Those that ended or are no credentials.
    pub unusable: u64,
    /// Those that have no staged credential that can take over, where one can be
    /// staged.
    pub without_staged: u64,
    /// Those that may do more than they must.
    pub wide_roles: u64,
    /// Those that nobody uses.
    pub unused: u64,
    /// Days until the first one ends, if any end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_days_to_expiry: Option<i64>,
    /// Each of them.
    pub credentials: Vec<Watched>,
}

impl Report {
    /// The report of these credentials.
    pub fn of(credentials: Vec<Watched>) -> Self {
        let count = |which: fn(&Watched) -> bool| credentials.iter().filter(|one| which(one)).count() as u64;
        Self {
            count: credentials.len() as u64,
            unusable: count(|one| one.unusable),
            without_staged: count(|one| one.staged == Some(0)),
            wide_roles: count(|one| one.role_too_wide),
            unused: count(|one| one.unused),
            least_days_to_expiry: credentials.iter().filter_map(|one| one.days_to_expiry).min(),
            credentials,
        }
    }

    /// Writes a record of each credential, and one of all.
    pub fn log(&self) {
        for one in &self.credentials {
            let Watched { name, ends_at, days_to_expiry, staged, days_since_use, .. } = one;
            let problems = one.problems.join("; ");
            macro_rules! record {
                ($level:ident) => {
                    tracing::$level!(
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
            match one.urgency {
                Urgency::Error => record!(error),
                Urgency::Warn => record!(warn),
                Urgency::Info => record!(info),
            }
        }
        if self.credentials.is_empty() {
            tracing::error!("there is no credential to watch over; check the SOPHOS_SECRET… variables");
        }
        tracing::info!(
            credentials = self.count,
            unusable = self.unusable,
            without_staged = self.without_staged,
            least_days_to_expiry = self.least_days_to_expiry,
            "watched"
        );
    }

    /// The lines of metrics: one of each credential, and one of all.
    pub fn metrics(&self, namespace: &str, request_id: &str, now_ms: u64) -> Vec<Value> {
        let days = |name, days: Option<i64>| days.map(|days| (name, "None", days as f64));
        let count = |name, count: u64| Some((name, "Count", count as f64));
        let line = |dimensions: &[(&str, &str)], known: &[Option<Metric>]| {
            let known: Vec<_> = known.iter().copied().flatten().collect();
            metrics::line(namespace, request_id, now_ms, dimensions, &known)
        };
        let one = |one: &Watched| {
            line(
                &[("Credential", &one.name)],
                &[
                    days("DaysToExpiry", one.days_to_expiry),
                    one.staged.and_then(|staged| count("StagedCredentials", staged)),
                    days("DaysSinceUse", one.days_since_use),
                    count("RoleTooWide", one.role_too_wide.into()),
                    count("Unusable", one.unusable.into()),
                ],
            )
        };
        let all = [
            days("LeastDaysToExpiry", self.least_days_to_expiry),
            count("Credentials", self.count),
            count("UnusableCredentials", self.unusable),
            count("WithoutStaged", self.without_staged),
            count("WideRoles", self.wide_roles),
            count("UnusedCredentials", self.unused),
        ];
        self.credentials.iter().map(one).chain([line(&[], &all)]).collect()
    }
}
