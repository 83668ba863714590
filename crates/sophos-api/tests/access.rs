//! Credentials, roles and permissions of operations, and the errors that name them.

mod support;

use futures_executor::block_on;
use serde_json::json;
use sophos_api::{
    ApiClient, Client, ErrorKind, Operation, RequiredAccess, ServiceRole,
    models::IdType,
    operations::{
        audit::audit_events::ListAuditEvents,
        business_automation::quotes::GetQuote,
        endpoint::endpoints::{GetEndpoint, ListEndpoints},
        firewall::configuration::{ExportFirewallConfig, GetConfigTransaction},
        licenses::product_licenses::ListFirewallLicenses,
        live_discover::query_runs::{GetQueryRun, StartQueryRun},
        organization::tenants::ListOrganizationTenants,
        partner::{roles::ListRoles, tenants::ListPartnerTenants},
    },
};
use support::{
    OWN_ID, ScriptedResponse, ScriptedTransport, TENANT_ID, client, tenant, tenant_with_id, whoami,
};

fn empty_page() -> ScriptedResponse {
    ScriptedResponse::json(json!({"items": [], "pages": {}}))
}

#[test]
fn callers_follow_from_the_scope() {
    let any = [IdType::Partner, IdType::Organization, IdType::Tenant];
    assert_eq!(ListEndpoints::ROUTE.callers(), any);
    assert_eq!(ListFirewallLicenses::ROUTE.callers(), any);
    assert_eq!(ListAuditEvents::ROUTE.callers(), any);
    assert_eq!(ListPartnerTenants::ROUTE.callers(), [IdType::Partner]);
    assert_eq!(ListOrganizationTenants::ROUTE.callers(), [IdType::Organization]);
    assert_eq!(GetQuote::ROUTE.callers(), [IdType::Distributor]);
}

#[test]
fn roles_are_the_documented_ones() {
    use ServiceRole::{Forensics, Management, ReadOnly, SuperAdmin};
    assert_eq!(StartQueryRun::ROUTE.roles(), [SuperAdmin, Forensics]);
    assert_eq!(GetQueryRun::ROUTE.roles(), [SuperAdmin, Forensics, ReadOnly]);
    assert_eq!(ListEndpoints::ROUTE.roles(), [SuperAdmin, Management, ReadOnly]);
    assert_eq!(ExportFirewallConfig::ROUTE.roles(), [SuperAdmin]);
}

#[test]
fn permission_is_that_of_the_specification() {
    assert_eq!(ExportFirewallConfig::ROUTE.permission, Some("fwcm.firewall.api.config:write"));
    assert_eq!(GetConfigTransaction::ROUTE.permission, Some("fwcm.firewall.api.config:read"));
    assert_eq!(ListEndpoints::ROUTE.permission, None);
    let text = RequiredAccess::new(&GetConfigTransaction::ROUTE).to_string();
    assert!(text.ends_with("and it needs the permission fwcm.firewall.api.config:read"), "{text}");
}

#[test]
fn wrong_credential_is_named_before_the_request() {
    for (id_type, expected) in [
        ("organization", "this operation needs a partner credential; the credential is an organization's"),
        ("tenant", "this operation needs a partner credential; the credential is a tenant's"),
    ] {
        let script = ScriptedTransport::with_whoami(whoami(id_type), []);

        let error = block_on(client(&script).send(&ListRoles::new())).expect_err("a partner's operation");

        assert_eq!(error.kind(), ErrorKind::WrongCredentialType);
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.required_access().is_some_and(RequiredAccess::is_wrong_credential));
        assert!(script.api_requests().is_empty());
    }
}

#[test]
fn forbidden_error_names_the_roles() {
    let script = ScriptedTransport::with_responses([ScriptedResponse::status(403)]);
    let tenant = tenant(&client(&script));

    let error = block_on(tenant.send(&ListEndpoints::new())).expect_err("403");

    let access = error.required_access().expect("the access");
    assert_eq!(access.roles, ListEndpoints::ROUTE.roles());
    assert_eq!(access.credential, None, "the client did not request the identity");
    assert!(error.to_string().contains("; the role Service Principal Super Admin or "), "{error}");
    assert_eq!(script.sent().iter().filter(|sent| sent.is_whoami()).count(), 0);
}

#[test]
fn missing_object_has_no_required_access() {
    let missing = || ScriptedResponse::status(404);
    let script = ScriptedTransport::with_responses([missing(), missing()]);
    let tenant = tenant(&client(&script));

    let object = block_on(tenant.send(&GetEndpoint::new("the-id"))).expect_err("404");
    let listing = block_on(tenant.send(&ListEndpoints::new())).expect_err("404");

    assert_eq!(object.required_access(), None);
    assert!(listing.required_access().is_some(), "a listing names no object that could be missing");
}

