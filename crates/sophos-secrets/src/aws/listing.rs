use std::collections::HashSet;

use aws_sdk_secretsmanager::{
    Client,
    types::{Filter, FilterNameStringType, SecretListEntry, Tag},
};
use jiff::Timestamp;

use super::{
    batch::timestamp,
    fetch::read_error,
    staging_labels::StagingLabels,
    usage::{USAGE_TAG_KEY, Usage},
};
use crate::SecretError;

/// The maximum number of secrets in a page.
const MAX_LIST_RESULTS: i32 = 100;

/// The selection of the secrets that are credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretSelector {
    /// One secret, by name or ARN.
    Id(String),
    /// All secrets with this prefix of their names, such as `sophos/credentials/`.
    Prefix(String),
    /// All secrets with this tag.
    Tag {
        /// The tag's key.
        key: String,
        /// The tag's value.
        value: String,
    },
}

impl SecretSelector {
    /// The description for messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Id(id) => id.clone(),
            Self::Prefix(prefix) => format!("secrets {prefix}*"),
            Self::Tag { key, value } => format!("secrets with the tag {key}={value}"),
        }
    }

    fn filters(&self) -> Vec<Filter> {
        let filter = |key, value: &str| Filter::builder().key(key).values(value).build();
        match self {
            Self::Id(_) => Vec::new(),
            Self::Prefix(prefix) => vec![filter(FilterNameStringType::Name, prefix)],
            Self::Tag { key, value } => {
                vec![filter(FilterNameStringType::TagKey, key), filter(FilterNameStringType::TagValue, value)]
            }
        }
    }

    /// Whether a listed secret matches exactly. The service's filters match prefixes in any
    /// case, and the key of one tag with the value of another.
    fn matches(&self, entry: &SecretListEntry) -> bool {
        match self {
            Self::Id(_) => true,
            Self::Prefix(prefix) => entry.name().is_some_and(|name| name.starts_with(prefix)),
            Self::Tag { key, value } => {
                entry.tags().iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
            }
        }
    }
}

/// A secret in a listing.
pub(crate) struct SecretEntry {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// The labels of its versions.
    pub(crate) labels: StagingLabels,
    /// The day of the last read.
    pub(crate) last_accessed: Option<Timestamp>,
    /// The usage that the last audit stored.
    pub(crate) usage: Option<Usage>,
}

/// Lists the secrets of a selection in the order of their names, with one request for
/// each hundred. Fails if a page token repeats, since the listing would not end.
pub(crate) async fn list_secrets(
    client: &Client,
    selection: &SecretSelector,
) -> Result<Vec<SecretEntry>, SecretError> {
    let mut found = Vec::new();
    let mut token = None;
    let mut tokens = HashSet::new();
    loop {
        let request = client.list_secrets().max_results(MAX_LIST_RESULTS).set_next_token(token);
        let response = request.set_filters(Some(selection.filters())).send().await;
        let response = response.map_err(|error| read_error(&selection.describe(), &error))?;
        token = response.next_token.filter(|token| !token.is_empty());
        let entries = response.secret_list.unwrap_or_default();
        found.extend(entries.iter().filter(|entry| selection.matches(entry)).filter_map(parse_entry));
        let Some(token) = &token else { break };
        if !tokens.insert(token.clone()) {
            let problem = "ListSecrets failed: Secrets Manager repeats the NextToken of an earlier page";
            return Err(SecretError::new(selection.describe(), problem));
        }
    }
    found.sort_by(|a: &SecretEntry, b| a.name.cmp(&b.name));
    Ok(found)
}

fn parse_entry(entry: &SecretListEntry) -> Option<SecretEntry> {
    Some(SecretEntry {
        name: entry.name()?.to_owned(),
        arn: entry.arn()?.to_owned(),
        labels: entry.secret_versions_to_stages().cloned().unwrap_or_default().into_iter().collect(),
        last_accessed: entry.last_accessed_date().and_then(timestamp),
        usage: usage_from_tags(entry.tags()),
    })
}

/// The usage that the last audit stored in a tag.
pub(crate) fn usage_from_tags(tags: &[Tag]) -> Option<Usage> {
    tags.iter().find(|tag| tag.key() == Some(USAGE_TAG_KEY)).and_then(|tag| Usage::parse(tag.value()?))
}
