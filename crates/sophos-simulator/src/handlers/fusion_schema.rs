//! The schema of the GraphQL service, and the check of values against it.

use std::collections::HashMap;
use std::sync::OnceLock;

use graphql_parser::schema::{Definition, Field, InputValue, Type, TypeDefinition, parse_schema};
use serde_json::Value;

const TEXT: &str = include_str!("fusion.graphql");

/// The type of a member or an argument.
pub(crate) type TypeRef = Type<'static, &'static str>;

/// A type of the schema. Scalars have none.
#[derive(Debug)]
pub(crate) enum NamedType {
    Object(Vec<Field<'static, &'static str>>),
    Input(Vec<InputValue<'static, &'static str>>),
    Enum(Vec<&'static str>),
}

/// The types of the schema, by name.
#[derive(Debug, Default)]
pub(crate) struct Schema(HashMap<&'static str, NamedType>);

/// The schema that the simulator serves.
pub(crate) fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        // A test reads it, so that it is never empty.
        let document = parse_schema::<&'static str>(TEXT).unwrap_or_default();
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            Definition::TypeDefinition(TypeDefinition::Object(object)) => {
                Some((object.name, NamedType::Object(object.fields)))
            }
            Definition::TypeDefinition(TypeDefinition::InputObject(input)) => {
                Some((input.name, NamedType::Input(input.fields)))
            }
            Definition::TypeDefinition(TypeDefinition::Enum(choice)) => {
                Some((choice.name, NamedType::Enum(choice.values.iter().map(|value| value.name).collect())))
            }
            _ => None,
        });
        Schema(types.collect())
    })
}

/// The name of a type without its lists and `!`.
pub(crate) fn base_name(reference: &TypeRef) -> &'static str {
    match reference {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => base_name(inner),
    }
}

impl Schema {
    /// The field of an object type.
    pub(crate) fn field(&self, object: &str, name: &str) -> Option<&Field<'static, &'static str>> {
        match self.0.get(object)? {
            NamedType::Object(fields) => fields.iter().find(|field| field.name == name),
            _ => None,
        }
    }

    /// Whether a type has members.
    pub(crate) fn is_object(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(NamedType::Object(_)))
    }

    /// The name of a type, if it may be the type of a variable.
    pub(crate) fn input_name(&self, name: &str) -> Option<&'static str> {
        let scalar = ["Int", "Float", "String", "Boolean", "ID"].into_iter().find(|scalar| *scalar == name);
        scalar.or_else(|| match self.0.get_key_value(name)? {
            (name, NamedType::Input(_) | NamedType::Enum(_)) => Some(*name),
            _ => None,
        })
    }

    /// Checks a value against a type.
    pub(crate) fn check(&self, reference: &TypeRef, value: &Value, path: &str) -> Result<(), String> {
        let invalid = |expected: &str| Err(format!("Invalid value at \"{path}\": expected {expected}."));
        match reference {
            Type::NonNullType(_) if value.is_null() => invalid("a value that is not null"),
            Type::NonNullType(inner) => self.check(inner, value, path),
            _ if value.is_null() => Ok(()),
            Type::ListType(inner) => match value.as_array() {
                Some(items) => items.iter().try_for_each(|item| self.check(inner, item, path)),
                None => self.check(inner, value, path),
            },
            Type::NamedType(name) => {
                let fits = match (*name, self.0.get(name)) {
                    ("Int", _) => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
                    ("Float" | "Float32", _) => value.is_number(),
                    ("String", _) => value.is_string(),
                    ("ID", _) => value.is_string() || value.is_i64(),
                    ("Boolean", _) => value.is_boolean(),
                    (_, Some(NamedType::Enum(values))) => {
                        value.as_str().is_some_and(|text| values.contains(&text))
                    }
                    (_, Some(NamedType::Input(members))) => return self.check_members(members, value, path),
                    _ => true,
                };
                if fits { Ok(()) } else { invalid(name) }
            }
        }
    }

    fn check_members(
        &self,
        members: &[InputValue<'static, &'static str>],
        value: &Value,
        path: &str,
    ) -> Result<(), String> {
        let Some(given) = value.as_object() else {
            return Err(format!("Invalid value at \"{path}\": expected an object."));
        };
        if let Some(unknown) = given.keys().find(|key| !members.iter().any(|member| member.name == *key)) {
            return Err(format!("Field \"{unknown}\" is not defined by the type at \"{path}\"."));
        }
        members.iter().try_for_each(|member| match given.get(member.name) {
            None if member.default_value.is_some() => Ok(()),
            found => {
                let value = found.unwrap_or(&Value::Null);
                self.check(&member.value_type, value, &format!("{path}.{}", member.name))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_is_valid_and_complete() {
        let document = parse_schema::<&'static str>(TEXT).expect("a schema");
        let schema = schema();
        for definition in &document.definitions {
            let Definition::TypeDefinition(TypeDefinition::Object(object)) = definition else { continue };
            for field in &object.fields {
                let names = field.arguments.iter().map(|argument| base_name(&argument.value_type));
                for name in names.chain([base_name(&field.field_type)]) {
                    let scalar = matches!(
                        name,
                        "Int" | "Float" | "String" | "Boolean" | "ID" | "Time" | "Float32" | "Map"
                    );
                    assert!(scalar || schema.0.contains_key(name), "{}.{}: {name}", object.name, field.name);
                }
            }
        }
    }
}
