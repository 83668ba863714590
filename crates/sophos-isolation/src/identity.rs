//! The identity of a host: the identifiers of a signal that can find an endpoint,
//! in normal form.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    hostname::{self, NETBIOS_LEN, NameMatch, first_label, fold_name, match_names},
    signal::HostIdentifiers,
};

/// The suffixes of the names that clouds give to instances.
const CLOUD_DOMAINS: [&str; 4] =
    [".compute.internal", ".ec2.internal", ".internal.cloudapp.net", ".google.internal"];

/// A kind of identifier, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
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

impl IdentifierKind {
    /// All kinds, the strongest first.
    pub const ALL: [Self; 5] =
        [Self::EndpointId, Self::Ec2InstanceId, Self::MacAddress, Self::Hostname, Self::IpAddress];
}

impl fmt::Display for IdentifierKind {
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

/// The reason why an identifier cannot find an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnusableIdentifier {
    /// The alert has no identifier.
    Missing,
    /// The identifier is malformed.
    Malformed,
    /// A loopback address, or `localhost`, which every machine has.
    Loopback,
    /// A link-local address, which is unique only on its link.
    LinkLocal,
    /// A public address, which may be a router's or an attacker's.
    PublicAddress,
    /// A MAC address of no single machine: all zeros, a broadcast or a group.
    NonUniqueMac,
}

impl UnusableIdentifier {
    /// Returns the reason as a sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::Missing => "the alert has no identifier of the host",
            Self::Malformed => "an identifier of the host is malformed",
            Self::Loopback => "every machine has the loopback address or name",
            Self::LinkLocal => "a link-local address does not identify a machine",
            Self::PublicAddress => "a public address may be a router's or an attacker's",
            Self::NonUniqueMac => "the MAC address does not identify a single machine",
        }
    }
}

/// The usable identifiers of a host, in normal form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostIdentity {
    pub(crate) endpoint_id: Option<String>,
    pub(crate) ec2_instance_id: Option<String>,
    pub(crate) mac_addresses: Vec<String>,
    pub(crate) hostnames: Vec<String>,
    /// Names that NetBIOS may have truncated; only if `hostnames` is empty.
    pub(crate) netbios_names: Vec<String>,
    pub(crate) ip_addresses: Vec<IpAddr>,
}

impl HostIdentity {
    /// Keeps the usable identifiers. A short name is dropped if a longer form of it
    /// is given, and NetBIOS names if any other name is.
    ///
    /// # Errors
    /// When no identifier is usable, with the reason for the strongest one. Also
    /// when an endpoint id or an instance id is malformed, whatever else is given.
    pub fn from_identifiers(identifiers: &HostIdentifiers) -> Result<Self, UnusableIdentifier> {
        let mut first = None;
        let mut keep = |parsed: Result<String, UnusableIdentifier>| match parsed {
            Ok(identifier) => Some(identifier),
            Err(reason) => {
                first.get_or_insert(reason);
                None
            }
        };
        let endpoint_id = identifiers.endpoint_id.as_deref().and_then(|id| keep(parse_endpoint_id(id)));
        let ec2_instance_id =
            identifiers.ec2_instance_id.as_deref().and_then(|id| keep(parse_ec2_instance_id(id)));
        let mac_addresses =
            identifiers.mac_addresses.iter().filter_map(|mac| keep(parse_mac_address(mac))).collect();
        let (mut hostnames, mut netbios_names) = (Vec::new(), Vec::new());
        for (names, is_netbios) in [(&identifiers.hostnames, false), (&identifiers.netbios_names, true)] {
            for name in names.iter().filter_map(|name| keep(parse_hostname(name))) {
                // A Windows account contains a NetBIOS name.
                let is_account = name.contains(['\\', '$']);
                let bare = name.rsplit('\\').next().unwrap_or(&name).trim_end_matches('$').to_owned();
                let list = if is_netbios || is_account { &mut netbios_names } else { &mut hostnames };
                list.push(bare);
            }
        }
        let hostnames = longest_forms(&hostnames);
        if !hostnames.is_empty() {
            netbios_names.clear();
        }
        let ip_addresses = identifiers
            .ip_addresses
            .iter()
            .filter_map(|address| keep(parse_private_address(address).map(|address| address.to_string())))
            .filter_map(|address| address.parse().ok())
            .collect();
        let identity =
            Self { endpoint_id, ec2_instance_id, mac_addresses, hostnames, netbios_names, ip_addresses };
        // A malformed id means a machine of another product or cloud. Weaker
        // identifiers must not find an endpoint in its place.
        let is_malformed = (identifiers.endpoint_id.is_some() && identity.endpoint_id.is_none())
            || (identifiers.ec2_instance_id.is_some() && identity.ec2_instance_id.is_none());
        if is_malformed {
            return Err(UnusableIdentifier::Malformed);
        }
        if identity == Self::default() {
            Err(first.unwrap_or(UnusableIdentifier::Missing))
        } else {
            Ok(identity)
        }
    }

