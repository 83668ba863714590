//! `sophos api --list` and `--describe`.

use serde::Serialize;
use serde_json::{Value, json};
use sophos_api::{
    ScopeHeader,
    catalog::{self, OperationDescription},
};

use crate::{context::Context, exit::Failure, global_args::OutputFormat};

#[derive(Serialize)]
struct Listed {
    family: &'static str,
    name: &'static str,
    method: String,
    path: &'static str,
    scope: &'static str,
    summary: String,
}

/// Lists the operations whose name, path or summary holds the text.
///
/// # Errors
/// When the output fails.
pub(crate) fn list(context: &Context, text: &str) -> Result<(), Failure> {
    let wanted = text.to_lowercase();
    let mut records = context.records(&["family", "name", "method", "path", "summary"]);
    for operation in catalog::operations() {
        let route = operation.route();
        let listed = Listed {
            family: operation.family(),
            name: operation.name(),
            method: route.method.to_string(),
            path: route.path,
            scope: scope(route.scope),
            summary: summary(operation.documentation()),
        };
        let searched =
            format!("{} {} {} {}", listed.family, listed.name, listed.path, listed.summary).to_lowercase();
        if wanted.is_empty() || searched.contains(&wanted) {
            records.write(&listed)?;
        }
    }
    let count = records.finish()?;
    if context.is_table() {
        context.note(&format!("{count} operations; `sophos api --describe NAME` shows the fields of one"));
    }
    Ok(())
}

/// The first sentence of a doc comment, without its links.
fn summary(documentation: &str) -> String {
    let paragraph = documentation.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let sentence = paragraph.split_inclusive(". ").next().unwrap_or_default().trim_end();
    sentence.replace("[`", "`").replace("`]", "`")
}

fn scope(scope: ScopeHeader) -> &'static str {
    match scope {
        ScopeHeader::Tenant => "tenant",
        ScopeHeader::Partner => "partner",
        ScopeHeader::Organization => "organization",
        ScopeHeader::Distributor => "distributor",
        ScopeHeader::TenantOrPartner => "tenant or partner",
        ScopeHeader::TenantOrOwner => "tenant or owner",
        _ => "none",
    }
}

#[derive(Serialize)]
struct Field {
    field: String,
    r#type: String,
    required: bool,
    description: String,
}

/// Describes an operation and its fields.
///
/// # Errors
/// When the output fails.
pub(crate) fn describe(context: &Context, operation: &'static OperationDescription) -> Result<(), Failure> {
    let schema = operation.parameters();
    if context.output.format != OutputFormat::Table {
        let mut records = context.record();
        records.write(&json!({
            "family": operation.family(),
            "name": operation.name(),
            "method": operation.route().method.as_str(),
            "path": operation.route().path,
            "scope": scope(operation.route().scope),
            "documentation": operation.documentation(),
            "parameters": schema,
        }))?;
        records.finish()?;
        return Ok(());
    }
    println!("{}/{}: {}", operation.family(), operation.name(), operation.route());
    println!("scope: {}\n", scope(operation.route().scope));
    println!("{}\n", operation.documentation());
    let mut records = context.records(&["field", "type", "required", "description"]);
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        records.write(&Field {
            field: name.clone(),
            r#type: type_name(property, &schema),
            required: required.iter().any(|required| required == name.as_str()),
            description: property["description"].as_str().unwrap_or_default().replace('\n', " "),
        })?;
    }
    records.finish()?;
    Ok(())
}

/// The type of a field in words: `string`, `list of string`, or the name of an object.
fn type_name(property: &Value, root: &Value) -> String {
    if let Some(reference) = property["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let definition = &root["$defs"][name];
        return match definition["type"].as_str() {
            Some("object") | None => name.to_owned(),
            Some(simple) => simple.to_owned(),
        };
    }
    if let Some(alternatives) = property["anyOf"].as_array() {
        let first = alternatives.iter().find(|alternative| alternative["type"] != "null");
        return first.map(|first| type_name(first, root)).unwrap_or_default();
    }
    let name = match &property["type"] {
        Value::String(text) => text.clone(),
        Value::Array(types) => {
            types.iter().filter_map(Value::as_str).find(|text| *text != "null").unwrap_or_default().to_owned()
        }
        _ => "any".to_owned(),
    };
    if name == "array" { format!("list of {}", type_name(&property["items"], root)) } else { name }
}
