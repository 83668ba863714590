//! From what an adapter found to what is reported.

use std::collections::HashMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Adapter, Alert, MAX_ALERTS_PER_MESSAGE, Message, NotActionable, ParseError, json_cursor::JsonCursor,
    mapping::MessageKeys, pointer::DocumentContext,
};
use crate::signal::{Action, HostIdentifiers, Signal};

/// What tells one event from another: parts that no sender can shift into each
/// other, as they are written as a JSON list.
pub(super) type KeyParts = Vec<Value>;

/// What an adapter makes of one document of a delivery.
#[derive(Debug)]
pub(super) struct ParsedAlert<'v> {
    /// What configured pointers begin at.
    pub(super) document: &'v Value,
    /// The sender's identity, or which member of the document is missing for it.
    pub(super) event_key: Result<KeyParts, &'static str>,
    /// The alert that this is an update of, where the first part of `identity`
    /// does not name it.
    pub(super) alert_key: Option<KeyParts>,
    /// All but the host.
    pub(super) signal: Signal,
    /// Why nothing is to be done about any of the hosts.
    pub(super) refusal: Option<NotActionable>,
    /// The hosts; none is one about which nothing is known.
    pub(super) hosts: Vec<ParsedHost>,
}

/// A host of a document.
#[derive(Debug, Default)]
pub(super) struct ParsedHost {
    pub(super) identifiers: HostIdentifiers,
    /// The accounts in which the document puts it, such as that of its ARN.
    pub(super) accounts: Vec<String>,
    /// Why nothing is to be done about this one.
    pub(super) refusal: Option<NotActionable>,
}

impl From<HostIdentifiers> for ParsedHost {
    fn from(facts: HostIdentifiers) -> Self {
        Self { identifiers: facts, ..Self::default() }
    }
}

impl<'v> ParsedAlert<'v> {
    pub(super) fn new(document: &'v Value, identity: Result<KeyParts, &'static str>) -> Self {
        Self {
            document,
            event_key: identity,
            alert_key: None,
            signal: Signal::default(),
            refusal: None,
            hosts: Vec::new(),
        }
    }
}

/// An identity: the part without which there is none, and parts that tell one
/// version of it from another.
pub(super) fn key_parts<const N: usize>(
    first: JsonCursor<'_>,
    more: [JsonCursor<'_>; N],
    missing: &'static str,
) -> Result<KeyParts, &'static str> {
    let first = first.text().ok_or(missing)?;
    Ok([Some(first)].into_iter().chain(more.map(JsonCursor::text)).map(Value::from).collect())
}

