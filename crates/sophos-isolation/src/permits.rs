//! Permits: budgets that concurrent runs cannot exceed.
//!
//! A budget is a folder of numbered slots. A run creates the object
//! `<slot>.<generation>` only if it is absent: an odd generation acquires the
//! slot, the next even one releases it. So a slot has one holder, a listing shows
//! the free slots, and correctness does not depend on deletions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    decision::DecisionId,
    ledger::{LedgerStore, LedgerStoreError},
};

/// The number of attempts to acquire a slot while other runs are faster.
const MAX_ATTEMPTS: usize = 32;

/// The number of acquired slots that are inspected for one of the same decision.
const MAX_INSPECTED: usize = 32;

/// The holder of a permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PermitHolder {
    pub(crate) decision: DecisionId,
    /// The endpoint's id.
    pub(crate) endpoint: String,
    /// The time of the acquisition, in seconds since the Unix epoch.
    pub(crate) since: u64,
    /// The unique id of the attempt that acquired it.
    pub(crate) attempt_id: String,
}

/// A permit of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permit {
    /// The path of its object.
    pub(crate) path: String,
    /// Whether this attempt acquired it, and not another run of the decision.
    pub(crate) is_own: bool,
}

/// The number and generation of a slot, as in the name of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PermitSlot {
    number: u32,
    generation: u32,
}

impl PermitSlot {
    fn name(self) -> String {
        format!("{:06}.{:08}", self.number, self.generation)
    }

    fn path(self, folder: &str) -> String {
        format!("{folder}/{}", self.name())
    }

    fn is_acquired(self) -> bool {
        self.generation % 2 == 1
    }

    fn parse(name: &str) -> Option<Self> {
        let (number, generation) = name.split_once('.')?;
        Some(Self { number: number.parse().ok()?, generation: generation.parse().ok()? })
    }
}

/// Returns the latest generation of each slot that was ever acquired.
async fn latest_generations<O: LedgerStore>(
    store: &O,
    folder: &str,
) -> Result<BTreeMap<u32, u32>, LedgerStoreError> {
    let mut latest = BTreeMap::new();
    for slot in store.list(folder).await?.iter().filter_map(|name| PermitSlot::parse(name)) {
        let generation: &mut u32 = latest.entry(slot.number).or_default();
        *generation = slot.generation.max(*generation);
    }
    Ok(latest)
}

/// Acquires one of `limit` slots of a folder; `None` when all are acquired. Runs of
/// the same decision share its permit.
pub(crate) async fn acquire<O: LedgerStore>(
    store: &O,
    folder: &str,
    limit: u32,
    holder: &PermitHolder,
) -> Result<Option<Permit>, LedgerStoreError> {
    let body = serde_json::to_vec(holder).map_err(LedgerStoreError::new)?;
    // The first slot follows from the decision: different decisions rarely compete,
    // and runs of the same decision find each other's permit.
    let bytes = holder.decision.as_str().bytes();
    let start = bytes.fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    for _ in 0..MAX_ATTEMPTS {
        let latest = latest_generations(store, folder).await?;
        let mut free = None;
        let mut inspected = 0;
        for at in 0..limit {
            let number = (start % limit + at) % limit;
            let slot = PermitSlot { number, generation: latest.get(&number).copied().unwrap_or(0) };
            if !slot.is_acquired() {
                free = Some(PermitSlot { generation: slot.generation + 1, ..slot });
                break;
            }
            inspected += 1;
            if inspected <= MAX_INSPECTED
                && let Some(permit) = permit_of_same_decision(store, slot.path(folder), holder).await?
            {
                return Ok(Some(permit));
            }
        }
        let Some(slot) = free.filter(|_| count_acquired(&latest) < limit as usize) else { return Ok(None) };
        let path = slot.path(folder);
        if !store.create(&path, body.clone()).await? {
            // Another run of the decision was faster, or a retry inside the store
            // found the object that it created itself.
            match permit_of_same_decision(store, path, holder).await? {
                Some(permit) => return Ok(Some(permit)),
                None => continue,
            }
        }
        // Since the listing the slot may have been acquired, released and cleaned
        // up. Then this generation is obsolete.
        let after = latest_generations(store, folder).await?;
        if after.get(&slot.number).is_some_and(|latest| *latest > slot.generation) {
            store.delete(&path).await?;
            continue;
        }
        if count_acquired(&after) > limit as usize {
            release(store, &path).await?;
            return Ok(None);
        }
        return Ok(Some(Permit { path, is_own: true }));
    }
    Ok(None)
}

