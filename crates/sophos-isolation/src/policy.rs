//! The operator's policy: the permissions of each source, and the protected endpoints.
//!
//! A policy is one TOML file; `policy.example.toml` beside this crate explains every key.
//! [`Policy::parse`] accepts only a valid file, and reports all issues at once.
//! [`Policy::parse_lenient`], for a running function, disables each source that has an issue.
//! Evaluation is pure: it uses no network and no clock.
//!
//! Evaluation has two steps. [`Policy::admit`] checks whether a source may make its request, and
//! returns the tenants to search. [`Policy::evaluate`] decides what to do with the endpoint found.
//! The isolations per hour are counted elsewhere, against [`Limits`].

mod disabled;
mod endpoint;
mod evaluate;
mod fields;
mod issues;
mod layouts;
mod may_report_for;
mod parse;
mod public_keys;
mod section;
mod selectors;
mod shared_secrets;
mod source;
mod verification;

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sophos_api::TenantId;

pub use disabled::DisabledSource;
pub use endpoint::PolicyEndpoint;
pub use evaluate::{Refusal, Verdict};
pub use issues::{ConfigIssue, PolicyError};
use selectors::Selectors;
pub use source::Source;

use crate::adapters::Tool;

const MODES: [(&str, Mode); 2] = [("enforce", Mode::Enforce), ("dry_run", Mode::DryRun)];

/// The operator's policy.
#[derive(Debug, Clone)]
pub struct Policy {
    digest: String,
    mode: Mode,
    release_after: Option<Duration>,
    new_episode_after: Option<Duration>,
    limits: Limits,
    endpoints: EndpointFreshness,
    protect: Selectors,
    approve: Selectors,
    approval: ApprovalSettings,
    follow_up: FollowUpSettings,
    sources: BTreeMap<String, Source>,
    disabled: Vec<DisabledSource>,
    is_absent: bool,
    warnings: Vec<ConfigIssue>,
}

/// The mode of a policy or a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Endpoints are isolated.
    Enforce,
    /// Nothing is isolated; the result that `Enforce` would have is reported.
    #[default]
    DryRun,
}

/// The isolations that need approval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMode {
    /// Those of the endpoints that `[approve]` selects.
    #[default]
    Selected,
    /// All isolations.
    Always,
}

/// The limits on isolations.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The share of a tenant's endpoints that may be isolated at the same time.
    pub estate_share: f64,
    /// The maximum number of isolations per hour in one tenant.
    pub tenant_per_hour: u32,
    /// The maximum number of isolations per hour for a source without its own limit. The effective
    /// limit of a source is [`Source::per_hour`].
    pub source_per_hour: u32,
    /// The maximum age of an alert from a source without its own limit; `None` is unlimited. The
    /// effective limit of a source is [`Source::max_alert_age`].
    pub max_alert_age: Option<Duration>,
}

/// The maximum age of an endpoint's last contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointFreshness {
    /// The age from which an endpoint is stale.
    pub seen_within: Duration,
    /// The same for an endpoint found by IP address alone, because another machine may have the
    /// address by now.
    pub address_seen_within: Duration,
}

/// The settings of approvals.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApprovalSettings {
    /// The time that a decision waits for approval.
    pub timeout: Duration,
    /// The name of the secret that signs approval links.
    pub secret: Option<String>,
    /// Whether links signed with the secret's previous value are accepted.
    pub accept_previous: bool,
}

/// The settings for checks of isolations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowUpSettings {
    /// The time after which an isolation without effect is reported.
    pub effect_timeout: Duration,
    /// The interval between checks of an isolation in effect.
    pub check_interval: Duration,
}

