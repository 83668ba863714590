//! A budget over a store that refuses to remove objects, and one that gives no answer.

use std::{sync::Arc, time::Duration};

use sophos_api::SharedBudget;
use sophos_store::{SlotBudget, Store};
use tokio::time::Instant;

use crate::{store::FaultyStore, time::Time};

fn budget(never_lists: bool) -> SlotBudget<Time> {
    let store = Store::over(Arc::new(FaultyStore { never_lists, ..FaultyStore::default() }));
    let windows = "1/s".parse().expect("a budget");
    SlotBudget::new(store, "_budget/acme", &windows, Time::starting_now()).expect("a budget with bounds")
}

#[tokio::test(start_paused = true)]
async fn budget_holds_when_past_slots_cannot_be_removed() {
    let budget = budget(false);
    budget.turn(None).await.expect("no deadline");
    // The first slot is past, and stays.
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    let begun = Instant::now();
    for _ in 0..60 {
        budget.turn(None).await.expect("no deadline");
    }
    assert!(begun.elapsed() > Duration::from_secs(30), "60 requests at one a second: {:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn budget_lets_requests_through_when_the_store_hangs() {
    let budget = budget(true);
    let begun = Instant::now();
    assert_eq!(budget.turn(None).await, Ok(Duration::ZERO));
    assert_eq!(begun.elapsed().as_secs(), 5);
}
