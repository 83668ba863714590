//! Parsers for the messages of security tools; each returns [`Alert`]s.
//!
//! An adapter reads a verified body and nothing else: it has no network access and no clock. It
//! relies on the documented shape of a message, not on one sample. A member may be missing, null,
//! of another type, or new.

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
mod tool;
mod wazuh;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use condition::normalize;
pub use condition::{Condition, ConditionTest};
pub use field_mapping::{FieldMapping, IdPart};
pub use pointer::{Pointer, Pointers};
pub use tool::Tool;

use crate::{decision::RefusalReason, signal::Signal};
use parsed_alert::ParsedAlert;

/// The maximum number of hosts that one message may name.
pub const MAX_ALERTS_PER_MESSAGE: usize = 100;

/// The parser configuration of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// The tool.
    pub tool: Tool,
    /// Field pointers from the policy.
    pub fields: FieldMapping,
    /// Conditions that a document must meet to be acted on.
    pub when: Vec<Condition>,
}

/// A verified message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The raw body.
    pub body: &'a [u8],
    /// The sender's `Idempotency-Key` header. No signature covers it.
    pub idempotency_key: Option<&'a str>,
}

/// The part of a message that concerns one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The sender's event id: unchanged when the message is sent again, different when it reports
    /// something new. It is not sanitized and has no length limit, because it is only hashed.
    pub event_id: String,
    /// The sender's alert id, shared by every update of the alert. It is only hashed, as `event_id`
    /// is.
    pub alert_id: String,
    /// The request, as far as it could be parsed.
    pub signal: Signal,
    /// The reason not to act on it, if any.
    pub refusal: Option<NotActionable>,
    /// Details of the refusal: the missing member, or the unmet condition of the policy.
    pub detail: Option<String>,
}

/// The reason why a parsed message does not request an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotActionable {
    /// The alert names no host.
    NoHost,
    /// The alert is a sample that the tool generated.
    Sample,
    /// The alert was archived.
    Archived,
    /// The alert was resolved, closed, or judged a false positive.
    Resolved,
    /// The alert was suppressed.
    Suppressed,
    /// The alert is not about a threat: an activity, a login, a scan, a compliance check.
    NotAThreat,
    /// The host is the monitoring system itself.
    Manager,
    /// The host is only related to the alert, and was not attacked.
    OnlyRelated,
    /// The alert could not be parsed, and another alert of the same message could.
    Unreadable,
    /// The policy's conditions do not select the alert.
    NotSelected,
}

/// A body that is not a message of the tool. The text names the fault for the sender's
/// administrator, and contains no value of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub(crate) String);

/// The input of a tool's parser.
#[derive(Debug, Clone, Copy)]
struct ParserInput<'v> {
    /// The body.
    root: &'v Value,
    /// The elements of the list at the `iterate` pointer, if the policy sets it.
    elements: Option<&'v [Value]>,
    fields: &'v FieldMapping,
    idempotency_key: Option<&'v str>,
}

/// The result of a tool's parser.
type ParsedAlerts<'v> = Result<Vec<ParsedAlert<'v>>, ParseError>;

impl Adapter {
    /// Creates an adapter without field pointers and conditions.
    pub fn new(tool: Tool) -> Self {
        Self { tool, fields: FieldMapping::default(), when: Vec::new() }
    }

    /// Parses a message into at least one alert, one for each host. The same body always gives the
    /// same alerts.
    ///
    /// # Errors
    ///
    /// If the body is not a message of the tool, has no event id, or names more than
    /// [`MAX_ALERTS_PER_MESSAGE`] hosts.
    pub fn parse_message(&self, message: &Message<'_>) -> Result<Vec<Alert>, ParseError> {
        // Scripts on Windows write a byte order mark first.
        let body = message.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message.body);
        let mut root = match self.tool {
            Tool::Elastic => elastic::parse_body(&json::quote_inexact_numbers(body))?,
            _ => parse_json(body)?,
        };
        root.sort_all_objects();
        let list = generic::find_elements(&root, &self.fields)?;
        let input = ParserInput {
            root: &root,
            elements: list.as_ref().and_then(|list| list.as_array()).map(Vec::as_slice),
            fields: &self.fields,
            idempotency_key: message.idempotency_key,
        };
        let parsed_alerts = self.tool.parse_alerts(input)?;
        if parsed_alerts.is_empty() {
            return Ok(vec![parsed_alert::empty_alert(&root)]);
        }
        parsed_alert::into_alerts(self, message, &root, parsed_alerts)
    }
}

fn parse_json(body: &[u8]) -> Result<Value, ParseError> {
    json::parse(body).map_err(|error| {
        // Quoting numbers has moved the position, so parse the original body for it.
        let error = serde_json::from_slice::<Value>(body).err().unwrap_or(error);
        let (line, column) = (error.line(), error.column());
        ParseError(format!(
            "invalid body at line {line}, column {column}: expected JSON that is not nested too deeply"
        ))
    })
}

impl NotActionable {
    /// The stable code in responses and records.
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

    /// The refusal that a decision records, with optional details.
    pub(crate) fn to_reason(self, more: Option<&str>) -> RefusalReason {
        let sentence = self.description();
        let detail = more.map_or_else(|| sentence.to_owned(), |more| format!("{sentence}: {more}"));
        RefusalReason { code: self.code().to_owned(), detail }
    }

    /// A plain sentence for responses and records.
    pub fn description(self) -> &'static str {
        match self {
            Self::NoHost => "the alert names no host",
            Self::Sample => "the alert is a sample",
            Self::Archived => "the alert was archived",
            Self::Resolved => "the alert was resolved or closed",
            Self::Suppressed => "the alert was suppressed",
            Self::NotAThreat => "the alert is not about a threat",
            Self::Manager => "the host is the monitoring system itself",
            Self::OnlyRelated => "the host is only related to the alert and was not attacked",
            Self::NotSelected => "the policy's conditions do not select the alert",
            Self::Unreadable => "the alert could not be parsed, unlike others of the same message",
        }
    }
}
