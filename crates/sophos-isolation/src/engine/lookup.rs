//! Asking the service for the endpoints that a host may be.

use std::time::Duration;

use sophos_api::{
    Caller, ErrorKind, Raw, Record, TenantClient, TenantId, Transport,
    models::{Endpoint, EndpointView},
    operations::endpoints::ListEndpoints,
};

use super::{Engine, EngineError};
use crate::{
    hostname::{first_label, folded, spellings},
    identity::{FactKind, Identity},
    ledger::Objects,
    outcome::Outcomes,
    policy::Policy,
    resolve::{Candidate, Directory, Liveness, Resolution, Times, Unresolved, matches, resolve},
};

/// Endpoints a page.
const PAGE: u32 = 500;

/// Candidates that are kept for one host.
const MAX_CANDIDATES: usize = 5_000;

/// Endpoints that are listed for one host.
const MAX_LISTED: usize = 1_000_000;

/// Characters of `hostnameContains` that the service compares.
const COMPARED: usize = 10;

/// The times of an alert, since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlertTimes {
    /// When it was observed; `None` when that cannot be read.
    pub(super) alert: Option<Duration>,
    /// When it came in.
    pub(super) received: Duration,
    /// When its age counts.
    pub(super) judged: Duration,
}

/// The endpoints of some tenants.
struct Tenants<T> {
    tenants: Vec<TenantClient<T>>,
}

/// Why a listing did not give candidates.
enum LookupError {
    /// The host is not resolved.
    Unresolved(Unresolved),
    /// The service failed.
    Service(sophos_api::Error),
}

impl From<sophos_api::Error> for LookupError {
    fn from(error: sophos_api::Error) -> Self {
        Self::Service(error)
    }
}

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
        times: AlertTimes,
        stop_at: Option<Duration>,
    ) -> Result<Resolution, EngineError> {
        let ages = policy.endpoints();
        let liveness =
            Liveness { seen_within: ages.seen_within, address_seen_within: ages.address_seen_within };
        let mut directory = Tenants { tenants: Vec::with_capacity(tenants.len()) };
        for id in tenants {
            directory.tenants.push(self.tenant(id, stop_at).await?);
        }
        let AlertTimes { alert, judged, .. } = times;
        let times = Times { liveness, now: self.service_now(), alert, judged };
        match resolve(&directory, identity, &times).await {
            Ok(resolution) => Ok(resolution),
            Err(LookupError::Unresolved(why)) => Ok(Resolution { outcome: Err(why), considered: Vec::new() }),
            Err(LookupError::Service(error)) => Err(error.into()),
        }
    }
}

impl<T: Transport + 'static> Directory for Tenants<T> {
    type Error = LookupError;

    async fn candidates(&self, identity: &Identity, kind: FactKind) -> Result<Vec<Candidate>, LookupError> {
        let mut listing = Listing { identity, kind, listed: 0, candidates: Vec::new() };
        for tenant in &self.tenants {
            match kind {
                FactKind::Hostname => {
                    for label in labels(identity) {
                        listing.by_name(tenant, &label).await?;
                    }
                }
                _ => listing.whole(tenant, question(identity, kind)).await?,
            }
        }
        Ok(listing.candidates)
    }
}

/// The candidates found so far for one kind of identifier.
struct Listing<'i> {
    identity: &'i Identity,
    kind: FactKind,
    listed: usize,
    candidates: Vec<Candidate>,
}

