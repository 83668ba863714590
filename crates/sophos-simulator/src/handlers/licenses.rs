//! Licenses of a tenant, and firewalls with theirs.

use serde_json::{Value, json};

use crate::call::Context;
use crate::data::tenant::Tenant;
use crate::engine::{Collection, Seed};
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

static LICENSES: Collection = Collection { seed: seed_licenses, ..Collection::new("licenses", "license") };

static FIREWALLS: Collection = Collection {
    id_member: "serialNumber",
    searched: &["serialNumber"],
    seed: seed_firewalls,
    ..Collection::new("license_firewalls", "firewall")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::read("licenses.list", "/licenses/v1/licenses", list).global(),
    Route::list("licenses.firewalls", "/licenses/v1/licenses/firewalls", &FIREWALLS)
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

/// The firewalls of a tenant; of a partner, those of all its tenants.
fn seed_firewalls(seed: &mut Seed<'_>) -> Vec<Value> {
    if let Some(tenant) = seed.tenant {
        return firewalls_of(seed, tenant);
    }
    let central = seed.central;
    let tenants = central.accounts.tenants().filter(|tenant| tenant.owner.belongs_to_partner());
    tenants
        .flat_map(|tenant| firewalls_of(&mut Seed::new(central, tenant.id, FIREWALLS.name), tenant))
        .collect()
}

fn firewalls_of(seed: &mut Seed<'_>, tenant: &Tenant) -> Vec<Value> {
    let partner = uuid_text(seed.central.accounts.partner_id);
    let firewall = |(number, (model, kind)): (usize, &(&str, &str))| {
        let mut firewall = json!({
            "serialNumber": format!("C{:04}{}", number, seed.rng.hex(10).to_uppercase()),
            "owner": { "id": partner, "type": "partner" },
            "partner": { "id": partner },
            "tenant": { "id": tenant.id_text },
            "billingTenant": { "id": tenant.id_text },
            "model": model,
            "modelType": kind,
            "licenses": [license(seed, "XSTREAM", "Xstream Protection", 1)],
            "lastSeenAt": seed.past(3)[..10],
        });
        if tenant.owner.belongs_to_organization() {
            firewall["organization"] = json!({ "id": uuid_text(seed.central.accounts.organization_id) });
        }
        firewall
    };
    [("XGS136", "hardware"), ("SFVUNL", "virtual")].iter().enumerate().map(firewall).collect()
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
