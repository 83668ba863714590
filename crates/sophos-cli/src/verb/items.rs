//! The records of a page.

use crate::json::Json;

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
