//! The state of accounts: their records by collection, created from the seed at the first use.

use std::collections::{BTreeMap, HashMap};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::central::Central;
use crate::engine::{Collection, Seed};

/// The records of one account: a tenant, a partner or an organization.
#[derive(Debug, Default)]
pub(crate) struct AccountState {
    id: u128,
    collections: BTreeMap<&'static str, Vec<Value>>,
    /// The events of the audit log, oldest first.
    pub(crate) audit_events: Vec<Value>,
}

impl AccountState {
    /// All records of a collection that has no parent.
    pub(crate) fn records(&mut self, central: &Central, collection: &'static Collection) -> &mut Vec<Value> {
        let id = self.id;
        self.collections.entry(collection.name).or_insert_with(|| {
            let mut seed = Seed::new(central, id, collection.name);
            let mut records = (collection.seed)(&mut seed);
            for (index, record) in records.iter_mut().enumerate() {
                if record[collection.id_member].is_null() && !collection.is_singleton {
                    record[collection.id_member] = json!(seed.id(collection.name, index as u64));
                }
            }
            records
        })
    }

    /// The record with this id.
    pub(crate) fn find(
        &mut self,
        central: &Central,
        collection: &'static Collection,
        id: &str,
    ) -> Option<&mut Value> {
        let mut records = self.records(central, collection).iter_mut();
        records.find(|record| collection.has_id(record, id))
    }
}

/// The state of all accounts.
#[derive(Debug, Default)]
pub(crate) struct StateStore(Mutex<HashMap<u128, AccountState>>);

/// One account's state. It locks the state of all accounts: drop it before another is opened.
#[derive(Debug)]
pub(crate) struct AccountGuard<'a> {
    all: MutexGuard<'a, HashMap<u128, AccountState>>,
    id: u128,
    empty: AccountState,
}

impl StateStore {
    /// Opens the state of the account with this id.
    pub(crate) fn open(&self, id: u128) -> AccountGuard<'_> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(id).or_insert_with(|| AccountState { id, ..AccountState::default() });
        AccountGuard { all, id, empty: AccountState::default() }
    }
}

impl Deref for AccountGuard<'_> {
    type Target = AccountState;

    fn deref(&self) -> &AccountState {
        self.all.get(&self.id).unwrap_or(&self.empty)
    }
}

impl DerefMut for AccountGuard<'_> {
    fn deref_mut(&mut self) -> &mut AccountState {
        self.all.get_mut(&self.id).unwrap_or(&mut self.empty)
    }
}
