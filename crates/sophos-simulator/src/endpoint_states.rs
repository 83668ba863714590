//! The changing state of endpoints: online or offline, and isolation.
//!
//! Isolation has a requested and a reported state. The requested state shows at once. The
//! reported state follows when the endpoint has been online for the report delay; until then
//! the change is pending.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::data::endpoint::Group;
use crate::time;

/// The isolation of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct IsolationRecord {
    /// The last requested state.
    pub(crate) enabled: bool,
    /// The last reported state.
    pub(crate) reported: bool,
    /// The time at which the pending change is due.
    pub(crate) due_ms: Option<i64>,
    pub(crate) enabled_at: Option<i64>,
    pub(crate) enabled_by: Option<String>,
    pub(crate) disabled_at: Option<i64>,
    pub(crate) disabled_by: Option<String>,
    pub(crate) comment: Option<String>,
}

impl IsolationRecord {
    /// Whether isolation was ever requested.
    pub(crate) fn was_ever_requested(&self) -> bool {
        self.enabled_by.is_some() || self.disabled_by.is_some()
    }

    fn apply_pending(&mut self, online_since: Option<i64>, now: i64) {
        let (Some(due), Some(since)) = (self.due_ms, online_since) else {
            return;
        };
        let at = due.max(since);
        if now < at {
            return;
        }
        self.due_ms = None;
        self.reported = self.enabled;
        if self.enabled {
            self.enabled_at = Some(at);
        } else {
            self.disabled_at = Some(at);
        }
    }
}

#[derive(Debug, Clone, Default)]
struct EndpointState {
    isolation: IsolationRecord,
    online_override: Option<OnlineOverride>,
    changes: EndpointChanges,
}

/// The changes of an endpoint by clients, other than isolation.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndpointChanges {
    /// The time of its arrival from another tenant.
    pub(crate) arrives_ms: Option<i64>,
    /// The time of its deletion or departure.
    pub(crate) deleted_ms: Option<i64>,
    pub(crate) tamper_protected: Option<bool>,
    /// The group; `Some(None)` means no group.
    pub(crate) group: Option<Option<Group>>,
    /// The name of the software package.
    pub(crate) package: Option<String>,
}

impl EndpointChanges {
    pub(crate) fn exists_at(&self, now: i64) -> bool {
        self.arrives_ms.is_none_or(|at| now >= at) && self.deleted_ms.is_none_or(|at| now < at)
    }
}

/// The connection state that the control host set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OnlineOverride {
    pub(crate) online: bool,
    pub(crate) since_ms: i64,
}

/// The index of the tenant and of the endpoint.
pub(crate) type EndpointKey = (usize, u64);

/// The reason why a change is impossible now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// A change is pending.
    InProgress,
    /// The endpoint already is in the requested state.
    AlreadyInState,
}

/// The requested state and its requester.
#[derive(Debug, Clone)]
pub(crate) struct IsolationRequest<'a> {
    pub(crate) enabled: bool,
    pub(crate) comment: Option<&'a str>,
    pub(crate) requested_by: &'a str,
    pub(crate) operation: &'static str,
}

/// An accepted request.
#[derive(Debug, Clone)]
pub(crate) struct AcceptedChange {
    pub(crate) key: EndpointKey,
    pub(crate) enabled: bool,
    pub(crate) changed: bool,
    pub(crate) comment: Option<String>,
    pub(crate) requested_by: String,
    pub(crate) operation: &'static str,
    pub(crate) at_ms: i64,
    pub(crate) real_ms: i64,
}

#[derive(Debug)]
pub(crate) struct EndpointStates {
    delay_ms: i64,
    state: Mutex<StateTable>,
}

#[derive(Debug, Default)]
struct StateTable {
    endpoints: HashMap<EndpointKey, EndpointState>,
    accepted: Vec<AcceptedChange>,
}

