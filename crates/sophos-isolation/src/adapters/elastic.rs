//! Elastic Security: what a rule's action makes of its alerts by a template.
//! Such a body is often no JSON document but objects that follow each other.

use serde_json::{Deserializer, Value};

use super::{
    MOST_READINGS, NotActionable, Unreadable,
    draft::{Draft, Host, account},
    place::{Place, scale},
};
use crate::signal::{HostFacts, Severity};

/// How deep alerts lie in wrappers: context, alerts, hit, source.
const DEEPEST: usize = 4;

/// Reads objects with or without commas, white space or brackets of a list
/// between them, into one list.
pub(super) fn parse(body: &[u8]) -> Result<Value, Unreadable> {
    let mut objects = Vec::new();
    let mut rest = body;
    loop {
        let between = |byte: &u8| byte.is_ascii_whitespace() || b",[]".contains(byte);
        rest = &rest[rest.iter().position(|byte| !between(byte)).unwrap_or(rest.len())..];
        if rest.is_empty() {
            return Ok(Value::from(objects));
        }
        if objects.len() == MOST_READINGS {
            return Err(Unreadable(format!(
                "it holds more than {MOST_READINGS} alerts: send them in several"
            )));
        }
        let mut stream = Deserializer::from_slice(rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(object @ Value::Object(_))) => objects.push(object),
            _ => return Err(Unreadable(format!("what follows {} objects is no JSON object", objects.len()))),
        }
        rest = &rest[stream.byte_offset().min(rest.len())..];
    }
}

pub(super) fn read(root: &Value) -> Result<Vec<Draft<'_>>, Unreadable> {
    let mut drafts = Vec::new();
    for object in Place::from(root).items() {
        unwrap(object, None, DEEPEST, &mut drafts)?;
    }
    Ok(drafts)
}

fn unwrap<'v>(
    place: Place<'v>,
    id: Option<Place<'v>>,
    depth: usize,
    drafts: &mut Vec<Draft<'v>>,
) -> Result<(), Unreadable> {
    let Some(document) = place.value() else { return Ok(()) };
    if depth > 0 {
        if let Some(list) = place.list(&["alerts", "hits/hits", "hits", "context/alerts"]) {
            return list.items().try_for_each(|item| unwrap(item, None, depth - 1, drafts));
        }
        let source = place.at("_source");
        if source.is_object() {
            return unwrap(source, Some(place.at("_id")), depth - 1, drafts);
        }
    }
    if drafts.len() == MOST_READINGS {
        return Err(Unreadable(format!("it holds more than {MOST_READINGS} alerts: send them in several")));
    }
    drafts.push(alert(document, id));
    Ok(())
}

fn alert<'v>(document: &'v Value, id: Option<Place<'v>>) -> Draft<'v> {
    let get = |name: &str| dotted(document, name);
    let first = |names: &[&str]| {
        let mut places = names.iter().map(|name| get(name));
        places.find(|place| place.text().is_some()).unwrap_or(Place::NOWHERE)
    };
    let identity = first(&["kibana.alert.uuid", "alert.uuid"]).text().map(|uuid| vec![Value::from(uuid)]);
    let identity = identity.or_else(|| {
        let rule = first(&["kibana.alert.rule.uuid", "signal.rule.id", "rule.id"]).text()?;
        let id = id.and_then(Place::text).or_else(|| first(&["_id", "alert.id"]).text())?;
        Some(vec![Value::from(rule), Value::from(id)])
    });
    let mut draft = Draft::new(document, identity.ok_or("the alert has no kibana.alert.uuid"));
    let signal = &mut draft.signal;
    signal.account = account(get("cloud.account.id"));
    signal.severity = first(&["kibana.alert.severity", "signal.rule.severity"])
        .severity()
        .or_else(|| severity(first(&["kibana.alert.risk_score", "kibana.alert.rule.risk_score"])));
    signal.title =
        first(&["kibana.alert.rule.name", "signal.rule.name", "rule.name"]).words().unwrap_or_default();
    signal.reason = get("kibana.alert.reason").words();
    signal.observed_at = first(&["kibana.alert.original_time", "@timestamp"]).words();
    let is_over = get("kibana.alert.workflow_status").word() == "closed"
        || get("kibana.alert.status").word() == "recovered";
    draft.refusal = is_over.then_some(NotActionable::Resolved);
    draft.hosts = hosts(get("host.name").facts(), get("host.mac").facts(), get("host.ip").facts());
    draft
}

/// The host; or, of an alert over several hosts, each by its name alone, as
/// nothing says whose the addresses are.
fn hosts(names: Vec<String>, mac_addresses: Vec<String>, ip_addresses: Vec<String>) -> Vec<Host> {
    if names.len() < 2 {
        return vec![
            HostFacts { hostnames: names, mac_addresses, ip_addresses, ..HostFacts::default() }.into(),
        ];
    }
    let facts = names.into_iter().map(|name| HostFacts { hostnames: vec![name], ..HostFacts::default() });
    facts.map(Host::from).collect()
}

/// What a name with dots leads to, whether the sender nests objects or writes
/// the dots into the names of members.
fn dotted<'v>(value: &'v Value, name: &str) -> Place<'v> {
    let Value::Object(members) = value else { return Place::NOWHERE };
    if let Some(found) = members.get(name).filter(|found| !found.is_null()) {
        return Place::from(found);
    }
    let dots = name.match_indices('.').map(|(dot, _)| (&name[..dot], &name[dot + 1..]));
    let mut places = dots.filter_map(|(head, tail)| Some(dotted(members.get(head)?, tail)));
    places.find(|place| place.is_there()).unwrap_or(Place::NOWHERE)
}

/// A word, or a risk score, as Elastic parts them.
pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    let score = || place.number().map(|number| scale(number, [0.0, 22.0, 48.0, 74.0]));
    place.severity().or_else(score)
}
