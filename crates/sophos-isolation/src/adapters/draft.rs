//! From what an adapter found to what is reported.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Adapter, MOST_READINGS, Message, NotActionable, Reading, Tool, Unreadable, place::Place};
use crate::signal::{Action, HostFacts, Severity, Signal};

/// What tells one event from another: parts that no sender can shift into each
/// other, as they are written as a JSON list.
pub(super) type Identity = Vec<Value>;

/// What an adapter makes of one document of a delivery.
#[derive(Debug)]
pub(super) struct Draft<'v> {
    /// What configured pointers begin at.
    pub(super) document: &'v Value,
    /// The sender's identity, or which member of the document is missing for it.
    pub(super) identity: Result<Identity, &'static str>,
    /// The alert that this is an update of, where the first part of `identity`
    /// does not name it.
    pub(super) alert: Option<Identity>,
    /// All but the host.
    pub(super) signal: Signal,
    /// Why nothing is to be done about any of the hosts.
    pub(super) refusal: Option<NotActionable>,
    /// The hosts; none is one about which nothing is known.
    pub(super) hosts: Vec<Host>,
}

/// A host of a document.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) facts: HostFacts,
    /// Why nothing is to be done about this one.
    pub(super) refusal: Option<NotActionable>,
}

impl From<HostFacts> for Host {
    fn from(facts: HostFacts) -> Self {
        Self { facts, refusal: None }
    }
}

impl<'v> Draft<'v> {
    pub(super) fn new(document: &'v Value, identity: Result<Identity, &'static str>) -> Self {
        Self { document, identity, alert: None, signal: Signal::default(), refusal: None, hosts: Vec::new() }
    }
}

/// An identity: the part without which there is none, and parts that tell one
/// version of it from another.
pub(super) fn identity<const N: usize>(
    first: Place<'_>,
    more: [Place<'_>; N],
    missing: &'static str,
) -> Result<Identity, &'static str> {
    let first = first.text().ok_or(missing)?;
    Ok([Some(first)].into_iter().chain(more.map(Place::text)).map(Value::from).collect())
}

