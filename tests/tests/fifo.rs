//! Tests of the FIFO queue and its dead-letter queue with the AWS client.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sqs::{
    Client,
    error::ProvideErrorMetadata,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, Message, MessageAttributeValue,
        MessageSystemAttributeName as System, QueueAttributeName, SendMessageBatchRequestEntry,
    },
};
use end_to_end::{aws, queue::Queue};
use proptest::prelude::*;
use serde_json::{Value, json};

async fn started() -> (Queue, Client) {
    let queue = Queue::start_fifo().await.expect("a queue");
    let client = aws::sqs(&queue.endpoint());
    (queue, client)
}

async fn receive(sqs: &Client, queue: &Queue, most: i32) -> Vec<Message> {
    let receive = sqs.receive_message().queue_url(queue.url()).max_number_of_messages(most);
    let received = receive.message_system_attribute_names(System::All).send().await;
    received.expect("a response").messages.unwrap_or_default()
}

async fn delete(sqs: &Client, queue: &Queue, message: &Message) -> bool {
    let delete = sqs.delete_message().queue_url(queue.url());
    delete.receipt_handle(message.receipt_handle().unwrap_or_default()).send().await.is_ok()
}

async fn release(sqs: &Client, queue: &Queue, message: &Message) -> bool {
    let change = sqs.change_message_visibility().queue_url(queue.url()).visibility_timeout(0);
    change.receipt_handle(message.receipt_handle().unwrap_or_default()).send().await.is_ok()
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body().unwrap_or_default()).collect()
}

#[tokio::test]
async fn fifo_message_requires_group_and_deduplication_id() {
    let (queue, sqs) = started().await;
    assert!(queue.url().ends_with("/signals.fifo"));
    let send = || sqs.send_message().queue_url(queue.url()).message_body("x");
    let code = async |send: aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder| {
        send.send().await.unwrap_err().code().unwrap_or_default().to_owned()
    };
    assert_eq!(code(send().message_deduplication_id("1")).await, "MissingRequiredParameter");
    for refused in [
        send().message_group_id("a"),
        send().message_group_id("a").message_deduplication_id("1").delay_seconds(1),
        send().message_group_id("a b").message_deduplication_id("1"),
        send().message_group_id("").message_deduplication_id("1"),
        send().message_group_id("a").message_deduplication_id("ö"),
        send().message_group_id("a".repeat(129)).message_deduplication_id("1"),
    ] {
        assert_eq!(code(refused).await, "InvalidParameterValue");
    }
    assert!(queue.messages().is_empty());

    let whole = send().message_group_id("a".repeat(128)).message_deduplication_id("1");
    let first = whole.send().await.unwrap();
    let second = send().message_group_id("b").message_deduplication_id("2").send().await.unwrap();
    assert!(second.sequence_number().unwrap() > first.sequence_number().unwrap());
    assert_eq!(first.sequence_number().unwrap().len(), 20);
    let received = receive(&sqs, &queue, 10).await;
    let attributes = received[1].attributes().unwrap();
    assert_eq!(attributes[&System::MessageGroupId], "b");
    assert_eq!(attributes[&System::MessageDeduplicationId], "2");
    assert_eq!(Some(attributes[&System::SequenceNumber].as_str()), second.sequence_number());

    // A standard queue has groups that lock nothing, and no deduplication.
    let standard = queue.create_sibling("plain");
    let send = || sqs.send_message().queue_url(standard.url()).message_body("x");
    assert_eq!(code(send().message_deduplication_id("1")).await, "InvalidParameterValue");
    for _ in 0..2 {
        let sent = send().message_group_id("a").send().await.unwrap();
        assert_eq!(sent.sequence_number(), None);
        assert_eq!(receive(&sqs, &standard, 1).await.len(), 1);
    }
}

