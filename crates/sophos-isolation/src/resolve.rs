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
//! * A name is compared by [`name_fit`](crate::hostname::name_fit). Where several
//!   fit, one whose full name is the one given comes before the others.
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

use std::{cmp::Reverse, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};
use sophos_api::{Record, models::Endpoint};

use crate::{
    hostname::{NameFit, folded},
    identity::{FactKind, Identity, Unusable, is_uuid, mac_address},
};

/// The most candidates whose exclusion is told.
const MAX_CONSIDERED: usize = 20;

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

/// The times by which endpoints and addresses are judged, each since the Unix
/// epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When an endpoint counts as alive.
    pub liveness: Liveness,
    /// The service's time.
    pub now: Duration,
    /// The time of the alert; `None` when the sender wrote one that cannot be
    /// read, so that no address in it is evidence.
    pub alert: Option<Duration>,
    /// The time at which the age of the alert counts: now, or when a person was
    /// asked to approve.
    pub judged: Duration,
}

impl Times {
    /// Whether an address in the alert is evidence.
    pub fn addresses_count(&self) -> bool {
        self.alert.is_some_and(|alert| self.judged.abs_diff(alert) <= self.liveness.address_seen_within)
    }

    /// Since when a holder of an address may have been the one at the time of
    /// the alert.
    fn holders_since(&self) -> Duration {
        self.alert.unwrap_or(self.now).min(self.now).saturating_sub(self.liveness.address_seen_within)
    }
}

/// A place to look for endpoints in.
pub trait Directory: Sync {
    /// What may fail.
    type Error;

    /// Every endpoint that has an identifier of this kind of the host. More than
    /// these does no harm; fewer could hide the second that is meant.
    ///
    /// # Errors
    /// When the endpoints cannot be listed.
    fn candidates(
        &self,
        identity: &Identity,
        kind: FactKind,
    ) -> impl Future<Output = Result<Vec<Candidate>, Self::Error>> + Send;
}

/// What a host was resolved to, and which endpoints were considered.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The endpoint, or the reason why there is none.
    pub outcome: Result<Candidate, Unresolved>,
    /// Endpoints that were not chosen, at most twenty.
    pub considered: Vec<Considered>,
}

/// An endpoint that an identifier found and that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Considered {
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
            Self::OldAddress => "old_address",
            Self::TooMany => "too_many",
            Self::Foreign => "foreign",
        }
    }
}

/// Resolves a host to one endpoint of a directory.
///
/// # Errors
/// When the directory fails. A host that is not one endpoint is no failure but
/// an [`outcome`](Resolution::outcome).
pub async fn resolve<D: Directory>(
    directory: &D,
    identity: &Identity,
    times: &Times,
) -> Result<Resolution, D::Error> {
    let mut considered = Vec::new();
    let mut outcome = Err(Unresolved::NotFound);
    for kind in identity.kinds() {
        if kind == FactKind::IpAddress && !times.addresses_count() {
            outcome = Err(Unresolved::OldAddress);
            break;
        }
        let candidates = directory.candidates(identity, kind).await?;
        let mut passed_over = Vec::new();
        let found = select(identity, kind, &candidates, times, &mut passed_over);
        considered.extend(passed_over);
        outcome = match found {
            Ok(None) => continue,
            Ok(Some(one)) => match other_holder(directory, identity, kind, one, times).await? {
                Some(other) => {
                    considered.push(Considered::of(&other, "has the address"));
                    Err(Unresolved::Contradiction { kind })
                }
                None => Ok(one.clone()),
            },
            Err(why) => Err(why),
        };
        break;
    }
    considered.truncate(MAX_CONSIDERED);
    Ok(Resolution { outcome, considered })
}

/// Chooses among what was listed for one kind of identifier; `None` when none of
/// it is the host, and a weaker identifier may be tried. Whether another endpoint
/// has an address of the host is not looked at: [`resolve`] does.
///
/// # Errors
/// When what was found must not be isolated on this host's account.
pub fn choose<'c>(
    identity: &Identity,
    kind: FactKind,
    candidates: &'c [Candidate],
    times: &Times,
) -> Result<Option<&'c Candidate>, Unresolved> {
    select(identity, kind, candidates, times, &mut Vec::new())
}

/// Another live endpoint that has an address of the host, when the one that its
/// name or MAC address has found lacks it.
async fn other_holder<D: Directory>(
    directory: &D,
    identity: &Identity,
    kind: FactKind,
    one: &Candidate,
    times: &Times,
) -> Result<Option<Candidate>, D::Error> {
    let may_contradict = matches!(kind, FactKind::MacAddress | FactKind::Hostname);
    if !may_contradict
        || identity.ip_addresses.is_empty()
        || !times.addresses_count()
        || has_address(identity, &one.endpoint)
    {
        return Ok(None);
    }
    let holders = directory.candidates(identity, FactKind::IpAddress).await?;
    let is_other = |holder: &&&Candidate| {
        has_address(identity, &holder.endpoint)
            && seen_since(&holder.endpoint, times.holders_since())
            && !(holder.tenant == one.tenant && holder.endpoint.id.eq_ignore_ascii_case(&one.endpoint.id))
    };
    Ok(newest(&holders).iter().find(is_other).map(|holder| (*holder).clone()))
}

