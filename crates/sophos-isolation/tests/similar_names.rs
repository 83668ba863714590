//! Names that only resemble each other: a lookup never takes one for the other.

use std::time::Duration;

use serde_json::json;
use sophos_isolation::{
    EndpointCandidate, HostIdentity, IdentifierKind, Liveness, ResolutionTimes, Unresolved, choose,
    hostname::{NameMatch, match_names},
    signal::HostIdentifiers,
};

const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
const MAC: &str = "02:00:00:00:00:01";
const NOW: Duration = Duration::from_secs(1_700_000_000);

fn endpoint(number: u8, hostname: &str) -> EndpointCandidate {
    let members = json!({
        "id": format!("00000000-0000-4000-8000-0000000000{number:02}"),
        "hostname": hostname,
        "macAddresses": [format!("02:00:00:00:00:{number:02}")],
        "online": true,
    });
    EndpointCandidate {
        tenant: TENANT.to_owned(),
        endpoint: serde_json::from_str(&members.to_string()).expect("an endpoint"),
    }
}

/// The index of the endpoint found by a name, and by a MAC address if given.
fn resolve_number(name: &str, mac: Option<&str>, endpoints: &[&str]) -> Result<Option<usize>, Unresolved> {
    let mut facts = HostIdentifiers::default();
    facts.hostnames.push(name.to_owned());
    facts.mac_addresses.extend(mac.map(str::to_owned));
    let identity = HostIdentity::from_identifiers(&facts).expect("a name");
    let candidates: Vec<_> = (1..).zip(endpoints).map(|(number, name)| endpoint(number, name)).collect();
    let within = Duration::from_secs(900);
    let liveness = Liveness { seen_within: within, address_seen_within: within };
    let times = ResolutionTimes { liveness, now: NOW, observed_at: Some(NOW), evaluated_at: NOW };
    let kind = if mac.is_some() { IdentifierKind::MacAddress } else { IdentifierKind::Hostname };
    let found = choose(&identity, kind, &candidates, &times)?;
    Ok(found.map(|one| one.endpoint.id[30..].parse().expect("a number")))
}

#[test]
fn match_names_is_ambiguous_when_names_are_similar() {
    for (given, own, fit) in [
        ("dc01", "DC01.corp.example", NameMatch::Exact),
        ("büro", "BU\u{308}RO", NameMatch::Exact),
        ("dс01", "dc01", NameMatch::Ambiguous),
        ("ｄｃ01", "dc01", NameMatch::Ambiguous),
        ("d\u{200b}c01.corp.example", "dc01", NameMatch::Ambiguous),
        ("fırın", "FIRIN", NameMatch::Ambiguous),
        ("straße", "STRASSE", NameMatch::Ambiguous),
        ("xn--bcher-kva", "bücher", NameMatch::Ambiguous),
        ("web_1", "web-1", NameMatch::Ambiguous),
        ("ｗｅｂ.a.example", "web.b.example", NameMatch::None),
        ("web-1", "web-2", NameMatch::None),
        ("dc01", "dc0l", NameMatch::None),
    ] {
        assert_eq!(match_names(given, own, false), fit, "{given:?} {own:?}");
        assert_eq!(match_names(own, given, false), fit, "{own:?} {given:?}");
    }
}

#[test]
fn similar_name_is_not_chosen_and_competes() {
    let several = Err(Unresolved::Ambiguous { count: 2, kind: IdentifierKind::Hostname });
    assert_eq!(resolve_number("fırın", None, &["firin"]), Ok(None));
    assert_eq!(resolve_number("fırın", None, &["fırın"]), Ok(Some(1)));
    assert_eq!(resolve_number("fırın", None, &["firin", "fırın"]), several);
    assert_eq!(resolve_number("web-1", None, &["web_1"]), Ok(None));
    assert_eq!(resolve_number("web-1", None, &["web_1", "web-1"]), several);
    // A fully qualified name is exact.
    let endpoints = ["web_1.corp.example", "web-1.corp.example"];
    assert_eq!(resolve_number("web-1.corp.example", None, &endpoints), Ok(Some(2)));
}

#[test]
fn similar_name_contradicts_mac_address() {
    assert_eq!(resolve_number("firin", Some(MAC), &["FIRIN"]), Ok(Some(1)));
    let contradiction = Err(Unresolved::Contradiction { kind: IdentifierKind::MacAddress });
    assert_eq!(resolve_number("fırın", Some(MAC), &["FIRIN"]), contradiction);
    assert_eq!(resolve_number("dс01", Some(MAC), &["dc01"]), contradiction);
}
