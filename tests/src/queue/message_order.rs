//! The order in which messages are received.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// The messages of a queue by number, in groups. While a message of a group is in flight, no
/// other of the group is available, so that none overtakes it.
///
/// On a standard queue each message has its own group.
#[derive(Debug, Default)]
pub(super) struct MessageOrder {
    groups: HashMap<Arc<str>, Group>,
    /// The first message of each group without a message in flight.
    available: BTreeSet<u64>,
}

#[derive(Debug, Default)]
struct Group {
    members: BTreeSet<u64>,
    in_flight: usize,
}

impl MessageOrder {
    /// Appends a message to its group.
    pub(super) fn push(&mut self, group: &Arc<str>, number: u64) {
        self.groups.entry(Arc::clone(group)).or_default().members.insert(number);
        self.update_group(group);
    }

    /// The first available message.
    pub(super) fn first(&self) -> Option<u64> {
        self.available.first().copied()
    }

    /// The number of groups with an available message.
    pub(super) fn available_groups(&self) -> usize {
        self.available.len()
    }

    /// The message after this one in its group.
    pub(super) fn next_in_group(&self, group: &str, number: u64) -> Option<u64> {
        self.groups.get(group)?.members.range(number + 1..).next().copied()
    }

    /// Marks a message as in flight.
    pub(super) fn mark_in_flight(&mut self, group: &str, number: u64) {
        if let Some(group) = self.groups.get_mut(group) {
            group.in_flight += 1;
        }
        self.available.remove(&number);
    }

    /// Returns a message in flight to its position.
    pub(super) fn return_message(&mut self, group: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.in_flight -= 1;
        }
        self.update_group(group);
    }

    /// Removes a message, whether it is in flight or not.
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