fn select<'c>(
    identity: &Identity,
    kind: FactKind,
    candidates: &'c [Candidate],
    times: &Times,
    passed_over: &mut Vec<Considered>,
) -> Result<Option<&'c Candidate>, Unresolved> {
    let mut found = newest(candidates);
    found.retain(|candidate| matches(identity, kind, &candidate.endpoint));
    let mut keep = |found: &mut Vec<&'c Candidate>, reason, test: &dyn Fn(&Candidate) -> bool| {
        found.retain(|candidate| {
            let keeps = test(candidate);
            if !keeps {
                passed_over.push(Considered::of(candidate, reason));
            }
            keeps
        });
    };
    if found.is_empty() {
        return Ok(None);
    }
    if found.iter().any(|candidate| is_foreign(candidate)) {
        return Err(Unresolved::Foreign);
    }
    if kind == FactKind::IpAddress {
        let since = times.holders_since();
        keep(&mut found, "was not seen since", &|candidate| seen_since(&candidate.endpoint, since));
        if found.is_empty() {
            return Err(Unresolved::StaleAddress);
        }
    }
    let by_name = kind == FactKind::Hostname;
    let has_clone = without_superseded(&found, by_name, times).iter().any(|one| is_clone(one));
    keep(&mut found, "contradicts another identifier", &|candidate| {
        !contradicts(identity, kind, &candidate.endpoint)
    });
    if found.is_empty() {
        return Err(Unresolved::Contradiction { kind });
    }
    // After the contradictions: a record that is none of the host's supersedes
    // nothing.
    let current = without_superseded(&found, by_name, times);
    keep(&mut found, "is a stale record beside a live one", &|candidate| {
        current.iter().any(|one| std::ptr::eq(*one, candidate))
    });
    narrow(identity, &mut found, times, &mut keep);
    match found.as_slice() {
        _ if has_clone => Err(Unresolved::Cloned),
        [one] if kind == FactKind::IpAddress && !is_seen_now(&one.endpoint, times) => {
            Err(Unresolved::StaleAddress)
        }
        [one] if !is_live(&one.endpoint, times) => Err(Unresolved::Stale),
        [_] => {
            if kind == FactKind::Hostname {
                keep(&mut found, "has a longer name", &|one| is_sure(identity, &one.endpoint));
            }
            // Last, so that it never decides between two.
            if identity.is_cloud_instance() && kind != FactKind::EndpointId {
                keep(&mut found, "is no cloud instance", &|one| instance_id(&one.endpoint).is_some());
            }
            Ok(found.first().copied())
        }
        several => {
            let count = several.len();
            keep(&mut found, "is one of several that fit", &|_| false);
            Err(Unresolved::Several { count, kind })
        }
    }
}

/// Those that are live, or have no live record of the same machine beside them.
fn without_superseded<'c>(found: &[&'c Candidate], by_name: bool, times: &Times) -> Vec<&'c Candidate> {
    let is_live = |candidate: &Candidate| is_live(&candidate.endpoint, times);
    let is_newer = |other: &Candidate, candidate: &Candidate| {
        is_live(other) && other.tenant == candidate.tenant && (!by_name || has_same_name(other, candidate))
    };
    let keeps =
        |candidate: &&Candidate| is_live(candidate) || !found.iter().any(|other| is_newer(other, candidate));
    found.iter().copied().filter(keeps).collect()
}