#[test]
fn tenant_credential_is_refused_for_another_tenant() {
    let script = ScriptedTransport::with_whoami(whoami("tenant"), [empty_page(), empty_page()]);
    let client = client(&script);
    let (own, other) = (tenant_with_id(&client, OWN_ID), tenant_with_id(&client, TENANT_ID));
    // Unknown yet: the request is sent.
    block_on(other.send(&ListEndpoints::new())).expect("a page");
    block_on(client.identity()).expect("an identity");

    let error = block_on(other.send(&ListEndpoints::new())).expect_err("another tenant");
    block_on(own.send(&ListEndpoints::new())).expect("a page");

    assert_eq!(error.kind(), ErrorKind::WrongCredentialType);
    assert!(error.to_string().contains(TENANT_ID), "{error}");
    assert_eq!(script.api_requests().len(), 2);
}

/// The scope headers of a request, by name.
fn scope_headers(script: &ScriptedTransport) -> Vec<(&'static str, String)> {
    let sent = script.api_requests().pop().expect("a request");
    let names = ["x-tenant-id", "x-partner-id", "x-organization-id", "x-distributor-id"];
    names.into_iter().filter_map(|name| Some((name, sent.header(name)?.to_owned()))).collect()
}

fn scripted(id_type: &str) -> (std::sync::Arc<ScriptedTransport>, Client<std::sync::Arc<ScriptedTransport>>) {
    let script = ScriptedTransport::with_whoami(whoami(id_type), [empty_page()]);
    let client = client(&script);
    (script, client)
}

#[test]
fn choice_of_scopes_follows_the_client() {
    let (script, client) = scripted("partner");
    block_on(client.send(&ListFirewallLicenses::new())).expect("a page");
    assert_eq!(scope_headers(&script), [("x-partner-id", OWN_ID.to_owned())]);

    let (script, client) = scripted("partner");
    block_on(tenant(&client).send(&ListFirewallLicenses::new())).expect("a page");
    assert_eq!(scope_headers(&script), [("x-tenant-id", TENANT_ID.to_owned())]);
    assert_eq!(script.api_requests()[0].host(), "api.central.sophos.com");

    let (_, client) = scripted("organization");
    let error = block_on(client.send(&ListFirewallLicenses::new())).expect_err("no partner");
    assert!(error.to_string().contains("send it through a TenantClient"), "{error}");
}

#[test]
fn audit_events_are_the_tenants_or_the_owners() {
    let operation = ListAuditEvents::new("2026-11-23T10:00:00.000Z");
    let (script, client) = scripted("organization");
    block_on(client.send(&operation)).expect("a page");
    assert_eq!(scope_headers(&script), []);

    let (script, client) = scripted("organization");
    block_on(tenant(&client).send(&operation)).expect("a page");
    assert_eq!(scope_headers(&script), [("x-tenant-id", TENANT_ID.to_owned())]);
}

#[test]
fn own_account_sends_operations_without_a_header() {
    let operation = ListAuditEvents::new("2026-11-23T10:00:00.000Z");
    let (script, client) = scripted("partner");
    let account = block_on(client.own_account()).expect("an identity").expect("an account");
    assert_eq!(account.id().as_str(), OWN_ID);
    block_on(account.send(&operation)).expect("a page");
    assert_eq!(scope_headers(&script), []);
    assert_eq!(
        (script.api_requests()[0].host(), account.stats().api_requests),
        ("api.central.sophos.com", 1)
    );
    let error = block_on(account.send(&ListEndpoints::new())).expect_err("an operation of a tenant");
    assert_eq!((error.kind(), script.api_requests().len()), (ErrorKind::Invalid, 1));

    let (_, client) = scripted("tenant");
    assert!(block_on(client.own_account()).expect("an identity").is_none());
}

#[test]
fn distributor_sends_its_id() {
    let script = ScriptedTransport::with_whoami(
        whoami("distributor"),
        [ScriptedResponse::json(json!({"proposalNumber": "Q-1", "type": "new"}))],
    );

    block_on(client(&script).send(&GetQuote::new("Q-1"))).expect("a quote");

    assert_eq!(scope_headers(&script), [("x-distributor-id", OWN_ID.to_owned())]);
    assert_eq!(script.api_requests()[0].path(), "/business-automation/v1/quotes/Q-1");
}

#[test]
fn partner_exports_a_configuration_in_a_region() {
    let operation = ExportFirewallConfig::new("firewall-1", true);
    let script =
        ScriptedTransport::with_responses([ScriptedResponse::json(json!({"transactionId": "export-1"}))]);
    block_on(client(&script).send_in_region(&operation, "eu01")).expect("a transaction");
    assert_eq!(scope_headers(&script), [("x-partner-id", OWN_ID.to_owned())]);
    assert_eq!(script.api_requests()[0].host(), "api-eu01.central.sophos.com");

    let (script, client) = scripted("organization");
    let error = block_on(client.send_in_region(&operation, "eu01")).expect_err("an organization's");
    assert!(error.to_string().ends_with("needs a partner credential; the credential is an organization's"));
    let error = block_on(client.send_in_region(&ListEndpoints::new(), "eu01")).expect_err("no choice");
    assert!(error.is_invalid(), "{error}");
    assert!(script.api_requests().is_empty());
}
