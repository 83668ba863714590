//! Tests of the emulator's behaviour on which other tests rely.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use end_to_end::moto::Moto;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn event_on_a_bus_reaches_the_rule_target_queue() {
    let Some(moto) = Moto::start().await.expect("the emulator serves") else {
        panic!("missing EMULATOR_PYTHON")
    };
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
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn servers_are_independent() {
    let Some(one) = Moto::start().await.expect("the emulator serves") else {
        panic!("missing EMULATOR_PYTHON")
    };
    let other = Moto::start().await.expect("the emulator serves").expect("it did before");
    assert_ne!(one.endpoint(), other.endpoint());
    one.create_queue("here").await.unwrap();
    let queues = async |moto: &Moto| {
        moto.sqs().list_queues().send().await.unwrap().queue_urls.unwrap_or_default().len()
    };
    assert_eq!((queues(&one).await, queues(&other).await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn emulator_counts_requests() {
    let Some(moto) = Moto::start().await.expect("the emulator serves") else {
        panic!("missing EMULATOR_PYTHON")
    };
    assert!(moto.calls().await.unwrap().is_empty());
    let queue = moto.create_queue("signals").await.unwrap();
    for _ in 0..3 {
        moto.sqs().send_message().queue_url(&queue).message_body("x").send().await.unwrap();
    }
    let get = moto.secrets().get_secret_value().secret_id("none").send().await;
    assert!(get.unwrap_err().into_service_error().is_resource_not_found_exception());
    moto.eventbridge().list_rules().send().await.unwrap();
    let calls = moto.calls().await.unwrap();
    let counted: Vec<_> = calls.iter().map(|(name, number)| (name.as_str(), *number)).collect();
    let expected = [
        ("events.ListRules", 1),
        ("secretsmanager.GetSecretValue", 1),
        ("sqs.CreateQueue", 1),
        ("sqs.SendMessage", 3),
    ];
    assert_eq!(counted, expected);
    moto.reset_calls().await.unwrap();
    assert!(moto.calls().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn fifo_queue_keeps_message_order() {
    let Some(moto) = Moto::start().await.expect("the emulator serves") else {
        panic!("missing EMULATOR_PYTHON")
    };
    let queue = moto.create_fifo_queue("signals.fifo").await.unwrap();
    for body in ["one", "two", "two"] {
        let send = moto.sqs().send_message().queue_url(&queue).message_body(body).message_group_id("a");
        send.message_deduplication_id(body).send().await.unwrap();
    }
    let received = moto.receive(&queue).await.unwrap();
    let bodies: Vec<_> = received.iter().filter_map(|message| message.body()).collect();
    assert_eq!(bodies, ["one", "two"]);
}
