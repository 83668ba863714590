//! What is said of a host, judged: which of it can find an endpoint.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    hostname::{self, NETBIOS_LEN, NameFit, first_label, folded, name_fit},
    signal::HostFacts,
};

/// Ends of the names that clouds give to instances.
const CLOUD_DOMAINS: [&str; 4] =
    [".compute.internal", ".ec2.internal", ".internal.cloudapp.net", ".google.internal"];

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
    /// Names that NetBIOS may have cut; only where `hostnames` is empty.
    pub(crate) netbios_names: Vec<String>,
    pub(crate) ip_addresses: Vec<IpAddr>,
}

impl Identity {
    /// Keeps what is usable. A short name is dropped where a longer form of it
    /// is given, and NetBIOS names where any other name is.
    ///
    /// # Errors
    /// When nothing is usable: why the strongest identifier is not. Also when an
    /// endpoint id or an instance id is malformed, whatever else is given.
    pub fn read(facts: &HostFacts) -> Result<Self, Unusable> {
        let mut first = None;
        let mut keep = |outcome: Result<String, Unusable>| match outcome {
            Ok(fact) => Some(fact),
            Err(why) => {
                first.get_or_insert(why);
                None
            }
        };
        let endpoint_id = facts.endpoint_id.as_deref().and_then(|id| keep(endpoint_id(id)));
        let ec2_instance_id = facts.ec2_instance_id.as_deref().and_then(|id| keep(ec2_instance_id(id)));
        let mac_addresses = facts.mac_addresses.iter().filter_map(|mac| keep(mac_address(mac))).collect();
        let (mut hostnames, mut netbios_names) = (Vec::new(), Vec::new());
        for (names, may_be_cut) in [(&facts.hostnames, false), (&facts.netbios_names, true)] {
            for name in names.iter().filter_map(|name| keep(host_name(name))) {
                // An account of Windows holds a NetBIOS name.
                let is_account = name.contains(['\\', '$']);
                let bare = name.rsplit('\\').next().unwrap_or(&name).trim_end_matches('$').to_owned();
                let list = if may_be_cut || is_account { &mut netbios_names } else { &mut hostnames };
                list.push(bare);
            }
        }
        let hostnames = longest_forms(&hostnames);
        if !hostnames.is_empty() {
            netbios_names.clear();
        }
        let ip_addresses = facts
            .ip_addresses
            .iter()
            .filter_map(|address| keep(private_address(address).map(|address| address.to_string())))
            .filter_map(|address| address.parse().ok())
            .collect();
        let identity =
            Self { endpoint_id, ec2_instance_id, mac_addresses, hostnames, netbios_names, ip_addresses };
        // A malformed id means a machine of another product or cloud; weaker
        // identifiers must not find an endpoint in its place.
        let malformed = (facts.endpoint_id.is_some() && identity.endpoint_id.is_none())
            || (facts.ec2_instance_id.is_some() && identity.ec2_instance_id.is_none());
        if malformed {
            return Err(Unusable::Malformed);
        }
        if identity == Self::default() { Err(first.unwrap_or(Unusable::Nothing)) } else { Ok(identity) }
    }

    /// The kinds of identifiers to look for, the strongest first. An endpoint id
    /// or an instance id is looked for alone: where no endpoint has it, the
    /// machine is unknown, and nothing weaker may stand for it. An address decides
    /// only where nothing else is given.
    pub fn kinds(&self) -> impl Iterator<Item = FactKind> {
        let strong = match (&self.endpoint_id, &self.ec2_instance_id) {
            (Some(_), _) => Some(FactKind::EndpointId),
            (None, Some(_)) => Some(FactKind::Ec2InstanceId),
            (None, None) => None,
        };
        FactKind::ALL.into_iter().filter(move |kind| match (strong, kind) {
            (Some(strong), kind) => strong == *kind,
            (None, FactKind::EndpointId | FactKind::Ec2InstanceId) => false,
            (None, FactKind::MacAddress) => !self.mac_addresses.is_empty(),
            (None, FactKind::Hostname) => self.has_names(),
            (None, FactKind::IpAddress) => {
                !self.ip_addresses.is_empty() && self.mac_addresses.is_empty() && !self.has_names()
            }
        })
    }

    /// Whether the host has a name of either kind.
    pub(crate) fn has_names(&self) -> bool {
        !self.hostnames.is_empty() || !self.netbios_names.is_empty()
    }

