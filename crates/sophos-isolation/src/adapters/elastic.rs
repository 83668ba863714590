//! Elastic Security: what a rule's action makes of its alerts by a template.
//! Such a body is often no JSON document but objects that follow each other.

use serde_json::{Deserializer, Value};

use super::{
    MOST_READINGS, NotActionable, Unreadable,
    draft::{Draft, Host, account},
    names::{dotted_domain, with_domain},
    place::{Place, scale},
};
use crate::{
    hostname::may_be_same_host,
    signal::{HostFacts, Severity},
};

/// How deep alerts lie in wrappers: lists, context, alerts, hit, source.
const DEEPEST: usize = 6;

/// What rules of Elastic Security have as their consumer and producer.
const SECURITY: [&str; 2] = ["siem", "securitysolution"];

/// How the types of rules begin that watch services, and not threats.
const WATCHED: [&str; 13] = [
    ".es-query",
    ".geo-containment",
    ".index-threshold",
    "apm",
    "datasetquality",
    "logs.",
    "metrics.",
    "monitoring_",
    "observability.",
    "slo.",
    "streams.",
    "transform_",
    "xpack.",
];

/// The types of observers that watch the traffic of other machines.
const SENSORS: [&str; 13] = [
    "dns",
    "firewall",
    "forwarder",
    "ids",
    "ips",
    "nids",
    "nips",
    "proxy",
    "router",
    "sensor",
    "switch",
    "vpn",
    "waf",
];

/// The modules of sensors that watch the traffic of other machines.
const SENSOR_MODULES: [&str; 3] = ["snort", "suricata", "zeek"];

/// Reads objects with or without commas, white space or brackets of a list
/// between them, into one list.
pub(super) fn parse(body: &[u8]) -> Result<Value, Unreadable> {
    match serde_json::from_slice(body) {
        Ok(list @ Value::Array(_)) => return Ok(list),
        Ok(object @ Value::Object(_)) => return Ok(Value::from(vec![object])),
        _ => {}
    }
    let mut objects = Vec::new();
    let mut rest = body;
    loop {
        let between = |byte: &u8| byte.is_ascii_whitespace() || b",[]".contains(byte);
        rest = &rest[rest.iter().position(|byte| !between(byte)).unwrap_or(rest.len())..];
        if rest.is_empty() {
            return Ok(Value::from(objects));
        }
        if objects.len() == MOST_READINGS {
            return Err(too_many());
        }
        let mut stream = Deserializer::from_slice(rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(object @ Value::Object(_))) => objects.push(object),
            _ => {
                let error =
                    || Unreadable(format!("what follows {} objects is no JSON object", objects.len()));
                return lines(body).ok_or_else(error);
            }
        }
        rest = &rest[stream.byte_offset().min(rest.len())..];
    }
}

/// The objects of a body with one on each line, of which some are no JSON: those
/// are kept as texts. Where a line does not look like one object, nothing is
/// certain about where an object ends.
fn lines(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let lines = text.lines().map(|line| line.trim().trim_end_matches(',').trim_end());
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    let is_object = |line: &&str| line.starts_with('{') && line.ends_with('}');
    let read = |line: &&str| serde_json::from_str::<Value>(line).unwrap_or_else(|_| Value::from(*line));
    let objects: Vec<_> = lines.iter().take(MOST_READINGS + 1).map(read).collect();
    (lines.iter().all(is_object) && objects.iter().any(Value::is_object)).then(|| Value::from(objects))
}

pub(super) fn read(root: &Value) -> Result<Vec<Draft<'_>>, Unreadable> {
    let mut drafts = Vec::new();
    unwrap(root, Place::NOWHERE, DEEPEST, &mut drafts)?;
    Ok(drafts)
}

fn too_many() -> Unreadable {
    Unreadable(format!("it holds more than {MOST_READINGS} alerts: send them in several"))
}

/// Finds the alerts. Their own members may have the names of wrappers, as ECS
/// has a `source`: what is an alert is none. Names are exact here.
fn unwrap<'v>(
    value: &'v Value,
    id: Place<'v>,
    depth: usize,
    drafts: &mut Vec<Draft<'v>>,
) -> Result<(), Unreadable> {
    if depth > 0 && !is_alert(value) {
        if let Value::Array(items) = value {
            let mut items = items.iter().filter(|item| !item.is_null());
            return items.try_for_each(|item| unwrap(item, Place::NOWHERE, depth - 1, drafts));
        }
        if let Some(source @ Value::Object(_)) = value.get("_source") {
            return unwrap(source, value.get("_id").map_or(Place::NOWHERE, Place::from), depth - 1, drafts);
        }
        let lists = ["/context/alerts", "/alerts", "/hits/hits", "/hits"].map(|path| value.pointer(path));
        if let Some(list) = lists.into_iter().flatten().find(|list| list.is_array()) {
            return unwrap(list, Place::NOWHERE, depth - 1, drafts);
        }
    }
    if drafts.len() == MOST_READINGS {
        return Err(too_many());
    }
    drafts.push(alert(value, id));
    Ok(())
}

