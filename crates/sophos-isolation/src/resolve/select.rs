//! The choice among the candidates of one kind of identifier.

use std::{cmp::Reverse, net::IpAddr, time::Duration};

use sophos_api::models::Endpoint;

use super::{EndpointCandidate, RejectedCandidate, ResolutionTimes, Unresolved};
use crate::{
    hostname::{NameMatch, fold_name},
    identity::{HostIdentity, IdentifierKind, is_uuid, parse_mac_address},
};

/// A condition of a candidate.
type Predicate<'t> = &'t dyn Fn(&EndpointCandidate) -> bool;

/// Chooses among candidates. `rejected` gets the others, with the reason.
pub(super) fn select<'c>(
    identity: &HostIdentity,
    kind: IdentifierKind,
    candidates: &'c [EndpointCandidate],
    times: &ResolutionTimes,
    rejected: &mut Vec<RejectedCandidate>,
) -> Result<Option<&'c EndpointCandidate>, Unresolved> {
    let mut found = deduplicate(candidates);
    found.retain(|candidate| matches(identity, kind, &candidate.endpoint));
    let mut keep = |found: &mut Vec<&'c EndpointCandidate>, reason, test: Predicate<'_>| {
        found.retain(|candidate| {
            let keeps = test(candidate);
            if !keeps {
                rejected.push(RejectedCandidate::new(candidate, reason));
            }
            keeps
        });
    };
    if found.is_empty() {
        return Ok(None);
    }
    if found.iter().any(|candidate| is_invalid(candidate)) {
        return Err(Unresolved::InvalidEndpoint);
    }
    if kind == IdentifierKind::IpAddress {
        let since = times.address_valid_since();
        keep(&mut found, "was not seen since", &|candidate| seen_since(&candidate.endpoint, since));
        if found.is_empty() {
            return Err(Unresolved::StaleAddress);
        }
    }
    let by_name = kind == IdentifierKind::Hostname;
    let has_clone = without_superseded(&found, by_name, times).iter().any(|one| is_clone(one));
    keep(&mut found, "contradicts another identifier", &|candidate| {
        !contradicts(identity, kind, &candidate.endpoint)
    });
    if found.is_empty() {
        return Err(Unresolved::Contradiction { kind });
    }
    // After the contradictions: a record of another host supersedes nothing.
    let current = without_superseded(&found, by_name, times);
    keep(&mut found, "is a stale record beside a live one", &|candidate| {
        current.iter().any(|one| std::ptr::eq(*one, candidate))
    });
    narrow(identity, &mut found, times, &mut keep);
    match found.as_slice() {
        _ if has_clone => Err(Unresolved::Cloned),
        [one] if kind == IdentifierKind::IpAddress && !is_address_fresh(&one.endpoint, times) => {
            Err(Unresolved::StaleAddress)
        }
        [one] if !is_live(&one.endpoint, times) => Err(Unresolved::Stale),
        [_] => {
            if kind == IdentifierKind::Hostname {
                keep(&mut found, "has a longer or similar name", &|one| is_certain(identity, &one.endpoint));
            }
            // Last, so that it never decides between two endpoints.
            if identity.is_cloud_instance() && kind != IdentifierKind::EndpointId {
                keep(&mut found, "is not a cloud instance", &|one| instance_id(&one.endpoint).is_some());
            }
            Ok(found.first().copied())
        }
        several => {
            let count = several.len();
            keep(&mut found, "is one of several matches", &|_| false);
            Err(Unresolved::Ambiguous { count, kind })
        }
    }
}

/// Returns the candidates that are live, or have no live record of the same machine
/// beside them.
fn without_superseded<'c>(
    found: &[&'c EndpointCandidate],
    by_name: bool,
    times: &ResolutionTimes,
) -> Vec<&'c EndpointCandidate> {
    let is_live = |candidate: &EndpointCandidate| is_live(&candidate.endpoint, times);
    let is_newer = |other: &EndpointCandidate, candidate: &EndpointCandidate| {
        is_live(other) && other.tenant == candidate.tenant && (!by_name || has_same_name(other, candidate))
    };
    let keeps = |candidate: &&EndpointCandidate| {
        is_live(candidate) || !found.iter().any(|other| is_newer(other, candidate))
    };
    found.iter().copied().filter(keeps).collect()
}

