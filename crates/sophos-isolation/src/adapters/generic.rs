//! Our own form, for senders that can say what they want
//! (`{event_id, tenant, target: {…}, action, reason, severity, title, ttl}`), and
//! any JSON in which the policy names the host.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    FieldMapping, ParseError,
    json_cursor::JsonCursor,
    parsed_alert::{ParsedAlert, ParsedHost, parse_account},
};
use crate::signal::HostIdentifiers;

/// The list whose elements the policy wants read one by one.
pub(super) fn find_elements<'v>(
    root: &'v Value,
    fields: &FieldMapping,
) -> Result<Option<Cow<'v, Value>>, ParseError> {
    let Some(pointer) = &fields.iterate else { return Ok(None) };
    match pointer.find(root, root) {
        Some(list) if list.is_array() => Ok(Some(list)),
        _ => Err(ParseError(format!(
            "missing list: none at \"{}\"; send one, or set fields.iterate to where it is",
            pointer.display_from("")
        ))),
    }
}

/// Documents in which the policy names the host hold nothing else that is read:
/// what has a name of our own form may have another meaning there.
pub(super) fn parse_alerts<'v>(
    documents: &'v [Value],
    fields: &FieldMapping,
    key: Option<&str>,
) -> Vec<ParsedAlert<'v>> {
    let key = key.filter(|key| !key.trim().is_empty());
    let read = |document| match fields.maps_host() {
        true => parse_mapped(document, fields, key),
        false => parse_native(document, fields, key),
    };
    documents.iter().map(read).collect()
}

fn parse_mapped<'v>(document: &'v Value, fields: &FieldMapping, key: Option<&str>) -> ParsedAlert<'v> {
    let identity = key.map(|key| element_key(key.to_owned(), document, fields));
    ParsedAlert::new(
        document,
        identity.ok_or("set fields.event_id in the policy, or send an Idempotency-Key"),
    )
}

fn parse_native<'v>(document: &'v Value, fields: &FieldMapping, key: Option<&str>) -> ParsedAlert<'v> {
    let place = JsonCursor::from(document);
    let own = place.get("event_id").text().map(|id| vec![Value::from(id)]);
    let identity = own.or_else(|| key.map(|key| element_key(key.to_owned(), document, fields)));
    let missing =
        "add an event_id to the body, send an Idempotency-Key, or set fields.event_id in the policy";
    let mut draft = ParsedAlert::new(document, identity.ok_or(missing));
    let signal = &mut draft.signal;
    signal.tenant = place.get("tenant").identifier();
    signal.account = parse_account(place.get("account"));
    signal.severity = place.get("severity").severity();
    signal.title = place.get("title").display_text().unwrap_or_default();
    signal.reason = place.get("reason").display_text();
    signal.observed_at = place.get("observed_at").display_text();
    let target = place.get("target");
    draft.hosts.push(ParsedHost::from(HostIdentifiers {
        endpoint_id: target.get("endpoint_id").identifier(),
        ec2_instance_id: target.get("ec2_instance_id").identifier(),
        mac_addresses: target.get("mac").identifiers(),
        hostnames: target.get("hostname").all_identifiers(),
        netbios_names: target.get("netbios").all_identifiers(),
        ip_addresses: target.get("ip").identifiers(),
    }));
    draft
}

/// The identity of a delivery, with what tells this element of it from others.
fn element_key(id: String, document: &Value, fields: &FieldMapping) -> Vec<Value> {
    let element = fields.iterate.as_ref().map(|_| Value::from(super::parsed_alert::digest(document)));
    [Value::from(id)].into_iter().chain(element).collect()
}
