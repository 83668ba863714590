//! Tests of a function behind a FIFO queue.

mod consumer;

use std::time::Duration;

use consumer::{event_source, received_bodies};
use end_to_end::{aws, queue::Queue};
use serde_json::{Value, json};

#[tokio::test]
async fn function_receives_groups_in_order() {
    let queue = Queue::start_fifo().await.unwrap();
    let sqs = aws::sqs(&queue.endpoint());
    let send = sqs.send_message().queue_url(queue.url()).message_body("x").message_group_id("a");
    let sent = send.message_deduplication_id("once").send().await.unwrap();
    let source = event_source(&queue, 1, 10).await;
    assert_eq!(source.drain().await.handled, 1);
    let event: Value = serde_json::from_str(&source.pool().logs()[0]).unwrap();
    let record = &event["Records"][0];
    assert_eq!(record["eventSourceARN"], queue.arn());
    let mut attributes = record["attributes"].as_object().unwrap().clone();
    attributes.retain(|name, _| !name.ends_with("Timestamp"));
    let expected = json!({
        "ApproximateReceiveCount": "1",
        "MessageDeduplicationId": "once",
        "MessageGroupId": "a",
        "SenderId": "AIDALOOPBACK",
        "SequenceNumber": sent.sequence_number(),
    });
    assert_eq!(Value::Object(attributes), expected);
}

#[tokio::test]
async fn fifo_batch_holds_at_most_ten_messages() {
    let queue = Queue::start_fifo().await.unwrap();
    for number in 0..25 {
        queue.send_to("a", number.to_string());
    }
    let source = event_source(&queue, 3, 100).await;
    assert_eq!(source.drain().await.handled, 25);
    let seen = received_bodies(&source);
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
    assert_eq!(seen.concat(), (0..25).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(source.pool().pids().len(), 1, "one group, one sandbox at a time");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_sandboxes_never_share_a_group() {
    let queue = Queue::start_fifo().await.unwrap();
    queue.send_to("stuck", "hang");
    for number in 0..20 {
        queue.send_to("stuck", "after it");
        queue.send_to(format!("free-{number}"), "free");
    }
    let mut source = event_source(&queue, 4, 1).await;
    source.run();
    let free = |seen: &[Vec<String>]| seen.iter().filter(|batch| batch[0] == "free").count();
    while free(&received_bodies(&source)) < 20 || queue.in_flight().len() > 1 {
        tokio::task::yield_now().await;
    }
    assert!(!received_bodies(&source).concat().contains(&"after it".to_owned()));
    assert_eq!((queue.in_flight().len(), queue.messages().len()), (1, 20));
    source.pool().kill_one();
    source.stop().await;
}

#[tokio::test]
async fn failed_message_blocks_only_its_group() {
    let queue = Queue::start_fifo().await.unwrap();
    queue.set_max_receive_count(Some(2));
    for (group, body) in [("a", "fail"), ("a", "next"), ("b", "fine")] {
        queue.send_to(group, body);
    }
    let source = event_source(&queue, 2, 1).await;
    let drained = source.drain().await;
    assert_eq!((drained.handled, drained.returned), (1, 1));
    queue.make_visible();
    assert_eq!(source.drain().await.returned, 1);
    queue.make_visible();
    let drained = source.drain().await;
    assert_eq!((drained.handled, queue.dead_letters().len()), (1, 1));
    assert!(queue.messages().is_empty() && queue.in_flight().is_empty());
}

#[tokio::test]
async fn batch_fails_when_the_visibility_timeout_expires() {
    let queue = Queue::start_fifo().await.unwrap();
    queue.set_visibility_timeout(Duration::ZERO);
    queue.set_max_receive_count(Some(2));
    queue.send_to("a", "fine");
    let drained = event_source(&queue, 1, 1).await.drain().await;
    assert_eq!((drained.handled, drained.returned, queue.dead_letters().len()), (0, 2, 1));
}
