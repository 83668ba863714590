//! The operations that send messages.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    checksum::{md5_of_attributes, md5_of_body},
    protocol::{MAX_MESSAGE_LEN, ServiceError, batch_entries, for_each_entry, parse_seconds, service_error},
    shared::SharedQueue,
    state::NewMessage,
};

pub(super) fn send(shared: &SharedQueue, input: &Value) -> Result<Value, ServiceError> {
    count_request(shared)?;
    check_size(entry_size(input))?;
    enqueue(shared, input)
}

pub(super) fn send_batch(shared: &SharedQueue, input: &Value) -> Result<Value, ServiceError> {
    count_request(shared)?;
    let entries = batch_entries(input)?;
    if entries.iter().map(entry_size).sum::<usize>() > MAX_MESSAGE_LEN {
        return service_error(
            "BatchRequestTooLong",
            format!("a batch holds at most {MAX_MESSAGE_LEN} bytes"),
        );
    }
    for_each_entry(entries, |entry| enqueue(shared, entry))
}

/// Counts a request to send, and fails it if a test requires that.
fn count_request(shared: &SharedQueue) -> Result<(), ServiceError> {
    let mut state = shared.state();
    state.send_requests += 1;
    let past_the_last = state.last_successful_send.is_some_and(|last| state.send_requests > last);
    if state.failing_sends > 0 || past_the_last {
        state.failing_sends = state.failing_sends.saturating_sub(1);
        let message = "planned by the test".to_owned();
        return Err(ServiceError(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message));
    }
    Ok(())
}

fn enqueue(shared: &SharedQueue, entry: &Value) -> Result<Value, ServiceError> {
    let body = entry["MessageBody"].as_str().unwrap_or_default();
    if body.is_empty() {
        return service_error("MissingRequiredParameterException", "The request must contain MessageBody.");
    }
    let odd = |sign: char| {
        let allowed = matches!(sign, '\t' | '\n' | '\r' | ' '..);
        !allowed || matches!(sign, '\u{fffe}' | '\u{ffff}')
    };
    if let Some(sign) = body.chars().find(|sign| odd(*sign)) {
        return service_error("InvalidMessageContents", format!("U+{:04X} is not allowed", u32::from(sign)));
    }
    let delay = parse_seconds(entry, "DelaySeconds", 900)?.unwrap_or_default();
    let (group, deduplication_id) = group_and_deduplication_id(shared, entry, delay)?;
    let attributes = entry["MessageAttributes"].as_object().cloned().unwrap_or_default();
    if attributes.len() > 10 {
        return service_error("InvalidParameterValueException", "a message has at most 10 attributes");
    }
    let mut response = json!({ "MD5OfMessageBody": md5_of_body(body) });
    if let Some(md5) = md5_of_attributes(&attributes) {
        response["MD5OfMessageAttributes"] = md5.into();
    }
    let body = body.to_owned();
    let sent = shared.state().send(NewMessage { body, attributes, delay, group, deduplication_id });
    response["MessageId"] = sent.id.into();
    if let Some(sequence_number) = sent.sequence_number {
        response["SequenceNumber"] = sequence_number.into();
    }
    shared.changed.notify_waiters();
    Ok(response)
}

/// The group and the deduplication id, if the queue is FIFO.
fn group_and_deduplication_id(
    shared: &SharedQueue,
    entry: &Value,
    delay: Duration,
) -> Result<(Option<String>, Option<String>), ServiceError> {
    let group = parse_name(entry, "MessageGroupId")?;
    let deduplication_id = parse_name(entry, "MessageDeduplicationId")?;
    let misplaced = |parameter| {
        let why = "the request includes a parameter that is not valid for this queue type";
        service_error("InvalidParameterValueException", format!("{parameter}: {why}"))
    };
    match (shared.is_fifo(), &group, &deduplication_id) {
        (false, _, Some(_)) => misplaced("MessageDeduplicationId"),
        (true, None, _) => {
            service_error("MissingRequiredParameterException", "The request must contain MessageGroupId.")
        }
        (true, _, None) => service_error(
            "InvalidParameterValueException",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
             provided explicitly",
        ),
        (true, ..) if !delay.is_zero() => misplaced("DelaySeconds"),
        _ => Ok((group, deduplication_id)),
    }
}

/// A name of 1 to 128 ASCII letters, digits and punctuation, if the parameter is present.
fn parse_name(entry: &Value, parameter: &str) -> Result<Option<String>, ServiceError> {
    let Some(name) = entry[parameter].as_str() else { return Ok(None) };
    if !(1..=128).contains(&name.len()) || !name.bytes().all(|sign| sign.is_ascii_graphic()) {
        let allowed = "1 to 128 letters, digits and punctuation of ASCII";
        return service_error("InvalidParameterValueException", format!("{parameter} is {allowed}"));
    }
    Ok(Some(name.to_owned()))
}

fn check_size(size: usize) -> Result<(), ServiceError> {
    if size > MAX_MESSAGE_LEN {
        return service_error(
            "InvalidParameterValueException",
            format!("a message holds at most {MAX_MESSAGE_LEN} bytes"),
        );
    }
    Ok(())
}

/// The size of the body and all attributes, in bytes.
fn entry_size(entry: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, str::len);
    let attributes = entry["MessageAttributes"].as_object().into_iter().flatten();
    let parts = ["DataType", "StringValue", "BinaryValue"];
    let sizes = attributes
        .map(|(name, value)| name.len() + parts.map(|part| text(&value[part])).iter().sum::<usize>());
    text(&entry["MessageBody"]) + sizes.sum::<usize>()
}
