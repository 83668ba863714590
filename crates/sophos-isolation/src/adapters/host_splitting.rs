//! Splitting of a list of host names into hosts.

use std::{collections::HashSet, net::IpAddr};

use super::{json_cursor::MAX_IDENTIFIERS, parsed_alert::ParsedHost};
use crate::{
    hostname::{fold_name, is_usable},
    identity::longest_forms,
    signal::HostIdentifiers,
};

/// Whether a text can be a host name. An address with a port, a URL, and a name that a tool derives
/// from an address (`IP-10.0.0.8`) cannot.
pub(super) fn is_hostname(text: &str) -> bool {
    let address = text.get(..3).filter(|head| head.eq_ignore_ascii_case("ip-")).map(|_| &text[3..]);
    is_usable(text)
        && !text.contains([':', '/', '@', ','])
        && address.is_none_or(|address| address.parse::<IpAddr>().is_err())
}

/// Returns the host, or one host per name if the names cannot belong to one machine. Each of
/// several hosts keeps its name alone, because the owner of the addresses is unknown. An id makes
/// the names irrelevant.
pub(super) fn split_hosts(mut host: ParsedHost) -> Vec<ParsedHost> {
    let identifiers = &mut host.identifiers;
    identifiers.hostnames = distinct_names(std::mem::take(&mut identifiers.hostnames));
    identifiers.netbios_names = distinct_names(std::mem::take(&mut identifiers.netbios_names));
    let is_identified = identifiers.endpoint_id.is_some() || identifiers.ec2_instance_id.is_some();
    if !is_identified && identifiers.hostnames.len() > 1 {
        let named = |name| HostIdentifiers { hostnames: vec![name], ..HostIdentifiers::default() };
        return with_identifiers(&host, host.identifiers.hostnames.iter().cloned().map(named));
    }
    if !is_identified && identifiers.hostnames.is_empty() && identifiers.netbios_names.len() > 1 {
        let named = |name| HostIdentifiers { netbios_names: vec![name], ..HostIdentifiers::default() };
        return with_identifiers(&host, host.identifiers.netbios_names.iter().cloned().map(named));
    }
    identifiers.hostnames.truncate(MAX_IDENTIFIERS);
    identifiers.netbios_names.truncate(MAX_IDENTIFIERS);
    vec![host]
}

fn with_identifiers(
    host: &ParsedHost,
    identifiers: impl Iterator<Item = HostIdentifiers>,
) -> Vec<ParsedHost> {
    identifiers
        .map(|identifiers| ParsedHost { identifiers, accounts: host.accounts.clone(), refusal: host.refusal })
        .collect()
}

/// The distinct names, without those that have a longer form in the list.
fn distinct_names(names: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let each: Vec<_> = names.into_iter().filter(|name| seen.insert(fold_name(name))).collect();
    longest_forms(&each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_hostname_rejects_addresses_and_urls() {
        for name in ["pc-1", "pc-1.corp.example", "CORP\\pc-1", "ip-10-0-0-8", "ip-10.corp.example", "büro"]
        {
            assert!(is_hostname(name), "{name}");
        }
        for text in [
            "10.0.0.5",
            "10.0.0.5:9100",
            "pc-1:9100",
            "[fd00::1]:9100",
            "fd00::1",
            "http://pc-1/",
            "pc-1/disk",
            "me@pc-1",
            "a,b",
            "IP-10.0.0.8",
            "localhost",
            "",
        ] {
            assert!(!is_hostname(text), "{text}");
        }
    }

    #[test]
    fn distinct_names_keeps_the_fully_qualified_name() {
        let kept = |names: &[&str]| distinct_names(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(kept(&["pc-1", "PC-1.corp.example", "pc-1.corp.example."]), ["PC-1.corp.example"]);
        assert_eq!(kept(&["web", "web.a.example", "web.b.example"]), ["web.a.example", "web.b.example"]);
        assert_eq!(kept(&["a", "b", "A"]), ["a", "b"]);
        let cut = ["CORP-LAPTOP-001", "CORP-LAPTOP-0012.corp.example"];
        assert_eq!(kept(&cut), ["CORP-LAPTOP-0012.corp.example"]);
    }
}
