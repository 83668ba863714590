use serde::{Deserialize, Serialize};
use serde_json::Value;
use sophos_isolation::{ApprovalAnswer, DecisionId};

/// What an invocation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerTask {
    /// Messages of the queue.
    Messages(Vec<QueueMessage>),
    /// Everything that is due: a scheduled event, or `{"follow_up": "due"}`; and
    /// with `{"follow_up": "all"}` every decision that has not ended.
    FollowUp {
        /// Whether also what is not due yet.
        all: bool,
    },
    /// A person's answer to a decision that waits:
    /// `{"approve": "<decision>", "by": "<who>"}`, or `decline`.
    AnswerApproval {
        /// The decision.
        id: DecisionId,
        /// The answer.
        answer: ApprovalAnswer,
        /// Who gave it.
        by: String,
    },
    /// The release of a machine, for every decision that holds it:
    /// `{"release": "<decision>", "by": "<who>"}`, or
    /// `{"release": {"endpoint": "<uuid>", "tenant": "<uuid>"}}`.
    Release {
        /// The machine.
        target: ReleaseTarget,
        /// Who asks.
        by: String,
    },
    /// A decision, read back whole: `{"show": "<decision>"}`.
    Show(DecisionId),
    /// What a payload would lead to:
    /// `{"check": {"source": "<name>", "payload": {…}}}`. Nothing is recorded or
    /// changed.
    Check(CheckPayload),
}

/// A payload that is to be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckPayload {
    /// The source, as the policy names it.
    pub source: String,
    /// The body as JSON; a text is the body itself.
    pub payload: Value,
    /// The `Idempotency-Key` header, if it has one.
    pub idempotency_key: Option<String>,
}

/// A message that has the worker check a payload, and say where it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRequest {
    check: CheckPayload,
    answer_id: String,
}

impl CheckRequest {
    /// The request to check a payload, at a time in milliseconds since the Unix
    /// epoch, which tells it from others about the same payload.
    pub fn new(check: CheckPayload, now_ms: u64) -> Self {
        // The id of a decision of no source: as long, and as plain.
        let answer = DecisionId::from_event_id("", &format!("{now_ms} {} {}", check.source, check.payload));
        Self { check, answer_id: answer.to_string() }
    }

    /// The payload.
    pub fn payload(&self) -> &CheckPayload {
        &self.check
    }

    /// The object of the ledger's store that holds the answer.
    pub fn answer_path(&self) -> String {
        format!("checks/{}.json", self.answer_id)
    }

    /// Reads the body of a message of the queue.
    fn parse(body: &str) -> Option<Self> {
        let request: Self = serde_json::from_str(body).ok()?;
        request.answer_id.parse::<DecisionId>().is_ok().then_some(request)
    }
}

/// A machine that is to be released.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ReleaseTarget {
    /// The machine of a decision.
    Decision(DecisionId),
    /// A machine by its ids.
    Endpoint(EndpointRef),
}

/// A machine by its ids.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointRef {
    /// The endpoint's id.
    pub endpoint: String,
    /// The tenant's id; without it the tenants of the policy's sources are
    /// looked through.
    pub tenant: Option<String>,
}

/// A message of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// The queue's id of it.
    pub id: String,
    /// The decision that it is about; `None` if it is about none.
    pub decision: Option<DecisionId>,
    /// The check that it asks for, if it does.
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
    /// Reads an invocation's event.
    ///
    /// # Errors
    /// What it would have to be.
    pub fn parse(event: &Value) -> Result<Self, String> {
        if let Some(records) = event["Records"].as_array() {
            let is_sqs = |record: &Value| record["eventSource"].as_str() == Some("aws:sqs");
            if records.is_empty() || !records.iter().all(is_sqs) {
                return Err("invalid records: expected messages of SQS only, with eventSource aws:sqs".into());
            }
            return Ok(Self::Messages(records.iter().map(parse_message).collect()));
        }
        if event["detail-type"].as_str() == Some("Scheduled Event") {
            return Ok(Self::FollowUp { all: false });
        }
        let order: Command = serde_json::from_value(event.clone()).map_err(|error| {
            format!(
                "the event is neither of SQS nor of a schedule, nor one of approve, decline, release, show \
                 (each with a decision's id; release also with an endpoint's), check or follow_up: {error}"
            )
        })?;
        let by = order.by.unwrap_or_else(|| "somebody who may invoke the function".into());
        let tasks = [
            order.approve.map(|id| Self::AnswerApproval {
                id,
                answer: ApprovalAnswer::Approve,
                by: by.clone(),
            }),
            order.decline.map(|id| Self::AnswerApproval {
                id,
                answer: ApprovalAnswer::Decline,
                by: by.clone(),
            }),
            order.release.map(|what| Self::Release { target: what, by: by.clone() }),
            order.show.map(Self::Show),
            order.check.map(Self::Check),
            order.follow_up.map(|which| Self::FollowUp { all: which == FollowUpFilter::All }),
        ];
        let mut tasks = tasks.into_iter().flatten();
        match (tasks.next(), tasks.next()) {
            (Some(task), None) => Ok(task),
            _ => Err("ask for one of approve, decline, release, show, check and follow_up at a time".into()),
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
            assert!(error.contains("aws:sqs"), "{error}");
        }
        assert!(WorkerTask::parse(&json!({ "Records": [sqs] })).is_ok());
    }

    #[test]
    fn task_parses_release_of_an_endpoint() {
        let id = "00000000-0000-4000-8000-000000000001";
        let read = |release: Value| WorkerTask::parse(&json!({ "release": release, "by": "alice" }));
        let machine = |tenant: Option<&str>| WorkerTask::Release {
            target: ReleaseTarget::Endpoint(EndpointRef {
                endpoint: id.to_owned(),
                tenant: tenant.map(str::to_owned),
            }),
            by: "alice".to_owned(),
        };
        assert_eq!(read(json!({ "endpoint": id })), Ok(machine(None)));
        assert_eq!(read(json!({ "endpoint": id, "tenant": id })), Ok(machine(Some(id))));
        for wrong in
            [json!({ "tenant": id }), json!({ "endpoint": id, "force": true }), json!("iso-1"), json!(7)]
        {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
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
