//! Wazuh: an alert as the manager writes it, alone or as an active response
//! carries it, and the text form that Keep's integration makes of one.

use serde_json::Value;

use super::{
    NotActionable,
    draft::{Draft, Host, digest, identity},
    place::{Place, facts, scale},
};
use crate::{
    hostname::{first_label, same_host},
    signal::{HostFacts, Severity},
};

/// What groups of rules are named that report a weakness, and no attack.
const WEAKNESSES: [&str; 2] = ["vulnerability-detector", "sca"];

pub(super) fn read(root: &Value) -> Vec<Draft<'_>> {
    match root {
        Value::Array(items) => items.iter().filter(|item| !item.is_null()).map(message).collect(),
        _ => vec![message(root)],
    }
}

fn message(root: &Value) -> Draft<'_> {
    let place = Place::from(root);
    let wrapped =
        ["parameters/alert", "alert"].map(|path| place.at(path)).into_iter().find(|alert| alert.is_object());
    let alert = wrapped.unwrap_or(place);
    let is_native = ["id", "agent", "rule"].iter().any(|name| alert.at(name).is_there());
    let mut draft = match alert.at("description").value().and_then(Value::as_str) {
        Some(description) if !is_native => text_form(root, alert, description),
        _ => native(root, alert),
    };
    // An active response that is stateful comes once more when its time is over.
    let is_undone = place.at("command").word() == "delete";
    let state = if is_native { String::new() } else { alert.at("status").word() };
    if is_undone || state == "resolved" {
        draft.refusal = Some(NotActionable::Resolved);
    } else if state == "suppressed" {
        draft.refusal = Some(NotActionable::Suppressed);
    }
    draft
}

fn native<'v>(root: &'v Value, alert: Place<'v>) -> Draft<'v> {
    let [agent, rule, manager] = ["agent", "rule", "manager/name"].map(|path| alert.at(path));
    let mut draft = Draft::new(root, identity(alert.at("id"), [manager], "the alert has no id"));
    let signal = &mut draft.signal;
    signal.severity = severity(rule.at("level"));
    signal.title = rule.at("description").words().unwrap_or_default();
    signal.observed_at = alert.at("timestamp").words();
    let parts = [alert.at("id"), manager].map(|part| Value::from(part.text()));
    draft.alert = Some(parts.to_vec());
    let groups = rule.at("groups").facts();
    let is_weakness = groups.iter().any(|group| WEAKNESSES.contains(&group.as_str()));
    draft.refusal = is_weakness.then_some(NotActionable::NotAThreat);

    let id = agent.at("id").text();
    let name = agent.at("name").facts();
    let is_manager = match &id {
        Some(id) => is_manager(id),
        None => manager.text().is_some_and(|manager| name.contains(&manager)),
    };
    let ip_addresses: Vec<_> =
        agent.at("ip").facts().into_iter().filter(|ip| !ip.eq_ignore_ascii_case("any")).collect();
    let writer = alert.at("predecoder/hostname").fact();
    let is_forwarded =
        writer.is_some_and(|writer| is_other(&writer, &name) && !ip_addresses.contains(&writer));
    let facts = HostFacts { hostnames: name, ip_addresses, ..HostFacts::default() };
    let mut host = host(facts, is_manager);
    host.refusal = host.refusal.or(is_forwarded.then_some(NotActionable::OnlyRelated));
    draft.hosts.push(host);
    draft
}

/// Whether the machine that wrote a line of syslog is none of these: the agent
/// then only collects the logs of others.
fn is_other(writer: &str, agents: &[String]) -> bool {
    !agents.iter().any(|agent| same_host(first_label(agent), first_label(writer)))
}

/// Lines that begin with what they say. The rule's title and the log come last,
/// and an attacker may have written both: nothing is read from there on.
fn text_form<'v>(root: &'v Value, alert: Place<'v>, description: &str) -> Draft<'v> {
    let head =
        || description.lines().take_while(|line| !line.starts_with("Title") && !line.starts_with("Full Log"));
    let line = |name: &str| head().find_map(|line| line.strip_prefix(name)).map(str::trim);

    let mut draft = Draft::new(root, Ok(vec![Value::from(digest(root))]));
    let signal = &mut draft.signal;
    let level = line("Level ").and_then(|level| level.parse().ok()).map(of_level);
    signal.severity = alert.at("severity").severity().or(level);
    signal.title = alert.at("message").words().unwrap_or_default();
    signal.observed_at = alert.at("created_at").words();
    let facts = HostFacts { hostnames: facts(line("Agent Name ")), ..HostFacts::default() };
    draft.hosts.push(host(facts, line("Agent ID ").is_some_and(is_manager)));
    draft
}

fn host(facts: HostFacts, is_manager: bool) -> Host {
    Host { facts, refusal: is_manager.then_some(NotActionable::Manager), ..Host::default() }
}

/// The manager is the agent 000, also where a template made a number of it.
fn is_manager(id: &str) -> bool {
    let id = id.trim();
    !id.is_empty() && id.bytes().all(|digit| digit == b'0')
}

/// A word, or a rule's level from 0 to 16.
pub(super) fn severity(place: Place<'_>) -> Option<Severity> {
    place.number().map(of_level).or_else(|| place.severity())
}

fn of_level(level: f64) -> Severity {
    scale(level, [4.0, 7.0, 12.0, 15.0])
}
