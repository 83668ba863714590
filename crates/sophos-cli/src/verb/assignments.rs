//! Fields of `-f` in the types of the operation's schema.

use serde_json::Value;
use sophos_api::catalog::OperationDescription;

use crate::{
    exit::Failure,
    verb::{Fields, fields::parse_assignments},
};

/// Adds fields in the types that the operation's schema names: a text of digits stays a
/// text, and a list may be separated by commas.
///
/// # Errors
/// As for [`parse_assignments`].
pub(crate) fn add_assignments(
    fields: &mut Fields,
    assignments: &[String],
    operation: &OperationDescription,
) -> Result<(), Failure> {
    if assignments.is_empty() {
        return Ok(());
    }
    let schema = operation.parameters();
    for assignment in assignments {
        let typed = assignment.split_once('=').and_then(|(name, text)| {
            let property = schema.pointer(&format!("/properties/{name}"))?;
            Some((name, typed_value(property, &schema, text)?))
        });
        match typed {
            Some((name, value)) => {
                fields.insert(name.to_owned(), value);
            }
            None => parse_assignments(fields, std::slice::from_ref(assignment))?,
        }
    }
    Ok(())
}

/// The value of a member of the path, which may be a number.
pub(crate) fn path_value(operation: &OperationDescription, name: &str, text: &str) -> Value {
    let schema = operation.parameters();
    let is_integer = has_type(resolve(&schema["properties"][name], &schema), "integer");
    let number = if is_integer { text.parse::<u64>().ok() } else { None };
    number.map_or_else(|| Value::from(text), Value::from)
}

/// The value of a text in the type of a schema; `None` to take it as JSON.
fn typed_value(property: &Value, root: &Value, text: &str) -> Option<Value> {
    let property = resolve(property, root);
    if has_type(property, "array") && !text.starts_with('[') {
        let items = resolve(&property["items"], root);
        let item = |text: &str| typed_value(items, root, text).or_else(|| serde_json::from_str(text).ok());
        return text.split(',').map(item).collect::<Option<Vec<_>>>().map(Value::from);
    }
    (has_type(property, "string") && !has_type(property, "object")).then(|| Value::from(text))
}

/// Follows references and optional types.
pub(crate) fn resolve<'s>(schema: &'s Value, root: &'s Value) -> &'s Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        return root["$defs"].get(name).unwrap_or(schema);
    }
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    match alternatives.into_iter().find(|alternative| alternative["type"] != "null") {
        Some(alternative) => resolve(alternative, root),
        None => schema,
    }
}

fn has_type(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(text) => text == name,
        Value::Array(types) => types.iter().any(|text| text == name),
        _ => false,
    }
}
