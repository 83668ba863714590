//! The messages of a plan: one for each stream.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sophos_export::{Dataset, TenantRef};

/// The message to export a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamMessage {
    /// The credential that serves the tenant; empty for the ledger, which needs none.
    pub(crate) credential: String,
    /// The tenant.
    pub(crate) tenant: TenantRef,
    /// The dataset.
    pub(crate) dataset: Dataset,
    /// The id of the plan.
    pub(crate) plan_id: String,
    /// The number of earlier messages of this stream in this plan: a stream that reaches its
    /// timeout continues in another message.
    #[serde(default)]
    pub(crate) continuation: u32,
}

impl StreamMessage {
    /// The message that continues the stream.
    pub(crate) fn next_continuation(&self) -> Self {
        Self { continuation: self.continuation.saturating_add(1), ..self.clone() }
    }

    /// The message group id. SQS delivers the messages of a stream one after the other.
    pub(crate) fn group_id(&self) -> String {
        sqs_id(format!("{}/{}", self.dataset, self.tenant.id.as_str().to_ascii_lowercase()))
    }

    /// The message deduplication id: a repeated plan does not send the message again.
    pub(crate) fn deduplication_id(&self) -> String {
        sqs_id(format!("{}/{}/{}", self.group_id(), self.plan_id, self.continuation))
    }
}

/// The maximum length of a message group or deduplication id in SQS.
const MAX_ID_LEN: usize = 128;

/// Converts a text to a valid id of SQS: the text itself if it is valid, or else its
/// beginning and a digest. Different texts have different ids.
pub(crate) fn sqs_id(text: String) -> String {
    let is_valid = |c: char| c.is_ascii_graphic();
    if text.len() <= MAX_ID_LEN && !text.is_empty() && text.chars().all(is_valid) {
        return text;
    }
    // 128 bits, against collisions. The id only matters within the five minutes of SQS's
    // deduplication interval.
    let digest = [0_u8, 1].map(|salt| {
        let mut hasher = DefaultHasher::new();
        (salt, &text).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    });
    let beginning: String = text.chars().filter(|c| is_valid(*c)).take(MAX_ID_LEN - 33).collect();
    format!("{beginning}~{}", digest.concat())
}

/// A message of an SQS event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SqsMessage {
    pub(crate) message_id: String,
    pub(crate) receipt_handle: String,
    pub(crate) body: String,
    /// The number of receives, including this one.
    pub(crate) receive_count: u32,
}

impl SqsMessage {
    /// The messages of an SQS event; `None` for another event.
    pub(crate) fn parse_event(event: &Value) -> Option<Vec<Self>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let record = |record: &Value| Self {
            message_id: text(&record["messageId"]),
            receipt_handle: text(&record["receiptHandle"]),
            body: text(&record["body"]),
            receive_count: text(&record["attributes"]["ApproximateReceiveCount"]).parse().unwrap_or(1),
        };
        Some(event["Records"].as_array()?.iter().map(record).collect())
    }

    /// Parses the body.
    ///
    /// # Errors
    /// When the body is not a message of a plan.
    pub(crate) fn parse_body(&self) -> Result<StreamMessage, serde_json::Error> {
        serde_json::from_str(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message() -> StreamMessage {
        StreamMessage {
            credential: "sophos/credentials/partner".into(),
            tenant: TenantRef { data_region: Some("eu01".into()), ..TenantRef::new("AB-12") },
            dataset: Dataset::Alerts,
            plan_id: "7".into(),
            continuation: 0,
        }
    }

    #[test]
    fn stream_message_round_trips_through_sqs() {
        let body = serde_json::to_string(&message()).expect("JSON");
        let event = json!({ "Records": [{
            "messageId": "1", "receiptHandle": "r", "body": body, "attributes": { "ApproximateReceiveCount": "3" },
        }]});
        let records = SqsMessage::parse_event(&event).expect("records");
        assert_eq!(records[0].receive_count, 3);
        assert_eq!(records[0].parse_body().expect("a message"), message());
        assert_eq!(
            SqsMessage::parse_event(&json!({ "Records": [{}] })).map(|all| all[0].receive_count),
            Some(1)
        );
        assert_eq!(SqsMessage::parse_event(&json!({ "detail": {} })), None);
    }

    #[test]
    fn stream_message_keeps_its_stored_form() {
        // Messages of the release before wait in the queue while a new one is deployed.
        let stored = r#"{"credential":"sophos/credentials/partner","tenant":{"id":"AB-12","data_region":"eu01"},"dataset":"alerts","plan_id":"7","continuation":0}"#;
        assert_eq!(serde_json::to_string(&message()).expect("JSON"), stored);
        assert_eq!(serde_json::from_str::<StreamMessage>(stored).expect("a message"), message());
    }

    #[test]
    fn message_ids_distinguish_streams_and_continuations() {
        let message = message();
        let other = StreamMessage { dataset: Dataset::Events, ..message.clone() };
        let same = StreamMessage { tenant: TenantRef::new("ab-12"), ..message.clone() };
        assert_ne!(message.group_id(), other.group_id());
        assert_eq!(message.group_id(), same.group_id());
        assert_ne!(message.deduplication_id(), message.next_continuation().deduplication_id());
    }

    #[test]
    fn sqs_ids_are_valid_and_unique_for_any_plan_id() {
        let long = "x".repeat(5_000);
        let mut ids = std::collections::HashSet::new();
        for plan in ["", " ", "a plan", "a\nplan", "plän", &"ä".repeat(100), &long, &format!("{long}y")] {
            let first = StreamMessage { plan_id: plan.into(), ..message() };
            for message in [first.next_continuation(), first] {
                let id = message.deduplication_id();
                assert!(id.len() <= 128 && id.chars().all(|c| c.is_ascii_graphic()), "{plan:?}: {id}");
                assert!(ids.insert(id), "{plan:?}");
            }
        }
        let tenant =
            StreamMessage { tenant: TenantRef::new("of any\nform".repeat(50).as_str()), ..message() };
        assert!(tenant.group_id().len() <= 128 && tenant.group_id().chars().all(|c| c.is_ascii_graphic()));
    }
}
