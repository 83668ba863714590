//! The fields of a request from arguments.

use std::{fs, io::Read};

use clap::ArgMatches;
use jiff::Timestamp;
use serde_json::{Map, Value};
use sophos_api::catalog::OperationDescription;

use crate::{
    exit::Failure,
    verb::{ALL_MEMBERS, Param, ParamKind, TimeArg, Verb, add_assignments},
};

/// The fields of a request.
pub(crate) type Fields = Map<String, Value>;

/// The fields of a verb's request: the fixed ones, `--input`, then the options. Neither `-f`
/// nor the path's members are among them.
///
/// # Errors
/// When a value is invalid.
pub(crate) fn fields_of(verb: &Verb, matches: &ArgMatches) -> Result<Fields, Failure> {
    let mut fields = Fields::new();
    for (name, json) in verb.fixed {
        let value = serde_json::from_str(json).map_err(|error| Failure::other(error.to_string()))?;
        fields.insert((*name).to_owned(), value);
    }
    if let Some(input) = optional::<String>(matches, "input") {
        fields.extend(read_input(input)?);
    }
    for param in verb.params {
        let Some(value) = value_of(param, matches)? else { continue };
        if param.field == ALL_MEMBERS {
            let Value::Object(members) = value else {
                return Err(Failure::usage(format!(
                    "invalid value of --{}: expected a JSON object",
                    param.name
                )));
            };
            fields.extend(members);
        } else {
            let field = if param.field.is_empty() { camel_case(param.name) } else { param.field.to_owned() };
            insert(&mut fields, field.split('/'), value);
        }
    }
    Ok(fields)
}

/// Adds the fields of `-f`, in the types of the operation.
///
/// # Errors
/// When a field is invalid.
pub(crate) fn add_raw_fields(
    fields: &mut Fields,
    operation: &OperationDescription,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    add_assignments(fields, &optional_many(matches, "raw-field"), operation)
}

fn optional<'m, T: Clone + Send + Sync + 'static>(matches: &'m ArgMatches, name: &str) -> Option<&'m T> {
    matches.try_get_one::<T>(name).ok().flatten()
}

fn optional_many(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.try_get_many::<String>(name).ok().flatten().into_iter().flatten().cloned().collect()
}

/// Adds `name=value` pairs. A value that is a JSON number, boolean, null, list or object is
/// that value; `name:=text` always sets a text.
///
/// # Errors
/// When a pair has no equals sign, or a list or an object is not JSON.
pub(crate) fn parse_assignments(fields: &mut Fields, assignments: &[String]) -> Result<(), Failure> {
    for assignment in assignments {
        let Some((name, value)) = assignment.split_once('=') else {
            return Err(Failure::usage(format!("invalid field \"{assignment}\": expected name=value")));
        };
        let (name, value) = match name.strip_suffix(':') {
            Some(name) => (name, Value::from(value)),
            None => (name, parse_value(name, value)?),
        };
        if name.is_empty() {
            return Err(Failure::usage(format!("invalid field \"{assignment}\": expected name=value")));
        }
        insert(fields, name.split('.'), value);
    }
    Ok(())
}

fn parse_value(name: &str, text: &str) -> Result<Value, Failure> {
    let is_structure = text.starts_with(['[', '{']);
    match serde_json::from_str::<Value>(text) {
        Ok(value) if !value.is_string() => Ok(value),
        Err(_) if is_structure => {
            Err(Failure::usage(format!("invalid value of {name}: expected JSON, or {name}:=TEXT for a text")))
        }
        _ => Ok(Value::from(text)),
    }
}

/// Sets a member at a path, and creates the objects around it.
fn insert<'p>(fields: &mut Fields, mut path: impl Iterator<Item = &'p str>, value: Value) {
    let Some(mut name) = path.next() else { return };
    let mut object = fields;
    for next in path {
        let member = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
        if !member.is_object() {
            *member = Value::Object(Map::new());
        }
        let Value::Object(inner) = member else { return };
        object = inner;
        name = next;
    }
    object.insert(name.to_owned(), value);
}

