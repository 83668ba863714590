//! The function that prints its events.

use end_to_end::queue::{EventSource, Queue};
use local_lambda::LambdaFunction;
use serde_json::Value;

pub(crate) async fn event_source(queue: &Queue, sandboxes: usize, batch_size: usize) -> EventSource {
    let function = queue.configure(LambdaFunction::new(env!("CARGO_BIN_EXE_consumer")));
    EventSource::new(queue, function, sandboxes, batch_size).await.expect("the function starts")
}

/// The bodies that the function received, event by event.
pub(crate) fn received_bodies(source: &EventSource) -> Vec<Vec<String>> {
    let body = |record: &Value| record["body"].as_str().unwrap_or_default().to_owned();
    let events =
        source.pool().logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    events.map(|event| event["Records"].as_array().into_iter().flatten().map(body).collect()).collect()
}
