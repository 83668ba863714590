//! Slots: how a budget holds however many run at once.
//!
//! A budget is a folder of numbered slots. The object `<slot>.<generation>`
//! must not exist when it is created; an odd generation takes the slot, the
//! even one after it gives it back. So a slot has one owner, a listing alone
//! tells which are free, and nothing depends on an object being removed in
//! time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    decision::DecisionId,
    ledger::{Objects, StoreFailure},
};

/// How often a folder is listed again because others were quicker.
const ROUNDS: usize = 32;

/// How many slots that are taken are looked at for one of the same decision.
const LOOKED_AT: usize = 32;

/// Who has a slot, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) decision: DecisionId,
    /// The endpoint that is to be isolated.
    pub(crate) endpoint: String,
    /// Seconds since the Unix epoch.
    pub(crate) since: u64,
    /// The attempt that took it: a name that no other has.
    pub(crate) run: String,
}

/// A slot that a decision has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// What was created, with which it is given back.
    pub(crate) path: String,
    /// Whether this attempt took it, and not another run of the same decision.
    pub(crate) own: bool,
}

/// A slot's number and generation, as in the name of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    number: u32,
    generation: u32,
}

impl Slot {
    fn name(self) -> String {
        format!("{:06}.{:08}", self.number, self.generation)
    }

    fn path(self, folder: &str) -> String {
        format!("{folder}/{}", self.name())
    }

    fn is_taken(self) -> bool {
        self.generation % 2 == 1
    }

    fn read(name: &str) -> Option<Self> {
        let (number, generation) = name.split_once('.')?;
        Some(Self { number: number.parse().ok()?, generation: generation.parse().ok()? })
    }
}

/// The newest generation of each slot that was ever taken.
async fn newest<O: Objects>(objects: &O, folder: &str) -> Result<BTreeMap<u32, u32>, StoreFailure> {
    let mut newest = BTreeMap::new();
    for slot in objects.names(folder).await?.iter().filter_map(|name| Slot::read(name)) {
        let generation: &mut u32 = newest.entry(slot.number).or_default();
        *generation = slot.generation.max(*generation);
    }
    Ok(newest)
}

/// Takes one of `limit` slots of a folder. `None` when all are taken. What
/// another run of the same decision has is this one's too.
pub(crate) async fn take<O: Objects>(
    objects: &O,
    folder: &str,
    limit: u32,
    holder: &Holder,
) -> Result<Option<Taken>, StoreFailure> {
    let body = serde_json::to_vec(holder).map_err(StoreFailure::new)?;
    // Each decision begins at a slot of its own: many at once seldom meet, and
    // runs of the same one do.
    let bytes = holder.decision.as_str().bytes();
    let start = bytes.fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    for _ in 0..ROUNDS {
        let newest = newest(objects, folder).await?;
        let mut free = None;
        let mut looked_at = 0;
        for at in 0..limit {
            let number = (start % limit + at) % limit;
            let slot = Slot { number, generation: newest.get(&number).copied().unwrap_or(0) };
            if !slot.is_taken() {
                free = Some(Slot { generation: slot.generation + 1, ..slot });
                break;
            }
            looked_at += 1;
            if looked_at <= LOOKED_AT
                && let Some(taken) = shared(objects, slot.path(folder), holder).await?
            {
                return Ok(Some(taken));
            }
        }
        let Some(slot) = free.filter(|_| taken(&newest) < limit as usize) else { return Ok(None) };
        let path = slot.path(folder);
        if !objects.create(&path, body.clone()).await? {
            // Another run of the decision was quicker, or this one, and the
            // store lost its answer.
            match shared(objects, path, holder).await? {
                Some(taken) => return Ok(Some(taken)),
                None => continue,
            }
        }
        // Since the listing the slot may have been taken, given back and tidied
        // away: then this generation is an old one, and nobody's.
        let after = self::newest(objects, folder).await?;
        if after.get(&slot.number).is_some_and(|newest| *newest > slot.generation) {
            objects.remove(&path).await?;
            continue;
        }
        if taken(&after) > limit as usize {
            give_back(objects, &path).await?;
            return Ok(None);
        }
        return Ok(Some(Taken { path, own: true }));
    }
    Ok(None)
}

/// How many slots are taken.
fn taken(newest: &BTreeMap<u32, u32>) -> usize {
    newest.values().filter(|generation| *generation % 2 == 1).count()
}

/// A slot that is taken, when it is for the same decision.
async fn shared<O: Objects>(
    objects: &O,
    path: String,
    holder: &Holder,
) -> Result<Option<Taken>, StoreFailure> {
    let Some(body) = objects.read(&path).await? else { return Ok(None) };
    let other: Option<Holder> = serde_json::from_slice(&body).ok();
    let same = other.filter(|other| other.decision == holder.decision);
    Ok(same.map(|other| Taken { path, own: other.run == holder.run }))
}

/// Gives a slot back. To give back what was given back changes nothing.
pub(crate) async fn give_back<O: Objects>(objects: &O, path: &str) -> Result<(), StoreFailure> {
    let Some((folder, slot)) =
        path.rsplit_once('/').and_then(|(folder, name)| Some((folder, Slot::read(name)?)))
    else {
        return Ok(());
    };
    if !slot.is_taken() {
        return Ok(());
    }
    let free = Slot { generation: slot.generation + 1, ..slot };
    objects.create(&free.path(folder), Vec::new()).await?;
    // What is left is the newest; the rest would only lengthen listings.
    objects.remove(path).await?;
    let before = Slot { generation: slot.generation - 1, ..slot };
    objects.remove(&before.path(folder)).await
}

