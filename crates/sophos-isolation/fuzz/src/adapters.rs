//! Message bodies for the adapter of a tool.

use serde_json::{Map, Value};
use sophos_isolation::{
    HostIdentity,
    adapters::{Adapter, Alert, MAX_ALERTS_PER_MESSAGE, Message, ParseError, Tool},
    signal::{HostIdentifiers, Signal, clean},
};

/// Fields of a policy, with pointers that messages have.
const FIELDS: &str = r#"
[fields]
event_id = "/sid"
tenant = "/result/tenant"
endpoint_id = "/result/endpoint_id"
ec2_instance_id = "/result/instance_id"
hostname = "/result/dest_host"
mac = "/result/dest_mac"
ip = "/result/dest_ip"
severity = "/result/urgency"
title = "/search_name"
ttl = "/result/ttl"
"#;

/// Fuzz input for the adapter of one tool.
#[macro_export]
macro_rules! fuzz_adapter {
    ($tool:ident) => {
        libfuzzer_sys::fuzz_target!(|body: &[u8]| {
            $crate::adapters::check(sophos_isolation::adapters::Tool::$tool, body)
        });
    };
}

/// Checks the alerts of a body, with the tool's own fields and with configured ones.
pub fn check(tool: Tool, body: &[u8]) {
    let own = Adapter::new(tool);
    let configured = Adapter::parse(tool, FIELDS).expect("fields");
    for adapter in [own, configured] {
        let alerts = parse(&adapter, body);
        let mut marked = b"\xef\xbb\xbf".to_vec();
        marked.extend(body);
        if !body.starts_with(b"\xef\xbb\xbf") {
            assert_eq!(alerts, parse(&adapter, &marked), "a mark of the byte order says nothing");
        }
        match &alerts {
            Ok(alerts) => check_alerts(&adapter, body, alerts),
            Err(unreadable) => {
                let text = unreadable.to_string();
                assert!(text.is_ascii() && text == clean(&text), "{text:?}");
            }
        }
        check_rewritten(&adapter, body, &alerts);
    }
}

fn parse(adapter: &Adapter, body: &[u8]) -> Result<Vec<Alert>, ParseError> {
    let message = Message { body, idempotency_key: None };
    let alerts = adapter.parse_message(&message);
    assert_eq!(alerts, adapter.parse_message(&message), "the same body gives the same alerts");
    alerts
}

fn check_alerts(adapter: &Adapter, body: &[u8], alerts: &[Alert]) {
    assert!((1..=MAX_ALERTS_PER_MESSAGE).contains(&alerts.len()));
    // An Elastic body need not be one document.
    let mut texts = Vec::new();
    let document = serde_json::from_slice::<Value>(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
    let is_document = document.as_ref().is_ok_and(|document| {
        collect_texts(document, &mut texts);
        has_small_integers_only(document)
    });
    for (index, alert) in alerts.iter().enumerate() {
        assert!(alerts[..index].iter().all(|other| other.event_id != alert.event_id));
        let (signal, host) = (&alert.signal, &alert.signal.host);
        for text in
            identifiers(host).into_iter().chain([&signal.tenant, &signal.account].into_iter().flatten())
        {
            assert!(!text.is_empty() && *text == clean(text), "{text:?}");
        }
        for text in [Some(&signal.title), signal.reason.as_ref(), signal.observed_at.as_ref()] {
            assert!(text.is_none_or(|text| *text == clean(text)), "{text:?}");
        }
        for list in [&host.mac_addresses, &host.hostnames, &host.netbios_names, &host.ip_addresses] {
            assert!(list.len() <= 16);
            assert!(list.iter().enumerate().all(|(at, text)| !list[..at].contains(text)), "{list:?}");
        }
        // Other tools have their own ids, not Sophos ids.
        let may_know = adapter.tool == Tool::Generic || adapter.fields.endpoint_id.is_set();
        assert!(host.endpoint_id.is_none() || may_know);
        assert!(alert.refusal.is_some() || !host.is_empty());
        assert!(signal.release_after_seconds != Some(0));
        if is_document {
            assert_identifiers_occur(adapter.tool, host, &texts);
        }
        let kept = serde_json::to_string(signal).expect("JSON");
        assert_eq!(serde_json::from_str::<Signal>(&kept).expect("a signal"), *signal);
        if let Ok(identity) = HostIdentity::from_identifiers(host) {
            assert!(identity.kinds().count() > 0);
        }
    }
}

/// Checks that each identifier is in some text of the body.
fn assert_identifiers_occur(tool: Tool, host: &HostIdentifiers, texts: &[String]) {
    for identifier in identifiers(host) {
        // Most tools have the two parts of a name in separate members.
        let mut parts =
            identifier.match_indices('.').map(|(dot, _)| (&identifier[..dot], &identifier[dot + 1..]));
        let is_in_body = contains(texts, identifier)
            || tool != Tool::Generic
                && parts.any(|(name, domain)| contains(texts, name) && contains(texts, domain));
        assert!(is_in_body, "the body does not contain {identifier:?}");
    }
}

fn contains(texts: &[String], identifier: &str) -> bool {
    texts.iter().any(|text| text.contains(identifier))
}

/// Checks that member order and white space do not change the result.
fn check_rewritten(adapter: &Adapter, body: &[u8], alerts: &Result<Vec<Alert>, ParseError>) {
    let Ok(document) = serde_json::from_slice::<Value>(body) else { return };
    // Some numbers are serialized differently, and their digits count.
    if !has_small_integers_only(&document) {
        return;
    }
    let pretty = format!(" {}\r\n", reversed(&document));
    assert_eq!(*alerts, parse(adapter, pretty.as_bytes()), "{pretty}");
}

/// Whether each number is an integer that stays unchanged.
fn has_small_integers_only(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_i64().is_some_and(|number| number.abs() < 1_000_000_000_000_000),
        Value::Array(items) => items.iter().all(has_small_integers_only),
        Value::Object(members) => members.values().all(has_small_integers_only),
        _ => true,
    }
}

/// The text of a value, with object members in reverse order.
fn reversed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), reversed(value))
            };
            let members: Vec<_> = members.iter().rev().map(member).collect();
            format!("{{ {} }}", members.join("\n, "))
        }
        Value::Array(items) => {
            format!("[\t{}]", items.iter().map(reversed).collect::<Vec<_>>().join(" , "))
        }
        other => other.to_string(),
    }
}

fn identifiers(host: &HostIdentifiers) -> Vec<&String> {
    let lists =
        [&host.mac_addresses, &host.hostnames, &host.netbios_names, &host.ip_addresses].into_iter().flatten();
    lists.chain([&host.endpoint_id, &host.ec2_instance_id].into_iter().flatten()).collect()
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            // Some members are texts of JSON.
            if let Ok(inner @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str::<Value>(text) {
                collect_texts(&inner, texts);
            }
            texts.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(members) => Map::values(members).for_each(|member| collect_texts(member, texts)),
        _ => {}
    }
}
