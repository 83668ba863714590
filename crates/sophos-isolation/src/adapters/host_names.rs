//! Names of hosts in one list: of one machine, or of several.

use std::{collections::HashSet, net::IpAddr};

use super::{draft::Host, place::MOST_FACTS};
use crate::{
    hostname::{folded, is_usable},
    identity::longest_forms,
    signal::HostFacts,
};

/// Whether a text can be a host's name. An address with a port, a URL and a name
/// that a tool makes of an address (`IP-10.0.0.8`) are none.
pub(super) fn is_name(text: &str) -> bool {
    let address = text.get(..3).filter(|head| head.eq_ignore_ascii_case("ip-")).map(|_| &text[3..]);
    is_usable(text)
        && !text.contains([':', '/', '@', ','])
        && address.is_none_or(|address| address.parse::<IpAddr>().is_err())
}

/// The host; or, where its names cannot be one machine's, a host for each name,
/// known by that alone, as nothing says whose the addresses are. An id decides
/// without the names.
pub(super) fn each_host(mut host: Host) -> Vec<Host> {
    let facts = &mut host.facts;
    facts.hostnames = distinct(std::mem::take(&mut facts.hostnames));
    facts.netbios_names = distinct(std::mem::take(&mut facts.netbios_names));
    let is_identified = facts.endpoint_id.is_some() || facts.ec2_instance_id.is_some();
    if !is_identified && facts.hostnames.len() > 1 {
        let named = |name| HostFacts { hostnames: vec![name], ..HostFacts::default() };
        return alone(&host, host.facts.hostnames.iter().cloned().map(named));
    }
    if !is_identified && facts.hostnames.is_empty() && facts.netbios_names.len() > 1 {
        let named = |name| HostFacts { netbios_names: vec![name], ..HostFacts::default() };
        return alone(&host, host.facts.netbios_names.iter().cloned().map(named));
    }
    facts.hostnames.truncate(MOST_FACTS);
    facts.netbios_names.truncate(MOST_FACTS);
    vec![host]
}

fn alone(host: &Host, facts: impl Iterator<Item = HostFacts>) -> Vec<Host> {
    facts.map(|facts| Host { facts, accounts: host.accounts.clone(), refusal: host.refusal }).collect()
}

/// Each name once, without those of which a longer form is there.
fn distinct(names: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let each: Vec<_> = names.into_iter().filter(|name| seen.insert(folded(name))).collect();
    longest_forms(&each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_name_refuses_addresses_and_urls() {
        for name in ["pc-1", "pc-1.corp.example", "CORP\\pc-1", "ip-10-0-0-8", "ip-10.corp.example", "büro"]
        {
            assert!(is_name(name), "{name}");
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
            assert!(!is_name(text), "{text}");
        }
    }

    #[test]
    fn distinct_keeps_the_full_form_of_a_name() {
        let kept = |names: &[&str]| distinct(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(kept(&["pc-1", "PC-1.corp.example", "pc-1.corp.example."]), ["PC-1.corp.example"]);
        assert_eq!(kept(&["web", "web.a.example", "web.b.example"]), ["web.a.example", "web.b.example"]);
        assert_eq!(kept(&["a", "b", "A"]), ["a", "b"]);
        let cut = ["CORP-LAPTOP-001", "CORP-LAPTOP-0012.corp.example"];
        assert_eq!(kept(&cut), ["CORP-LAPTOP-0012.corp.example"]);
    }
}
