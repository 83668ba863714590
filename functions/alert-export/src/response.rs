//! Answers that Lambda takes, which refuses those of over 6 MB.

use lambda_support::InvocationError;
use serde::Serialize;
use serde_json::{Map, Value};
use sophos_export::{ExportReport, StreamOutcome};

/// Largest answer, in bytes of JSON: Lambda's limit less what it adds.
const MAX_RESPONSE_LEN: usize = 6_000_000;
/// Longest text in an answer that is too large, in characters.
const MAX_TEXT_LEN: usize = 500;

/// The member that says how many entries of each list were left out.
const OMITTED: &str = "omitted_entries";

/// A report as the answer. Of one that is too large the longest lists are cut, and
/// `omitted_entries` counts what is missing; logs and metrics have all of it.
///
/// # Errors
/// When it is no JSON.
pub(crate) fn to_response(report: &impl Serialize) -> Result<Value, InvocationError> {
    let value =
        serde_json::to_value(report).map_err(|error| InvocationError::new("SerializationFailed", error))?;
    Ok(truncate_to_fit(value, MAX_RESPONSE_LEN))
}

/// The report of a run, with the streams first that have most to tell.
///
/// # Errors
/// When it is no JSON.
pub(crate) fn run_response(mut report: ExportReport) -> Result<Value, InvocationError> {
    report.streams.sort_by_key(|stream| match stream.outcome {
        StreamOutcome::Failed => 0,
        StreamOutcome::UpToDate => 2,
        _ => 1,
    });
    to_response(&report)
}

fn truncate_to_fit(mut answer: Value, max: usize) -> Value {
    if json_len(&answer) <= max {
        return answer;
    }
    truncate_strings(&mut answer);
    let mut omitted_entries = Map::new();
    while json_len(&answer) > max {
        let Some((name, list)) = longest_list(&mut answer, "") else { break };
        let kept = list.len() / 2;
        let count = omitted_entries.get(&name).and_then(Value::as_u64).unwrap_or_default();
        omitted_entries.insert(name, (count + (list.len() - kept) as u64).into());
        list.truncate(kept);
        if let Some(answer) = answer.as_object_mut() {
            answer.insert(OMITTED.to_owned(), omitted_entries.clone().into());
        }
    }
    answer
}

fn json_len(answer: &Value) -> usize {
    answer.to_string().len()
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

/// The list with the most entries, of any depth, and the name of the member that it is.
fn longest_list<'v>(value: &'v mut Value, name: &str) -> Option<(String, &'v mut Vec<Value>)> {
    match value {
        Value::Array(values) => {
            let inside = values.iter().map(max_list_len).max().unwrap_or_default();
            if inside <= values.len() {
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
            let answer = truncate_to_fit(whole.clone(), max);
            assert!(json_len(&answer) <= max, "{max}: {}", json_len(&answer));
            assert_eq!(answer["failed"], 7);
            let kept = answer["streams"].as_array().expect("streams").len() as u64;
            let omitted_entries = answer[OMITTED]["streams"].as_u64().unwrap_or_default();
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
        let answer = run_response(report).expect("JSON");
        let outcomes: Vec<_> =
            answer["streams"].as_array().expect("streams").iter().map(|one| one["outcome"].clone()).collect();
        assert_eq!(outcomes, [json!("failed"), json!("committed"), json!("up_to_date")]);
    }
}
