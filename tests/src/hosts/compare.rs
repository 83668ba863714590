//! What was told, held against what was expected and against what the native
//! client tells, field by field.

use std::collections::BTreeSet;

use serde_json::Value;
use sophos_simulator::Addresses;

use super::{
    Outcome,
    scenario::{Expected, Message},
};

/// What is not as expected.
pub(super) fn unmet(expected: &Expected, outcome: &Outcome) -> Vec<String> {
    let (members, told) = match (expected, outcome) {
        (Expected::Success(members), Outcome::Ok(value)) => (members.clone(), value),
        (Expected::Failure(told), Outcome::Failure(value)) => (told.members(), value),
        _ => return vec![format!("{expected:?} is expected, and not {}", shortened(outcome))],
    };
    let mut unmet: Vec<_> = members
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| told.get(name.as_str()) != Some(value))
        .map(|(name, value)| format!("{name} is {}, and {value} is expected", told[name.as_str()]))
        .collect();
    if let Expected::Failure(expected) = expected {
        let message = told["message"].as_str().unwrap_or_default();
        if common(expected.message, message).is_none() {
            unmet.push(format!("the message {message:?} has no {:?}", expected.message));
        }
    }
    unmet
}

/// The part of a message that is the same everywhere.
fn common(message: Message, text: &str) -> Option<&str> {
    match message {
        Message::Whole => Some(text),
        Message::UpTo(words) => text.find(words).map(|start| &text[..start + words.len()]),
        Message::End(words) => text.ends_with(words).then_some(words),
    }
}

/// Where a component tells something else than the native client.
pub(super) fn differences(expected: &Expected, native: &Outcome, component: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    match (native, component) {
        // Only a component has it.
        (Outcome::Absent, _) => {}
        (Outcome::Ok(native), Outcome::Ok(component)) => values("", native, component, &mut found),
        (Outcome::Failure(native), Outcome::Failure(component)) => {
            let (mut native, mut component) = (native.clone(), component.clone());
            if let Expected::Failure(told) = expected {
                for failure in [&mut native, &mut component] {
                    let message = failure["message"].as_str().and_then(|text| common(told.message, text));
                    failure["message"] = message.into();
                }
            }
            values("", &native, &component, &mut found);
        }
        _ => found.push(format!("it is {}, and natively {}", shortened(component), shortened(native))),
    }
    found
}

fn shortened(outcome: &Outcome) -> String {
    format!("{outcome:?}").chars().take(300).collect()
}

fn values(path: &str, native: &Value, component: &Value, found: &mut Vec<String>) {
    match (native, component) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for name in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (ours.get(name), theirs.get(name)) {
                    (Some(ours), Some(theirs)) if !equivalent(name, ours, theirs) => {
                        values(&path, ours, theirs, found);
                    }
                    (Some(_), Some(_)) => {}
                    (Some(_), None) => found.push(format!("{path} is not there")),
                    (None, _) => found.push(format!("{path} is nothing that is compared")),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                values(&format!("{path}[{index}]"), ours, theirs, found);
            }
        }
        (ours, theirs) if ours == theirs => {}
        (ours, theirs) => found.push(format!("{path} is {theirs}, and natively {ours}")),
    }
}

/// Whether two members of this name say the same in other words.
fn equivalent(name: &str, native: &Value, component: &Value) -> bool {
    let texts = native.as_str().zip(component.as_str());
    match name {
        // `<listing>1-<digest>-<place>`, of which the native client has the place.
        "next" => texts.is_some_and(|(place, cursor)| cursor.splitn(3, '-').nth(2) == Some(place)),
        // JSON, of which the order of members says nothing.
        "outcome" => texts.is_some_and(|(ours, theirs)| {
            let read = |text: &str| serde_json::from_str::<Value>(text).ok();
            read(ours).is_some_and(|ours| read(theirs) == Some(ours))
        }),
        // By clocks of their own.
        "waited-ms" => native.as_u64().map(|ms| ms > 0) == component.as_u64().map(|ms| ms > 0),
        _ => false,
    }
}

/// An outcome in which the simulator's hosts have names in place of their ports,
/// which are others each time.
pub(super) fn without_addresses(outcome: Outcome, addresses: &Addresses) -> Outcome {
    let own = [(&addresses.identity, "identity"), (&addresses.global, "global")];
    let regions = addresses.regions.iter().map(|(region, address)| (address, region.as_str()));
    let names: Vec<_> = own.into_iter().chain(regions).collect();
    let named = |mut value: Value| {
        rename(&mut value, &names);
        value
    };
    match outcome {
        Outcome::Ok(value) => Outcome::Ok(named(value)),
        Outcome::Failure(failure) => Outcome::Failure(named(failure)),
        Outcome::Absent => Outcome::Absent,
    }
}

fn rename(value: &mut Value, names: &[(&String, &str)]) {
    match value {
        Value::String(text) if text.contains("://") => {
            for (address, name) in names {
                *text = text.replace(address.as_str(), name);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| rename(value, names)),
        Value::Object(members) => members.values_mut().for_each(|value| rename(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::hosts::scenario::told;

    #[test]
    fn each_field_that_differs_is_found() {
        let native = Outcome::Ok(json!({"a": [{"id": "1", "b": null}], "next": "2", "outcome": "{}"}));
        let same = json!({"a": [{"id": "1", "b": null}], "next": "t1-00-2", "outcome": "{ }"});
        let expected = Expected::Success(json!({}));
        let found = |component: Value| differences(&expected, &native, &Outcome::Ok(component));
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
        assert_eq!(differences(&expected, &native, &Outcome::Failure(json!({}))).len(), 1);
        assert_eq!(differences(&expected, &native, &Outcome::Absent).len(), 1);
    }

    #[test]
    fn a_failure_is_held_against_all_that_is_said_of_it() {
        let failure = |tag: &str, status: u16, message: &str| {
            let reason = json!({"tag": tag, "val": null});
            Outcome::Failure(
                json!({"reason": reason, "status": status, "transient": false, "message": message}),
            )
        };
        let expected = Expected::Failure(told("invalid").status(400).up_to("no:"));
        assert!(unmet(&expected, &failure("invalid", 400, "no: 1")).is_empty());
        for wrong in [
            failure("conflict", 400, "no: 1"),
            failure("invalid", 409, "no: 1"),
            failure("invalid", 400, "no"),
            Outcome::Ok(json!({})),
        ] {
            assert_eq!(unmet(&expected, &wrong).len(), 1, "{wrong:?}");
        }
        let ours = failure("invalid", 400, "no: 1");
        assert!(differences(&expected, &ours, &failure("invalid", 400, "no: 2")).is_empty());
        assert_eq!(differences(&expected, &ours, &failure("invalid", 400, "so no: 1")).len(), 1);
    }
}
