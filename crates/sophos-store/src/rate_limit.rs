//! The rate budget of one credential, spent by many processes together, with no
//! server between them.
//!
//! # How it works
//!
//! Time is cut into slots of equal length, and a slot has room for `k` requests.
//! A process claims a slot by creating its object in the store, *which must not
//! exist*: so each slot has one owner, whatever else happens. The owner may send
//! `k` requests from its beginning on, until `g` slots after its end, so that
//! slow answers waste nothing.
//!
//! A slot is `k / r` long, where `r` is the least rate that any window of the
//! [`RateBudget`] allows in the long run. What is sent in a time `t` belongs to
//! at most `t / slot + 2 + g` slots, and so is at most `r t + (2 + g) k`. A window
//! lets `burst + rate × t` through; its rate is no less than `r`, and `k` and `g`
//! are chosen such that `(2 + g) k` is no more than any window's burst. So no
//! window is exceeded, however many processes there are, and whichever die: a
//! dead owner costs what was left of its slots. (With a burst of one, two
//! requests may come at once.)
//!
//! A slot's number is the time since the Unix epoch by the length of a slot, so
//! processes agree on it as far as their clocks do. A clock that is wrong by so
//! much moves that process's requests by as much.
//!
//! # What it costs
//!
//! For each slot one listing and one creation, and the removal of a slot that is
//! past. A slot has five requests or lasts three seconds, where the bursts allow
//! it: at 100 requests a minute that is two requests to the store for five to
//! the service.
//!
//! # What it does not do
//!
//! Bursts that the windows would allow after a pause are not used: the sum of
//! all processes is even. A store that fails holds nobody back: the service has
//! the last word on its limits, and an isolation must not wait for a store.

mod slots;

use std::{collections::VecDeque, fmt, pin::pin, time::Duration};

use async_lock::Mutex;
use futures_util::future::{Either, select};
use sophos_api::{BoxFuture, RateBudget, SharedBudget, Transport};

use self::slots::Slots;
use crate::{Store, StoreError};

/// How often it is said that the store fails.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// Longest wait for the store. Requests go through after that: the store repeats a
/// request for longer than an isolation can wait.
const MAX_STORE_WAIT: Duration = Duration::from_secs(5);

/// Slots that are listed before the present one: so many are looked at for what
/// can be removed.
const LOOKED_BACK: u64 = 64;

/// Old slots that one claim removes.
const REMOVED: usize = 4;

/// The same when a process claims its first.
const REMOVED_AT_FIRST: usize = 200;

/// A budget in a folder of the store.
pub struct SlotBudget<T> {
    store: Store,
    folder: String,
    slots: Slots,
    /// One slot in so many is left to others.
    reserve: Option<u64>,
    time: T,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The slots that are ours, the earliest first.
    claims: VecDeque<Claim>,
    has_claimed: bool,
    said_at: Option<Duration>,
}

#[derive(Clone, Copy)]
struct Claim {
    slot: u64,
    left: u32,
}

impl<T: Transport> SlotBudget<T> {
    /// The budget that is spent together by all who name the same folder of the
    /// same store, and have the same windows. `time` is the clock. `None` if the
    /// budget has no bound.
    pub fn new(store: Store, folder: impl Into<String>, budget: &RateBudget, time: T) -> Option<Self> {
        let slots = Slots::of(budget)?;
        Some(Self { store, folder: folder.into(), slots, reserve: None, time, state: Mutex::default() })
    }

    /// Leaves one slot in so many (at least two) to other processes, such as
    /// those that isolate while this one exports.
    #[must_use]
    pub fn with_reserve(mut self, one_in: u64) -> Self {
        self.reserve = Some(one_in.max(2));
        self
    }

    /// How long a slot is.
    pub fn slot_length(&self) -> Duration {
        self.slots.length()
    }

    /// How many requests it has room for.
    pub fn requests_in_slot(&self) -> u32 {
        self.slots.requests()
    }

