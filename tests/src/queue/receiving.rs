//! Messages on their way out, and what becomes of them.

use std::time::Instant;

use serde_json::{Value, json};

use super::{
    checksum::{md5_of_attributes, md5_of_body},
    protocol::{Refusal, names, refuse, seconds},
    shared::Shared,
    state::{Receipt, Received},
};

pub(super) async fn receive(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
    let most = match input["MaxNumberOfMessages"].as_u64() {
        None => 1,
        Some(most @ 1..=10) => most as usize,
        Some(_) => {
            return refuse("InvalidParameterValueException", "MaxNumberOfMessages is between 1 and 10");
        }
    };
    let hidden = seconds(input, "VisibilityTimeout", 43_200)?;
    let patience = seconds(input, "WaitTimeSeconds", 20)?.unwrap_or_default();
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
    Ok(json!({ "Messages": received.iter().map(|received| shown(received, input)).collect::<Vec<_>>() }))
}

fn shown(received: &Received, input: &Value) -> Value {
    let Received { message, receipt } = received;
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": receipt,
        "Body": message.body,
        "MD5OfBody": md5_of_body(&message.body),
    });
    let mut system = message.system_attributes();
    let wanted = [&input["AttributeNames"], &input["MessageSystemAttributeNames"]];
    let wanted: Vec<_> = wanted.into_iter().flat_map(names).collect();
    if let Some(system) = system.as_object_mut() {
        system.retain(|name, _| wanted.iter().any(|wanted| *wanted == "All" || wanted == name));
        if !system.is_empty() {
            shown["Attributes"] = Value::Object(std::mem::take(system));
        }
    }
    let wanted = names(&input["MessageAttributeNames"]);
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

pub(super) fn delete(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
    match shared.delete(input["ReceiptHandle"].as_str().unwrap_or_default()) {
        Receipt::Invalid => refuse("ReceiptHandleIsInvalid", "The input receipt handle is invalid."),
        Receipt::Stale if shared.is_fifo() => {
            refuse("InvalidParameterValueException", "The receipt handle has expired.")
        }
        // One that is not the last is accepted, and nothing is deleted.
        Receipt::Last | Receipt::Stale | Receipt::Gone => Ok(json!({})),
    }
}

pub(super) fn change_visibility(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
    let Some(hidden) = seconds(input, "VisibilityTimeout", 43_200)? else {
        return refuse("MissingRequiredParameterException", "The request must contain VisibilityTimeout.");
    };
    let receipt = input["ReceiptHandle"].as_str().unwrap_or_default();
    let kind = shared.state().change_visibility(receipt, hidden);
    match kind {
        Receipt::Last => {
            shared.changed.notify_waiters();
            Ok(json!({}))
        }
        Receipt::Stale | Receipt::Gone => refuse("MessageNotInflight", "The message is not in flight."),
        Receipt::Invalid => refuse("ReceiptHandleIsInvalid", "The input receipt handle is invalid."),
    }
}
