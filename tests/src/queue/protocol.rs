//! The server side of the AWS JSON 1.0 protocol.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
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
    receive, send,
    shared::{QueueServer, SharedQueue},
};

/// The maximum size of a message and of a batch, in bytes.
pub(super) const MAX_MESSAGE_LEN: usize = 1 << 20;

/// An error response: the name of the error and its message.
#[derive(Debug)]
pub(super) struct ServiceError(pub(super) StatusCode, pub(super) &'static str, pub(super) String);

pub(super) fn service_error<T>(kind: &'static str, message: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError(StatusCode::BAD_REQUEST, kind, message.into()))
}

pub(super) async fn serve(listener: TcpListener, server: Arc<QueueServer>) {
    while let Ok((stream, _)) = listener.accept().await {
        let server = Arc::clone(&server);
        // Each response is one write, so delaying it has no use.
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { Ok::<_, Infallible>(handle(&server, request).await) }
        });
        // Connection errors concern the client only.
        tokio::spawn(async move {
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await)
        });
    }
}

async fn handle(server: &QueueServer, request: Request<Incoming>) -> Response<Full<Bytes>> {
    server.requests.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let action = target.and_then(|target| target.strip_prefix("AmazonSQS.")).unwrap_or_default();
    let outcome = match body.collect().await {
        Ok(body) => dispatch(server, action, &body.to_bytes()).await,
        Err(_) => service_error("SerializationException", "incomplete body"),
    };
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0".to_owned())];
    let (status, body, headers) = match outcome {
        Ok(body) => (StatusCode::OK, body, Vec::from(kind)),
        Err(ServiceError(status, name, message)) => {
            let body = json!({ "__type": format!("com.amazonaws.sqs#{name}"), "message": message });
            let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
            // The client evaluates this header.
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

/// The name of an error in the query protocol.
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

async fn dispatch(server: &QueueServer, action: &str, body: &[u8]) -> Result<Value, ServiceError> {
    let Ok(input) = serde_json::from_slice::<Value>(body) else {
        return service_error("SerializationException", "the body is not JSON");
    };
    let queue = match action {
        "GetQueueUrl" => server.find(input["QueueName"].as_str().unwrap_or_default()),
        _ => server.find_by_url(input["QueueUrl"].as_str().unwrap_or_default()),
    };
    let Some(shared) = queue else {
        return service_error("QueueDoesNotExist", "The specified queue does not exist.");
    };
    let shared = &*shared;
    match action {
        "GetQueueUrl" => Ok(json!({ "QueueUrl": shared.url() })),
        "SendMessage" => send::send(shared, &input),
        "SendMessageBatch" => send::send_batch(shared, &input),
        "ReceiveMessage" => receive::receive(shared, &input).await,
        "DeleteMessage" => receive::delete(shared, &input),
        "DeleteMessageBatch" => {
            for_each_entry(batch_entries(&input)?, |entry| receive::delete(shared, entry))
        }
        "ChangeMessageVisibility" => receive::change_visibility(shared, &input),
        "ChangeMessageVisibilityBatch" => {
            for_each_entry(batch_entries(&input)?, |entry| receive::change_visibility(shared, entry))
        }
        "GetQueueAttributes" => Ok(queue_attributes(shared, &input)),
        _ => service_error("UnsupportedOperation", format!("{action} is not supported here")),
    }
}

fn queue_attributes(shared: &SharedQueue, input: &Value) -> Value {
    let mut all = Map::new();
    let mut put = |name: &str, value: String| all.insert(name.to_owned(), value.into());
    {
        let mut state = shared.state();
        let counts = state.counts();
        put("ApproximateNumberOfMessages", counts.visible.to_string());
        put("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string());
        put("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string());
        put("VisibilityTimeout", state.visibility_timeout.as_secs().to_string());
        if let (Some(most), Some(dead)) = (state.max_receive_count, &shared.dead_letters) {
            let policy = json!({ "deadLetterTargetArn": dead.arn(), "maxReceiveCount": most });
            put("RedrivePolicy", policy.to_string());
        }
    }
    put("MaximumMessageSize", MAX_MESSAGE_LEN.to_string());
    put("QueueArn", shared.arn());
    if shared.is_fifo() {
        put("FifoQueue", "true".to_owned());
        put("ContentBasedDeduplication", "false".to_owned());
    }
    let wanted = string_list(&input["AttributeNames"]);
    all.retain(|name, _| wanted.iter().any(|wanted| *wanted == "All" || wanted == name));
    json!({ "Attributes": all })
}

pub(super) fn string_list(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A number of seconds up to `most`, if the parameter is present.
pub(super) fn parse_seconds(
    input: &Value,
    name: &'static str,
    most: u64,
) -> Result<Option<Duration>, ServiceError> {
    match &input[name] {
        Value::Null => Ok(None),
        value => match value.as_u64().filter(|seconds| *seconds <= most) {
            Some(seconds) => Ok(Some(Duration::from_secs(seconds))),
            None => {
                service_error("InvalidParameterValueException", format!("{name} is between 0 and {most}"))
            }
        },
    }
}

/// The entries of a batch, or the error that rejects the whole batch.
pub(super) fn batch_entries(input: &Value) -> Result<&[Value], ServiceError> {
    let entries = input["Entries"].as_array().map_or(&[][..], Vec::as_slice);
    let ids: HashSet<_> = entries.iter().filter_map(|entry| entry["Id"].as_str()).collect();
    match entries.len() {
        0 => service_error("EmptyBatchRequest", "There should be at least one entry in the request."),
        11.. => service_error("TooManyEntriesInBatchRequest", "A batch holds at most 10 entries."),
        number if ids.len() < number => {
            service_error("BatchEntryIdsNotDistinct", "Two entries have the same id.")
        }
        _ => Ok(entries),
    }
}

/// Processes each entry by itself, and lists the successful and the failed ones.
pub(super) fn for_each_entry(
    entries: &[Value],
    mut act: impl FnMut(&Value) -> Result<Value, ServiceError>,
) -> Result<Value, ServiceError> {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = &entry["Id"];
        match act(entry) {
            Ok(mut answer) => {
                answer["Id"] = id.clone();
                successful.push(answer);
            }
            Err(ServiceError(_, code, message)) => {
                failed.push(json!({ "Id": id, "SenderFault": true, "Code": code, "Message": message }));
            }
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}