    /// Names of both kinds.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.hostnames.iter().chain(&self.netbios_names).map(String::as_str)
    }

    /// The best fit of an endpoint's name with one of the host's.
    pub(crate) fn name_fit(&self, own: &str) -> NameFit {
        let cut = self.netbios_names.iter().map(|name| match name_fit(name, own, true) {
            // The sender says that the name may be cut, so a longer one is it.
            NameFit::Possible => NameFit::Sure,
            fit => fit,
        });
        let whole = self.hostnames.iter().map(|name| name_fit(name, own, hostname::may_be_cut(name)));
        cut.chain(whole).max().unwrap_or(NameFit::None)
    }

    /// Whether the identifiers are those of a cloud instance, for which a
    /// machine outside of any cloud must not stand.
    pub(crate) fn is_cloud_instance(&self) -> bool {
        let in_cloud = |name: &String| CLOUD_DOMAINS.iter().any(|domain| folded(name).ends_with(domain));
        self.ec2_instance_id.is_some() || self.hostnames.iter().any(in_cloud)
    }
}

/// The names without those of which a longer form is among them: `vm1` beside
/// `vm1.corp.example`, or 15 characters of a longer first label.
pub(crate) fn longest_forms(names: &[String]) -> Vec<String> {
    let is_form_of = |short: &str, long: &str| {
        let (short, long) = (folded(short), folded(long));
        let label = first_label(&long);
        let is_label = label == short && long != short;
        let is_cut = short.chars().count() == NETBIOS_LEN && label.starts_with(&short) && label != short;
        !short.contains('.') && (is_label || is_cut)
    };
    let has_longer = |name: &&String| names.iter().any(|other| is_form_of(name, other));
    names.iter().filter(|name| !has_longer(name)).cloned().collect()
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
    let bare = name.rsplit('\\').next().unwrap_or(name).trim_end_matches('$');
    if first_label(&folded(bare)) == "localhost" {
        return Err(Unusable::Loopback);
    }
    if hostname::is_usable(bare) { Ok(name.to_owned()) } else { Err(Unusable::Malformed) }
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
        assert_eq!(identity.netbios_names, ["WS-7"]);
        assert_eq!(identity.ip_addresses.len(), 1);
        assert_eq!(identity.kinds().collect::<Vec<_>>(), [FactKind::Hostname]);
    }

    fn named(hostnames: &[&str], netbios_names: &[&str]) -> Identity {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let facts = HostFacts {
            hostnames: owned(hostnames),
            netbios_names: owned(netbios_names),
            ..HostFacts::default()
        };
        Identity::read(&facts).expect("a name")
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
        assert_eq!(identity.name_fit("CORP-LAPTOP-001"), NameFit::None);
        assert_eq!(identity.name_fit("CORP-LAPTOP-0012"), NameFit::Sure);
        let alone = named(&[], &["CORP-LAPTOP-001"]);
        assert_eq!(alone.name_fit("CORP-LAPTOP-001"), NameFit::Sure);
        assert_eq!(alone.name_fit("corp-laptop-0012.corp.example"), NameFit::Sure);
        assert_eq!(alone.name_fit("CORP-LAPTOP-002"), NameFit::None);
    }

    #[test]
    fn identity_doubts_upper_case_name_of_15_characters() {
        let upper = named(&["CORP-LAPTOP-001"], &[]);
        assert_eq!(upper.name_fit("corp-laptop-001"), NameFit::Sure);
        assert_eq!(upper.name_fit("corp-laptop-0012"), NameFit::Possible);
        assert_eq!(named(&["corp-laptop-001"], &[]).name_fit("corp-laptop-0012"), NameFit::None);
        assert_eq!(named(&["CORP-LAPTOP-01"], &[]).name_fit("corp-laptop-012"), NameFit::None);
    }

    #[test]
    fn identity_is_refused_when_strong_id_is_malformed() {
        let facts = HostFacts {
            ec2_instance_id: Some("vm-7".into()),
            ip_addresses: vec!["10.0.0.1".into()],
            ..HostFacts::default()
        };
        assert_eq!(Identity::read(&facts), Err(Unusable::Malformed));
    }

    #[test]
    fn kinds_are_one_when_strong_id_is_given() {
        let facts = HostFacts {
            ec2_instance_id: Some("i-0123456789abcdef0".into()),
            hostnames: vec!["ip-10-0-0-8.ec2.internal".into()],
            ip_addresses: vec!["10.0.0.8".into()],
            ..HostFacts::default()
        };
        let identity = Identity::read(&facts).expect("an instance");
        assert_eq!(identity.kinds().collect::<Vec<_>>(), [FactKind::Ec2InstanceId]);
        assert!(identity.is_cloud_instance());
    }

    #[test]
    fn instance_ids_have_their_form() {
        assert_eq!(ec2_instance_id(" I-0123456789ABCDEF0 "), Ok("i-0123456789abcdef0".into()));
        assert_eq!(ec2_instance_id("i-99999999"), Ok("i-99999999".into()));
        assert_eq!(ec2_instance_id("i-1234"), Err(Unusable::Malformed));
        assert_eq!(ec2_instance_id("mi-0123456789abcdef0"), Err(Unusable::Malformed));
    }
}
