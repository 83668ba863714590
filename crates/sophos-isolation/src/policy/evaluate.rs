use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use sophos_api::TenantId;

use super::{ApprovalMode, Mode, Policy, PolicyEndpoint, Source};
use crate::signal::{Action, Severity, Signal};

/// What the policy says about isolating one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It must not be.
    Refuse(Refusal),
    /// It would be, if this were not a dry run.
    DryRun {
        /// Why a person would be asked first, if one would.
        approval_reason: Option<String>,
        /// When it would be released; `None` is never.
        release_after: Option<Duration>,
    },
    /// It may be when a person approves.
    WaitForApproval {
        /// Why a person is asked.
        reason: String,
        /// How long the decision waits.
        timeout: Duration,
        /// When it is to be released once it is isolated; `None` is never.
        release_after: Option<Duration>,
    },
    /// It may be.
    Isolate {
        /// When it is to be released; `None` is never.
        release_after: Option<Duration>,
    },
}

/// Why the policy does not allow what a signal asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// The source may not release.
    ReleaseNotAllowed,
    /// The tenant that the signal names is not one of the source's, or not the
    /// one of its account.
    TenantNotAllowed,
    /// The signal names no account of the source, which lists those that may
    /// act.
    AccountNotAllowed,
    /// The finding is of one account and names a host of another, for which the
    /// policy does not let it speak.
    AccountMismatch {
        /// The account of the finding, for which AWS vouches.
        account: String,
        /// The accounts in which it puts the host.
        host_accounts: Vec<String>,
    },
    /// It is not severe enough, or does not say how severe it is.
    Severity {
        /// What the signal says.
        severity: Option<Severity>,
        /// What the source needs.
        minimum: Severity,
    },
    /// The alert is older than the policy allows.
    TooOld {
        /// Its age in seconds.
        age_seconds: u64,
        /// The greatest age in seconds.
        max_seconds: u64,
    },
    /// The endpoint is protected.
    Protected {
        /// By what.
        reason: String,
    },
}

impl Policy {
    /// Whether a source may ask for what its signal asks for, and the tenants
    /// in which its host is to be looked for: at least one, all of them the
    /// source's.
    ///
    /// # Errors
    /// The first reason why not.
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

    /// Checks the age of an alert that asks for an isolation.
    ///
    /// # Errors
    /// When it is older than the source's alerts may be.
    pub fn check_age(&self, source: &Source, age: Duration) -> Result<(), Refusal> {
        match source.max_alert_age {
            Some(max) if age > max => {
                Err(Refusal::TooOld { age_seconds: age.as_secs(), max_seconds: max.as_secs() })
            }
            _ => Ok(()),
        }
    }

    /// What is to be done with the one endpoint that a signal, which was
    /// admitted, is about. Protection comes before everything; a dry run
    /// comes before asking anybody.
    pub fn evaluate(&self, source: &Source, signal: &Signal, endpoint: &PolicyEndpoint) -> Verdict {
        if let Some(why) = self.protect.matching_selector(endpoint) {
            return Verdict::Refuse(Refusal::Protected { reason: why });
        }
        let release_after = source.release_after_for(signal);
        let approval = match source.approve {
            ApprovalMode::Always => Some("the policy has every isolation of this source approved".into()),
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

/// The tenant of the account in which the host is: that of the finding, or one
/// that it may speak for. A finding that puts a host into several accounts is
/// refused.
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
    /// The word for it that answers and records have.
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
            Self::ReleaseNotAllowed => f.write_str("the policy does not let this source release"),
            Self::TenantNotAllowed => f.write_str("the policy does not let this source act on that tenant"),
            Self::AccountNotAllowed => {
                f.write_str("the policy lists the accounts of this source, and not the one of this event")
            }
            Self::AccountMismatch { account, host_accounts } => write!(
                f,
                "the finding is of account {account} and puts its host into account {}; `may_report_for` of this \
                 source does not allow that",
                host_accounts.join(", ")
            ),
            Self::Severity { severity: Some(severity), minimum } => {
                write!(f, "it is {severity}, and the policy needs {minimum} of this source")
            }
            Self::Severity { severity: None, minimum } => {
                write!(f, "it does not say how severe it is, and the policy needs {minimum} of this source")
            }
            Self::TooOld { age_seconds, max_seconds } => write!(
                f,
                "the alert is {age_seconds} s old, and max_alert_age of this source is {max_seconds} s"
            ),
            Self::Protected { reason: why } => write!(f, "the endpoint is protected: {why}"),
        }
    }
}
