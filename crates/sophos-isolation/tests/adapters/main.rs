//! Parsing of messages of security tools.

mod alert_ids;
mod aws;
mod batches;
mod cases;
mod configured;
mod edr_tools;
mod field_mapping;
mod fixtures;
mod formats_aws;
mod formats_crowdstrike;
mod formats_elastic;
mod formats_microsoft;
mod formats_others;
mod formats_sentinelone;
mod microsoft;
mod other_tools;
mod presets;
mod properties;

use serde_json::Value;
use sophos_isolation::{
    adapters::{Adapter, Alert, Message, ParseError, Tool},
    signal::HostIdentifiers,
};

fn parse_bytes(tool: Tool, body: &[u8]) -> Result<Vec<Alert>, ParseError> {
    Adapter::new(tool).parse_message(&Message { body, idempotency_key: None })
}

fn parse(tool: Tool, body: &Value) -> Vec<Alert> {
    parse_bytes(tool, body.to_string().as_bytes()).expect("readable")
}

/// The only alert of a message.
fn parse_single(tool: Tool, body: &Value) -> Alert {
    let alerts = parse(tool, body);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    alerts.into_iter().next().expect("one")
}

fn parse_refused(tool: Tool, body: &Value) -> String {
    parse_bytes(tool, body.to_string().as_bytes()).expect_err("unreadable").to_string()
}

/// An adapter with fields configured as in a policy.
fn configured(tool: Tool, fields: &str) -> Adapter {
    Adapter::parse(tool, &format!("[fields]\n{fields}")).expect("fields")
}

/// Severity, host and refusal in one line.
fn summary(alert: &Alert) -> String {
    let severity = alert.signal.severity.map_or_else(|| "-".to_owned(), |severity| severity.to_string());
    let refusal = alert.refusal.map_or_else(|| "act".to_owned(), |refusal| format!("{refusal:?}"));
    let host = host_summary(&alert.signal.host);
    [severity, host, refusal].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn host_summary(host: &HostIdentifiers) -> String {
    let single = [("endpoint", &host.endpoint_id), ("ec2", &host.ec2_instance_id)];
    let lists = [
        ("mac", &host.mac_addresses),
        ("name", &host.hostnames),
        ("netbios", &host.netbios_names),
        ("ip", &host.ip_addresses),
    ];
    let single = single.into_iter().filter_map(|(kind, fact)| Some(format!("{kind}:{}", fact.as_ref()?)));
    let lists = lists.into_iter().filter(|(_, facts)| !facts.is_empty());
    single
        .chain(lists.map(|(kind, facts)| format!("{kind}:{}", facts.join(","))))
        .collect::<Vec<_>>()
        .join(" ")
}

/// All alerts, one per line.
fn summaries(alerts: &[Alert]) -> Vec<String> {
    alerts.iter().map(summary).collect()
}
