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

/// Longest text of the service that is repeated, in characters.
const LONGEST: usize = 300;

/// A version of a secret.
pub(crate) struct Fetched {
    pub(crate) value: Result<SecretString, SourceError>,
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
    let value = text(id, answer.secret_string);
    Ok(Some(Fetched { value, version: answer.version_id.unwrap_or_default() }))
}

/// The text of a secret, taken over without a copy of ours.
pub(crate) fn text(id: &str, text: Option<String>) -> Result<SecretString, SourceError> {
    text.map(SecretString::from)
        .ok_or_else(|| SourceError::new(id, "is binary; store it as text (SecretString)"))
}

const READ: &str = "read it";

/// What went wrong with a request about `place`, and what to do. Only what the
/// service says for people is repeated: an answer that cannot be read may hold
/// the secret.
pub(crate) fn failed<E, R>(place: &str, error: &SdkError<E, R>) -> SourceError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    problem(place, error, READ)
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
    let problem = match (error.code(), error) {
        (Some(code), _) => explain(code, error.message(), deed),
        (None, SdkError::TimeoutError(_)) => "Secrets Manager did not answer in time".into(),
        (None, SdkError::DispatchFailure(failure)) => {
            let reason = failure.as_connector_error().map(|error| causes(error)).unwrap_or_default();
            format!("Secrets Manager cannot be reached{}", clean(&reason))
        }
        (None, SdkError::ConstructionFailure(_)) => {
            "the request cannot be made; check the region and the credentials of AWS".into()
        }
        (None, _) => "Secrets Manager's answer cannot be read".into(),
    };
    SourceError::new(place, problem)
}

/// What an error of the service about the reading of one secret says.
pub(crate) fn unreadable(code: &str, message: Option<&str>) -> String {
    explain(code, message, READ)
}

fn explain(code: &str, message: Option<&str>, deed: &str) -> String {
    let advice = match code {
        "AccessDeniedException" | "AccessDenied" => {
            format!("; the function's role needs the right to {deed}, and to use its key")
        }
        "ResourceNotFoundException" => "; create it, or store a version that is current".into(),
        _ => String::new(),
    };
    let message = message.map(|message| format!(": {}", clean(message))).unwrap_or_default();
    format!("Secrets Manager answers {}{message}{advice}", clean(code))
}

/// One line, of bounded length.
fn clean(text: &str) -> String {
    text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect()
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
