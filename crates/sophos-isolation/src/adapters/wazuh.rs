//! Wazuh alerts: as the manager writes them, within an active response, and in the text form of
//! Keep's integration.

use serde_json::Value;

use super::{
    NotActionable, ParsedAlerts, ParserInput,
    json_cursor::{JsonCursor, identifiers, severity_from_score},
    parsed_alert::{ParsedAlert, ParsedHost, digest, key_parts},
};
use crate::{
    hostname::{first_label, is_same_host},
    signal::{HostIdentifiers, Severity},
};

/// Rule groups that report a weakness, not an attack.
const VULNERABILITY_GROUPS: [&str; 2] = ["vulnerability-detector", "sca"];

pub(super) fn parse_alerts(ParserInput { root, .. }: ParserInput<'_>) -> ParsedAlerts<'_> {
    Ok(match root {
        Value::Array(items) => items.iter().filter(|item| !item.is_null()).map(parse_message).collect(),
        _ => vec![parse_message(root)],
    })
}

fn parse_message(root: &Value) -> ParsedAlert<'_> {
    let cursor = JsonCursor::from(root);
    let wrapped = ["parameters/alert", "alert"]
        .map(|path| cursor.get(path))
        .into_iter()
        .find(|alert| alert.is_object());
    let alert = wrapped.unwrap_or(cursor);
    let is_native = ["id", "agent", "rule"].iter().any(|name| alert.get(name).exists());
    let mut parsed = match alert.get("description").value().and_then(Value::as_str) {
        Some(description) if !is_native => parse_text_alert(root, alert, description),
        _ => parse_native_alert(root, alert),
    };
    // A stateful active response is sent again when its timeout ends.
    let is_undone = cursor.get("command").normalized_text() == "delete";
    let state = if is_native { String::new() } else { alert.get("status").normalized_text() };
    if is_undone || state == "resolved" {
        parsed.refusal = Some(NotActionable::Resolved);
    } else if state == "suppressed" {
        parsed.refusal = Some(NotActionable::Suppressed);
    }
    parsed
}

fn parse_native_alert<'v>(root: &'v Value, alert: JsonCursor<'v>) -> ParsedAlert<'v> {
    let [agent, rule, manager] = ["agent", "rule", "manager/name"].map(|path| alert.get(path));
    let mut parsed = ParsedAlert::new(root, key_parts(alert.get("id"), [manager], "the alert has no id"));
    let signal = &mut parsed.signal;
    signal.severity = parse_severity(rule.get("level"));
    signal.title = rule.get("description").display_text().unwrap_or_default();
    signal.observed_at = alert.get("timestamp").display_text();
    let parts = [alert.get("id"), manager].map(|part| Value::from(part.text()));
    parsed.alert_key = Some(parts.to_vec());
    let groups = rule.get("groups").identifiers();
    let is_weakness = groups.iter().any(|group| VULNERABILITY_GROUPS.contains(&group.as_str()));
    parsed.refusal = is_weakness.then_some(NotActionable::NotAThreat);

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
    let identifiers = HostIdentifiers { hostnames: name, ip_addresses, ..HostIdentifiers::default() };
    let mut host = parse_host(identifiers, is_manager);
    host.refusal = host.refusal.or(is_forwarded.then_some(NotActionable::OnlyRelated));
    parsed.hosts.push(host);
    parsed
}

/// Whether the writer of a syslog line is a host without one of these agents. The agent then only collects the
/// logs of other machines.
fn is_other_host(writer: &str, agents: &[String]) -> bool {
    !agents.iter().any(|agent| is_same_host(first_label(agent), first_label(writer)))
}

/// Parses lines that begin with their field name. The rule's title and the log come last and may
/// contain text of an attacker, so parsing stops there.
fn parse_text_alert<'v>(root: &'v Value, alert: JsonCursor<'v>, description: &str) -> ParsedAlert<'v> {
    let head =
        || description.lines().take_while(|line| !line.starts_with("Title") && !line.starts_with("Full Log"));
    let line = |name: &str| head().find_map(|line| line.strip_prefix(name)).map(str::trim);

    let mut parsed = ParsedAlert::new(root, Ok(vec![Value::from(digest(root))]));
    let signal = &mut parsed.signal;
    let level = line("Level ").and_then(|level| level.parse().ok()).map(severity_from_level);
    signal.severity = alert.get("severity").severity().or(level);
    signal.title = alert.get("message").display_text().unwrap_or_default();
    signal.observed_at = alert.get("created_at").display_text();
    let identifiers =
        HostIdentifiers { hostnames: identifiers(line("Agent Name ")), ..HostIdentifiers::default() };
    parsed.hosts.push(parse_host(identifiers, line("Agent ID ").is_some_and(is_manager)));
    parsed
}

fn parse_host(identifiers: HostIdentifiers, is_manager: bool) -> ParsedHost {
    ParsedHost { identifiers, refusal: is_manager.then_some(NotActionable::Manager), ..ParsedHost::default() }
}

/// Whether the agent id is the manager's, `000`. A template may have turned it into a number.
fn is_manager(id: &str) -> bool {
    let id = id.trim();
    !id.is_empty() && id.bytes().all(|digit| digit == b'0')
}

/// Parses a severity word, or a rule level from 0 to 16.
pub(super) fn parse_severity(cursor: JsonCursor<'_>) -> Option<Severity> {
    cursor.number().map(severity_from_level).or_else(|| cursor.severity())
}

fn severity_from_level(level: f64) -> Severity {
    severity_from_score(level, [4.0, 7.0, 12.0, 15.0])
}
