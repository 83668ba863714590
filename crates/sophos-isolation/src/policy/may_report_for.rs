//! The AWS accounts that may report instances of other accounts.

use std::collections::{BTreeMap, BTreeSet};

use sophos_api::TenantId;

use super::section::Item;

/// The maximum number of accounts that one account may report for.
const MAX_ACCOUNTS: usize = 100;

/// Parses the accounts that each account may report for. All must be accounts of the source, so
/// that their tenants are known.
pub(super) fn parse_may_report_for<T>(
    item: &Item<'_, '_>,
    accounts: &BTreeMap<String, (TenantId, T)>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    let Some(table) = item.section() else { return all };
    for (reporter, item) in table.entries() {
        if !accounts.contains_key(reporter) {
            item.error("unknown account: expected one of the source's `accounts`");
        }
        let mut others = BTreeSet::new();
        for (other, item) in
            item.list_of(MAX_ACCOUNTS, |item| Some((item.text(12)?.to_owned(), item.clone())))
        {
            if !accounts.contains_key(&other) {
                item.error("unknown account: expected one of the source's `accounts`");
            } else if other == reporter {
                item.error("redundant account: an account always reports for itself; remove it");
            }
            if !others.insert(other) {
                item.error("duplicate account: remove one");
            }
        }
        all.insert(reporter.to_owned(), others);
    }
    all
}