#[tokio::test]
async fn duplicate_message_is_accepted_but_not_delivered() {
    let (queue, sqs) = started().await;
    let send = async |id: &str, group: &str| {
        let send = sqs.send_message().queue_url(queue.url()).message_body("x");
        send.message_group_id(group).message_deduplication_id(id).send().await.unwrap()
    };
    let first = send("same", "a").await;
    let again = send("same", "b").await;
    assert_eq!(first.message_id(), again.message_id());
    assert_eq!(first.sequence_number(), again.sequence_number());
    assert_eq!(queue.messages().len(), 1);

    // Nor after the first is deleted, nor within a batch.
    let [message] = &receive(&sqs, &queue, 10).await[..] else { panic!("one message") };
    assert!(delete(&sqs, &queue, message).await);
    send("same", "a").await;
    let entry = |id: &str, repeated: &str| {
        let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(id).message_group_id("a");
        entry.message_deduplication_id(repeated).build().unwrap()
    };
    let batch = sqs.send_message_batch().queue_url(queue.url()).entries(entry("1", "same"));
    let sent = batch.entries(entry("2", "new")).entries(entry("3", "new")).send().await.unwrap();
    assert_eq!(sent.successful().len(), 3);
    assert_eq!(sent.successful()[0].message_id(), first.message_id().unwrap());
    assert_eq!(queue.messages().iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["2"]);

    queue.expire_deduplication_window();
    let later = send("same", "a").await;
    assert_ne!(later.message_id(), first.message_id());
    assert_eq!(queue.messages().len(), 2);
}

#[tokio::test]
async fn group_is_blocked_while_a_message_is_in_flight() {
    let (queue, sqs) = started().await;
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3"), ("b", "b2")] {
        queue.send_to(group, body);
    }
    let a = receive(&sqs, &queue, 2).await;
    assert_eq!(bodies(&a), ["a1", "a2"], "several of a group, in order");
    let b = receive(&sqs, &queue, 1).await;
    assert_eq!(bodies(&b), ["b1"]);
    assert!(receive(&sqs, &queue, 10).await.is_empty());
    // One of two is not enough.
    assert!(delete(&sqs, &queue, &a[0]).await);
    assert!(receive(&sqs, &queue, 10).await.is_empty());
    assert!(delete(&sqs, &queue, &a[1]).await);
    assert!(delete(&sqs, &queue, &a[1]).await, "to delete twice is no error");
    assert_eq!(bodies(&receive(&sqs, &queue, 10).await), ["a3"]);

    // A returned message comes first.
    assert!(release(&sqs, &queue, &b[0]).await);
    assert!(!release(&sqs, &queue, &b[0]).await);
    assert_eq!(bodies(&receive(&sqs, &queue, 10).await), ["b1", "b2"]);
    queue.make_visible();
    assert_eq!(bodies(&receive(&sqs, &queue, 10).await), ["b1", "b2", "a3"]);
}

#[tokio::test]
async fn long_poll_returns_when_a_group_is_released() {
    let (queue, sqs) = started().await;
    queue.send_to("a", "first");
    queue.send_to("a", "second");
    let first = receive(&sqs, &queue, 1).await.remove(0);
    let waiting = {
        let (url, sqs) = (queue.url(), sqs.clone());
        tokio::spawn(async move {
            sqs.receive_message().queue_url(url).wait_time_seconds(20).send().await.unwrap().messages
        })
    };
    tokio::task::yield_now().await;
    assert!(delete(&sqs, &queue, &first).await);
    assert_eq!(bodies(&waiting.await.unwrap().unwrap()), ["second"]);
}

#[tokio::test]
async fn receipt_handle_expires_with_the_visibility_timeout() {
    let (queue, sqs) = started().await;
    queue.send_to("a", "x");
    let message = receive(&sqs, &queue, 1).await.remove(0);
    queue.make_visible();
    let delete = sqs.delete_message().queue_url(queue.url());
    let delete = delete.receipt_handle(message.receipt_handle().unwrap());
    let error = delete.clone().send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    assert!(error.message().unwrap().contains("expired"));
    receive(&sqs, &queue, 1).await;
    assert!(delete.send().await.is_err());
    assert_eq!(queue.in_flight().len(), 1);
}

