//! What each security tool sends, read into [`Signal`]s.
//!
//! An adapter sees a body that was verified, and nothing else: no network, no
//! clock. It is held to the shape of what a tool sends, not to one sample: a
//! member may be missing, null, of another type, or new.

mod condition;
mod crowdstrike;
mod elastic;
mod field_mapping;
mod generic;
mod guardduty;
mod host_splitting;
mod json;
mod json_cursor;
mod mapping;
mod microsoft_defender;
mod microsoft_sentinel;
mod okta;
mod pagerduty;
mod parsed_alert;
mod pointer;
pub(crate) mod presets;
mod qualified_names;
mod security_hub;
mod sentinelone;
mod splunk;
mod wazuh;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use condition::normalize;
pub use condition::{Condition, ConditionTest};
pub use field_mapping::{FieldMapping, IdPart};
pub use pointer::{Pointer, Pointers};

use crate::{decision::RefusalReason, signal::Signal};

/// The most hosts that one delivery may be about.
pub const MAX_ALERTS_PER_MESSAGE: usize = 100;

/// A tool whose messages can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tool {
    /// Amazon GuardDuty findings, through EventBridge.
    #[serde(rename = "guardduty")]
    GuardDuty,
    /// AWS Security Hub findings in ASFF or OCSF, through EventBridge.
    SecurityHub,
    /// CrowdStrike Falcon: webhooks of notification workflows, event streams.
    #[serde(rename = "crowdstrike")]
    CrowdStrike,
    /// Microsoft Defender: Graph alerts (legacy and v2), the Defender API's
    /// alerts, advanced hunting records.
    MicrosoftDefender,
    /// Microsoft Sentinel incidents with the entities attached.
    MicrosoftSentinel,
    /// Splunk's webhook alert action.
    Splunk,
    /// Elastic Security rule actions.
    Elastic,
    /// PagerDuty's webhooks, version 3.
    #[serde(rename = "pagerduty")]
    PagerDuty,
    /// Wazuh alerts, from its integration script.
    Wazuh,
    /// Okta event hooks.
    Okta,
    /// SentinelOne activities, alerts and threats.
    #[serde(rename = "sentinelone")]
    SentinelOne,
    /// Our own form, or any JSON whose fields the configuration names.
    Generic,
}

/// How the messages of one source are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// The tool.
    pub tool: Tool,
    /// Fields that the policy names.
    pub fields: FieldMapping,
    /// What a document must meet to be acted on.
    pub when: Vec<Condition>,
}

/// A verified message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The raw body.
    pub body: &'a [u8],
    /// The sender's `Idempotency-Key` header, which no signature covers.
    pub idempotency_key: Option<&'a str>,
}

/// What one delivery says about one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The sender's identity of this: the same when it is sent again, another
    /// when it says something new. Not cleaned, of any length: it is only ever
    /// hashed.
    pub event_id: String,
    /// The sender's identity of the alert that this delivery is about: the same
    /// for every update of it. Only ever hashed, as `event_id` is.
    pub alert_id: String,
    /// What is asked for, as far as it could be read.
    pub signal: Signal,
    /// Why nothing is to be done about it, if so.
    pub refusal: Option<NotActionable>,
    /// More about the refusal: which member, and which condition of the policy.
    pub detail: Option<String>,
}

/// Why a message that was read and understood asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotActionable {
    /// It names no host.
    NoHost,
    /// It is a sample that the tool made.
    Sample,
    /// It was archived.
    Archived,
    /// It was resolved, closed, or found to be a false positive.
    Resolved,
    /// It was suppressed.
    Suppressed,
    /// It is not about a threat: an activity, a login, a scan, a compliance
    /// check.
    NotAThreat,
    /// The host is the monitoring system itself.
    Manager,
    /// The host is mentioned, and is not the one that was attacked.
    OnlyRelated,
    /// It could not be read. It came beside others that could.
    Unreadable,
    /// The policy's conditions do not select it.
    NotSelected,
}

/// A body that cannot be read as a message of the tool. The text says what is
/// wrong, for the person who set the sender up; it repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub(crate) String);

impl Adapter {
    /// The adapter of a tool whose fields are where the tool puts them.
    pub fn new(tool: Tool) -> Self {
        Self { tool, fields: FieldMapping::default(), when: Vec::new() }
    }

