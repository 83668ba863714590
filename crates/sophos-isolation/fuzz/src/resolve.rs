//! Host identifiers and listed endpoints from few values, so that they often match.

use std::time::Duration;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use serde_json::{Value, json};
use sophos_isolation::{
    EndpointCandidate, HostIdentity, IdentifierKind, Liveness, ResolutionTimes, Unresolved, choose,
    hostname::is_same_host, signal::HostIdentifiers,
};

use crate::message::NOW;

const TENANTS: [&str; 2] = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f", "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"];
const IDS: [&str; 4] = [
    "6e9567ea-bb50-40c5-9f12-42eb308e4c9b",
    "6E9567EA-BB50-40C5-9F12-42EB308E4C9B",
    "25de27bc-b07a-4728-b7b2-a021365ebbcd",
    "not-an-id",
];
const INSTANCES: [&str; 4] = ["i-0123456789abcdef0", "I-0123456789ABCDEF0", "i-0fedcba9876543210", ""];
const MACS: [&str; 5] =
    ["00:50:56:aa:bb:01", "0050.56AA.BB01", "00-50-56-aa-bb-02", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"];
const NAMES: [&str; 8] =
    ["web01", "WEB01.", "web01.a.example", "web01.b.example", "web02", "CORP\\web01$", "localhost", ""];
const ADDRESSES: [&str; 6] =
    ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2", "fd00::1", "198.51.100.7", "127.0.0.1"];

/// One case.
#[derive(Debug, Arbitrary)]
pub struct Case {
    host: Host,
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Arbitrary)]
struct Host {
    id: Option<u8>,
    instance: Option<u8>,
    macs: Vec<u8>,
    names: Vec<u8>,
    addresses: Vec<u8>,
    /// A name in no list.
    custom_name: Option<String>,
}

#[derive(Debug, Arbitrary)]
struct Endpoint {
    tenant: u8,
    listed_tenant: Option<u8>,
    id: u8,
    instance: Option<u8>,
    macs: Vec<u8>,
    name: Option<u8>,
    custom_name: Option<String>,
    addresses: Vec<u8>,
    online: Option<bool>,
    cloned: Option<bool>,
    seen_ago: Option<u32>,
}

fn pick<'t>(list: &[&'t str], number: u8) -> &'t str {
    list[usize::from(number) % list.len()]
}

fn pick_all(list: &[&str], numbers: &[u8]) -> Vec<String> {
    numbers.iter().take(4).map(|number| pick(list, *number).to_owned()).collect()
}

impl Host {
    fn identifiers(&self) -> HostIdentifiers {
        let mut facts = HostIdentifiers::default();
        facts.endpoint_id = self.id.map(|id| pick(&IDS, id).to_owned());
        facts.ec2_instance_id = self.instance.map(|id| pick(&INSTANCES, id).to_owned());
        facts.mac_addresses = pick_all(&MACS, &self.macs);
        facts.hostnames = pick_all(&NAMES, &self.names);
        facts.hostnames.extend(self.custom_name.clone());
        facts.ip_addresses = pick_all(&ADDRESSES, &self.addresses);
        facts
    }
}

impl Endpoint {
    fn candidate(&self) -> EndpointCandidate {
        let name = self.custom_name.clone().or(self.name.map(|name| pick(&NAMES, name).to_owned()));
        let addresses = pick_all(&ADDRESSES, &self.addresses);
        let (six, four): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.contains(':'));
        let seen = self.seen_ago.map(|ago| rfc3339(NOW.saturating_sub(u64::from(ago))));
        let members = json!({
            "id": pick(&IDS, self.id),
            "tenant": self.listed_tenant.map(|tenant| json!({"id": pick(&TENANTS, tenant).to_uppercase()})),
            "hostname": name,
            "macAddresses": pick_all(&MACS, &self.macs),
            "ipv4Addresses": four,
            "ipv6Addresses": six,
            "cloud": self.instance.map(|id| json!({"provider": "aws", "instanceId": pick(&INSTANCES, id)})),
            "online": self.online,
            "cloned": self.cloned,
            "lastSeenAt": seen,
        });
        EndpointCandidate {
            tenant: pick(&TENANTS, self.tenant).to_owned(),
            endpoint: serde_json::from_str(&members.to_string()).expect("an endpoint"),
        }
    }
}

