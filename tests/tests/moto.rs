//! The emulator of AWS does what the tests of the functions rely on.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use end_to_end::moto::Moto;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_on_a_bus_arrives_in_the_queue_of_its_rule() {
    let Some(moto) = Moto::start().await.expect("the emulator serves") else { return };
    let queue = moto.create_queue("signals").await.unwrap();
    let pattern = json!({"source": ["probe"], "detail": {"severity": ["high"]}}).to_string();
    let bus = moto.create_bus("security", &pattern, &queue).await.unwrap();
    assert!(bus.starts_with("arn:aws:events:eu-west-1:"), "{bus}");

    let event = |source: &str, severity: &str| {
        PutEventsRequestEntry::builder()
            .event_bus_name("security")
            .source(source)
            .detail_type("Finding")
            .detail(json!({"severity": severity}).to_string())
            .build()
    };
    let put = moto
        .eventbridge()
        .put_events()
        .entries(event("probe", "low"))
        .entries(event("probe", "high"))
        .entries(event("other", "high"))
        .send()
        .await
        .unwrap();
    assert_eq!(put.failed_entry_count, 0);

    let received = moto.receive(&queue).await.unwrap();
    assert_eq!(received.len(), 1, "{received:?}");
    let body: Value = serde_json::from_str(received[0].body().unwrap()).unwrap();
    assert_eq!(body["source"], "probe");
    assert_eq!(body["detail-type"], "Finding");
    assert_eq!(body["detail"]["severity"], "high");
    assert!(moto.receive(&queue).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_server_is_its_own() {
    let Some(one) = Moto::start().await.expect("the emulator serves") else { return };
    let other = Moto::start().await.expect("the emulator serves").expect("it did before");
    assert_ne!(one.endpoint(), other.endpoint());
    one.create_queue("here").await.unwrap();
    let queues = async |moto: &Moto| {
        moto.sqs().list_queues().send().await.unwrap().queue_urls.unwrap_or_default().len()
    };
    assert_eq!((queues(&one).await, queues(&other).await), (1, 0));
}
