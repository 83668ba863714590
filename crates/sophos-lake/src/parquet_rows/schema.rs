//! Schemas of rows: a tree of named attributes, all optional.

use std::fmt::Write;

use serde_json::Value;

use super::class_schemas;
use crate::class::Class;

/// The type of an attribute.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Text in UTF-8.
    Text,
    /// A signed integer of 32 bits: `integer_t`.
    Int,
    /// A signed integer of 64 bits: `long_t`, `timestamp_t`.
    Long,
    /// A boolean.
    Bool,
    /// An object.
    Struct(&'static [Field]),
    /// A list.
    List(&'static Field),
    /// An object with any names and texts as values.
    TextMap,
}

/// An attribute.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// The attributes of a class.
pub(crate) const fn fields(class: Class) -> &'static [Field] {
    match class {
        Class::DetectionFinding => class_schemas::DETECTION_FINDING,
        Class::DeviceInventory => class_schemas::DEVICE_INVENTORY,
        Class::Remediation => class_schemas::REMEDIATION,
        Class::FileRemediation => class_schemas::FILE_REMEDIATION,
        Class::ProcessRemediation => class_schemas::PROCESS_REMEDIATION,
    }
}

/// The schema in the language of Parquet.
pub(crate) fn message_type(class: Class) -> String {
    let mut text = format!("message ocsf_{class} {{ ");
    for field in fields(class) {
        write_field(&mut text, field);
    }
    text.push('}');
    text
}

fn write_field(text: &mut String, field: &Field) {
    let name = field.name;
    let mut primitive = |kind: &str| _ = write!(text, "optional {kind}; ");
    match &field.kind {
        Kind::Text => primitive(&format!("binary {name} (STRING)")),
        Kind::Int => primitive(&format!("int32 {name}")),
        Kind::Long => primitive(&format!("int64 {name}")),
        Kind::Bool => primitive(&format!("boolean {name}")),
        Kind::Struct(members) => {
            _ = write!(text, "optional group {name} {{ ");
            members.iter().for_each(|member| write_field(text, member));
            text.push_str("} ");
        }
        Kind::List(element) => {
            _ = write!(text, "optional group {name} (LIST) {{ repeated group list {{ ");
            write_field(text, element);
            text.push_str("} } ");
        }
        Kind::TextMap => {
            _ = write!(
                text,
                "optional group {name} (MAP) {{ repeated group key_value {{ \
                 required binary key (STRING); optional binary value (STRING); }} }} "
            );
        }
    }
}

/// Checks that the schema of the class holds each attribute of a row.
///
/// # Errors
/// The path of the first attribute that has no column, or a value of another type.
pub(crate) fn check(class: Class, row: &Value) -> Result<(), String> {
    check_members(fields(class), row)
}

fn check_members(fields: &[Field], value: &Value) -> Result<(), String> {
    for (name, value) in value.as_object().ok_or("expected an object")? {
        let field =
            fields.iter().find(|field| field.name == name).ok_or_else(|| format!("{name}: no column"))?;
        check_value(&field.kind, value).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn check_value(kind: &Kind, value: &Value) -> Result<(), String> {
    let expected = match kind {
        _ if value.is_null() => true,
        Kind::Text => value.is_string(),
        Kind::Int => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Long => value.as_i64().is_some(),
        Kind::Bool => value.is_boolean(),
        Kind::Struct(members) => return check_members(members, value),
        Kind::List(element) => {
            let items = value.as_array().ok_or("expected a list")?;
            return items.iter().try_for_each(|item| check_value(&element.kind, item));
        }
        Kind::TextMap => value.as_object().is_some_and(|members| members.values().all(Value::is_string)),
    };
    if expected { Ok(()) } else { Err(format!("expected {kind:?}")) }
}
