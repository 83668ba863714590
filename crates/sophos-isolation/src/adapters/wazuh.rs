//! Wazuh: an alert as the manager writes it, alone or as an active response
//! carries it, and the text form that Keep's integration makes of one.

use serde_json::Value;

use super::{
    NotActionable,
    json_cursor::{JsonCursor, identifiers, severity_from_score},
    parsed_alert::{ParsedAlert, ParsedHost, digest, key_parts},
};
use crate::{
    hostname::{first_label, is_same_host},
    signal::{HostIdentifiers, Severity},
};

/// What groups of rules are named that report a weakness, and no attack.
const VULNERABILITY_GROUPS: [&str; 2] = ["vulnerability-detector", "sca"];

pub(super) fn parse_alerts(root: &Value) -> Vec<ParsedAlert<'_>> {
    match root {
        Value::Array(items) => items.iter().filter(|item| !item.is_null()).map(parse_message).collect(),
        _ => vec![parse_message(root)],
    }
}

fn parse_message(root: &Value) -> ParsedAlert<'_> {
    let place = JsonCursor::from(root);
    let wrapped =
        ["parameters/alert", "alert"].map(|path| place.get(path)).into_iter().find(|alert| alert.is_object());
    let alert = wrapped.unwrap_or(place);
    let is_native = ["id", "agent", "rule"].iter().any(|name| alert.get(name).exists());
    let mut draft = match alert.get("description").value().and_then(Value::as_str) {
        Some(description) if !is_native => parse_text_alert(root, alert, description),
        _ => parse_native_alert(root, alert),
    };
    // An active response that is stateful comes once more when its time is over.
    let is_undone = place.get("command").normalized_text() == "delete";
    let state = if is_native { String::new() } else { alert.get("status").normalized_text() };
    if is_undone || state == "resolved" {
        draft.refusal = Some(NotActionable::Resolved);
    } else if state == "suppressed" {
        draft.refusal = Some(NotActionable::Suppressed);
    }
    draft
}

fn parse_native_alert<'v>(root: &'v Value, alert: JsonCursor<'v>) -> ParsedAlert<'v> {
    let [agent, rule, manager] = ["agent", "rule", "manager/name"].map(|path| alert.get(path));
    let mut draft = ParsedAlert::new(root, key_parts(alert.get("id"), [manager], "the alert has no id"));
    let signal = &mut draft.signal;
    signal.severity = parse_severity(rule.get("level"));
    signal.title = rule.get("description").display_text().unwrap_or_default();
    signal.observed_at = alert.get("timestamp").display_text();
    let parts = [alert.get("id"), manager].map(|part| Value::from(part.text()));
    draft.alert_key = Some(parts.to_vec());
    let groups = rule.get("groups").identifiers();
    let is_weakness = groups.iter().any(|group| VULNERABILITY_GROUPS.contains(&group.as_str()));
    draft.refusal = is_weakness.then_some(NotActionable::NotAThreat);

    let id = agent.get("id").text();
    let name = agent.get("name").identifiers();
    let is_manager = match &id {
        Some(id) => is_manager(id),
        None => manager.text().is_some_and(|manager| name.contains(&manager)),
    };
    let ip_addresses: Vec<_> =
        agent.get("ip").identifiers().into_iter().filter(|ip| !ip.eq_ignore_ascii_case("any")).collect();
    let writer = alert.get("predecoder/hostname").identifier();
    let is_forwarded =
        writer.is_some_and(|writer| is_other_host(&writer, &name) && !ip_addresses.contains(&writer));
    let facts = HostIdentifiers { hostnames: name, ip_addresses, ..HostIdentifiers::default() };
    let mut host = parse_host(facts, is_manager);
    host.refusal = host.refusal.or(is_forwarded.then_some(NotActionable::OnlyRelated));
    draft.hosts.push(host);
    draft
}

/// Whether the machine that wrote a line of syslog is none of these: the agent
/// then only collects the logs of others.
fn is_other_host(writer: &str, agents: &[String]) -> bool {
    !agents.iter().any(|agent| is_same_host(first_label(agent), first_label(writer)))
}

/// Lines that begin with what they say. The rule's title and the log come last,
/// and an attacker may have written both: nothing is read from there on.
fn parse_text_alert<'v>(root: &'v Value, alert: JsonCursor<'v>, description: &str) -> ParsedAlert<'v> {
    let head =
        || description.lines().take_while(|line| !line.starts_with("Title") && !line.starts_with("Full Log"));
    let line = |name: &str| head().find_map(|line| line.strip_prefix(name)).map(str::trim);

    let mut draft = ParsedAlert::new(root, Ok(vec![Value::from(digest(root))]));
    let signal = &mut draft.signal;
    let level = line("Level ").and_then(|level| level.parse().ok()).map(severity_from_level);
    signal.severity = alert.get("severity").severity().or(level);
    signal.title = alert.get("message").display_text().unwrap_or_default();
    signal.observed_at = alert.get("created_at").display_text();
    let facts = HostIdentifiers { hostnames: identifiers(line("Agent Name ")), ..HostIdentifiers::default() };
    draft.hosts.push(parse_host(facts, line("Agent ID ").is_some_and(is_manager)));
    draft
}

fn parse_host(facts: HostIdentifiers, is_manager: bool) -> ParsedHost {
    ParsedHost {
        identifiers: facts,
        refusal: is_manager.then_some(NotActionable::Manager),
        ..ParsedHost::default()
    }
}

/// The manager is the agent 000, also where a template made a number of it.
fn is_manager(id: &str) -> bool {
    let id = id.trim();
    !id.is_empty() && id.bytes().all(|digit| digit == b'0')
}

/// A word, or a rule's level from 0 to 16.
pub(super) fn parse_severity(place: JsonCursor<'_>) -> Option<Severity> {
    place.number().map(severity_from_level).or_else(|| place.severity())
}

fn severity_from_level(level: f64) -> Severity {
    severity_from_score(level, [4.0, 7.0, 12.0, 15.0])
}
