//! The service's side of the AWS JSON 1.0 protocol.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderName},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::{
    NAME, Shared, arn,
    state::{Receipt, Received, md5_of_attributes, md5_of_body},
};

/// The most that a message, and all of a batch, may hold.
const SIZE_LIMIT: usize = 1 << 20;

/// A refusal: the name of the error and what it says.
#[derive(Debug)]
struct Refusal(StatusCode, &'static str, String);

fn refuse<T>(kind: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(StatusCode::BAD_REQUEST, kind, message.into()))
}

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // Each answer is one write; waiting for more would only cost time.
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answer(&shared, request).await) }
        });
        // A client that goes away is no matter of the queue.
        tokio::spawn(async move {
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await)
        });
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let action = target.and_then(|target| target.strip_prefix("AmazonSQS.")).unwrap_or_default();
    let outcome = match body.collect().await {
        Ok(body) => act(shared, action, &body.to_bytes()).await,
        Err(_) => refuse("SerializationException", "the body was cut short"),
    };
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0".to_owned())];
    let (status, body, headers) = match outcome {
        Ok(body) => (StatusCode::OK, body, Vec::from(kind)),
        Err(Refusal(status, name, message)) => {
            let body = json!({ "__type": format!("com.amazonaws.sqs#{name}"), "message": message });
            let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
            // The client goes by this header.
            let old =
                (HeaderName::from_static("x-amzn-query-error"), format!("{};{fault}", query_name(name)));
            (status, body, kind.into_iter().chain([old]).collect())
        }
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = value.try_into() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The name that an error had in the protocol before this one.
fn query_name(name: &str) -> String {
    const SPACE: &str = "AWS.SimpleQueueService";
    match name {
        "QueueDoesNotExist" => format!("{SPACE}.NonExistentQueue"),
        "BatchEntryIdsNotDistinct"
        | "BatchRequestTooLong"
        | "EmptyBatchRequest"
        | "MessageNotInflight"
        | "TooManyEntriesInBatchRequest"
        | "UnsupportedOperation" => format!("{SPACE}.{name}"),
        _ => name.trim_end_matches("Exception").to_owned(),
    }
}

async fn act(shared: &Shared, action: &str, body: &[u8]) -> Result<Value, Refusal> {
    let Ok(input) = serde_json::from_slice::<Value>(body) else {
        return refuse("SerializationException", "the body is not JSON");
    };
    if action == "GetQueueUrl" {
        return match input["QueueName"].as_str() {
            Some(NAME) => Ok(json!({ "QueueUrl": shared.url() })),
            _ => refuse("QueueDoesNotExist", "The specified queue does not exist."),
        };
    }
    if input["QueueUrl"] != shared.url() {
        return refuse("QueueDoesNotExist", "The specified queue does not exist.");
    }
    match action {
        "SendMessage" => send(shared, &input),
        "SendMessageBatch" => send_batch(shared, &input),
        "ReceiveMessage" => receive(shared, &input).await,
        "DeleteMessage" => delete(shared, &input),
        "DeleteMessageBatch" => delete_batch(shared, &input),
        "ChangeMessageVisibility" => change_visibility(shared, &input),
        "GetQueueAttributes" => Ok(attributes(shared, &input)),
        _ => refuse("UnsupportedOperation", format!("{action} is not supported here")),
    }
}

fn send(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
    arrive(shared)?;
    size_within(entry_size(input))?;
    put(shared, input)
}

fn send_batch(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
    arrive(shared)?;
    let entries = entries(input)?;
    if entries.iter().map(entry_size).sum::<usize>() > SIZE_LIMIT {
        return refuse("BatchRequestTooLong", format!("a batch holds at most {SIZE_LIMIT} bytes"));
    }
    Ok(each(entries, |entry| put(shared, entry)))
}

/// Counts a request to send, and fails it if it is to fail.
fn arrive(shared: &Shared) -> Result<(), Refusal> {
    let mut state = shared.state();
    state.send_requests += 1;
    if state.failing > 0 {
        state.failing -= 1;
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
    let attributes = entry["MessageAttributes"].as_object().cloned().unwrap_or_default();
    if attributes.len() > 10 {
        return refuse("InvalidParameterValueException", "a message has at most 10 attributes");
    }
    let mut answer = json!({ "MD5OfMessageBody": md5_of_body(body) });
    if let Some(md5) = md5_of_attributes(&attributes) {
        answer["MD5OfMessageAttributes"] = md5.into();
    }
    answer["MessageId"] = shared.state().send(body.to_owned(), attributes, delay).into();
    shared.changed.notify_waiters();
    Ok(answer)
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

async fn receive(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
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
        let received = {
            let mut state = shared.state();
            let hidden = hidden.unwrap_or(state.visibility_timeout);
            state.receive(most, hidden)
        };
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

fn delete(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
    match shared.state().delete(input["ReceiptHandle"].as_str().unwrap_or_default()) {
        Receipt::Invalid => refuse("ReceiptHandleIsInvalid", "The input receipt handle is invalid."),
        // One that is not the last is accepted, and nothing is deleted.
        Receipt::Last | Receipt::Stale => Ok(json!({})),
    }
}

fn delete_batch(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
    Ok(each(entries(input)?, |entry| delete(shared, entry)))
}

fn change_visibility(shared: &Shared, input: &Value) -> Result<Value, Refusal> {
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
        Receipt::Stale => refuse("MessageNotInflight", "The message is not in flight."),
        Receipt::Invalid => refuse("ReceiptHandleIsInvalid", "The input receipt handle is invalid."),
    }
}

fn attributes(shared: &Shared, input: &Value) -> Value {
    let mut state = shared.state();
    let (waiting, in_flight, delayed) = (state.waiting(), state.in_flight().len(), state.delayed());
    let mut all = Map::from_iter(
        [
            ("ApproximateNumberOfMessages", waiting.to_string()),
            ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
            ("MaximumMessageSize", SIZE_LIMIT.to_string()),
            ("QueueArn", arn()),
            ("VisibilityTimeout", state.visibility_timeout.as_secs().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), Value::from(value))),
    );
    let wanted = names(&input["AttributeNames"]);
    all.retain(|name, _| wanted.iter().any(|wanted| *wanted == "All" || wanted == name));
    json!({ "Attributes": all })
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A number of seconds up to `most`, if there is one.
fn seconds(input: &Value, name: &'static str, most: u64) -> Result<Option<Duration>, Refusal> {
    match &input[name] {
        Value::Null => Ok(None),
        value => match value.as_u64().filter(|seconds| *seconds <= most) {
            Some(seconds) => Ok(Some(Duration::from_secs(seconds))),
            None => refuse("InvalidParameterValueException", format!("{name} is between 0 and {most}")),
        },
    }
}

/// The entries of a batch, with the faults that reject it as a whole.
fn entries(input: &Value) -> Result<&[Value], Refusal> {
    let entries = input["Entries"].as_array().map_or(&[][..], Vec::as_slice);
    let ids: HashSet<_> = entries.iter().filter_map(|entry| entry["Id"].as_str()).collect();
    match entries.len() {
        0 => refuse("EmptyBatchRequest", "There should be at least one entry in the request."),
        11.. => refuse("TooManyEntriesInBatchRequest", "A batch holds at most 10 entries."),
        number if ids.len() < number => refuse("BatchEntryIdsNotDistinct", "Two entries have the same id."),
        _ => Ok(entries),
    }
}

/// Does each entry for itself, and tells which were done.
fn each(entries: &[Value], mut act: impl FnMut(&Value) -> Result<Value, Refusal>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = &entry["Id"];
        match act(entry) {
            Ok(mut answer) => {
                answer["Id"] = id.clone();
                successful.push(answer);
            }
            Err(Refusal(_, code, message)) => {
                failed.push(json!({ "Id": id, "SenderFault": true, "Code": code, "Message": message }));
            }
        }
    }
    json!({ "Successful": successful, "Failed": failed })
}
