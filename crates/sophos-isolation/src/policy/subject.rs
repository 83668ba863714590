use serde_json::Value;
use sophos_api::{Record, models::Endpoint};

/// What a policy has to know of an endpoint.
///
/// It tells what is not there from what is there and cannot be read: an
/// endpoint in no group is not protected by its group, and one whose group is
/// no group may well be.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(super) id: String,
    pub(super) hostname: Seen<String>,
    pub(super) kind: Seen<String>,
    pub(super) group: Seen<Group>,
    /// Every text in `groupHierarchy`, whose form is not documented.
    pub(super) above: Vec<String>,
    pub(super) tags: Seen<Vec<Tag>>,
}

/// A member of a record.
#[derive(Debug, Clone)]
pub(super) enum Seen<T> {
    /// There is none.
    Missing,
    /// It is not as documented.
    Unreadable,
    /// It was read.
    Read(T),
}

#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) id: Seen<String>,
    pub(super) name: Seen<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub(super) key: Seen<String>,
    pub(super) value: Seen<String>,
    pub(super) shown: Seen<String>,
}

impl Subject {
    /// Takes what it needs from an endpoint's record, which should be of the
    /// full view: tags and groups that were not asked for look as if there
    /// were none.
    pub fn of(record: &Record<Endpoint>) -> Self {
        let id = record.id.clone();
        // Numbers and depths that a record may have are too much for this.
        let Ok(raw) = serde_json::from_str::<Value>(record.raw()) else { return Self::unreadable(id) };
        let mut above = Vec::new();
        texts(&raw["groupHierarchy"], &mut above);
        Self {
            id,
            hostname: Seen::of(record.hostname.clone(), &raw["hostname"]),
            kind: Seen::of(record.r#type.as_ref().map(|kind| kind.as_str().to_owned()), &raw["type"]),
            group: Seen::of(record.group.as_ref(), &raw["group"]).map(|group| Group {
                id: Seen::of(group.id.clone(), &raw["group"]["id"]).unless_empty(),
                name: Seen::of(group.name.clone(), &raw["group"]["name"]).unless_empty(),
            }),
            above,
            tags: Seen::of(record.tags.as_ref(), &raw["tags"]).map(|tags| {
                let raws = raw["tags"].as_array().into_iter().flatten();
                tags.iter()
                    .zip(raws)
                    .map(|(tag, raw)| Tag {
                        key: Seen::of(tag.key.clone(), &raw["key"]).unless_empty(),
                        value: Seen::of(tag.value.clone(), &raw["value"]),
                        shown: Seen::of(tag.display_string.clone(), &raw["displayString"]),
                    })
                    .collect()
            }),
        }
    }

    fn unreadable(id: String) -> Self {
        Self {
            id,
            hostname: Seen::Unreadable,
            kind: Seen::Unreadable,
            group: Seen::Unreadable,
            above: Vec::new(),
            tags: Seen::Unreadable,
        }
    }

    /// The endpoint's id.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl<T> Seen<T> {
    fn of(read: Option<T>, raw: &Value) -> Self {
        match read {
            Some(read) => Self::Read(read),
            None if raw.is_null() => Self::Missing,
            None => Self::Unreadable,
        }
    }

    fn map<U>(self, with: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Missing => Seen::Missing,
            Self::Unreadable => Seen::Unreadable,
            Self::Read(read) => Seen::Read(with(read)),
        }
    }

    pub(super) fn read(&self) -> Option<&T> {
        match self {
            Self::Read(read) => Some(read),
            Self::Missing | Self::Unreadable => None,
        }
    }

    pub(super) fn is_some_and(&self, test: impl FnOnce(&T) -> bool) -> bool {
        self.read().is_some_and(test)
    }
}

impl Seen<String> {
    fn unless_empty(self) -> Self {
        match self {
            Self::Read(text) if text.trim().is_empty() => Self::Unreadable,
            other => other,
        }
    }
}

fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(members) => members.values().for_each(|member| texts(member, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
