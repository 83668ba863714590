//! Asking the service for the endpoints that a host may be.

use std::time::Duration;

use sophos_api::{
    ApiClient, ErrorKind, Raw, TenantClient, TenantId, Transport, WithRaw,
    models::{Endpoint, EndpointView},
    operations::endpoints::ListEndpoints,
};

use super::{Engine, EngineError};
use crate::{
    hostname::{first_label, fold_name, normalization_forms},
    identity::{HostIdentity, IdentifierKind},
    ledger::LedgerStore,
    outcome::OutcomePublisher,
    policy::Policy,
    resolve::{
        EndpointCandidate, EndpointDirectory, Liveness, Resolution, ResolutionTimes, Unresolved, matches,
        resolve,
    },
};

/// Endpoints a page.
const PAGE_SIZE: u32 = 500;

/// Candidates that are kept for one host.
const MAX_CANDIDATES: usize = 5_000;

/// Endpoints that are listed for one host.
const MAX_LISTED: usize = 1_000_000;

/// Characters of `hostnameContains` that the service compares.
const HOSTNAME_CONTAINS_LEN: usize = 10;

/// The times of an alert, since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlertTimes {
    /// When it was observed; `None` when that cannot be read.
    pub(super) observed_at: Option<Duration>,
    /// When it came in.
    pub(super) received_at: Duration,
    /// When its age counts.
    pub(super) evaluated_at: Duration,
}

/// The endpoints of some tenants.
struct TenantDirectory<T> {
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
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// The one endpoint that a host is among those of several tenants.
    pub(super) async fn resolve(
        &self,
        policy: &Policy,
        tenants: &[TenantId],
        identity: &HostIdentity,
        times: AlertTimes,
        deadline: Option<Duration>,
    ) -> Result<Resolution, EngineError> {
        let ages = policy.endpoints();
        let liveness =
            Liveness { seen_within: ages.seen_within, address_seen_within: ages.address_seen_within };
        let mut directory = TenantDirectory { tenants: Vec::with_capacity(tenants.len()) };
        for id in tenants {
            directory.tenants.push(self.tenant(id, deadline).await?);
        }
        let AlertTimes { observed_at: alert, evaluated_at: judged, .. } = times;
        let times =
            ResolutionTimes { liveness, now: self.service_now(), observed_at: alert, evaluated_at: judged };
        match resolve(&directory, identity, &times).await {
            Ok(resolution) => Ok(resolution),
            Err(LookupError::Unresolved(why)) => Ok(Resolution { outcome: Err(why), rejected: Vec::new() }),
            Err(LookupError::Service(error)) => Err(error.into()),
        }
    }
}

impl<T: Transport + 'static> EndpointDirectory for TenantDirectory<T> {
    type Error = LookupError;

    async fn candidates(
        &self,
        identity: &HostIdentity,
        kind: IdentifierKind,
    ) -> Result<Vec<EndpointCandidate>, LookupError> {
        let mut listing = CandidateSearch { identity, kind, listed: 0, candidates: Vec::new() };
        for tenant in &self.tenants {
            match kind {
                IdentifierKind::Hostname => {
                    for label in first_labels(identity) {
                        listing.search_by_name(tenant, &label).await?;
                    }
                }
                _ => listing.collect_all(tenant, identifier_query(identity, kind)).await?,
            }
        }
        Ok(listing.candidates)
    }
}

/// The candidates found so far for one kind of identifier.
struct CandidateSearch<'i> {
    identity: &'i HostIdentity,
    kind: IdentifierKind,
    listed: usize,
    candidates: Vec<EndpointCandidate>,
}

