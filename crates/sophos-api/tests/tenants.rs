//! The owner of a credential, its tenants, and their hosts.

mod support;

use futures_executor::block_on;
use serde_json::{Value, json};
use sophos_api::{
    ApiClient, Client, ErrorKind, Hosts, TransportErrorKind,
    models::{IdType, Whoami},
    operations::{endpoint::endpoints::ListEndpoints, whoami::GetWhoami},
};
use support::{
    OWN_ID, ScriptedResponse, ScriptedTransport, TENANT_ID, client, credentials, last_page, tenant_record,
    whoami,
};

const GLOBAL: &str = "https://api.central.sophos.com";

fn tenants_page(records: &[Value]) -> ScriptedResponse {
    ScriptedResponse::json(json!({"items": records, "pages": {"current": 1, "total": 1}}))
}

/// An identity with these hosts.
fn with_hosts(id_type: &str, hosts: Value) -> Value {
    json!({"id": OWN_ID, "idType": id_type, "apiHosts": hosts})
}

#[test]
fn list_tenants_lists_partner_and_organization_tenants() {
    for (kind, path, header) in [
        ("partner", "/partner/v1/tenants", "x-partner-id"),
        ("organization", "/organization/v1/tenants", "x-organization-id"),
    ] {
        let page = |number: u32, id: &str| {
            ScriptedResponse::json(
                json!({"items": [{"id": id}, {"name": "no id"}], "pages": {"current": number, "total": 2}}),
            )
        };
        let script = ScriptedTransport::with_whoami(whoami(kind), [page(1, "a"), page(2, "b")]);
        let tenants = block_on(client(&script).list_tenants()).expect("tenants");
        let ids: Vec<_> = tenants.tenants.iter().map(|tenant| tenant.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"], "{kind}");
        assert_eq!(tenants.errors.len(), 2, "{kind}");
        assert!(tenants.errors[0].to_string().starts_with(&format!("GET {path}: ")), "{kind}");
        let calls = script.api_requests();
        assert_eq!((calls.len(), calls[0].path(), calls[1].query("page")), (2, path, Some("2")), "{kind}");
        for call in calls {
            assert_eq!(call.header(header), Some(OWN_ID), "{kind}: in the case that it came in");
            assert_eq!(call.host(), "api.central.sophos.com");
        }
    }
}

#[test]
fn list_tenants_restarts_with_smaller_pages_when_too_large() {
    let page = |number: u32, id: &str| {
        ScriptedResponse::json(json!({"items": [{"id": id}], "pages": {"current": number, "total": 2}}))
    };
    let too_large = || ScriptedResponse::failure(TransportErrorKind::TooLarge);
    for kind in ["partner", "organization"] {
        let responses = [page(1, "a"), too_large(), too_large(), page(1, "a"), page(2, "b")];
        let script = ScriptedTransport::with_whoami(whoami(kind), responses);
        let tenants = block_on(client(&script).list_tenants()).expect("tenants");
        let ids: Vec<_> = tenants.tenants.iter().map(|tenant| tenant.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"], "{kind}");
        let calls = script.api_requests();
        let sizes: Vec<_> = calls.iter().map(|call| call.query("pageSize").expect("a size")).collect();
        assert_eq!(sizes, ["100", "100", "50", "25", "25"], "{kind}");
    }
    let script = ScriptedTransport::with_whoami(whoami("partner"), (0..7).map(|_| too_large()));
    let error = block_on(client(&script).list_tenants()).expect_err("not even one fits");
    assert_eq!((error.kind(), script.api_requests().len()), (ErrorKind::TooLarge, 7), "{error}");
}

#[test]
fn tenant_credential_reaches_only_its_tenant() {
    let script = ScriptedTransport::with_whoami(whoami("tenant"), [last_page(&[]), last_page(&[])]);
    let client = client(&script);
    let tenants = block_on(client.list_tenants()).expect("tenants");
    assert_eq!((tenants.tenants.len(), tenants.tenants[0].id.as_str()), (1, OWN_ID));
    let listed = client.for_tenant(&tenants.tenants[0]).expect("a handle");
    // The same id in the other case is the same tenant.
    let named = block_on(client.tenant(OWN_ID.to_ascii_lowercase())).expect("a handle");
    for handle in [listed, named] {
        block_on(handle.send(&ListEndpoints::default())).expect("a response");
    }
    for call in script.api_requests() {
        assert_eq!((call.host(), call.header("x-tenant-id")), ("api-eu02.central.sophos.com", Some(OWN_ID)));
    }
    let error = block_on(client.tenant(TENANT_ID)).expect_err("another tenant");
    assert_eq!(error.kind(), ErrorKind::WrongCredentialType);
}

#[test]
fn tenant_is_fetched_by_id() {
    for (kind, path) in [("partner", "/partner/v1/tenants/"), ("organization", "/organization/v1/tenants/")] {
        let record = json!({"id": TENANT_ID, "apiHost": "https://api-ca01.central.sophos.com"});
        let script =
            ScriptedTransport::with_whoami(whoami(kind), [ScriptedResponse::json(record), last_page(&[])]);
        let tenant = block_on(client(&script).tenant(TENANT_ID.to_ascii_uppercase())).expect("a handle");
        assert_eq!(tenant.id().as_str(), TENANT_ID, "as the service writes it");
        block_on(tenant.send(&ListEndpoints::default())).expect("a response");
        let calls = script.api_requests();
        assert_eq!(calls[0].path(), format!("{path}{}", TENANT_ID.to_ascii_uppercase()));
        assert_eq!(calls[1].host(), "api-ca01.central.sophos.com");
    }
}

#[test]
fn tenant_rejects_a_record_of_another_tenant() {
    let record = json!({"id": "another", "apiHost": "https://api-ca01.central.sophos.com"});
    let script = ScriptedTransport::with_whoami(whoami("partner"), [ScriptedResponse::json(record)]);
    let error = block_on(client(&script).tenant(TENANT_ID)).expect_err("another");
    assert_eq!(error.kind(), ErrorKind::WrongCredentialType);
}

#[test]
fn for_tenant_uses_the_data_region_without_a_host() {
    for (record, host) in [
        (json!({"id": "a", "dataRegion": "eu01"}), Some("https://api-eu01.central.sophos.com")),
        (
            json!({"id": "a", "dataRegion": "IN01", "apiHost": ""}),
            Some("https://api-in01.central.sophos.com"),
        ),
        (
            json!({"id": "a", "dataRegion": "xx99", "apiHost": null}),
            Some("https://api-xx99.central.sophos.com"),
        ),
        (
            json!({"id": "a", "dataRegion": "eu01", "apiHost": "http://api-us03.central.sophos.com/"}),
            Some("https://api-us03.central.sophos.com"),
        ),
        (json!({"id": "a"}), None),
        (json!({"id": "a", "dataRegion": ""}), None),
        (json!({"id": "a", "dataRegion": "eu01.evil.example/"}), None),
    ] {
        let script = ScriptedTransport::with_responses([]);
        let handle = client(&script).for_tenant(&tenant_record(record.clone()));
        match (handle, host) {
            (Ok(handle), Some(host)) => assert_eq!(handle.base_url().to_string(), host, "{record}"),
            (Err(error), None) => {
                assert_eq!(error.kind(), ErrorKind::Malformed, "{record}");
                assert!(error.to_string().starts_with("tenant record for tenant a: "), "{error}");
            }
            (handle, _) => panic!("{record}: {handle:?}"),
        }
    }
}

#[test]
fn identity_without_a_global_host_uses_the_default() {
    for hosts in [json!({"global": ""}), json!({"global": null}), json!({}), json!(null)] {
        let script =
            ScriptedTransport::with_whoami(with_hosts("partner", hosts.clone()), [tenants_page(&[])]);
        let client = client(&script);
        block_on(client.list_tenants()).expect("tenants");
        assert_eq!(block_on(client.identity()).expect("an identity").global.to_string(), GLOBAL, "{hosts}");
        assert_eq!(script.api_requests()[0].host(), "api.central.sophos.com");
    }
}

#[test]
fn identity_hosts_are_normalized() {
    let hosts = json!({"global": "http://api.central.sophos.com/", "dataRegion": "http://API-eu02.central.sophos.com/"});
    let script = ScriptedTransport::with_whoami(with_hosts("tenant", hosts), []);
    let identity = block_on(client(&script).identity()).expect("an identity");
    assert_eq!(identity.global.to_string(), GLOBAL);
    let region = identity.data_region.expect("a region");
    assert_eq!(region.to_string(), "https://api-eu02.central.sophos.com");
}

#[test]
fn untrusted_hosts_receive_no_request() {
    for host in
        ["https://api.central.sophos.com.evil.example", "https://evil.example", "https://evilsophos.com"]
    {
        let hosts = |global: &str, region: &str| json!({"global": global, "dataRegion": region});
        let region = "https://api-eu02.central.sophos.com";
        for identity in [
            with_hosts("partner", hosts(host, "")),
            with_hosts("tenant", hosts(host, region)),
            with_hosts("tenant", hosts(GLOBAL, host)),
        ] {
            let script = ScriptedTransport::with_whoami(identity, []);
            let client = client(&script);
            assert_eq!(block_on(client.list_tenants()).expect_err(host).kind(), ErrorKind::UntrustedHost);
            assert_eq!(block_on(client.tenant(OWN_ID)).expect_err(host).kind(), ErrorKind::UntrustedHost);
            assert!(!script.sent().iter().any(|sent| sent.host().contains("evil")), "{host}");
        }

        let record = json!({"id": TENANT_ID, "apiHost": host, "dataRegion": "eu01"});
        let script = ScriptedTransport::with_whoami(
            whoami("partner"),
            [tenants_page(std::slice::from_ref(&record)), ScriptedResponse::json(record)],
        );
        let client = client(&script);
        let listed = block_on(client.list_tenants()).expect("tenants").tenants;
        assert_eq!(client.for_tenant(&listed[0]).expect_err(host).kind(), ErrorKind::UntrustedHost);
        let error = block_on(client.tenant(TENANT_ID)).expect_err(host);
        assert_eq!(error.kind(), ErrorKind::UntrustedHost);
        assert!(error.to_string().contains("no token was sent to it"), "{error}");
        assert!(script.sent().iter().all(|sent| sent.host().ends_with(".sophos.com")), "{host}");
    }
}

#[test]
fn custom_hosts_receive_all_requests() {
    let at = |url: &str| url.parse().expect(url);
    let identity = with_hosts(
        "tenant",
        json!({"global": "http://127.0.0.1:7001", "dataRegion": "http://127.0.0.1:7002"}),
    );
    let script = ScriptedTransport::with_whoami(identity, [last_page(&[])]);
    let client = Client::builder(std::sync::Arc::clone(&script), credentials())
        .hosts(Hosts::new(at("http://127.0.0.1:7000"), at("http://127.0.0.1:7001")))
        .build();
    let tenants = block_on(client.list_tenants()).expect("tenants");
    let tenant = client.for_tenant(&tenants.tenants[0]).expect("a handle");
    block_on(tenant.send(&ListEndpoints::default())).expect("a response");
    let hosts: Vec<_> = script
        .sent()
        .iter()
        .map(|sent| format!("{}{}", sent.uri.authority().expect("a host"), sent.path()))
        .collect();
    assert_eq!(
        hosts,
        [
            "127.0.0.1:7000/api/v2/oauth2/token",
            "127.0.0.1:7001/whoami/v1",
            "127.0.0.1:7002/endpoint/v1/endpoints"
        ]
    );
}

#[test]
fn unknown_id_type_reaches_no_tenant() {
    let script = ScriptedTransport::with_whoami(whoami("galaxy"), []);
    let client = client(&script);
    assert_eq!(block_on(client.identity()).expect("an identity").id_type, IdType::from("galaxy"));
    assert_eq!(block_on(client.list_tenants()).expect_err("none").kind(), ErrorKind::WrongCredentialType);
    assert_eq!(block_on(client.tenant(TENANT_ID)).expect_err("none").kind(), ErrorKind::WrongCredentialType);

    let script = ScriptedTransport::with_whoami(json!({"id": OWN_ID}), []);
    assert_eq!(
        block_on(support::client(&script).identity()).expect_err("no kind").kind(),
        ErrorKind::Malformed
    );
}

#[test]
fn get_whoami_works_as_an_operation() {
    let script = ScriptedTransport::with_whoami(whoami("partner"), []);
    let whoami: Whoami = block_on(client(&script).send(&GetWhoami::new())).expect("a response").into_inner();
    assert_eq!((whoami.id.as_str(), whoami.id_type), (OWN_ID, Some(IdType::Partner)));
    assert!(script.sent().iter().all(|sent| sent.header("x-partner-id").is_none()), "no scope header");
}
