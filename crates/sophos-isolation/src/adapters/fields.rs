//! Where in a tool's JSON things are, when the configuration says so.

use serde::Deserialize;
use serde_json::Value;

/// JSON pointers (RFC 6901) to what a signal is made of.
///
/// A field that is given replaces what the adapter would find by itself: so a
/// tool that nobody heard of needs no code, and one whose users name their own
/// fields can be read at all. Where there is nothing at a pointer, there is
/// nothing: the adapter's own is not taken instead.
///
/// Pointers begin at the root of the delivery. A delivery that is a list of
/// documents is read one by one, and pointers begin at each: the findings of
/// Security Hub, Okta's events, Elastic's alerts (within `_source`), and lists
/// of findings, alerts, records and threats of the other tools. A host that is
/// found by a pointer is then the host of all that the document names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// The sender's identity of the event.
    pub event_id: Option<Pointer>,
    /// The Sophos tenant.
    pub tenant: Option<Pointer>,
    /// The account in the sender's world.
    pub account: Option<Pointer>,
    /// The endpoint's id at Sophos.
    pub endpoint_id: Option<Pointer>,
    /// The id of the EC2 instance.
    pub ec2_instance_id: Option<Pointer>,
    /// The host name: a text, or a list of them.
    pub hostname: Option<Pointer>,
    /// The MAC address: a text, or a list of them.
    pub mac: Option<Pointer>,
    /// The host's own address: a text, or a list of them.
    pub ip: Option<Pointer>,
    /// How bad it is.
    pub severity: Option<Pointer>,
    /// What happened.
    pub title: Option<Pointer>,
    /// Why the host is to be isolated.
    pub reason: Option<Pointer>,
    /// When the sender saw it.
    pub observed_at: Option<Pointer>,
    /// `isolate` or `release`.
    pub action: Option<Pointer>,
    /// For how long: seconds, or a text such as `4h`.
    pub ttl: Option<Pointer>,
}

/// A JSON pointer, such as `/result/dest_host`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(String);

impl Pointer {
    /// What it points at in `value`.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.pointer(&self.0)
    }
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if text.starts_with('/') && text.len() <= 300 && escapes {
            Ok(Self(text))
        } else {
            Err("a JSON pointer begins with a slash, such as /result/dest_host".into())
        }
    }
}
