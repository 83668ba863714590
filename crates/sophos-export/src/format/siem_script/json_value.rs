//! JSON with the order of members, as Python keeps it.

use std::collections::HashMap;

use crate::json_scan::{for_each_element, for_each_member};

/// The depth from which an object or a list is kept as its text.
const MAX_DEPTH: usize = 64;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::format) enum Json {
    Null,
    Boolean(bool),
    /// As written.
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(Fields),
}

impl Json {
    /// Parses valid JSON.
    pub(in crate::format) fn parse(json: &str) -> Self {
        Self::parse_at(json.trim(), 0)
    }

    fn parse_at(json: &str, depth: usize) -> Self {
        match json.as_bytes().first() {
            Some(b'{' | b'[') if depth >= MAX_DEPTH => Self::Text(json.to_owned()),
            Some(b'{') => {
                let mut fields = Fields::default();
                for_each_member(json, |key, value| {
                    fields.set(&parse_text(key), Self::parse_at(value, depth + 1));
                });
                Self::Object(fields)
            }
            Some(b'[') => {
                let mut list = Vec::new();
                for_each_element(json, |value| list.push(Self::parse_at(value, depth + 1)));
                Self::List(list)
            }
            Some(b'"') => Self::Text(parse_text(json)),
            Some(b't' | b'f') => Self::Boolean(json == "true"),
            Some(b'-' | b'0'..=b'9') => Self::Number(json.to_owned()),
            _ => Self::Null,
        }
    }

    /// The value as JSON, without white space.
    pub(in crate::format) fn to_json(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(number) => number.clone(),
            Self::Text(text) => quoted(text),
            Self::List(list) => format!("[{}]", list.iter().map(Self::to_json).collect::<Vec<_>>().join(",")),
            Self::Object(fields) => {
                let member = |(name, value): (&str, &Self)| format!("{}:{}", quoted(name), value.to_json());
                format!("{{{}}}", fields.iter().map(member).collect::<Vec<_>>().join(","))
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The text of a string. A string with an invalid escape, such as half a surrogate pair,
/// stays as written.
fn parse_text(json: &str) -> String {
    let written = json.get(1..json.len() - 1).unwrap_or_default();
    if written.contains('\\') {
        serde_json::from_str(json).unwrap_or_else(|_| written.to_owned())
    } else {
        written.to_owned()
    }
}

/// The members of an object, in the order in which they were first set.
#[derive(Debug, Clone, Default)]
pub(in crate::format) struct Fields {
    /// `None` for a removed member.
    entries: Vec<Option<(String, Json)>>,
    positions: HashMap<String, usize>,
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Fields {
    pub(in crate::format) fn get(&self, name: &str) -> Option<&Json> {
        let position = self.positions.get(name)?;
        self.entries[*position].as_ref().map(|(_, value)| value)
    }

    /// Sets a member. A known one keeps its position.
    pub(in crate::format) fn set(&mut self, name: &str, value: Json) {
        if let Some(position) = self.positions.get(name) {
            self.entries[*position] = Some((name.to_owned(), value));
        } else {
            self.positions.insert(name.to_owned(), self.entries.len());
            self.entries.push(Some((name.to_owned(), value)));
        }
    }

    pub(in crate::format) fn remove(&mut self, name: &str) -> Option<Json> {
        let position = self.positions.remove(name)?;
        self.entries[position].take().map(|(_, value)| value)
    }

    pub(in crate::format) fn retain(&mut self, keep: impl Fn(&Json) -> bool) {
        let removed: Vec<_> =
            self.iter().filter(|(_, value)| !keep(value)).map(|(name, _)| name.to_owned()).collect();
        for name in removed {
            self.remove(&name);
        }
    }

    pub(in crate::format) fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.entries.iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// The names, in order.
    pub(in crate::format) fn keys(&self) -> Vec<String> {
        self.iter().map(|(name, _)| name.to_owned()).collect()
    }

    pub(in crate::format) fn into_entries(self) -> impl Iterator<Item = (String, Json)> {
        self.entries.into_iter().flatten()
    }
}
