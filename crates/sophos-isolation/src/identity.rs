//! What is said of a host, judged: which of it can find an endpoint.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    hostname::{self, same_host},
    signal::HostFacts,
};

/// A kind of fact, from the strongest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// The endpoint's id at Sophos.
    EndpointId,
    /// The id of the EC2 instance.
    Ec2InstanceId,
    /// A MAC address.
    MacAddress,
    /// A host name.
    Hostname,
    /// A private address.
    IpAddress,
}

impl FactKind {
    /// All kinds, from the strongest on.
    pub const ALL: [Self; 5] =
        [Self::EndpointId, Self::Ec2InstanceId, Self::MacAddress, Self::Hostname, Self::IpAddress];
}

impl fmt::Display for FactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndpointId => "endpoint id",
            Self::Ec2InstanceId => "EC2 instance id",
            Self::MacAddress => "MAC address",
            Self::Hostname => "host name",
            Self::IpAddress => "IP address",
        })
    }
}

/// Why a fact finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unusable {
    /// Nothing is said.
    Nothing,
    /// It is not of the form of its kind.
    Malformed,
    /// A loopback address, or `localhost`: every machine's.
    Loopback,
    /// A link-local address: of one cable.
    LinkLocal,
    /// An address that is not private: a router's, or an attacker's.
    PublicAddress,
    /// A MAC address that is nobody's: all zeros, a broadcast, a group.
    NobodysMac,
}

impl Unusable {
    /// What it means, in words.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Nothing => "nothing is said about the host",
            Self::Malformed => "what is said about the host has not the form that it should have",
            Self::Loopback => "a loopback address or name is every machine's",
            Self::LinkLocal => "a link-local address says nothing about which machine it is",
            Self::PublicAddress => "an address that is not private may be a router's or an attacker's",
            Self::NobodysMac => "the MAC address is no single machine's",
        }
    }
}

/// The facts about one host that can find an endpoint, in their normal forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub(crate) endpoint_id: Option<String>,
    pub(crate) ec2_instance_id: Option<String>,
    pub(crate) mac_addresses: Vec<String>,
    pub(crate) hostnames: Vec<String>,
    pub(crate) ip_addresses: Vec<IpAddr>,
}

impl Identity {
    /// Keeps what is usable.
    ///
    /// # Errors
    /// When nothing is: why the strongest of what was said is not.
    pub fn read(facts: &HostFacts) -> Result<Self, Unusable> {
        let mut first = None;
        let mut keep = |outcome: Result<String, Unusable>| match outcome {
            Ok(fact) => Some(fact),
            Err(why) => {
                first.get_or_insert(why);
                None
            }
        };
        let identity = Self {
            endpoint_id: facts.endpoint_id.as_deref().and_then(|id| keep(endpoint_id(id))),
            ec2_instance_id: facts.ec2_instance_id.as_deref().and_then(|id| keep(ec2_instance_id(id))),
            mac_addresses: facts.mac_addresses.iter().filter_map(|mac| keep(mac_address(mac))).collect(),
            hostnames: facts.hostnames.iter().filter_map(|name| keep(host_name(name))).collect(),
            ip_addresses: facts
                .ip_addresses
                .iter()
                .filter_map(|address| keep(private_address(address).map(|address| address.to_string())))
                .filter_map(|address| address.parse().ok())
                .collect(),
        };
        // An id that cannot be an endpoint's says that the sender means something
        // else; its other facts are not taken for it.
        if facts.endpoint_id.is_some() && identity.endpoint_id.is_none() {
            return Err(Unusable::Malformed);
        }
        if identity == Self::default() { Err(first.unwrap_or(Unusable::Nothing)) } else { Ok(identity) }
    }

    /// The kinds of facts to look for, in order. An endpoint's id is looked for
    /// alone: what it does not find was deleted, and nothing else is it.
    pub fn kinds(&self) -> impl Iterator<Item = FactKind> {
        let alone = self.endpoint_id.is_some();
        FactKind::ALL.into_iter().filter(move |kind| match kind {
            FactKind::EndpointId => alone,
            _ if alone => false,
            FactKind::Ec2InstanceId => self.ec2_instance_id.is_some(),
            FactKind::MacAddress => !self.mac_addresses.is_empty(),
            FactKind::Hostname => !self.hostnames.is_empty(),
            FactKind::IpAddress => !self.ip_addresses.is_empty(),
        })
    }

    /// Whether one of the host's names is this one.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.hostnames.iter().any(|own| same_host(own, name))
    }
}

fn endpoint_id(text: &str) -> Result<String, Unusable> {
    let id = text.trim().to_ascii_lowercase();
    if is_uuid(&id) { Ok(id) } else { Err(Unusable::Malformed) }
}

/// Whether this is a UUID in its usual form.
pub(crate) fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn ec2_instance_id(text: &str) -> Result<String, Unusable> {
    let id = text.trim().to_ascii_lowercase();
    let digits = id.strip_prefix("i-").ok_or(Unusable::Malformed)?;
    let form = matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if form { Ok(id) } else { Err(Unusable::Malformed) }
}

