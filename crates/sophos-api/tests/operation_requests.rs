//! The requests of operations whose parameters are not plain fields.

use serde_json::{Value, json};
use sophos_api::{
    Operation, RequestTarget,
    models::EndpointType,
    operations::{
        endpoint::{
            endpoint_groups::CreateEndpointGroup,
            policies::{PolicySetting, UpdatePolicySettings},
            tamper_protection::GetTamperProtection,
        },
        firewall::mdr_threat_feed::{CreateIndicators, Indicator},
        partner::billing::ListUsage,
    },
};

fn request(operation: &impl Operation) -> http::Request<Vec<u8>> {
    let target = RequestTarget::with_id("https://api.example".parse().unwrap(), "the-id");
    operation.to_request(&target).unwrap()
}

fn body(operation: &impl Operation) -> Value {
    serde_json::from_slice(request(operation).body()).unwrap()
}

#[test]
fn path_holds_a_number() {
    assert_eq!(request(&ListUsage::new(2026, 7)).uri().path(), "/partner/v1/billing/usage/2026/7");
}

#[test]
fn policy_settings_are_the_members_of_the_body() {
    let setting = PolicySetting::default().value(true);
    let settings = [("endpoint.malware.enabled".to_owned(), setting)].into();

    let operation = UpdatePolicySettings::new("the-policy", settings);

    assert_eq!(request(&operation).uri().path(), "/endpoint/v1/policies/the-policy/settings");
    assert_eq!(body(&operation), json!({ "endpoint.malware.enabled": { "value": true } }));
}

#[test]
fn required_list_takes_models_with_setters() {
    let indicator = Indicator::default().value("192.0.2.7").r#type("ipv4-addr");

    let operation = CreateIndicators::new("the-firewall", [indicator]);

    assert_eq!(body(&operation), json!({ "indicators": [{ "value": "192.0.2.7", "type": "ipv4-addr" }] }));
}

#[test]
fn query_field_of_a_body_operation_is_not_in_the_body() {
    let operation = CreateEndpointGroup::new("Finance", EndpointType::Server).fields(["id", "name"]);

    assert_eq!(request(&operation).uri().query(), Some("fields=id,name"));
    assert_eq!(body(&operation), json!({ "name": "Finance", "type": "server" }));
}

#[test]
fn debug_output_of_a_response_hides_passwords() {
    let text = r#"{"enabled":true,"password":"first-one","previousPasswords":[{"password":"second-one"}]}"#;
    let response = http::Response::new(bytes::Bytes::from_static(text.as_bytes()));

    let parsed = GetTamperProtection::parse_response(&response).unwrap();

    let shown = format!("{parsed:?}");
    assert!(!shown.contains("first-one") && !shown.contains("second-one"), "{shown}");
    assert_eq!(parsed.password.unwrap().expose(), "first-one");
}
