use serde::{Deserialize, Serialize};
use serde_json::Value;
use sophos_isolation::{ApprovalAnswer, DecisionId, check};

/// The task of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerTask {
    /// Messages of the queue.
    Messages(Vec<QueueMessage>),
    /// A follow-up of the decisions that are due: a scheduled event, or
    /// `{"follow_up": "due"}`. `{"follow_up": "all"}` is for all open decisions.
    FollowUp {
        /// Whether decisions that are not due are included.
        all: bool,
    },
    /// The answer to a decision that awaits approval:
    /// `{"approve": "<decision>", "by": "<name>"}`, or `decline`.
    AnswerApproval {
        /// The decision.
        id: DecisionId,
        /// The answer.
        answer: ApprovalAnswer,
        /// The person's name.
        by: String,
    },
    /// The release of an endpoint, for every decision that claims it:
    /// `{"release": "<decision>", "by": "<name>"}`, or
    /// `{"release": {"endpoint": "<uuid>", "tenant": "<uuid>"}}`.
    Release {
        /// The endpoint.
        target: ReleaseTarget,
        /// The person's name.
        by: String,
    },
    /// The display of a decision: `{"show": "<decision>"}`.
    Show(DecisionId),
    /// The check of a payload:
    /// `{"check": {"source": "<name>", "payload": {…}}}`. It records and changes
    /// nothing.
    Check(CheckPayload),
}

/// The reason why an event is not a task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The records are not all of SQS.
    #[error("invalid records: expected messages of SQS only, with eventSource aws:sqs")]
    InvalidRecords,
    /// The event has no known format.
    #[error(
        "invalid event: expected one of SQS or of a schedule, or one of approve, decline, release, show (each \
         with a decision's id; release also with an endpoint's), check or follow_up: {0}"
    )]
    InvalidEvent(String),
    /// The event has no command, or several.
    #[error("invalid command: expected exactly one of approve, decline, release, show, check and follow_up")]
    NotOneCommand,
}

/// The payload of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckPayload {
    /// The name of the source in the policy.
    pub source: String,
    /// The body as JSON; a string is the body itself.
    pub payload: Value,
    /// The `Idempotency-Key` header, if any.
    pub idempotency_key: Option<String>,
}

/// The message with which the webhook requests a check from the worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRequest {
    check: CheckPayload,
    answer_id: String,
}

impl CheckRequest {
    /// Creates the request to check a payload. The time, in milliseconds since the
    /// Unix epoch, distinguishes it from others with the same payload.
    pub fn new(check: CheckPayload, now_ms: u64) -> Self {
        // No source has this id, and it has the form of a decision's.
        let id = DecisionId::from_event_id("", &format!("{now_ms} {} {}", check.source, check.payload));
        Self { check, answer_id: id.to_string() }
    }

    /// Returns the payload.
    pub fn payload(&self) -> &CheckPayload {
        &self.check
    }

    /// Returns the path of the ledger's object with the result.
    pub fn answer_path(&self) -> String {
        check::result_path(&self.answer_id)
    }

    /// Parses the body of a message of the queue.
    fn parse(body: &str) -> Option<Self> {
        let request: Self = serde_json::from_str(body).ok()?;
        request.answer_id.parse::<DecisionId>().is_ok().then_some(request)
    }
}

/// The endpoint of a release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ReleaseTarget {
    /// The endpoint of a decision.
    Decision(DecisionId),
    /// An endpoint by its ids.
    Endpoint(EndpointRef),
}

/// An endpoint by its ids.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointRef {
    /// The endpoint's id.
    pub endpoint: String,
    /// The tenant's id; `None` for any tenant of the policy's sources.
    pub tenant: Option<String>,
}

/// A message of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// The message's id.
    pub id: String,
    /// The decision to process, if any.
    pub decision: Option<DecisionId>,
    /// The check to run, if any.
    pub check: Option<CheckRequest>,
}

