//! The pages of a listing, of any of the service's three styles.

use serde_json::Value;

use crate::{json::Json, verb::Fields};

/// The fields of the request for the next page; `None` after the last.
///
/// The response shows the style: a key (`pages.nextKey`), a number
/// (`pages.current`), or a cursor (`has_more`).
pub(crate) fn next_page(fields: &Fields, page: &Json) -> Option<Fields> {
    let mut next = fields.clone();
    if let Some(cursor) = page.get("next_cursor").and_then(Json::as_str) {
        let more = page.get("has_more") == Some(&Json::Bool(true));
        if !more || fields.get("cursor").and_then(Value::as_str) == Some(cursor) {
            return None;
        }
        next.insert("cursor".to_owned(), cursor.into());
        next.remove("from_date");
        return Some(next);
    }
    let pages = page.get("pages")?;
    if let Some(key) = pages.get("nextKey").and_then(Json::as_str).filter(|key| !key.is_empty()) {
        // A page that follows itself would never end.
        if fields.get("pageFromKey").and_then(Value::as_str) == Some(key) {
            return None;
        }
        next.insert("pageFromKey".to_owned(), key.into());
        return Some(next);
    }
    let number = |name: &str| match pages.get(name) {
        Some(Json::Number(number)) => number.as_u64(),
        _ => None,
    };
    let current = fields.get("page").and_then(Value::as_u64).or_else(|| number("current"))?;
    let more = match number("total") {
        Some(total) => current < total,
        None => matches!(page.get("items"), Some(Json::Array(items)) if !items.is_empty()),
    };
    next.insert("page".to_owned(), (current + 1).into());
    more.then_some(next)
}

/// The member of most pages that holds the records.
pub(crate) const DEFAULT_ITEMS: &str = "items";

/// The records in a member of a page; a response without it is one record.
pub(crate) fn items_of(page: Json, items: &str) -> Vec<Json> {
    match page {
        Json::Object(mut members) => {
            match members.iter().position(|(name, value)| name == items && matches!(value, Json::Array(_))) {
                Some(index) => match members.swap_remove(index).1 {
                    Json::Array(items) => items,
                    _ => Vec::new(),
                },
                None => vec![Json::Object(members)],
            }
        }
        Json::Array(items) => items,
        Json::Null => Vec::new(),
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(fields: &str, page: &str) -> Option<String> {
        let fields = serde_json::from_str(fields).expect("fields");
        let page = serde_json::from_str(page).expect("a page");
        next_page(&fields, &page).map(|fields| Value::Object(fields).to_string())
    }

    #[test]
    fn next_page_follows_keys_numbers_and_cursors() {
        let key = r#"{"items":[],"pages":{"nextKey":"k"}}"#;
        assert_eq!(next("{}", key).as_deref(), Some(r#"{"pageFromKey":"k"}"#));
        assert_eq!(next(r#"{"pageFromKey":"k"}"#, key), None, "a page that follows itself");
        let number = r#"{"items":[1],"pages":{"current":1,"total":2}}"#;
        assert_eq!(next("{}", number).as_deref(), Some(r#"{"page":2}"#));
        assert_eq!(next(r#"{"page":2}"#, number), None);
        assert_eq!(next("{}", r#"{"items":[],"pages":{"current":1}}"#), None);
        assert_eq!(next("{}", r#"{"items":[1],"pages":{"current":3}}"#).as_deref(), Some(r#"{"page":4}"#));
        let cursor = r#"{"items":[],"has_more":true,"next_cursor":"c"}"#;
        assert_eq!(next(r#"{"from_date":1}"#, cursor).as_deref(), Some(r#"{"cursor":"c"}"#));
        assert_eq!(next("{}", r#"{"items":[],"has_more":false,"next_cursor":"c"}"#), None);
        assert_eq!(next("{}", r#"{"items":[]}"#), None);
    }

    #[test]
    fn items_of_takes_a_lone_object_as_one_record() {
        let items = |text: &str| items_of(serde_json::from_str(text).expect("JSON"), DEFAULT_ITEMS).len();
        assert_eq!(items(r#"{"items":[1,2]}"#), 2);
        assert_eq!(items(r#"{"id":"1"}"#), 1);
        assert_eq!(items("[1,2,3]"), 3);
        assert_eq!(items("null"), 0);
        let page = serde_json::from_str(r#"{"licenses":[1,2]}"#).expect("JSON");
        assert_eq!(items_of(page, "licenses").len(), 2);
    }
}