    /// Returns the kinds of identifiers to look up, the strongest first. An endpoint
    /// id or an instance id is looked up alone: if no endpoint has it, the machine
    /// is unknown. An address is looked up only if nothing else is given.
    pub fn kinds(&self) -> impl Iterator<Item = IdentifierKind> {
        let strong = match (&self.endpoint_id, &self.ec2_instance_id) {
            (Some(_), _) => Some(IdentifierKind::EndpointId),
            (None, Some(_)) => Some(IdentifierKind::Ec2InstanceId),
            (None, None) => None,
        };
        IdentifierKind::ALL.into_iter().filter(move |kind| match (strong, kind) {
            (Some(strong), kind) => strong == *kind,
            (None, IdentifierKind::EndpointId | IdentifierKind::Ec2InstanceId) => false,
            (None, IdentifierKind::MacAddress) => !self.mac_addresses.is_empty(),
            (None, IdentifierKind::Hostname) => self.has_names(),
            (None, IdentifierKind::IpAddress) => {
                !self.ip_addresses.is_empty() && self.mac_addresses.is_empty() && !self.has_names()
            }
        })
    }

    /// Whether the host has a name of either kind.
    pub(crate) fn has_names(&self) -> bool {
        !self.hostnames.is_empty() || !self.netbios_names.is_empty()
    }

    /// Returns the names of both kinds.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.hostnames.iter().chain(&self.netbios_names).map(String::as_str)
    }

    /// Returns the best match of an endpoint's name with a name of the host.
    pub(crate) fn name_fit(&self, own: &str) -> NameMatch {
        let netbios = self.netbios_names.iter().map(|name| match match_names(name, own, true) {
            // The sender marks the name as possibly truncated, so a longer one matches.
            NameMatch::Possible => NameMatch::Exact,
            name_match => name_match,
        });
        let full =
            self.hostnames.iter().map(|name| match_names(name, own, hostname::may_be_truncated(name)));
        netbios.chain(full).max().unwrap_or(NameMatch::None)
    }

    /// Whether the identifiers are those of a cloud instance. An endpoint outside
    /// of clouds never matches one.
    pub(crate) fn is_cloud_instance(&self) -> bool {
        let in_cloud = |name: &String| CLOUD_DOMAINS.iter().any(|domain| fold_name(name).ends_with(domain));
        self.ec2_instance_id.is_some() || self.hostnames.iter().any(in_cloud)
    }
}

/// Returns the names without those that have a longer form among them: `vm1` beside
/// `vm1.corp.example`, or the first 15 characters of a longer first label.
pub(crate) fn longest_forms(names: &[String]) -> Vec<String> {
    let is_form_of = |short: &str, long: &str| {
        let (short, long) = (fold_name(short), fold_name(long));
        let label = first_label(&long);
        let is_label = label == short && long != short;
        let is_truncated =
            short.chars().count() == NETBIOS_LEN && label.starts_with(&short) && label != short;
        !short.contains('.') && (is_label || is_truncated)
    };
    let has_longer = |name: &&String| names.iter().any(|other| is_form_of(name, other));
    names.iter().filter(|name| !has_longer(name)).cloned().collect()
}

fn parse_endpoint_id(text: &str) -> Result<String, UnusableIdentifier> {
    let id = text.trim().to_ascii_lowercase();
    if is_uuid(&id) { Ok(id) } else { Err(UnusableIdentifier::Malformed) }
}

/// Whether a text is a UUID in its hyphenated form.
pub(crate) fn is_uuid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn parse_ec2_instance_id(text: &str) -> Result<String, UnusableIdentifier> {
    let id = text.trim().to_ascii_lowercase();
    let digits = id.strip_prefix("i-").ok_or(UnusableIdentifier::Malformed)?;
    let is_valid = matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_valid { Ok(id) } else { Err(UnusableIdentifier::Malformed) }
}

/// Returns the digits of a MAC address, EUI-48 or EUI-64, with any separators.
pub(crate) fn parse_mac_address(text: &str) -> Result<String, UnusableIdentifier> {
    let mut digits = String::new();
    for character in text.trim().chars() {
        match character {
            ':' | '-' | '.' | ' ' => {}
            digit if digit.is_ascii_hexdigit() => digits.push(digit.to_ascii_lowercase()),
            _ => return Err(UnusableIdentifier::Malformed),
        }
    }
    if !matches!(digits.len(), 12 | 16) {
        return Err(UnusableIdentifier::Malformed);
    }
    // The lowest bit of the first byte marks a group or a broadcast.
    let group = digits.as_bytes()[1];
    let is_group = char::from(group).to_digit(16).is_some_and(|digit| digit & 1 == 1);
    if is_group || digits.bytes().all(|byte| byte == b'0') {
        Err(UnusableIdentifier::NonUniqueMac)
    } else {
        Ok(digits)
    }
}

