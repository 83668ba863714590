//! Pages: items that can be read and that cannot, and where the next one is.

use serde_json::Value;
use sophos_api::{Error, MalformedItem, Operation, Raw};

use crate::{
    bindings::sophos::central::types::MalformedItem as WitMalformedItem, cursor::CursorScope,
    json::parse_members,
};

/// Reads the items of a page and turns each, with its JSON, into what the host is
/// given, or says what is wrong with it. `broken` are those that are not JSON.
pub(crate) fn split_items<T, V>(
    items: Vec<Raw<T>>,
    broken: &[MalformedItem],
    turn: impl Fn(&Value, String) -> Result<V, &'static str>,
) -> (Vec<V>, Vec<WitMalformedItem>) {
    let mut readable = Vec::with_capacity(items.len());
    let mut malformed_items = self::to_malformed_items(broken);
    for item in items {
        // An item of a page is JSON, else the page would not be.
        let value = parse_members(&item).unwrap_or_default();
        match turn(&value, item.json().to_owned()) {
            Ok(value) => readable.push(value),
            Err(why) => {
                malformed_items.push(WitMalformedItem { raw: item.json().to_owned(), reason: why.to_owned() })
            }
        }
    }
    (readable, malformed_items)
}

/// The items that are not JSON, as the host is given them.
pub(crate) fn to_malformed_items(items: &[MalformedItem]) -> Vec<WitMalformedItem> {
    let malformed_items = |item: &MalformedItem| WitMalformedItem {
        raw: String::from_utf8_lossy(&item.bytes).into_owned(),
        reason: item.reason.clone(),
    };
    items.iter().map(malformed_items).collect()
}

/// The filters of an operation, by which its cursors know it.
pub(crate) fn filters(operation: &impl Operation) -> Result<Value, Error> {
    serde_json::to_value(operation).map_err(|error| Error::invalid(error.to_string()))
}

/// The key of the page that a cursor leads to.
pub(crate) fn page_key(listing: CursorScope, after: Option<&str>) -> Result<Option<String>, Error> {
    after.map(|cursor| listing.position(cursor).map(str::to_owned)).transpose()
}
