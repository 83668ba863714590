use serde_json::Value;
use sophos_api::{WithRaw, models::Endpoint};

/// The members of an endpoint that a policy evaluates.
///
/// It distinguishes missing members from unreadable ones. An endpoint without a group cannot match
/// a group selector; one with an unreadable group may.
#[derive(Debug, Clone)]
pub struct PolicyEndpoint {
    pub(super) id: String,
    pub(super) hostname: Field<String>,
    pub(super) endpoint_type: Field<String>,
    pub(super) group: Field<Group>,
    /// Every text in `groupHierarchy`, whose format is not documented.
    pub(super) group_hierarchy: Vec<String>,
    pub(super) tags: Field<Vec<Tag>>,
}

/// A member of a record.
#[derive(Debug, Clone)]
pub(super) enum Field<T> {
    /// The member is missing.
    Missing,
    /// The member does not have the documented form.
    Invalid,
    /// The parsed value.
    Present(T),
}

#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) id: Field<String>,
    pub(super) name: Field<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub(super) key: Field<String>,
    pub(super) value: Field<String>,
    pub(super) display_string: Field<String>,
}

impl PolicyEndpoint {
    /// Reads an endpoint's record. It must be of the full view, because tags and groups that were
    /// not requested look as if they were missing.
    pub fn from_record(record: &WithRaw<Endpoint>) -> Self {
        let id = record.id.clone();
        // The record may hold numbers or nesting that this parser rejects.
        let Ok(raw) = serde_json::from_str::<Value>(record.raw()) else { return Self::invalid(id) };
        let mut above = Vec::new();
        collect_texts(&raw["groupHierarchy"], &mut above);
        Self {
            id,
            hostname: Field::from_parsed(record.hostname.clone(), &raw["hostname"]),
            endpoint_type: Field::from_parsed(
                record.r#type.as_ref().map(|kind| kind.as_str().to_owned()),
                &raw["type"],
            ),
            group: Field::from_parsed(record.group.as_ref(), &raw["group"]).map(|group| Group {
                id: Field::from_parsed(group.id.clone(), &raw["group"]["id"]).reject_blank(),
                name: Field::from_parsed(group.name.clone(), &raw["group"]["name"]).reject_blank(),
            }),
            group_hierarchy: above,
            tags: Field::from_parsed(record.tags.as_ref(), &raw["tags"]).map(|tags| {
                let raws = raw["tags"].as_array().into_iter().flatten();
                tags.iter()
                    .zip(raws)
                    .map(|(tag, raw)| Tag {
                        key: Field::from_parsed(tag.key.clone(), &raw["key"]).reject_blank(),
                        value: Field::from_parsed(tag.value.clone(), &raw["value"]),
                        display_string: Field::from_parsed(tag.display_string.clone(), &raw["displayString"]),
                    })
                    .collect()
            }),
        }
    }

    fn invalid(id: String) -> Self {
        Self {
            id,
            hostname: Field::Invalid,
            endpoint_type: Field::Invalid,
            group: Field::Invalid,
            group_hierarchy: Vec::new(),
            tags: Field::Invalid,
        }
    }

    /// The endpoint's id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl<T> Field<T> {
    fn from_parsed(read: Option<T>, raw: &Value) -> Self {
        match read {
            Some(read) => Self::Present(read),
            None if raw.is_null() => Self::Missing,
            None => Self::Invalid,
        }
    }

    fn map<U>(self, with: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Self::Missing => Field::Missing,
            Self::Invalid => Field::Invalid,
            Self::Present(read) => Field::Present(with(read)),
        }
    }

    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Self::Present(read) => Some(read),
            Self::Missing | Self::Invalid => None,
        }
    }

    pub(super) fn is_some_and(&self, test: impl FnOnce(&T) -> bool) -> bool {
        self.value().is_some_and(test)
    }
}

impl Field<String> {
    fn reject_blank(self) -> Self {
        match self {
            Self::Present(text) if text.trim().is_empty() => Self::Invalid,
            other => other,
        }
    }
}

fn collect_texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, into)),
        Value::Object(members) => members.values().for_each(|member| collect_texts(member, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
