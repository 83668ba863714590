//! The lookup of a host's candidates in Sophos Central.

use std::time::Duration;

use sophos_api::{
    ApiClient, ErrorKind, Raw, TenantClient, TenantId, Transport, WithRaw,
    models::{Endpoint, EndpointView},
    operations::endpoint::endpoints::ListEndpoints,
};

use super::{Engine, EngineError, evaluate::AlertTimes};
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

/// The number of endpoints in a page.
const PAGE_SIZE: u32 = 500;

/// The maximum number of candidates for one host.
const MAX_CANDIDATES: usize = 5_000;

/// The maximum number of endpoints that are listed for one host.
const MAX_LISTED: usize = 1_000_000;

/// The number of characters of `hostnameContains` that Sophos Central compares.
const HOSTNAME_CONTAINS_LEN: usize = 10;

/// The directory of the endpoints of several tenants.
struct TenantDirectory<T> {
    tenants: Vec<TenantClient<T>>,
}

/// The failure of a lookup.
enum LookupError {
    /// The host cannot be resolved.
    Unresolved(Unresolved),
    /// Sophos Central failed.
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
    /// Resolves a host to one endpoint of several tenants.
    pub(super) async fn resolve(
        &self,
        policy: &Policy,
        tenants: &[TenantId],
        identity: &HostIdentity,
        times: AlertTimes,
        deadline: Option<Duration>,
    ) -> Result<Resolution, EngineError> {
        let limits = policy.endpoints();
        let liveness =
            Liveness { seen_within: limits.seen_within, address_seen_within: limits.address_seen_within };
        let mut directory = TenantDirectory { tenants: Vec::with_capacity(tenants.len()) };
        for id in tenants {
            directory.tenants.push(self.tenant(id, deadline).await?);
        }
        let AlertTimes { observed_at, evaluated_at, .. } = times;
        let times = ResolutionTimes { liveness, now: self.service_now(), observed_at, evaluated_at };
        match resolve(&directory, identity, &times).await {
            Ok(resolution) => Ok(resolution),
            Err(LookupError::Unresolved(reason)) => {
                Ok(Resolution { outcome: Err(reason), rejected: Vec::new() })
            }
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
        let mut search = CandidateSearch { identity, kind, listed: 0, candidates: Vec::new() };
        for tenant in &self.tenants {
            match kind {
                IdentifierKind::Hostname => {
                    for label in first_labels(identity) {
                        search.search_by_name(tenant, &label).await?;
                    }
                }
                _ => search.collect_all(tenant, identifier_query(identity, kind)).await?,
            }
        }
        Ok(search.candidates)
    }
}

/// The search for the candidates of one kind of identifier.
struct CandidateSearch<'i> {
    identity: &'i HostIdentity,
    kind: IdentifierKind,
    listed: usize,
    candidates: Vec<EndpointCandidate>,
}

impl CandidateSearch<'_> {
    /// Lists the endpoints whose names may begin with a label. `hostnameContains`
    /// compares only its first ten characters, so a longer label first uses
    /// `search`.
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
        let count = self.candidates.len();
        self.add_page(tenant, first)?;
        // If `search` finds another endpoint by a part of its name, it would have
        // found this label as well.
        if pages.position().is_some()
            && is_unknown
            && self.candidates.len() == count
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
        query: ListEndpoints,
    ) -> Result<(), LookupError> {
        let mut pages = tenant.pages(query);
        while let Some(page) = pages.next().await {
            self.add_page(tenant, page?.items)?;
        }
        Ok(())
    }

    /// Adds the endpoints of a page that have the identifier. An endpoint that
    /// cannot be parsed could be a second match, so it fails the lookup.
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

/// Returns the endpoints that `search` finds for a name without its first
/// character; `None` when it is not supported or finds more than one page.
///
/// The comparison of `search` is not documented. A result with the whole name
/// proves that it finds parts of names, so no name with this part is missing.
async fn search_hostname<T: Transport>(
    tenant: &TenantClient<T>,
    name: &str,
) -> Result<Option<Vec<Raw<Endpoint>>>, LookupError> {
    let search: String = name.chars().skip(1).collect();
    let query = full_view_query().search(search).search_fields(["hostname"]);
    let mut pages = tenant.pages(query);
    match pages.next().await {
        Some(Ok(page)) => Ok(pages.position().is_none().then_some(page.items)),
        Some(Err(error)) if error.kind() == ErrorKind::Invalid => Ok(None),
        Some(Err(error)) => Err(error.into()),
        None => Ok(None),
    }
}

/// Whether one of these endpoints has a name that begins with `name`.
fn includes_name(found: &[Raw<Endpoint>], name: &str) -> bool {
    found.iter().filter_map(folded_hostname).any(|own| own.starts_with(name))
}

/// Returns the name of an endpoint in the form for comparisons.
fn folded_hostname(item: &Raw<Endpoint>) -> Option<String> {
    let endpoint: Endpoint = item.parse_as().ok()?;
    endpoint.hostname.as_deref().map(fold_name)
}

fn full_view_query() -> ListEndpoints {
    ListEndpoints::new().view(EndpointView::Full).page_size(PAGE_SIZE)
}

/// Returns the first labels of the host's names, without duplicates.
fn first_labels(identity: &HostIdentity) -> Vec<String> {
    let mut labels: Vec<String> =
        identity.names().flat_map(|name| normalization_forms(first_label(&fold_name(name)))).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// Returns the query for one kind of identifier other than a name.
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
