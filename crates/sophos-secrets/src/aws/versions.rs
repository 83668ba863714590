use std::fmt;

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};

use super::{
    fetch::{read_error, secret_text, write_error},
    staging_labels::StagingLabels,
};
use crate::{ExposeSecret, SecretError, SecretString};

/// The versions of one secret of Secrets Manager, for its rotation.
pub struct SecretVersions {
    client: Client,
    id: String,
}

/// A secret without its values.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SecretDescription {
    /// Whether rotation is enabled.
    pub rotation_enabled: bool,
    /// The labels of its versions.
    pub labels: StagingLabels,
}

impl SecretDescription {
    /// Creates a description.
    pub fn new(rotation_enabled: bool, labels: StagingLabels) -> Self {
        Self { rotation_enabled, labels }
    }
}

impl SecretVersions {
    /// Creates a handle for the secret of this name or ARN.
    pub fn new(client: Client, id: impl Into<String>) -> Self {
        Self { client, id: id.into() }
    }

    /// The name or ARN of the secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Reads the labels of the versions (`DescribeSecret`).
    ///
    /// # Errors
    /// When the secret does not exist or cannot be read.
    pub async fn describe(&self) -> Result<SecretDescription, SecretError> {
        let response = self.client.describe_secret().secret_id(&self.id).send().await;
        let response = response.map_err(|error| read_error(&self.id, &error))?;
        let labels = response.version_ids_to_stages.unwrap_or_default().into_iter().collect();
        Ok(SecretDescription { rotation_enabled: response.rotation_enabled.unwrap_or_default(), labels })
    }

    /// Reads the value of a version (`GetSecretValue`). `None` if the version does not
    /// exist or has no value yet.
    ///
    /// # Errors
    /// When the value cannot be read or is not text.
    pub async fn fetch_value(&self, version: &str) -> Result<Option<SecretString>, SecretError> {
        let response = self.client.get_secret_value().secret_id(&self.id).version_id(version).send().await;
        match response {
            Ok(response) => secret_text(&self.id, response.secret_string).map(Some),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(read_error(&self.id, &error)),
        }
    }

    /// Stores `value` as this version with a single label (`PutSecretValue`). Idempotent
    /// for the same value; Secrets Manager rejects another value.
    ///
    /// # Errors
    /// When the value cannot be stored.
    pub async fn put_value(
        &self,
        version: &str,
        value: &SecretString,
        label: &str,
    ) -> Result<(), SecretError> {
        let request = self.client.put_secret_value().secret_id(&self.id).client_request_token(version);
        let request = request.secret_string(value.expose_secret()).version_stages(label);
        let response = request.send().await;
        response.map(drop).map_err(|error| write_error(&self.id, &error))
    }

    /// Moves a label from version `from` to version `to` (`UpdateSecretVersionStage`).
    /// `None` adds or removes the label. With `AWSCURRENT`, Secrets Manager moves
    /// `AWSPREVIOUS` as well.
    ///
    /// # Errors
    /// When the label is not on `from`, or cannot be moved.
    pub async fn move_label(
        &self,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), SecretError> {
        let request = self.client.update_secret_version_stage().secret_id(&self.id).version_stage(label);
        let request = request.set_remove_from_version_id(from.map(str::to_owned));
        let response = request.set_move_to_version_id(to.map(str::to_owned)).send().await;
        response.map(drop).map_err(|error| write_error(&self.id, &error))
    }
}

impl fmt::Debug for SecretVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretVersions").field(&self.id).finish()
    }
}
