//! Licenses of a tenant, and of its firewalls.

use serde_json::{Value, json};

use crate::call::Context;
use crate::data::tenant::Tenant;
use crate::engine::{Collection, Seed, verbs};
use crate::handlers::firewall::firewalls::FIREWALLS;
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

static LICENSES: Collection = Collection { seed: seed_licenses, ..Collection::new("licenses", "license") };

static FIREWALL_LICENSES: Collection = Collection {
    id_member: "serialNumber",
    searched: &["serialNumber"],
    ..Collection::new("license_firewalls", "firewall")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::read("licenses.list", "/licenses/v1/licenses", list).global(),
    Route::read("licenses.firewalls", "/licenses/v1/licenses/firewalls", list_firewalls)
        .global()
        .tenant_or_partner(),
];

fn license(seed: &mut Seed<'_>, code: &str, name: &str, quantity: u64) -> Value {
    let start = seed.past(300);
    json!({
        "id": seed.uuid(),
        "licenseIdentifier": seed.uuid(),
        "product": { "code": code, "name": name, "genericCode": code, "features": [] },
        "startDate": start[..10],
        "endDate": "2099-12-31",
        "perpetual": false,
        "type": "term",
        "quantity": quantity,
        "unlimited": false,
        "usage": { "current": { "count": quantity / 2, "date": start[..10], "collectedAt": start } },
    })
}

fn seed_licenses(seed: &mut Seed<'_>) -> Vec<Value> {
    let endpoints = seed.tenant.map_or(0, |tenant| tenant.endpoint_count());
    vec![
        license(seed, "CIXAXDR", "Intercept X Advanced with XDR", endpoints + 50),
        license(seed, "SVRCIXAXDR", "Intercept X Advanced for Server with XDR", 25),
        license(seed, "CEMA", "Central Email Advanced", 100),
    ]
}

/// The firewalls of the tenant, or of all tenants of the partner, with their licenses.
fn list_firewalls(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let central = context.central;
    let tenants: Vec<&Tenant> = match context.scoped_tenant() {
        Some(tenant) => vec![tenant],
        None => central.accounts.tenants().filter(|tenant| tenant.owner.belongs_to_partner()).collect(),
    };
    let mut items = Vec::new();
    for tenant in tenants {
        let firewalls = central.state.open(tenant.id).records(central, &FIREWALLS).clone();
        items.extend(firewalls.iter().map(|firewall| licensed(context, tenant, firewall)));
    }
    Ok(ApiResponse::json(200, &verbs::list_records(context, &FIREWALL_LICENSES, items)?))
}

fn licensed(context: &Context<'_>, tenant: &Tenant, firewall: &Value) -> Value {
    let accounts = &context.central.accounts;
    let owner = if tenant.owner.belongs_to_partner() {
        json!({ "id": uuid_text(accounts.partner_id), "type": "partner" })
    } else if tenant.owner.belongs_to_organization() {
        json!({ "id": uuid_text(accounts.organization_id), "type": "organization" })
    } else {
        json!({ "id": tenant.id_text, "type": "tenant" })
    };
    let serial = firewall["serialNumber"].as_str().unwrap_or_default();
    let mut seed = Seed::new(context.central, tenant.id, serial);
    let seen = if firewall["status"]["connected"] == true {
        time::format_millis(context.central.clock.now_ms())
    } else {
        firewall["updatedAt"].as_str().unwrap_or_default().to_owned()
    };
    let mut shown = json!({
        "serialNumber": serial, "owner": owner, "model": firewall["_model"],
        "modelType": firewall["_modelType"], "tenant": { "id": tenant.id_text },
        "billingTenant": { "id": tenant.id_text },
        "licenses": [license(&mut seed, "XSTREAM", "Xstream Protection", 1)],
        "lastSeenAt": seen.get(..10),
    });
    if let Some(kind) = owner["type"].as_str().filter(|kind| *kind != "tenant") {
        shown[kind] = json!({ "id": owner["id"] });
    }
    shown
}

fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let licenses = context.state().records(context.central, &LICENSES).clone();
    let mut body = json!({ "tenant": { "id": tenant.id_text }, "licenses": licenses });
    if tenant.owner.belongs_to_organization() {
        body["organization"] = json!({ "id": uuid_text(context.central.accounts.organization_id) });
    }
    if tenant.owner.belongs_to_partner() {
        body["partner"] = json!({ "id": uuid_text(context.central.accounts.partner_id) });
    }
    Ok(ApiResponse::json(200, &body))
}
