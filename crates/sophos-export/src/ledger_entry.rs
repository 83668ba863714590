//! The entries of a ledger of isolation, and their rows. Pure: no clock, no network.
//!
//! An entry names neither the alert nor, in most transitions, the endpoint. So a row adds
//! them from the earlier entries of its decision.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{commit_log::LEDGER_TENANT, encode::to_rfc3339_millis};

/// The source of the rows.
pub(crate) const SOURCE: &str = "isolation/ledger";

/// The transitions after which a decision gets no other one.
const FINAL_TRANSITIONS: [&str; 11] = [
    "refused",
    "dry_run",
    "declined",
    "expired",
    "already_isolated",
    "released",
    "transferred",
    "superseded",
    "delegated",
    "merged",
    "failed",
];

/// A decision of a ledger that has not ended, or whose arrival may be listed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrackedDecision {
    /// The id.
    pub id: String,
    /// The time of its arrival in milliseconds since the Unix epoch.
    pub arrived_ms: i64,
    /// The number of its transitions that are exported.
    pub exported: u32,
    /// Whether the last of these is final.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// The members of an entry that its row needs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct LedgerEntry {
    decision: String,
    sequence: u32,
    /// The time in milliseconds since the Unix epoch.
    pub(crate) at_ms: i64,
    transition: String,
    #[serde(default)]
    target: Option<Target>,
    /// The person or source that requested the transition.
    #[serde(default)]
    by: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    tool: Option<String>,
    #[serde(default)]
    signal: Option<Signal>,
    #[serde(default)]
    not_actionable: Option<Value>,
}

/// The endpoint of a decision.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Target {
    tenant: String,
    endpoint: String,
    #[serde(default)]
    hostname: Option<String>,
}

/// The alert of a decision.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Signal {
    action: String,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    title: String,
}

impl LedgerEntry {
    /// Parses the entry with this number.
    ///
    /// # Errors
    /// The reason why it is not that entry.
    pub(crate) fn parse(body: &[u8], decision: &str, sequence: u32) -> Result<Self, String> {
        let entry: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if entry.decision == decision && entry.sequence == sequence {
            return Ok(entry);
        }
        Err(format!("it is not entry {sequence} of {decision}"))
    }

    /// Whether the decision gets no other transition.
    pub(crate) fn is_final(&self) -> bool {
        FINAL_TRANSITIONS.contains(&self.transition.as_str()) || self.not_actionable.is_some()
    }
}

/// The alert and the endpoint of a decision, as far as its entries name them.
#[derive(Debug, Default)]
pub(crate) struct DecisionContext {
    source: Option<String>,
    tool: Option<String>,
    signal: Option<Signal>,
    target: Option<Target>,
    requested_by: Option<String>,
}

impl DecisionContext {
    /// Adds the next entry.
    pub(crate) fn add(&mut self, entry: &LedgerEntry) {
        if entry.signal.is_some() {
            (self.source, self.tool) = (entry.source.clone(), entry.tool.clone());
            self.signal.clone_from(&entry.signal);
        }
        if entry.target.is_some() {
            self.target.clone_from(&entry.target);
        }
        // No person requests a scheduled release.
        if entry.by.is_some() || entry.transition == "release_pending" {
            self.requested_by.clone_from(&entry.by);
        }
    }

    /// The tenant of the endpoint, or the name of the stream.
    pub(crate) fn tenant(&self) -> &str {
        self.target.as_ref().map_or(LEDGER_TENANT, |target| &target.tenant)
    }

    /// The record of an entry, after it was added. `stored` is the entry as the ledger has
    /// it.
    pub(crate) fn record(&self, entry: &LedgerEntry, stored: &str) -> String {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
        let mut add_text = |name: &str, text: Option<&str>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                add(name, text.into());
            }
        };
        let signal = self.signal.as_ref();
        add_text("decision", Some(&entry.decision));
        add_text("at", Timestamp::from_millisecond(entry.at_ms).ok().map(to_rfc3339_millis).as_deref());
        add_text("transition", Some(&entry.transition));
        add_text("action", signal.map(|signal| signal.action.as_str()));
        add_text("alert_source", self.source.as_deref());
        add_text("tool", self.tool.as_deref());
        add_text("severity", signal.and_then(|signal| signal.severity.as_deref()));
        add_text("title", signal.map(|signal| signal.title.as_str()));
        add_text("tenant_id", self.target.as_ref().map(|target| target.tenant.as_str()));
        add_text("endpoint_id", self.target.as_ref().map(|target| target.endpoint.as_str()));
        add_text("hostname", self.target.as_ref().and_then(|target| target.hostname.as_deref()));
        add_text("requested_by", self.requested_by.as_deref());
        add("sequence", entry.sequence.into());
        let mut record = Value::Object(members).to_string();
        record.pop();
        record.push_str(",\"entry\":");
        // The ledger indents entries. A JSON text has no line break within a string.
        record.extend(stored.lines().map(str::trim));
        record.push('}');
        record
    }
}