/// The SHA-256 of a value, whatever the order of its members in the body was.
pub(super) fn digest(value: &Value) -> String {
    Sha256::digest(value.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one reading of a delivery that holds an empty list.
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

/// The readings of the drafts, with what the policy says put in place.
pub(super) fn into_alerts(
    adapter: &Adapter,
    message: &Message<'_>,
    root: &Value,
    drafts: Vec<ParsedAlert<'_>>,
) -> Result<Vec<Alert>, ParseError> {
    let too_many =
        || ParseError(format!("it is about more than {MAX_ALERTS_PER_MESSAGE} hosts: send them in several"));
    if drafts.len() > MAX_ALERTS_PER_MESSAGE {
        return Err(too_many());
    }
    let alone = drafts.len() == 1;
    let mut readings: Vec<Alert> = Vec::new();
    let mut known: HashMap<String, HostIdentifiers> = HashMap::new();
    let mut unreadable = Vec::new();
    for (number, mut draft) in drafts.into_iter().enumerate() {
        let at = DocumentContext { document: draft.document, root };
        let base = adapter.fields.iterate.as_ref().map(|list| format!("{}/{number}", list.display_from("")));
        let base = base.unwrap_or_default();
        let hosts = adapter.resolve_hosts(at, std::mem::take(&mut draft.hosts));
        let unmet = adapter.unmet_condition(at, &base);
        let ids = adapter.resolve_keys(&draft, at, &base, message, (!alone).then_some(number));
        let read = ids.and_then(|ids| Ok((ids, adapter.build_signal(&draft, at, &base)?)));
        let (mut ids, signal) = match read {
            Ok(read) => read,
            // What lacks something is not acted on, and stops no other.
            Err(error) if unmet.is_some() || !alone => {
                let id = vec![Value::Null, Value::from(digest(draft.document))];
                if unmet.is_none() {
                    draft.refusal = draft.refusal.or(Some(NotActionable::Unreadable));
                    unreadable.push(error);
                }
                (MessageKeys { event: id.clone(), alert: id }, draft.signal.clone())
            }
            Err(error) => return Err(error),
        };
        if unmet.is_some() {
            draft.refusal = draft.refusal.or(Some(NotActionable::NotSelected));
            // It may come again under the same identity and be selected then.
            ids.event.push(Value::Bool(false));
        }
        let detail = match draft.refusal {
            Some(NotActionable::NotSelected) => unmet,
            Some(NotActionable::Unreadable) => unreadable.last().map(ToString::to_string),
            _ => None,
        };
        let several = hosts.len() > 1;
        for ParsedHost { identifiers: facts, accounts, refusal } in hosts {
            let host_accounts = other_accounts(accounts, signal.account.as_deref());
            let mut event_id = key_text(&ids.event, several.then_some(&facts));
            if known.get(&event_id).is_some_and(|other| *other != facts) {
                event_id = key_text(&ids.event, Some(&facts));
            }
            if known.insert(event_id.clone(), facts.clone()).is_some() {
                let first = readings.iter_mut().find(|reading| reading.event_id == event_id);
                if let Some(first) = first {
                    first.signal.host_accounts.extend(host_accounts);
                    first.signal.host_accounts.sort();
                    first.signal.host_accounts.dedup();
                }
                continue;
            }
            if readings.len() == MAX_ALERTS_PER_MESSAGE {
                return Err(too_many());
            }
            let no_host = facts.is_empty().then_some(NotActionable::NoHost);
            readings.push(Alert {
                event_id,
                alert_id: key_text(&ids.alert, None),
                refusal: draft.refusal.or(refusal).or(no_host),
                detail: detail.clone(),
                signal: Signal { host: facts, host_accounts, ..signal.clone() },
            });
        }
    }
    // A delivery of which nothing can be read is told to the sender.
    let is_unreadable = |reading: &Alert| reading.refusal == Some(NotActionable::Unreadable);
    match unreadable.into_iter().next() {
        Some(error) if readings.iter().all(is_unreadable) => Err(error),
        _ => Ok(readings),
    }
}

/// The accounts in which a document puts a host, each once; none when that is
/// the document's own alone.
fn other_accounts(mut accounts: Vec<String>, own: Option<&str>) -> Vec<String> {
    accounts.sort();
    accounts.dedup();
    match accounts.as_slice() {
        [only] if Some(only.as_str()) == own => Vec::new(),
        _ => accounts,
    }
}

pub(super) fn key_text(identity: &KeyParts, facts: Option<&HostIdentifiers>) -> String {
    let mut parts = identity.clone();
    if let Some(facts) = facts {
        parts.push(Value::from(vec![
            Value::from(facts.endpoint_id.clone()),
            Value::from(facts.ec2_instance_id.clone()),
            Value::from(facts.mac_addresses.clone()),
            Value::from(facts.hostnames.clone()),
            Value::from(facts.netbios_names.clone()),
            Value::from(facts.ip_addresses.clone()),
        ]));
    }
    Value::from(parts).to_string()
}

/// An id of an account: a text or, as some write it, a number.
pub(super) fn parse_account(place: JsonCursor<'_>) -> Option<String> {
    let text = place.text()?;
    super::json_cursor::identifiers([text.as_str()]).into_iter().next()
}

/// What is asked for, when anything is said about it.
pub(super) fn parse_action(place: JsonCursor<'_>) -> Result<Action, ParseError> {
    let Some(value) = place.value() else { return Ok(Action::Isolate) };
    match value.as_str().map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        Some("isolate") => Ok(Action::Isolate),
        Some("release") => Ok(Action::Release),
        _ => Err(ParseError("invalid action: expected isolate or release".into())),
    }
}

/// For how long, when anything is said about it.
pub(super) fn parse_ttl(place: JsonCursor<'_>) -> Result<Option<u64>, ParseError> {
    let Some(text) = place.text() else {
        return match place.value() {
            None | Some(Value::String(_)) => Ok(None),
            Some(_) => Err(invalid_duration()),
        };
    };
    let text = text.trim();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(invalid_duration()),
    };
    let number =
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    match number.and_then(|number| number.checked_mul(unit)) {
        Some(seconds) if seconds > 0 => Ok(Some(seconds)),
        _ => Err(invalid_duration()),
    }
}

fn invalid_duration() -> ParseError {
    ParseError("invalid ttl: expected seconds, or a time such as 90s, 30m, 4h or 2d,".into())
}
