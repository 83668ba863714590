//! The operations as data: descriptions, schemas, and requests chosen at run time.

use serde_json::{Map, Value, json};
use sophos_api::{
    RequestTarget,
    catalog::{self, Paging, ParameterLocation},
};

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn target() -> RequestTarget {
    RequestTarget::with_id("https://api-eu01.central.sophos.com".parse().expect("a host"), "the-tenant")
}

#[test]
fn operations_have_unique_names_and_documentation() {
    let mut names: Vec<_> =
        catalog::operations().map(|operation| (operation.name(), operation.family())).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for operation in catalog::operations() {
        let documentation = operation.documentation();
        assert!(documentation.len() > 10, "{}", operation.name());
        assert_eq!(operation.parameters()["description"], documentation, "{}", operation.name());
    }
}

#[test]
fn request_knows_the_names_of_the_schema() {
    for operation in catalog::operations() {
        let schema = operation.parameters();
        let names: Vec<_> =
            schema["properties"].as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect();
        for name in &names {
            let error = operation.request(fields(json!({ *name: null }))).err();
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(!error.contains("unknown field"), "{error}");
        }
        let result = operation.request(fields(json!({ "no parameter": 1 })));
        if schema.get("additionalProperties").is_some_and(|others| *others != false) {
            assert!(result.is_ok(), "{} takes any name", operation.name());
            continue;
        }
        let error = result.expect_err(operation.name()).to_string();
        let (_, expected) = error.split_once("unknown field `no parameter`: expected ").expect("the names");
        // A long text is cut.
        let is_cut = expected.len() > 100;
        let names = names.join(", ");
        assert!(names == expected || (is_cut && names.starts_with(expected)), "{names}\n{error}");
    }
}

#[test]
fn request_searches_alerts_by_the_filters_of_a_listing() {
    let search = catalog::operation("common", "SearchAlerts").expect("an operation");
    assert_eq!(search.parameter_location("severity"), ParameterLocation::Body);
    let request = search
        .request(fields(json!({ "severity": ["high"] })))
        .and_then(|described| described.to_request(&target()))
        .expect("a request");
    assert_eq!(request.body(), br#"{"severity":["high"]}"#);
}

#[test]
fn operation_finds_whoami_in_the_catalog() {
    let whoami = catalog::operation("whoami", "GetWhoami").expect("an operation");
    let request = whoami.request(Map::new()).and_then(|described| described.to_request(&target()));
    assert_eq!(request.expect("a request").uri().path(), "/whoami/v1");
}

#[test]
fn parameters_have_descriptions_and_required_names() {
    let schema = catalog::operation("common", "createrole").expect("an operation").parameters();

    assert_eq!(schema["required"], json!(["name", "principalType", "permissionSets"]));
    assert_eq!(schema["properties"]["name"]["description"], "The name.");
    assert_eq!(schema["$defs"]["PrincipalType"]["type"], "string");
}

#[test]
fn request_is_built_from_a_json_object() {
    let operation = catalog::operation("common", "CreateRole").expect("an operation");
    let request = operation
        .request(fields(json!({
            "name": "Help desk", "principalType": "user", "permissionSets": ["a"], "fields": ["id", "name"],
        })))
        .and_then(|described| described.to_request(&target()))
        .expect("a request");

    assert_eq!(request.uri().path_and_query().expect("a path"), "/common/v1/roles?fields=id,name");
    let body: Value = serde_json::from_slice(request.body()).expect("JSON");
    assert_eq!(body, json!({"name": "Help desk", "principalType": "user", "permissionSets": ["a"]}));
}

#[test]
fn request_rejects_unknown_and_missing_parameters() {
    let operation = catalog::operation("common", "GetRole").expect("an operation");
    for (parameters, expected) in
        [(json!({"roleId": "7", "colour": "red"}), "`colour`"), (json!({}), "`roleId`")]
    {
        let error = operation.request(fields(parameters)).expect_err("an invalid parameter");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn next_page_follows_the_paging_of_the_operation() {
    let roles = catalog::operation("common", "ListRoles").expect("an operation");
    assert_eq!(roles.paging(), Paging::None);
    let admins = catalog::operation("common", "ListAdmins").expect("an operation");
    let first = admins.request(Map::new()).expect("a request");

    let second = first.next_page(&json!({"items": [], "pages": {"total": 2}})).expect("a page");
    let second = second.expect("another page");
    let uri = second.to_request(&target()).expect("a request").uri().to_string();
    assert!(uri.ends_with("/common/v1/admins?page=2"), "{uri}");
    assert!(second.next_page(&json!({"items": [], "pages": {"total": 2}})).expect("a page").is_none());
}

#[test]
fn parameter_location_is_where_the_request_holds_it() {
    let location = |family, name, parameter| {
        catalog::operation(family, name).expect("an operation").parameter_location(parameter)
    };
    assert_eq!(location("common", "GetRole", "roleId"), ParameterLocation::Path);
    assert_eq!(location("common", "GetRole", "fields"), ParameterLocation::Query);
    assert_eq!(location("common", "CreateRole", "fields"), ParameterLocation::Query);
    assert_eq!(location("common", "CreateRole", "permissionSets"), ParameterLocation::Body);
    assert_eq!(location("web-filters", "GetProfileMetadata", "language"), ParameterLocation::Header);
}

#[test]
fn request_takes_settings_of_any_name() {
    let operation = catalog::operation("endpoint", "UpdatePolicySettings").expect("an operation");
    let settings = json!({"policyId": "7", "endpoint.threat-protection.enabled": {"value": true}});

    let request = operation.request(fields(settings)).and_then(|described| described.to_request(&target()));

    let request = request.expect("a request");
    assert_eq!(request.uri().path(), "/endpoint/v1/policies/7/settings");
    let body: Value = serde_json::from_slice(request.body()).expect("JSON");
    assert_eq!(body, json!({"endpoint.threat-protection.enabled": {"value": true}}));
}
