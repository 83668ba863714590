//! What the plan tells the workers: one message for each stream.

use std::hash::{DefaultHasher, Hash, Hasher};

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
        sqs_id(format!("{}/{}", self.dataset, self.tenant.id.as_str().to_ascii_lowercase()))
    }

    /// Names the message: a plan that is carried out twice sends it once.
    pub(crate) fn deduplication_id(&self) -> String {
        sqs_id(format!("{}/{}/{}", self.group(), self.plan, self.turn))
    }
}

/// Longest id of a group or for deduplication that SQS takes.
const MAX_ID_LEN: usize = 128;

/// An id that SQS takes: this text where that is one, else its beginning and a digest
/// of all of it. Two texts that differ have ids that differ.
pub(crate) fn sqs_id(text: String) -> String {
    let plain = |c: char| c.is_ascii_graphic();
    if text.len() <= MAX_ID_LEN && !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    // Twice 64 bits, so that chance makes no two alike. The id matters for the five
    // minutes in which SQS looks for duplicates.
    let digest = [0_u8, 1].map(|salt| {
        let mut hasher = DefaultHasher::new();
        (salt, &text).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    });
    let beginning: String = text.chars().filter(|c| plain(*c)).take(MAX_ID_LEN - 33).collect();
    format!("{beginning}~{}", digest.concat())
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
    }

    #[test]
    fn sqs_takes_the_ids_of_any_plan_and_tells_turns_apart() {
        let long = "x".repeat(5_000);
        let mut ids = std::collections::HashSet::new();
        for plan in ["", " ", "a plan", "a\nplan", "plän", &"ä".repeat(100), &long, &format!("{long}y")] {
            let first = Message { plan: plan.into(), ..message() };
            for message in [first.next_turn(), first] {
                let id = message.deduplication_id();
                assert!(id.len() <= 128 && id.chars().all(|c| c.is_ascii_graphic()), "{plan:?}: {id}");
                assert!(ids.insert(id), "{plan:?}");
            }
        }
        let tenant = Message { tenant: Member::of("of any\nform".repeat(50).as_str()), ..message() };
        assert!(tenant.group().len() <= 128 && tenant.group().chars().all(|c| c.is_ascii_graphic()));
    }
}
