use std::error::Error;

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use secrecy::SecretString;

use crate::SecretError;

/// The label of the version that is in force.
pub const AWSCURRENT: &str = "AWSCURRENT";
/// The label of the version before it.
pub const AWSPREVIOUS: &str = "AWSPREVIOUS";
/// The label of the version that a rotation is about to bring into force.
pub const AWSPENDING: &str = "AWSPENDING";

/// Longest text of the service that is repeated, in characters.
const MAX_MESSAGE_LEN: usize = 300;

/// A version of a secret.
pub(crate) struct FetchedVersion {
    pub(crate) value: Result<SecretString, SecretError>,
    pub(crate) version: String,
}

/// Reads the version of a secret that has this label; `None` if none has it.
pub(crate) async fn fetch_version(
    client: &Client,
    id: &str,
    label: &str,
) -> Result<Option<FetchedVersion>, SecretError> {
    // Always with the label: which version it is must not depend on a default.
    let answer = client.get_secret_value().secret_id(id).version_stage(label).send().await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
        Err(error) => return Err(read_error(id, &error)),
    };
    let value = secret_text(id, answer.secret_string);
    Ok(Some(FetchedVersion { value, version: answer.version_id.unwrap_or_default() }))
}

/// The text of a secret, taken over without a copy of ours.
pub(crate) fn secret_text(id: &str, text: Option<String>) -> Result<SecretString, SecretError> {
    text.map(SecretString::from)
        .ok_or_else(|| SecretError::new(id, "is binary; store it as text (SecretString)"))
}

const READ_ACTION: &str = "read it";

/// What went wrong with a request about `location`, and what to do. Only what the
/// service says for people is repeated: an answer that cannot be read may hold
/// the secret.
pub(crate) fn read_error<E, R>(place: &str, error: &SdkError<E, R>) -> SecretError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    sdk_error(place, error, READ_ACTION)
}

/// The same, of a request that changes something.
pub(crate) fn write_error<E, R>(place: &str, error: &SdkError<E, R>) -> SecretError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    sdk_error(place, error, "store values and move labels in it")
}

fn sdk_error<E, R>(place: &str, error: &SdkError<E, R>, action: &str) -> SecretError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    let problem = match (error.code(), error) {
        (Some(code), _) => describe_error(code, error.message(), action),
        (None, SdkError::TimeoutError(_)) => "Secrets Manager did not answer in time".into(),
        (None, SdkError::DispatchFailure(failure)) => {
            let reason = failure.as_connector_error().map(|error| error_chain(error)).unwrap_or_default();
            format!("Secrets Manager cannot be reached{}", sanitize(&reason))
        }
        (None, SdkError::ConstructionFailure(_)) => {
            "the request cannot be made; check the region and the credentials of AWS".into()
        }
        (None, _) => "Secrets Manager's answer cannot be read".into(),
    };
    SecretError::new(place, problem)
}

/// What an error of the service about the reading of one secret says.
pub(crate) fn describe_read_error(code: &str, message: Option<&str>) -> String {
    describe_error(code, message, READ_ACTION)
}

fn describe_error(code: &str, message: Option<&str>, action: &str) -> String {
    let advice = match code {
        "AccessDeniedException" | "AccessDenied" => {
            format!("; the function's role needs the right to {action}, and to use its key")
        }
        "ResourceNotFoundException" => "; create it, or store a version that is current".into(),
        _ => String::new(),
    };
    let message = message.map(|message| format!(": {}", sanitize(message))).unwrap_or_default();
    format!("Secrets Manager answers {}{message}{advice}", sanitize(code))
}

/// One line, of bounded length.
fn sanitize(text: &str) -> String {
    text.chars().take(MAX_MESSAGE_LEN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn error_chain(error: &dyn Error) -> String {
    let mut text = format!(": {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
