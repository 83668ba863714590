//! Conversion of an adapter's result into alerts.

use std::collections::HashMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Adapter, Alert, MAX_ALERTS_PER_MESSAGE, Message, NotActionable, ParseError, json_cursor::JsonCursor,
    mapping::MessageKeys, pointer::DocumentContext,
};
use crate::signal::{Action, HostIdentifiers, Signal};

const EXPECTED_TTL: &str = "seconds, or a duration such as 90s, 30m, 4h or 2d";

/// The parts of an event or alert key. They are serialized as a JSON list, so a sender cannot shift
/// text from one part into another.
pub(super) type KeyParts = Vec<Value>;

/// The adapter's result for one document of a message.
#[derive(Debug)]
pub(super) struct ParsedAlert<'v> {
    /// The document at which configured pointers begin.
    pub(super) document: &'v Value,
    /// The key of the event, or the name of the member that is missing for it.
    pub(super) event_key: Result<KeyParts, &'static str>,
    /// The key of the alert, if it is not the first part of `event_key`.
    pub(super) alert_key: Option<KeyParts>,
    /// The signal without a host.
    pub(super) signal: Signal,
    /// The reason not to act on any of the hosts.
    pub(super) refusal: Option<NotActionable>,
    /// The hosts. An empty list stands for one unknown host.
    pub(super) hosts: Vec<ParsedHost>,
}

/// A host of a document.
#[derive(Debug, Default)]
pub(super) struct ParsedHost {
    pub(super) identifiers: HostIdentifiers,
    /// The accounts that the document gives for the host, for example in its ARN.
    pub(super) accounts: Vec<String>,
    /// The reason not to act on this host.
    pub(super) refusal: Option<NotActionable>,
}

impl From<HostIdentifiers> for ParsedHost {
    fn from(identifiers: HostIdentifiers) -> Self {
        Self { identifiers, ..Self::default() }
    }
}

impl<'v> ParsedAlert<'v> {
    pub(super) fn new(document: &'v Value, event_key: Result<KeyParts, &'static str>) -> Self {
        Self {
            document,
            event_key,
            alert_key: None,
            signal: Signal::default(),
            refusal: None,
            hosts: Vec::new(),
        }
    }
}

/// Builds a key from the required first part and parts that distinguish its versions.
pub(super) fn key_parts<const N: usize>(
    first: JsonCursor<'_>,
    more: [JsonCursor<'_>; N],
    missing: &'static str,
) -> Result<KeyParts, &'static str> {
    let first = first.text().ok_or(missing)?;
    Ok([Some(first)].into_iter().chain(more.map(JsonCursor::text)).map(Value::from).collect())
}