    /// What a message says: at least one reading, and one for each host that it
    /// is about. The same body always gives the same readings.
    ///
    /// # Errors
    ///
    /// When the body is no message of the tool, does not say which event it is,
    /// or is about more than [`MAX_ALERTS_PER_MESSAGE`] hosts.
    pub fn parse_message(&self, message: &Message<'_>) -> Result<Vec<Alert>, ParseError> {
        // Scripts on Windows put a mark of the byte order first.
        let body = message.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message.body);
        let mut root = match self.tool {
            Tool::Elastic => elastic::parse_body(&json::quote_inexact_numbers(body))?,
            _ => parse_json(body)?,
        };
        root.sort_all_objects();
        let list = generic::find_elements(&root, &self.fields)?;
        let elements = list.as_ref().and_then(|list| list.as_array()).map(Vec::as_slice);
        let drafts = match self.tool {
            Tool::GuardDuty => guardduty::parse_alerts(&root)?,
            Tool::SecurityHub => security_hub::parse_alerts(&root)?,
            Tool::CrowdStrike => crowdstrike::parse_alerts(&root),
            Tool::MicrosoftDefender => microsoft_defender::parse_alerts(&root)?,
            Tool::MicrosoftSentinel => microsoft_sentinel::parse_alerts(&root),
            Tool::Splunk => splunk::parse_alerts(&root, elements),
            Tool::Elastic => elastic::parse_alerts(&root)?,
            Tool::PagerDuty => pagerduty::parse_alerts(&root),
            Tool::Wazuh => wazuh::parse_alerts(&root),
            Tool::Okta => okta::parse_alerts(&root),
            Tool::SentinelOne => sentinelone::parse_alerts(&root),
            Tool::Generic => {
                let documents = elements.unwrap_or(std::slice::from_ref(&root));
                generic::parse_alerts(documents, &self.fields, message.idempotency_key)
            }
        };
        if drafts.is_empty() {
            return Ok(vec![parsed_alert::empty_alert(&root)]);
        }
        parsed_alert::into_alerts(self, message, &root, drafts)
    }
}

fn parse_json(body: &[u8]) -> Result<Value, ParseError> {
    json::parse(body).map_err(|error| {
        // What was quoted has moved what follows it.
        let error = serde_json::from_slice::<Value>(body).err().unwrap_or(error);
        let (line, column) = (error.line(), error.column());
        ParseError(format!("the body is no JSON, or too deep, at line {line}, column {column}"))
    })
}

impl Tool {
    /// All tools.
    pub const ALL: [Self; 12] = [
        Self::GuardDuty,
        Self::SecurityHub,
        Self::CrowdStrike,
        Self::MicrosoftDefender,
        Self::MicrosoftSentinel,
        Self::Splunk,
        Self::Elastic,
        Self::PagerDuty,
        Self::Wazuh,
        Self::Okta,
        Self::SentinelOne,
        Self::Generic,
    ];

    /// The word that policies use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GuardDuty => "guardduty",
            Self::SecurityHub => "security_hub",
            Self::CrowdStrike => "crowdstrike",
            Self::MicrosoftDefender => "microsoft_defender",
            Self::MicrosoftSentinel => "microsoft_sentinel",
            Self::Splunk => "splunk",
            Self::Elastic => "elastic",
            Self::PagerDuty => "pagerduty",
            Self::Wazuh => "wazuh",
            Self::Okta => "okta",
            Self::SentinelOne => "sentinelone",
            Self::Generic => "generic",
        }
    }

    /// Whether its messages come through EventBridge, not through the webhook.
    pub fn is_eventbridge(self) -> bool {
        matches!(self, Self::GuardDuty | Self::SecurityHub)
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Tool {
    type Err = String;

    /// Reads the words that policies use.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|tool| tool.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|tool| tool.as_str()).collect();
            format!("it is none of {}", known.join(", "))
        })
    }
}

impl NotActionable {
    /// The word for it that answers and records have.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoHost => "no_host",
            Self::Sample => "sample",
            Self::Archived => "archived",
            Self::Resolved => "resolved",
            Self::Suppressed => "suppressed",
            Self::NotAThreat => "not_a_threat",
            Self::Manager => "manager",
            Self::OnlyRelated => "only_related",
            Self::Unreadable => "unreadable",
            Self::NotSelected => "not_selected",
        }
    }

    /// The reason that a decision records, with more about it.
    pub(crate) fn to_reason(self, more: Option<&str>) -> RefusalReason {
        let sentence = self.description();
        let detail = more.map_or_else(|| sentence.to_owned(), |more| format!("{sentence}: {more}"));
        RefusalReason { code: self.code().to_owned(), detail }
    }

    /// What it means, in words.
    pub fn description(self) -> &'static str {
        match self {
            Self::NoHost => "it names no host",
            Self::Sample => "it is a sample",
            Self::Archived => "it was archived",
            Self::Resolved => "it was resolved or closed",
            Self::Suppressed => "it was suppressed",
            Self::NotAThreat => "it is not about a threat",
            Self::Manager => "the host is the monitoring system itself",
            Self::OnlyRelated => "the host is related to it, and was not attacked",
            Self::NotSelected => "the policy's conditions do not select it",
            Self::Unreadable => "it could not be read, unlike others of the same delivery",
        }
    }
}