#[tokio::test]
async fn change_visibility_supports_batches() {
    for queue in [Queue::start().await.unwrap(), Queue::start_fifo().await.unwrap()] {
        let sqs = aws::sqs(&queue.endpoint());
        for body in ["back", "away", "done"] {
            queue.send_to(body, body);
        }
        let received = receive(&sqs, &queue, 10).await;
        assert!(delete(&sqs, &queue, &received[2]).await);
        let entry = |id: &str, receipt: Option<&str>, timeout: i32| {
            let entry =
                ChangeMessageVisibilityBatchRequestEntry::builder().id(id).visibility_timeout(timeout);
            entry.receipt_handle(receipt.unwrap_or("nonsense")).build().unwrap()
        };
        let changed = sqs
            .change_message_visibility_batch()
            .queue_url(queue.url())
            .entries(entry("a", received[0].receipt_handle(), 0))
            .entries(entry("b", received[1].receipt_handle(), 600))
            .entries(entry("c", received[1].receipt_handle(), 43_201))
            .entries(entry("d", received[2].receipt_handle(), 0))
            .entries(entry("e", None, 0))
            .send()
            .await
            .unwrap();
        assert_eq!(changed.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["a", "b"]);
        let failed: Vec<_> = changed.failed().iter().map(|entry| (entry.id(), entry.code())).collect();
        assert_eq!(failed[0], ("c", "InvalidParameterValueException"));
        assert_eq!(failed[1], ("d", "MessageNotInflight"));
        assert_eq!(failed[2], ("e", "ReceiptHandleIsInvalid"));
        assert_eq!(bodies(&receive(&sqs, &queue, 10).await), ["back"]);
    }
}

#[tokio::test]
async fn queue_attributes_report_kind_and_counts() {
    let (queue, sqs) = started().await;
    queue.set_max_receive_count(Some(4));
    for _ in 0..3 {
        queue.send_to("a", "x");
    }
    receive(&sqs, &queue, 1).await;
    let all = sqs.get_queue_attributes().queue_url(queue.url()).attribute_names(QueueAttributeName::All);
    let attributes = all.send().await.unwrap().attributes.unwrap();
    for (name, value) in [
        (QueueAttributeName::ApproximateNumberOfMessages, "2"),
        (QueueAttributeName::ApproximateNumberOfMessagesNotVisible, "1"),
        (QueueAttributeName::ApproximateNumberOfMessagesDelayed, "0"),
        (QueueAttributeName::VisibilityTimeout, "30"),
        (QueueAttributeName::QueueArn, "arn:aws:sqs:eu-west-1:123456789012:signals.fifo"),
        (QueueAttributeName::FifoQueue, "true"),
    ] {
        assert_eq!(attributes[&name], value, "{name}");
    }
    let policy: Value = serde_json::from_str(&attributes[&QueueAttributeName::RedrivePolicy]).unwrap();
    assert_eq!(
        policy,
        json!({ "deadLetterTargetArn": queue.dead_letter_queue().arn(), "maxReceiveCount": 4 })
    );
}

#[tokio::test]
async fn dead_letters_go_to_their_own_queue() {
    let (queue, sqs) = started().await;
    let dead = queue.dead_letter_queue();
    assert_ne!(queue.url(), dead.url());
    let found = sqs.get_queue_url().queue_name("signals-dead-letters.fifo").send().await.unwrap();
    assert_eq!(found.queue_url(), Some(dead.url().as_str()));
    queue.set_max_receive_count(Some(1));
    let id = queue.send_to("a", "bad");
    queue.send_to("a", "good");
    receive(&sqs, &queue, 1).await;
    queue.make_visible();
    assert_eq!(bodies(&receive(&sqs, &queue, 1).await), ["good"], "the group continues without it");
    assert_eq!(queue.dead_letters().len(), 1);

    // A function may send to the dead-letter queue itself.
    let value = MessageAttributeValue::builder().data_type("String").string_value("parse").build().unwrap();
    let send = sqs.send_message().queue_url(dead.url()).message_body("worse").message_group_id("a");
    let send = send.message_deduplication_id("1").message_attributes("reason", value);
    assert_ne!(send.send().await.unwrap().message_id(), Some(id.as_str()));
    assert_eq!(queue.dead_letters()[1].attributes["reason"]["StringValue"], "parse");

    let letters = receive(&sqs, &dead, 10).await;
    assert_eq!(bodies(&letters), ["bad", "worse"]);
    assert_eq!(letters[0].message_id(), Some(id.as_str()));
    let attributes = letters[0].attributes().unwrap();
    assert_eq!(attributes[&System::DeadLetterQueueSourceArn], queue.arn());
    assert_eq!(attributes[&System::MessageGroupId], "a");
    assert_eq!(attributes[&System::ApproximateReceiveCount], "2");
    for letter in &letters {
        assert!(delete(&sqs, &dead, letter).await);
    }
    assert!(queue.dead_letters().is_empty() && dead.in_flight().is_empty());
    assert_eq!(queue.in_flight().len(), 1, "another queue's");
}

