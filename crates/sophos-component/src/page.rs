//! Pages: valid items, malformed items and cursors.

use serde_json::Value;
use sophos_api::{Error, MalformedItem, Operation, Raw};

use crate::{
    bindings::sophos::central::types::MalformedItem as WitMalformedItem, cursor::CursorScope,
    json::parse_members,
};

/// Converts the items of a page with `convert`, and separates the malformed ones.
/// `invalid` are items that are not JSON.
pub(crate) fn split_items<T, V>(
    items: Vec<Raw<T>>,
    invalid: &[MalformedItem],
    convert: impl Fn(&Value, String) -> Result<V, &'static str>,
) -> (Vec<V>, Vec<WitMalformedItem>) {
    let mut valid = Vec::with_capacity(items.len());
    let mut malformed_items = to_malformed_items(invalid);
    for item in items {
        // An item of a parsed page is JSON.
        let value = parse_members(&item).unwrap_or_default();
        match convert(&value, item.json().to_owned()) {
            Ok(value) => valid.push(value),
            Err(reason) => {
                malformed_items
                    .push(WitMalformedItem { raw: item.json().to_owned(), reason: reason.to_owned() });
            }
        }
    }
    (valid, malformed_items)
}

/// Converts items that are not JSON.
pub(crate) fn to_malformed_items(items: &[MalformedItem]) -> Vec<WitMalformedItem> {
    let convert = |item: &MalformedItem| WitMalformedItem {
        raw: String::from_utf8_lossy(&item.bytes).into_owned(),
        reason: item.reason.clone(),
    };
    items.iter().map(convert).collect()
}

/// Returns the filters of an operation, for its [`CursorScope`].
pub(crate) fn filters(operation: &impl Operation) -> Result<Value, Error> {
    serde_json::to_value(operation).map_err(|error| Error::invalid(error.to_string()))
}

/// Returns the page key of a cursor.
///
/// # Errors
/// `Invalid` if the cursor belongs to another listing.
pub(crate) fn page_key(scope: CursorScope, after: Option<&str>) -> Result<Option<String>, Error> {
    after.map(|cursor| scope.position(cursor).map(str::to_owned)).transpose()
}
