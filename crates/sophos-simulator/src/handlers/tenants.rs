//! `GET /partner/v1/tenants` and `GET /organization/v1/tenants`, for the list and for one
//! tenant.

use serde_json::{Map, Value, json};

use crate::call::{Context, invalid_parameter};
use crate::config::{CredentialKind, TenantGroup};
use crate::data::tenant::{Tenant, TenantState, geography_of};
use crate::engine::{Member, member};
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};

const MAX_PAGE_SIZE: u64 = 100;

fn is_listed(tenant: &Tenant, kind: CredentialKind) -> bool {
    let theirs = match kind {
        CredentialKind::Partner => tenant.owner.belongs_to_partner(),
        CredentialKind::Organization => tenant.owner.belongs_to_organization(),
        CredentialKind::Tenant => false,
    };
    theirs && tenant.state.get() != TenantState::Removed
}

fn tenant_json(context: &Context<'_>, tenant: &Tenant, fields: &[&str]) -> Value {
    let world = &context.central.accounts;
    let mut all = Map::new();
    let mut put = |name: &str, value: Value| {
        if name == "id" || fields.is_empty() || fields.contains(&name) {
            all.insert(name.to_owned(), value);
        }
    };
    put("id", json!(tenant.id_text));
    put("name", json!(tenant.name));
    if let Some(shown) = &tenant.show_as {
        put("showAs", json!(shown));
    }
    put("dataGeography", json!(tenant.geography()));
    put("dataRegion", json!(tenant.region.name()));
    put("billingType", json!(tenant.billing));
    if tenant.owner.belongs_to_partner() {
        put("partner", json!({ "id": uuid_text(world.partner_id) }));
    }
    if tenant.owner.belongs_to_organization() {
        let id = uuid_text(world.organization_id);
        put("organization", json!({ "id": id }));
    }
    if context.credential().is_ok_and(|credential| credential.kind == CredentialKind::Partner) {
        put("contact", contact(tenant));
        put("externalIds", json!([]));
        put("products", json!([{ "code": "endpoint" }, { "code": "server" }]));
    }
    if tenant.has_api_host {
        let addresses = context.central.addresses();
        put("apiHost", json!(addresses.regions.get(tenant.region.name())));
    }
    if tenant.has_status {
        put("status", json!("active"));
    }
    Value::Object(all)
}

/// The contact of a tenant, which the partner sees.
fn contact(tenant: &Tenant) -> Value {
    json!({
        "firstName": "Ada",
        "lastName": "Abbott",
        "email": format!("it@{}.example", &tenant.id_text[..8]),
        "phone": "+44 1235 559933",
        "address": {
            "address1": "1 High Street",
            "city": "Abingdon",
            "countryCode": "GB",
            "postalCode": "OX14 3YP",
        },
    })
}

/// A numbered page of tenants.
pub(crate) fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let kind = context.credential()?.kind;
    let query = &context.call.query;
    let size = query.page_size(MAX_PAGE_SIZE)?;
    let page = match query.number("page")? {
        Some(0) => return Err(invalid_parameter("page")),
        page => page.unwrap_or(1),
    };
    let with_total = query.boolean("pageTotal")?.unwrap_or(false);
    let fields = query.list("fields");
    let tenants = context.central.accounts.tenants();
    let mine: Vec<&Tenant> = tenants.filter(|t| is_listed(t, kind)).collect();
    let items: Vec<Value> = mine
        .iter()
        .skip(usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX))
        .take(size as usize)
        .map(|tenant| tenant_json(context, tenant, &fields))
        .collect();
    let total = (mine.len() as u64).div_ceil(size);
    let mut pages = json!({
        "current": page,
        "size": context.central.page_size(size, items.len()),
        "maxSize": MAX_PAGE_SIZE,
    });
    if with_total {
        pages["items"] = json!(mine.len());
    }
    // A page past the end has the number of pages, even without the parameter.
    if with_total || page > total {
        pages["total"] = json!(total);
    }
    Ok(ApiResponse::json(200, &json!({ "items": items, "pages": pages })))
}

/// One tenant.
pub(crate) fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let kind = context.credential()?.kind;
    let text = context.params.first().copied().unwrap_or_default();
    let found = context.central.accounts.tenant(text);
    let tenant = found
        .filter(|tenant| is_listed(tenant, kind))
        .ok_or_else(|| ApiError::not_found("Tenant not found"))?;
    let fields = context.call.query.list("fields");
    Ok(ApiResponse::json(200, &tenant_json(context, tenant, &fields)))
}

const ADDRESS: &[Member] = &[
    Member::text("address1").required(),
    Member::text("city").required(),
    Member::text("countryCode").required(),
    Member::text("postalCode"),
    Member::text("state"),
];
const CONTACT: &[Member] = &[
    Member::text("firstName").required(),
    Member::text("lastName").required(),
    Member::text("email").required(),
    Member::text("phone"),
    Member::text("mobile"),
    Member::text("fax"),
    Member::object("address", ADDRESS).required(),
];
const NEW_TENANT: &[Member] = &[
    Member::text_up_to("name", 255).required(),
    Member::text_up_to("showAs", 255),
    Member::one_of("dataGeography", &["US", "IE", "DE", "CA", "AU", "JP", "BR", "IN", "AE"]).required(),
    Member::one_of("billingType", BILLING).required(),
    Member::object("contact", CONTACT).required(),
];
const BILLING: &[&str] = &["term", "trial", "usage"];

/// A new tenant of the partner, without endpoints, in the first region of its geography.
pub(crate) fn create(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(NEW_TENANT, &context.call.json()?, false)?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let central = context.central;
    if central.accounts.tenants().any(|tenant| Some(&tenant.name) == text("name").as_ref()) {
        return Err(ApiError::new(409, "conflict", "Tenant already exists."));
    }
    let geography = text("dataGeography").unwrap_or_default();
    let region = central.config.regions.iter().find(|region| geography_of(region) == geography);
    let group = TenantGroup {
        name: text("name"),
        region: region.cloned(),
        endpoints: Some(0),
        events_per_hour: Some(0.0),
        alerts_per_hour: Some(0.0),
        ..TenantGroup::default()
    };
    let billing = BILLING.iter().copied().find(|kind| body["billingType"] == *kind).unwrap_or("term");
    let tenant = central
        .accounts
        .create(&central.config, &group, central.clock.now_ms(), |tenant| {
            tenant.show_as = text("showAs");
            tenant.billing = billing;
            tenant.has_api_host = true;
        })
        .ok_or_else(|| ApiError::new(422, "maximumReached", "Maximum number of tenants reached."))?;
    let shown = tenant_json(context, tenant, &context.call.query.list("fields"));
    context.name_object(&json!({ "name": tenant.name }));
    Ok(ApiResponse::json(context.success, &shown))
}
