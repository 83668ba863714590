//! The members of a request body, and their validation.

use serde_json::{Map, Value};

use crate::call::invalid_parameter;
use crate::hash::parse_uuid;
use crate::response::ApiError;
use crate::time;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Any,
    Text { max: usize },
    OneOf(&'static [&'static str]),
    Boolean,
    Integer { min: i64, max: i64 },
    Uuid,
    Time,
    Object(&'static [Member]),
    List { of: &'static Member, max: usize },
}

/// A member that a request may set. Other members of a body are ignored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    kind: Kind,
    is_required: bool,
    is_fixed: bool,
}

impl Member {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_required: false, is_fixed: false }
    }

    /// Any JSON value.
    pub(crate) const fn any(name: &'static str) -> Self {
        Self::new(name, Kind::Any)
    }

    /// A text of at most 1,000 characters.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self::text_up_to(name, 1_000)
    }

    /// A text of at most `max` characters.
    pub(crate) const fn text_up_to(name: &'static str, max: usize) -> Self {
        Self::new(name, Kind::Text { max })
    }

    /// One of `values`.
    pub(crate) const fn one_of(name: &'static str, values: &'static [&'static str]) -> Self {
        Self::new(name, Kind::OneOf(values))
    }

    pub(crate) const fn boolean(name: &'static str) -> Self {
        Self::new(name, Kind::Boolean)
    }

    /// An integer in `min..=max`.
    pub(crate) const fn integer(name: &'static str, min: i64, max: i64) -> Self {
        Self::new(name, Kind::Integer { min, max })
    }

    pub(crate) const fn uuid(name: &'static str) -> Self {
        Self::new(name, Kind::Uuid)
    }

    /// An ISO 8601 time, with or without a zone.
    pub(crate) const fn time(name: &'static str) -> Self {
        Self::new(name, Kind::Time)
    }

    /// An object; without `members`, any object.
    pub(crate) const fn object(name: &'static str, members: &'static [Self]) -> Self {
        Self::new(name, Kind::Object(members))
    }

    /// At most `max` items, each like `of`, whose name is not used.
    pub(crate) const fn list(name: &'static str, of: &'static Self, max: usize) -> Self {
        Self::new(name, Kind::List { of, max })
    }

    /// Requires the member on creation and replacement.
    pub(crate) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// Ignores the member in updates.
    pub(crate) const fn fixed(self) -> Self {
        Self { is_fixed: true, ..self }
    }

    fn check(&self, value: &Value) -> Result<(), ApiError> {
        let valid = match (self.kind, value) {
            (Kind::Any, _) | (Kind::Boolean, Value::Bool(_)) => true,
            (Kind::Text { max }, Value::String(text)) => {
                text.chars().count() <= max && !(self.is_required && text.trim().is_empty())
            }
            (Kind::OneOf(values), Value::String(text)) => values.contains(&text.as_str()),
            (Kind::Integer { min, max }, Value::Number(number)) => {
                number.as_i64().is_some_and(|number| (min..=max).contains(&number))
            }
            (Kind::Uuid, Value::String(text)) => parse_uuid(text).is_some(),
            (Kind::Time, Value::String(text)) => time::parse_lenient(text).is_some(),
            (Kind::Object(members), Value::Object(found)) => return check_members(members, found, true),
            (Kind::List { of, max }, Value::Array(items)) if items.len() <= max => {
                return items
                    .iter()
                    .try_for_each(|item| of.check(item))
                    .map_err(|_| invalid_parameter(self.name));
            }
            _ => false,
        };
        if valid { Ok(()) } else { Err(invalid_parameter(self.name)) }
    }
}

fn check_members(members: &[Member], found: &Map<String, Value>, is_complete: bool) -> Result<(), ApiError> {
    for member in members {
        match found.get(member.name) {
            None | Some(Value::Null) if member.is_required && is_complete => {
                return Err(invalid_parameter(member.name));
            }
            None | Some(Value::Null) => {}
            Some(value) => member.check(value)?,
        }
    }
    Ok(())
}

/// The declared members of a body, after validation. An update (`is_update`) may omit required
/// members and cannot set fixed ones; its nulls stay, because they remove a member.
pub(crate) fn accept(members: &[Member], body: &Value, is_update: bool) -> Result<Value, ApiError> {
    let empty = Map::new();
    let found = body.as_object().unwrap_or(&empty);
    check_members(members, found, !is_update)?;
    let usable = members.iter().filter(|member| !(is_update && member.is_fixed));
    let mut accepted = Map::new();
    for member in usable {
        match found.get(member.name) {
            None => {}
            Some(Value::Null) if !is_update => {}
            Some(value) => {
                accepted.insert(member.name.to_owned(), value.clone());
            }
        }
    }
    Ok(Value::Object(accepted))
}
