//! Messages on their way in.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    checksum::{md5_of_attributes, md5_of_body},
    protocol::{Refusal, SIZE_LIMIT, each, entries, refuse, seconds},
    shared::Shared,
    state::Sending,
};

pub(super) fn send(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
    arrive(shared)?;
    size_within(entry_size(input))?;
    put(shared, input)
}

pub(super) fn send_batch(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
    arrive(shared)?;
    let entries = entries(input)?;
    if entries.iter().map(entry_size).sum::<usize>() > SIZE_LIMIT {
        return refuse("BatchRequestTooLong", format!("a batch holds at most {SIZE_LIMIT} bytes"));
    }
    each(entries, |entry| put(shared, entry))
}

/// Counts a request to send, and fails it if it is to fail.
fn arrive(shared: &Shared) -> Result<(), Refusal> {
    let mut state = shared.state();
    state.send_requests += 1;
    let past_the_last = state.last_send.is_some_and(|last| state.send_requests > last);
    if state.failing > 0 || past_the_last {
        state.failing = state.failing.saturating_sub(1);
        let message = "planned by the test".to_owned();
        return Err(Refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message));
    }
    Ok(())
}

fn put(shared: &Shared, entry: &Value) -> Result<Value, Refusal> {
    let body = entry["MessageBody"].as_str().unwrap_or_default();
    if body.is_empty() {
        return refuse("MissingRequiredParameterException", "The request must contain MessageBody.");
    }
    let odd = |sign: char| {
        let allowed = matches!(sign, '\t' | '\n' | '\r' | ' '..);
        !allowed || matches!(sign, '\u{fffe}' | '\u{ffff}')
    };
    if let Some(sign) = body.chars().find(|sign| odd(*sign)) {
        return refuse("InvalidMessageContents", format!("U+{:04X} is not allowed", u32::from(sign)));
    }
    let delay = seconds(entry, "DelaySeconds", 900)?.unwrap_or_default();
    let (group, deduplication_id) = places(shared, entry, delay)?;
    let attributes = entry["MessageAttributes"].as_object().cloned().unwrap_or_default();
    if attributes.len() > 10 {
        return refuse("InvalidParameterValueException", "a message has at most 10 attributes");
    }
    let mut answer = json!({ "MD5OfMessageBody": md5_of_body(body) });
    if let Some(md5) = md5_of_attributes(&attributes) {
        answer["MD5OfMessageAttributes"] = md5.into();
    }
    let body = body.to_owned();
    let sent = shared.state().send(Sending { body, attributes, delay, group, deduplication_id });
    answer["MessageId"] = sent.id.into();
    if let Some(sequence_number) = sent.sequence_number {
        answer["SequenceNumber"] = sequence_number.into();
    }
    shared.changed.notify_waiters();
    Ok(answer)
}

/// The group and the deduplication id, as far as the kind of the queue has them.
fn places(
    shared: &Shared,
    entry: &Value,
    delay: Duration,
) -> Result<(Option<String>, Option<String>), Refusal> {
    let group = name(entry, "MessageGroupId")?;
    let deduplication_id = name(entry, "MessageDeduplicationId")?;
    let misplaced = |parameter| {
        let why = "the request includes a parameter that is not valid for this queue type";
        refuse("InvalidParameterValueException", format!("{parameter}: {why}"))
    };
    match (shared.is_fifo(), &group, &deduplication_id) {
        (false, _, Some(_)) => misplaced("MessageDeduplicationId"),
        (true, None, _) => {
            refuse("MissingRequiredParameterException", "The request must contain MessageGroupId.")
        }
        (true, _, None) => refuse(
            "InvalidParameterValueException",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
             provided explicitly",
        ),
        (true, ..) if !delay.is_zero() => misplaced("DelaySeconds"),
        _ => Ok((group, deduplication_id)),
    }
}

/// A name of 1 to 128 letters, digits and punctuation of ASCII, if there is one.
fn name(entry: &Value, parameter: &str) -> Result<Option<String>, Refusal> {
    let Some(name) = entry[parameter].as_str() else { return Ok(None) };
    if !(1..=128).contains(&name.len()) || !name.bytes().all(|sign| sign.is_ascii_graphic()) {
        let allowed = "1 to 128 letters, digits and punctuation of ASCII";
        return refuse("InvalidParameterValueException", format!("{parameter} is {allowed}"));
    }
    Ok(Some(name.to_owned()))
}

fn size_within(size: usize) -> Result<(), Refusal> {
    if size > SIZE_LIMIT {
        return refuse(
            "InvalidParameterValueException",
            format!("a message holds at most {SIZE_LIMIT} bytes"),
        );
    }
    Ok(())
}

/// The body and all parts of the attributes.
fn entry_size(entry: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, str::len);
    let attributes = entry["MessageAttributes"].as_object().into_iter().flatten();
    let parts = ["DataType", "StringValue", "BinaryValue"];
    let sizes = attributes
        .map(|(name, value)| name.len() + parts.map(|part| text(&value[part])).iter().sum::<usize>());
    text(&entry["MessageBody"]) + sizes.sum::<usize>()
}
