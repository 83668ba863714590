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
pub(super) struct MessageOrder {
    groups: HashMap<Arc<str>, Group>,
    /// The first of each group of which none is out.
    available: BTreeSet<u64>,
}

#[derive(Debug, Default)]
struct Group {
    members: BTreeSet<u64>,
    in_flight: usize,
}

impl MessageOrder {
    /// Lets a message join its group, at the end.
    pub(super) fn push(&mut self, group: &Arc<str>, number: u64) {
        self.groups.entry(Arc::clone(group)).or_default().members.insert(number);
        self.update_group(group);
    }

    /// The first message that can be taken.
    pub(super) fn first(&self) -> Option<u64> {
        self.available.first().copied()
    }

    /// How many groups have one that can be taken.
    pub(super) fn available_groups(&self) -> usize {
        self.available.len()
    }

    /// The one after this in its group.
    pub(super) fn next_in_group(&self, group: &str, number: u64) -> Option<u64> {
        self.groups.get(group)?.members.range(number + 1..).next().copied()
    }

    /// Takes a message out.
    pub(super) fn mark_in_flight(&mut self, group: &str, number: u64) {
        if let Some(group) = self.groups.get_mut(group) {
            group.in_flight += 1;
        }
        self.available.remove(&number);
    }

    /// Puts a message that is out back into its place.
    pub(super) fn return_message(&mut self, group: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.in_flight -= 1;
        }
        self.update_group(group);
    }

    /// Forgets a message, which is out or not.
    pub(super) fn remove(&mut self, group: &str, number: u64, is_out: bool) {
        if let Some(group) = self.groups.get_mut(group) {
            group.members.remove(&number);
            group.in_flight -= usize::from(is_out);
        }
        self.available.remove(&number);
        self.update_group(group);
    }

    fn update_group(&mut self, name: &str) {
        let Some(group) = self.groups.get(name) else { return };
        let first = group.members.first().copied();
        match first {
            Some(first) if group.in_flight == 0 => {
                self.available.insert(first);
            }
            Some(_) => {}
            None => {
                self.groups.remove(name);
            }
        }
    }
}
