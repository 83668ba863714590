//! Tests of Lambda's `Invoke` over HTTP.

use std::sync::Arc;

use end_to_end::LambdaService;
use local_lambda::{LambdaFunction, Pool};
use serde_json::{Value, json};

/// The status, the kind of the function's error, and the body.
async fn invoke(service: &LambdaService, function: &str, event: &str) -> (u16, Option<String>, Value) {
    let url = format!("{}/2015-03-31/functions/{function}/invocations", service.endpoint());
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let response = client.post(url).body(event.to_owned()).send().await.expect("a response");
    let failed = response.headers().get("x-amz-function-error").map(|kind| kind.to_str().expect("text"));
    let (status, failed) = (response.status().as_u16(), failed.map(str::to_owned));
    let body = response.bytes().await.expect("a body");
    (status, failed, serde_json::from_slice(&body).expect("JSON"))
}

fn record(body: &str) -> String {
    let attributes = json!({ "ApproximateReceiveCount": "1" });
    json!({ "Records": [{ "messageId": "1", "body": body, "attributes": attributes }] }).to_string()
}

#[tokio::test]
async fn invoke_returns_results_and_function_errors() {
    let service = LambdaService::start().await.unwrap();
    let function = LambdaFunction::new(env!("CARGO_BIN_EXE_consumer"));
    let pool = Arc::new(Pool::start(function, 2).await.unwrap());
    let arn = service.register("consumer", Arc::clone(&pool));
    assert_eq!(arn, "arn:aws:lambda:eu-west-1:123456789012:function:consumer");
    for name in ["consumer", &arn, &arn.replace(':', "%3A"), &format!("{arn}:live")] {
        let answer = invoke(&service, name, &record(r#"answer {"fine":true}"#)).await;
        assert_eq!(answer, (200, None, json!({ "fine": true })), "{name}");
    }
    let unhandled = Some("Unhandled".to_owned());
    let (status, failed, body) = invoke(&service, "consumer", &record("error once")).await;
    assert_eq!((status, &failed, &body["errorMessage"]), (200, &unhandled, &json!("not this time")));
    let (status, failed, body) = invoke(&service, "consumer", &record("exit once")).await;
    assert_eq!((status, &failed, &body["errorType"]), (200, &unhandled, &json!("Runtime.ExitError")));
    assert_eq!(invoke(&service, "consumer", &record("after it")).await.0, 200);
    assert_eq!(invoke(&service, "other", "{}").await.0, 404);
    assert_eq!(invoke(&service, "consumer", "no JSON").await.0, 400);
}

#[tokio::test]
async fn script_can_replace_a_function() {
    let service = LambdaService::start().await.unwrap();
    let name = "double";
    service.register_script(name, async |event: Value| {
        event.as_i64().map(|number| json!(number * 2)).ok_or_else(|| "not a number".to_owned())
    });
    assert_eq!(invoke(&service, name, "21").await, (200, None, json!(42)));
    let (status, failed, body) = invoke(&service, name, "[]").await;
    assert_eq!(
        (status, failed.as_deref(), &body["errorMessage"]),
        (200, Some("Unhandled"), &json!("not a number"))
    );
}
