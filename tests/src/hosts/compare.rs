//! Comparison of an outcome with the expectation and with the native client, field by
//! field.

use std::collections::BTreeSet;

use serde_json::Value;
use sophos_simulator::Addresses;

use super::{
    CallOutcome,
    scenario::{Expected, MessageMatch},
};

/// Returns the deviations from the expectation.
pub(super) fn mismatches(expected: &Expected, outcome: &CallOutcome) -> Vec<String> {
    let (members, actual) = match (expected, outcome) {
        (Expected::Success(members), CallOutcome::Ok(value)) => (members.clone(), value),
        (Expected::Failure(failure), CallOutcome::Failure(value)) => (failure.members(), value),
        _ => return vec![format!("expected {expected:?}, got {}", truncated(outcome))],
    };
    let mut unmet: Vec<_> = members
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| actual.get(name.as_str()) != Some(value))
        .map(|(name, value)| format!("{name}: expected {value}, got {}", actual[name.as_str()]))
        .collect();
    if let Expected::Failure(expected) = expected {
        let message = actual["message"].as_str().unwrap_or_default();
        if common_part(expected.message, message).is_none() {
            unmet.push(format!("message: expected {:?}, got {message:?}", expected.message));
        }
    }
    unmet
}

/// Returns the part of a message that all hosts share.
fn common_part(message: MessageMatch, text: &str) -> Option<&str> {
    match message {
        MessageMatch::Exact => Some(text),
        MessageMatch::Prefix(words) => text.find(words).map(|start| &text[..start + words.len()]),
        MessageMatch::Suffix(words) => text.ends_with(words).then_some(words),
    }
}

/// Returns the differences between a component and the native client.
pub(super) fn differences(expected: &Expected, native: &CallOutcome, component: &CallOutcome) -> Vec<String> {
    let mut found = Vec::new();
    match (native, component) {
        // The native client lacks the function.
        (CallOutcome::Absent, _) => {}
        (CallOutcome::Ok(native), CallOutcome::Ok(component)) => {
            compare_values("", native, component, &mut found)
        }
        (CallOutcome::Failure(native), CallOutcome::Failure(component)) => {
            let (mut native, mut component) = (native.clone(), component.clone());
            if let Expected::Failure(failure) = expected {
                for details in [&mut native, &mut component] {
                    let message =
                        details["message"].as_str().and_then(|text| common_part(failure.message, text));
                    details["message"] = message.into();
                }
            }
            compare_values("", &native, &component, &mut found);
        }
        _ => found.push(format!("expected {} as natively, got {}", truncated(native), truncated(component))),
    }
    found
}

fn truncated(outcome: &CallOutcome) -> String {
    format!("{outcome:?}").chars().take(300).collect()
}

fn compare_values(path: &str, native: &Value, component: &Value, found: &mut Vec<String>) {
    match (native, component) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for name in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (ours.get(name), theirs.get(name)) {
                    (Some(ours), Some(theirs)) if !are_equivalent(name, ours, theirs) => {
                        compare_values(&path, ours, theirs, found);
                    }
                    (Some(_), Some(_)) => {}
                    (Some(_), None) => found.push(format!("{path} is missing")),
                    (None, _) => found.push(format!("{path} is missing natively")),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                compare_values(&format!("{path}[{index}]"), ours, theirs, found);
            }
        }
        (ours, theirs) if ours == theirs => {}
        (ours, theirs) => found.push(format!("{path}: expected {ours} as natively, got {theirs}")),
    }
}

/// Whether two members of this name have the same meaning.
fn are_equivalent(name: &str, native: &Value, component: &Value) -> bool {
    let texts = native.as_str().zip(component.as_str());
    match name {
        // `<listing>1-<digest>-<position>`; the native client has only the position.
        "next" => texts.is_some_and(|(place, cursor)| cursor.splitn(3, '-').nth(2) == Some(place)),
        // JSON in any order of members.
        "outcome" => texts.is_some_and(|(ours, theirs)| {
            let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
            parse(ours).is_some_and(|ours| parse(theirs) == Some(ours))
        }),
        // The clocks differ.
        "wait-time-ms" => native.as_u64().map(|ms| ms > 0) == component.as_u64().map(|ms| ms > 0),
        _ => false,
    }
}

/// Replaces the simulator's base URLs, whose ports vary, by names.
pub(super) fn without_addresses(outcome: CallOutcome, addresses: &Addresses) -> CallOutcome {
    let own = [(&addresses.identity, "identity"), (&addresses.global, "global")];
    let regions = addresses.regions.iter().map(|(region, address)| (address, region.as_str()));
    let names: Vec<_> = own.into_iter().chain(regions).collect();
    let named = |mut value: Value| {
        replace_addresses(&mut value, &names);
        value
    };
    match outcome {
        CallOutcome::Ok(value) => CallOutcome::Ok(named(value)),
        CallOutcome::Failure(failure) => CallOutcome::Failure(named(failure)),
        CallOutcome::Absent => CallOutcome::Absent,
    }
}

fn replace_addresses(value: &mut Value, names: &[(&String, &str)]) {
    match value {
        Value::String(text) if text.contains("://") => {
            for (address, name) in names {
                *text = text.replace(address.as_str(), name);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| replace_addresses(value, names)),
        Value::Object(members) => members.values_mut().for_each(|value| replace_addresses(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::hosts::scenario::expected_failure;

    #[test]
    fn differences_reports_each_differing_field() {
        let native = CallOutcome::Ok(json!({"a": [{"id": "1", "b": null}], "next": "2", "outcome": "{}"}));
        let same = json!({"a": [{"id": "1", "b": null}], "next": "t1-00-2", "outcome": "{ }"});
        let expected = Expected::Success(json!({}));
        let found = |component: Value| differences(&expected, &native, &CallOutcome::Ok(component));
        assert!(found(same.clone()).is_empty());
        for (pointer, other) in [
            ("/a/0/b", json!("x")),
            ("/a/0", json!({"id": "1"})),
            ("/a/0", json!({"id": "1", "b": null, "c": null})),
            ("/a", json!([])),
            ("/next", json!("t1-00-3")),
            ("/next", json!(null)),
            ("/outcome", json!("[]")),
        ] {
            let mut component = same.clone();
            *component.pointer_mut(pointer).expect("a member") = other;
            assert_eq!(found(component.clone()).len(), 1, "{component}");
        }
        assert_eq!(differences(&expected, &native, &CallOutcome::Failure(json!({}))).len(), 1);
        assert_eq!(differences(&expected, &native, &CallOutcome::Absent).len(), 1);
    }

    #[test]
    fn mismatches_compares_every_member_of_a_failure() {
        let failure = |tag: &str, status: u16, message: &str| {
            let reason = json!({"tag": tag, "val": null});
            CallOutcome::Failure(
                json!({"reason": reason, "status": status, "transient": false, "message": message}),
            )
        };
        let expected = Expected::Failure(expected_failure("invalid").status(400).message_prefix("no:"));
        assert!(mismatches(&expected, &failure("invalid", 400, "no: 1")).is_empty());
        for wrong in [
            failure("conflict", 400, "no: 1"),
            failure("invalid", 409, "no: 1"),
            failure("invalid", 400, "no"),
            CallOutcome::Ok(json!({})),
        ] {
            assert_eq!(mismatches(&expected, &wrong).len(), 1, "{wrong:?}");
        }
        let ours = failure("invalid", 400, "no: 1");
        assert!(differences(&expected, &ours, &failure("invalid", 400, "no: 2")).is_empty());
        assert_eq!(differences(&expected, &ours, &failure("invalid", 400, "so no: 1")).len(), 1);
    }
}
