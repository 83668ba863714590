//! The order in which messages are received.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// The messages of a queue by their numbers, in groups. Of a group of which one is
/// out, no other can be taken, so that nobody overtakes it.
///
/// On a standard queue each message is a group of its own.
#[derive(Debug, Default)]
pub(super) struct Line {
    groups: HashMap<Arc<str>, Group>,
    /// The first of each group of which none is out.
    free: BTreeSet<u64>,
}

#[derive(Debug, Default)]
struct Group {
    members: BTreeSet<u64>,
    out: usize,
}

impl Line {
    /// Lets a message join its group, at the end.
    pub(super) fn join(&mut self, group: &Arc<str>, number: u64) {
        self.groups.entry(Arc::clone(group)).or_default().members.insert(number);
        self.settle(group);
    }

    /// The first message that can be taken.
    pub(super) fn first(&self) -> Option<u64> {
        self.free.first().copied()
    }

    /// How many groups have one that can be taken.
    pub(super) fn free(&self) -> usize {
        self.free.len()
    }

    /// The one after this in its group.
    pub(super) fn after(&self, group: &str, number: u64) -> Option<u64> {
        self.groups.get(group)?.members.range(number + 1..).next().copied()
    }

    /// Takes a message out.
    pub(super) fn take(&mut self, group: &str, number: u64) {
        if let Some(group) = self.groups.get_mut(group) {
            group.out += 1;
        }
        self.free.remove(&number);
    }

    /// Puts a message that is out back into its place.
    pub(super) fn put_back(&mut self, group: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.out -= 1;
        }
        self.settle(group);
    }

    /// Forgets a message, which is out or not.
    pub(super) fn leave(&mut self, group: &str, number: u64, is_out: bool) {
        if let Some(group) = self.groups.get_mut(group) {
            group.members.remove(&number);
            group.out -= usize::from(is_out);
        }
        self.free.remove(&number);
        self.settle(group);
    }

    fn settle(&mut self, name: &str) {
        let Some(group) = self.groups.get(name) else { return };
        let first = group.members.first().copied();
        match first {
            Some(first) if group.out == 0 => {
                self.free.insert(first);
            }
            Some(_) => {}
            None => {
                self.groups.remove(name);
            }
        }
    }
}