/// The SHA-256 of a value, whatever the order of its members in the body was.
pub(super) fn digest(value: &Value) -> String {
    Sha256::digest(value.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one reading of a delivery that holds an empty list.
pub(super) fn nothing(root: &Value) -> Reading {
    let event_id = Value::from(vec![Value::Null, Value::from(digest(root))]).to_string();
    Reading {
        alert_id: event_id.clone(),
        event_id,
        signal: Signal::default(),
        refusal: Some(NotActionable::NoHost),
    }
}

/// The readings of the drafts, with what the configuration says put in place.
pub(super) fn finish(
    adapter: &Adapter,
    message: &Message<'_>,
    drafts: Vec<Draft<'_>>,
) -> Result<Vec<Reading>, Unreadable> {
    let too_many =
        || Unreadable(format!("it is about more than {MOST_READINGS} hosts: send them in several"));
    if drafts.len() > MOST_READINGS {
        return Err(too_many());
    }
    let alone = drafts.len() == 1;
    let mut readings: Vec<Reading> = Vec::new();
    let mut known: HashMap<String, HostFacts> = HashMap::new();
    // A draft that cannot be read does not take the others with it.
    let mut unread: Vec<(Unreadable, Reading)> = Vec::new();
    for (number, draft) in drafts.into_iter().enumerate() {
        let identity = adapter.identity_of(&draft, message, (!alone).then_some(number));
        let (identity, signal) = match identity.and_then(|found| Ok((found, adapter.signal_of(&draft)?))) {
            Ok(found) => found,
            Err(error) => {
                let refusal = Some(NotActionable::Unreadable);
                unread.push((error, Reading { refusal, ..nothing(draft.document) }));
                continue;
            }
        };
        let alert = draft.alert.clone().unwrap_or_else(|| identity.iter().take(1).cloned().collect());
        let hosts = adapter.hosts_of(draft.document, draft.hosts);
        let several = hosts.len() > 1;
        for Host { facts, refusal } in hosts {
            let mut event_id = text_of(&identity, several.then_some(&facts));
            if known.get(&event_id).is_some_and(|other| *other != facts) {
                event_id = text_of(&identity, Some(&facts));
            }
            if known.insert(event_id.clone(), facts.clone()).is_some() {
                continue;
            }
            if readings.len() == MOST_READINGS {
                return Err(too_many());
            }
            let no_host = facts.is_empty().then_some(NotActionable::NoHost);
            readings.push(Reading {
                event_id,
                alert_id: text_of(&alert, several.then_some(&facts)),
                refusal: draft.refusal.or(refusal).or(no_host),
                signal: Signal { host: facts, ..signal.clone() },
            });
        }
    }
    if readings.is_empty() && !unread.is_empty() {
        return Err(unread.swap_remove(0).0);
    }
    for (_, reading) in unread {
        if known.insert(reading.event_id.clone(), HostFacts::default()).is_none() {
            readings.push(reading);
        }
    }
    if readings.len() > MOST_READINGS { Err(too_many()) } else { Ok(readings) }
}

fn text_of(identity: &Identity, facts: Option<&HostFacts>) -> String {
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

impl Adapter {
    /// The identity that the configuration names, or else the adapter's. Where
    /// the document is one of several, its own part is kept beside the former.
    fn identity_of(
        &self,
        draft: &Draft<'_>,
        message: &Message<'_>,
        number: Option<usize>,
    ) -> Result<Identity, Unreadable> {
        let own = &draft.identity;
        let Some(pointer) = &self.fields.event_id else {
            let missing = |member: &&str| Unreadable(format!("it does not say which event it is: {member}"));
            return own.as_ref().map_err(missing).cloned();
        };
        let configured = pointer.find(draft.document).and_then(|value| Place::from(value).text());
        let key = message.idempotency_key.filter(|key| self.tool == Tool::Generic && !key.trim().is_empty());
        let Some(configured) = configured.or_else(|| key.map(str::to_owned)) else {
            return Err(Unreadable("there is nothing where the configured event_id is to be".into()));
        };
        let mut identity = vec![Value::from(configured)];
        if let Some(number) = number {
            identity.push(own.as_ref().map_or_else(|_| Value::from(number), |own| Value::from(own.clone())));
        }
        Ok(identity)
    }

    /// The signal of a draft, without a host.
    fn signal_of(&self, draft: &Draft<'_>) -> Result<Signal, Unreadable> {
        let mut signal = draft.signal.clone();
        let fields = &self.fields;
        let at = |pointer: &super::Pointer| pointer.find(draft.document).map_or(Place::NOWHERE, Place::from);
        if let Some(pointer) = &fields.tenant {
            signal.tenant = at(pointer).fact();
        }
        if let Some(pointer) = &fields.account {
            signal.account = account(at(pointer));
        }
        if let Some(pointer) = &fields.severity {
            signal.severity = self.severity(at(pointer));
        }
        if let Some(pointer) = &fields.title {
            signal.title = at(pointer).words().unwrap_or_default();
        }
        if let Some(pointer) = &fields.reason {
            signal.reason = at(pointer).words();
        }
        if let Some(pointer) = &fields.observed_at {
            signal.observed_at = at(pointer).words();
        }
        if let Some(pointer) = &fields.action {
            let place = at(pointer);
            if !place.is_there() {
                return Err(Unreadable("there is nothing where the configured action is to be".into()));
            }
            signal.action = action(place)?;
        }
        if let Some(pointer) = &fields.ttl {
            signal.hold_seconds = hold(at(pointer))?;
        }
        Ok(signal)
    }

    /// The hosts of a document, each once, and the one without a refusal before
    /// the same with one.
    fn hosts_of(&self, document: &Value, hosts: Vec<Host>) -> Vec<Host> {
        let fields = &self.fields;
        let facts = |pointer: &super::Pointer| {
            pointer.find(document).map(|value| Place::from(value).facts()).unwrap_or_default()
        };
        let mut hosts = if hosts.is_empty() { vec![Host::default()] } else { hosts };
        for Host { facts: host, .. } in &mut hosts {
            if let Some(pointer) = &fields.endpoint_id {
                host.endpoint_id = facts(pointer).into_iter().next();
            }
            if let Some(pointer) = &fields.ec2_instance_id {
                host.ec2_instance_id = facts(pointer).into_iter().next();
            }
            if let Some(pointer) = &fields.hostname {
                host.hostnames = facts(pointer);
            }
            if let Some(pointer) = &fields.mac {
                host.mac_addresses = facts(pointer);
            }
            if let Some(pointer) = &fields.ip {
                host.ip_addresses = facts(pointer);
            }
        }
        hosts.sort_by_key(|host| host.refusal.is_some());
        let mut each = HashSet::new();
        hosts.retain(|host| each.insert(text_of(&Vec::new(), Some(&host.facts))));
        hosts
    }

    fn severity(&self, place: Place<'_>) -> Option<Severity> {
        match self.tool {
            Tool::GuardDuty => super::guardduty::severity(place),
            Tool::CrowdStrike => super::crowdstrike::severity(place),
            Tool::PagerDuty => super::pagerduty::severity(place),
            Tool::Wazuh => super::wazuh::severity(place),
            Tool::Okta => super::okta::severity(place),
            Tool::SentinelOne => super::sentinelone::severity(place),
            Tool::Elastic => super::elastic::severity(place),
            Tool::SecurityHub => super::security_hub::severity(place),
            Tool::MicrosoftDefender | Tool::MicrosoftSentinel | Tool::Splunk | Tool::Generic => {
                place.severity()
            }
        }
    }
}

/// An id of an account: a text or, as some write it, a number.
pub(super) fn account(place: Place<'_>) -> Option<String> {
    let text = place.text()?;
    super::place::facts([text.as_str()]).into_iter().next()
}

/// What is asked for, when anything is said about it.
pub(super) fn action(place: Place<'_>) -> Result<Action, Unreadable> {
    let Some(value) = place.value() else { return Ok(Action::Isolate) };
    match value.as_str().map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        Some("isolate") => Ok(Action::Isolate),
        Some("release") => Ok(Action::Release),
        _ => Err(Unreadable("the action is neither isolate nor release".into())),
    }
}

/// For how long, when anything is said about it.
pub(super) fn hold(place: Place<'_>) -> Result<Option<u64>, Unreadable> {
    let Some(text) = place.text() else {
        return match place.value() {
            None | Some(Value::String(_)) => Ok(None),
            Some(_) => Err(no_duration()),
        };
    };
    let text = text.trim();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(no_duration()),
    };
    let number =
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    match number.and_then(|number| number.checked_mul(unit)) {
        Some(seconds) if seconds > 0 => Ok(Some(seconds)),
        _ => Err(no_duration()),
    }
}

fn no_duration() -> Unreadable {
    Unreadable("the ttl is neither a number of seconds nor a text such as 90s, 30m, 4h or 2d".into())
}
