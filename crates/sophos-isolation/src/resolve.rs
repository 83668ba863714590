//! Which endpoint a host is: exactly one that is alive, or a refusal that says
//! why.
//!
//! The strongest fact that finds anything decides. What it finds must not
//! contradict the other facts; when it finds several, the other facts may
//! leave one. A private address finds only endpoints that were seen a moment
//! ago, since addresses move on. A host name is compared by
//! [`same_host`](crate::hostname::same_host). Nothing is ever guessed: two
//! that could be meant are none.

use std::{cmp::Reverse, time::Duration};

use serde::{Deserialize, Serialize};
use sophos_api::{Record, models::Endpoint};

use crate::identity::{FactKind, Identity, Unusable, is_uuid, mac_address};

/// An endpoint that the service listed for a tenant.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The tenant that was asked, in lower case.
    pub tenant: String,
    /// The endpoint.
    pub endpoint: Record<Endpoint>,
}

/// When an endpoint counts as alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// Seen within this time.
    pub seen_within: Duration,
    /// Seen within this time, when it was found by its address.
    pub address_seen_within: Duration,
}

/// Why a host is not one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unresolved {
    /// Nothing that is said about the host can find an endpoint.
    #[error("{}", why.sentence())]
    Unusable {
        /// Why not.
        why: Unusable,
    },
    /// No endpoint is this host.
    #[error("no endpoint of the tenants that the source may act on is this host")]
    NotFound,
    /// Several endpoints could be meant.
    #[error("{count} endpoints have this {kind}; say more about the host")]
    Several {
        /// How many.
        count: usize,
        /// The fact that found them.
        kind: FactKind,
    },
    /// What was found by one fact is not what another says.
    #[error("the {kind} leads to an endpoint that the other facts contradict")]
    Contradiction {
        /// The fact that found it.
        kind: FactKind,
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
    /// The listing went on for longer than one host's should.
    #[error("too many endpoints share the beginning of this host name; name it by its id or its MAC address")]
    TooMany,
    /// The service answered with something that is not the tenant's endpoint.
    #[error("the service answered with an endpoint of another tenant or without a proper id")]
    Foreign,
}

impl Unresolved {
    /// A word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable { why } => match why {
                Unusable::Nothing => "no_host",
                Unusable::Malformed => "malformed_host",
                Unusable::Loopback => "loopback",
                Unusable::LinkLocal => "link_local",
                Unusable::PublicAddress => "public_address",
                Unusable::NobodysMac => "nobodys_mac",
            },
            Self::NotFound => "not_found",
            Self::Several { .. } => "several",
            Self::Contradiction { .. } => "contradiction",
            Self::Cloned => "cloned",
            Self::Stale => "stale",
            Self::StaleAddress => "stale_address",
            Self::TooMany => "too_many",
            Self::Foreign => "foreign",
        }
    }
}

/// Chooses among what was listed for one kind of fact; `None` when none of it
/// is the host, and a weaker fact may be tried.
///
/// `now` is the service's time since the Unix epoch.
///
/// # Errors
/// When what was found must not be isolated on this host's account.
pub fn choose<'c>(
    identity: &Identity,
    kind: FactKind,
    candidates: &'c [Candidate],
    liveness: &Liveness,
    now: Duration,
) -> Result<Option<&'c Candidate>, Unresolved> {
    let mut found = newest(candidates);
    found.retain(|candidate| matches(identity, kind, &candidate.endpoint));
    if found.is_empty() {
        return Ok(None);
    }
    if found.iter().any(|candidate| is_foreign(candidate)) {
        return Err(Unresolved::Foreign);
    }
    if kind == FactKind::IpAddress {
        found.retain(|candidate| seen_within(&candidate.endpoint, liveness.address_seen_within, now));
        if found.is_empty() {
            return Err(Unresolved::StaleAddress);
        }
    }
    let twins = found.iter().any(|candidate| candidate.endpoint.cloned == Some(true));
    found.retain(|candidate| !contradicts(identity, kind, &candidate.endpoint));
    if found.is_empty() {
        return Err(Unresolved::Contradiction { kind });
    }
    if found.len() > 1 {
        for other in [FactKind::MacAddress, FactKind::Hostname] {
            if found.iter().any(|candidate| matches(identity, other, &candidate.endpoint)) {
                found.retain(|candidate| matches(identity, other, &candidate.endpoint));
            }
        }
    }
    match found.as_slice() {
        [_] if twins => Err(Unresolved::Cloned),
        [one] if !is_live(&one.endpoint, liveness, now) => Err(Unresolved::Stale),
        [one] => Ok(Some(one)),
        _ if twins => Err(Unresolved::Cloned),
        several => Err(Unresolved::Several { count: several.len(), kind }),
    }
}

