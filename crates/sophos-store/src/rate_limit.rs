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
//! [`RateLimit`] allows in the long run. What is sent in a time `t` belongs to
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

mod time_slices;

use std::{collections::VecDeque, fmt, pin::pin, time::Duration};

use async_lock::Mutex;
use futures_util::future::{Either, select};
use sophos_api::{BoxFuture, RateLimit, SharedRateLimiter, Transport};

use self::time_slices::TimeSlices;
use crate::{Store, StoreError};

/// How often it is said that the store fails.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Longest wait for the store. Requests go through after that: the store repeats a
/// request for longer than an isolation can wait.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// Slots that are listed before the present one: so many are looked at for what
/// can be removed.
const LOOKBACK_SLICES: u64 = 64;

/// Old slots that one claim removes.
const MAX_REMOVALS: usize = 4;

/// The same when a process claims its first.
const MAX_INITIAL_REMOVALS: usize = 200;

/// The largest share that [`StoreRateLimiter::with_reserve`] leaves to others, in percent.
pub const MAX_RESERVE_PERCENT: u64 = 50;

/// A budget in a folder of the store.
pub struct StoreRateLimiter<T> {
    store: Store,
    folder: String,
    time_slices: TimeSlices,
    /// The share of the slots that is left to others, in percent.
    reserve_percent: u64,
    clock: T,
    state: Mutex<LeaseState>,
}

#[derive(Default)]
struct LeaseState {
    /// The slots that are ours, the earliest first.
    leases: VecDeque<Lease>,
    has_leased: bool,
    warned_at: Option<Duration>,
}

#[derive(Clone, Copy)]
struct Lease {
    slice: u64,
    permits_left: u32,
}

impl<T: Transport> StoreRateLimiter<T> {
    /// The budget that is spent together by all who name the same folder of the
    /// same store, and have the same windows. `time` is the clock. `None` if the
    /// budget has no bound.
    pub fn new(store: Store, folder: impl Into<String>, rate_limit: &RateLimit, clock: T) -> Option<Self> {
        let slots = TimeSlices::from_rate_limit(rate_limit)?;
        Some(Self {
            store,
            folder: folder.into(),
            time_slices: slots,
            reserve_percent: 0,
            clock,
            state: Mutex::default(),
        })
    }

    /// Leaves `percent` of the slots to other processes, such as those that isolate
    /// while this one exports. At most [`MAX_RESERVE_PERCENT`].
    #[must_use]
    pub fn with_reserve(mut self, percent: u64) -> Self {
        self.reserve_percent = percent.min(MAX_RESERVE_PERCENT);
        self
    }

    /// How long a slot is.
    pub fn slice_duration(&self) -> Duration {
        self.time_slices.duration()
    }

    /// How many requests it has room for.
    pub fn permits_per_slice(&self) -> u32 {
        self.time_slices.permits()
    }

    async fn acquire(&self, deadline: Option<Duration>) -> Result<Duration, Duration> {
        let asked_at = self.clock.now();
        let start = {
            let state = self.state.lock();
            let mut state = match deadline {
                None => state.await,
                Some(deadline) => {
                    let left = self.clock.sleep(deadline.saturating_sub(asked_at));
                    match select(pin!(state), pin!(left)).await {
                        Either::Left((state, _)) => state,
                        Either::Right(_) => return Err(deadline.saturating_sub(asked_at)),
                    }
                }
            };
            let taken = {
                let taken = self.reserve_permit(&mut state, deadline);
                match select(pin!(taken), pin!(self.clock.sleep(STORE_TIMEOUT))).await {
                    Either::Left((taken, _)) => taken.map_err(|error| error.to_string()),
                    Either::Right(_) => Err("it does not answer in time".to_owned()),
                }
            };
            match taken {
                Ok(start) => start?,
                Err(error) => {
                    self.warn_store_failed(&mut state, &error);
                    return Ok(Duration::ZERO);
                }
            }
        };
        // Its place is taken: who comes after it waits for a later one.
        let wait = start.saturating_sub(self.clock.now());
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        Ok(self.clock.now().saturating_sub(asked_at))
    }

