//! Our own form, for senders that can say what they want
//! (`{event_id, tenant, target: {…}, action, reason, severity, title, ttl}`), and
//! any JSON in which the policy names the host.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    Fields, Unreadable,
    draft::{Draft, Host, account},
    place::Place,
};
use crate::signal::HostFacts;

/// The list whose elements the policy wants read one by one.
pub(super) fn elements<'v>(root: &'v Value, fields: &Fields) -> Result<Option<Cow<'v, Value>>, Unreadable> {
    let Some(pointer) = &fields.iterate else { return Ok(None) };
    match pointer.find(root, root) {
        Some(list) if list.is_array() => Ok(Some(list)),
        _ => Err(Unreadable(format!(
            "missing list: none at \"{}\"; send one, or set fields.iterate to where it is",
            pointer.shown("")
        ))),
    }
}

/// Documents in which the policy names the host hold nothing else that is read:
/// what has a name of our own form may have another meaning there.
pub(super) fn read<'v>(documents: &'v [Value], fields: &Fields, key: Option<&str>) -> Vec<Draft<'v>> {
    let key = key.filter(|key| !key.trim().is_empty());
    let read = |document| match fields.names_host() {
        true => mapped(document, fields, key),
        false => own_form(document, fields, key),
    };
    documents.iter().map(read).collect()
}

fn mapped<'v>(document: &'v Value, fields: &Fields, key: Option<&str>) -> Draft<'v> {
    let identity = key.map(|key| identity(key.to_owned(), document, fields));
    Draft::new(document, identity.ok_or("set fields.event_id in the policy, or send an Idempotency-Key"))
}

fn own_form<'v>(document: &'v Value, fields: &Fields, key: Option<&str>) -> Draft<'v> {
    let place = Place::from(document);
    let own = place.at("event_id").text().map(|id| vec![Value::from(id)]);
    let identity = own.or_else(|| key.map(|key| identity(key.to_owned(), document, fields)));
    let missing =
        "add an event_id to the body, send an Idempotency-Key, or set fields.event_id in the policy";
    let mut draft = Draft::new(document, identity.ok_or(missing));
    let signal = &mut draft.signal;
    signal.tenant = place.at("tenant").fact();
    signal.account = account(place.at("account"));
    signal.severity = place.at("severity").severity();
    signal.title = place.at("title").words().unwrap_or_default();
    signal.reason = place.at("reason").words();
    signal.observed_at = place.at("observed_at").words();
    let target = place.at("target");
    draft.hosts.push(Host::from(HostFacts {
        endpoint_id: target.at("endpoint_id").fact(),
        ec2_instance_id: target.at("ec2_instance_id").fact(),
        mac_addresses: target.at("mac").facts(),
        hostnames: target.at("hostname").all_facts(),
        netbios_names: target.at("netbios").all_facts(),
        ip_addresses: target.at("ip").facts(),
    }));
    draft
}

/// The identity of a delivery, with what tells this element of it from others.
fn identity(id: String, document: &Value, fields: &Fields) -> Vec<Value> {
    let element = fields.iterate.as_ref().map(|_| Value::from(super::draft::digest(document)));
    [Value::from(id)].into_iter().chain(element).collect()
}
