//! Our own form, for senders that can say what they want:
//! `{event_id, tenant, target: {…}, action, reason, severity, title, ttl}`.

use serde_json::Value;

use super::{
    Fields, Unreadable,
    draft::{Draft, Host, account, action, hold},
    place::Place,
};
use crate::signal::HostFacts;

pub(super) fn read<'v>(
    root: &'v Value,
    fields: &Fields,
    idempotency_key: Option<&str>,
) -> Result<Vec<Draft<'v>>, Unreadable> {
    let place = Place::from(root);
    let key = idempotency_key.filter(|key| !key.trim().is_empty()).map(str::to_owned);
    let identity = place.at("event_id").text().or(key).map(|id| vec![Value::from(id)]);
    let missing = "add an event_id to the body, or send an Idempotency-Key";
    let mut draft = Draft::new(root, identity.ok_or(missing));
    let signal = &mut draft.signal;
    signal.tenant = place.at("tenant").fact();
    signal.account = account(place.at("account"));
    signal.severity = place.at("severity").severity();
    signal.title = place.at("title").words().unwrap_or_default();
    signal.reason = place.at("reason").words();
    signal.observed_at = place.at("observed_at").words();
    // What another member is named for may stand here with another meaning.
    if fields.action.is_none() {
        signal.action = action(place.at("action"))?;
    }
    if fields.ttl.is_none() {
        signal.hold_seconds = hold(place.at("ttl"))?;
    }
    let target = place.at("target");
    draft.hosts.push(Host::from(HostFacts {
        endpoint_id: target.at("endpoint_id").fact(),
        ec2_instance_id: target.at("ec2_instance_id").fact(),
        mac_addresses: target.at("mac").facts(),
        hostnames: target.at("hostname").facts(),
        netbios_names: Vec::new(),
        ip_addresses: target.at("ip").facts(),
    }));
    Ok(vec![draft])
}
