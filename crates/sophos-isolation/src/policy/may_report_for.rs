//! The AWS accounts that may name instances of others.

use std::collections::{BTreeMap, BTreeSet};

use sophos_api::TenantId;

use super::section::Item;

/// The most accounts that one account may speak for.
const MAX_ACCOUNTS: usize = 100;

/// Reads the accounts that each account may speak for: all are accounts of the
/// source, so that the tenant of each is known.
pub(super) fn parse_may_report_for<T>(
    item: &Item<'_, '_>,
    accounts: &BTreeMap<String, (TenantId, T)>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    let Some(table) = item.section() else { return all };
    for (speaker, item) in table.entries() {
        if !accounts.contains_key(speaker) {
            item.error("must be one of the source's accounts: list it there as well");
        }
        let mut others = BTreeSet::new();
        for (other, item) in
            item.list_of(MAX_ACCOUNTS, |item| Some((item.text(12)?.to_owned(), item.clone())))
        {
            if !accounts.contains_key(&other) {
                item.error("must be one of the source's accounts: list it there as well");
            } else if other == speaker {
                item.error("is the account itself, which always speaks for itself");
            }
            if !others.insert(other) {
                item.error("is listed twice");
            }
        }
        all.insert(speaker.to_owned(), others);
    }
    all
}
