//! The requests of operations whose parameters are not plain fields.

use serde_json::{Value, json};
use sophos_api::{
    Operation, RequestTarget,
    models::{EndpointType, SecretText},
    operations::{
        accounts::access_tokens::ListAccessTokens,
        email::quarantine_attachments::GetQuarantineDownloadStatus,
        endpoint::{
            downloads::ListInstallers,
            endpoint_groups::CreateEndpointGroup,
            packages::AddStaticPackage,
            policies::{PolicySetting, UpdatePolicySettings},
            tamper_protection::GetTamperProtection,
        },
        firewall::{
            configuration::CompleteConfigUpload,
            mdr_threat_feed::{CreateIndicators, Indicator},
        },
        mobile::actions::{LockArguments, LockDevices, WipeArguments, WipeDevices},
        partner::billing::ListUsage,
    },
};

fn request(operation: &impl Operation) -> http::Request<Vec<u8>> {
    let target = RequestTarget::with_id("https://api.example".parse().expect("a host"), "the-id");
    operation.to_request(&target).expect("a request")
}

fn body(operation: &impl Operation) -> Value {
    serde_json::from_slice(request(operation).body()).expect("JSON")
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

#[test]
fn debug_output_of_requests_and_pages_hides_codes_and_tokens() {
    let lock = LockDevices::new(["device"]).arguments(LockArguments::default().lock_code(739_154));
    let wipe = WipeDevices::new(["device"]).arguments(WipeArguments::default().wipe_code(739_154));
    let package = AddStaticPackage::new("package-token-1".into());
    let upload = CompleteConfigUpload::new("t", ["f"], "md5", 1).secure_master_key("master-key-1".into());
    let shown = format!("{lock:?} {wipe:?} {package:?} {upload:?}");
    for secret in ["739154", "package-token-1", "master-key-1"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(body(&lock)["arguments"], json!({ "lockCode": 739_154 }));
    assert_eq!(body(&wipe)["arguments"], json!({ "wipeCode": 739_154 }));

    let text = r#"{"items":[{"id":"1","token":"linux-sensor-token","url":"https://x.example/secret-url"}]}"#;
    let page = ListAccessTokens::parse_response(&http::Response::new(text.into())).unwrap();
    let item = page.items[0].clone().parse().unwrap();
    let shown = format!("{page:?} {item:?} {:#?}", item);
    assert!(!shown.contains("linux-sensor-token") && !shown.contains("secret-url"), "{shown}");
    assert_eq!(item.token.as_ref().map(SecretText::expose), Some("linux-sensor-token"));

    let text = r#"{"installers":[{"productName":"x","downloadUrl":"https://x.example/registration"}]}"#;
    let parsed = ListInstallers::parse_response(&http::Response::new(text.into())).unwrap();
    assert!(!format!("{parsed:?}").contains("registration"));
    let text = r#"{"id":"1","status":"completed","url":"https://x.example/signed","password":"zip-word"}"#;
    let parsed = GetQuarantineDownloadStatus::parse_response(&http::Response::new(text.into())).unwrap();
    let shown = format!("{parsed:?}");
    assert!(!shown.contains("signed") && !shown.contains("zip-word"), "{shown}");
}