/// Whether members of an alert stand in it, nested or with dots in their names.
fn is_alert(value: &Value) -> bool {
    let is_own = |(name, _): (&str, Place<'_>)| name.starts_with("kibana.alert.");
    Place::from(value).members().any(is_own)
        || ["kibana.alert", "kibana.alert.uuid", "signal.rule", "signal.rule.id"]
            .iter()
            .any(|name| dotted(value, name).is_there())
}

fn alert<'v>(document: &'v Value, id: Place<'v>) -> Draft<'v> {
    let get = |name: &str| dotted(document, name);
    let first = |names: &[&str]| {
        let mut places = names.iter().map(|name| get(name));
        places.find(|place| place.text().is_some()).unwrap_or(Place::NOWHERE)
    };
    let identity = first(&["kibana.alert.uuid", "alert.uuid"]).text().map(|uuid| vec![Value::from(uuid)]);
    let identity = identity.or_else(|| {
        let rule = first(&["kibana.alert.rule.uuid", "signal.rule.id", "rule.id"]).text()?;
        let id = id.text().or_else(|| first(&["_id", "alert.id"]).text())?;
        Some(vec![Value::from(rule), Value::from(id)])
    });
    let alert = identity.clone();
    let mut draft = Draft::new(document, identity.ok_or("the alert has no kibana.alert.uuid"));
    draft.alert = alert;
    let signal = &mut draft.signal;
    signal.account = account(get("cloud.account.id"));
    signal.severity = first(&["kibana.alert.severity", "signal.rule.severity"])
        .severity()
        .or_else(|| severity(first(&["kibana.alert.risk_score", "kibana.alert.rule.risk_score"])));
    signal.title =
        first(&["kibana.alert.rule.name", "signal.rule.name", "rule.name"]).words().unwrap_or_default();
    signal.reason = get("kibana.alert.reason").words();
    signal.observed_at = first(&["kibana.alert.original_time", "@timestamp"]).words();
    let [workflow, status, group] = [
        first(&["kibana.alert.workflow_status", "signal.status"]).word(),
        get("kibana.alert.status").word(),
        first(&["kibana.alert.action_group", "alert.actionGroup"]).word(),
    ];
    draft.refusal = if workflow == "closed" || status == "recovered" || group == "recovered" {
        Some(NotActionable::Resolved)
    } else if is_of_service(document) {
        Some(NotActionable::NotAThreat)
    } else {
        None
    };
    let names = ["host.name", "host.hostname"].map(|name| get(name).facts());
    let names = names.into_iter().find(|names| !names.is_empty()).unwrap_or_default();
    if !is_sensor(document, &names) {
        let domain = dotted_domain(get("host.domain"));
        draft.hosts = hosts(names, domain, get("host.mac").facts(), get("host.ip").facts());
    }
    draft
}

/// Whether the host is the sensor that saw the traffic of another machine. Only
/// the policy can say where that other machine stands.
fn is_sensor(alert: &Value, names: &[String]) -> bool {
    let observers = ["observer.hostname", "observer.name"].map(|name| dotted(alert, name).facts());
    let is_observer = |name: &String| names.iter().any(|host| may_be_same_host(host, name));
    let kinds: Vec<_> = dotted(alert, "observer.type").items().map(Place::word).collect();
    let module = dotted(alert, "event.module").word();
    observers.iter().flatten().any(is_observer)
        || kinds.iter().any(|kind| SENSORS.contains(&kind.as_str()))
        || SENSOR_MODULES.contains(&module.as_str())
}

/// Whether the rule watches services: a metric, a log, a job, an objective.
/// Where nothing is said about the kind of rule, it is one of Elastic Security.
fn is_of_service(alert: &Value) -> bool {
    let owners =
        ["kibana.alert.rule.consumer", "kibana.alert.rule.producer"].map(|name| dotted(alert, name).word());
    let types = ["kibana.alert.rule.rule_type_id", "rule.type"]
        .map(|name| dotted(alert, name).text().unwrap_or_default().trim().to_ascii_lowercase());
    let category = dotted(alert, "kibana.alert.rule.category").word();
    let is_unsaid = owners.iter().all(String::is_empty) && types.iter().all(String::is_empty);
    let is_other = |owner: &String| !owner.is_empty() && !SECURITY.contains(&owner.as_str());
    owners.iter().any(is_other)
        || !types[0].is_empty() && !types[0].starts_with("siem.")
        || types.iter().any(|kind| WATCHED.iter().any(|watched| kind.starts_with(watched)))
        || is_unsaid && !category.is_empty() && !category.ends_with("rule")
}

/// The host; or, of an alert over several hosts, each by its name alone, as
/// nothing says whose the addresses are.
fn hosts(
    names: Vec<String>,
    domain: Option<String>,
    mac_addresses: Vec<String>,
    ip_addresses: Vec<String>,
) -> Vec<Host> {
    if let [] | [_] = names.as_slice() {
        let hostnames = names.iter().filter_map(|name| with_domain(name, domain.clone())).collect();
        return vec![HostFacts { hostnames, mac_addresses, ip_addresses, ..HostFacts::default() }.into()];
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
