use std::collections::HashSet;

use aws_sdk_secretsmanager::{
    Client,
    types::{Filter, FilterNameStringType, SecretListEntry, Tag},
};
use jiff::Timestamp;

use super::{
    batch::timestamp,
    fetch::failed,
    labels::Labels,
    usage::{TAG, Usage},
};
use crate::SourceError;

/// Secrets in one answer at most.
const MOST_LISTED: i32 = 100;

/// Which secrets are credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// The one of this name or ARN.
    One(String),
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

impl Selection {
    /// For people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::One(id) => id.clone(),
            Self::Prefix(prefix) => format!("secrets {prefix}*"),
            Self::Tag { key, value } => format!("secrets with the tag {key}={value}"),
        }
    }

    fn filters(&self) -> Vec<Filter> {
        let filter = |key, value: &str| Filter::builder().key(key).values(value).build();
        match self {
            Self::One(_) => Vec::new(),
            Self::Prefix(prefix) => vec![filter(FilterNameStringType::Name, prefix)],
            Self::Tag { key, value } => {
                vec![filter(FilterNameStringType::TagKey, key), filter(FilterNameStringType::TagValue, value)]
            }
        }
    }

    /// The service's filters take every beginning, in any case, and a tag's key
    /// and another's value.
    fn fits(&self, entry: &SecretListEntry) -> bool {
        match self {
            Self::One(_) => true,
            Self::Prefix(prefix) => entry.name().is_some_and(|name| name.starts_with(prefix)),
            Self::Tag { key, value } => {
                entry.tags().iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
            }
        }
    }
}

/// A secret in a listing.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// Its versions, if the listing tells.
    pub(crate) labels: Labels,
    /// The day on which it was last read.
    pub(crate) last_read: Option<Timestamp>,
    /// What the last survey noted.
    pub(crate) usage: Option<Usage>,
}

/// Lists the secrets of a selection, by name: one request for each hundred. A listing
/// that gives the token of a page again fails: it has no end.
pub(crate) async fn list(client: &Client, selection: &Selection) -> Result<Vec<Found>, SourceError> {
    let mut found = Vec::new();
    let mut token = None;
    let mut tokens = HashSet::new();
    loop {
        let request = client.list_secrets().max_results(MOST_LISTED).set_next_token(token);
        let answer = request.set_filters(Some(selection.filters())).send().await;
        let answer = answer.map_err(|error| failed(&selection.describe(), &error))?;
        token = answer.next_token.filter(|token| !token.is_empty());
        let entries = answer.secret_list.unwrap_or_default();
        found.extend(entries.iter().filter(|entry| selection.fits(entry)).filter_map(read));
        let Some(token) = &token else { break };
        if !tokens.insert(token.clone()) {
            let problem = "ListSecrets failed: Secrets Manager gives the NextToken of an earlier page again";
            return Err(SourceError::new(selection.describe(), problem));
        }
    }
    found.sort_by(|a: &Found, b| a.name.cmp(&b.name));
    Ok(found)
}

fn read(entry: &SecretListEntry) -> Option<Found> {
    Some(Found {
        name: entry.name()?.to_owned(),
        arn: entry.arn()?.to_owned(),
        labels: entry.secret_versions_to_stages().cloned().unwrap_or_default().into_iter().collect(),
        last_read: entry.last_accessed_date().and_then(timestamp),
        usage: usage(entry.tags()),
    })
}

/// What the last survey noted in a tag.
pub(crate) fn usage(tags: &[Tag]) -> Option<Usage> {
    tags.iter().find(|tag| tag.key() == Some(TAG)).and_then(|tag| Usage::read(tag.value()?))
}
