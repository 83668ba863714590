//! The rate limit of one credential, shared by many processes without a server.
//!
//! # Method
//!
//! Time is divided into slices of equal length, and a slice has permits for `k`
//! requests. A process leases a slice by creating its object in the store, *which must
//! not exist*. So each slice has one owner. The owner may send `k` requests from the
//! slice's start until `g` slices after its end, so that slow responses waste nothing.
//!
//! A slice is `k / r` long, where `r` is the lowest long-term rate of the
//! [`RateLimit`]'s windows. Requests of a time `t` belong to at most `t / slice + 2 + g`
//! slices, and are at most `r t + (2 + g) k`. A window allows `burst + rate × t`, and its
//! rate is at least `r`. `k` and `g` are chosen such that `(2 + g) k` is at most the burst
//! of every window. So no window is exceeded, for any number of processes. A process that
//! dies wastes the rest of its slices. (With a burst of one, two requests may coincide.)
//!
//! The number of a slice is the time since the Unix epoch divided by its length. An
//! error of a process's clock shifts that process's requests by the same time.
//!
//! # Cost
//!
//! Each slice costs one listing, one creation and the deletion of an expired slice. A
//! slice has five requests or lasts three seconds, where the bursts allow it. At 100
//! requests a minute that is two requests to the store for five to the service.
//!
//! # Limits
//!
//! The sum of all processes is even: bursts that the windows would allow after a pause
//! are not used. If the store fails, requests are not limited. The service enforces its
//! limits itself, and an isolation must not wait for a store.

mod time_slices;

use std::{collections::VecDeque, fmt, pin::pin, time::Duration};

use async_lock::Mutex;
use futures_util::future::{Either, select};
use sophos_api::{BoxFuture, RateLimit, SharedRateLimiter, Transport};

use self::time_slices::TimeSlices;
use crate::{Store, StoreError};

/// The shortest time between two warnings about a failing store.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// The longest wait for the store. Requests are permitted after it: the store retries
/// for longer than an isolation can wait.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// The number of slices before the current one that are listed to find expired ones.
const LOOKBACK_SLICES: u64 = 64;

/// The expired slices that one lease deletes at most.
const MAX_REMOVALS: usize = 4;

/// The expired slices that the first lease of a process deletes at most.
const MAX_INITIAL_REMOVALS: usize = 200;

/// The largest percentage that [`StoreRateLimiter::with_reserve`] reserves.
pub const MAX_RESERVE_PERCENT: u64 = 50;

/// A rate limit that processes share through a folder of a store.
pub struct StoreRateLimiter<T> {
    store: Store,
    folder: String,
    time_slices: TimeSlices,
    /// The percentage of the slices that is left to other processes.
    reserve_percent: u64,
    clock: T,
    state: Mutex<LeaseState>,
}

#[derive(Default)]
struct LeaseState {
    /// The slices of this process, the earliest first.
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
    /// Creates the limiter of all processes that use the same folder of the same store
    /// and the same windows. `clock` provides the time. `None` if the limit has no
    /// window.
    pub fn new(store: Store, folder: impl Into<String>, rate_limit: &RateLimit, clock: T) -> Option<Self> {
        let time_slices = TimeSlices::from_rate_limit(rate_limit)?;
        Some(Self {
            store,
            folder: folder.into(),
            time_slices,
            reserve_percent: 0,
            clock,
            state: Mutex::default(),
        })
    }

    /// Leaves a percentage of the slices to other processes, such as those that isolate
    /// while this one exports. Values over [`MAX_RESERVE_PERCENT`] are reduced to it.
    #[must_use]
    pub fn with_reserve(mut self, percent: u64) -> Self {
        self.reserve_percent = percent.min(MAX_RESERVE_PERCENT);
        self
    }

    /// The length of a slice.
    pub fn slice_duration(&self) -> Duration {
        self.time_slices.duration()
    }

    /// The number of requests of a slice.
    pub fn permits_per_slice(&self) -> u32 {
        self.time_slices.permits()
    }