/// Checks that at most one endpoint is found, in any order of the list, and that it has the given
/// identifiers.
pub fn check(case: &Case) {
    let facts = case.host.identifiers();
    let Ok(identity) = HostIdentity::from_identifiers(&facts) else { return };
    let candidates: Vec<EndpointCandidate> = case.endpoints.iter().take(6).map(Endpoint::candidate).collect();
    let turned: Vec<EndpointCandidate> = candidates.iter().rev().cloned().collect();
    let twice: Vec<EndpointCandidate> = candidates.iter().chain(&candidates).cloned().collect();
    for kind in IdentifierKind::ALL {
        let found = choose_one(&identity, kind, &candidates);
        assert_eq!(found, choose_one(&identity, kind, &turned), "the order decides nothing");
        assert_eq!(found, choose_one(&identity, kind, &twice), "listed twice is the same endpoint");
        if !identity.kinds().any(|own| own == kind) && kind != IdentifierKind::EndpointId {
            continue;
        }
        match &found {
            Ok(Some((tenant, id))) => {
                let chosen: Vec<&EndpointCandidate> = candidates
                    .iter()
                    .filter(|candidate| {
                        candidate.tenant == *tenant && candidate.endpoint.id.eq_ignore_ascii_case(id)
                    })
                    .collect();
                let is_meant = chosen.iter().any(|one| check_chosen(&facts, kind, one));
                assert!(is_meant, "wrong isolation: {facts:?} {chosen:?}");
            }
            Ok(None) => {}
            Err(Unresolved::Ambiguous { count, kind: by }) => {
                assert!(*count > 1 && *by == kind);
            }
            Err(Unresolved::Contradiction { kind: by }) => assert_eq!(*by, kind),
            Err(why) => assert!(!why.to_string().is_empty() && !why.code().is_empty()),
        }
    }
}

/// The tenant and the id of the endpoint found.
fn choose_one(
    identity: &HostIdentity,
    kind: IdentifierKind,
    candidates: &[EndpointCandidate],
) -> Result<Option<(String, String)>, Unresolved> {
    let liveness = Liveness {
        seen_within: Duration::from_secs(30 * 86_400),
        address_seen_within: Duration::from_secs(900),
    };
    let now = Duration::from_secs(NOW);
    let times = ResolutionTimes { liveness, now, observed_at: Some(now), evaluated_at: now };
    let found = choose(identity, kind, candidates, &times)?;
    Ok(found.map(|one| (one.tenant.clone(), one.endpoint.id.to_ascii_lowercase())))
}

/// Whether an endpoint has the identifier that found it, contradicts no strong identifier, belongs
/// to its tenant, and is active.
fn check_chosen(facts: &HostIdentifiers, kind: IdentifierKind, candidate: &EndpointCandidate) -> bool {
    let raw: Value = serde_json::from_str(candidate.endpoint.raw()).expect("JSON");
    let texts = |name: &str| -> Vec<String> {
        let list = raw[name].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let digits = |mac: &String| mac.to_ascii_lowercase().replace([':', '-', '.'], "");
    let is_mac = |mac: &String| !["000000000000", "ffffffffffff"].contains(&mac.as_str());
    let own_macs: Vec<String> = texts("macAddresses").iter().map(digits).filter(is_mac).collect();
    let said_macs: Vec<String> = facts.mac_addresses.iter().map(digits).filter(is_mac).collect();
    let shares_mac = own_macs.iter().any(|mac| said_macs.contains(mac));
    let own_instance = raw["cloud"]["instanceId"].as_str().filter(|id| !id.is_empty());
    let said_instance = facts.ec2_instance_id.as_deref().filter(|id| !id.is_empty());
    let same_instance = own_instance.zip(said_instance).map(|(own, said)| own.eq_ignore_ascii_case(said));
    let name = raw["hostname"].as_str().unwrap_or_default();
    let bare = |name: &str| {
        name.trim().rsplit('\\').next().unwrap_or_default().trim_end_matches(['$', '.']).to_owned()
    };
    let is_named = facts.hostnames.iter().any(|said| is_same_host(&bare(said), name));
    let plain = |address: &String| address.trim_start_matches("::ffff:").to_owned();
    let own: Vec<String> = texts("ipv4Addresses").iter().chain(&texts("ipv6Addresses")).map(plain).collect();
    let shares_address =
        facts.ip_addresses.iter().map(plain).any(|address| {
            (address.starts_with("10.") || address.starts_with("fd")) && own.contains(&address)
        });
    let found = match kind {
        IdentifierKind::EndpointId => {
            facts.endpoint_id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(&candidate.endpoint.id))
        }
        IdentifierKind::Ec2InstanceId => same_instance == Some(true),
        IdentifierKind::MacAddress => shares_mac,
        IdentifierKind::Hostname => is_named,
        IdentifierKind::IpAddress => shares_address,
    };
    let contradicts =
        same_instance == Some(false) || !own_macs.is_empty() && !said_macs.is_empty() && !shares_mac;
    let foreign = raw["tenant"]["id"].as_str().is_some_and(|id| !id.eq_ignore_ascii_case(&candidate.tenant));
    let seen = candidate.endpoint.last_seen_at.as_ref().and_then(|seen| seen.instant());
    let ago = seen.map(|seen| NOW.saturating_sub(seen.as_second() as u64));
    let alive = candidate.endpoint.online == Some(true) || ago.is_some_and(|ago| ago <= 30 * 86_400);
    let fresh = kind != IdentifierKind::IpAddress || ago.is_some_and(|ago| ago <= 900);
    let clone = candidate.endpoint.cloned == Some(true);
    found && !contradicts && !foreign && alive && fresh && !clone && candidate.endpoint.id != "not-an-id"
}

fn rfc3339(seconds: u64) -> String {
    jiff::Timestamp::from_second(seconds as i64).expect("a moment").to_string()
}
