//! The differences between two records of an endpoint. Pure: no clock, no network.

use serde_json::{Value, json};

use crate::{digest::sha256, json_scan::for_each_member};

/// The members, with quotes, that change with each contact of an endpoint. They count
/// neither as a change nor among the changed members.
const IGNORED_MEMBERS: [&str; 1] = [r#""lastSeenAt""#];

/// The digest of a record without the ignored members. The order of members does not
/// matter at the top; deeper it may make equal records look different, never the reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndpointDigest([u8; 16]);

impl EndpointDigest {
    pub(crate) fn new(record: &str) -> Self {
        let (mut sum, mut members) = (0_u128, 0_u64);
        for_each_member(record, |key, value| {
            members += 1;
            if !IGNORED_MEMBERS.contains(&key) {
                let digest = sha256(format!("{key}:{value}").as_bytes());
                let mut part = [0; 16];
                part.copy_from_slice(&digest[..16]);
                sum = sum.wrapping_add(u128::from_be_bytes(part));
            }
        });
        if members == 0 {
            let mut part = [0; 16];
            part.copy_from_slice(&sha256(record.as_bytes())[..16]);
            return Self(part);
        }
        Self(sum.to_be_bytes())
    }
}

/// Lists the changed members of a record, in the order of their names. Each has a JSON
/// pointer, and the value before and after unless the member did not exist.
///
/// Lists are compared as wholes: their members have no names. A record that is nested too
/// deeply to be parsed is one change with the empty pointer and the texts.
pub(crate) fn changed_members(before: &str, after: &str) -> Vec<Value> {
    let parsed = (serde_json::from_str(before), serde_json::from_str(after));
    let (Ok(mut old), Ok(mut new)) = parsed else {
        // Nested too deeply.
        return vec![json!({ "pointer": "", "before": before, "after": after })];
    };
    for record in [&mut old, &mut new] {
        if let Value::Object(members) = record {
            members
                .retain(|name, _| !IGNORED_MEMBERS.iter().any(|ignored| ignored.trim_matches('"') == name));
        }
    }
    let mut changes = Vec::new();
    compare(&old, &new, &mut String::new(), &mut changes);
    changes
}

fn compare(before: &Value, after: &Value, pointer: &mut String, changes: &mut Vec<Value>) {
    if before == after {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        changes.push(json!({ "pointer": pointer, "before": before, "after": after }));
        return;
    };
    let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let len = pointer.len();
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        match (old.get(name), new.get(name)) {
            (Some(before), Some(after)) => compare(before, after, pointer, changes),
            (Some(before), None) => changes.push(json!({ "pointer": pointer, "before": before })),
            (None, Some(after)) => changes.push(json!({ "pointer": pointer, "after": after })),
            (None, None) => {}
        }
        pointer.truncate(len);
    }
}
