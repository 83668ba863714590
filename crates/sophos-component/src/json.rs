//! Records of the service as plain JSON.
//!
//! The host receives a record's JSON and some of its members. This module looks the
//! members up, because typed models would triple the component's size. A member that
//! is null or has an undocumented type counts as missing.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use sophos_api::{Error, Operation, Raw, Route};

/// An operation with an untyped response.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct RawOperation<O>(pub(crate) O);

impl<O: Operation> Operation for RawOperation<O> {
    type Response = Raw<Value>;
    const ROUTE: Route = O::ROUTE;

    fn validate(&self) -> Result<(), Error> {
        self.0.validate()
    }
}

/// Parses an untyped response and returns its members and its text.
///
/// # Errors
/// `Malformed` if it is not JSON.
pub(crate) fn into_value_and_text<T>(raw: Raw<T>) -> Result<(Value, String), Error> {
    let value = parse_members(&raw)?;
    Ok((value, raw.into_json().into_string()))
}

/// The ids of a record that may be numbers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct NumericIds<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    endpoint_id: Option<&'a RawValue>,
}

/// Parses the members of a record. A numeric id becomes a string, because a parsed
/// number loses digits.
///
/// # Errors
/// `Malformed` if it is not JSON.
pub(crate) fn parse_members<T>(raw: &Raw<T>) -> Result<Value, Error> {
    let mut value = raw.parse_as::<Value>()?;
    let ids = raw.parse_as::<NumericIds<'_>>().unwrap_or_default();
    for (name, id) in [("id", ids.id), ("endpoint_id", ids.endpoint_id)] {
        if let (Some(member), Some(id)) = (value.get_mut(name).filter(|member| member.is_number()), id) {
            *member = Value::from(id.get());
        }
    }
    Ok(value)
}

/// Returns the member at a path.
fn lookup<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(value, |value, name| &value[*name])
}

/// Returns the string at a path.
pub(crate) fn string(value: &Value, path: &[&str]) -> Option<String> {
    lookup(value, path).as_str().map(str::to_owned)
}

/// Returns the boolean at a path.
pub(crate) fn boolean(value: &Value, path: &[&str]) -> Option<bool> {
    lookup(value, path).as_bool()
}

/// Returns the items of the array at a path; none if it is missing.
pub(crate) fn array<'v>(value: &'v Value, path: &[&str]) -> impl Iterator<Item = &'v Value> {
    lookup(value, path).as_array().into_iter().flatten()
}

/// Returns the strings of the array at a path.
pub(crate) fn strings(value: &Value, path: &[&str]) -> Vec<String> {
    array(value, path).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns the id of a record.
///
/// # Errors
/// The reason, if the record has no id.
pub(crate) fn id(value: &Value) -> Result<String, &'static str> {
    string(value, &["id"]).ok_or("missing or invalid `id`: expected a string or a number")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numeric_id_keeps_every_digit() {
        for number in ["7", "18446744073709551617", "-1234567890123456789.10", "1.5e300"] {
            let text = format!(r#"{{"id":{number},"endpoint_id": {number} ,"n":{number}}}"#);
            let raw: Raw<Value> = serde_json::from_str(&text).expect("JSON");
            let (record, raw) = into_value_and_text(raw).expect("members");
            assert_eq!(id(&record).as_deref(), Ok(number));
            assert_eq!(endpoint_id(&record), Some(number.to_owned()));
            assert_eq!(raw, text);
        }
    }

    fn endpoint_id(record: &Value) -> Option<String> {
        string(record, &["endpoint_id"])
    }

    #[test]
    fn undocumented_member_types_are_ignored() {
        let record = json!({
            "id": "1", "online": "yes", "os": null, "health": {"overall": "good"}, "tags": {"a": 1},
            "macs": ["a", 1, null, "b"],
        });
        assert_eq!(id(&record), Ok("1".to_owned()));
        assert_eq!(string(&record, &["health", "overall"]).as_deref(), Some("good"));
        assert_eq!(string(&record, &["os", "name"]), None);
        assert_eq!(string(&record, &["id", "deeper"]), None);
        assert_eq!(boolean(&record, &["online"]), None);
        assert_eq!(array(&record, &["tags"]).count(), 0);
        assert_eq!(strings(&record, &["macs"]), ["a", "b"]);
        for nothing in [json!(null), json!([]), json!({"id": 7}), json!("id")] {
            assert!(id(&nothing).is_err(), "{nothing}");
        }
    }
}
