//! Many processes with one rate limit, in paused time.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use object_store::memory::InMemory;
use proptest::prelude::*;
use sophos_api::{RateLimit, RateWindow, SharedRateLimiter, Transport};
use sophos_store::{Store, StoreRateLimiter};

use crate::time::{START, Time};

const SECOND: Duration = Duration::from_secs(1);
/// Processes over one store.
struct ProcessGroup {
    store: Store,
    clock: Time,
    budget: RateLimit,
    sent: Arc<Mutex<Vec<Duration>>>,
}

impl ProcessGroup {
    fn new(budget: &str) -> Self {
        let store = Store::from_object_store(Arc::new(InMemory::new()));
        let budget = budget.parse().expect("a budget");
        Self { store, clock: Time::starting_now(), budget, sent: Arc::default() }
    }

    fn process(&self) -> StoreRateLimiter<Time> {
        let budget = StoreRateLimiter::new(self.store.clone(), "_rate_limit/acme", &self.budget, self.clock);
        budget.expect("a budget with bounds")
    }

    /// A process that always sends `at_once` concurrent requests, each with the latency
    /// `latency`.
    fn run_requests(
        &self,
        process: StoreRateLimiter<Time>,
        at_once: usize,
        latency: Duration,
    ) -> tokio::task::JoinSet<()> {
        let process = Arc::new(process);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let (process, time, sent) = (Arc::clone(&process), self.clock, Arc::clone(&self.sent));
            tasks.spawn(async move {
                loop {
                    process.acquire_permit(None).await.expect("no deadline");
                    sent.lock().expect("a list").push(time.now());
                    tokio::time::sleep(latency).await;
                }
            });
        }
        tasks
    }

    /// Compares the sent requests with every window, as a token bucket of `burst`.
    fn check_windows(&self) -> Result<usize, String> {
        let mut sent = self.sent.lock().expect("a list").clone();
        sent.sort_unstable();
        for window in self.budget.windows() {
            let rate = f64::from(window.requests) / window.period.as_secs_f64();
            let (mut level, mut at) = (f64::from(window.burst), START);
            for (number, moment) in sent.iter().enumerate() {
                level = (level + (*moment - at).as_secs_f64() * rate).min(f64::from(window.burst));
                at = *moment;
                level -= 1.0;
                if level < -1e-6 {
                    return Err(format!("request {number} is too many for {window:?} by {level}"));
                }
            }
        }
        Ok(sent.len())
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limiter_uses_nearly_the_full_rate_of_all_processes() {
    for (budget, rate) in [("100/m", 100.0 / 60.0), ("50/s", 50.0), ("documented", 1_000.0 / 3_600.0)] {
        let together = ProcessGroup::new(budget);
        let processes: Vec<_> = (0..8)
            .map(|_| together.run_requests(together.process(), 2, Duration::from_millis(300)))
            .collect();
        let time = 3_600.0_f64.min(20_000.0 / rate);
        tokio::time::sleep(Duration::from_secs_f64(time)).await;
        drop(processes);
        let sent = together.check_windows().expect("within the budget");
        let share = sent as f64 / (rate * time);
        println!("{budget}: {sent} requests, {:.1} % of the rate", share * 100.0);
        assert!(share > 0.97, "{budget}: {share}");
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limiter_uses_nearly_the_full_rate_of_one_process() {
    let together = ProcessGroup::new("100/m");
    let alone = together.run_requests(together.process(), 1, Duration::from_millis(200));
    tokio::time::sleep(SECOND * 3_600).await;
    drop(alone);
    let sent = together.check_windows().expect("within the budget");
    assert!(sent > 5_800, "{sent} of 6000");
}

#[tokio::test(start_paused = true)]
async fn reserve_leaves_slices_to_other_processes() {
    let together = ProcessGroup::new("100/m");
    let exports: Vec<_> =
        (0..4).map(|_| together.run_requests(together.process().with_reserve(20), 4, SECOND / 4)).collect();
    tokio::time::sleep(SECOND * 3_600).await;
    let sent = together.check_windows().expect("within the budget");
    assert!((4_500..=4_810).contains(&sent), "four fifths of 6000, not {sent}");
    // A process without a reserve gets a permit soon, whatever the load of the others.
    let isolation = together.process();
    let mut waits = Vec::new();
    for _ in 0..20 {
        waits.push(isolation.acquire_permit(None).await.expect("no deadline"));
        tokio::time::sleep(SECOND * 47).await;
    }
    assert!(waits.iter().all(|wait| *wait <= SECOND * 15), "{waits:?}");
    drop(exports);
}

#[tokio::test(start_paused = true)]
async fn acquire_permit_fails_at_once_past_the_deadline() {
    let together = ProcessGroup::new("5/m");
    let (one, other) = (together.process(), together.process());
    assert_eq!(one.permits_per_slice(), 1);
    assert_eq!(one.slice_duration(), SECOND * 12);
    let deadline = || Some(together.clock.now() + SECOND * 5);
    // START is within a slice: the current slice is free.
    one.acquire_permit(deadline()).await.expect("the current slice");
    let claimed = together.store.list_names("_rate_limit/acme", "").await.expect("slices").len();
    let before = together.clock.now();
    let mut refused = 0;
    for _ in 0..5 {
        if let Err(wait) = other.acquire_permit(deadline()).await {
            refused += 1;
            assert!(wait >= SECOND * 5, "{wait:?}");
        }
    }
    assert!(refused >= 4, "{refused}");
    assert!(together.clock.now() - before <= SECOND * 12, "a refusal takes no time");
    let now = together.store.list_names("_rate_limit/acme", "").await.expect("slices").len();
    assert!(now <= claimed + 1, "a refusal claims nothing");
}

#[tokio::test(start_paused = true)]
async fn cancelled_waiters_do_not_block_others() {
    let together = ProcessGroup::new("60/m");
    let process = Arc::new(together.process());
    let order = Arc::new(AtomicU32::new(0));
    let mut waiting = Vec::new();
    for number in 0..40_u32 {
        let (process, order) = (Arc::clone(&process), Arc::clone(&order));
        waiting.push(tokio::spawn(async move {
            process.acquire_permit(None).await.expect("no deadline");
            order.fetch_add(1, Ordering::Relaxed);
            number
        }));
    }
    tokio::time::sleep(SECOND).await;
    for left in waiting.iter().skip(3).step_by(2) {
        left.abort();
    }
    let mut served = 0;
    for task in waiting {
        served += u32::from(task.await.is_ok());
    }
    assert!(served >= 21, "{served}");
    assert_eq!(served, order.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn old_leases_are_deleted() {
    let together = ProcessGroup::new("100/m");
    let processes: Vec<_> =
        (0..4).map(|_| together.run_requests(together.process(), 1, SECOND / 10)).collect();
    tokio::time::sleep(SECOND * 7_200).await;
    drop(processes);
    let left = together.store.list_names("_rate_limit/acme", "").await.expect("slices").len();
    assert!(left < 100, "{left} of 2400");
    // A process that starts after a long pause finds them too.
    tokio::time::sleep(SECOND * 100_000).await;
    together.process().acquire_permit(None).await.expect("no deadline");
    let left = together.store.list_names("_rate_limit/acme", "").await.expect("slices").len();
    assert!(left <= 2, "{left}");
}

#[tokio::test(start_paused = true)]
async fn rate_limiter_permits_requests_when_the_store_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
    std::fs::write(folder.path().join("_rate_limit"), "a file where a folder is to be").expect("a file");
    let time = Time::starting_now();
    let budget = StoreRateLimiter::new(store, "_rate_limit/acme", &"1/m".parse().expect("a budget"), time);
    let budget = budget.expect("a budget with bounds");
    for _ in 0..10 {
        assert_eq!(budget.acquire_permit(Some(time.now() + SECOND)).await, Ok(Duration::ZERO));
    }
}

fn windows() -> impl Strategy<Value = Vec<RateWindow>> {
    let window = (1_u32..200, 1_u64..3_600, 2_u32..400).prop_map(|(requests, seconds, burst)| {
        RateWindow::new(requests, Duration::from_secs(seconds)).with_burst(burst)
    });
    prop::collection::vec(window, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// No window is exceeded, whatever the windows are and whenever processes start, die
    /// and are replaced.
    #[test]
    fn rate_limiter_never_exceeds_a_window(
        windows in windows(),
        deaths in prop::collection::vec((0_usize..6, 1_u64..400), 0..30),
        at_once in 1_usize..4,
        latency in 1_u64..3_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let outcome = runtime.expect("a runtime").block_on(async {
            let mut together = ProcessGroup::new("1/s");
            together.budget = RateLimit::new(windows);
            let hungry = || together.run_requests(together.process(), at_once, Duration::from_millis(latency));
            let mut processes: Vec<_> = (0..6).map(|_| hungry()).collect();
            let length = together.process().slice_duration();
            for (number, part) in deaths {
                tokio::time::sleep(length.mul_f64(part as f64 / 100.0)).await;
                processes[number] = hungry();
            }
            tokio::time::sleep(length * 5).await;
            drop(processes);
            together.check_windows()
        });
        prop_assert!(outcome.is_ok(), "{outcome:?}");
    }
}
