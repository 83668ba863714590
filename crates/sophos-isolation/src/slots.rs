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

/// Who has a slot, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) decision: DecisionId,
    /// Seconds since the Unix epoch.
    pub(crate) since: u64,
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

/// Takes one of `limit` slots of a folder. `None` when all are taken, else the
/// path of what was created, with which it is given back.
pub(crate) async fn take<O: Objects>(
    objects: &O,
    folder: &str,
    limit: u32,
    holder: &Holder,
) -> Result<Option<String>, StoreFailure> {
    let body = serde_json::to_vec(holder).map_err(StoreFailure::new)?;
    // Each begins at a slot of its own, so that many at once seldom meet.
    let start =
        holder.decision.as_str().bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
    for _ in 0..ROUNDS {
        let newest = newest(objects, folder).await?;
        let taken = newest.values().filter(|generation| *generation % 2 == 1).count();
        if taken >= limit as usize {
            return Ok(None);
        }
        let free = (0..limit).map(|at| (start % limit + at) % limit).find_map(|number| {
            let generation = newest.get(&number).copied().unwrap_or(0);
            (generation % 2 == 0).then_some(Slot { number, generation: generation + 1 })
        });
        let Some(slot) = free else { return Ok(None) };
        let path = format!("{folder}/{}", slot.name());
        if objects.create(&path, body.clone()).await? {
            return Ok(Some(path));
        }
        // The store may have created it and lost its answer.
        if objects.read(&path).await?.as_deref() == Some(&body) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Gives a slot back. To give back what was given back changes nothing.
pub(crate) async fn give_back<O: Objects>(objects: &O, path: &str) -> Result<(), StoreFailure> {
    let Some((folder, slot)) =
        path.rsplit_once('/').and_then(|(folder, name)| Some((folder, Slot::read(name)?)))
    else {
        return Ok(());
    };
    if slot.generation % 2 == 0 {
        return Ok(());
    }
    let free = Slot { generation: slot.generation + 1, ..slot };
    objects.create(&format!("{folder}/{}", free.name()), Vec::new()).await?;
    // What is left is the newest; the rest would only lengthen listings.
    objects.remove(path).await?;
    let before = Slot { generation: slot.generation - 1, ..slot };
    objects.remove(&format!("{folder}/{}", before.name())).await
}

/// Every slot of a folder that is taken, and by whom. What cannot be read is
/// left out: its owner gives it back.
pub(crate) async fn holders<O: Objects>(
    objects: &O,
    folder: &str,
) -> Result<Vec<(String, Holder)>, StoreFailure> {
    let mut holders = Vec::new();
    for (number, generation) in newest(objects, folder).await? {
        if generation % 2 == 0 {
            continue;
        }
        let path = format!("{folder}/{}", Slot { number, generation }.name());
        let body = objects.read(&path).await?;
        if let Some(holder) = body.and_then(|body| serde_json::from_slice(&body).ok()) {
            holders.push((path, holder));
        }
    }
    Ok(holders)
}