impl CandidateSearch<'_> {
    /// Lists the endpoints whose names may begin with a label. `hostnameContains`
    /// compares ten characters of it, so that `search` comes first for a longer one.
    async fn search_by_name<T: Transport>(
        &mut self,
        tenant: &TenantClient<T>,
        label: &str,
    ) -> Result<(), LookupError> {
        let searched = match label.chars().count() > HOSTNAME_CONTAINS_LEN {
            true => search_hostname(tenant, label).await?,
            false => None,
        };
        let is_unknown = match searched {
            Some(found) if includes_name(&found, label) => return self.add_page(tenant, found),
            Some(found) => found.is_empty(),
            None => false,
        };
        let compared: String = label.chars().take(HOSTNAME_CONTAINS_LEN).collect();
        let mut pages = tenant.pages(full_view_query().hostname_contains(compared));
        let Some(first) = pages.next().await else { return Ok(()) };
        let first = first?.items;
        let sample = first.iter().find_map(folded_hostname);
        let known = self.candidates.len();
        self.add_page(tenant, first)?;
        // Where the search finds another name by a part of it, it would have found
        // this one, too.
        if pages.position().is_some()
            && is_unknown
            && self.candidates.len() == known
            && let Some(sample) = sample
            && search_hostname(tenant, &sample).await?.is_some_and(|found| includes_name(&found, &sample))
        {
            return Ok(());
        }
        while let Some(page) = pages.next().await {
            self.add_page(tenant, page?.items)?;
        }
        Ok(())
    }

    async fn collect_all<T: Transport>(
        &mut self,
        tenant: &TenantClient<T>,
        question: ListEndpoints,
    ) -> Result<(), LookupError> {
        let mut pages = tenant.pages(question);
        while let Some(page) = pages.next().await {
            self.add_page(tenant, page?.items)?;
        }
        Ok(())
    }

    /// Keeps the endpoints of a page that have the identifier. One that cannot be
    /// read could be the second that is meant, so it is not passed over.
    fn add_page<T: Transport>(
        &mut self,
        tenant: &TenantClient<T>,
        items: Vec<Raw<Endpoint>>,
    ) -> Result<(), LookupError> {
        self.listed += items.len();
        for item in items {
            let Ok(endpoint) = item.parse() else {
                return Err(LookupError::Unresolved(Unresolved::InvalidEndpoint));
            };
            self.add_if_match(tenant, endpoint);
        }
        if self.candidates.len() > MAX_CANDIDATES || self.listed > MAX_LISTED {
            return Err(LookupError::Unresolved(Unresolved::TooMany));
        }
        Ok(())
    }

    fn add_if_match<T: Transport>(&mut self, tenant: &TenantClient<T>, endpoint: WithRaw<Endpoint>) {
        if matches(self.identity, self.kind, &endpoint) {
            self.candidates
                .push(EndpointCandidate { tenant: tenant.id().as_str().to_ascii_lowercase(), endpoint });
        }
    }
}

/// The endpoints that the service's `search` finds for a name without its first
/// character; `None` when it is not offered, or finds more than a page.
///
/// How `search` compares is not documented. An answer with the name itself proves
/// that it looks for parts of names, so that no name with this part is missing.
async fn search_hostname<T: Transport>(
    tenant: &TenantClient<T>,
    name: &str,
) -> Result<Option<Vec<Raw<Endpoint>>>, LookupError> {
    let search: String = name.chars().skip(1).collect();
    let question = full_view_query().search(search).search_fields(["hostname"]);
    let mut pages = tenant.pages(question);
    match pages.next().await {
        Some(Ok(page)) => Ok(pages.position().is_none().then_some(page.items)),
        Some(Err(error)) if error.kind() == ErrorKind::Invalid => Ok(None),
        Some(Err(error)) => Err(error.into()),
        None => Ok(None),
    }
}

/// Whether a name of these endpoints holds more than what was searched for.
fn includes_name(found: &[Raw<Endpoint>], name: &str) -> bool {
    found.iter().filter_map(folded_hostname).any(|own| own.starts_with(name))
}

/// The name of an endpoint, as names are compared.
fn folded_hostname(item: &Raw<Endpoint>) -> Option<String> {
    let endpoint: Endpoint = item.parse_as().ok()?;
    endpoint.hostname.as_deref().map(fold_name)
}

fn full_view_query() -> ListEndpoints {
    ListEndpoints::new().view(EndpointView::Full).page_size(PAGE_SIZE)
}

/// The first labels of the host's names, each once.
fn first_labels(identity: &HostIdentity) -> Vec<String> {
    let mut labels: Vec<String> =
        identity.names().flat_map(|name| normalization_forms(first_label(&fold_name(name)))).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// The question to the service for one kind of identifier other than a name.
fn identifier_query(identity: &HostIdentity, kind: IdentifierKind) -> ListEndpoints {
    match kind {
        IdentifierKind::EndpointId => full_view_query().ids(identity.endpoint_id.iter().cloned()),
        IdentifierKind::Ec2InstanceId => {
            full_view_query().cloud(identity.ec2_instance_id.iter().map(|id| format!("aws:{id}")))
        }
        IdentifierKind::MacAddress => full_view_query()
            .mac_addresses(identity.mac_addresses.iter().map(|digits| format_mac_address(digits))),
        IdentifierKind::IpAddress | IdentifierKind::Hostname => {
            full_view_query().ip_addresses(identity.ip_addresses.iter().map(ToString::to_string))
        }
    }
}

fn format_mac_address(digits: &str) -> String {
    let pairs: Vec<_> = digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair)).collect();
    pairs.join(":")
}
