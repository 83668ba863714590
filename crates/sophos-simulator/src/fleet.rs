//! What changes about endpoints: whether they are online, and their isolation.
//!
//! Isolation has two sides. What was asked for shows at once; what the endpoint reports follows
//! when it has been online for the report delay. Between the two a change is pending.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::time;

/// The isolation of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Isolation {
    /// What was asked for last.
    pub(crate) enabled: bool,
    /// What the endpoint reported last.
    pub(crate) reported: bool,
    /// When the pending change is due, if one is pending.
    pub(crate) due_ms: Option<i64>,
    pub(crate) enabled_at: Option<i64>,
    pub(crate) enabled_by: Option<String>,
    pub(crate) disabled_at: Option<i64>,
    pub(crate) disabled_by: Option<String>,
    pub(crate) comment: Option<String>,
}

impl Isolation {
    /// Whether isolation was ever asked for.
    pub(crate) fn is_touched(&self) -> bool {
        self.enabled_by.is_some() || self.disabled_by.is_some()
    }

    fn settle(&mut self, online_since: Option<i64>, now: i64) {
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
struct Live {
    isolation: Isolation,
    online: Option<Presence>,
}

/// Online or not, by the control host's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Presence {
    pub(crate) online: bool,
    pub(crate) since_ms: i64,
}

/// Tenant number and endpoint number.
pub(crate) type EndpointKey = (usize, u64);

/// A change that cannot be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// A change is pending.
    InProgress,
    /// It is as asked already.
    AlreadySo,
}

/// Who asks for what.
#[derive(Debug, Clone)]
pub(crate) struct Wish<'a> {
    pub(crate) enabled: bool,
    pub(crate) comment: Option<&'a str>,
    pub(crate) by: &'a str,
    pub(crate) operation: &'static str,
}

/// A wish that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) key: EndpointKey,
    pub(crate) enabled: bool,
    pub(crate) changed: bool,
    pub(crate) comment: Option<String>,
    pub(crate) by: String,
    pub(crate) operation: &'static str,
    pub(crate) at_ms: i64,
    pub(crate) real_ms: i64,
}

#[derive(Debug)]
pub(crate) struct Fleet {
    delay_ms: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    all: HashMap<EndpointKey, Live>,
    accepted: Vec<Accepted>,
}

impl Fleet {
    pub(crate) fn new(delay_ms: i64) -> Self {
        Self { delay_ms, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that was accepted, in order.
    pub(crate) fn accepted(&self) -> Vec<Accepted> {
        self.state().accepted.clone()
    }

    pub(crate) fn forget_accepted(&self) {
        self.state().accepted.clear();
    }

    /// What is known of an endpoint that is online at the start or not.
    pub(crate) fn look(
        &self,
        key: EndpointKey,
        base_online: bool,
        now: i64,
    ) -> (Isolation, Option<Presence>) {
        let all = &mut self.state().all;
        match all.get_mut(&key) {
            Some(live) => {
                settle(live, base_online, now);
                (live.isolation.clone(), live.online)
            }
            None => (Isolation::default(), None),
        }
    }

    pub(crate) fn set_online(&self, key: EndpointKey, base_online: bool, online: bool, now: i64) {
        let all = &mut self.state().all;
        let live = all.entry(key).or_default();
        settle(live, base_online, now);
        let since_ms = now;
        live.online = Some(Presence { online, since_ms });
        settle(live, base_online, now);
    }

    /// Asks several endpoints for a change. Nothing changes when any of them is in conflict.
    pub(crate) fn ask(
        &self,
        keys: &[(EndpointKey, bool)],
        wish: &Wish<'_>,
        refuse_same: bool,
        now: i64,
    ) -> Result<(), Conflict> {
        let State { all, accepted } = &mut *self.state();
        for (key, base_online) in keys {
            let live = all.entry(*key).or_default();
            settle(live, *base_online, now);
            if live.isolation.due_ms.is_some() {
                return Err(Conflict::InProgress);
            }
            if refuse_same && live.isolation.enabled == wish.enabled {
                return Err(Conflict::AlreadySo);
            }
        }
        for (key, base_online) in keys {
            let live = all.entry(*key).or_default();
            let isolation = &mut live.isolation;
            let changed = isolation.enabled != wish.enabled;
            accepted.push(Accepted {
                key: *key,
                enabled: wish.enabled,
                changed,
                comment: wish.comment.map(str::to_owned),
                by: wish.by.to_owned(),
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
            let by = Some(wish.by.to_owned());
            if wish.enabled {
                isolation.enabled_at = None;
                isolation.enabled_by = by;
            } else {
                isolation.disabled_at = None;
                isolation.disabled_by = by;
            }
            settle(live, *base_online, now);
        }
        Ok(())
    }
}

fn settle(live: &mut Live, base_online: bool, now: i64) {
    let online_since = match live.online {
        Some(presence) => presence.online.then_some(presence.since_ms),
        None => base_online.then_some(i64::MIN),
    };
    live.isolation.settle(online_since, now);
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: EndpointKey = (0, 0);

    fn wish(enabled: bool) -> Wish<'static> {
        Wish { enabled, comment: Some("why"), by: "someone", operation: "isolation.set" }
    }

    #[test]
    fn on_and_off_again() {
        let fleet = Fleet::new(1_000);
        let keys = [(KEY, true)];
        fleet.ask(&keys, &wish(true), true, 0).unwrap();
        let (pending, _) = fleet.look(KEY, true, 999);
        assert!(pending.enabled && !pending.reported && pending.enabled_at.is_none());
        assert_eq!(fleet.ask(&keys, &wish(false), true, 999), Err(Conflict::InProgress));
        let (done, _) = fleet.look(KEY, true, 5_000);
        assert!(done.reported);
        assert_eq!(done.enabled_at, Some(1_000));
        assert_eq!(fleet.ask(&keys, &wish(true), true, 5_000), Err(Conflict::AlreadySo));
        fleet.ask(&keys, &wish(true), false, 5_000).unwrap();
        fleet.ask(&keys, &wish(false), true, 5_000).unwrap();
        let (off, _) = fleet.look(KEY, true, 6_000);
        assert!(!off.enabled && !off.reported);
        assert_eq!((off.enabled_at, off.disabled_at), (Some(1_000), Some(6_000)));
    }

    #[test]
    fn an_offline_endpoint_reports_when_it_is_back() {
        let fleet = Fleet::new(1_000);
        fleet.ask(&[(KEY, false)], &wish(true), true, 0).unwrap();
        assert!(!fleet.look(KEY, false, i64::MAX).0.reported);
        fleet.set_online(KEY, false, true, 50_000);
        let (done, presence) = fleet.look(KEY, false, 50_000);
        assert!(done.reported);
        assert_eq!(done.enabled_at, Some(50_000));
        assert!(presence.unwrap().online);
    }

    #[test]
    fn all_or_none() {
        let fleet = Fleet::new(1_000);
        fleet.ask(&[((0, 1), true)], &wish(true), true, 0).unwrap();
        let both = [((0, 0), true), ((0, 1), true)];
        assert!(fleet.ask(&both, &wish(true), false, 10).is_err());
        assert!(!fleet.look((0, 0), true, 10).0.is_touched());
    }
}
