//! Administrators, roles, permission sets and billing of the partner.

use serde_json::{Value, json};

use crate::call::Context;
use crate::engine::collection::{IdKind, Parent};
use crate::engine::filter::values_at;
use crate::engine::{Change, Collection, Filter, Member, Paging, Seed, filter};
use crate::handlers::permissions as roles;
use crate::hash::{Rng, mix, uuid_text};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

const SCOPE: &[Member] =
    &[Member::one_of("type", &["allManagedTenants", "self", "tenant"]).required(), Member::uuid("id")];
const ASSIGNMENT: &[Member] = &[Member::uuid("roleId").required(), Member::object("scope", SCOPE).required()];
const PROFILE: &[Member] = &[
    Member::text("name"),
    Member::text("firstName").required(),
    Member::text("lastName").required(),
    Member::text("phone"),
    Member::text("mobile"),
    Member::text("fax"),
];

static ADMINS: Collection = Collection {
    members: &[
        Member::text_up_to("username", 320).required(),
        Member::object("profile", PROFILE).required(),
        Member::list("roleAssignments", &Member::object("assignment", ASSIGNMENT), 100).required(),
    ],
    has_times: false,
    filters: &[Filter::equals("email", "username"), Filter::equals("roleId", "roleAssignments.roleId")],
    searched: &["username", "profile.name"],
    unique: &["username"],
    conflict: "Email address already in use.",
    seed: seed_admins,
    on_create: complete_admin,
    ..Collection::new("partner_admins", "admin")
};

static ASSIGNMENTS: Collection = Collection {
    parent: Some(Parent { collection: &ADMINS, member: "roleAssignments" }),
    members: ASSIGNMENT,
    paging: Paging::None,
    has_times: false,
    may_delete_unknown: true,
    on_create: |change| {
        let assignment = change.record.clone();
        check_assignment(change, &assignment)
    },
    ..Collection::new("partner_role_assignments", "assignment")
};

static ROLES: Collection = Collection {
    paging: Paging::None,
    members: roles::ROLE_MEMBERS,
    filters: roles::ROLE_FILTERS,
    unique: &["name"],
    conflict: roles::ROLE_CONFLICT,
    may_delete_unknown: true,
    seed: roles::seed_roles,
    on_create: roles::complete_role,
    on_update: roles::check_custom,
    on_delete: |change| {
        let admins = change.state.records(change.context.central, &ADMINS);
        roles::check_unused(&change.record, admins)
    },
    ..Collection::new("partner_roles", "role")
};

static PERMISSION_SETS: Collection = Collection {
    id_kind: IdKind::Text,
    paging: Paging::None,
    filters: roles::SET_FILTERS,
    seed: roles::seed_sets,
    ..Collection::new("partner_permission_sets", "permission set")
};

const ASSIGNMENTS_PATH: &str = "/partner/v1/admins/:adminId/role-assignments";
const ASSIGNMENT_PATH: &str = "/partner/v1/admins/:adminId/role-assignments/:assignmentId";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("partner.admins.list", "/partner/v1/admins", list_admins).partner(),
    Route::create("partner.admins.create", "/partner/v1/admins", &ADMINS).partner(),
    Route::get("partner.admins.get", "/partner/v1/admins/:adminId", &ADMINS).partner(),
    Route::list("partner.admins.role_assignments", ASSIGNMENTS_PATH, &ASSIGNMENTS).partner(),
    Route::create("partner.admins.assign_role", ASSIGNMENTS_PATH, &ASSIGNMENTS).partner(),
    Route::get("partner.admins.role_assignment", ASSIGNMENT_PATH, &ASSIGNMENTS).partner(),
    Route::delete("partner.admins.remove_role", ASSIGNMENT_PATH, &ASSIGNMENTS).partner(),
    Route::list("partner.roles.list", "/partner/v1/roles", &ROLES).partner(),
    Route::create("partner.roles.create", "/partner/v1/roles", &ROLES).partner(),
    Route::list("partner.roles.permission_sets", "/partner/v1/roles/permission-sets", &PERMISSION_SETS)
        .partner(),
    Route::get("partner.roles.get", "/partner/v1/roles/:roleId", &ROLES).partner(),
    Route::update("partner.roles.update", "/partner/v1/roles/:roleId", &ROLES).partner(),
    Route::delete("partner.roles.delete", "/partner/v1/roles/:roleId", &ROLES).partner(),
    Route::read("partner.billing", "/partner/v1/billing/usage/:year/:month", billing).partner(),
];

fn seed_admins(seed: &mut Seed<'_>) -> Vec<Value> {
    let admin = |number: usize| {
        let person = seed.person(number);
        json!({
            "username": person.email,
            "profile": {
                "name": person.name, "firstName": person.first, "lastName": person.last,
                "phone": format!("+1-555-123-{:04}", 4_000 + number),
            },
            "active": true,
            "primary": number == 0,
            "roleAssignments": [{
                "id": seed.uuid(),
                "roleId": seed.id("partner_roles", number as u64),
                "scope": { "type": "allManagedTenants" },
            }],
        })
    };
    (0..3).map(admin).collect()
}

