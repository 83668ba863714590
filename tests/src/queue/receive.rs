//! The operations that receive, delete and hide messages.

use std::time::Instant;

use serde_json::{Value, json};

use super::{
    checksum::{md5_of_attributes, md5_of_body},
    protocol::{ServiceError, parse_seconds, service_error, string_list},
    shared::SharedQueue,
    state::{ReceiptStatus, ReceivedMessage},
};

pub(super) async fn receive(shared: &SharedQueue, input: &Value) -> Result<Value, ServiceError> {
    let most = match input["MaxNumberOfMessages"].as_u64() {
        None => 1,
        Some(most @ 1..=10) => most as usize,
        Some(_) => {
            return service_error(
                "InvalidParameterValueException",
                "MaxNumberOfMessages is between 1 and 10",
            );
        }
    };
    let hidden = parse_seconds(input, "VisibilityTimeout", 43_200)?;
    let patience = parse_seconds(input, "WaitTimeSeconds", 20)?.unwrap_or_default();
    let until = Instant::now() + patience;
    let received = loop {
        let received = shared.receive(most, hidden);
        if !received.is_empty() || Instant::now() >= until {
            break received;
        }
        shared.wait(Some(until)).await;
    };
    if received.is_empty() {
        return Ok(json!({}));
    }
    Ok(
        json!({ "Messages": received.iter().map(|received| message_json(received, input)).collect::<Vec<_>>() }),
    )
}

fn message_json(received: &ReceivedMessage, input: &Value) -> Value {
    let ReceivedMessage { message, receipt_handle: receipt } = received;
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": receipt,
        "Body": message.body,
        "MD5OfBody": md5_of_body(&message.body),
    });
    let mut system = message.system_attributes();
    let wanted = [&input["AttributeNames"], &input["MessageSystemAttributeNames"]];
    let wanted: Vec<_> = wanted.into_iter().flat_map(string_list).collect();
    if let Some(system) = system.as_object_mut() {
        system.retain(|name, _| wanted.iter().any(|wanted| *wanted == "All" || wanted == name));
        if !system.is_empty() {
            shown["Attributes"] = Value::Object(std::mem::take(system));
        }
    }
    let wanted = string_list(&input["MessageAttributeNames"]);
    let matches = |name: &str| {
        wanted.iter().any(|wanted| {
            let prefix = wanted.strip_suffix(".*");
            *wanted == "All" || *wanted == name || prefix.is_some_and(|prefix| name.starts_with(prefix))
        })
    };
    let mut attributes = message.attributes.clone();
    attributes.retain(|name, _| matches(name));
    if let Some(md5) = md5_of_attributes(&attributes) {
        shown["MD5OfMessageAttributes"] = md5.into();
        shown["MessageAttributes"] = attributes.into();
    }
    shown
}

pub(super) fn delete(shared: &SharedQueue, input: &Value) -> Result<Value, ServiceError> {
    match shared.delete(input["ReceiptHandle"].as_str().unwrap_or_default()) {
        ReceiptStatus::Invalid => {
            service_error("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        }
        ReceiptStatus::Stale if shared.is_fifo() => {
            service_error("InvalidParameterValueException", "The receipt handle has expired.")
        }
        // SQS accepts an outdated receipt handle and deletes nothing.
        ReceiptStatus::Current | ReceiptStatus::Stale | ReceiptStatus::Deleted => Ok(json!({})),
    }
}

pub(super) fn change_visibility(shared: &SharedQueue, input: &Value) -> Result<Value, ServiceError> {
    let Some(hidden) = parse_seconds(input, "VisibilityTimeout", 43_200)? else {
        return service_error(
            "MissingRequiredParameterException",
            "The request must contain VisibilityTimeout.",
        );
    };
    let receipt = input["ReceiptHandle"].as_str().unwrap_or_default();
    let kind = shared.state().change_visibility(receipt, hidden);
    match kind {
        ReceiptStatus::Current => {
            shared.changed.notify_waiters();
            Ok(json!({}))
        }
        ReceiptStatus::Stale | ReceiptStatus::Deleted => {
            service_error("MessageNotInflight", "The message is not in flight.")
        }
        ReceiptStatus::Invalid => {
            service_error("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        }
    }
}
