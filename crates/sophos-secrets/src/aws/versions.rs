use std::fmt;

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};

use super::{
    fetch::{read_error, secret_text, write_error},
    staging_labels::StagingLabels,
};
use crate::{ExposeSecret, SecretError, SecretString};

/// The versions of one secret of Secrets Manager: what its rotation works on.
pub struct SecretVersions {
    client: Client,
    id: String,
}

/// A secret without its values.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SecretDescription {
    /// Whether Secrets Manager is to rotate it.
    pub rotation_enabled: bool,
    /// Its versions.
    pub labels: StagingLabels,
}

impl SecretDescription {
    /// A secret of these versions, that rotates or not.
    pub fn new(rotates: bool, labels: StagingLabels) -> Self {
        Self { rotation_enabled: rotates, labels }
    }
}

impl SecretVersions {
    /// The secret of this name or ARN.
    pub fn new(client: Client, id: impl Into<String>) -> Self {
        Self { client, id: id.into() }
    }

    /// The name or ARN by which it was asked for.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Reads which versions there are (`DescribeSecret`).
    ///
    /// # Errors
    /// When there is no such secret, or it cannot be read.
    pub async fn describe(&self) -> Result<SecretDescription, SecretError> {
        let answer = self.client.describe_secret().secret_id(&self.id).send().await;
        let answer = answer.map_err(|error| read_error(&self.id, &error))?;
        let labels = answer.version_ids_to_stages.unwrap_or_default().into_iter().collect();
        Ok(SecretDescription { rotation_enabled: answer.rotation_enabled.unwrap_or_default(), labels })
    }

    /// Reads a version (`GetSecretValue`). `None` when there is none, or it has
    /// no value yet.
    ///
    /// # Errors
    /// When it cannot be read, or is not text.
    pub async fn fetch_value(&self, version: &str) -> Result<Option<SecretString>, SecretError> {
        let answer = self.client.get_secret_value().secret_id(&self.id).version_id(version).send().await;
        match answer {
            Ok(answer) => secret_text(&self.id, answer.secret_string).map(Some),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(read_error(&self.id, &error)),
        }
    }

    /// Stores `value` as this version, with this label alone (`PutSecretValue`).
    /// The same value again changes nothing, another is refused.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn put_value(
        &self,
        version: &str,
        value: &SecretString,
        label: &str,
    ) -> Result<(), SecretError> {
        let request = self.client.put_secret_value().secret_id(&self.id).client_request_token(version);
        let request = request.secret_string(value.expose_secret()).version_stages(label);
        let answer = request.send().await;
        answer.map(drop).map_err(|error| write_error(&self.id, &error))
    }

    /// Moves a label from the version that has it, if one has, to another, or
    /// takes it off (`UpdateSecretVersionStage`). With `AWSCURRENT` Secrets
    /// Manager moves `AWSPREVIOUS` as well.
    ///
    /// # Errors
    /// When it is not where it is said to be, or cannot be moved.
    pub async fn move_label(
        &self,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), SecretError> {
        let request = self.client.update_secret_version_stage().secret_id(&self.id).version_stage(label);
        let request = request.set_remove_from_version_id(from.map(str::to_owned));
        let answer = request.set_move_to_version_id(to.map(str::to_owned)).send().await;
        answer.map(drop).map_err(|error| write_error(&self.id, &error))
    }
}

impl fmt::Debug for SecretVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretVersions").field(&self.id).finish()
    }
}