fn parse_hostname(text: &str) -> Result<String, UnusableIdentifier> {
    let name = text.trim().trim_end_matches('.');
    // Windows writes DOMAIN\host, and the account of a machine with a dollar sign.
    let bare = name.rsplit('\\').next().unwrap_or(name).trim_end_matches('$');
    if first_label(&fold_name(bare)) == "localhost" {
        return Err(UnusableIdentifier::Loopback);
    }
    if hostname::is_usable(bare) { Ok(name.to_owned()) } else { Err(UnusableIdentifier::Malformed) }
}

/// Parses a private address: RFC 1918, or a unique local address of IPv6.
pub(crate) fn parse_private_address(text: &str) -> Result<IpAddr, UnusableIdentifier> {
    let address: IpAddr = text.trim().parse().map_err(|_| UnusableIdentifier::Malformed)?;
    let address = address.to_canonical();
    match address {
        _ if address.is_loopback() => Err(UnusableIdentifier::Loopback),
        IpAddr::V4(four) if four.is_link_local() => Err(UnusableIdentifier::LinkLocal),
        IpAddr::V6(six) if six.is_unicast_link_local() => Err(UnusableIdentifier::LinkLocal),
        IpAddr::V4(four) if four.is_private() => Ok(address),
        IpAddr::V6(six) if six.is_unique_local() => Ok(address),
        _ => Err(UnusableIdentifier::PublicAddress),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_address_rejects_shared_and_public_ones() {
        for (text, why) in [
            ("127.0.0.1", UnusableIdentifier::Loopback),
            ("::1", UnusableIdentifier::Loopback),
            ("::ffff:127.0.0.1", UnusableIdentifier::Loopback),
            ("169.254.169.254", UnusableIdentifier::LinkLocal),
            ("fe80::1", UnusableIdentifier::LinkLocal),
            ("8.8.8.8", UnusableIdentifier::PublicAddress),
            ("0.0.0.0", UnusableIdentifier::PublicAddress),
            ("255.255.255.255", UnusableIdentifier::PublicAddress),
            ("100.64.0.1", UnusableIdentifier::PublicAddress),
            ("172.32.0.1", UnusableIdentifier::PublicAddress),
            ("224.0.0.1", UnusableIdentifier::PublicAddress),
            ("2001:db8::1", UnusableIdentifier::PublicAddress),
            ("10.0.0.256", UnusableIdentifier::Malformed),
            ("10.0.0.1/8", UnusableIdentifier::Malformed),
        ] {
            assert_eq!(parse_private_address(text), Err(why), "{text}");
        }
        for text in ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "::ffff:10.1.2.3"]
        {
            assert!(parse_private_address(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn mac_address_parses_to_its_hex_digits() {
        for text in ["AA:bb:cc:dd:ee:01", "aa-bb-cc-dd-ee-01", "aabb.ccdd.ee01", "AABBCCDDEE01"] {
            assert_eq!(parse_mac_address(text), Ok("aabbccddee01".to_owned()));
        }
        assert_eq!(parse_mac_address("00:00:00:00:00:00"), Err(UnusableIdentifier::NonUniqueMac));
        assert_eq!(parse_mac_address("ff:ff:ff:ff:ff:ff"), Err(UnusableIdentifier::NonUniqueMac));
        assert_eq!(parse_mac_address("01:00:5e:00:00:01"), Err(UnusableIdentifier::NonUniqueMac));
        assert_eq!(parse_mac_address("aa:bb:cc"), Err(UnusableIdentifier::Malformed));
        assert_eq!(parse_mac_address("aa:bb:cc:dd:ee:zz"), Err(UnusableIdentifier::Malformed));
    }

    #[test]
    fn identity_is_refused_when_endpoint_id_is_malformed() {
        let facts = HostIdentifiers {
            endpoint_id: Some("0123456789abcdef0123456789abcdef".into()),
            hostnames: vec!["web01".into()],
            ..HostIdentifiers::default()
        };
        assert_eq!(HostIdentity::from_identifiers(&facts), Err(UnusableIdentifier::Malformed));
    }

    #[test]
    fn identity_keeps_usable_identifiers_beside_unusable() {
        let facts = HostIdentifiers {
            hostnames: vec!["CORP\\WS-7$".into(), "localhost".into()],
            ip_addresses: vec!["127.0.0.1".into(), "10.1.2.3".into()],
            ..HostIdentifiers::default()
        };
        let identity = HostIdentity::from_identifiers(&facts).expect("a name and an address");
        assert_eq!(identity.netbios_names, ["WS-7"]);
        assert_eq!(identity.ip_addresses.len(), 1);
        assert_eq!(identity.kinds().collect::<Vec<_>>(), [IdentifierKind::Hostname]);
    }

    fn named(hostnames: &[&str], netbios_names: &[&str]) -> HostIdentity {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let facts = HostIdentifiers {
            hostnames: owned(hostnames),
            netbios_names: owned(netbios_names),
            ..HostIdentifiers::default()
        };
        HostIdentity::from_identifiers(&facts).expect("a name")
    }

    #[test]
    fn identity_drops_short_form_when_longer_is_given() {
        for (given, kept) in [
            (&["vm1", "vm1.contoso.example"][..], &["vm1.contoso.example"][..]),
            (&["VM1.contoso.example", "vm1"], &["VM1.contoso.example"]),
            (&["CORP-LAPTOP-001", "corp-laptop-0012.corp.example"], &["corp-laptop-0012.corp.example"]),
            (&["CORP-LAPTOP-001", "CORP-LAPTOP-0012"], &["CORP-LAPTOP-0012"]),
            (&["CORP-LAPTOP-01", "CORP-LAPTOP-012"], &["CORP-LAPTOP-01", "CORP-LAPTOP-012"]),
            (&["vm1", "vm2.contoso.example"], &["vm1", "vm2.contoso.example"]),
            (&["vm1"], &["vm1"]),
        ] {
            assert_eq!(named(given, &[]).hostnames, kept, "{given:?}");
        }
    }

    #[test]
    fn identity_ignores_netbios_name_beside_another() {
        let identity = named(&["corp-laptop-0012.corp.example"], &["CORP-LAPTOP-001"]);
        assert!(identity.netbios_names.is_empty());
        assert_eq!(identity.name_fit("CORP-LAPTOP-001"), NameMatch::None);
        assert_eq!(identity.name_fit("CORP-LAPTOP-0012"), NameMatch::Exact);
        let alone = named(&[], &["CORP-LAPTOP-001"]);
        assert_eq!(alone.name_fit("CORP-LAPTOP-001"), NameMatch::Exact);
        assert_eq!(alone.name_fit("corp-laptop-0012.corp.example"), NameMatch::Exact);
        assert_eq!(alone.name_fit("CORP-LAPTOP-002"), NameMatch::None);
    }

    #[test]
    fn identity_doubts_upper_case_name_of_15_characters() {
        let upper = named(&["CORP-LAPTOP-001"], &[]);
        assert_eq!(upper.name_fit("corp-laptop-001"), NameMatch::Exact);
        assert_eq!(upper.name_fit("corp-laptop-0012"), NameMatch::Possible);
        assert_eq!(named(&["corp-laptop-001"], &[]).name_fit("corp-laptop-0012"), NameMatch::None);
        assert_eq!(named(&["CORP-LAPTOP-01"], &[]).name_fit("corp-laptop-012"), NameMatch::None);
    }

    #[test]
    fn identity_is_refused_when_strong_id_is_malformed() {
        let facts = HostIdentifiers {
            ec2_instance_id: Some("vm-7".into()),
            ip_addresses: vec!["10.0.0.1".into()],
            ..HostIdentifiers::default()
        };
        assert_eq!(HostIdentity::from_identifiers(&facts), Err(UnusableIdentifier::Malformed));
    }

    #[test]
    fn kinds_yields_one_when_strong_id_is_given() {
        let facts = HostIdentifiers {
            ec2_instance_id: Some("i-0123456789abcdef0".into()),
            hostnames: vec!["ip-10-0-0-8.ec2.internal".into()],
            ip_addresses: vec!["10.0.0.8".into()],
            ..HostIdentifiers::default()
        };
        let identity = HostIdentity::from_identifiers(&facts).expect("an instance");
        assert_eq!(identity.kinds().collect::<Vec<_>>(), [IdentifierKind::Ec2InstanceId]);
        assert!(identity.is_cloud_instance());
    }

    #[test]
    fn ec2_instance_id_accepts_8_or_17_hex_digits() {
        assert_eq!(parse_ec2_instance_id(" I-0123456789ABCDEF0 "), Ok("i-0123456789abcdef0".into()));
        assert_eq!(parse_ec2_instance_id("i-99999999"), Ok("i-99999999".into()));
        assert_eq!(parse_ec2_instance_id("i-1234"), Err(UnusableIdentifier::Malformed));
        assert_eq!(parse_ec2_instance_id("mi-0123456789abcdef0"), Err(UnusableIdentifier::Malformed));
    }
}