/// Counts the acquired slots of a folder.
pub(crate) async fn count<O: LedgerStore>(store: &O, folder: &str) -> Result<u64, LedgerStoreError> {
    Ok(count_acquired(&latest_generations(store, folder).await?) as u64)
}

/// Counts the acquired slots.
fn count_acquired(latest: &BTreeMap<u32, u32>) -> usize {
    latest.values().filter(|generation| *generation % 2 == 1).count()
}

/// Returns the permit at a path, if it belongs to the same decision.
async fn permit_of_same_decision<O: LedgerStore>(
    store: &O,
    path: String,
    holder: &PermitHolder,
) -> Result<Option<Permit>, LedgerStoreError> {
    let Some(body) = store.read(&path).await? else { return Ok(None) };
    let other: Option<PermitHolder> = serde_json::from_slice(&body).ok();
    let same = other.filter(|other| other.decision == holder.decision);
    Ok(same.map(|other| Permit { path, is_own: other.attempt_id == holder.attempt_id }))
}

/// Releases a permit. Repeating this changes nothing.
pub(crate) async fn release<O: LedgerStore>(store: &O, path: &str) -> Result<(), LedgerStoreError> {
    let Some((folder, slot)) =
        path.rsplit_once('/').and_then(|(folder, name)| Some((folder, PermitSlot::parse(name)?)))
    else {
        return Ok(());
    };
    if !slot.is_acquired() {
        return Ok(());
    }
    let free = PermitSlot { generation: slot.generation + 1, ..slot };
    store.create(&free.path(folder), Vec::new()).await?;
    // Only the latest generation counts; older ones make listings longer.
    store.delete(path).await?;
    let before = PermitSlot { generation: slot.generation - 1, ..slot };
    store.delete(&before.path(folder)).await
}

/// Lists the acquired slots of a folder with their holders. Objects that cannot be
/// parsed are left out.
pub(crate) async fn list_holders<O: LedgerStore>(
    store: &O,
    folder: &str,
) -> Result<Vec<(String, PermitHolder)>, LedgerStoreError> {
    let mut holders = Vec::new();
    for (number, generation) in latest_generations(store, folder).await? {
        let slot = PermitSlot { number, generation };
        if !slot.is_acquired() {
            continue;
        }
        let path = slot.path(folder);
        let body = store.read(&path).await?;
        if let Some(holder) = body.and_then(|body| serde_json::from_slice(&body).ok()) {
            holders.push((path, holder));
        }
    }
    Ok(holders)
}

#[cfg(test)]
mod tests {
    use std::{
        pin::{Pin, pin},
        sync::{
            Mutex,
            atomic::{AtomicU32, Ordering},
        },
        task::{Context, Poll, Waker},
    };

    use proptest::{collection::vec, prelude::*};

    use super::*;

    const FOLDER: &str = "permits/estate/tenant";

    /// Yields to other tasks once.
    #[derive(Default)]
    struct YieldOnce(bool);

