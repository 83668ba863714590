//! Field pointers from the policy.

use std::collections::BTreeMap;

use super::pointer::{Pointer, Pointers};
use crate::signal::Severity;

/// Pointers to the parts of a signal in a tool's JSON.
///
/// A configured field replaces the adapter's own result. This supports unknown tools, and tools
/// whose users name the fields. If its pointers lead to no value, the field is empty; the adapter's
/// result is not used instead.
///
/// A message that is a list of documents is parsed one document at a time, and pointers start at
/// each document. Such lists are the elements of `iterate`, findings of Security Hub, events of
/// Okta, alerts of Elastic (within `_source`), and lists of findings, alerts, records and threats
/// of other tools. A configured host replaces all hosts of its document. Names that cannot belong
/// to one machine become several hosts, each known by its name alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldMapping {
    /// A list whose elements are separate documents.
    pub iterate: Option<Pointer>,
    /// The sender's event id.
    pub event_id: Pointers,
    /// The parts of an event id. Together they identify the event.
    pub event_id_parts: Vec<IdPart>,
    /// The sender's alert id, shared by its updates. The default is the event id.
    pub alert_id: Pointers,
    /// The Sophos tenant.
    pub tenant: Pointers,
    /// The sender's account id.
    pub account: Pointers,
    /// The Sophos endpoint id.
    pub endpoint_id: Pointers,
    /// The EC2 instance id.
    pub ec2_instance_id: Pointers,
    /// The host name: a text, or a list of texts.
    pub hostname: Pointers,
    /// A NetBIOS name, possibly truncated: a text, or a list of texts.
    pub netbios: Pointers,
    /// The MAC address: a text, or a list of texts.
    pub mac: Pointers,
    /// The host's own IP address: a text, or a list of texts.
    pub ip: Pointers,
    /// The required prefix of a host name, which is removed.
    pub hostname_prefix: Option<String>,
    /// The optional suffix of a host name, which is removed.
    pub hostname_suffix: Option<String>,
    /// Whether a port is removed from host names and addresses.
    pub strip_port: bool,
    /// The severity.
    pub severity: Pointers,
    /// The severity of each of the sender's words, which are in lower case.
    pub severity_map: BTreeMap<String, Severity>,
    /// The severity if the sender's is missing or unknown.
    pub severity_default: Option<Severity>,
    /// The severity regardless of the sender's.
    pub severity_fixed: Option<Severity>,
    /// The title.
    pub title: Pointers,
    /// The reason for the isolation.
    pub reason: Pointers,
    /// The time of the sender's observation.
    pub observed_at: Pointers,
    /// The action: `isolate` or `release`.
    pub action: Pointers,
    /// The duration of the isolation: seconds, or a text such as `4h`.
    pub ttl: Pointers,
}

/// A part of an event id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdPart {
    /// The pointer to the part.
    pub pointer: Pointer,
    /// Whether the part may be missing.
    pub is_optional: bool,
}

impl FieldMapping {
    /// Whether a host field is configured. `generic` then ignores the native format.
    pub fn maps_host(&self) -> bool {
        let Self { endpoint_id, ec2_instance_id, hostname, netbios, mac, ip, .. } = self;
        [endpoint_id, ec2_instance_id, hostname, netbios, mac, ip].iter().any(|pointers| pointers.is_set())
    }
}