    async fn wait(&self, deadline: Option<Duration>) -> Result<Duration, Duration> {
        let asked_at = self.time.now();
        let start = {
            let state = self.state.lock();
            let mut state = match deadline {
                None => state.await,
                Some(deadline) => {
                    let left = self.time.sleep(deadline.saturating_sub(asked_at));
                    match select(pin!(state), pin!(left)).await {
                        Either::Left((state, _)) => state,
                        Either::Right(_) => return Err(deadline.saturating_sub(asked_at)),
                    }
                }
            };
            let taken = {
                let taken = self.take(&mut state, deadline);
                match select(pin!(taken), pin!(self.time.sleep(MAX_STORE_WAIT))).await {
                    Either::Left((taken, _)) => taken.map_err(|error| error.to_string()),
                    Either::Right(_) => Err("it does not answer in time".to_owned()),
                }
            };
            match taken {
                Ok(start) => start?,
                Err(error) => {
                    self.say(&mut state, &error);
                    return Ok(Duration::ZERO);
                }
            }
        };
        // Its place is taken: who comes after it waits for a later one.
        let wait = start.saturating_sub(self.time.now());
        if !wait.is_zero() {
            self.time.sleep(wait).await;
        }
        Ok(self.time.now().saturating_sub(asked_at))
    }

    /// Takes a place in a slot of ours, or in one that is claimed for it, and
    /// says when that begins; or how long it would be until then.
    async fn take(
        &self,
        state: &mut State,
        deadline: Option<Duration>,
    ) -> Result<Result<Duration, Duration>, StoreError> {
        let now = self.time.now();
        state.claims.retain(|claim| claim.left > 0 && now < self.slots.end(claim.slot));
        let slot = match state.claims.front() {
            Some(claim) => claim.slot,
            None => match self.claim(state, now, deadline).await? {
                Ok(slot) => slot,
                Err(wait) => return Ok(Err(wait)),
            },
        };
        let start = self.slots.start(slot);
        if let Some(wait) = is_late(start, now, deadline) {
            return Ok(Err(wait));
        }
        if let Some(claim) = state.claims.front_mut() {
            claim.left -= 1;
        }
        Ok(Ok(start))
    }

    /// Claims the first free slot from now on.
    async fn claim(
        &self,
        state: &mut State,
        now: Duration,
        deadline: Option<Duration>,
    ) -> Result<Result<u64, Duration>, StoreError> {
        let present = self.slots.at(now);
        let (after, most) = if state.has_claimed {
            (slots::name(present.saturating_sub(LOOKED_BACK)), REMOVED)
        } else {
            (String::new(), REMOVED_AT_FIRST)
        };
        let names = self.store.names_after(&self.folder, &after).await?;
        let taken: Vec<_> = names.iter().filter_map(|name| slots::number(name)).collect();
        let past = taken.iter().filter(|slot| **slot + 2 < present).take(most);
        for slot in past {
            // Whoever removes it first: it is no longer asked for. One that stays costs a
            // longer listing.
            if let Err(error) = self.store.remove(&self.path(*slot)).await {
                tracing::warn!(%error, folder = self.folder, "removing a past slot of the rate budget failed");
                break;
            }
        }
        state.has_claimed = true;
        let mut slot = present;
        loop {
            if let Some(wait) = is_late(self.slots.start(slot), now, deadline) {
                return Ok(Err(wait));
            }
            let is_ours = self.reserve.is_none_or(|one_in| !slot.is_multiple_of(one_in));
            if is_ours && !taken.contains(&slot) && self.store.create(&self.path(slot), Vec::new()).await? {
                state.claims.push_back(Claim { slot, left: self.slots.requests() });
                return Ok(Ok(slot));
            }
            slot += 1;
        }
    }

    fn path(&self, slot: u64) -> String {
        format!("{}/{}", self.folder, slots::name(slot))
    }

    fn say(&self, state: &mut State, error: &str) {
        let now = self.time.now();
        if state.said_at.is_none_or(|at| now.saturating_sub(at) >= SAID_EVERY) {
            state.said_at = Some(now);
            tracing::warn!(
                error,
                folder = self.folder,
                "the shared rate budget cannot be reached; requests go through"
            );
        }
    }
}

/// How long it is until `start`, if that is past the deadline.
fn is_late(start: Duration, now: Duration, deadline: Option<Duration>) -> Option<Duration> {
    let wait = start.saturating_sub(now);
    deadline.filter(|deadline| !wait.is_zero() && start >= *deadline).map(|_| wait)
}

impl<T: Transport> SharedBudget for SlotBudget<T> {
    fn turn(&self, deadline: Option<Duration>) -> BoxFuture<'_, Result<Duration, Duration>> {
        Box::pin(self.wait(deadline))
    }
}

impl<T> fmt::Debug for SlotBudget<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SlotBudget");
        shown.field("store", &self.store).field("folder", &self.folder).field("slots", &self.slots);
        shown.field("reserve", &self.reserve).finish_non_exhaustive()
    }
}