/// The SHA-256 of a value in hexadecimal. The order of members in the body does not change it.
pub(super) fn digest(value: &Value) -> String {
    Sha256::digest(value.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The single alert of a message that holds an empty list.
pub(super) fn empty_alert(root: &Value) -> Alert {
    let event_id = Value::from(vec![Value::Null, Value::from(digest(root))]).to_string();
    Alert {
        alert_id: event_id.clone(),
        event_id,
        signal: Signal::default(),
        refusal: Some(NotActionable::NoHost),
        detail: None,
    }
}

/// Applies the policy's field pointers and conditions, and returns the alerts.
pub(super) fn into_alerts(
    adapter: &Adapter,
    message: &Message<'_>,
    root: &Value,
    parsed_alerts: Vec<ParsedAlert<'_>>,
) -> Result<Vec<Alert>, ParseError> {
    let too_many = || {
        ParseError(format!(
            "the message names more than {MAX_ALERTS_PER_MESSAGE} hosts; split it into several messages"
        ))
    };
    if parsed_alerts.len() > MAX_ALERTS_PER_MESSAGE {
        return Err(too_many());
    }
    let alone = parsed_alerts.len() == 1;
    let mut alerts: Vec<Alert> = Vec::new();
    let mut known: HashMap<String, HostIdentifiers> = HashMap::new();
    let mut unreadable = Vec::new();
    for (number, mut parsed) in parsed_alerts.into_iter().enumerate() {
        let at = DocumentContext { document: parsed.document, root };
        let base = adapter.fields.iterate.as_ref().map(|list| format!("{}/{number}", list.display_from("")));
        let base = base.unwrap_or_default();
        let hosts = adapter.resolve_hosts(at, std::mem::take(&mut parsed.hosts));
        let unmet = adapter.unmet_condition(at, &base);
        let ids = adapter.resolve_keys(&parsed, at, &base, message, (!alone).then_some(number));
        let read = ids.and_then(|ids| Ok((ids, adapter.build_signal(&parsed, at, &base)?)));
        let (mut ids, signal) = match read {
            Ok(read) => read,
            // An incomplete document does not act and does not stop the others.
            Err(error) if unmet.is_some() || !alone => {
                let id = vec![Value::Null, Value::from(digest(parsed.document))];
                if unmet.is_none() {
                    parsed.refusal = parsed.refusal.or(Some(NotActionable::Unreadable));
                    unreadable.push(error);
                }
                (MessageKeys { event: id.clone(), alert: id }, parsed.signal.clone())
            }
            Err(error) => return Err(error),
        };
        if unmet.is_some() {
            parsed.refusal = parsed.refusal.or(Some(NotActionable::NotSelected));
            // The event may arrive again with the same id and be selected then.
            ids.event.push(Value::Bool(false));
        }
        let detail = match parsed.refusal {
            Some(NotActionable::NotSelected) => unmet,
            Some(NotActionable::Unreadable) => unreadable.last().map(ToString::to_string),
            _ => None,
        };
        let several = hosts.len() > 1;
        for ParsedHost { identifiers, accounts, refusal } in hosts {
            let host_accounts = other_accounts(accounts, signal.account.as_deref());
            let mut event_id = key_text(&ids.event, several.then_some(&identifiers));
            if known.get(&event_id).is_some_and(|other| *other != identifiers) {
                event_id = key_text(&ids.event, Some(&identifiers));
            }
            if known.insert(event_id.clone(), identifiers.clone()).is_some() {
                let first = alerts.iter_mut().find(|alert| alert.event_id == event_id);
                if let Some(first) = first {
                    first.signal.host_accounts.extend(host_accounts);
                    first.signal.host_accounts.sort();
                    first.signal.host_accounts.dedup();
                }
                continue;
            }
            if alerts.len() == MAX_ALERTS_PER_MESSAGE {
                return Err(too_many());
            }
            let no_host = identifiers.is_empty().then_some(NotActionable::NoHost);
            alerts.push(Alert {
                event_id,
                alert_id: key_text(&ids.alert, None),
                refusal: parsed.refusal.or(refusal).or(no_host),
                detail: detail.clone(),
                signal: Signal { host: identifiers, host_accounts, ..signal.clone() },
            });
        }
    }
    // Report the error to the sender if no alert could be parsed.
    let is_unreadable = |alert: &Alert| alert.refusal == Some(NotActionable::Unreadable);
    match unreadable.into_iter().next() {
        Some(error) if alerts.iter().all(is_unreadable) => Err(error),
        _ => Ok(alerts),
    }
}

/// The distinct accounts of a host; empty if the only one is the document's own.
fn other_accounts(mut accounts: Vec<String>, own: Option<&str>) -> Vec<String> {
    accounts.sort();
    accounts.dedup();
    match accounts.as_slice() {
        [only] if Some(only.as_str()) == own => Vec::new(),
        _ => accounts,
    }
}

pub(super) fn key_text(key: &KeyParts, identifiers: Option<&HostIdentifiers>) -> String {
    let mut parts = key.clone();
    if let Some(identifiers) = identifiers {
        parts.push(Value::from(vec![
            Value::from(identifiers.endpoint_id.clone()),
            Value::from(identifiers.ec2_instance_id.clone()),
            Value::from(identifiers.mac_addresses.clone()),
            Value::from(identifiers.hostnames.clone()),
            Value::from(identifiers.netbios_names.clone()),
            Value::from(identifiers.ip_addresses.clone()),
        ]));
    }
    Value::from(parts).to_string()
}

/// Parses an account id: a text or a number.
pub(super) fn parse_account(cursor: JsonCursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    super::json_cursor::identifiers([text.as_str()]).into_iter().next()
}

/// Parses the requested action; isolation if the member is missing. The error is the expected form.
pub(super) fn parse_action(cursor: JsonCursor<'_>) -> Result<Action, &'static str> {
    let Some(value) = cursor.value() else { return Ok(Action::Isolate) };
    match value.as_str().map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        Some("isolate") => Ok(Action::Isolate),
        Some("release") => Ok(Action::Release),
        _ => Err("isolate or release"),
    }
}

/// Parses the duration of an isolation in seconds; `None` if the member is missing. The error is the expected form.
pub(super) fn parse_ttl(cursor: JsonCursor<'_>) -> Result<Option<u64>, &'static str> {
    let Some(text) = cursor.text() else {
        return match cursor.value() {
            None | Some(Value::String(_)) => Ok(None),
            Some(_) => Err(EXPECTED_TTL),
        };
    };
    let text = text.trim();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(EXPECTED_TTL),
    };
    let number =
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    match number.and_then(|number| number.checked_mul(unit)) {
        Some(seconds) if seconds > 0 => Ok(Some(seconds)),
        _ => Err(EXPECTED_TTL),
    }
}
