//! The resolution of a host to exactly one live endpoint, or the reason why it is
//! not possible.
//!
//! # Rules
//!
//! * An endpoint id or an instance id decides alone. If no endpoint has it, the
//!   host is not found.
//! * Otherwise the strongest identifier with a match decides: MAC address, then
//!   host name. A private address decides only if nothing else is given.
//! * Names are compared by [`match_names`](crate::hostname::match_names). Among
//!   several matches the one with the same full name comes first. An endpoint with
//!   a similar name is never chosen, but makes the match ambiguous.
//! * An address counts only while the alert is not older than
//!   `address_seen_within`, and only for an endpoint that was seen that recently.
//! * A match must not contradict the other identifiers. A name or MAC address
//!   together with an address of another live endpoint is a contradiction.
//! * A stale record of a name does not compete with a live record of the same name
//!   in the same tenant: re-imaged machines leave stale records.
//! * Among several matches every further identifier narrows the choice. If two
//!   remain, none is chosen.
//! * An endpoint without cloud data never matches a cloud instance.

mod select;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sophos_api::{WithRaw, models::Endpoint};

pub(crate) use select::matches;
use select::{deduplicate, has_address, seen_since, select};

use crate::identity::{HostIdentity, IdentifierKind, UnusableIdentifier};

/// The maximum number of rejected candidates in a [`Resolution`].
const MAX_REJECTED: usize = 20;

/// An endpoint that Sophos Central listed for a tenant.
#[derive(Debug, Clone)]
pub struct EndpointCandidate {
    /// The tenant of the request, in lower case.
    pub tenant: String,
    /// The endpoint.
    pub endpoint: WithRaw<Endpoint>,
}

/// The limits of a live endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// The maximum time since it was last seen.
    pub seen_within: Duration,
    /// The maximum time since it was last seen, for a match by its address.
    pub address_seen_within: Duration,
}

/// The times of a resolution, each since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolutionTimes {
    /// The limits of a live endpoint.
    pub liveness: Liveness,
    /// The current time of Sophos Central.
    pub now: Duration,
    /// The time of the alert; `None` if the sender's time cannot be parsed. Then no
    /// address in the alert counts.
    pub observed_at: Option<Duration>,
    /// The time for which the age of the alert is computed: now, or the time of the
    /// request for approval.
    pub evaluated_at: Duration,
}

impl ResolutionTimes {
    /// Whether an address in the alert counts as evidence.
    pub fn accepts_addresses(&self) -> bool {
        self.observed_at
            .is_some_and(|observed| self.evaluated_at.abs_diff(observed) <= self.liveness.address_seen_within)
    }

    /// Returns the earliest time at which an endpoint must have been seen to count as
    /// the holder of its address at the time of the alert.
    fn address_valid_since(&self) -> Duration {
        self.observed_at.unwrap_or(self.now).min(self.now).saturating_sub(self.liveness.address_seen_within)
    }
}

/// A directory of endpoints.
pub trait EndpointDirectory: Sync {
    /// The error of a listing.
    type Error;

    /// Lists every endpoint that has an identifier of this kind of the host. Extra
    /// endpoints do no harm; a missing one could hide an ambiguity.
    ///
    /// # Errors
    /// When the endpoints cannot be listed.
    fn candidates(
        &self,
        identity: &HostIdentity,
        kind: IdentifierKind,
    ) -> impl Future<Output = Result<Vec<EndpointCandidate>, Self::Error>> + Send;
}

/// The result of a resolution.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The endpoint, or the reason for the failure.
    pub outcome: Result<EndpointCandidate, Unresolved>,
    /// The candidates that were not chosen, at most twenty.
    pub rejected: Vec<RejectedCandidate>,
}

/// An endpoint that matched an identifier and was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedCandidate {
    /// The tenant, in lower case.
    pub tenant: String,
    /// The endpoint's id.
    pub endpoint: String,
    /// The endpoint's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The reason why it was not chosen.
    pub reason: &'static str,
}

/// The reason why a host does not resolve to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unresolved {
    /// No identifier of the host can find an endpoint.
    #[error("{}", cause.description())]
    Unusable {
        /// The reason.
        cause: UnusableIdentifier,
    },
    /// No endpoint matches the host.
    #[error("no endpoint in the source's tenants matches the host")]
    NotFound,
    /// Several endpoints match the host.
    #[error("{count} endpoints have this {kind}; send more identifiers of the host")]
    Ambiguous {
        /// The number of endpoints.
        count: usize,
        /// The kind of identifier that they match.
        kind: IdentifierKind,
    },
    /// The endpoint that one identifier finds contradicts another.
    #[error("the {kind} finds an endpoint that contradicts the other identifiers")]
    Contradiction {
        /// The kind of identifier that found it.
        kind: IdentifierKind,
    },
    /// The endpoint shares its identity with a clone.
    #[error("the endpoint has a clone with the same identity; separate the two in Sophos Central")]
    Cloned,
    /// The endpoint was not seen recently.
    #[error("the endpoint was not seen recently enough to be the host")]
    Stale,
    /// The endpoint with the address was not seen recently, and may have lost it.
    #[error("no endpoint with this address was seen recently enough to still have it")]
    StaleAddress,
    /// The host has only an address, and the alert is too old for it to count.
    #[error(
        "the host has only an address, which may have changed: the alert is older than address_seen_within, \
         or its time is invalid"
    )]
    OldAddress,
    /// The lookup found more endpoints than the limit.
    #[error("too many endpoints have a similar name; send the host's id or MAC address")]
    TooMany,
    /// Sophos Central returned an invalid endpoint, or one of another tenant.
    #[error("Sophos Central returned an endpoint of another tenant or without a valid id")]
    InvalidEndpoint,
}