impl Policy {
    /// Parses a policy.
    ///
    /// # Errors
    /// All issues, each with its line. For a text that is not TOML, only the TOML errors.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        parse::parse_policy(text, parse::Strictness::Strict)
    }

    /// Parses a policy for a running function: an issue in one source disables only that source. An
    /// issue elsewhere rejects the policy.
    ///
    /// # Errors
    /// All issues, if one of them is outside the sources.
    pub fn parse_lenient(text: &str) -> Result<Self, PolicyError> {
        parse::parse_policy(text, parse::Strictness::Lenient)
    }

    /// The substitute for a deleted, empty or invalid policy: no source may act, and nothing is
    /// isolated. Decisions wait for a policy; releases continue.
    pub fn absent() -> Self {
        parse::absent_policy()
    }

    /// Whether this is the substitute for a missing policy.
    pub fn is_absent(&self) -> bool {
        self.is_absent
    }

    /// The sources with issues, by name.
    pub fn disabled(&self) -> &[DisabledSource] {
        &self.disabled
    }

    /// The warnings by line, at most 100. For example, a selector that matches no endpoint. They do
    /// not disable the policy.
    pub fn warnings(&self) -> &[ConfigIssue] {
        &self.warnings
    }

    /// The disabled source with this name, if any.
    pub fn disabled_source(&self, name: &str) -> Option<&DisabledSource> {
        self.disabled.iter().find(|source| source.name == name)
    }

    /// The SHA-256 of the policy's text in hexadecimal. It identifies the policy.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The mode of the file. The effective mode of a source is [`Source::mode`].
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The default time until an isolation is released; `None` is never.
    /// [`Source::release_after_for`] returns the effective time of a signal.
    pub fn release_after(&self) -> Option<Duration> {
        self.release_after
    }

    /// The time after which an update of an alert may isolate again although a person ended the
    /// isolation; `None` is never.
    pub fn new_episode_after(&self) -> Option<Duration> {
        self.new_episode_after
    }

    /// Returns the policy with all modes set to dry run, for a host that still forces dry runs. The
    /// digest does not change.
    #[must_use]
    pub fn with_dry_run(mut self) -> Self {
        self.mode = Mode::DryRun;
        for source in self.sources.values_mut() {
            source.mode = Mode::DryRun;
        }
        self
    }

    /// The limits on isolations.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The maximum age of an endpoint's last contact.
    pub fn endpoints(&self) -> EndpointFreshness {
        self.endpoints
    }

    /// The settings of approvals.
    pub fn approval(&self) -> &ApprovalSettings {
        &self.approval
    }

    /// The settings for checks of isolations.
    pub fn follow_up(&self) -> FollowUpSettings {
        self.follow_up
    }

    /// The sources, by name.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = &Source> {
        self.sources.values()
    }

    /// The source with this name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.get(name)
    }

    /// The source for a tool's events of an AWS account.
    pub fn eventbridge_source(&self, tool: Tool, account: &str) -> Option<&Source> {
        self.sources().find(|source| {
            tool.is_eventbridge()
                && source.adapter.tool == tool
                && source.tenant_for_account(account).is_some()
        })
    }

    /// The disabled source that lists a tool's AWS account.
    pub(crate) fn disabled_eventbridge_source(&self, tool: Tool, account: &str) -> Option<&DisabledSource> {
        self.disabled.iter().find(|disabled| {
            disabled.source.as_ref().is_some_and(|source| {
                source.adapter.tool == tool && source.tenant_for_account(account).is_some()
            })
        })
    }

    /// The distinct tenants of all sources.
    pub fn tenants(&self) -> HashSet<&TenantId> {
        let enabled = self.sources().flat_map(|source| &source.tenants);
        enabled.chain(self.disabled.iter().flat_map(DisabledSource::tenants)).collect()
    }
}

impl Limits {
    /// The maximum number of isolated endpoints in an estate of this size: the share of it, rounded
    /// down, and at least one.
    pub fn max_isolated(&self, endpoints: u64) -> u64 {
        // The size of an estate is exact in a float.
        ((endpoints as f64 * self.estate_share) as u64).max(1)
    }
}
