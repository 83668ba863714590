//! Which endpoint a host is: exactly one that is alive, or a refusal that says
//! why.
//!
//! # The rules
//!
//! * An endpoint id or an instance id decides alone. Where no endpoint has it,
//!   the host is not found.
//! * Otherwise the strongest identifier that finds anything decides: MAC
//!   address, then host name. A private address decides only where nothing else
//!   is given.
//! * A name is compared by [`name_fit`](crate::hostname::match_names). Where several
//!   fit, one whose full name is the one given comes before the others. A name
//!   that only resembles the one given is never chosen, and competes.
//! * An address is evidence only while the alert is not older than
//!   `address_seen_within`, and only of an endpoint that was seen that recently.
//! * What is found must not contradict the other identifiers. A name or MAC
//!   address together with an address that another live endpoint has is a
//!   contradiction.
//! * A stale record of a name does not compete with a live record of the same
//!   name in the same tenant, as re-imaged machines leave one.
//! * Where several remain, every further identifier narrows. Two that could be
//!   meant are none.
//! * An endpoint without cloud data never stands for a cloud instance.

mod select;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sophos_api::{WithRaw, models::Endpoint};

pub(crate) use select::matches;
use select::{deduplicate, has_address, seen_since, select};

use crate::identity::{HostIdentity, IdentifierKind, UnusableIdentifier};

/// The most candidates whose exclusion is told.
const MAX_REJECTED: usize = 20;

/// An endpoint that the service listed for a tenant.
#[derive(Debug, Clone)]
pub struct EndpointCandidate {
    /// The tenant that was asked, in lower case.
    pub tenant: String,
    /// The endpoint.
    pub endpoint: WithRaw<Endpoint>,
}

/// When an endpoint counts as alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// Seen within this time.
    pub seen_within: Duration,
    /// Seen within this time, when it was found by its address.
    pub address_seen_within: Duration,
}

/// The times by which endpoints and addresses are judged, each since the Unix
/// epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolutionTimes {
    /// When an endpoint counts as alive.
    pub liveness: Liveness,
    /// The service's time.
    pub now: Duration,
    /// The time of the alert; `None` when the sender wrote one that cannot be
    /// read, so that no address in it is evidence.
    pub observed_at: Option<Duration>,
    /// The time at which the age of the alert counts: now, or when a person was
    /// asked to approve.
    pub evaluated_at: Duration,
}

impl ResolutionTimes {
    /// Whether an address in the alert is evidence.
    pub fn accepts_addresses(&self) -> bool {
        self.observed_at
            .is_some_and(|alert| self.evaluated_at.abs_diff(alert) <= self.liveness.address_seen_within)
    }

    /// Since when a holder of an address may have been the one at the time of
    /// the alert.
    fn address_valid_since(&self) -> Duration {
        self.observed_at.unwrap_or(self.now).min(self.now).saturating_sub(self.liveness.address_seen_within)
    }
}

/// A place to look for endpoints in.
pub trait EndpointDirectory: Sync {
    /// What may fail.
    type Error;

    /// Every endpoint that has an identifier of this kind of the host. More than
    /// these does no harm; fewer could hide the second that is meant.
    ///
    /// # Errors
    /// When the endpoints cannot be listed.
    fn candidates(
        &self,
        identity: &HostIdentity,
        kind: IdentifierKind,
    ) -> impl Future<Output = Result<Vec<EndpointCandidate>, Self::Error>> + Send;
}

/// What a host was resolved to, and which endpoints were considered.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The endpoint, or the reason why there is none.
    pub outcome: Result<EndpointCandidate, Unresolved>,
    /// Endpoints that were not chosen, at most twenty.
    pub rejected: Vec<RejectedCandidate>,
}

/// An endpoint that an identifier found and that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedCandidate {
    /// The tenant, in lower case.
    pub tenant: String,
    /// The endpoint's id.
    pub endpoint: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Why it was not chosen.
    pub reason: &'static str,
}