/// Leaves those that have more of what is said, where any does.
fn narrow<'c>(
    identity: &Identity,
    found: &mut Vec<&'c Candidate>,
    times: &Times,
    keep: &mut impl FnMut(&mut Vec<&'c Candidate>, &'static str, &dyn Fn(&Candidate) -> bool),
) {
    let has_full_name = |candidate: &Candidate| {
        let own = candidate.endpoint.hostname.as_deref().map(folded).unwrap_or_default();
        own.contains('.') && identity.hostnames.iter().any(|name| folded(name) == own)
    };
    let has_mac = |candidate: &Candidate| matches(identity, FactKind::MacAddress, &candidate.endpoint);
    let has_name = |candidate: &Candidate| matches(identity, FactKind::Hostname, &candidate.endpoint);
    let has_addresses = |candidate: &Candidate| {
        times.addresses_count()
            && seen_since(&candidate.endpoint, times.holders_since())
            && has_all_addresses(identity, &candidate.endpoint)
    };
    let tests: [(&'static str, &dyn Fn(&Candidate) -> bool); 4] = [
        ("has another full name", &has_full_name),
        ("lacks the MAC address", &has_mac),
        ("lacks the name", &has_name),
        ("lacks the address", &has_addresses),
    ];
    for (reason, test) in tests {
        if found.len() > 1 && found.iter().any(|candidate| test(candidate)) {
            keep(found, reason, test);
        }
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

/// Whether an endpoint has an identifier of this kind of the host.
pub(crate) fn matches(identity: &Identity, kind: FactKind, endpoint: &Endpoint) -> bool {
    match kind {
        FactKind::EndpointId => {
            identity.endpoint_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&endpoint.id))
        }
        FactKind::Ec2InstanceId => {
            let wanted = identity.ec2_instance_id.as_deref();
            wanted.zip(instance_id(endpoint)).is_some_and(|(wanted, own)| wanted.eq_ignore_ascii_case(own))
        }
        FactKind::MacAddress => macs(endpoint).any(|own| identity.mac_addresses.contains(&own)),
        FactKind::Hostname => {
            endpoint.hostname.as_deref().is_some_and(|own| identity.name_fit(own) != NameFit::None)
        }
        FactKind::IpAddress => has_address(identity, endpoint),
    }
}

fn has_address(identity: &Identity, endpoint: &Endpoint) -> bool {
    addresses(endpoint).any(|own| identity.ip_addresses.contains(&own))
}

/// Whether it has every address that is said: one of several may be that of a
/// container bridge, which many machines have.
fn has_all_addresses(identity: &Identity, endpoint: &Endpoint) -> bool {
    let own: Vec<IpAddr> = addresses(endpoint).collect();
    !identity.ip_addresses.is_empty() && identity.ip_addresses.iter().all(|address| own.contains(address))
}

fn addresses(endpoint: &Endpoint) -> impl Iterator<Item = IpAddr> {
    let lists = [&endpoint.ipv4_addresses, &endpoint.ipv6_addresses];
    let texts = lists.into_iter().flatten().flatten();
    texts.filter_map(|text| text.parse::<IpAddr>().ok()).map(|address| address.to_canonical())
}

/// Whether the name is more than the beginning of the endpoint's, or the MAC
/// address agrees.
fn is_sure(identity: &Identity, endpoint: &Endpoint) -> bool {
    let fit = endpoint.hostname.as_deref().map_or(NameFit::None, |own| identity.name_fit(own));
    fit == NameFit::Sure || matches(identity, FactKind::MacAddress, endpoint)
}

/// Whether the endpoint says of itself that it is another host. What it does
/// not say contradicts nothing.
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
        && identity.has_names()
        && !matches(identity, FactKind::Hostname, endpoint)
}

/// Whether two records have the same name, domain included.
fn has_same_name(a: &Candidate, b: &Candidate) -> bool {
    let name = |candidate: &Candidate| candidate.endpoint.hostname.as_deref().map(folded);
    let (a, b) = (name(a), name(b));
    a == b && a.is_some_and(|name| !name.is_empty())
}

fn instance_id(endpoint: &Endpoint) -> Option<&str> {
    endpoint.cloud.as_ref()?.instance_id.as_deref().filter(|id| !id.is_empty())
}

fn macs(endpoint: &Endpoint) -> impl Iterator<Item = String> {
    endpoint.mac_addresses.iter().flatten().filter_map(|mac| mac_address(mac).ok())
}

fn is_clone(candidate: &Candidate) -> bool {
    candidate.endpoint.cloned == Some(true)
}

fn is_foreign(candidate: &Candidate) -> bool {
    let tenant = candidate.endpoint.tenant.as_ref().and_then(|tenant| tenant.id.as_deref());
    tenant.is_some_and(|tenant| !tenant.eq_ignore_ascii_case(&candidate.tenant))
        || !is_uuid(&candidate.endpoint.id)
}

fn is_live(endpoint: &Endpoint, times: &Times) -> bool {
    let since = times.now.saturating_sub(times.liveness.seen_within);
    endpoint.online == Some(true) || seen_since(endpoint, since)
}

/// Whether it was seen recently enough to be still the holder of its address.
fn is_seen_now(endpoint: &Endpoint, times: &Times) -> bool {
    seen_since(endpoint, times.now.saturating_sub(times.liveness.address_seen_within))
}

fn seen_since(endpoint: &Endpoint, since: Duration) -> bool {
    let Some(seen) = endpoint.last_seen_at.as_ref().and_then(|seen| seen.instant()) else {
        return false;
    };
    // A time that lies ahead is a clock's fault, and recent.
    Duration::try_from(seen.as_duration()).is_ok_and(|seen| seen >= since)
}

impl Considered {
    fn of(candidate: &Candidate, reason: &'static str) -> Self {
        Self {
            tenant: candidate.tenant.clone(),
            endpoint: candidate.endpoint.id.to_ascii_lowercase(),
            hostname: candidate.endpoint.hostname.as_deref().map(crate::signal::clean),
            reason,
        }
    }
}
