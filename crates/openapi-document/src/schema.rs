//! The schemas of the models, as components of the document.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, transform::transform_subschemas};
use serde_json::Value;

use crate::text;

/// A generator whose definitions are components of an OpenAPI document.
pub(crate) fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    settings.with_transform(simplify).into_generator()
}

/// Takes the models that the operations refer to.
pub(crate) fn definitions(generator: &mut SchemaGenerator) -> Value {
    Value::Object(generator.take_definitions(true))
}

/// Removes from a schema and the schemas in it what only the client's types say: null
/// for an optional field, defaults, and the form of doc comments.
pub(crate) fn simplify(schema: &mut Schema) {
    schema.remove("default");
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = text::from_doc_comment(description);
    }
    remove_null(schema);
    transform_subschemas(&mut simplify, schema);
}

fn remove_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if types.len() == 1 {
            let kind = types.remove(0);
            schema.insert("type".to_owned(), kind);
        }
    }
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
    choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
    if choices.len() == 1 {
        let only = choices.remove(0);
        schema.remove("anyOf");
        if let (Some(object), Value::Object(only)) = (schema.as_object_mut(), only) {
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}