/// The id of a row.
pub(crate) fn row_id(decision: &str, sequence: u32) -> String {
    format!("{decision}-{sequence:04}")
}

/// The time and the decision in the name of an arrival.
pub(crate) fn parse_arrival(name: &str) -> Option<(i64, &str)> {
    let (at_ms, decision) = name.split_once('-')?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_decision = !decision.is_empty() && decision.bytes().all(is_plain);
    Some((at_ms.parse().ok()?, decision)).filter(|_| is_decision)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(sequence: u32, members: Value) -> (LedgerEntry, String) {
        let mut all = json!({ "version": 1, "decision": "iso-1", "sequence": sequence, "at_ms": 7 });
        all.as_object_mut().expect("an object").extend(members.as_object().expect("members").clone());
        let text = serde_json::to_string_pretty(&all).expect("JSON");
        (LedgerEntry::parse(text.as_bytes(), "iso-1", sequence).expect("an entry"), text)
    }

    #[test]
    fn record_has_the_alert_and_the_endpoint_of_earlier_entries() {
        let target = json!({ "tenant": "t", "endpoint": "e", "hostname": "WS-1" });
        let signal = json!({ "action": "isolate", "severity": "high", "title": "C2" });
        let received =
            json!({ "transition": "received", "source": "edr", "tool": "crowdstrike", "signal": signal });
        let mut context = DecisionContext::default();
        let mut last = Value::Null;
        for (sequence, members) in [
            (1, received),
            (2, json!({ "transition": "pending_approval", "target": target })),
            (3, json!({ "transition": "approved", "by": "anna" })),
            (4, json!({ "transition": "isolated" })),
        ] {
            let (entry, stored) = entry(sequence, members);
            context.add(&entry);
            let record = context.record(&entry, &stored);
            assert!(!record.contains('\n'), "one line");
            last = serde_json::from_str(&record).expect("JSON");
        }
        assert_eq!(context.tenant(), "t");
        assert_eq!(
            last,
            json!({
                "decision": "iso-1", "sequence": 4, "at": "1970-01-01T00:00:00.007Z", "transition": "isolated",
                "action": "isolate", "alert_source": "edr", "tool": "crowdstrike", "severity": "high",
                "title": "C2", "tenant_id": "t", "endpoint_id": "e", "hostname": "WS-1", "requested_by": "anna",
                "entry": { "version": 1, "decision": "iso-1", "sequence": 4, "at_ms": 7, "transition": "isolated" },
            })
        );
        let (scheduled, stored) = entry(5, json!({ "transition": "release_pending", "reason": "scheduled" }));
        context.add(&scheduled);
        assert!(!context.record(&scheduled, &stored).contains("anna"), "it was not requested");
    }

    #[test]
    fn parse_rejects_the_entry_of_another_place() {
        let body = |decision: &str, sequence: u32| {
            json!({ "decision": decision, "sequence": sequence, "at_ms": 7, "transition": "isolated" })
                .to_string()
        };
        assert!(LedgerEntry::parse(body("iso-1", 2).as_bytes(), "iso-1", 2).is_ok());
        for body in [body("iso-2", 2), body("iso-1", 3), "{".to_owned(), "[]".to_owned()] {
            assert!(LedgerEntry::parse(body.as_bytes(), "iso-1", 2).is_err(), "{body}");
        }
    }

    #[test]
    fn parse_arrival_reads_the_time_and_the_decision() {
        assert_eq!(parse_arrival("001795428000000-iso-0f"), Some((1_795_428_000_000, "iso-0f")));
        for name in ["", "1", "x-iso-1", "1-", "1-../iso", "1-a/b"] {
            assert_eq!(parse_arrival(name), None, "{name}");
        }
    }
}
