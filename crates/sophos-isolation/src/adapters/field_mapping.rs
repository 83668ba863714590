//! Where in a tool's JSON things are, when the policy says so.

use std::collections::BTreeMap;

use super::pointer::{Pointer, Pointers};
use crate::signal::Severity;

/// Where a signal's parts are in a tool's JSON.
///
/// A field that is given replaces what the adapter would find by itself: so a
/// tool that nobody heard of needs no code, and one whose users name their own
/// fields can be read at all. Where there is nothing at a pointer, there is
/// nothing: the adapter's own is not taken instead.
///
/// A delivery that is a list of documents is read one by one, and pointers begin
/// at each: the elements of `iterate`, the findings of Security Hub, Okta's
/// events, Elastic's alerts (within `_source`), and lists of findings, alerts,
/// records and threats of the other tools. A host that is found by a pointer is
/// then the host of all that the document names; several names that cannot be
/// one machine's are several hosts, each known by its name alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldMapping {
    /// A list whose elements are documents of their own.
    pub iterate: Option<Pointer>,
    /// The sender's identity of the event.
    pub event_id: Pointers,
    /// The same in parts, all of which tell one event from another.
    pub event_id_parts: Vec<IdPart>,
    /// The sender's identity of the alert, which its updates share. Without it,
    /// the identity of the event.
    pub alert_id: Pointers,
    /// The Sophos tenant.
    pub tenant: Pointers,
    /// The account in the sender's world.
    pub account: Pointers,
    /// The endpoint's id at Sophos.
    pub endpoint_id: Pointers,
    /// The id of the EC2 instance.
    pub ec2_instance_id: Pointers,
    /// The host name: a text, or a list of them.
    pub hostname: Pointers,
    /// A name that NetBIOS may have cut: a text, or a list of them.
    pub netbios: Pointers,
    /// The MAC address: a text, or a list of them.
    pub mac: Pointers,
    /// The host's own address: a text, or a list of them.
    pub ip: Pointers,
    /// What a host name must begin with, and what is taken off it.
    pub hostname_prefix: Option<String>,
    /// What is taken off the end of a host name, where it is there.
    pub hostname_suffix: Option<String>,
    /// Whether a port is taken off a host name and an address.
    pub strip_port: bool,
    /// How severe it is.
    pub severity: Pointers,
    /// The severity that each of the sender's words, in lower case, stands for.
    pub severity_map: BTreeMap<String, Severity>,
    /// The severity where the sender names none that is known.
    pub severity_default: Option<Severity>,
    /// The severity whatever the sender says.
    pub severity_fixed: Option<Severity>,
    /// What happened.
    pub title: Pointers,
    /// Why the host is to be isolated.
    pub reason: Pointers,
    /// When the sender saw it.
    pub observed_at: Pointers,
    /// `isolate` or `release`.
    pub action: Pointers,
    /// For how long: seconds, or a text such as `4h`.
    pub ttl: Pointers,
}

/// A part of an event's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdPart {
    /// Where it is.
    pub pointer: Pointer,
    /// Whether the event has an identity without it.
    pub is_optional: bool,
}

impl FieldMapping {
    /// Whether a host is named. Then `generic` reads nothing but what is named.
    pub fn maps_host(&self) -> bool {
        let Self { endpoint_id, ec2_instance_id, hostname, netbios, mac, ip, .. } = self;
        [endpoint_id, ec2_instance_id, hostname, netbios, mac, ip].iter().any(|pointers| pointers.is_set())
    }
}
