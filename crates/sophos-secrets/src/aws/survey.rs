use std::sync::Arc;

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata, types::Tag};
use jiff::Timestamp;

use super::{
    batch::{self, MOST_IN_BATCH, timestamp},
    fetch::{PENDING, PREVIOUS, failed},
    listing::{Found, Selection, list, usage},
    usage::{TAG, Usage},
    versions::SecretVersions,
};
use crate::{Listed, SourceError, StoredCredential};

/// A credential with what a watch over it looks at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Surveyed {
    /// Its name.
    pub name: String,
    /// The credential, or why it is none.
    pub credential: Result<Arc<StoredCredential>, SourceError>,
    /// What is known only of a secret of Secrets Manager.
    pub managed: Option<Managed>,
}

/// What Secrets Manager tells about a credential.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Managed {
    /// When the current version was stored.
    pub stored_at: Option<Timestamp>,
    /// The last day of which it is known that somebody read a value of it, those
    /// who survey it left aside. Until then it is the day on which it was stored.
    ///
    /// Exact where surveys are made each day after 18:00 UTC; of earlier ones
    /// their own reading cannot be told from others'.
    pub last_used: Option<Timestamp>,
    /// Whether a rotation has begun and not ended.
    pub rotating: bool,
    /// The staged credentials, in the order of their turn.
    pub staged: Vec<Staged>,
    /// The credential before the current one; read only if there are staged
    /// ones, which must not be the same.
    pub previous: Option<Arc<StoredCredential>>,
}

/// A staged credential.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Staged {
    /// Its label.
    pub label: String,
    /// The credential, or why it is none.
    pub credential: Result<Arc<StoredCredential>, SourceError>,
}

impl Surveyed {
    /// A credential as its store lists it.
    pub fn of(listed: Listed) -> Self {
        Self { name: listed.name, credential: listed.credential, managed: None }
    }

    /// The same, with what Secrets Manager tells.
    #[must_use]
    pub fn with(mut self, managed: Managed) -> Self {
        self.managed = Some(managed);
        self
    }
}

impl Staged {
    /// What is staged with this label.
    pub fn new(label: impl Into<String>, credential: Result<Arc<StoredCredential>, SourceError>) -> Self {
        Self { label: label.into(), credential }
    }
}

/// One `ListSecrets` for each hundred secrets, one `BatchGetSecretValue` for each
/// twenty, one `GetSecretValue` for each staged version and for the version before,
/// of secrets that have staged ones, and one `TagResource` for each secret.
pub(crate) async fn survey(
    client: &Client,
    selection: &Selection,
    now: Timestamp,
) -> Result<Vec<Surveyed>, SourceError> {
    let found = match selection {
        Selection::One(id) => match described(client, id).await? {
            Some(found) => vec![found],
            None => {
                let error = SourceError::new(id, "there is no such secret in this account and region");
                return Ok(vec![Surveyed { name: id.clone(), credential: Err(error), managed: None }]);
            }
        },
        _ => list(client, selection).await?,
    };
    let all: Vec<_> = found.iter().collect();
    let mut surveyed = Vec::with_capacity(found.len());
    for part in all.chunks(MOST_IN_BATCH) {
        let read = batch::read(client, &selection.describe(), part).await?;
        for (found, current) in part.iter().zip(read) {
            surveyed.push(one(client, found, current, now).await);
        }
    }
    Ok(surveyed)
}

async fn described(client: &Client, id: &str) -> Result<Option<Found>, SourceError> {
    match client.describe_secret().secret_id(id).send().await {
        Ok(answer) => Ok(Some(Found {
            name: answer.name.unwrap_or_else(|| id.to_owned()),
            arn: answer.arn.unwrap_or_else(|| id.to_owned()),
            labels: answer.version_ids_to_stages.unwrap_or_default().into_iter().collect(),
            last_read: answer.last_accessed_date.as_ref().and_then(timestamp),
            usage: usage(answer.tags.as_deref().unwrap_or_default()),
        })),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(failed(id, &error)),
    }
}

async fn one(
    client: &Client,
    found: &Found,
    current: Result<batch::Current, SourceError>,
    now: Timestamp,
) -> Surveyed {
    let (stored_at, value) = match current {
        Ok(current) => (current.stored_at, current.value),
        Err(error) => (None, Err(error)),
    };
    let parse =
        |value| StoredCredential::from_json(&value).map_err(|told| SourceError::new(&found.name, told));
    let versions = SecretVersions::new(client.clone(), &found.arn);
    let read = async |version: &str| match versions.value(version).await? {
        Some(value) => parse(value).map(Arc::new),
        None => Err(SourceError::new(&found.name, "it has no value")),
    };
    let labels = &found.labels;
    let mut staged = Vec::new();
    for (label, version) in labels.staged() {
        staged.push(Staged::new(label, read(version).await));
    }
    let previous = match labels.holder(PREVIOUS) {
        Some(previous) if !staged.is_empty() => read(previous).await.ok(),
        _ => None,
    };
    let rotating =
        labels.holder(PENDING).is_some_and(|version| !labels.is_on(super::fetch::CURRENT, version));
    let usage = Usage::after(found.usage, found.last_read, stored_at, now);
    if found.usage != Some(usage) {
        note(client, found, usage).await;
    }
    Surveyed {
        name: found.name.clone(),
        credential: value.and_then(parse).map(Arc::new),
        managed: Some(Managed { stored_at, last_used: usage.last_used(), rotating, staged, previous }),
    }
}

/// Notes for the next survey when the secret was used.
async fn note(client: &Client, found: &Found, usage: Usage) {
    let tag = Tag::builder().key(TAG).value(usage.write()).build();
    if let Err(error) = client.tag_resource().secret_id(&found.arn).tags(tag).send().await {
        let error = failed(&found.name, &error);
        tracing::warn!(%error, "when it was used is not noted: unused credentials are not found");
    }
}