/// Narrows several candidates to those that match further identifiers, if any do.
fn narrow<'c>(
    identity: &HostIdentity,
    found: &mut Vec<&'c EndpointCandidate>,
    times: &ResolutionTimes,
    keep: &mut impl FnMut(&mut Vec<&'c EndpointCandidate>, &'static str, Predicate<'_>),
) {
    let has_full_name = |candidate: &EndpointCandidate| {
        let own = candidate.endpoint.hostname.as_deref().map(fold_name).unwrap_or_default();
        own.contains('.') && identity.hostnames.iter().any(|name| fold_name(name) == own)
    };
    let has_mac =
        |candidate: &EndpointCandidate| matches(identity, IdentifierKind::MacAddress, &candidate.endpoint);
    let has_name =
        |candidate: &EndpointCandidate| matches(identity, IdentifierKind::Hostname, &candidate.endpoint);
    let has_addresses = |candidate: &EndpointCandidate| {
        times.accepts_addresses()
            && seen_since(&candidate.endpoint, times.address_valid_since())
            && has_all_addresses(identity, &candidate.endpoint)
    };
    let tests: [(&'static str, Predicate<'_>); 4] = [
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

/// Returns each endpoint once, in a stable order. A listing may contain an endpoint
/// twice if it reports meanwhile; the record that was seen last counts.
pub(super) fn deduplicate(candidates: &[EndpointCandidate]) -> Vec<&EndpointCandidate> {
    let mut each: Vec<&EndpointCandidate> = candidates.iter().collect();
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
pub(crate) fn matches(identity: &HostIdentity, kind: IdentifierKind, endpoint: &Endpoint) -> bool {
    match kind {
        IdentifierKind::EndpointId => {
            identity.endpoint_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(&endpoint.id))
        }
        IdentifierKind::Ec2InstanceId => {
            let wanted = identity.ec2_instance_id.as_deref();
            wanted.zip(instance_id(endpoint)).is_some_and(|(wanted, own)| wanted.eq_ignore_ascii_case(own))
        }
        IdentifierKind::MacAddress => {
            mac_addresses(endpoint).any(|own| identity.mac_addresses.contains(&own))
        }
        IdentifierKind::Hostname => name_fit_of(identity, endpoint) != NameMatch::None,
        IdentifierKind::IpAddress => has_address(identity, endpoint),
    }
}

/// Returns the match of the host's names with the endpoint's.
fn name_fit_of(identity: &HostIdentity, endpoint: &Endpoint) -> NameMatch {
    endpoint.hostname.as_deref().map_or(NameMatch::None, |own| identity.name_fit(own))
}

pub(super) fn has_address(identity: &HostIdentity, endpoint: &Endpoint) -> bool {
    ip_addresses(endpoint).any(|own| identity.ip_addresses.contains(&own))
}

/// Whether it has every address of the host: one of several may belong to a
/// container bridge, which many machines have.
fn has_all_addresses(identity: &HostIdentity, endpoint: &Endpoint) -> bool {
    let own: Vec<IpAddr> = ip_addresses(endpoint).collect();
    !identity.ip_addresses.is_empty() && identity.ip_addresses.iter().all(|address| own.contains(address))
}

fn ip_addresses(endpoint: &Endpoint) -> impl Iterator<Item = IpAddr> {
    let lists = [&endpoint.ipv4_addresses, &endpoint.ipv6_addresses];
    let texts = lists.into_iter().flatten().flatten();
    texts.filter_map(|text| text.parse::<IpAddr>().ok()).map(|address| address.to_canonical())
}

/// Whether the name matches exactly, not only as a truncated one, or the MAC address
/// matches.
fn is_certain(identity: &HostIdentity, endpoint: &Endpoint) -> bool {
    name_fit_of(identity, endpoint) == NameMatch::Exact
        || matches(identity, IdentifierKind::MacAddress, endpoint)
}

/// Whether the endpoint's data shows that it is another host. Missing data is no
/// contradiction.
fn contradicts(identity: &HostIdentity, found_by: IdentifierKind, endpoint: &Endpoint) -> bool {
    let instance = identity.ec2_instance_id.as_deref().zip(instance_id(endpoint));
    if instance.is_some_and(|(wanted, own)| !wanted.eq_ignore_ascii_case(own)) {
        return true;
    }
    let known = mac_addresses(endpoint).next().is_some();
    if known && !identity.mac_addresses.is_empty() && !matches(identity, IdentifierKind::MacAddress, endpoint)
    {
        return true;
    }
    // A cloud's name for an instance differs from the name that its system has. A
    // name that found the endpoint does not contradict it, even if only similar.
    let named = endpoint.hostname.as_deref().is_some_and(|name| !name.is_empty());
    !matches!(found_by, IdentifierKind::Ec2InstanceId | IdentifierKind::Hostname)
        && named
        && identity.has_names()
        && name_fit_of(identity, endpoint) <= NameMatch::Ambiguous
}

/// Whether two records have the same name, domain included.
fn has_same_name(a: &EndpointCandidate, b: &EndpointCandidate) -> bool {
    let name = |candidate: &EndpointCandidate| candidate.endpoint.hostname.as_deref().map(fold_name);
    let (a, b) = (name(a), name(b));
    a == b && a.is_some_and(|name| !name.is_empty())
}

fn instance_id(endpoint: &Endpoint) -> Option<&str> {
    endpoint.cloud.as_ref()?.instance_id.as_deref().filter(|id| !id.is_empty())
}

fn mac_addresses(endpoint: &Endpoint) -> impl Iterator<Item = String> {
    endpoint.mac_addresses.iter().flatten().filter_map(|mac| parse_mac_address(mac).ok())
}

fn is_clone(candidate: &EndpointCandidate) -> bool {
    candidate.endpoint.cloned == Some(true)
}

fn is_invalid(candidate: &EndpointCandidate) -> bool {
    let tenant = candidate.endpoint.tenant.as_ref().and_then(|tenant| tenant.id.as_deref());
    tenant.is_some_and(|tenant| !tenant.eq_ignore_ascii_case(&candidate.tenant))
        || !is_uuid(&candidate.endpoint.id)
}

fn is_live(endpoint: &Endpoint, times: &ResolutionTimes) -> bool {
    let since = times.now.saturating_sub(times.liveness.seen_within);
    endpoint.online == Some(true) || seen_since(endpoint, since)
}

/// Whether it was seen recently enough to still have its address.
fn is_address_fresh(endpoint: &Endpoint, times: &ResolutionTimes) -> bool {
    seen_since(endpoint, times.now.saturating_sub(times.liveness.address_seen_within))
}

pub(super) fn seen_since(endpoint: &Endpoint, since: Duration) -> bool {
    let Some(seen) = endpoint.last_seen_at.as_ref().and_then(|seen| seen.instant()) else {
        return false;
    };
    // A time in the future is a clock error, and counts as recent.
    Duration::try_from(seen.as_duration()).is_ok_and(|seen| seen >= since)
}