/// The digits of a MAC address, EUI-48 or EUI-64, whatever stands between them.
pub(crate) fn mac_address(text: &str) -> Result<String, Unusable> {
    let mut digits = String::new();
    for character in text.trim().chars() {
        match character {
            ':' | '-' | '.' | ' ' => {}
            digit if digit.is_ascii_hexdigit() => digits.push(digit.to_ascii_lowercase()),
            _ => return Err(Unusable::Malformed),
        }
    }
    if !matches!(digits.len(), 12 | 16) {
        return Err(Unusable::Malformed);
    }
    // The lowest bit of the first byte marks a group, and a broadcast has it.
    let group = digits.as_bytes()[1];
    let is_group = char::from(group).to_digit(16).is_some_and(|digit| digit & 1 == 1);
    if is_group || digits.bytes().all(|byte| byte == b'0') { Err(Unusable::NobodysMac) } else { Ok(digits) }
}

fn host_name(text: &str) -> Result<String, Unusable> {
    let name = text.trim().trim_end_matches('.');
    // Windows writes DOMAIN\host, and a machine's account with a dollar.
    let name = name.rsplit('\\').next().unwrap_or(name).trim_end_matches('$');
    let lower = name.to_lowercase();
    if hostname::first_label(&lower) == "localhost" {
        return Err(Unusable::Loopback);
    }
    if hostname::is_usable(name) { Ok(name.to_owned()) } else { Err(Unusable::Malformed) }
}

/// A private address: RFC 1918, or a unique local one of IPv6.
pub(crate) fn private_address(text: &str) -> Result<IpAddr, Unusable> {
    let address: IpAddr = text.trim().parse().map_err(|_| Unusable::Malformed)?;
    let address = address.to_canonical();
    match address {
        _ if address.is_loopback() => Err(Unusable::Loopback),
        IpAddr::V4(four) if four.is_link_local() => Err(Unusable::LinkLocal),
        IpAddr::V6(six) if six.is_unicast_link_local() => Err(Unusable::LinkLocal),
        IpAddr::V4(four) if four.is_private() => Ok(address),
        IpAddr::V6(six) if six.is_unique_local() => Ok(address),
        _ => Err(Unusable::PublicAddress),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_no_machines_own_find_nothing() {
        for (text, why) in [
            ("127.0.0.1", Unusable::Loopback),
            ("::1", Unusable::Loopback),
            ("::ffff:127.0.0.1", Unusable::Loopback),
            ("169.254.169.254", Unusable::LinkLocal),
            ("fe80::1", Unusable::LinkLocal),
            ("8.8.8.8", Unusable::PublicAddress),
            ("0.0.0.0", Unusable::PublicAddress),
            ("255.255.255.255", Unusable::PublicAddress),
            ("100.64.0.1", Unusable::PublicAddress),
            ("172.32.0.1", Unusable::PublicAddress),
            ("224.0.0.1", Unusable::PublicAddress),
            ("2001:db8::1", Unusable::PublicAddress),
            ("10.0.0.256", Unusable::Malformed),
            ("10.0.0.1/8", Unusable::Malformed),
        ] {
            assert_eq!(private_address(text), Err(why), "{text}");
        }
        for text in ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "::ffff:10.1.2.3"]
        {
            assert!(private_address(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn mac_addresses_are_their_digits() {
        for text in ["AA:bb:cc:dd:ee:01", "aa-bb-cc-dd-ee-01", "aabb.ccdd.ee01", "AABBCCDDEE01"] {
            assert_eq!(mac_address(text), Ok("aabbccddee01".to_owned()));
        }
        assert_eq!(mac_address("00:00:00:00:00:00"), Err(Unusable::NobodysMac));
        assert_eq!(mac_address("ff:ff:ff:ff:ff:ff"), Err(Unusable::NobodysMac));
        assert_eq!(mac_address("01:00:5e:00:00:01"), Err(Unusable::NobodysMac));
        assert_eq!(mac_address("aa:bb:cc"), Err(Unusable::Malformed));
        assert_eq!(mac_address("aa:bb:cc:dd:ee:zz"), Err(Unusable::Malformed));
    }

    #[test]
    fn an_id_of_another_product_is_not_looked_past() {
        let facts = HostFacts {
            endpoint_id: Some("0123456789abcdef0123456789abcdef".into()),
            hostnames: vec!["web01".into()],
            ..HostFacts::default()
        };
        assert_eq!(Identity::read(&facts), Err(Unusable::Malformed));
    }

    #[test]
    fn what_is_unusable_does_not_spoil_the_rest() {
        let facts = HostFacts {
            hostnames: vec!["CORP\\WS-7$".into(), "localhost".into()],
            ip_addresses: vec!["127.0.0.1".into(), "10.1.2.3".into()],
            ..HostFacts::default()
        };
        let identity = Identity::read(&facts).expect("a name and an address");
        assert_eq!(identity.hostnames, ["WS-7"]);
        assert_eq!(identity.ip_addresses.len(), 1);
        assert_eq!(identity.kinds().collect::<Vec<_>>(), [FactKind::Hostname, FactKind::IpAddress]);
    }

    #[test]
    fn instance_ids_have_their_form() {
        assert_eq!(ec2_instance_id(" I-0123456789ABCDEF0 "), Ok("i-0123456789abcdef0".into()));
        assert_eq!(ec2_instance_id("i-99999999"), Ok("i-99999999".into()));
        assert_eq!(ec2_instance_id("i-1234"), Err(Unusable::Malformed));
        assert_eq!(ec2_instance_id("mi-0123456789abcdef0"), Err(Unusable::Malformed));
    }
}