/// Every slot of a folder that is taken, and by whom. What cannot be read is
/// left out: its owner gives it back.
pub(crate) async fn holders<O: Objects>(
    objects: &O,
    folder: &str,
) -> Result<Vec<(String, Holder)>, StoreFailure> {
    let mut holders = Vec::new();
    for (number, generation) in newest(objects, folder).await? {
        let slot = Slot { number, generation };
        if !slot.is_taken() {
            continue;
        }
        let path = slot.path(folder);
        let body = objects.read(&path).await?;
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

    const FOLDER: &str = "slots/estate/tenant";

    /// Lets others go first, once.
    #[derive(Default)]
    struct Turn(bool);

    impl Future for Turn {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
        }
    }

    /// Objects in memory, before each of which others may go first.
    #[derive(Default)]
    struct Memory {
        objects: Mutex<BTreeMap<String, Vec<u8>>>,
        /// Whether no deletion is allowed.
        keeps_all: bool,
    }

    impl Objects for Memory {
        async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, StoreFailure> {
            Turn::default().await;
            let mut objects = self.objects.lock().expect("no test panics with it");
            let is_new = !objects.contains_key(path);
            objects.entry(path.to_owned()).or_insert(body);
            Ok(is_new)
        }

        async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreFailure> {
            Turn::default().await;
            Ok(self.objects.lock().expect("no test panics with it").get(path).cloned())
        }

        async fn remove(&self, path: &str) -> Result<(), StoreFailure> {
            Turn::default().await;
            if !self.keeps_all {
                self.objects.lock().expect("no test panics with it").remove(path);
            }
            Ok(())
        }

        async fn names(&self, folder: &str) -> Result<Vec<String>, StoreFailure> {
            Turn::default().await;
            let objects = self.objects.lock().expect("no test panics with it");
            let names = objects.keys().filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/'));
            Ok(names.map(str::to_owned).collect())
        }
    }

    fn holder(decision: &str, run: &str) -> Holder {
        let decision = DecisionId::of("source", decision);
        Holder { decision, endpoint: "an endpoint".into(), since: 0, run: run.into() }
    }

    /// Runs tasks step by step: first as `order` says, then in turn.
    fn run(mut tasks: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>, order: &[usize]) {
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

    fn now<F: Future>(task: F) -> F::Output {
        let mut task = pin!(task);
        loop {
            if let Poll::Ready(output) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return output;
            }
        }
    }

    fn take_now(objects: &Memory, limit: u32, holder: &Holder) -> Option<Taken> {
        now(take(objects, FOLDER, limit, holder)).expect("memory does not fail")
    }

    #[test]
    fn as_many_are_taken_as_there_are_and_what_is_given_back_is_free() {
        let objects = Memory::default();
        let taken: Vec<_> =
            (0..7).filter_map(|at| take_now(&objects, 5, &holder(&format!("{at}"), "run"))).collect();
        assert_eq!(taken.len(), 5);
        assert!(taken.iter().all(|slot| slot.own));
        for _ in 0..3 {
            now(give_back(&objects, &taken[2].path)).expect("memory does not fail");
        }
        assert!(take_now(&objects, 5, &holder("8", "run")).is_some());
        assert!(take_now(&objects, 5, &holder("9", "run")).is_none());
        // The old owner gives back what is another's by now.
        now(give_back(&objects, &taken[2].path)).expect("memory does not fail");
        assert!(take_now(&objects, 5, &holder("9", "run")).is_none());
        assert!(take_now(&objects, 0, &holder("9", "run")).is_none());
        assert_eq!(now(holders(&objects, FOLDER)).expect("memory does not fail").len(), 5);
    }

    #[test]
    fn runs_of_one_decision_have_one_slot() {
        let objects = Memory::default();
        let first = take_now(&objects, 1, &holder("one", "first run")).expect("it is free");
        let second = take_now(&objects, 1, &holder("one", "second run")).expect("it is its own");
        assert_eq!(second, Taken { own: false, ..first.clone() });
        assert_eq!(take_now(&objects, 1, &holder("one", "first run")), Some(first));
        assert_eq!(take_now(&objects, 1, &holder("another", "run")), None);
    }

    proptest! {
        #[test]
        fn no_more_are_held_than_the_limit(
            limit in 1_u32..4,
            rounds in vec(1_usize..6, 2..7),
            order in vec(0_usize..7, 0..600),
            keeps_all in any::<bool>(),
        ) {
            let objects = Memory { keeps_all, ..Memory::default() };
            let (held, most) = (AtomicU32::new(0), AtomicU32::new(0));
            let task = |(number, rounds): (usize, &usize)| {
                let (objects, held, most, rounds) = (&objects, &held, &most, *rounds);
                let task: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async move {
                    for round in 0..rounds {
                        let holder = holder(&format!("{number} {round}"), "run");
                        let taken = take(objects, FOLDER, limit, &holder).await;
                        let Some(slot) = taken.expect("memory does not fail") else { continue };
                        most.fetch_max(held.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                        Turn::default().await;
                        held.fetch_sub(1, Ordering::Relaxed);
                        give_back(objects, &slot.path).await.expect("memory does not fail");
                    }
                });
                task
            };
            run(rounds.iter().enumerate().map(task).collect(), &order);
            let most = most.into_inner();
            prop_assert!((1..=limit).contains(&most), "{most} of {limit}");
            let all: Vec<_> =
                (0..=limit).filter_map(|at| take_now(&objects, limit, &holder(&format!("{at}"), "")))
                .collect();
            prop_assert_eq!(all.len(), limit as usize, "everything was given back");
        }
    }
}
