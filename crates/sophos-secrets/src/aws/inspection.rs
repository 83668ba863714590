use std::sync::Arc;

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata, types::Tag};
use jiff::Timestamp;

use super::{
    batch::{self, MAX_BATCH_SIZE, timestamp},
    fetch::{AWSPENDING, AWSPREVIOUS, read_error},
    listing::{SecretEntry, SecretSelector, list_secrets, usage_from_tags},
    usage::{USAGE_TAG_KEY, Usage},
    versions::SecretVersions,
};
use crate::{ListedCredential, SecretError, StoredCredential};

/// A credential with what a watch over it looks at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InspectedCredential {
    /// Its name.
    pub name: String,
    /// The credential, or why it is none.
    pub credential: Result<Arc<StoredCredential>, SecretError>,
    /// What is known only of a secret of Secrets Manager.
    pub metadata: Option<SecretMetadata>,
}

/// What Secrets Manager tells about a credential.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SecretMetadata {
    /// When the current version was stored.
    pub stored_at: Option<Timestamp>,
    /// The last day of which it is known that somebody read a value of it, those
    /// who survey it left aside. Until then it is the day on which it was stored.
    ///
    /// Exact where surveys are made each day after 18:00 UTC; of earlier ones
    /// their own reading cannot be told from others'.
    pub last_used: Option<Timestamp>,
    /// Whether a rotation has begun and not ended.
    pub rotation_in_progress: bool,
    /// The staged credentials, in the order of their turn.
    pub staged: Vec<StagedCredential>,
    /// The credential before the current one; read only if there are staged
    /// ones, which must not be the same.
    pub previous: Option<Arc<StoredCredential>>,
}

/// A staged credential.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StagedCredential {
    /// Its label.
    pub label: String,
    /// The credential, or why it is none.
    pub credential: Result<Arc<StoredCredential>, SecretError>,
}

impl InspectedCredential {
    /// A credential as its store lists it.
    pub fn from_listed(listed: ListedCredential) -> Self {
        Self { name: listed.name, credential: listed.credential, metadata: None }
    }

    /// The same, with what Secrets Manager tells.
    #[must_use]
    pub fn with_metadata(mut self, managed: SecretMetadata) -> Self {
        self.metadata = Some(managed);
        self
    }
}

impl StagedCredential {
    /// What is staged with this label.
    pub fn new(label: impl Into<String>, credential: Result<Arc<StoredCredential>, SecretError>) -> Self {
        Self { label: label.into(), credential }
    }
}

/// One `ListSecrets` for each hundred secrets, one `BatchGetSecretValue` for each
/// twenty, one `GetSecretValue` for each staged version and for the version before,
/// of secrets that have staged ones, and one `TagResource` for each secret.
pub(crate) async fn inspect(
    client: &Client,
    selection: &SecretSelector,
    now: Timestamp,
) -> Result<Vec<InspectedCredential>, SecretError> {
    let found = match selection {
        SecretSelector::Id(id) => match describe_secret(client, id).await? {
            Some(found) => vec![found],
            None => {
                let error = SecretError::new(id, "there is no such secret in this account and region");
                return Ok(vec![InspectedCredential {
                    name: id.clone(),
                    credential: Err(error),
                    metadata: None,
                }]);
            }
        },
        _ => list_secrets(client, selection).await?,
    };
    let all: Vec<_> = found.iter().collect();
    let mut surveyed = Vec::with_capacity(found.len());
    for part in all.chunks(MAX_BATCH_SIZE) {
        let read = batch::fetch_batch(client, &selection.describe(), part).await?;
        for (found, current) in part.iter().zip(read) {
            surveyed.push(inspect_secret(client, found, current, now).await);
        }
    }
    Ok(surveyed)
}

async fn describe_secret(client: &Client, id: &str) -> Result<Option<SecretEntry>, SecretError> {
    match client.describe_secret().secret_id(id).send().await {
        Ok(answer) => Ok(Some(SecretEntry {
            name: answer.name.unwrap_or_else(|| id.to_owned()),
            arn: answer.arn.unwrap_or_else(|| id.to_owned()),
            labels: answer.version_ids_to_stages.unwrap_or_default().into_iter().collect(),
            last_accessed: answer.last_accessed_date.as_ref().and_then(timestamp),
            usage: usage_from_tags(answer.tags.as_deref().unwrap_or_default()),
        })),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(read_error(id, &error)),
    }
}

async fn inspect_secret(
    client: &Client,
    found: &SecretEntry,
    current: Result<batch::CurrentVersion, SecretError>,
    now: Timestamp,
) -> InspectedCredential {
    let (stored_at, value) = match current {
        Ok(current) => (current.stored_at, current.value),
        Err(error) => (None, Err(error)),
    };
    let parse =
        |value| StoredCredential::from_json(&value).map_err(|told| SecretError::new(&found.name, told));
    let versions = SecretVersions::new(client.clone(), &found.arn);
    let read = async |version: &str| match versions.fetch_value(version).await? {
        Some(value) => parse(value).map(Arc::new),
        None => Err(SecretError::new(&found.name, "it has no value")),
    };
    let labels = &found.labels;
    let mut staged = Vec::new();
    for (label, version) in labels.staged() {
        staged.push(StagedCredential::new(label, read(version).await));
    }
    let previous = match labels.version_with(AWSPREVIOUS) {
        Some(previous) if !staged.is_empty() => read(previous).await.ok(),
        _ => None,
    };
    let rotating = labels
        .version_with(AWSPENDING)
        .is_some_and(|version| !labels.version_has_label(super::fetch::AWSCURRENT, version));
    let usage = Usage::after_inspection(found.usage, found.last_accessed, stored_at, now);
    if found.usage != Some(usage) {
        store_usage(client, found, usage).await;
    }
    InspectedCredential {
        name: found.name.clone(),
        credential: value.and_then(parse).map(Arc::new),
        metadata: Some(SecretMetadata {
            stored_at,
            last_used: usage.last_used(),
            rotation_in_progress: rotating,
            staged,
            previous,
        }),
    }
}

/// Notes for the next survey when the secret was used.
async fn store_usage(client: &Client, found: &SecretEntry, usage: Usage) {
    let tag = Tag::builder().key(USAGE_TAG_KEY).value(usage.to_tag_value()).build();
    if let Err(error) = client.tag_resource().secret_id(&found.arn).tags(tag).send().await {
        let error = read_error(&found.name, &error);
        tracing::warn!(event = "usage_tag_failed", %error, "failed to tag the last use of the secret; the audit cannot detect unused credentials");
    }
}
