//! Tests of the queue with the AWS client, and of a function behind it.

mod consumer;

use std::time::{Duration, Instant};

use aws_sdk_sqs::{
    Client,
    error::ProvideErrorMetadata,
    primitives::Blob,
    types::{
        DeleteMessageBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeName,
        QueueAttributeName, SendMessageBatchRequestEntry,
    },
};
use consumer::{event_source, received_bodies};
use end_to_end::{
    aws,
    queue::{Message, Queue},
};
use serde_json::{Value, json};

async fn started() -> (Queue, Client) {
    let queue = Queue::start().await.expect("a queue");
    let client = aws::sqs(&queue.endpoint());
    (queue, client)
}

fn bodies(messages: Vec<Message>) -> Vec<String> {
    messages.into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn message_is_sent_received_and_deleted() {
    let (queue, sqs) = started().await;
    let url = sqs.get_queue_url().queue_name("signals").send().await.unwrap().queue_url.unwrap();
    assert_eq!(url, queue.url());
    let sent = sqs.send_message().queue_url(&url).message_body("hello").send().await.unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!(bodies(queue.messages()), ["hello"]);

    let received = sqs
        .receive_message()
        .queue_url(&url)
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .send()
        .await
        .unwrap();
    let [message] = received.messages() else { panic!("{received:?}") };
    assert_eq!(message.message_id(), sent.message_id());
    assert_eq!(message.body(), Some("hello"));
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
    let attributes = message.attributes().unwrap();
    assert_eq!(attributes.len(), 1);
    assert_eq!(attributes[&MessageSystemAttributeName::ApproximateReceiveCount], "1");

    assert!(queue.messages().is_empty());
    assert_eq!(bodies(queue.in_flight()), ["hello"]);
    assert!(sqs.receive_message().queue_url(&url).send().await.unwrap().messages.is_none());

    let receipt = message.receipt_handle().unwrap();
    sqs.delete_message().queue_url(&url).receipt_handle(receipt).send().await.unwrap();
    assert!(queue.in_flight().is_empty());
    sqs.delete_message().queue_url(&url).receipt_handle(receipt).send().await.unwrap();
}

#[tokio::test]
async fn message_attributes_and_checksums_match_sqs() {
    let (queue, sqs) = started().await;
    let attribute = |kind: &str| MessageAttributeValue::builder().data_type(kind);
    let sent = sqs
        .send_message()
        .queue_url(queue.url())
        .message_body("x")
        .message_attributes("tenant", attribute("String").string_value("acme").build().unwrap())
        .message_attributes("blob", attribute("Binary").binary_value(Blob::new([0, 255])).build().unwrap())
        .send()
        .await
        .unwrap();
    // By hashlib, over the length-prefixed parts in the order of the names.
    assert_eq!(sent.md5_of_message_attributes(), Some("fe5664870590e1a9712fa26130911fef"));

    let received =
        sqs.receive_message().queue_url(queue.url()).message_attribute_names("All").send().await.unwrap();
    let message = &received.messages()[0];
    assert_eq!(message.md5_of_message_attributes(), sent.md5_of_message_attributes());
    let attributes = message.message_attributes().unwrap();
    assert_eq!(attributes["tenant"].string_value(), Some("acme"));
    assert_eq!(attributes["blob"].binary_value().unwrap().as_ref(), [0, 255]);
}

#[tokio::test]
async fn message_reappears_after_the_visibility_timeout() {
    let (queue, sqs) = started().await;
    queue.send("again");
    let receive = async || sqs.receive_message().queue_url(queue.url()).send().await.unwrap().messages;
    let first = receive().await.unwrap().remove(0);
    assert!(receive().await.is_none());
    queue.make_visible();
    let second = receive().await.unwrap().remove(0);
    assert_ne!(first.receipt_handle, second.receipt_handle);

    // The queue accepts the old receipt handle without effect.
    let delete = sqs.delete_message().queue_url(queue.url());
    delete.receipt_handle(first.receipt_handle.unwrap()).send().await.unwrap();
    assert_eq!(queue.in_flight().len(), 1);

    let change = sqs.change_message_visibility().queue_url(queue.url()).visibility_timeout(0);
    let change = change.receipt_handle(second.receipt_handle.unwrap());
    change.clone().send().await.unwrap();
    let error = change.send().await.unwrap_err();
    assert_eq!(error.code(), Some("AWS.SimpleQueueService.MessageNotInflight"));
    assert_eq!(queue.messages()[0].receive_count, 2);
}

#[tokio::test]
async fn long_poll_returns_when_a_message_arrives() {
    let (queue, sqs) = started().await;
    let url = queue.url();
    let begin = Instant::now();
    let waiting = tokio::spawn(async move {
        sqs.receive_message().queue_url(url).wait_time_seconds(20).send().await.unwrap().messages
    });
    while begin.elapsed() < Duration::from_millis(50) {
        tokio::task::yield_now().await;
    }
    queue.send("late");
    assert_eq!(waiting.await.unwrap().unwrap()[0].body(), Some("late"));
    assert!(begin.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn batch_entries_succeed_and_fail_individually() {
    let (queue, sqs) = started().await;
    let entry = |id: &str, body: &str| {
        SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
    };
    let send = || sqs.send_message_batch().queue_url(queue.url());
    let sent = send()
        .entries(entry("a", "one"))
        .entries(entry("b", "bad \u{1}"))
        .entries(entry("c", "two"))
        .send()
        .await
        .unwrap();
    let ids: Vec<_> = sent.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!((sent.failed()[0].id(), sent.failed()[0].code()), ("b", "InvalidMessageContents"));
    assert!(sent.failed()[0].sender_fault());

    let received =
        sqs.receive_message().queue_url(queue.url()).max_number_of_messages(10).send().await.unwrap();
    let mut delete = sqs.delete_message_batch().queue_url(queue.url());
    for (number, message) in received.messages().iter().enumerate() {
        let entry = DeleteMessageBatchRequestEntry::builder().id(number.to_string());
        delete = delete.entries(entry.receipt_handle(message.receipt_handle().unwrap()).build().unwrap());
    }
    let nonsense = DeleteMessageBatchRequestEntry::builder().id("x").receipt_handle("y").build().unwrap();
    let deleted = delete.entries(nonsense).send().await.unwrap();
    assert_eq!((deleted.successful().len(), deleted.failed().len()), (2, 1));
    assert!(queue.in_flight().is_empty());

    let eleven = (0..11).fold(send(), |send, number| send.entries(entry(&number.to_string(), "x")));
    let error = eleven.send().await.unwrap_err();
    assert_eq!(error.code(), Some("AWS.SimpleQueueService.TooManyEntriesInBatchRequest"));
    let twice = send().entries(entry("a", "x")).entries(entry("a", "x"));
    let error = twice.send().await.unwrap_err().into_service_error();
    assert!(error.is_batch_entry_ids_not_distinct(), "{error:?}");
    let large =
        send().entries(entry("a", &"x".repeat(1 << 19))).entries(entry("b", &"x".repeat((1 << 19) + 1)));
    let error = large.send().await.unwrap_err().into_service_error();
    assert!(error.is_batch_request_too_long(), "{error:?}");
    assert!(queue.messages().is_empty());
}

#[tokio::test]
async fn invalid_requests_are_rejected_like_sqs() {
    let (queue, sqs) = started().await;
    let elsewhere = format!("{}/123456789012/other", queue.endpoint());
    let error = sqs.send_message().queue_url(elsewhere).message_body("x").send().await.unwrap_err();
    assert!(error.into_service_error().is_queue_does_not_exist());
    let error = sqs.get_queue_url().queue_name("other").send().await.unwrap_err();
    assert!(error.into_service_error().is_queue_does_not_exist());
    let send = || sqs.send_message().queue_url(queue.url());
    for (body, fits) in [("", false), ("\u{0}", false), ("\u{ffff}", false), ("tab\t\r\n\u{1f600}", true)] {
        assert_eq!(send().message_body(body).send().await.is_ok(), fits, "{body:?}");
    }
    for (bytes, fits) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        assert_eq!(send().message_body("x".repeat(bytes)).send().await.is_ok(), fits, "{bytes}");
    }
    assert!(sqs.receive_message().queue_url(queue.url()).max_number_of_messages(11).send().await.is_err());
    assert!(sqs.receive_message().queue_url(queue.url()).wait_time_seconds(21).send().await.is_err());
    assert_eq!(queue.messages().len(), 2);
}

#[tokio::test]
async fn queue_attributes_count_messages() {
    let (queue, sqs) = started().await;
    queue.send("one");
    queue.send("two");
    sqs.receive_message().queue_url(queue.url()).send().await.unwrap();
    sqs.send_message().queue_url(queue.url()).message_body("later").delay_seconds(900).send().await.unwrap();
    let all = sqs.get_queue_attributes().queue_url(queue.url()).attribute_names(QueueAttributeName::All);
    let attributes = all.send().await.unwrap().attributes.unwrap();
    let number = |name: QueueAttributeName| attributes[&name].as_str();
    assert_eq!(number(QueueAttributeName::ApproximateNumberOfMessages), "1");
    assert_eq!(number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible), "1");
    assert_eq!(number(QueueAttributeName::ApproximateNumberOfMessagesDelayed), "1");
    assert_eq!(bodies(queue.messages()), ["two", "later"]);
}

#[tokio::test]
async fn client_retries_injected_failures() {
    let (queue, sqs) = started().await;
    queue.fail_next_sends(2);
    sqs.send_message().queue_url(queue.url()).message_body("third time").send().await.unwrap();
    assert_eq!(queue.send_requests(), 3);
    assert_eq!(bodies(queue.messages()), ["third time"]);
    queue.fail_next_sends(3);
    assert!(sqs.send_message().queue_url(queue.url()).message_body("never").send().await.is_err());
    assert_eq!(queue.messages().len(), 1);
}

#[tokio::test]
async fn function_receives_lambda_sqs_records() {
    let (queue, sqs) = started().await;
    let value = MessageAttributeValue::builder().data_type("String").string_value("acme").build().unwrap();
    let send = sqs.send_message().queue_url(queue.url()).message_body("hello");
    let id = send.message_attributes("tenant", value).send().await.unwrap().message_id.unwrap();
    let source = event_source(&queue, 1, 10).await;
    let drained = source.drain().await;
    assert_eq!((drained.batches, drained.handled, drained.returned), (1, 1, 0));
    assert!(queue.messages().is_empty() && queue.in_flight().is_empty());

    let mut event: Value = serde_json::from_str(&source.pool().logs()[0]).unwrap();
    let record = event["Records"][0].as_object_mut().unwrap();
    assert!(!record.remove("receiptHandle").unwrap().as_str().unwrap().is_empty());
    let attributes = record["attributes"].as_object_mut().unwrap();
    for name in ["SentTimestamp", "ApproximateFirstReceiveTimestamp"] {
        let time: i64 = attributes.remove(name).unwrap().as_str().unwrap().parse().unwrap();
        assert!((jiff::Timestamp::now().as_millisecond() - time).abs() < 60_000, "{name}");
    }
    let expected = json!({"Records": [{
        "messageId": id,
        "body": "hello",
        "attributes": { "ApproximateReceiveCount": "1", "SenderId": "AIDALOOPBACK" },
        "messageAttributes": { "tenant": {
            "stringValue": "acme", "stringListValues": [], "binaryListValues": [], "dataType": "String",
        } },
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:signals",
        "awsRegion": "eu-west-1",
    }]});
    assert_eq!(event, expected);
}

#[tokio::test]
async fn only_reported_batch_item_failures_are_returned() {
    let queue = Queue::start().await.unwrap();
    for body in ["one", "fail once", "two", "fail"] {
        queue.send(body);
    }
    let source = event_source(&queue, 1, 10).await;
    let drained = source.drain().await;
    assert_eq!((drained.handled, drained.returned), (2, 2));
    assert_eq!(bodies(queue.in_flight()), ["fail once", "fail"]);
    assert_eq!(source.drain().await.batches, 0);
    queue.make_visible();
    let drained = source.drain().await;
    assert_eq!((drained.handled, drained.returned), (1, 1));
    assert_eq!(
        received_bodies(&source),
        [vec!["one", "fail once", "two", "fail"], vec!["fail once", "fail"]]
    );
}

#[tokio::test]
async fn function_response_determines_batch_handling() {
    // Whether the batch counts as handled.
    for (response, handled) in [
        ("{}", true),
        ("null", true),
        (r#"{"batchItemFailures":[]}"#, true),
        (r#"{"batchItemFailures":null}"#, true),
        (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, false),
        (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, false),
        (r#"{"batchItemFailures":[{"item":"x"}]}"#, false),
        (r#"{"batchItemFailures":[{"itemIdentifier":"of another batch"}]}"#, false),
        (r#"{"batchItemFailures":["x"]}"#, false),
        (r#"{"batchItemFailures":"x"}"#, false),
        (r#""done""#, false),
    ] {
        let queue = Queue::start().await.unwrap();
        queue.send("plain");
        queue.send(format!("answer {response}"));
        let source = event_source(&queue, 1, 10).await;
        let drained = source.drain().await;
        assert_eq!(
            (drained.handled, drained.failures.len()),
            if handled { (2, 0) } else { (0, 1) },
            "{response}"
        );
        assert_eq!(queue.in_flight().len(), if handled { 0 } else { 2 }, "{response}");
    }
}

#[tokio::test]
async fn error_or_crash_returns_the_whole_batch() {
    for body in ["error once", "exit once"] {
        let queue = Queue::start().await.unwrap();
        queue.send("innocent");
        queue.send(body);
        let source = event_source(&queue, 1, 10).await;
        let drained = source.drain().await;
        assert_eq!((drained.returned, drained.failures.len()), (2, 1), "{body}");
        queue.make_visible();
        assert_eq!(source.drain().await.handled, 2, "{body}");
        assert!(queue.in_flight().is_empty());
    }
}

#[tokio::test]
async fn message_moves_to_the_dlq_after_max_receives() {
    let queue = Queue::start().await.unwrap();
    queue.set_max_receive_count(Some(2));
    queue.set_visibility_timeout(Duration::ZERO);
    queue.send("fail");
    queue.send("fine");
    // Without a visibility timeout, one drain handles all redeliveries.
    let drained = event_source(&queue, 1, 1).await.drain().await;
    assert_eq!((drained.batches, drained.handled), (3, 1));
    let dead = queue.dead_letters();
    assert_eq!((dead.len(), dead[0].body.as_str(), dead[0].receive_count), (1, "fail", 2));
    assert!(queue.messages().is_empty() && queue.in_flight().is_empty());
}

#[tokio::test]
async fn batch_size_and_concurrency_are_honored() {
    let queue = Queue::start().await.unwrap();
    for number in 0..25 {
        queue.send(number.to_string());
    }
    let source = event_source(&queue, 2, 10).await;
    let drained = source.drain().await;
    assert_eq!((drained.batches, drained.handled), (3, 25));
    assert_eq!(source.pool().pids().len(), 2);
    let mut sizes: Vec<_> = received_bodies(&source).iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn background_event_source_handles_new_messages() {
    let (queue, sqs) = started().await;
    let mut source = event_source(&queue, 2, 10).await;
    source.run();
    for number in 0..5 {
        sqs.send_message().queue_url(queue.url()).message_body(number.to_string()).send().await.unwrap();
        while !(queue.messages().is_empty() && queue.in_flight().is_empty()) {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(received_bodies(&source).concat().len(), 5);
    queue.send("hang");
    while received_bodies(&source).concat().len() < 6 {
        tokio::task::yield_now().await;
    }
    assert!(source.pool().kill_one().is_some());
    let signals: Vec<_> = source.stop().await.into_iter().map(|stopped| stopped.signal).collect();
    assert!(signals.contains(&Some(9)), "{signals:?}");
    assert_eq!(bodies(queue.in_flight()), ["hang"]);
}
