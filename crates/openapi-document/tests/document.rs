//! The structure of the document. `cargo xtask openapi` validates it against OpenAPI 3.1.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde_json::{Value, json};
use sophos_api::{
    ScopeHeader,
    catalog::{self, OperationDescription, Paging},
};

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi_document::document);

/// The described operations that are REST.
fn rest_operations() -> impl Iterator<Item = &'static OperationDescription> {
    catalog::operations().filter(|described| described.route().graphql_field.is_none())
}

fn path_of(described: &OperationDescription) -> String {
    let segments = described.route().path.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The operation object of a described operation.
fn operation_of(described: &OperationDescription) -> &'static Value {
    &DOCUMENT["paths"][path_of(described)][described.route().method.as_str().to_lowercase()]
}

fn operation(family: &str, name: &str) -> &'static Value {
    operation_of(catalog::operation(family, name).expect("an operation"))
}

/// All operation objects with their paths.
fn operations() -> impl Iterator<Item = (&'static String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, item)| {
        item.as_object().expect("a path").values().map(move |operation| (path, operation))
    })
}

/// The parameter objects, with components instead of references to them.
fn parameters(operation: &'static Value) -> impl Iterator<Item = &'static Value> {
    operation["parameters"].as_array().into_iter().flatten().map(resolve)
}

/// The referred value, or the value itself.
fn resolve(value: &'static Value) -> &'static Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    let pointer = reference.strip_prefix('#').expect("a reference into the document");
    DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

fn visit(value: &'static Value, see: &mut impl FnMut(&'static Value)) {
    see(value);
    match value {
        Value::Object(object) => object.values().for_each(|value| visit(value, see)),
        Value::Array(list) => list.iter().for_each(|value| visit(value, see)),
        _ => {}
    }
}

#[test]
fn document_has_each_operation_of_the_catalog_once() {
    for described in rest_operations() {
        let id = operation_of(described)["operationId"].as_str();
        assert!(id.is_some_and(|id| id.ends_with(described.name())), "{} {id:?}", described.name());
    }
    let ids: BTreeSet<_> = operations()
        .map(|(_, operation)| operation["operationId"].as_str().expect("an id").to_lowercase())
        .collect();
    assert_eq!(operations().count(), rest_operations().count());
    assert_eq!(ids.len(), operations().count());
    assert!(ids.contains("whoamigetwhoami") && ids.contains("commonlistroles"));
}

#[test]
fn references_lead_to_components() {
    let mut count = 0;
    visit(&DOCUMENT, &mut |value| {
        // A property may have this name; a reference is a text.
        if value.get("$ref").is_some_and(Value::is_string) {
            resolve(value);
            count += 1;
        }
    });
    assert!(count > 1_000, "{count}");
}

#[test]
fn component_names_are_permitted_characters() {
    for (kind, components) in DOCUMENT["components"].as_object().expect("components") {
        for name in components.as_object().expect("components").keys() {
            let is_permitted =
                |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
            assert!(name.chars().all(is_permitted), "{kind} {name}");
        }
    }
}

/// A model whose name another family has as well has its family's name in front.
#[test]
fn component_names_have_no_counter() {
    let schemas = DOCUMENT["components"]["schemas"].as_object().expect("schemas");
    for name in schemas.keys() {
        let base = name.trim_end_matches(|character: char| character.is_ascii_digit());
        assert!(base == name || !schemas.contains_key(base), "{name}: rename one of the models");
    }
    for name in ["CommonRole", "PartnerRole", "CommonRoleItemList", "SiemEventCursorPage"] {
        assert!(schemas.contains_key(name), "{name}");
    }
    let page = &schemas["CommonRoleItemList"]["properties"]["items"]["items"];
    assert_eq!(page["$ref"], "#/components/schemas/CommonRole");
}

#[test]
fn path_parameters_are_declared() {
    for (path, operation) in operations() {
        let in_path: BTreeSet<_> =
            path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect();
        let declared: BTreeSet<_> = parameters(operation)
            .filter(|parameter| parameter["in"] == "path" && parameter["required"] == true)
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(in_path, declared, "{path}");
    }
}

#[test]
fn paths_differ_in_more_than_the_names_of_parameters() {
    let mut paths = BTreeMap::new();
    for path in DOCUMENT["paths"].as_object().expect("paths").keys() {
        let shape: Vec<_> =
            path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect();
        if let Some(other) = paths.insert(shape.join("/"), path) {
            panic!("{path} is also {other}");
        }
    }
}

#[test]
fn parameters_are_declared_once() {
    for (path, operation) in operations() {
        let places: Vec<_> = parameters(operation)
            .map(|parameter| (parameter["in"].to_string(), parameter["name"].to_string().to_lowercase()))
            .collect();
        let distinct: BTreeSet<_> = places.iter().collect();
        assert_eq!(distinct.len(), places.len(), "{path}");
    }
}

#[test]
fn query_parameters_are_texts_or_lists_joined_by_commas() {
    let mut lists = 0;
    for (path, parameter) in operations()
        .flat_map(|(path, operation)| parameters(operation).map(move |parameter| (path, parameter)))
        .filter(|(_, parameter)| parameter["in"] == "query")
    {
        let schema = resolve(&parameter["schema"]);
        assert_ne!(schema["type"], "object", "{path} {parameter}");
        if schema["type"] == "array" {
            assert_eq!((&parameter["style"], &parameter["explode"]), (&json!("form"), &json!(false)));
            assert_ne!(resolve(&schema["items"])["type"], "object", "{path} {parameter}");
            lists += 1;
        }
    }
    assert!(lists > 50, "{lists}");
}

#[test]
fn schemas_have_no_null() {
    visit(&DOCUMENT, &mut |value| {
        let has_null = match &value["type"] {
            Value::Array(types) => types.contains(&json!("null")),
            kind => kind == "null",
        };
        assert!(!has_null && !value.is_null(), "{value}");
    });
}

#[test]
fn texts_have_no_links_to_rust_items() {
    visit(&DOCUMENT, &mut |value| {
        let text = value.as_str().unwrap_or_default();
        assert!(!text.contains("[`") && !text.contains("](crate"), "{text}");
    });
}

#[test]
fn operations_have_summaries_on_one_line() {
    for (path, operation) in operations() {
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(summary.len() > 8 && !summary.contains('\n'), "{path} {summary:?}");
    }
}

#[test]
fn body_has_the_fields_without_those_of_path_and_query() {
    let create = operation("common", "CreateRole");
    let body = &create["requestBody"]["content"]["application/json"]["schema"];
    let names: Vec<_> = body["properties"].as_object().expect("properties").keys().collect();
    assert_eq!(names, ["description", "name", "permissionSets", "principalType"]);
    assert_eq!(body["required"], json!(["name", "permissionSets", "principalType"]));
    let fields: Vec<_> = parameters(create).filter(|parameter| parameter["in"] == "query").collect();
    assert_eq!(fields[0]["name"], "fields");
    assert!(operation("common", "DeleteRole").get("requestBody").is_none());
}

#[test]
fn body_takes_settings_of_any_name() {
    let body =
        |name| operation("endpoint", name)["requestBody"]["content"]["application/json"]["schema"].clone();
    assert_ne!(body("UpdatePolicySettings")["additionalProperties"], false);
    assert_eq!(body("CreatePolicy")["additionalProperties"], false);
}

#[test]
fn scope_headers_are_required_unless_there_is_a_choice() {
    for described in rest_operations() {
        let headers: Vec<_> = parameters(operation_of(described))
            .filter(|parameter| parameter["name"].as_str().is_some_and(|name| name.starts_with("X-")))
            .map(|parameter| (parameter["name"].as_str().expect("a name"), parameter["required"] == true))
            .collect();
        let expected: &[_] = match described.route().scope {
            ScopeHeader::None => &[],
            ScopeHeader::Tenant => &[("X-Tenant-ID", true)],
            ScopeHeader::Partner => &[("X-Partner-ID", true)],
            ScopeHeader::Organization => &[("X-Organization-ID", true)],
            ScopeHeader::Distributor => &[("X-Distributor-ID", true)],
            ScopeHeader::TenantOrPartner => &[("X-Tenant-ID", false), ("X-Partner-ID", false)],
            ScopeHeader::TenantOrOwner => &[("X-Tenant-ID", false)],
            other => panic!("{other:?} has no headers here"),
        };
        assert_eq!(headers, expected, "{}", described.name());
    }
}

#[test]
fn operations_name_the_credentials_and_permissions() {
    let partner = operation("partner", "ListPartnerTenants");
    assert_eq!(partner["x-credential-types"], json!(["partner"]));
    assert_eq!(partner["servers"][0]["url"], "https://api.central.sophos.com");
    let with_permission = rest_operations().filter(|described| described.route().permission.is_some());
    for described in with_permission {
        let permission = described.route().permission;
        assert_eq!(operation_of(described)["x-soph-permissions"][0].as_str(), permission);
    }
    assert!(operation("common", "ListRoles").get("servers").is_none());
}

#[test]
fn header_parameter_has_the_name_of_the_header() {
    let metadata = operation("web-filters", "GetProfileMetadata");
    let language = parameters(metadata).find(|parameter| parameter["name"] == "accept-language");
    let language = language.expect("the header");
    assert_eq!((&language["in"], &language["required"]), (&json!("header"), &json!(true)));
}

#[test]
fn listings_return_named_models() {
    for described in rest_operations().filter(|described| described.paging() != Paging::None) {
        let schema = &operation_of(described)["responses"]["2XX"]["content"]["application/json"]["schema"];
        assert!(schema["$ref"].is_string(), "{} {schema}", described.name());
        assert_eq!(resolve(schema)["type"], "object", "{}", described.name());
    }
}

#[test]
fn document_is_the_same_each_time() {
    assert_eq!(openapi_document::document().to_string(), DOCUMENT.to_string());
}