impl Listing<'_> {
    /// Lists the endpoints whose names may begin with a label. `hostnameContains`
    /// compares ten characters of it, so that `search` comes first for a longer one.
    async fn by_name<T: Transport>(
        &mut self,
        tenant: &TenantClient<T>,
        label: &str,
    ) -> Result<(), LookupError> {
        let searched = match label.chars().count() > COMPARED {
            true => search(tenant, label).await?,
            false => None,
        };
        let is_unknown = match searched {
            Some(found) if has_part(&found, label) => return self.take(tenant, found),
            Some(found) => found.is_empty(),
            None => false,
        };
        let compared: String = label.chars().take(COMPARED).collect();
        let mut pages = tenant.pages(ListEndpoints { hostname_contains: Some(compared), ..whole() });
        let Some(first) = pages.next().await else { return Ok(()) };
        let first = first?.items;
        let sample = first.iter().find_map(name_of);
        let known = self.candidates.len();
        self.take(tenant, first)?;
        // Where the search finds another name by a part of it, it would have found
        // this one, too.
        if pages.position().is_some()
            && is_unknown
            && self.candidates.len() == known
            && let Some(sample) = sample
            && search(tenant, &sample).await?.is_some_and(|found| has_part(&found, &sample))
        {
            return Ok(());
        }
        while let Some(page) = pages.next().await {
            self.take(tenant, page?.items)?;
        }
        Ok(())
    }

    async fn whole<T: Transport>(
        &mut self,
        tenant: &TenantClient<T>,
        question: ListEndpoints,
    ) -> Result<(), LookupError> {
        let mut pages = tenant.pages(question);
        while let Some(page) = pages.next().await {
            self.take(tenant, page?.items)?;
        }
        Ok(())
    }

    /// Keeps the endpoints of a page that have the identifier. One that cannot be
    /// read could be the second that is meant, so it is not passed over.
    fn take<T: Transport>(
        &mut self,
        tenant: &TenantClient<T>,
        items: Vec<Raw<Endpoint>>,
    ) -> Result<(), LookupError> {
        self.listed += items.len();
        for item in items {
            let Ok(endpoint) = item.read() else {
                return Err(LookupError::Unresolved(Unresolved::Foreign));
            };
            self.keep(tenant, endpoint);
        }
        if self.candidates.len() > MAX_CANDIDATES || self.listed > MAX_LISTED {
            return Err(LookupError::Unresolved(Unresolved::TooMany));
        }
        Ok(())
    }

    fn keep<T: Transport>(&mut self, tenant: &TenantClient<T>, endpoint: Record<Endpoint>) {
        if matches(self.identity, self.kind, &endpoint) {
            self.candidates.push(Candidate { tenant: tenant.id().as_str().to_ascii_lowercase(), endpoint });
        }
    }
}

/// The endpoints that the service's `search` finds for a name without its first
/// character; `None` when it is not offered, or finds more than a page.
///
/// How `search` compares is not documented. An answer with the name itself proves
/// that it looks for parts of names, so that no name with this part is missing.
async fn search<T: Transport>(
    tenant: &TenantClient<T>,
    name: &str,
) -> Result<Option<Vec<Raw<Endpoint>>>, LookupError> {
    let search = name.chars().skip(1).collect();
    let question = ListEndpoints { search: Some(search), search_fields: vec!["hostname".into()], ..whole() };
    let mut pages = tenant.pages(question);
    match pages.next().await {
        Some(Ok(page)) => Ok(pages.position().is_none().then_some(page.items)),
        Some(Err(error)) if error.kind() == ErrorKind::Invalid => Ok(None),
        Some(Err(error)) => Err(error.into()),
        None => Ok(None),
    }
}

/// Whether a name of these endpoints holds more than what was searched for.
fn has_part(found: &[Raw<Endpoint>], name: &str) -> bool {
    found.iter().filter_map(name_of).any(|own| own.starts_with(name))
}

/// The name of an endpoint, as names are compared.
fn name_of(item: &Raw<Endpoint>) -> Option<String> {
    let endpoint: Endpoint = item.peek().ok()?;
    endpoint.hostname.as_deref().map(folded)
}

fn whole() -> ListEndpoints {
    ListEndpoints { view: Some(EndpointView::Full), page_size: Some(PAGE), ..ListEndpoints::default() }
}

/// The first labels of the host's names, each once.
fn labels(identity: &Identity) -> Vec<String> {
    let mut labels: Vec<String> =
        identity.names().flat_map(|name| spellings(first_label(&folded(name)))).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// The question to the service for one kind of identifier other than a name.
fn question(identity: &Identity, kind: FactKind) -> ListEndpoints {
    match kind {
        FactKind::EndpointId => {
            ListEndpoints { ids: identity.endpoint_id.iter().cloned().collect(), ..whole() }
        }
        FactKind::Ec2InstanceId => {
            let cloud = identity.ec2_instance_id.iter().map(|id| format!("aws:{id}")).collect();
            ListEndpoints { cloud, ..whole() }
        }
        FactKind::MacAddress => {
            let mac_addresses = identity.mac_addresses.iter().map(|digits| with_colons(digits)).collect();
            ListEndpoints { mac_addresses, ..whole() }
        }
        FactKind::IpAddress | FactKind::Hostname => {
            let ip_addresses = identity.ip_addresses.iter().map(ToString::to_string).collect();
            ListEndpoints { ip_addresses, ..whole() }
        }
    }
}

fn with_colons(digits: &str) -> String {
    let pairs: Vec<_> = digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair)).collect();
    pairs.join(":")
}
