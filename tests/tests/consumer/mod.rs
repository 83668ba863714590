//! The function that prints what it is given.

use end_to_end::queue::{EventSource, Queue};
use local_lambda::Function;
use serde_json::Value;

pub(crate) async fn source(queue: &Queue, sandboxes: usize, batch_size: usize) -> EventSource {
    let function = queue.admit(Function::new(env!("CARGO_BIN_EXE_consumer")));
    EventSource::new(queue, function, sandboxes, batch_size).await.expect("the function starts")
}

/// The bodies that the function saw, event by event.
pub(crate) fn seen(source: &EventSource) -> Vec<Vec<String>> {
    let body = |record: &Value| record["body"].as_str().unwrap_or_default().to_owned();
    let events =
        source.pool().logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    events.map(|event| event["Records"].as_array().into_iter().flatten().map(body).collect()).collect()
}
