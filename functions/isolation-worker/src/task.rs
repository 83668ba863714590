use serde::Deserialize;
use serde_json::Value;
use sophos_isolation::{Answer, DecisionId};

/// What an invocation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// Messages of the queue.
    Messages(Vec<Message>),
    /// Everything that is due: a scheduled event, or `{"follow_up": true}`.
    FollowUp,
    /// A person's answer to a decision that waits:
    /// `{"approve": "<decision>", "by": "<who>"}`, or `decline`.
    Answer {
        /// The decision.
        id: DecisionId,
        /// The answer.
        answer: Answer,
        /// Who gave it.
        by: String,
    },
    /// The end of an isolation: `{"release": "<decision>", "by": "<who>"}`.
    Release {
        /// The decision.
        id: DecisionId,
        /// Who asks.
        by: String,
    },
    /// A decision, read back whole: `{"show": "<decision>"}`.
    Show(DecisionId),
}

/// A message of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The queue's id of it.
    pub id: String,
    /// The decision that it is about; `None` if it is about none.
    pub decision: Option<DecisionId>,
}

#[derive(Deserialize)]
struct Body {
    decision: DecisionId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    approve: Option<DecisionId>,
    decline: Option<DecisionId>,
    release: Option<DecisionId>,
    show: Option<DecisionId>,
    follow_up: Option<bool>,
    by: Option<String>,
}

impl Task {
    /// Reads an invocation's event.
    ///
    /// # Errors
    /// What it would have to be.
    pub fn read(event: &Value) -> Result<Self, String> {
        if let Some(records) = event["Records"].as_array() {
            return Ok(Self::Messages(records.iter().map(message).collect()));
        }
        if event["detail-type"].as_str() == Some("Scheduled Event") {
            return Ok(Self::FollowUp);
        }
        let order: Order = serde_json::from_value(event.clone()).map_err(|error| {
            format!(
                "the event is neither of SQS nor of a schedule, nor one of approve, decline, release, show \
                 (each with a decision's id) or follow_up: {error}"
            )
        })?;
        let by = order.by.unwrap_or_else(|| "somebody who may invoke the function".into());
        match (order.approve, order.decline, order.release, order.show, order.follow_up) {
            (Some(id), None, None, None, None) => Ok(Self::Answer { id, answer: Answer::Approve, by }),
            (None, Some(id), None, None, None) => Ok(Self::Answer { id, answer: Answer::Decline, by }),
            (None, None, Some(id), None, None) => Ok(Self::Release { id, by }),
            (None, None, None, Some(id), None) => Ok(Self::Show(id)),
            (None, None, None, None, Some(true)) => Ok(Self::FollowUp),
            _ => Err("ask for one of approve, decline, release, show and follow_up at a time".into()),
        }
    }
}

fn message(record: &Value) -> Message {
    let body = record["body"].as_str().and_then(|body| serde_json::from_str::<Body>(body).ok());
    Message {
        id: record["messageId"].as_str().unwrap_or_default().to_owned(),
        decision: body.map(|body| body.decision),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "iso-0123456789abcdef01234567";

    fn id() -> DecisionId {
        ID.parse().expect("an id")
    }

    #[test]
    fn messages_are_read_one_by_one() {
        let event = json!({ "Records": [
            { "messageId": "1", "body": format!("{{\"decision\":\"{ID}\"}}") },
            { "messageId": "2", "body": "{\"decision\":\"../../etc/passwd\"}" },
            { "messageId": "3" },
        ]});
        let Ok(Task::Messages(messages)) = Task::read(&event) else { panic!("messages") };
        let decisions: Vec<_> = messages.into_iter().map(|message| message.decision).collect();
        assert_eq!(decisions, [Some(id()), None, None]);
    }

    #[test]
    fn orders_and_schedules() {
        let by = "alice".to_owned();
        for (event, task) in [
            (json!({ "detail-type": "Scheduled Event", "source": "aws.events" }), Task::FollowUp),
            (json!({ "follow_up": true }), Task::FollowUp),
            (
                json!({ "approve": ID, "by": "alice" }),
                Task::Answer { id: id(), answer: Answer::Approve, by: by.clone() },
            ),
            (
                json!({ "decline": ID, "by": "alice" }),
                Task::Answer { id: id(), answer: Answer::Decline, by: by.clone() },
            ),
            (json!({ "release": ID, "by": "alice" }), Task::Release { id: id(), by }),
            (json!({ "show": ID }), Task::Show(id())),
        ] {
            assert_eq!(Task::read(&event), Ok(task), "{event}");
        }
        for event in [
            json!({}),
            json!({ "approve": "iso-1" }),
            json!({ "approve": ID, "decline": ID }),
            json!({ "follow_up": false }),
            json!({ "isolate": ID }),
            json!([]),
        ] {
            assert!(Task::read(&event).is_err(), "{event}");
        }
    }
}
