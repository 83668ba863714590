//! Names that only resemble each other: neither is chosen for the other.

use std::time::Duration;

use serde_json::json;
use sophos_isolation::{
    Candidate, FactKind, Identity, Liveness, Times, Unresolved, choose,
    hostname::{NameFit, name_fit},
    signal::HostFacts,
};

const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
const MAC: &str = "02:00:00:00:00:01";
const NOW: Duration = Duration::from_secs(1_700_000_000);

fn endpoint(number: u8, hostname: &str) -> Candidate {
    let members = json!({
        "id": format!("00000000-0000-4000-8000-0000000000{number:02}"),
        "hostname": hostname,
        "macAddresses": [format!("02:00:00:00:00:{number:02}")],
        "online": true,
    });
    Candidate {
        tenant: TENANT.to_owned(),
        endpoint: serde_json::from_str(&members.to_string()).expect("an endpoint"),
    }
}

/// The number of the endpoint that a name, and a MAC address if any, lead to.
fn chosen(name: &str, mac: Option<&str>, endpoints: &[&str]) -> Result<Option<usize>, Unresolved> {
    let mut facts = HostFacts::default();
    facts.hostnames.push(name.to_owned());
    facts.mac_addresses.extend(mac.map(str::to_owned));
    let identity = Identity::read(&facts).expect("a name");
    let candidates: Vec<_> = (1..).zip(endpoints).map(|(number, name)| endpoint(number, name)).collect();
    let within = Duration::from_secs(900);
    let liveness = Liveness { seen_within: within, address_seen_within: within };
    let times = Times { liveness, now: NOW, alert: Some(NOW), judged: NOW };
    let kind = if mac.is_some() { FactKind::MacAddress } else { FactKind::Hostname };
    let found = choose(&identity, kind, &candidates, &times)?;
    Ok(found.map(|one| one.endpoint.id[30..].parse().expect("a number")))
}

#[test]
fn name_fit_is_doubtful_when_names_resemble() {
    for (given, own, fit) in [
        ("dc01", "DC01.corp.example", NameFit::Sure),
        ("büro", "BU\u{308}RO", NameFit::Sure),
        ("dс01", "dc01", NameFit::Doubtful),
        ("ｄｃ01", "dc01", NameFit::Doubtful),
        ("d\u{200b}c01.corp.example", "dc01", NameFit::Doubtful),
        ("fırın", "FIRIN", NameFit::Doubtful),
        ("straße", "STRASSE", NameFit::Doubtful),
        ("xn--bcher-kva", "bücher", NameFit::Doubtful),
        ("web_1", "web-1", NameFit::Doubtful),
        ("ｗｅｂ.a.example", "web.b.example", NameFit::None),
        ("web-1", "web-2", NameFit::None),
        ("dc01", "dc0l", NameFit::None),
    ] {
        assert_eq!(name_fit(given, own, false), fit, "{given:?} {own:?}");
        assert_eq!(name_fit(own, given, false), fit, "{own:?} {given:?}");
    }
}

#[test]
fn similar_name_is_not_chosen_and_competes() {
    let several = Err(Unresolved::Several { count: 2, kind: FactKind::Hostname });
    assert_eq!(chosen("fırın", None, &["firin"]), Ok(None));
    assert_eq!(chosen("fırın", None, &["fırın"]), Ok(Some(1)));
    assert_eq!(chosen("fırın", None, &["firin", "fırın"]), several);
    assert_eq!(chosen("web-1", None, &["web_1"]), Ok(None));
    assert_eq!(chosen("web-1", None, &["web_1", "web-1"]), several);
    // A full name is exact.
    let endpoints = ["web_1.corp.example", "web-1.corp.example"];
    assert_eq!(chosen("web-1.corp.example", None, &endpoints), Ok(Some(2)));
}

#[test]
fn similar_name_contradicts_mac_address() {
    assert_eq!(chosen("firin", Some(MAC), &["FIRIN"]), Ok(Some(1)));
    let contradiction = Err(Unresolved::Contradiction { kind: FactKind::MacAddress });
    assert_eq!(chosen("fırın", Some(MAC), &["FIRIN"]), contradiction);
    assert_eq!(chosen("dс01", Some(MAC), &["dc01"]), contradiction);
}
