//! All operations against the published list and its examples, where that is.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::Value;

use crate::{RequestTarget, operation::tested::TestedOperation};

fn published() -> Option<Vec<Value>> {
    let folder = std::env::var_os("RECORDED_MATERIAL")
        .map(std::path::PathBuf::from)
        .or_else(|| Some(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")))?;
    let text = std::fs::read_to_string(folder.join("sophos/operations.json")).ok()?;
    serde_json::from_str(&text).ok()
}

/// The published operations without a type of their own: the client sends them by itself.
const SENT_BY_THE_CLIENT: &[&str] = &["POST /api/v2/oauth2/token", "POST /api/v2/oauth2/token"];

/// The operations whose published query is in the body: live clients send it there.
const QUERY_IN_BODY: &[&str] = &["SearchAlerts: query lacks "];

/// The members of examples that are not as the service writes them: texts with a comma
/// in place of numbers.
const WRONG_EXAMPLES: &[&str] = &["ListFirewallGroups: .pages."];

/// Whether a value of an example stands for any value.
fn is_placeholder(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Whether a model may write `example` as `written`: an id may be a number or a text.
fn is_same_value(example: &Value, written: &Value) -> bool {
    example == written || (example.is_number() && written.as_str() == Some(&example.to_string()))
}

/// Each member of `example` that is not in `written`, but for placeholders.
fn lost(example: &Value, written: &Value, path: &str, lost: &mut Vec<String>) {
    match (example, written) {
        (Value::Object(members), Value::Object(other)) => {
            for (name, value) in members {
                match other.get(name) {
                    Some(found) => self::lost(value, found, &format!("{path}.{name}"), lost),
                    None if is_placeholder(value) => {}
                    None => lost.push(format!("{path}.{name}")),
                }
            }
        }
        (Value::Array(items), Value::Array(other)) => {
            if items.len() != other.len() {
                lost.push(format!("{path}[{}≠{}]", items.len(), other.len()));
            }
            for (item, found) in items.iter().zip(other) {
                self::lost(item, found, &format!("{path}[]"), lost);
            }
        }
        (example, written) if is_same_value(example, written) => {}
        (example, written) => lost.push(format!("{path}: {example} became {written}")),
    }
}

/// Members of published bodies that the service sets by itself.
const READ_ONLY: &[&str] =
    &["id", "createdAt", "updatedAt", "lastUpdatedAt", "dohUrl", "dohSecureLocationId"];

/// The differences of a request with all fields from the published parameters.
fn request_problems(published: &Value, request: &http::Request<Vec<u8>>) -> Vec<String> {
    let mut problems = Vec::new();
    let query = request.uri().query().unwrap_or_default();
    let sent: BTreeSet<&str> =
        query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty()).collect();
    let listed: BTreeSet<&str> = published["query"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["name"].as_str())
        .collect();
    problems.extend(listed.difference(&sent).map(|name| format!("query lacks {name}")));
    problems.extend(sent.difference(&listed).map(|name| format!("query has {name}")));
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    for name in published["body"].as_object().into_iter().flat_map(serde_json::Map::keys) {
        // Settings of a policy are members by key.
        if !READ_ONLY.contains(&name.as_str()) && !name.contains('.') && body.get(name).is_none() {
            problems.push(format!("body lacks {name}"));
        }
    }
    problems
}

fn tested() -> Vec<&'static TestedOperation> {
    super::TESTED.iter().copied().flatten().copied().flatten().collect()
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn operations_match_the_published_list() {
    let published = published().expect("the published operations");
    let by_route: BTreeMap<(String, String), &TestedOperation> = tested()
        .into_iter()
        .map(|operation| ((operation.route.method.to_string(), operation.route.path.to_owned()), operation))
        .collect();
    let mut problems = Vec::new();
    let mut missing = Vec::new();
    for one in &published {
        let key =
            (one["method"].as_str().unwrap_or("").to_owned(), one["path"].as_str().unwrap_or("").to_owned());
        let Some(operation) = by_route.get(&key) else {
            missing.push(format!("{} {}", key.0, key.1));
            continue;
        };
        let target = RequestTarget::with_id("https://api.example".parse().expect("a host"), "the-id");
        match (operation.request)(&target) {
            Ok(request) => problems.extend(
                request_problems(one, &request).iter().map(|what| format!("{}: {what}", operation.name)),
            ),
            Err(error) => problems.push(format!("{}: {error}", operation.name)),
        }
        for response in one["responses"].as_array().into_iter().flatten() {
            let status = response["status"].as_u64().unwrap_or(0);
            if !(200..300).contains(&status) || response["example"].is_null() {
                continue;
            }
            let body = Bytes::from(response["example"].to_string());
            let http = http::Response::builder().status(status as u16).body(body).expect("a response");
            match (operation.round_trip)(&http) {
                Ok(written) => {
                    let mut found = Vec::new();
                    lost(&response["example"], &written, "", &mut found);
                    problems.extend(found.into_iter().map(|what| format!("{}: {what}", operation.name)));
                }
                Err(error) => problems.push(format!("{}: {error}", operation.name)),
            }
        }
    }
    let known =
        |problem: &String| WRONG_EXAMPLES.iter().chain(QUERY_IN_BODY).any(|known| problem.starts_with(known));
    problems.retain(|problem| !known(problem));
    assert_eq!(missing, SENT_BY_THE_CLIENT, "the operations without a type");
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}