/// Reads a JSON object from a file, or from standard input for `-`.
///
/// # Errors
/// When it cannot be read or is not an object.
pub(crate) fn read_input(path: &str) -> Result<Fields, Failure> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("invalid JSON in {path}: {error}"))
            .hint("expected one object with the fields of the request")
    })
}

fn read_text(path: &str) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::usage(format!("reading {path} failed: {error}"));
    if path == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    fs::read_to_string(path).map_err(failed)
}

fn value_of(param: &Param, matches: &ArgMatches) -> Result<Option<Value>, Failure> {
    let one = |matches: &ArgMatches| optional::<String>(matches, param.name).cloned();
    Ok(match param.kind {
        ParamKind::Text | ParamKind::Choice(_) => one(matches).map(Value::from),
        ParamKind::List | ParamKind::Choices(_) => {
            let list = optional_many(matches, param.name);
            (!list.is_empty()).then(|| Value::from(list))
        }
        ParamKind::Number => optional::<i64>(matches, param.name).map(|number| Value::from(*number)),
        ParamKind::Numbers => {
            let numbers = matches.try_get_many::<i64>(param.name).ok().flatten();
            numbers.map(|numbers| Value::from(numbers.copied().collect::<Vec<_>>()))
        }
        ParamKind::Time(form) => {
            let time = optional::<TimeArg>(matches, param.name);
            let json = time.map(|time| {
                time.to_json(form, Timestamp::now()).ok_or_else(|| {
                    Failure::usage(format!("invalid time of --{}: expected one after 1970", param.name))
                })
            });
            json.transpose()?
        }
        ParamKind::Bool => optional::<bool>(matches, param.name).map(|value| Value::from(*value)),
        ParamKind::Json => match one(matches) {
            None => None,
            Some(text) => {
                let json = match text.strip_prefix('@') {
                    Some(path) => read_text(path)?,
                    None => text,
                };
                let value = serde_json::from_str(&json)
                    .map_err(|error| Failure::usage(format!("invalid JSON of --{}: {error}", param.name)))?;
                Some(value)
            }
        },
    })
}

/// `health-status` as the service writes it: `healthStatus`.
pub(crate) fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let mut result = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        result.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        result.push_str(characters.as_str());
    }
    result
}

/// `endpointId` as an argument: `endpoint-id`.
pub(crate) fn kebab_case(name: &str) -> String {
    let mut result = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            result.push('-');
        }
        result.push(character.to_ascii_lowercase());
    }
    result
}

/// The members of a path: the names after the colons.
pub(crate) fn path_members(path: &str) -> Vec<&str> {
    path.split('/').filter_map(|segment| segment.strip_prefix(':')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_become_json_values() {
        let mut fields = Fields::new();
        let pairs = ["a=1", "b=true", "c=text", "d:=7", "e.f=[1,2]", "g=\"quoted\"", "e.h=x=y"];
        parse_assignments(&mut fields, &pairs.map(str::to_owned)).expect("valid fields");
        let expected = serde_json::json!({
            "a": 1, "b": true, "c": "text", "d": "7", "e": {"f": [1, 2], "h": "x=y"}, "g": "\"quoted\"",
        });
        assert_eq!(Value::Object(fields), expected);
        for invalid in ["x", "=1", "a=[1", "a={"] {
            assert!(parse_assignments(&mut Fields::new(), &[invalid.to_owned()]).is_err(), "{invalid}");
        }
    }

    #[test]
    fn names_convert_between_their_forms() {
        assert_eq!(camel_case("last-os-update-before"), "lastOsUpdateBefore");
        assert_eq!(kebab_case("allowedItemId"), "allowed-item-id");
        assert_eq!(path_members("/a/v1/:groupId/users/:userId"), ["groupId", "userId"]);
    }
}
