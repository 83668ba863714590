//! Elastic Security: alerts in the body that the template of a rule action composes. Such a body is
//! often not a JSON document but a sequence of objects.

use serde_json::{Deserializer, Value};

use super::{
    MAX_ALERTS_PER_MESSAGE, NotActionable, ParseError, ParsedAlerts, ParserInput,
    json_cursor::{JsonCursor, severity_from_score},
    parsed_alert::{ParsedAlert, ParsedHost, parse_account},
    qualified_names::{dotted_domain, with_domain},
};
use crate::{
    hostname::may_be_same_host,
    signal::{HostIdentifiers, Severity},
};

/// The maximum nesting of alerts in wrappers: lists, context, alerts, hit, source.
const MAX_DEPTH: usize = 6;

/// Consumers and producers of Elastic Security rules.
const SECURITY_CONSUMERS: [&str; 2] = ["siem", "securitysolution"];

/// Prefixes of rule types that monitor services, not threats.
const SERVICE_RULE_PREFIXES: [&str; 13] = [
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

/// Types of observers that monitor the traffic of other machines.
const SENSOR_TYPES: [&str; 13] = [
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

/// Modules of sensors that monitor the traffic of other machines.
const SENSOR_MODULES: [&str; 3] = ["snort", "suricata", "zeek"];

/// Parses a sequence of objects into one list. Commas, white space and list brackets between the
/// objects are ignored.
pub(super) fn parse_body(body: &[u8]) -> Result<Value, ParseError> {
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
        if objects.len() == MAX_ALERTS_PER_MESSAGE {
            return Err(too_many());
        }
        let mut stream = Deserializer::from_slice(rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(object @ Value::Object(_))) => objects.push(object),
            _ => {
                let error = || {
                    ParseError(format!(
                        "invalid body after {} objects: expected a JSON object",
                        objects.len()
                    ))
                };
                return parse_lines(body).ok_or_else(error);
            }
        }
        rest = &rest[stream.byte_offset().min(rest.len())..];
    }
}

/// Parses a body with one object per line, and keeps invalid lines as texts. Returns `None` if a
/// line does not look like one object, because object boundaries are then uncertain.
fn parse_lines(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let lines = text.lines().map(|line| line.trim().trim_end_matches(',').trim_end());
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    let is_object = |line: &&str| line.starts_with('{') && line.ends_with('}');
    let read = |line: &&str| serde_json::from_str::<Value>(line).unwrap_or_else(|_| Value::from(*line));
    let objects: Vec<_> = lines.iter().take(MAX_ALERTS_PER_MESSAGE + 1).map(read).collect();
    (lines.iter().all(is_object) && objects.iter().any(Value::is_object)).then(|| Value::from(objects))
}

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    let mut parsed_alerts = Vec::new();
    find_alerts(root, JsonCursor::MISSING, MAX_DEPTH, &mut parsed_alerts)?;
    Ok(parsed_alerts)
}

fn too_many() -> ParseError {
    ParseError(format!(
        "the message has more than {MAX_ALERTS_PER_MESSAGE} alerts; split it into several messages"
    ))
}

/// Finds the alerts below wrappers. An alert may itself have members with the names of wrappers,
/// such as `source` of ECS. Member names are matched exactly here.
fn find_alerts<'v>(
    value: &'v Value,
    id: JsonCursor<'v>,
    depth: usize,
    parsed_alerts: &mut Vec<ParsedAlert<'v>>,
) -> Result<(), ParseError> {
    if depth > 0 && !is_alert(value) {
        if let Value::Array(items) = value {
            let mut items = items.iter().filter(|item| !item.is_null());
            return items
                .try_for_each(|item| find_alerts(item, JsonCursor::MISSING, depth - 1, parsed_alerts));
        }
        if let Some(source @ Value::Object(_)) = value.get("_source") {
            return find_alerts(
                source,
                value.get("_id").map_or(JsonCursor::MISSING, JsonCursor::from),
                depth - 1,
                parsed_alerts,
            );
        }
        let lists = ["/context/alerts", "/alerts", "/hits/hits", "/hits"].map(|path| value.pointer(path));
        if let Some(list) = lists.into_iter().flatten().find(|list| list.is_array()) {
            return find_alerts(list, JsonCursor::MISSING, depth - 1, parsed_alerts);
        }
    }
    if parsed_alerts.len() == MAX_ALERTS_PER_MESSAGE {
        return Err(too_many());
    }
    parsed_alerts.push(parse_alert(value, id));
    Ok(())
}