/// Why a host is not one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unresolved {
    /// Nothing that is said about the host can find an endpoint.
    #[error("{}", cause.description())]
    Unusable {
        /// Why not.
        cause: UnusableIdentifier,
    },
    /// No endpoint is this host.
    #[error("no endpoint of the tenants that the source may act on is this host")]
    NotFound,
    /// Several endpoints could be meant.
    #[error("{count} endpoints have this {kind}; say more about the host")]
    Ambiguous {
        /// How many.
        count: usize,
        /// The fact that found them.
        kind: IdentifierKind,
    },
    /// What was found by one fact is not what another says.
    #[error("the {kind} leads to an endpoint that the other facts contradict")]
    Contradiction {
        /// The fact that found it.
        kind: IdentifierKind,
    },
    /// The endpoint shares its identity with a copy of it.
    #[error("the endpoint is one of a cloned pair; give the copy an identity of its own in Sophos Central")]
    Cloned,
    /// The endpoint was not seen for too long.
    #[error("the endpoint was not seen for too long to be the host that is meant")]
    Stale,
    /// The address belonged to an endpoint, and nobody knows whether it still does.
    #[error("no endpoint with this address was seen recently enough for the address to be still its own")]
    StaleAddress,
    /// The alert is too old for an address to be evidence, and it has nothing
    /// else.
    #[error(
        "the alert is older than address_seen_within, or its time is unreadable, and the host has only an address, which may belong to another machine by now"
    )]
    OldAddress,
    /// The listing went on for longer than one host's should.
    #[error("too many endpoints have a name like this; name the host by its id or its MAC address")]
    TooMany,
    /// The service answered with something that is not the tenant's endpoint.
    #[error("the service answered with an endpoint of another tenant or without a proper id")]
    InvalidEndpoint,
}

impl Unresolved {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable { cause: why } => match why {
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

/// Resolves a host to one endpoint of a directory.
///
/// # Errors
/// When the directory fails. A host that is not one endpoint is no failure but
/// an [`outcome`](Resolution::outcome).
pub async fn resolve<D: EndpointDirectory>(
    directory: &D,
    identity: &HostIdentity,
    times: &ResolutionTimes,
) -> Result<Resolution, D::Error> {
    let mut considered = Vec::new();
    let mut outcome = Err(Unresolved::NotFound);
    for kind in identity.kinds() {
        if kind == IdentifierKind::IpAddress && !times.accepts_addresses() {
            outcome = Err(Unresolved::OldAddress);
            break;
        }
        let candidates = directory.candidates(identity, kind).await?;
        let mut passed_over = Vec::new();
        let found = select(identity, kind, &candidates, times, &mut passed_over);
        considered.extend(passed_over);
        outcome = match found {
            Ok(None) => continue,
            Ok(Some(one)) => match find_address_conflict(directory, identity, kind, one, times).await? {
                Some(other) => {
                    considered.push(RejectedCandidate::new(&other, "has the address"));
                    Err(Unresolved::Contradiction { kind })
                }
                None => Ok(one.clone()),
            },
            Err(why) => Err(why),
        };
        break;
    }
    considered.truncate(MAX_REJECTED);
    Ok(Resolution { outcome, rejected: considered })
}

/// Chooses among what was listed for one kind of identifier; `None` when none of
/// it is the host, and a weaker identifier may be tried. Whether another endpoint
/// has an address of the host is not looked at: [`resolve`] does.
///
/// # Errors
/// When what was found must not be isolated on this host's account.
pub fn choose<'c>(
    identity: &HostIdentity,
    kind: IdentifierKind,
    candidates: &'c [EndpointCandidate],
    times: &ResolutionTimes,
) -> Result<Option<&'c EndpointCandidate>, Unresolved> {
    select(identity, kind, candidates, times, &mut Vec::new())
}

/// Another live endpoint that has an address of the host, when the one that its
/// name or MAC address has found lacks it.
async fn find_address_conflict<D: EndpointDirectory>(
    directory: &D,
    identity: &HostIdentity,
    kind: IdentifierKind,
    one: &EndpointCandidate,
    times: &ResolutionTimes,
) -> Result<Option<EndpointCandidate>, D::Error> {
    let may_contradict = matches!(kind, IdentifierKind::MacAddress | IdentifierKind::Hostname);
    if !may_contradict
        || identity.ip_addresses.is_empty()
        || !times.accepts_addresses()
        || has_address(identity, &one.endpoint)
    {
        return Ok(None);
    }
    let holders = directory.candidates(identity, IdentifierKind::IpAddress).await?;
    let is_other = |holder: &&&EndpointCandidate| {
        has_address(identity, &holder.endpoint)
            && seen_since(&holder.endpoint, times.address_valid_since())
            && !(holder.tenant == one.tenant && holder.endpoint.id.eq_ignore_ascii_case(&one.endpoint.id))
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