/// 404 for an unknown role, 400 for a scope without its tenant.
fn check_assignment(change: &mut Change<'_, '_>, assignment: &Value) -> Result<(), ApiError> {
    let central = change.context.central;
    let role = assignment["roleId"].as_str().unwrap_or_default();
    change.state.find(central, &ROLES, role).ok_or_else(|| ROLES.not_found())?;
    let scope = &assignment["scope"];
    if scope["type"] == "tenant"
        && central.accounts.tenant(scope["id"].as_str().unwrap_or_default()).is_none()
    {
        return Err(crate::call::invalid_parameter("scope"));
    }
    Ok(())
}

fn complete_admin(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let wanted = change.record["roleAssignments"].as_array().cloned().unwrap_or_default();
    let mut assignments = Vec::with_capacity(wanted.len());
    for mut assignment in wanted {
        check_assignment(change, &assignment)?;
        assignment["id"] = json!(uuid_text(change.context.central.new_rng().uuid()));
        assignments.push(assignment);
    }
    change.record["roleAssignments"] = json!(assignments);
    change.record["active"] = json!(true);
    change.record["primary"] = json!(false);
    let profile = &mut change.record["profile"];
    if profile["name"].is_null() {
        let part = |name: &str| profile[name].as_str().unwrap_or_default().to_owned();
        profile["name"] = json!(format!("{} {}", part("firstName"), part("lastName")));
    }
    Ok(())
}

fn list_admins(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut admins = context.state().records(context.central, &ADMINS).clone();
    if let Some(tenant) = context.call.query.get("withAccessToTenant") {
        admins.retain(|admin| {
            let scopes = values_at(admin, "roleAssignments.scope");
            scopes.iter().any(|scope| {
                scope["type"] == "allManagedTenants"
                    || scope["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(tenant))
            })
        });
    }
    Ok(ApiResponse::json(200, &crate::engine::verbs::list_records(context, &ADMINS, admins)?))
}

/// The months before the simulator's present have usage, for as long as its tenants exist.
fn billing(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    const FILTERS: &[Filter] =
        &[Filter::equals("contactEmail", "contactEmail"), Filter::equals("accountId", "accountId")];
    let [year, month] = context.params.as_slice() else { return Err(ApiError::from_status(404)) };
    let wrong = || ApiError::bad_request("Invalid request");
    let first = format!("{:04}-{:02}-01", number(year)?, number(month)?);
    let start = time::parse(&format!("{first}T00:00:00Z")).ok_or_else(wrong)?;
    let now = context.central.clock.now_ms();
    if !(now - 365 * 86_400_000..=now).contains(&start) {
        return Err(ApiError::not_found("No data for requested year or month."));
    }
    let accounts = &context.central.accounts;
    let partner = uuid_text(accounts.partner_id);
    let tenants = accounts.tenants().filter(|tenant| tenant.owner.belongs_to_partner());
    let items = tenants.map(|tenant| {
        let mut rng = Rng::new(mix(tenant.key, start as u64));
        let quantity = tenant.endpoint_count();
        json!({
            "partnerAccountId": partner,
            "partnerEdiAccountNumber": "1231231",
            "partnerAccountName": "Example Partner",
            "billingStartDate": first,
            "billingEndDate": time::format_millis(start + 27 * 86_400_000)[..10],
            "orderNumber": format!("OrderID-{}", rng.below(1_000_000)),
            "orderLineItemNumber": format!("OrderLine-{}", rng.below(1_000_000)),
            "accountNumberOrSerialNumber": tenant.id_text,
            "productDescription": "Central Intercept X Advanced - MSP Monthly",
            "productGroup": "User",
            "sku": "CIXA1CSMG",
            "billableQuantity": quantity,
            "externalId": uuid_text(rng.uuid()),
            "accountId": tenant.id_text,
            "accountStatus": "active",
            "actualQuantity": quantity,
            "orderedQuantity": quantity,
            "productCode": "CIXA-MSP",
            "contactEmail": format!("billing-{}@example.com", tenant.number),
        })
    });
    let items = filter::select(&context.call.query, items.collect(), FILTERS, &[], "accountId", now)?;
    let mut body = Paging::KEYED.body(context, items, |item| filter::scalar_text(&item["accountId"]))?;
    for item in body["items"].as_array_mut().into_iter().flatten() {
        filter::project(&context.call.query, item, "accountId");
    }
    Ok(ApiResponse::json(200, &body))
}

fn number(text: &str) -> Result<u32, ApiError> {
    text.parse().map_err(|_| ApiError::bad_request("Invalid request"))
}