#[derive(Deserialize)]
struct MessageBody {
    decision: DecisionId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    approve: Option<DecisionId>,
    decline: Option<DecisionId>,
    release: Option<ReleaseTarget>,
    show: Option<DecisionId>,
    follow_up: Option<FollowUpFilter>,
    check: Option<CheckPayload>,
    by: Option<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum FollowUpFilter {
    Due,
    All,
}

impl WorkerTask {
    /// Parses the event of an invocation.
    ///
    /// # Errors
    /// When the event is not a task.
    pub fn parse(event: &Value) -> Result<Self, TaskError> {
        if let Some(records) = event["Records"].as_array() {
            let is_sqs = |record: &Value| record["eventSource"].as_str() == Some("aws:sqs");
            if records.is_empty() || !records.iter().all(is_sqs) {
                return Err(TaskError::InvalidRecords);
            }
            return Ok(Self::Messages(records.iter().map(parse_message).collect()));
        }
        if event["detail-type"].as_str() == Some("Scheduled Event") {
            return Ok(Self::FollowUp { all: false });
        }
        let command: Command = serde_json::from_value(event.clone())
            .map_err(|error| TaskError::InvalidEvent(error.to_string()))?;
        let by = command.by.unwrap_or_else(|| "an invoker of the function".into());
        let answer = |id, answer| Self::AnswerApproval { id, answer, by: by.clone() };
        let tasks = [
            command.approve.map(|id| answer(id, ApprovalAnswer::Approve)),
            command.decline.map(|id| answer(id, ApprovalAnswer::Decline)),
            command.release.map(|target| Self::Release { target, by: by.clone() }),
            command.show.map(Self::Show),
            command.check.map(Self::Check),
            command.follow_up.map(|filter| Self::FollowUp { all: filter == FollowUpFilter::All }),
        ];
        let mut tasks = tasks.into_iter().flatten();
        match (tasks.next(), tasks.next()) {
            (Some(task), None) => Ok(task),
            _ => Err(TaskError::NotOneCommand),
        }
    }
}

fn parse_message(record: &Value) -> QueueMessage {
    let body = record["body"].as_str().unwrap_or_default();
    QueueMessage {
        id: record["messageId"].as_str().unwrap_or_default().to_owned(),
        decision: serde_json::from_str::<MessageBody>(body).ok().map(|body| body.decision),
        check: CheckRequest::parse(body),
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
    fn task_parses_sqs_messages_one_by_one() {
        let event = json!({ "Records": [
            { "messageId": "1", "eventSource": "aws:sqs", "body": format!("{{\"decision\":\"{ID}\"}}") },
            { "messageId": "2", "eventSource": "aws:sqs", "body": "{\"decision\":\"../../etc/passwd\"}" },
            { "messageId": "3", "eventSource": "aws:sqs" },
        ]});
        let Ok(WorkerTask::Messages(messages)) = WorkerTask::parse(&event) else { panic!("messages") };
        let decisions: Vec<_> = messages.into_iter().map(|message| message.decision).collect();
        assert_eq!(decisions, [Some(id()), None, None]);
    }

    #[test]
    fn task_rejects_records_when_not_all_are_of_sqs() {
        let body = format!("{{\"decision\":\"{ID}\"}}");
        let sqs = json!({ "messageId": "1", "eventSource": "aws:sqs", "body": body });
        let sns = json!({ "EventSource": "aws:sns", "Sns": { "Message": body } });
        let s3 = json!({ "eventSource": "aws:s3", "s3": { "object": { "key": ID } } });
        let bare = json!({ "messageId": "1", "body": body });
        for records in [
            json!([]),
            json!([sns]),
            json!([s3]),
            json!([bare]),
            json!([null]),
            json!([sqs, sns]),
            json!([bare, sqs]),
        ] {
            let error = WorkerTask::parse(&json!({ "Records": records })).expect_err("not of SQS");
            assert_eq!(error, TaskError::InvalidRecords);
        }
        assert!(WorkerTask::parse(&json!({ "Records": [sqs] })).is_ok());
    }

    #[test]
    fn task_parses_release_of_an_endpoint() {
        let id = "00000000-0000-4000-8000-000000000001";
        let parse = |release: Value| WorkerTask::parse(&json!({ "release": release, "by": "alice" }));
        let task = |tenant: Option<&str>| WorkerTask::Release {
            target: ReleaseTarget::Endpoint(EndpointRef {
                endpoint: id.to_owned(),
                tenant: tenant.map(str::to_owned),
            }),
            by: "alice".to_owned(),
        };
        assert_eq!(parse(json!({ "endpoint": id })), Ok(task(None)));
        assert_eq!(parse(json!({ "endpoint": id, "tenant": id })), Ok(task(Some(id))));
        for wrong in
            [json!({ "tenant": id }), json!({ "endpoint": id, "force": true }), json!("iso-1"), json!(7)]
        {
            assert!(parse(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn check_request_keeps_its_stored_format() {
        let payload = CheckPayload {
            source: "edr".to_owned(),
            payload: json!({ "id": 1 }),
            idempotency_key: Some("key".to_owned()),
        };
        let request = CheckRequest::new(payload, 1_790_000_000_000);
        let message = "{\"check\":{\"source\":\"edr\",\"payload\":{\"id\":1},\"idempotency_key\":\"key\"},\
                       \"answer_id\":\"iso-9989d6a16388bca6e0006d0f\"}";
        let path = "checks/iso-9989d6a16388bca6e0006d0f.json";
        assert_eq!(serde_json::to_string(&request).expect("JSON"), message);
        assert_eq!(request.answer_path(), path);
        assert_eq!(CheckRequest::parse(message), Some(request));
    }

    #[test]
    fn task_parses_commands_and_schedules() {
        let by = "alice".to_owned();
        for (event, task) in [
            (
                json!({ "detail-type": "Scheduled Event", "source": "aws.events" }),
                WorkerTask::FollowUp { all: false },
            ),
            (json!({ "follow_up": "due" }), WorkerTask::FollowUp { all: false }),
            (json!({ "follow_up": "all" }), WorkerTask::FollowUp { all: true }),
            (
                json!({ "approve": ID, "by": "alice" }),
                WorkerTask::AnswerApproval { id: id(), answer: ApprovalAnswer::Approve, by: by.clone() },
            ),
            (
                json!({ "decline": ID, "by": "alice" }),
                WorkerTask::AnswerApproval { id: id(), answer: ApprovalAnswer::Decline, by: by.clone() },
            ),
            (
                json!({ "release": ID, "by": "alice" }),
                WorkerTask::Release { target: ReleaseTarget::Decision(id()), by },
            ),
            (json!({ "show": ID }), WorkerTask::Show(id())),
            (
                json!({ "check": { "source": "edr", "payload": { "id": 1 } } }),
                WorkerTask::Check(CheckPayload {
                    source: "edr".to_owned(),
                    payload: json!({ "id": 1 }),
                    idempotency_key: None,
                }),
            ),
        ] {
            assert_eq!(WorkerTask::parse(&event), Ok(task), "{event}");
        }
        for event in [
            json!({}),
            json!({ "approve": "iso-1" }),
            json!({ "approve": ID, "decline": ID }),
            json!({ "follow_up": true }),
            json!({ "isolate": ID }),
            json!([]),
        ] {
            assert!(WorkerTask::parse(&event).is_err(), "{event}");
        }
    }
}
