//! The identity of a host: the identifiers of a signal that can find an endpoint,
//! in normal form.

mod parse;

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

pub(crate) use parse::{is_uuid, parse_mac_address};
use parse::{parse_ec2_instance_id, parse_endpoint_id, parse_hostname, parse_private_address};

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
        let full = self.hostnames.iter().map(|name| match_names(name, own, hostname::may_be_truncated(name)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_is_refused_when_endpoint_id_is_malformed() {
        let identifiers = HostIdentifiers {
            endpoint_id: Some("0123456789abcdef0123456789abcdef".into()),
            hostnames: vec!["web01".into()],
            ..HostIdentifiers::default()
        };
        assert_eq!(HostIdentity::from_identifiers(&identifiers), Err(UnusableIdentifier::Malformed));
    }

    #[test]
    fn identity_keeps_usable_identifiers_beside_unusable() {
        let identifiers = HostIdentifiers {
            hostnames: vec!["CORP\\WS-7$".into(), "localhost".into()],
            ip_addresses: vec!["127.0.0.1".into(), "10.1.2.3".into()],
            ..HostIdentifiers::default()
        };
        let identity = HostIdentity::from_identifiers(&identifiers).expect("a name and an address");
        assert_eq!(identity.netbios_names, ["WS-7"]);
        assert_eq!(identity.ip_addresses.len(), 1);
        assert_eq!(identity.kinds().collect::<Vec<_>>(), [IdentifierKind::Hostname]);
    }

    fn named(hostnames: &[&str], netbios_names: &[&str]) -> HostIdentity {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let identifiers = HostIdentifiers {
            hostnames: owned(hostnames),
            netbios_names: owned(netbios_names),
            ..HostIdentifiers::default()
        };
        HostIdentity::from_identifiers(&identifiers).expect("a name")
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
        let identifiers = HostIdentifiers {
            ec2_instance_id: Some("vm-7".into()),
            ip_addresses: vec!["10.0.0.1".into()],
            ..HostIdentifiers::default()
        };
        assert_eq!(HostIdentity::from_identifiers(&identifiers), Err(UnusableIdentifier::Malformed));
    }

    #[test]
    fn kinds_yields_one_when_strong_id_is_given() {
        let identifiers = HostIdentifiers {
            ec2_instance_id: Some("i-0123456789abcdef0".into()),
            hostnames: vec!["ip-10-0-0-8.ec2.internal".into()],
            ip_addresses: vec!["10.0.0.8".into()],
            ..HostIdentifiers::default()
        };
        let identity = HostIdentity::from_identifiers(&identifiers).expect("an instance");
        assert_eq!(identity.kinds().collect::<Vec<_>>(), [IdentifierKind::Ec2InstanceId]);
        assert!(identity.is_cloud_instance());
    }
}
