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

/// A credential with its metadata for an audit.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InspectedCredential {
    /// The name.
    pub name: String,
    /// The credential, or its error.
    pub credential: Result<Arc<StoredCredential>, SecretError>,
    /// The metadata; `None` outside of Secrets Manager.
    pub metadata: Option<SecretMetadata>,
}

/// The metadata of a secret in Secrets Manager.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SecretMetadata {
    /// The time at which the current version was stored.
    pub stored_at: Option<Timestamp>,
    /// The last day on which the secret was read, except by audits. Before the first read,
    /// the day on which it was stored.
    ///
    /// Exact if audits run each day after 18:00 UTC. The reads of earlier audits cannot be
    /// told from others.
    pub last_used: Option<Timestamp>,
    /// Whether a rotation has started and not ended.
    pub rotation_in_progress: bool,
    /// The staged credentials, in the order of rotation.
    pub staged: Vec<StagedCredential>,
    /// The previous credential. Read only if there are staged credentials, which must
    /// differ from it.
    pub previous: Option<Arc<StoredCredential>>,
}

/// A staged credential.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StagedCredential {
    /// The staging label.
    pub label: String,
    /// The credential, or its error.
    pub credential: Result<Arc<StoredCredential>, SecretError>,
}

impl InspectedCredential {
    /// Converts an entry of a listing, without metadata.
    pub fn from_listed(listed: ListedCredential) -> Self {
        Self { name: listed.name, credential: listed.credential, metadata: None }
    }

    /// Adds the metadata of Secrets Manager.
    #[must_use]
    pub fn with_metadata(mut self, metadata: SecretMetadata) -> Self {
        self.metadata = Some(metadata);
        self
    }
}

impl StagedCredential {
    /// Creates a staged credential with this label.
    pub fn new(label: impl Into<String>, credential: Result<Arc<StoredCredential>, SecretError>) -> Self {
        Self { label: label.into(), credential }
    }
}

/// Reads all credentials with their metadata, and stores the usage of each in a tag
/// (`TagResource`).
pub(crate) async fn inspect(
    client: &Client,
    selection: &SecretSelector,
    now: Timestamp,
) -> Result<Vec<InspectedCredential>, SecretError> {
    let found = match selection {
        SecretSelector::Id(id) => match describe_secret(client, id).await? {
            Some(found) => vec![found],
            None => {
                let error =
                    SecretError::new(id, "the secret does not exist in this account and region; create it");
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
    let mut inspected = Vec::with_capacity(found.len());
    for batch in all.chunks(MAX_BATCH_SIZE) {
        let versions = batch::fetch_batch(client, &selection.describe(), batch).await?;
        for (found, current) in batch.iter().zip(versions) {
            inspected.push(inspect_secret(client, found, current, now).await);
        }
    }
    Ok(inspected)
}

async fn describe_secret(client: &Client, id: &str) -> Result<Option<SecretEntry>, SecretError> {
    match client.describe_secret().secret_id(id).send().await {
        Ok(secret) => Ok(Some(SecretEntry {
            name: secret.name.unwrap_or_else(|| id.to_owned()),
            arn: secret.arn.unwrap_or_else(|| id.to_owned()),
            labels: secret.version_ids_to_stages.unwrap_or_default().into_iter().collect(),
            last_accessed: secret.last_accessed_date.as_ref().and_then(timestamp),
            usage: usage_from_tags(secret.tags.as_deref().unwrap_or_default()),
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
    let parse = |value| {
        StoredCredential::from_json(&value).map_err(|error| SecretError::new(&found.name, error.to_string()))
    };
    let versions = SecretVersions::new(client.clone(), &found.arn);
    let read = async |version: &str| match versions.fetch_value(version).await? {
        Some(value) => parse(value).map(Arc::new),
        None => Err(SecretError::new(&found.name, "the version has no value")),
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
    let rotation_in_progress = labels
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
            rotation_in_progress,
            staged,
            previous,
        }),
    }
}

/// Stores the usage of the secret in a tag for the next audit.
async fn store_usage(client: &Client, found: &SecretEntry, usage: Usage) {
    let tag = Tag::builder().key(USAGE_TAG_KEY).value(usage.to_tag_value()).build();
    if let Err(error) = client.tag_resource().secret_id(&found.arn).tags(tag).send().await {
        let error = read_error(&found.name, &error);
        tracing::warn!(event = "usage_tag_failed", secret_name = found.name, %error, "failed to store the last use of a secret in its tag; audits cannot detect whether it is unused");
    }
}
