//! Responses within Lambda's limit of 6 MB.

use lambda_support::InvocationError;
use serde::Serialize;
use serde_json::{Map, Value};
use sophos_export::{ExportReport, StreamOutcome};

/// The maximum length of a response in bytes of JSON: Lambda's limit minus a margin.
const MAX_RESPONSE_LEN: usize = 6_000_000;
/// The maximum length of a text in a truncated response, in characters.
const MAX_TEXT_LEN: usize = 500;

/// The member with the number of omitted entries of each list.
const OMITTED: &str = "omitted_entries";

/// Converts a report to a response. Truncates the longest lists of a large one;
/// `omitted_entries` counts their missing entries. Logs and metrics are complete.
///
/// # Errors
/// When serialization fails.
pub(crate) fn to_response(report: &impl Serialize) -> Result<Value, InvocationError> {
    let value =
        serde_json::to_value(report).map_err(|error| InvocationError::new("SerializationFailed", error))?;
    Ok(truncate_to_fit(value, MAX_RESPONSE_LEN))
}

/// Converts the report of a run, with failed streams first and unchanged ones last.
///
/// # Errors
/// When serialization fails.
pub(crate) fn run_response(mut report: ExportReport) -> Result<Value, InvocationError> {
    report.streams.sort_by_key(|stream| match stream.outcome {
        StreamOutcome::Failed => 0,
        StreamOutcome::UpToDate => 2,
        _ => 1,
    });
    to_response(&report)
}

fn truncate_to_fit(mut response: Value, max: usize) -> Value {
    if json_len(&response) <= max {
        return response;
    }
    truncate_strings(&mut response);
    let mut omitted_entries = Map::new();
    while json_len(&response) > max {
        let Some((name, list)) = longest_list(&mut response, "") else { break };
        let kept = list.len() / 2;
        let count = omitted_entries.get(&name).and_then(Value::as_u64).unwrap_or_default();
        omitted_entries.insert(name, (count + (list.len() - kept) as u64).into());
        list.truncate(kept);
        if let Some(response) = response.as_object_mut() {
            response.insert(OMITTED.to_owned(), omitted_entries.clone().into());
        }
    }
    response
}

fn json_len(response: &Value) -> usize {
    response.to_string().len()
}

fn truncate_strings(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(MAX_TEXT_LEN) {
                text.truncate(end);
                text.push('…');
            }
        }
        Value::Array(values) => values.iter_mut().for_each(truncate_strings),
        Value::Object(members) => members.values_mut().for_each(truncate_strings),
        _ => {}
    }
}

/// The list with the most entries, at any depth, and the name of its member.
fn longest_list<'v>(value: &'v mut Value, name: &str) -> Option<(String, &'v mut Vec<Value>)> {
    match value {
        Value::Array(values) => {
            let longest_inner = values.iter().map(max_list_len).max().unwrap_or_default();
            if longest_inner <= values.len() {
                return (!values.is_empty()).then(|| (name.to_owned(), values));
            }
            let list = values.iter_mut().max_by_key(|value| max_list_len(value))?;
            longest_list(list, name)
        }
        Value::Object(members) => {
            let (name, member) = members.iter_mut().max_by_key(|(_, value)| max_list_len(value))?;
            longest_list(member, name)
        }
        _ => None,
    }
}

/// The number of entries of the longest list in a value.
fn max_list_len(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.iter().map(max_list_len).max().unwrap_or_default().max(values.len()),
        Value::Object(members) => members.values().map(max_list_len).max().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sophos_export::{Dataset, StreamReport};

    use super::*;

    #[test]
    fn response_is_truncated_and_counts_omitted_entries() {
        let reason = "x".repeat(2_000);
        let streams: Vec<_> =
            (0..5_000).map(|number| json!({ "tenant": number, "error": reason, "gaps": [1, 2] })).collect();
        let credentials = json!([{ "name": "a", "added": vec!["an-id"; 300_000] }]);
        let whole = json!({ "failed": 7, "streams": streams, "credentials": credentials });
        for max in [6_000_000, 100_000, 1_000] {
            let response = truncate_to_fit(whole.clone(), max);
            assert!(json_len(&response) <= max, "{max}: {}", json_len(&response));
            assert_eq!(response["failed"], 7);
            let kept = response["streams"].as_array().expect("streams").len() as u64;
            let omitted_entries = response[OMITTED]["streams"].as_u64().unwrap_or_default();
            assert_eq!(kept + omitted_entries, 5_000, "{max}");
        }
        let small = json!({ "streams": [{ "error": reason }] });
        assert_eq!(truncate_to_fit(small.clone(), 6_000_000), small);
    }

    #[test]
    fn run_response_lists_failed_streams_first() {
        let mut report = ExportReport::default();
        for outcome in [StreamOutcome::UpToDate, StreamOutcome::Committed, StreamOutcome::Failed] {
            report.streams.push(StreamReport::new("ab", Dataset::Events, outcome));
        }
        let response = run_response(report).expect("JSON");
        let outcomes: Vec<_> = response["streams"]
            .as_array()
            .expect("streams")
            .iter()
            .map(|stream| stream["outcome"].clone())
            .collect();
        assert_eq!(outcomes, [json!("failed"), json!("committed"), json!("up_to_date")]);
    }
}