    impl Future for YieldOnce {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
        }
    }

    /// A store in memory that yields before each call.
    #[derive(Default)]
    struct MemoryStore {
        objects: Mutex<BTreeMap<String, Vec<u8>>>,
        /// Whether deletions do nothing.
        keeps_all: bool,
    }

    impl LedgerStore for MemoryStore {
        async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, LedgerStoreError> {
            YieldOnce::default().await;
            let mut objects = self.objects.lock().expect("no test panics with it");
            let is_new = !objects.contains_key(path);
            objects.entry(path.to_owned()).or_insert(body);
            Ok(is_new)
        }

        async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerStoreError> {
            YieldOnce::default().await;
            Ok(self.objects.lock().expect("no test panics with it").get(path).cloned())
        }

        async fn delete(&self, path: &str) -> Result<(), LedgerStoreError> {
            YieldOnce::default().await;
            if !self.keeps_all {
                self.objects.lock().expect("no test panics with it").remove(path);
            }
            Ok(())
        }

        async fn list(&self, folder: &str) -> Result<Vec<String>, LedgerStoreError> {
            YieldOnce::default().await;
            let objects = self.objects.lock().expect("no test panics with it");
            let names = objects.keys().filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/'));
            Ok(names.map(str::to_owned).collect())
        }
    }

    fn holder(decision: &str, run: &str) -> PermitHolder {
        let decision = DecisionId::from_event_id("source", decision);
        PermitHolder { decision, endpoint: "an endpoint".into(), since: 0, attempt_id: run.into() }
    }

    /// Runs tasks step by step: first in `order`, then in turn.
    fn run_interleaved(mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>, order: &[usize]) {
        let mut order = order.iter().copied();
        let mut next = 0;
        while !tasks.is_empty() {
            next += 1;
            let at = order.next().unwrap_or(next) % tasks.len();
            if tasks[at].as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                drop(tasks.remove(at));
            }
        }
    }

    fn block_on<F: Future>(task: F) -> F::Output {
        let mut task = pin!(task);
        loop {
            if let Poll::Ready(output) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
        }
    }

    fn acquire_now(objects: &MemoryStore, limit: u32, holder: &PermitHolder) -> Option<Permit> {
        block_on(acquire(objects, FOLDER, limit, holder)).expect("memory does not fail")
    }

    #[test]
    fn acquire_stops_at_limit_and_reuses_released_permits() {
        let objects = MemoryStore::default();
        let permits: Vec<_> =
            (0..7).filter_map(|at| acquire_now(&objects, 5, &holder(&format!("{at}"), "run"))).collect();
        assert_eq!(permits.len(), 5);
        assert!(permits.iter().all(|permit| permit.is_own));
        for _ in 0..3 {
            block_on(release(&objects, &permits[2].path)).expect("memory does not fail");
        }
        assert!(acquire_now(&objects, 5, &holder("8", "run")).is_some());
        assert!(acquire_now(&objects, 5, &holder("9", "run")).is_none());
        // The first holder releases again after another has acquired the slot.
        block_on(release(&objects, &permits[2].path)).expect("memory does not fail");
        assert!(acquire_now(&objects, 5, &holder("9", "run")).is_none());
        assert!(acquire_now(&objects, 0, &holder("9", "run")).is_none());
        assert_eq!(block_on(list_holders(&objects, FOLDER)).expect("memory does not fail").len(), 5);
    }

    #[test]
    fn acquire_shares_one_permit_between_runs_of_a_decision() {
        let objects = MemoryStore::default();
        let first = acquire_now(&objects, 1, &holder("one", "first run")).expect("it is free");
        let second = acquire_now(&objects, 1, &holder("one", "second run")).expect("it is its own");
        assert_eq!(second, Permit { is_own: false, ..first.clone() });
        assert_eq!(acquire_now(&objects, 1, &holder("one", "first run")), Some(first));
        assert_eq!(acquire_now(&objects, 1, &holder("another", "run")), None);
    }

    proptest! {
        #[test]
        fn acquire_never_exceeds_limit_when_interleaved(
            limit in 1_u32..4,
            rounds in vec(1_usize..6, 2..7),
            order in vec(0_usize..7, 0..600),
            keeps_all in any::<bool>(),
        ) {
            let objects = MemoryStore { keeps_all, ..MemoryStore::default() };
            let (acquired, max) = (AtomicU32::new(0), AtomicU32::new(0));
            let task = |(number, rounds): (usize, &usize)| {
                let (objects, acquired, max, rounds) = (&objects, &acquired, &max, *rounds);
                let task: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
                    for round in 0..rounds {
                        let holder = holder(&format!("{number} {round}"), "run");
                        let permit = acquire(objects, FOLDER, limit, &holder).await;
                        let Some(permit) = permit.expect("memory does not fail") else { continue };
                        max.fetch_max(acquired.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                        YieldOnce::default().await;
                        acquired.fetch_sub(1, Ordering::Relaxed);
                        release(objects, &permit.path).await.expect("memory does not fail");
                    }
                });
                task
            };
            run_interleaved(rounds.iter().enumerate().map(task).collect(), &order);
            let max = max.into_inner();
            prop_assert!((1..=limit).contains(&max), "{max} of {limit}");
            let all: Vec<_> =
                (0..=limit).filter_map(|at| acquire_now(&objects, limit, &holder(&format!("{at}"), "")))
                .collect();
            prop_assert_eq!(all.len(), limit as usize, "all permits were released");
        }
    }
}
