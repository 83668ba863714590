//! Regression tests for inputs that the fuzz targets found.

use std::time::Duration;

use serde_json::{Value, json};
use sophos_isolation::{
    EndpointCandidate, HostIdentity, IdentifierKind, Liveness, ResolutionTimes, Unresolved, choose,
    signal::HostIdentifiers,
};

const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
const OTHER: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
const ENDPOINT: &str = "6e9567ea-bb50-40c5-9f12-42eb308e4c9b";
/// 2023-11-14T22:13:20Z.
const NOW: Duration = Duration::from_secs(1_700_000_000);

fn candidate(tenant: &str, members: Value) -> EndpointCandidate {
    let mut record = json!({"id": ENDPOINT, "hostname": "web01"});
    for (name, value) in members.as_object().expect("members") {
        record[name] = value.clone();
    }
    EndpointCandidate {
        tenant: tenant.into(),
        endpoint: serde_json::from_str(&record.to_string()).expect("an endpoint"),
    }
}

/// The index of the endpoint found for the name `web01`.
fn resolve_index(candidates: &[EndpointCandidate]) -> Result<Option<usize>, Unresolved> {
    let mut facts = HostIdentifiers::default();
    facts.hostnames.push("web01".into());
    let identity = HostIdentity::from_identifiers(&facts).expect("a name");
    let liveness =
        Liveness { seen_within: Duration::from_secs(86_400), address_seen_within: Duration::from_secs(900) };
    let times = ResolutionTimes { liveness, now: NOW, observed_at: Some(NOW), evaluated_at: NOW };
    let found = choose(&identity, IdentifierKind::Hostname, candidates, &times)?;
    Ok(found.and_then(|found| candidates.iter().position(|candidate| std::ptr::eq(candidate, found))))
}

#[test]
fn resolve_uses_the_newest_record_of_an_endpoint() {
    let old = candidate(TENANT, json!({"lastSeenAt": "2023-01-01T00:00:00Z"}));
    let new = candidate(TENANT, json!({"lastSeenAt": "2023-11-14T22:00:00Z"}));
    let renamed = candidate(TENANT, json!({"lastSeenAt": "2023-11-14T22:00:01Z", "hostname": "db01"}));
    assert_eq!(resolve_index(&[old.clone(), new.clone()]), Ok(Some(1)));
    assert_eq!(resolve_index(&[new.clone(), old]), Ok(Some(0)));
    assert_eq!(resolve_index(&[new.clone(), renamed.clone()]), Ok(None));
    assert_eq!(resolve_index(&[renamed, new]), Ok(None));
}

#[test]
fn resolve_treats_endpoint_as_cloned_when_any_record_is() {
    let plain = candidate(TENANT, json!({"online": true}));
    let cloned = candidate(TENANT, json!({"online": true, "cloned": true}));
    assert_eq!(resolve_index(&[plain.clone(), cloned.clone()]), Err(Unresolved::Cloned));
    assert_eq!(resolve_index(&[cloned, plain]), Err(Unresolved::Cloned));
}

#[test]
fn resolve_counts_each_endpoint_once() {
    let [here, there] = [TENANT, OTHER].map(|tenant| candidate(tenant, json!({"online": true})));
    let several = Err(Unresolved::Ambiguous { count: 2, kind: IdentifierKind::Hostname });
    assert_eq!(resolve_index(&[here.clone(), there, here]), several);
}
