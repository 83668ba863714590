use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use sophos_api::TenantId;

use super::{ApprovalMode, Mode, Policy, PolicyEndpoint, Source};
use crate::signal::{Action, Severity, Signal};

/// The policy's verdict on the isolation of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The isolation is refused.
    Refuse(Refusal),
    /// Without the dry run, the endpoint would be isolated.
    DryRun {
        /// The reason why approval would be required, if it would.
        approval_reason: Option<String>,
        /// The time until the release; `None` is never.
        release_after: Option<Duration>,
    },
    /// The isolation needs approval.
    WaitForApproval {
        /// The reason why approval is required.
        reason: String,
        /// The time that the decision waits for approval.
        timeout: Duration,
        /// The time from the isolation to the release; `None` is never.
        release_after: Option<Duration>,
    },
    /// The endpoint may be isolated.
    Isolate {
        /// The time from the isolation to the release; `None` is never.
        release_after: Option<Duration>,
    },
}

/// The reason why the policy refuses a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The source may not release.
    ReleaseNotAllowed,
    /// The tenant in the signal is not the source's, or not its account's.
    TenantNotAllowed,
    /// The source lists its accounts, and the signal names none of them.
    AccountNotAllowed,
    /// The finding belongs to one account and names a host of another, which `may_report_for` does
    /// not allow.
    AccountMismatch {
        /// The account of the finding, as authenticated by AWS.
        account: String,
        /// The accounts that the finding gives for the host.
        host_accounts: Vec<String>,
    },
    /// The signal has no severity, or is below the minimum.
    Severity {
        /// The severity of the signal.
        severity: Option<Severity>,
        /// The minimum severity of the source.
        minimum: Severity,
    },
    /// The alert exceeds the maximum age.
    TooOld {
        /// The age in seconds.
        age_seconds: u64,
        /// The maximum age in seconds.
        max_seconds: u64,
    },
    /// The endpoint is protected.
    Protected {
        /// The selector that protects it.
        reason: String,
    },
}

impl Policy {
    /// Checks whether a source may make the request of its signal. Returns the tenants to search
    /// for the host: at least one, all of them the source's.
    ///
    /// # Errors
    /// The first reason to refuse.
    pub fn admit(&self, source: &Source, signal: &Signal) -> Result<Vec<TenantId>, Refusal> {
        if signal.action == Action::Release && !source.may_release {
            return Err(Refusal::ReleaseNotAllowed);
        }
        let tenants = allowed_tenants(source, signal)?;
        if let (Action::Isolate, Some(minimum)) = (signal.action, source.minimum_severity)
            && signal.severity.is_none_or(|severity| severity < minimum)
        {
            return Err(Refusal::Severity { severity: signal.severity, minimum });
        }
        Ok(tenants)
    }

    /// Checks the age of an alert that requests an isolation.
    ///
    /// # Errors
    /// If it exceeds the source's maximum age.
    pub fn check_age(&self, source: &Source, age: Duration) -> Result<(), Refusal> {
        match source.max_alert_age {
            Some(max) if age > max => {
                Err(Refusal::TooOld { age_seconds: age.as_secs(), max_seconds: max.as_secs() })
            }
            _ => Ok(()),
        }
    }

    /// Decides on the endpoint of an admitted signal. Protection precedes everything, and a dry run
    /// precedes approval.
    pub fn evaluate(&self, source: &Source, signal: &Signal, endpoint: &PolicyEndpoint) -> Verdict {
        if let Some(why) = self.protect.matching_selector(endpoint) {
            return Verdict::Refuse(Refusal::Protected { reason: why });
        }
        let release_after = source.release_after_for(signal);
        let approval = match source.approve {
            ApprovalMode::Always => {
                Some("the policy requires approval of every isolation of this source".into())
            }
            ApprovalMode::Selected if source.approve_shared_hosts && signal.shared_host => {
                Some("the host runs the workloads of several owners".into())
            }
            ApprovalMode::Selected => self.approve.matching_selector(endpoint),
        };
        match (source.mode, approval) {
            (Mode::DryRun, approval) => Verdict::DryRun { approval_reason: approval, release_after },
            (Mode::Enforce, Some(why)) => {
                Verdict::WaitForApproval { reason: why, timeout: self.approval.timeout, release_after }
            }
            (Mode::Enforce, None) => Verdict::Isolate { release_after },
        }
    }
}

fn allowed_tenants(source: &Source, signal: &Signal) -> Result<Vec<TenantId>, Refusal> {
    let allowed = if source.accounts.is_empty() {
        source.tenants.clone()
    } else {
        let account = signal.account.as_deref().ok_or(Refusal::AccountNotAllowed)?;
        let own = source.tenant_for_account(account).ok_or(Refusal::AccountNotAllowed)?;
        vec![host_tenant(source, signal, account, own)?.clone()]
    };
    let Some(named) = &signal.tenant else { return Ok(allowed) };
    let named = TenantId::from(named.trim());
    match allowed.into_iter().find(|tenant| *tenant == named) {
        Some(tenant) => Ok(vec![tenant]),
        None => Err(Refusal::TenantNotAllowed),
    }
}

/// The tenant of the host's account: the finding's account, or one that it may report for. A
/// finding with several host accounts is refused.
fn host_tenant<'s>(
    source: &'s Source,
    signal: &Signal,
    account: &str,
    own: &'s TenantId,
) -> Result<&'s TenantId, Refusal> {
    let host = match signal.host_accounts.as_slice() {
        [] => return Ok(own),
        [host] if source.may_report_for(account, host) => source.tenant_for_account(host),
        _ => None,
    };
    host.ok_or_else(|| Refusal::AccountMismatch {
        account: account.to_owned(),
        host_accounts: signal.host_accounts.clone(),
    })
}

impl Refusal {
    /// The stable code in responses and records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ReleaseNotAllowed => "release_not_allowed",
            Self::TenantNotAllowed => "tenant_not_allowed",
            Self::AccountNotAllowed => "account_not_allowed",
            Self::AccountMismatch { .. } => "account_mismatch",
            Self::Severity { .. } => "severity",
            Self::TooOld { .. } => "too_old",
            Self::Protected { .. } => "protected",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReleaseNotAllowed => f.write_str("the policy does not allow this source to release hosts"),
            Self::TenantNotAllowed => {
                f.write_str("the policy does not allow this source to act on this tenant")
            }
            Self::AccountNotAllowed => {
                f.write_str("the policy does not list the event's account for this source")
            }
            Self::AccountMismatch { account, host_accounts } => write!(
                f,
                "the finding belongs to account {account} and names a host of account {}; `may_report_for` of this \
                 source does not allow that",
                host_accounts.join(", ")
            ),
            Self::Severity { severity: Some(severity), minimum } => {
                write!(f, "the severity is {severity}, and the policy requires {minimum} for this source")
            }
            Self::Severity { severity: None, minimum } => {
                write!(f, "the alert has no severity, and the policy requires {minimum} for this source")
            }
            Self::TooOld { age_seconds, max_seconds } => write!(
                f,
                "the alert is {age_seconds} s old, and `max_alert_age` of this source is {max_seconds} s"
            ),
            Self::Protected { reason: why } => write!(f, "the endpoint is protected: {why}"),
        }
    }
}