impl EndpointStates {
    pub(crate) fn new(delay_ms: i64) -> Self {
        Self { delay_ms, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, StateTable> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All accepted requests, in order.
    pub(crate) fn accepted(&self) -> Vec<AcceptedChange> {
        self.state().accepted.clone()
    }

    pub(crate) fn clear_accepted(&self) {
        self.state().accepted.clear();
    }

    /// The current state of an endpoint, given its connection state at the start.
    pub(crate) fn snapshot(
        &self,
        key: EndpointKey,
        base_online: bool,
        now: i64,
    ) -> (IsolationRecord, Option<OnlineOverride>) {
        let all = &mut self.state().endpoints;
        match all.get_mut(&key) {
            Some(live) => {
                apply_pending(live, base_online, now);
                (live.isolation.clone(), live.online_override)
            }
            None => (IsolationRecord::default(), None),
        }
    }

    pub(crate) fn changes(&self, key: EndpointKey) -> EndpointChanges {
        self.state().endpoints.get(&key).map(|live| live.changes.clone()).unwrap_or_default()
    }

    pub(crate) fn change(&self, key: EndpointKey, change: impl FnOnce(&mut EndpointChanges)) {
        change(&mut self.state().endpoints.entry(key).or_default().changes);
    }

    pub(crate) fn exists(&self, key: EndpointKey, now: i64) -> bool {
        self.state().endpoints.get(&key).is_none_or(|live| live.changes.exists_at(now))
    }

    pub(crate) fn set_online(&self, key: EndpointKey, base_online: bool, online: bool, now: i64) {
        let all = &mut self.state().endpoints;
        let live = all.entry(key).or_default();
        apply_pending(live, base_online, now);
        let since_ms = now;
        live.online_override = Some(OnlineOverride { online, since_ms });
        apply_pending(live, base_online, now);
    }

    /// Requests a change of several endpoints. Nothing changes if any of them is in
    /// conflict.
    pub(crate) fn request(
        &self,
        keys: &[(EndpointKey, bool)],
        wish: &IsolationRequest<'_>,
        refuse_same: bool,
        now: i64,
    ) -> Result<(), Conflict> {
        let StateTable { endpoints: all, accepted } = &mut *self.state();
        for (key, base_online) in keys {
            let live = all.entry(*key).or_default();
            apply_pending(live, *base_online, now);
            if live.isolation.due_ms.is_some() {
                return Err(Conflict::InProgress);
            }
            if refuse_same && live.isolation.enabled == wish.enabled {
                return Err(Conflict::AlreadyInState);
            }
        }
        for (key, base_online) in keys {
            let live = all.entry(*key).or_default();
            let isolation = &mut live.isolation;
            let changed = isolation.enabled != wish.enabled;
            accepted.push(AcceptedChange {
                key: *key,
                enabled: wish.enabled,
                changed,
                comment: wish.comment.map(str::to_owned),
                requested_by: wish.requested_by.to_owned(),
                operation: wish.operation,
                at_ms: now,
                real_ms: time::real_now_ms(),
            });
            if !changed {
                continue;
            }
            isolation.enabled = wish.enabled;
            isolation.comment = wish.comment.map(str::to_owned);
            isolation.due_ms = Some(now + self.delay_ms);
            let by = Some(wish.requested_by.to_owned());
            if wish.enabled {
                isolation.enabled_at = None;
                isolation.enabled_by = by;
            } else {
                isolation.disabled_at = None;
                isolation.disabled_by = by;
            }
            apply_pending(live, *base_online, now);
        }
        Ok(())
    }
}

fn apply_pending(live: &mut EndpointState, base_online: bool, now: i64) {
    let online_since = match live.online_override {
        Some(presence) => presence.online.then_some(presence.since_ms),
        None => base_online.then_some(i64::MIN),
    };
    live.isolation.apply_pending(online_since, now);
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: EndpointKey = (0, 0);

    fn request(enabled: bool) -> IsolationRequest<'static> {
        IsolationRequest {
            enabled,
            comment: Some("why"),
            requested_by: "someone",
            operation: "isolation.set",
        }
    }

    #[test]
    fn isolation_takes_effect_and_is_released() {
        let fleet = EndpointStates::new(1_000);
        let keys = [(KEY, true)];
        fleet.request(&keys, &request(true), true, 0).unwrap();
        let (pending, _) = fleet.snapshot(KEY, true, 999);
        assert!(pending.enabled && !pending.reported && pending.enabled_at.is_none());
        assert_eq!(fleet.request(&keys, &request(false), true, 999), Err(Conflict::InProgress));
        let (done, _) = fleet.snapshot(KEY, true, 5_000);
        assert!(done.reported);
        assert_eq!(done.enabled_at, Some(1_000));
        assert_eq!(fleet.request(&keys, &request(true), true, 5_000), Err(Conflict::AlreadyInState));
        fleet.request(&keys, &request(true), false, 5_000).unwrap();
        fleet.request(&keys, &request(false), true, 5_000).unwrap();
        let (off, _) = fleet.snapshot(KEY, true, 6_000);
        assert!(!off.enabled && !off.reported);
        assert_eq!((off.enabled_at, off.disabled_at), (Some(1_000), Some(6_000)));
    }

    #[test]
    fn offline_endpoint_reports_when_it_reconnects() {
        let fleet = EndpointStates::new(1_000);
        fleet.request(&[(KEY, false)], &request(true), true, 0).unwrap();
        assert!(!fleet.snapshot(KEY, false, i64::MAX).0.reported);
        fleet.set_online(KEY, false, true, 50_000);
        let (done, presence) = fleet.snapshot(KEY, false, 50_000);
        assert!(done.reported);
        assert_eq!(done.enabled_at, Some(50_000));
        assert!(presence.unwrap().online);
    }

    #[test]
    fn bulk_request_is_atomic_on_conflict() {
        let fleet = EndpointStates::new(1_000);
        fleet.request(&[((0, 1), true)], &request(true), true, 0).unwrap();
        let both = [((0, 0), true), ((0, 1), true)];
        assert!(fleet.request(&both, &request(true), false, 10).is_err());
        assert!(!fleet.snapshot((0, 0), true, 10).0.was_ever_requested());
    }
}