/// Whether the value has members of an alert, nested or with dots in their names.
fn is_alert(value: &Value) -> bool {
    let is_own = |(name, _): (&str, JsonCursor<'_>)| name.starts_with("kibana.alert.");
    JsonCursor::from(value).members().any(is_own)
        || ["kibana.alert", "kibana.alert.uuid", "signal.rule", "signal.rule.id"]
            .iter()
            .any(|name| get_dotted(value, name).exists())
}

fn parse_alert<'v>(document: &'v Value, id: JsonCursor<'v>) -> ParsedAlert<'v> {
    let get = |name: &str| get_dotted(document, name);
    let first = |names: &[&str]| {
        let mut cursors = names.iter().map(|name| get(name));
        cursors.find(|cursor| cursor.text().is_some()).unwrap_or(JsonCursor::MISSING)
    };
    let event_key = first(&["kibana.alert.uuid", "alert.uuid"]).text().map(|uuid| vec![Value::from(uuid)]);
    let event_key = event_key.or_else(|| {
        let rule = first(&["kibana.alert.rule.uuid", "signal.rule.id", "rule.id"]).text()?;
        let id = id.text().or_else(|| first(&["_id", "alert.id"]).text())?;
        Some(vec![Value::from(rule), Value::from(id)])
    });
    let alert = event_key.clone();
    let mut parsed = ParsedAlert::new(document, event_key.ok_or("the alert has no kibana.alert.uuid"));
    parsed.alert_key = alert;
    let signal = &mut parsed.signal;
    signal.account = parse_account(get("cloud.account.id"));
    signal.severity = first(&["kibana.alert.severity", "signal.rule.severity"])
        .severity()
        .or_else(|| parse_severity(first(&["kibana.alert.risk_score", "kibana.alert.rule.risk_score"])));
    signal.title = first(&["kibana.alert.rule.name", "signal.rule.name", "rule.name"])
        .display_text()
        .unwrap_or_default();
    signal.reason = get("kibana.alert.reason").display_text();
    signal.observed_at = first(&["kibana.alert.original_time", "@timestamp"]).display_text();
    let [workflow, status, group] = [
        first(&["kibana.alert.workflow_status", "signal.status"]).normalized_text(),
        get("kibana.alert.status").normalized_text(),
        first(&["kibana.alert.action_group", "alert.actionGroup"]).normalized_text(),
    ];
    parsed.refusal = if workflow == "closed" || status == "recovered" || group == "recovered" {
        Some(NotActionable::Resolved)
    } else if is_service_rule(document) {
        Some(NotActionable::NotAThreat)
    } else {
        None
    };
    let names = ["host.name", "host.hostname"].map(|name| get(name).identifiers());
    let names = names.into_iter().find(|names| !names.is_empty()).unwrap_or_default();
    if !is_network_sensor(document, &names) {
        let domain = dotted_domain(get("host.domain"));
        parsed.hosts =
            parse_hosts(names, domain, get("host.mac").identifiers(), get("host.ip").identifiers());
    }
    parsed
}

/// Whether the host is a sensor that observed the traffic of another machine. Only the policy can
/// point at that machine.
fn is_network_sensor(alert: &Value, names: &[String]) -> bool {
    let observers = ["observer.hostname", "observer.name"].map(|name| get_dotted(alert, name).identifiers());
    let is_observer = |name: &String| names.iter().any(|host| may_be_same_host(host, name));
    let kinds: Vec<_> =
        get_dotted(alert, "observer.type").elements().map(JsonCursor::normalized_text).collect();
    let module = get_dotted(alert, "event.module").normalized_text();
    observers.iter().flatten().any(is_observer)
        || kinds.iter().any(|kind| SENSOR_TYPES.contains(&kind.as_str()))
        || SENSOR_MODULES.contains(&module.as_str())
}

/// Whether the rule monitors a service: a metric, a log, a job, an objective. A rule of unknown
/// type counts as one of Elastic Security.
fn is_service_rule(alert: &Value) -> bool {
    let owners = ["kibana.alert.rule.consumer", "kibana.alert.rule.producer"]
        .map(|name| get_dotted(alert, name).normalized_text());
    let types = ["kibana.alert.rule.rule_type_id", "rule.type"]
        .map(|name| get_dotted(alert, name).text().unwrap_or_default().trim().to_ascii_lowercase());
    let category = get_dotted(alert, "kibana.alert.rule.category").normalized_text();
    let is_unsaid = owners.iter().all(String::is_empty) && types.iter().all(String::is_empty);
    let is_other = |owner: &String| !owner.is_empty() && !SECURITY_CONSUMERS.contains(&owner.as_str());
    owners.iter().any(is_other)
        || !types[0].is_empty() && !types[0].starts_with("siem.")
        || types.iter().any(|kind| SERVICE_RULE_PREFIXES.iter().any(|watched| kind.starts_with(watched)))
        || is_unsaid && !category.is_empty() && !category.ends_with("rule")
}

/// Returns the host, or one host per name for an alert over several hosts. Each of several hosts
/// keeps its name alone, because the owner of the addresses is unknown.
fn parse_hosts(
    names: Vec<String>,
    domain: Option<String>,
    mac_addresses: Vec<String>,
    ip_addresses: Vec<String>,
) -> Vec<ParsedHost> {
    if let [] | [_] = names.as_slice() {
        let hostnames = names.iter().filter_map(|name| with_domain(name, domain.clone())).collect();
        return vec![
            HostIdentifiers { hostnames, mac_addresses, ip_addresses, ..HostIdentifiers::default() }.into(),
        ];
    }
    let identifiers =
        names.into_iter().map(|name| HostIdentifiers { hostnames: vec![name], ..HostIdentifiers::default() });
    identifiers.map(ParsedHost::from).collect()
}

/// The value of a dotted name, whether the sender nests objects or uses dots in member names.
fn get_dotted<'v>(value: &'v Value, name: &str) -> JsonCursor<'v> {
    let Value::Object(members) = value else { return JsonCursor::MISSING };
    if let Some(found) = members.get(name).filter(|found| !found.is_null()) {
        return JsonCursor::from(found);
    }
    let dots = name.match_indices('.').map(|(dot, _)| (&name[..dot], &name[dot + 1..]));
    let mut cursors = dots.filter_map(|(head, tail)| Some(get_dotted(members.get(head)?, tail)));
    cursors.find(|cursor| cursor.exists()).unwrap_or(JsonCursor::MISSING)
}

/// Parses a severity word, or a risk score with Elastic's thresholds.
pub(super) fn parse_severity(cursor: JsonCursor<'_>) -> Option<Severity> {
    let score = || cursor.number().map(|number| severity_from_score(number, [0.0, 22.0, 48.0, 74.0]));
    cursor.severity().or_else(score)
}
