//! What the plan tells the workers: one message for each stream.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sophos_export::{Dataset, Member};

/// A stream that is to be exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// The credential that serves the tenant.
    pub(crate) credential: String,
    /// The tenant.
    pub(crate) tenant: Member,
    /// The dataset.
    pub(crate) dataset: Dataset,
    /// The plan that it is of.
    pub(crate) plan: String,
    /// How often the stream was handed on because it had more than one turn
    /// could take.
    #[serde(default)]
    pub(crate) turn: u32,
}

impl Message {
    /// The same stream's next turn.
    pub(crate) fn next_turn(&self) -> Self {
        Self { turn: self.turn.saturating_add(1), ..self.clone() }
    }

    /// Names the stream: messages of one are worked off one after the other.
    pub(crate) fn group(&self) -> String {
        format!("{}/{}", self.dataset, self.tenant.id.as_str().to_ascii_lowercase())
    }

    /// Names the message: a plan that is carried out twice sends it once.
    pub(crate) fn deduplication_id(&self) -> String {
        let mut id = format!("{}/{}/{}", self.group(), self.plan, self.turn);
        id.truncate(128);
        id
    }
}

/// A message as Lambda hands it over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) receipt: String,
    pub(crate) body: String,
    /// How often it was handed over, this time included.
    pub(crate) receives: u32,
}

impl Record {
    /// The records of an event of SQS; `None` if it is none.
    pub(crate) fn all(event: &Value) -> Option<Vec<Self>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let record = |record: &Value| Self {
            id: text(&record["messageId"]),
            receipt: text(&record["receiptHandle"]),
            body: text(&record["body"]),
            receives: text(&record["attributes"]["ApproximateReceiveCount"]).parse().unwrap_or(1),
        };
        Some(event["Records"].as_array()?.iter().map(record).collect())
    }

    /// What it says.
    ///
    /// # Errors
    /// Why it is no message of a plan.
    pub(crate) fn read(&self) -> Result<Message, String> {
        serde_json::from_str(&self.body)
            .map_err(|error| format!("the message is none of a plan of this export: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message() -> Message {
        Message {
            credential: "sophos/credentials/partner".into(),
            tenant: Member { data_region: Some("eu01".into()), ..Member::of("AB-12") },
            dataset: Dataset::Alerts,
            plan: "7".into(),
            turn: 0,
        }
    }

    #[test]
    fn a_message_comes_back_as_it_was_sent() {
        let body = serde_json::to_string(&message()).expect("JSON");
        let event = json!({ "Records": [{
            "messageId": "1", "receiptHandle": "r", "body": body, "attributes": { "ApproximateReceiveCount": "3" },
        }]});
        let records = Record::all(&event).expect("records");
        assert_eq!((records[0].receives, records[0].read()), (3, Ok(message())));
        assert_eq!(Record::all(&json!({ "Records": [{}] })).map(|all| all[0].receives), Some(1));
        assert_eq!(Record::all(&json!({ "detail": {} })), None);
    }

    #[test]
    fn streams_are_told_apart_and_so_are_turns() {
        let message = message();
        let other = Message { dataset: Dataset::Events, ..message.clone() };
        let same = Message { tenant: Member::of("ab-12"), ..message.clone() };
        assert_ne!(message.group(), other.group());
        assert_eq!(message.group(), same.group());
        assert_ne!(message.deduplication_id(), message.next_turn().deduplication_id());
        let long = Message { plan: "x".repeat(200), ..message };
        assert!(long.deduplication_id().len() <= 128);
    }
}
