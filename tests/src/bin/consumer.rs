//! The function of the queue tests, which follows the instructions in the messages.

use std::process;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let event = event.payload;
    println!("{event}");
    let mut failures = Vec::new();
    for record in event["Records"].as_array().into_iter().flatten() {
        let first = record["attributes"]["ApproximateReceiveCount"] == "1";
        match record["body"].as_str().unwrap_or_default() {
            "fail" => failures.push(json!({ "itemIdentifier": record["messageId"] })),
            "fail once" if first => failures.push(json!({ "itemIdentifier": record["messageId"] })),
            "error once" if first => return Err("not this time".into()),
            "exit once" if first => process::exit(3),
            "hang" => std::future::pending().await,
            body => {
                if let Some(response) = body.strip_prefix("answer ") {
                    return Ok(serde_json::from_str(response)?);
                }
            }
        }
    }
    Ok(json!({ "batchItemFailures": failures }))
}
