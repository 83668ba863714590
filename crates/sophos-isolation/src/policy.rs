//! What the operator allows: which tool may ask for what, and which machines
//! are not to be touched.
//!
//! A policy is one TOML file; `policy.example.toml` beside this crate explains
//! every key. [`Policy::parse`] takes it whole or not at all, and tells all
//! that is wrong with it at once; [`Policy::parse_lenient`], for a running function,
//! disables a source that has a mistake and takes the rest. The judgement by it
//! is pure: no network, no clock.
//!
//! Two things are judged. [`Policy::admit`] asks whether a source may ask for
//! what its signal asks for, and where its host may be looked for;
//! [`Policy::evaluate`], once there is one endpoint, what is to be done with it.
//! How many isolations there have been is counted elsewhere, against
//! [`Limits`].

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

/// What the operator allows.
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

/// Whether anything is isolated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is.
    Enforce,
    /// It is only said what would be.
    #[default]
    DryRun,
}

/// What a person has to approve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMode {
    /// What the policy selects for it.
    #[default]
    Selected,
    /// Everything.
    Always,
}

/// How much may be isolated.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The share of a tenant's endpoints that may be isolated at once.
    pub estate_share: f64,
    /// The most isolations in an hour in one tenant.
    pub tenant_per_hour: u32,
    /// The most isolations in an hour for one source that has no limit of its
    /// own. [`Source::per_hour`] is what holds for a source.
    pub source_per_hour: u32,
    /// The greatest age of an alert of a source that has no limit of its own;
    /// `None` is any. [`Source::max_alert_age`] is what holds for a source.
    pub max_alert_age: Option<Duration>,
}

/// How long ago an endpoint may have been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointFreshness {
    /// Longer ago, it is stale.
    pub seen_within: Duration,
    /// The same for one that was found by its address alone, which another
    /// machine may have by now.
    pub address_seen_within: Duration,
}

/// How a person approves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApprovalSettings {
    /// How long a decision waits.
    pub timeout: Duration,
    /// The name of the secret that signs approval links.
    pub secret: Option<String>,
    /// Whether links that the previous value of the secret signed are good.
    pub accept_previous: bool,
}

/// How an isolation is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowUpSettings {
    /// An isolation that has not taken effect by then is reported.
    pub effect_timeout: Duration,
    /// How often those in effect are looked at.
    pub check_interval: Duration,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line. Of a text that is
    /// not TOML, only that.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        parse::parse_policy(text, parse::Strictness::Strict)
    }

    /// Reads a policy for use: a mistake in one source disables that source and
    /// no other. Mistakes anywhere else refuse the whole.
    ///
    /// # Errors
    /// Everything that is wrong with it, when not all of it is in sources.
    pub fn parse_lenient(text: &str) -> Result<Self, PolicyError> {
        parse::parse_policy(text, parse::Strictness::Lenient)
    }

    /// The policy in the place of one that was deleted or emptied, or has mistakes:
    /// no source may act, and nothing is isolated. Decisions wait for a policy, and
    /// releases go on.
    pub fn absent() -> Self {
        parse::absent_policy()
    }

    /// Whether it stands in the place of a policy.
    pub fn is_absent(&self) -> bool {
        self.is_absent
    }

    /// The sources that their mistakes disable, by name.
    pub fn disabled(&self) -> &[DisabledSource] {
        &self.disabled
    }

    /// The warnings, by line; at most a hundred. A selector that fits no endpoint is
    /// one. The policy is in force all the same.
    pub fn warnings(&self) -> &[ConfigIssue] {
        &self.warnings
    }

    /// The source of a name, if a mistake disables it.
    pub fn disabled_source(&self, name: &str) -> Option<&DisabledSource> {
        self.disabled.iter().find(|source| source.name == name)
    }

    /// The SHA-256 of its text, in hexadecimal: which policy it is.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Whether anything is isolated. [`Source::mode`] is what holds for a
    /// source.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// When an isolation is lifted for which the source says nothing; `None` is
    /// never. [`Source::release_after_for`] is what holds for a signal.
    pub fn release_after(&self) -> Option<Duration> {
        self.release_after
    }

    /// The time after which an update of an alert may isolate again that a
    /// person has ended; `None` is never.
    pub fn new_episode_after(&self) -> Option<Duration> {
        self.new_episode_after
    }

    /// The same policy, by which nothing is isolated whatever it says: for a host
    /// whose operator has not let go of it yet. Its digest stays.
    #[must_use]
    pub fn with_dry_run(mut self) -> Self {
        self.mode = Mode::DryRun;
        for source in self.sources.values_mut() {
            source.mode = Mode::DryRun;
        }
        self
    }

    /// How much may be isolated.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How long ago an endpoint may have been seen.
    pub fn endpoints(&self) -> EndpointFreshness {
        self.endpoints
    }

    /// How a person approves.
    pub fn approval(&self) -> &ApprovalSettings {
        &self.approval
    }

    /// How an isolation is watched.
    pub fn follow_up(&self) -> FollowUpSettings {
        self.follow_up
    }

    /// The sources, by name.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = &Source> {
        self.sources.values()
    }

    /// The source of a name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.get(name)
    }

    /// The one source that takes a tool's events of an AWS account.
    pub fn eventbridge_source(&self, tool: Tool, account: &str) -> Option<&Source> {
        self.sources().find(|source| {
            tool.is_eventbridge()
                && source.adapter.tool == tool
                && source.tenant_for_account(account).is_some()
        })
    }

    /// A disabled source that lists a tool's AWS account.
    pub(crate) fn disabled_eventbridge_source(&self, tool: Tool, account: &str) -> Option<&DisabledSource> {
        self.disabled.iter().find(|disabled| {
            disabled.source.as_ref().is_some_and(|source| {
                source.adapter.tool == tool && source.tenant_for_account(account).is_some()
            })
        })
    }

    /// The tenants of all sources, each once.
    pub fn tenants(&self) -> HashSet<&TenantId> {
        let enabled = self.sources().flat_map(|source| &source.tenants);
        enabled.chain(self.disabled.iter().flat_map(DisabledSource::tenants)).collect()
    }
}

impl Limits {
    /// The most endpoints of an estate of so many that may be isolated at once:
    /// the share of it, rounded down, and at least one.
    pub fn max_isolated(&self, endpoints: u64) -> u64 {
        // An estate is far from where a float no longer counts by one.
        ((endpoints as f64 * self.estate_share) as u64).max(1)
    }
}
