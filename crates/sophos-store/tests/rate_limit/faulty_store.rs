//! A rate limit over a store that denies deletions, and over one that never responds.

use std::{sync::Arc, time::Duration};

use sophos_api::SharedRateLimiter;
use sophos_store::{Store, StoreRateLimiter};
use tokio::time::Instant;

use crate::{store::FaultyStore, time::Time};

fn rate_limiter(never_lists: bool) -> StoreRateLimiter<Time> {
    let store = Store::from_object_store(Arc::new(FaultyStore { never_lists, ..FaultyStore::default() }));
    let windows = "1/s".parse().expect("a budget");
    StoreRateLimiter::new(store, "_rate_limit/acme", &windows, Time::starting_now())
        .expect("a budget with bounds")
}

#[tokio::test(start_paused = true)]
async fn rate_limiter_holds_when_old_leases_cannot_be_deleted() {
    let budget = rate_limiter(false);
    budget.acquire_permit(None).await.expect("no deadline");
    // The first slice has expired, and its object stays.
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    let begun = Instant::now();
    for _ in 0..60 {
        budget.acquire_permit(None).await.expect("no deadline");
    }
    assert!(begun.elapsed() > Duration::from_secs(30), "60 requests at one a second: {:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn rate_limiter_permits_requests_when_the_store_hangs() {
    let budget = rate_limiter(true);
    let begun = Instant::now();
    assert_eq!(budget.acquire_permit(None).await, Ok(Duration::ZERO));
    assert_eq!(begun.elapsed().as_secs(), 5);
}
