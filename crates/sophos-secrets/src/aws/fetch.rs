use std::error::Error;

use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use secrecy::SecretString;

use crate::SecretError;

/// The label of the current version.
pub const AWSCURRENT: &str = "AWSCURRENT";
/// The label of the previous version.
pub const AWSPREVIOUS: &str = "AWSPREVIOUS";
/// The label of the version that a rotation is about to make current.
pub const AWSPENDING: &str = "AWSPENDING";

/// The maximum length of a service's message in an error, in characters.
const MAX_MESSAGE_LEN: usize = 300;

/// A version of a secret.
pub(crate) struct FetchedVersion {
    pub(crate) value: Result<SecretString, SecretError>,
    pub(crate) version: String,
}

/// Reads the version of a secret with this label; `None` if no version has it.
pub(crate) async fn fetch_version(
    client: &Client,
    id: &str,
    label: &str,
) -> Result<Option<FetchedVersion>, SecretError> {
    // Always with the label, so that the version does not depend on a default.
    let response = client.get_secret_value().secret_id(id).version_stage(label).send().await;
    let response = match response {
        Ok(response) => response,
        Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
        Err(error) => return Err(read_error(id, &error)),
    };
    let value = secret_text(id, response.secret_string);
    Ok(Some(FetchedVersion { value, version: response.version_id.unwrap_or_default() }))
}

/// The text of a secret, moved without a copy.
pub(crate) fn secret_text(id: &str, text: Option<String>) -> Result<SecretString, SecretError> {
    text.map(SecretString::from)
        .ok_or_else(|| SecretError::new(id, "the secret is binary; store it as text (SecretString)"))
}

const READ_ACTION: &str = "read secrets";

/// The error of a read of `location`, with a remedy. Contains only the service's message:
/// an invalid response may contain the secret.
pub(crate) fn read_error<E, R>(location: &str, error: &SdkError<E, R>) -> SecretError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    sdk_error(location, error, READ_ACTION)
}

/// The error of a write to `location`, with a remedy.
pub(crate) fn write_error<E, R>(location: &str, error: &SdkError<E, R>) -> SecretError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    sdk_error(location, error, "store secrets and move their labels")
}

fn sdk_error<E, R>(location: &str, error: &SdkError<E, R>, action: &str) -> SecretError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    let problem = match (error.code(), error) {
        (Some(code), _) => describe_error(code, error.message(), action),
        (None, SdkError::TimeoutError(_)) => {
            "the request to Secrets Manager timed out; check the route to it".into()
        }
        (None, SdkError::DispatchFailure(failure)) => {
            let reason = failure.as_connector_error().map(|error| error_chain(error)).unwrap_or_default();
            format!("connecting to Secrets Manager failed{}", sanitize(&reason))
        }
        (None, SdkError::ConstructionFailure(_)) => {
            "building the request failed; check the region and the credentials of AWS".into()
        }
        (None, _) => "the response of Secrets Manager is invalid".into(),
    };
    SecretError::new(location, problem)
}

/// The message of a service error about the read of one secret.
pub(crate) fn describe_read_error(code: &str, message: Option<&str>) -> String {
    describe_error(code, message, READ_ACTION)
}

fn describe_error(code: &str, message: Option<&str>, action: &str) -> String {
    let advice = match code {
        "AccessDeniedException" | "AccessDenied" => {
            format!("; allow the function's role to {action}, and to use their key")
        }
        "ResourceNotFoundException" => "; create the secret, or store a current version".into(),
        _ => String::new(),
    };
    let message = message.map(|message| format!(": {}", sanitize(message))).unwrap_or_default();
    format!("Secrets Manager returned {}{message}{advice}", sanitize(code))
}

/// Replaces control characters and bounds the length.
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
