//! The native format, for senders that compose the body (`{event_id, tenant, target: {…}, action,
//! reason, severity, title, ttl}`), and any JSON in which the policy points at the host.

use std::borrow::Cow;

use serde_json::Value;

pub(super) use super::json_cursor::parse_severity;
use super::{
    FieldMapping, ParseError, ParsedAlerts, ParserInput,
    json_cursor::JsonCursor,
    parsed_alert::{ParsedAlert, ParsedHost, parse_account},
};
use crate::signal::HostIdentifiers;

/// The list at the `iterate` pointer of the policy.
pub(super) fn find_elements<'v>(
    root: &'v Value,
    fields: &FieldMapping,
) -> Result<Option<Cow<'v, Value>>, ParseError> {
    let Some(pointer) = &fields.iterate else { return Ok(None) };
    match pointer.find(root, root) {
        Some(list) if list.is_array() => Ok(Some(list)),
        _ => Err(ParseError(format!(
            "missing list at \"{}\": send a list, or set fields.iterate to its location",
            pointer.display_from("")
        ))),
    }
}

/// Parses the documents. If the policy points at the host, members of the native format are
/// ignored, because they may have another meaning in that JSON.
pub(super) fn parse_alerts(input: ParserInput<'_>) -> ParsedAlerts<'_> {
    let ParserInput { root, elements, fields, idempotency_key } = input;
    let key = idempotency_key.filter(|key| !key.trim().is_empty());
    let read = |document| match fields.maps_host() {
        true => parse_mapped(document, fields, key),
        false => parse_native(document, fields, key),
    };
    Ok(elements.unwrap_or(std::slice::from_ref(root)).iter().map(read).collect())
}

fn parse_mapped<'v>(document: &'v Value, fields: &FieldMapping, key: Option<&str>) -> ParsedAlert<'v> {
    let event_key = key.map(|key| element_key(key.to_owned(), document, fields));
    ParsedAlert::new(
        document,
        event_key.ok_or("set fields.event_id in the policy, or send an Idempotency-Key"),
    )
}

fn parse_native<'v>(document: &'v Value, fields: &FieldMapping, key: Option<&str>) -> ParsedAlert<'v> {
    let cursor = JsonCursor::from(document);
    let own = cursor.get("event_id").text().map(|id| vec![Value::from(id)]);
    let event_key = own.or_else(|| key.map(|key| element_key(key.to_owned(), document, fields)));
    let missing = "add event_id to the body, send an Idempotency-Key, or set fields.event_id in the policy";
    let mut parsed = ParsedAlert::new(document, event_key.ok_or(missing));
    let signal = &mut parsed.signal;
    signal.tenant = cursor.get("tenant").identifier();
    signal.account = parse_account(cursor.get("account"));
    signal.severity = cursor.get("severity").severity();
    signal.title = cursor.get("title").display_text().unwrap_or_default();
    signal.reason = cursor.get("reason").display_text();
    signal.observed_at = cursor.get("observed_at").display_text();
    let target = cursor.get("target");
    parsed.hosts.push(ParsedHost::from(HostIdentifiers {
        endpoint_id: target.get("endpoint_id").identifier(),
        ec2_instance_id: target.get("ec2_instance_id").identifier(),
        mac_addresses: target.get("mac").identifiers(),
        hostnames: target.get("hostname").all_identifiers(),
        netbios_names: target.get("netbios").all_identifiers(),
        ip_addresses: target.get("ip").identifiers(),
    }));
    parsed
}

/// The key of a message, with a digest that distinguishes its elements.
fn element_key(id: String, document: &Value, fields: &FieldMapping) -> Vec<Value> {
    let element = fields.iterate.as_ref().map(|_| Value::from(super::parsed_alert::digest(document)));
    [Value::from(id)].into_iter().chain(element).collect()
}
