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

/// Secrets in one answer at most.
const MAX_LIST_RESULTS: i32 = 100;

/// Which secrets are credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretSelector {
    /// The one of this name or ARN.
    Id(String),
    /// All whose names begin so, such as `sophos/credentials/`.
    Prefix(String),
    /// All that have this tag, of this value.
    Tag {
        /// The tag's key.
        key: String,
        /// Its value.
        value: String,
    },
}

impl SecretSelector {
    /// For people.
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

    /// The service's filters take every beginning, in any case, and a tag's key
    /// and another's value.
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
    /// Its versions, if the listing tells.
    pub(crate) labels: StagingLabels,
    /// The day on which it was last read.
    pub(crate) last_accessed: Option<Timestamp>,
    /// What the last survey noted.
    pub(crate) usage: Option<Usage>,
}

/// Lists the secrets of a selection, by name: one request for each hundred. A listing
/// that gives the token of a page again fails: it has no end.
pub(crate) async fn list_secrets(
    client: &Client,
    selection: &SecretSelector,
) -> Result<Vec<SecretEntry>, SecretError> {
    let mut found = Vec::new();
    let mut token = None;
    let mut tokens = HashSet::new();
    loop {
        let request = client.list_secrets().max_results(MAX_LIST_RESULTS).set_next_token(token);
        let answer = request.set_filters(Some(selection.filters())).send().await;
        let answer = answer.map_err(|error| read_error(&selection.describe(), &error))?;
        token = answer.next_token.filter(|token| !token.is_empty());
        let entries = answer.secret_list.unwrap_or_default();
        found.extend(entries.iter().filter(|entry| selection.matches(entry)).filter_map(parse_entry));
        let Some(token) = &token else { break };
        if !tokens.insert(token.clone()) {
            let problem = "ListSecrets failed: Secrets Manager gives the NextToken of an earlier page again";
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

/// What the last survey noted in a tag.
pub(crate) fn usage_from_tags(tags: &[Tag]) -> Option<Usage> {
    tags.iter().find(|tag| tag.key() == Some(USAGE_TAG_KEY)).and_then(|tag| Usage::parse(tag.value()?))
}