#[tokio::test]
async fn queue_handles_ten_thousand_groups() {
    let (queue, sqs) = started().await;
    for number in 0..10_000 {
        queue.send_to(number.to_string(), number.to_string());
    }
    let mut all = BTreeSet::new();
    loop {
        let received = receive(&sqs, &queue, 10).await;
        if received.is_empty() {
            break;
        }
        all.extend(received.into_iter().filter_map(|message| message.body));
    }
    assert_eq!((all.len(), queue.in_flight().len()), (10_000, 10_000));
}

#[derive(Debug, Clone)]
enum QueueOperation {
    Send(u8),
    Receive(u8),
    Delete(prop::sample::Index),
    Release(prop::sample::Index),
    AllVisible,
}

fn any_operation() -> impl Strategy<Value = QueueOperation> {
    prop_oneof![
        5 => (0u8..4).prop_map(QueueOperation::Send),
        4 => (1u8..5).prop_map(QueueOperation::Receive),
        3 => any::<prop::sample::Index>().prop_map(QueueOperation::Delete),
        2 => any::<prop::sample::Index>().prop_map(QueueOperation::Release),
        1 => Just(QueueOperation::AllVisible),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Compares the queue with a model: a list of messages for each group, and a set of
    /// messages in flight.
    #[test]
    fn message_order_and_group_lock_always_hold(steps in prop::collection::vec(any_operation(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (queue, sqs) = started().await;
            let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
            let mut held: BTreeMap<String, Message> = BTreeMap::new();
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    QueueOperation::Send(group) => {
                        let (group, body) = (format!("{group}"), format!("{number}"));
                        queue.send_to(&group, &body);
                        groups.entry(group).or_default().push(body);
                    }
                    QueueOperation::Receive(most) => {
                        let free = |all: &&mut Vec<String>| !all.iter().any(|body| held.contains_key(body));
                        let mut open: Vec<Vec<String>> =
                            groups.values_mut().filter(free).map(|all| all.clone()).collect();
                        let received = receive(&sqs, &queue, most.into()).await;
                        for message in &received {
                            let body = message.body().unwrap();
                            let group = open.iter_mut().find(|all| all.first().is_some_and(|next| next == body));
                            group.expect("the first of a group that is free").remove(0);
                        }
                        let left: usize = open.iter().map(Vec::len).sum();
                        prop_assert!(received.len() == usize::from(most) || left == 0);
                        held.extend(received.into_iter().map(|one| (one.body.clone().unwrap(), one)));
                    }
                    QueueOperation::Delete(which) if !held.is_empty() => {
                        let body = which.get(&held.keys().cloned().collect::<Vec<_>>()).clone();
                        prop_assert!(delete(&sqs, &queue, &held.remove(&body).unwrap()).await);
                        groups.values_mut().for_each(|all| all.retain(|other| *other != body));
                    }
                    QueueOperation::Release(which) if !held.is_empty() => {
                        let body = which.get(&held.keys().cloned().collect::<Vec<_>>()).clone();
                        prop_assert!(release(&sqs, &queue, &held.remove(&body).unwrap()).await);
                    }
                    QueueOperation::AllVisible => {
                        queue.make_visible();
                        held.clear();
                    }
                    QueueOperation::Delete(_) | QueueOperation::Release(_) => {}
                }
            }
            prop_assert_eq!(queue.in_flight().len(), held.len());
            prop_assert_eq!(queue.messages().len() + held.len(), groups.values().map(Vec::len).sum::<usize>());
            Ok(())
        })?;
    }
}
