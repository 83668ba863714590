use std::error::Error;

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use secrecy::SecretString;

use crate::SourceError;

/// The label of the version that is in force.
pub const CURRENT: &str = "AWSCURRENT";
/// The label of the version before it.
pub const PREVIOUS: &str = "AWSPREVIOUS";
/// The label of the version that a rotation is about to bring into force.
pub const PENDING: &str = "AWSPENDING";

/// A version of a secret.
pub(crate) struct Fetched {
    pub(crate) value: SecretString,
    pub(crate) version: String,
}

/// Reads the version of a secret that has this label; `None` if none has it.
pub(crate) async fn labelled(client: &Client, id: &str, label: &str) -> Result<Option<Fetched>, SourceError> {
    // Always with the label: which version it is must not depend on a default.
    let answer = client.get_secret_value().secret_id(id).version_stage(label).send().await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
        Err(error) => return Err(failed(id, &error)),
    };
    let version = answer.version_id.unwrap_or_default();
    text(id, answer.secret_string).map(|value| Some(Fetched { value, version }))
}

/// The text of a secret, taken over without a copy of ours.
pub(crate) fn text(id: &str, text: Option<String>) -> Result<SecretString, SourceError> {
    text.map(SecretString::from)
        .ok_or_else(|| SourceError::new(id, "is binary; store it as text (SecretString)"))
}

/// What went wrong with a request about `place`, and what to do. Only what the
/// service says for people is repeated: an answer that cannot be read may hold
/// the secret.
pub(crate) fn failed<E, R>(place: &str, error: &SdkError<E, R>) -> SourceError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    problem(place, error, "read it")
}

/// The same, of a request that changes something.
pub(crate) fn failed_to_change<E, R>(place: &str, error: &SdkError<E, R>) -> SourceError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    problem(place, error, "store values and move labels in it")
}

fn problem<E, R>(place: &str, error: &SdkError<E, R>, deed: &str) -> SourceError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    let told = |code: &str| match error.message() {
        Some(message) => format!("Secrets Manager answers {code}: {message}"),
        None => format!("Secrets Manager answers {code}"),
    };
    let problem = match (error.code(), error) {
        (Some(code @ ("AccessDeniedException" | "AccessDenied")), _) => {
            format!("{}; the function's role needs the right to {deed}, and to use its key", told(code))
        }
        (Some(code), _) => told(code),
        (None, SdkError::TimeoutError(_)) => "Secrets Manager did not answer in time".into(),
        (None, SdkError::DispatchFailure(failure)) => {
            let reason = failure.as_connector_error().map(|error| causes(error)).unwrap_or_default();
            format!("Secrets Manager cannot be reached{reason}")
        }
        (None, SdkError::ConstructionFailure(_)) => {
            "the request cannot be made; check the region and the credentials of AWS".into()
        }
        (None, _) => "Secrets Manager's answer cannot be read".into(),
    };
    SourceError::new(place, problem)
}

fn causes(error: &dyn Error) -> String {
    let mut text = format!(": {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