    /// Takes a place in a slot of ours, or in one that is claimed for it, and
    /// says when that begins; or how long it would be until then.
    async fn reserve_permit(
        &self,
        state: &mut LeaseState,
        deadline: Option<Duration>,
    ) -> Result<Result<Duration, Duration>, StoreError> {
        let now = self.clock.now();
        state.leases.retain(|claim| claim.permits_left > 0 && now < self.time_slices.end(claim.slice));
        let slot = match state.leases.front() {
            Some(claim) => claim.slice,
            None => match self.acquire_lease(state, now, deadline).await? {
                Ok(slot) => slot,
                Err(wait) => return Ok(Err(wait)),
            },
        };
        let start = self.time_slices.start(slot);
        if let Some(wait) = wait_past_deadline(start, now, deadline) {
            return Ok(Err(wait));
        }
        if let Some(claim) = state.leases.front_mut() {
            claim.permits_left -= 1;
        }
        Ok(Ok(start))
    }

    /// Claims the first free slot from now on.
    async fn acquire_lease(
        &self,
        state: &mut LeaseState,
        now: Duration,
        deadline: Option<Duration>,
    ) -> Result<Result<u64, Duration>, StoreError> {
        let present = self.time_slices.slice_at(now);
        let (after, most) = if state.has_leased {
            (time_slices::slice_name(present.saturating_sub(LOOKBACK_SLICES)), MAX_REMOVALS)
        } else {
            (String::new(), MAX_INITIAL_REMOVALS)
        };
        let names = self.store.list_names(&self.folder, &after).await?;
        let taken: Vec<_> = names.iter().filter_map(|name| time_slices::parse_slice_name(name)).collect();
        let past = taken.iter().filter(|slot| **slot + 2 < present).take(most);
        for slot in past {
            // Whoever removes it first: it is no longer asked for. One that stays costs a
            // longer listing.
            if let Err(error) = self.store.delete(&self.lease_path(*slot)).await {
                tracing::warn!(event = "permit_cleanup_failed", %error, folder = self.folder, "failed to remove an expired permit");
                break;
            }
        }
        state.has_leased = true;
        let mut slot = present;
        loop {
            if let Some(wait) = wait_past_deadline(self.time_slices.start(slot), now, deadline) {
                return Ok(Err(wait));
            }
            if !time_slices::is_reserved(slot, self.reserve_percent)
                && !taken.contains(&slot)
                && self.store.create(&self.lease_path(slot), Vec::new()).await?
            {
                state.leases.push_back(Lease { slice: slot, permits_left: self.time_slices.permits() });
                return Ok(Ok(slot));
            }
            slot += 1;
        }
    }

    fn lease_path(&self, slot: u64) -> String {
        format!("{}/{}", self.folder, time_slices::slice_name(slot))
    }

    fn warn_store_failed(&self, state: &mut LeaseState, error: &str) {
        let now = self.clock.now();
        if state.warned_at.is_none_or(|at| now.saturating_sub(at) >= WARNING_INTERVAL) {
            state.warned_at = Some(now);
            tracing::warn!(
                error,
                folder = self.folder,
                "the rate limit store is unavailable; requests are not limited"
            );
        }
    }
}

/// How long it is until `start`, if that is past the deadline.
fn wait_past_deadline(start: Duration, now: Duration, deadline: Option<Duration>) -> Option<Duration> {
    let wait = start.saturating_sub(now);
    deadline.filter(|deadline| !wait.is_zero() && start >= *deadline).map(|_| wait)
}

impl<T: Transport> SharedRateLimiter for StoreRateLimiter<T> {
    fn acquire_permit(&self, deadline: Option<Duration>) -> BoxFuture<'_, Result<Duration, Duration>> {
        Box::pin(self.acquire(deadline))
    }
}

impl<T> fmt::Debug for StoreRateLimiter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("StoreRateLimiter");
        shown
            .field("store", &self.store)
            .field("folder", &self.folder)
            .field("time_slices", &self.time_slices);
        shown.field("reserve_percent", &self.reserve_percent).finish_non_exhaustive()
    }
}