/// Each endpoint once, in an order of its own: a listing that goes on while
/// endpoints report may hold one twice, and the record that was seen last is
/// then the endpoint.
fn newest(candidates: &[Candidate]) -> Vec<&Candidate> {
    let mut each: Vec<&Candidate> = candidates.iter().collect();
    each.sort_by_cached_key(|candidate| {
        let endpoint = &candidate.endpoint;
        let seen = endpoint.last_seen_at.as_ref().and_then(|seen| seen.instant());
        let cloned = endpoint.cloned == Some(true);
        let id = (endpoint.id.to_ascii_lowercase(), candidate.tenant.as_str());
        (id, Reverse(seen), Reverse(cloned), endpoint.raw())
    });
    each.dedup_by(|a, b| a.endpoint.id.eq_ignore_ascii_case(&b.endpoint.id) && a.tenant == b.tenant);
    each
}

fn matches(identity: &Identity, kind: FactKind, endpoint: &Endpoint) -> bool {
    match kind {
        FactKind::EndpointId => {
            identity.endpoint_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&endpoint.id))
        }
        FactKind::Ec2InstanceId => {
            let wanted = identity.ec2_instance_id.as_deref();
            wanted.zip(instance_id(endpoint)).is_some_and(|(wanted, own)| wanted.eq_ignore_ascii_case(own))
        }
        FactKind::MacAddress => macs(endpoint).any(|own| identity.mac_addresses.contains(&own)),
        FactKind::Hostname => endpoint.hostname.as_deref().is_some_and(|own| identity.has_name(own)),
        FactKind::IpAddress => {
            let lists = [&endpoint.ipv4_addresses, &endpoint.ipv6_addresses];
            lists.into_iter().flatten().flatten().any(|own| {
                own.parse::<std::net::IpAddr>()
                    .is_ok_and(|own| identity.ip_addresses.contains(&own.to_canonical()))
            })
        }
    }
}

/// Whether the endpoint says of itself that it is another host. What it does
/// not say contradicts nothing, and addresses come and go.
fn contradicts(identity: &Identity, found_by: FactKind, endpoint: &Endpoint) -> bool {
    let instance = identity.ec2_instance_id.as_deref().zip(instance_id(endpoint));
    if instance.is_some_and(|(wanted, own)| !wanted.eq_ignore_ascii_case(own)) {
        return true;
    }
    let known = macs(endpoint).next().is_some();
    if known && !identity.mac_addresses.is_empty() && !matches(identity, FactKind::MacAddress, endpoint) {
        return true;
    }
    // A cloud's name for an instance is not the name that its system has.
    let named = endpoint.hostname.as_deref().is_some_and(|name| !name.is_empty());
    found_by != FactKind::Ec2InstanceId
        && named
        && !identity.hostnames.is_empty()
        && !matches(identity, FactKind::Hostname, endpoint)
}

fn instance_id(endpoint: &Endpoint) -> Option<&str> {
    endpoint.cloud.as_ref()?.instance_id.as_deref().filter(|id| !id.is_empty())
}

fn macs(endpoint: &Endpoint) -> impl Iterator<Item = String> {
    endpoint.mac_addresses.iter().flatten().filter_map(|mac| mac_address(mac).ok())
}

fn is_foreign(candidate: &Candidate) -> bool {
    let tenant = candidate.endpoint.tenant.as_ref().and_then(|tenant| tenant.id.as_deref());
    tenant.is_some_and(|tenant| !tenant.eq_ignore_ascii_case(&candidate.tenant))
        || !is_uuid(&candidate.endpoint.id)
}

fn is_live(endpoint: &Endpoint, liveness: &Liveness, now: Duration) -> bool {
    endpoint.online == Some(true) || seen_within(endpoint, liveness.seen_within, now)
}

fn seen_within(endpoint: &Endpoint, time: Duration, now: Duration) -> bool {
    let Some(seen) = endpoint.last_seen_at.as_ref().and_then(|seen| seen.instant()) else {
        return false;
    };
    // A time that lies ahead is a clock's fault, and recent.
    Duration::try_from(seen.as_duration()).is_ok_and(|seen| seen + time >= now)
}
