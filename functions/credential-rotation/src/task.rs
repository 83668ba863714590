use std::fmt;

use serde::Deserialize;
use serde_json::Value;

/// The maximum length of a secret's name or ARN.
const MAX_SECRET_ID_LEN: usize = 2_048;
/// The maximum length of a version's id.
const MAX_TOKEN_LEN: usize = 64;

/// The task of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotationTask {
    /// A step of a rotation, invoked by Secrets Manager.
    Rotate {
        /// The step.
        step: RotationStep,
        /// The secret, by name or ARN.
        secret: String,
        /// The id of the version that the rotation makes current.
        token: String,
    },
    /// A test of the next staged credential: `{"check": "<secret>"}`.
    Check(String),
    /// An audit of all credentials: a scheduled event, or `{"audit": true}`.
    Audit,
}

/// A step of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::enum_variant_names, reason = "the words of Secrets Manager")]
pub enum RotationStep {
    /// Creates the pending version.
    CreateSecret,
    /// Sets the new value in the service.
    SetSecret,
    /// Tests the pending version.
    TestSecret,
    /// Makes the pending version the current one.
    FinishSecret,
}

impl fmt::Display for RotationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateSecret => "createSecret",
            Self::SetSecret => "setSecret",
            Self::TestSecret => "testSecret",
            Self::FinishSecret => "finishSecret",
        })
    }
}

/// The event of a rotation. Secrets Manager may add members.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RotationEvent {
    step: RotationStep,
    secret_id: String,
    client_request_token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    #[serde(default)]
    audit: bool,
    check: Option<String>,
}

/// An invalid event, with the expected form. Contains no part of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid event: {0}")]
pub struct InvalidEvent(&'static str);

impl RotationTask {
    /// Parses an invocation's event.
    ///
    /// # Errors
    /// When the event is invalid.
    pub fn parse(event: &Value) -> Result<Self, InvalidEvent> {
        if event.get("Step").is_some() {
            // The event is not quoted: it may contain anything.
            let Ok(RotationEvent { step, secret_id, client_request_token: token }) =
                serde_json::from_value(event.clone())
            else {
                return Err(InvalidEvent(
                    "expected Step (createSecret, setSecret, testSecret or finishSecret), SecretId and \
                     ClientRequestToken",
                ));
            };
            if token.is_empty()
                || token.len() > MAX_TOKEN_LEN
                || !token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            {
                return Err(InvalidEvent("expected the id of a version as ClientRequestToken"));
            }
            return Ok(Self::Rotate { step, secret: parse_secret_id(secret_id)?, token });
        }
        if event["detail-type"].as_str() == Some("Scheduled Event") {
            return Ok(Self::Audit);
        }
        match serde_json::from_value(event.clone()) {
            Ok(Command { audit: true, check: None }) => Ok(Self::Audit),
            Ok(Command { audit: false, check: Some(id) }) => Ok(Self::Check(parse_secret_id(id)?)),
            _ => Err(InvalidEvent(
                "expected a step of a rotation, a scheduled event, {\"audit\": true} or {\"check\": \"<secret>\"}",
            )),
        }
    }
}

fn parse_secret_id(id: String) -> Result<String, InvalidEvent> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@:-".contains(c);
    if id.is_empty() || id.len() > MAX_SECRET_ID_LEN || !id.chars().all(allowed) {
        return Err(InvalidEvent("expected the name or the ARN of a secret"));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:sophos/credentials/acme-a1B2c3";
    const TOKEN: &str = "0f6b7c1e-6a3d-4c6e-9d5a-1f2e3d4c5b6a";

    #[test]
    fn task_is_parsed_from_steps_schedules_and_commands() {
        for (word, step) in [
            ("createSecret", RotationStep::CreateSecret),
            ("setSecret", RotationStep::SetSecret),
            ("testSecret", RotationStep::TestSecret),
            ("finishSecret", RotationStep::FinishSecret),
        ] {
            assert_eq!(step.to_string(), word);
            let event = json!({
                "Step": word, "SecretId": ARN, "ClientRequestToken": TOKEN, "RotationToken": "more",
            });
            let task = RotationTask::Rotate { step, secret: ARN.into(), token: TOKEN.into() };
            assert_eq!(RotationTask::parse(&event), Ok(task));
        }
        for (event, task) in [
            (json!({ "detail-type": "Scheduled Event", "source": "aws.events" }), RotationTask::Audit),
            (json!({ "audit": true }), RotationTask::Audit),
            (
                json!({ "check": "sophos/credentials/acme" }),
                RotationTask::Check("sophos/credentials/acme".into()),
            ),
        ] {
            assert_eq!(RotationTask::parse(&event), Ok(task), "{event}");
        }
    }

    #[test]
    fn invalid_event_is_rejected_without_echo() {
        for event in [
            json!({}),
            json!([]),
            json!("hush"),
            json!({ "audit": false }),
            json!({ "audit": true, "check": ARN }),
            json!({ "check": "a secret\nhush" }),
            json!({ "check": "" }),
            json!({ "hush": true }),
            json!({ "Step": "hush", "SecretId": ARN, "ClientRequestToken": TOKEN }),
            json!({ "Step": "testSecret", "SecretId": "hush hush", "ClientRequestToken": TOKEN }),
            json!({ "Step": "testSecret", "SecretId": ARN, "ClientRequestToken": "hush/hush" }),
            json!({ "Step": "testSecret", "SecretId": ARN, "ClientRequestToken": "" }),
            json!({ "Step": "testSecret", "SecretId": ARN }),
        ] {
            let error = RotationTask::parse(&event).expect_err("refused").to_string();
            assert!(!error.contains("hush"), "{event}: {error}");
        }
    }
}