impl Unresolved {
    /// Returns the stable code of the reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable { cause } => match cause {
                UnusableIdentifier::Missing => "no_host",
                UnusableIdentifier::Malformed => "malformed_host",
                UnusableIdentifier::Loopback => "loopback",
                UnusableIdentifier::LinkLocal => "link_local",
                UnusableIdentifier::PublicAddress => "public_address",
                UnusableIdentifier::NonUniqueMac => "non_unique_mac",
            },
            Self::NotFound => "not_found",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Contradiction { .. } => "contradiction",
            Self::Cloned => "cloned",
            Self::Stale => "stale",
            Self::StaleAddress => "stale_address",
            Self::OldAddress => "old_address",
            Self::TooMany => "too_many",
            Self::InvalidEndpoint => "invalid_endpoint",
        }
    }
}

/// Resolves a host to one endpoint of a directory. [`Resolution::outcome`] has the
/// reason if the host does not resolve.
///
/// # Errors
/// When the directory fails.
pub async fn resolve<D: EndpointDirectory>(
    directory: &D,
    identity: &HostIdentity,
    times: &ResolutionTimes,
) -> Result<Resolution, D::Error> {
    let mut rejected = Vec::new();
    let mut outcome = Err(Unresolved::NotFound);
    for kind in identity.kinds() {
        if kind == IdentifierKind::IpAddress && !times.accepts_addresses() {
            outcome = Err(Unresolved::OldAddress);
            break;
        }
        let candidates = directory.candidates(identity, kind).await?;
        let selected = select(identity, kind, &candidates, times, &mut rejected);
        outcome = match selected {
            Ok(None) => continue,
            Ok(Some(found)) => match find_address_conflict(directory, identity, kind, found, times).await? {
                Some(other) => {
                    rejected.push(RejectedCandidate::new(&other, "has the address"));
                    Err(Unresolved::Contradiction { kind })
                }
                None => Ok(found.clone()),
            },
            Err(reason) => Err(reason),
        };
        break;
    }
    rejected.truncate(MAX_REJECTED);
    Ok(Resolution { outcome, rejected })
}

/// Chooses among the candidates for one kind of identifier; `None` when none
/// matches the host and a weaker identifier may be tried. Unlike [`resolve`] it
/// does not check for another endpoint with the host's address.
///
/// # Errors
/// When the candidates match but none may be isolated for this host.
pub fn choose<'c>(
    identity: &HostIdentity,
    kind: IdentifierKind,
    candidates: &'c [EndpointCandidate],
    times: &ResolutionTimes,
) -> Result<Option<&'c EndpointCandidate>, Unresolved> {
    select(identity, kind, candidates, times, &mut Vec::new())
}

/// Finds another live endpoint with an address of the host, if the endpoint that
/// the name or MAC address found lacks it.
async fn find_address_conflict<D: EndpointDirectory>(
    directory: &D,
    identity: &HostIdentity,
    kind: IdentifierKind,
    found: &EndpointCandidate,
    times: &ResolutionTimes,
) -> Result<Option<EndpointCandidate>, D::Error> {
    let may_contradict = matches!(kind, IdentifierKind::MacAddress | IdentifierKind::Hostname);
    if !may_contradict
        || identity.ip_addresses.is_empty()
        || !times.accepts_addresses()
        || has_address(identity, &found.endpoint)
    {
        return Ok(None);
    }
    let holders = directory.candidates(identity, IdentifierKind::IpAddress).await?;
    let is_other = |holder: &&&EndpointCandidate| {
        has_address(identity, &holder.endpoint)
            && seen_since(&holder.endpoint, times.address_valid_since())
            && !(holder.tenant == found.tenant && holder.endpoint.id.eq_ignore_ascii_case(&found.endpoint.id))
    };
    Ok(deduplicate(&holders).iter().find(is_other).map(|holder| (*holder).clone()))
}

impl RejectedCandidate {
    fn new(candidate: &EndpointCandidate, reason: &'static str) -> Self {
        Self {
            tenant: candidate.tenant.clone(),
            endpoint: candidate.endpoint.id.to_ascii_lowercase(),
            hostname: candidate.endpoint.hostname.as_deref().map(crate::signal::clean),
            reason,
        }
    }
}
