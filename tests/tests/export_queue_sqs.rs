//! Tests of the plan and its workers with moto's queues.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use end_to_end::{moto::Moto, pipeline_env::PipelineEnv};
use local_lambda::{InvocationOutcome, Sandbox};
use serde_json::{Value, json};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Owner, Role, TenantGroup,
};

fn config() -> Config {
    Config {
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
        tenants: vec![TenantGroup::new(Owner::Partner, 3)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig { events_per_hour: 20.0, alerts_per_hour: 2.0, ..DataConfig::default() },
        ..Config::default()
    }
}

/// Receives the visible messages of different groups.
async fn receive(moto: &Moto, url: &str) -> Vec<Message> {
    let receive = moto.sqs().receive_message().queue_url(url).max_number_of_messages(10);
    let receive = receive.message_system_attribute_names(MessageSystemAttributeName::All);
    receive.message_attribute_names("All").send().await.expect("messages").messages.unwrap_or_default()
}

/// The Lambda event of these messages.
fn event(messages: &[Message]) -> Value {
    let record = |message: &Message| {
        json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": { "ApproximateReceiveCount": "1" },
            "eventSource": "aws:sqs",
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

async fn invoke(sandbox: &mut Sandbox, event: &Value) -> Value {
    match sandbox.invoke(event).await {
        InvocationOutcome::Ok(response) => response,
        other => panic!("{other:?}\n{}", sandbox.logs().join("\n")),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn plan_is_sent_to_a_fifo_queue_and_processed() {
    let Some(moto) = Moto::start().await.expect("the emulator serves") else {
        panic!("missing EMULATOR_PYTHON")
    };
    let estate = PipelineEnv::start(config(), CredentialKind::Partner).await.expect("an estate");
    let queue = moto.create_fifo_queue("exports.fifo").await.expect("a queue");
    let dead = moto.create_fifo_queue("dead.fifo").await.expect("a queue");
    let function = moto.configure(estate.function());
    let function = function.env("EXPORT_QUEUE_URL", &queue).env("EXPORT_DLQ_URL", &dead);
    let mut sandbox = function.start().await.expect("the function starts");

    assert_eq!(estate.plan(&mut sandbox, "1").await.expect("a plan")["planned"], 6);
    // The same plan again, as if Lambda had not received the response.
    estate.plan(&mut sandbox, "1").await.expect("a plan");
    let messages = receive(&moto, &queue).await;
    assert_eq!(messages.len(), 6, "each stream once");
    assert!(receive(&moto, &queue).await.is_empty());
    let groups: std::collections::BTreeSet<_> = messages
        .iter()
        .filter_map(|message| message.attributes.as_ref()?.get(&MessageSystemAttributeName::MessageGroupId))
        .collect();
    assert_eq!(groups.len(), 6, "a group for each stream");

    assert_eq!(invoke(&mut sandbox, &event(&messages)).await, json!({ "batchItemFailures": [] }));
    let committed = estate.committed().expect("what was served, once");
    assert!(committed.rows() > 0);

    // An invalid message goes to the dead-letter queue.
    let send = moto.sqs().send_message().queue_url(&queue).message_body("no plan's");
    let send = send.message_group_id("other").message_deduplication_id("other");
    send.send().await.expect("a message");
    let strange = receive(&moto, &queue).await;
    assert_eq!(invoke(&mut sandbox, &event(&strange)).await, json!({ "batchItemFailures": [] }));
    let buried = receive(&moto, &dead).await;
    let attributes = buried[0].message_attributes.as_ref().expect("attributes");
    let of = |name: &str| attributes[name].string_value.clone().unwrap_or_default();
    assert_eq!((buried[0].body.as_deref(), of("error_kind").as_str()), (Some("no plan's"), "InvalidMessage"));
    assert!(of("reason").contains("invalid message"), "{}", of("reason"));
}
