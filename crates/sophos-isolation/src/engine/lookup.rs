//! Asking the service for the endpoints that a host may be.

use std::time::Duration;

use sophos_api::{
    Caller, Record, TenantClient, TenantId, Transport,
    models::{Endpoint, EndpointView},
    operations::endpoints::ListEndpoints,
};

use super::{Engine, EngineError};
use crate::{
    hostname::first_label,
    identity::{FactKind, Identity},
    ledger::Objects,
    outcome::Outcomes,
    policy::Policy,
    resolve::{Candidate, Liveness, Unresolved, choose},
};

/// Endpoints a page.
const PAGE: u32 = 500;

/// Endpoints that are looked through for one host: so many may share the ten
/// characters of a host name that the service looks at.
const MOST_CANDIDATES: usize = 20_000;

/// Characters of a host name that the service looks at.
const LOOKED_AT: usize = 10;

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: Objects,
    N: Outcomes,
{
    /// The one endpoint that a host is among those of several tenants.
    pub(super) async fn resolve(
        &self,
        policy: &Policy,
        tenants: &[TenantId],
        identity: &Identity,
        stop_at: Option<Duration>,
    ) -> Result<Result<(String, Record<Endpoint>), Unresolved>, EngineError> {
        let ages = policy.endpoints();
        let liveness =
            Liveness { seen_within: ages.seen_within, address_seen_within: ages.address_seen_within };
        for kind in identity.kinds() {
            let mut candidates = Vec::new();
            for id in tenants {
                let tenant = self.tenant(id, stop_at).await?;
                for question in questions(identity, kind) {
                    if let Err(why) = list(&tenant, question, &mut candidates).await? {
                        return Ok(Err(why));
                    }
                }
            }
            match choose(identity, kind, &candidates, &liveness, self.service_now()) {
                Ok(Some(found)) => return Ok(Ok((found.tenant.clone(), found.endpoint.clone()))),
                Ok(None) => {}
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Err(Unresolved::NotFound))
    }
}

/// What to ask the service for one kind of fact.
fn questions(identity: &Identity, kind: FactKind) -> Vec<ListEndpoints> {
    let whole = || ListEndpoints {
        view: Some(EndpointView::Full),
        page_size: Some(PAGE),
        ..ListEndpoints::default()
    };
    match kind {
        FactKind::EndpointId => {
            identity.endpoint_id.iter().map(|id| ListEndpoints { ids: vec![id.clone()], ..whole() }).collect()
        }
        FactKind::Ec2InstanceId => {
            let cloud = identity.ec2_instance_id.iter();
            cloud.map(|id| ListEndpoints { cloud: vec![format!("aws:{id}")], ..whole() }).collect()
        }
        FactKind::MacAddress => {
            let mac_addresses = identity.mac_addresses.iter().map(|digits| with_colons(digits)).collect();
            vec![ListEndpoints { mac_addresses, ..whole() }]
        }
        FactKind::Hostname => {
            let mut parts: Vec<String> = identity
                .hostnames
                .iter()
                .map(|name| first_label(name).chars().take(LOOKED_AT).collect::<String>().to_lowercase())
                .collect();
            parts.sort_unstable();
            parts.dedup();
            let ask = |part| ListEndpoints { hostname_contains: Some(part), ..whole() };
            parts.into_iter().map(ask).collect()
        }
        FactKind::IpAddress => {
            let ip_addresses = identity.ip_addresses.iter().map(ToString::to_string).collect();
            vec![ListEndpoints { ip_addresses, ..whole() }]
        }
    }
}

fn with_colons(digits: &str) -> String {
    let pairs: Vec<_> = digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair)).collect();
    pairs.join(":")
}

/// Reads a whole listing. An endpoint that cannot be read could be the second
/// that is meant, so it is not passed over.
async fn list<T: Transport>(
    tenant: &TenantClient<T>,
    question: ListEndpoints,
    candidates: &mut Vec<Candidate>,
) -> Result<Result<(), Unresolved>, sophos_api::Error> {
    let id = tenant.id().as_str().to_ascii_lowercase();
    let mut pages = tenant.pages(question);
    while let Some(page) = pages.next().await {
        for item in page?.items {
            let Ok(endpoint) = item.read() else { return Ok(Err(Unresolved::Foreign)) };
            candidates.push(Candidate { tenant: id.clone(), endpoint });
        }
        if candidates.len() > MOST_CANDIDATES {
            return Ok(Err(Unresolved::TooMany));
        }
    }
    Ok(Ok(()))
}