    async fn acquire(&self, deadline: Option<Duration>) -> Result<Duration, Duration> {
        let requested_at = self.clock.now();
        let start = {
            let state = self.state.lock();
            let mut state = match deadline {
                None => state.await,
                Some(deadline) => {
                    let left = self.clock.sleep(deadline.saturating_sub(requested_at));
                    match select(pin!(state), pin!(left)).await {
                        Either::Left((state, _)) => state,
                        Either::Right(_) => return Err(deadline.saturating_sub(requested_at)),
                    }
                }
            };
            let permit = {
                let permit = self.reserve_permit(&mut state, deadline);
                match select(pin!(permit), pin!(self.clock.sleep(STORE_TIMEOUT))).await {
                    Either::Left((permit, _)) => permit.map_err(|error| error.to_string()),
                    Either::Right(_) => Err("timeout".to_owned()),
                }
            };
            match permit {
                Ok(start) => start?,
                Err(error) => {
                    self.warn_store_failed(&mut state, &error);
                    return Ok(Duration::ZERO);
                }
            }
        };
        // The permit is taken, so the lock is free for the next caller during this wait.
        let wait = start.saturating_sub(self.clock.now());
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        Ok(self.clock.now().saturating_sub(requested_at))
    }

    /// Takes a permit of a leased slice, and leases one if need be. Returns the start of
    /// the slice, or the wait until then if that is past the deadline.
    async fn reserve_permit(
        &self,
        state: &mut LeaseState,
        deadline: Option<Duration>,
    ) -> Result<Result<Duration, Duration>, StoreError> {
        let now = self.clock.now();
        state.leases.retain(|lease| lease.permits_left > 0 && now < self.time_slices.end(lease.slice));
        let slice = match state.leases.front() {
            Some(lease) => lease.slice,
            None => match self.acquire_lease(state, now, deadline).await? {
                Ok(slice) => slice,
                Err(wait) => return Ok(Err(wait)),
            },
        };
        let start = self.time_slices.start(slice);
        if let Some(wait) = wait_past_deadline(start, now, deadline) {
            return Ok(Err(wait));
        }
        if let Some(lease) = state.leases.front_mut() {
            lease.permits_left -= 1;
        }
        Ok(Ok(start))
    }

    /// Leases the first free slice from now on, and deletes expired ones.
    async fn acquire_lease(
        &self,
        state: &mut LeaseState,
        now: Duration,
        deadline: Option<Duration>,
    ) -> Result<Result<u64, Duration>, StoreError> {
        let current = self.time_slices.slice_at(now);
        let (after, max_removals) = if state.has_leased {
            (time_slices::slice_name(current.saturating_sub(LOOKBACK_SLICES)), MAX_REMOVALS)
        } else {
            (String::new(), MAX_INITIAL_REMOVALS)
        };
        let names = self.store.list_names(&self.folder, &after).await?;
        let taken: Vec<_> = names.iter().filter_map(|name| time_slices::parse_slice_name(name)).collect();
        let expired = taken.iter().filter(|slice| **slice + 2 < current).take(max_removals);
        for slice in expired {
            // Any process may delete it. An expired slice that stays costs a longer listing.
            if let Err(error) = self.store.delete(&self.lease_path(*slice)).await {
                tracing::warn!(event = "lease_cleanup_failed", %error, folder = self.folder, "failed to delete an expired lease");
                break;
            }
        }
        state.has_leased = true;
        let mut slice = current;
        loop {
            if let Some(wait) = wait_past_deadline(self.time_slices.start(slice), now, deadline) {
                return Ok(Err(wait));
            }
            if !time_slices::is_reserved(slice, self.reserve_percent)
                && !taken.contains(&slice)
                && self.store.create(&self.lease_path(slice), Vec::new()).await?
            {
                state.leases.push_back(Lease { slice, permits_left: self.time_slices.permits() });
                return Ok(Ok(slice));
            }
            slice += 1;
        }
    }

    fn lease_path(&self, slice: u64) -> String {
        format!("{}/{}", self.folder, time_slices::slice_name(slice))
    }

    fn warn_store_failed(&self, state: &mut LeaseState, error: &str) {
        let now = self.clock.now();
        if state.warned_at.is_none_or(|at| now.saturating_sub(at) >= WARNING_INTERVAL) {
            state.warned_at = Some(now);
            tracing::warn!(
                event = "rate_limit_store_failed",
                error,
                folder = self.folder,
                "the rate limit store is unavailable; requests are not limited"
            );
        }
    }
}

/// The wait until `start`, if that is past the deadline.
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
