//! Sophos Mobile: routes, groups of devices and apps, operating systems and setup data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Change, Collection, Filter, Member, Paging, Seed, Verb, verbs};
use crate::handlers::mobile_actions::{self as actions, ACTIONS};
use crate::handlers::mobile_devices as devices;
use crate::hash::Rng;
use crate::response::{ApiError, ApiResponse};
use crate::routes::{Function, Route};

pub(crate) const PAGING: Paging = Paging::Numbered { default: 50, max: 500 };

pub(crate) static DEVICE_GROUPS: Collection = Collection {
    paging: PAGING,
    has_tenant: true,
    members: &[
        Member::text_up_to("name", 255).required(),
        Member::text("description"),
        Member::uuid("employeeCompliancePolicyId"),
        Member::uuid("corporateCompliancePolicyId"),
    ],
    unique: &["name"],
    conflict: "A device group with this name already exists.",
    max: Some((1_000, 422, "Maximum number of device groups exceeded.")),
    searched: &["name"],
    detail: &["description", "createdAt", "createdBy", "updatedAt", "updatedBy"],
    may_delete_unknown: true,
    seed: seed_device_groups,
    on_create: |change| {
        refer_to_policies(change);
        author(change)
    },
    on_update: |change| {
        refer_to_policies(change);
        let central = change.context.central;
        for device in change.state.records(central, &devices::DEVICES) {
            if device["deviceGroup"]["id"] == change.record["id"] {
                device["deviceGroup"]["name"] = change.record["name"].clone();
            }
        }
        author(change)
    },
    on_delete: |change| {
        let central = change.context.central;
        let all = change.state.records(central, &devices::DEVICES);
        if all.iter().any(|device| device["deviceGroup"]["id"] == change.record["id"]) {
            return Err(ApiError::new(409, "conflict", "The device group has devices."));
        }
        Ok(())
    },
    ..Collection::new("mobile_device_groups", "device group")
};

const APP: &[Member] = &[
    Member::text_up_to("identifier", 255).required(),
    Member::text_up_to("name", 255),
    Member::text_up_to("link", 2_048),
];

static APP_GROUPS: Collection = Collection {
    paging: PAGING,
    has_tenant: true,
    members: &[
        Member::text_up_to("name", 255).required(),
        Member::list("apps", &Member::object("app", APP), 1_000),
        Member::one_of("platform", devices::PLATFORMS).required().fixed(),
    ],
    unique: &["name"],
    conflict: "An app group with this name already exists.",
    max: Some((1_000, 422, "Maximum number of app groups exceeded.")),
    filters: &[Filter::equals("platform", "platform")],
    searched: &["name"],
    detail: &["createdAt", "createdBy", "updatedAt", "updatedBy"],
    may_delete_unknown: true,
    seed: seed_app_groups,
    on_create: author,
    on_update: author,
    on_delete: |change| match change.record["_isUsed"] {
        Value::Bool(true) => Err(ApiError::new(409, "conflict", "A policy uses the app group.")),
        _ => Ok(()),
    },
    view: |_, group| {
        group["count"] = json!(group["apps"].as_array().map_or(0, Vec::len));
        if let Some(members) = group.as_object_mut() {
            members.remove("apps");
        }
    },
    ..Collection::new("mobile_app_groups", "app group")
};

pub(crate) static SYSTEMS: Collection = Collection {
    paging: PAGING,
    filters: &[Filter::equals("platform", "platform"), Filter::starts_with("version", "version")],
    seed: seed_systems,
    ..Collection::new("mobile_operating_systems", "operating system")
};

const fn get(operation: &'static str, path: &'static str, function: Function) -> Route {
    Route::read(operation, path, function)
}

const fn post(operation: &'static str, path: &'static str, function: Function) -> Route {
    Route::write(operation, "POST", path, function).with_success(201)
}

const fn write(
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    function: Function,
) -> Route {
    Route::write(operation, method, path, function)
}

pub(crate) static ROUTES: &[Route] = &[
    get("mobile.actions", "/mobile/v1/actions", |c| run(c, Verb::List, &ACTIONS)),
    get("mobile.action", "/mobile/v1/actions/:id", |c| run(c, Verb::Get, &ACTIONS)),
    write("mobile.delete_action", "DELETE", "/mobile/v1/actions/:id", |c| run(c, Verb::Delete, &ACTIONS)),
    post("mobile.get_logs", "/mobile/v1/actions/get-logs", |c| actions::create(c, "getLogs")),
    post("mobile.locate", "/mobile/v1/actions/locate", |c| actions::create(c, "locate")),
    post("mobile.lock", "/mobile/v1/actions/lock", |c| actions::create(c, "lock")),
    post("mobile.scan", "/mobile/v1/actions/scan", |c| actions::create(c, "scan")),
    post("mobile.send_message", "/mobile/v1/actions/send-message", |c| actions::create(c, "sendMessage")),
    post("mobile.sync", "/mobile/v1/actions/sync", |c| actions::create(c, "sync")),
    post("mobile.unenroll", "/mobile/v1/actions/unenroll", |c| actions::create(c, "unenroll")),
    post("mobile.wipe", "/mobile/v1/actions/wipe", |c| actions::create(c, "wipe")),
    get("mobile.app_groups", "/mobile/v1/app-groups", |c| run(c, Verb::List, &APP_GROUPS)),
    post("mobile.create_app_group", "/mobile/v1/app-groups", |c| run(c, Verb::Create, &APP_GROUPS)),
    get("mobile.app_group", "/mobile/v1/app-groups/:id", |c| run(c, Verb::Get, &APP_GROUPS)),
    write("mobile.update_app_group", "PATCH", "/mobile/v1/app-groups/:id", |c| {
        run(c, Verb::Update, &APP_GROUPS)
    }),
    write("mobile.delete_app_group", "DELETE", "/mobile/v1/app-groups/:id", |c| {
        run(c, Verb::Delete, &APP_GROUPS)
    }),
    get("mobile.device_groups", "/mobile/v1/device-groups", |c| run(c, Verb::List, &DEVICE_GROUPS)),
    post("mobile.create_device_group", "/mobile/v1/device-groups", |c| run(c, Verb::Create, &DEVICE_GROUPS)),
    get("mobile.device_group", "/mobile/v1/device-groups/:id", |c| run(c, Verb::Get, &DEVICE_GROUPS)),
    write("mobile.update_device_group", "PUT", "/mobile/v1/device-groups/:id", |c| {
        run(c, Verb::Update, &DEVICE_GROUPS)
    }),
    write("mobile.delete_device_group", "DELETE", "/mobile/v1/device-groups/:id", |c| {
        run(c, Verb::Delete, &DEVICE_GROUPS)
    }),
    get("mobile.devices", "/mobile/v1/devices", |c| run(c, Verb::List, &devices::DEVICES)),
    post("mobile.create_device", "/mobile/v1/devices", |c| run(c, Verb::Create, &devices::DEVICES)),
    get("mobile.device", "/mobile/v1/devices/:id", |c| run(c, Verb::Get, &devices::DEVICES)),
    write("mobile.update_device", "PUT", "/mobile/v1/devices/:id", |c| {
        run(c, Verb::Update, &devices::DEVICES)
    }),
    write("mobile.delete_device", "DELETE", "/mobile/v1/devices/:id", |c| {
        run(c, Verb::Delete, &devices::DEVICES)
    }),
    get("mobile.violations", "/mobile/v1/devices/:id/compliance-violations", |c| {
        run(c, Verb::List, &devices::VIOLATIONS)
    }),
    get("mobile.installed_apps", "/mobile/v1/devices/:id/installed-apps", |c| {
        run(c, Verb::List, &devices::APPS)
    }),
    get("mobile.location", "/mobile/v1/devices/:id/location", devices::location),
    get("mobile.policies", "/mobile/v1/devices/:id/policies", |c| run(c, Verb::List, &devices::POLICIES)),
    get("mobile.scan_results", "/mobile/v1/devices/:id/scan-results", |c| {
        run(c, Verb::List, &devices::SCAN_RESULTS)
    }),
    get("mobile.properties", "/mobile/v1/devices/:id/properties", |c| {
        run(c, Verb::List, &devices::PROPERTIES)
    }),
    post("mobile.create_property", "/mobile/v1/devices/:id/properties", |c| {
        run(c, Verb::Create, &devices::PROPERTIES)
    }),
    write("mobile.update_property", "PUT", "/mobile/v1/devices/:id/properties/:propertyKey", |c| {
        run(c, Verb::Update, &devices::PROPERTIES)
    }),
    write("mobile.delete_property", "DELETE", "/mobile/v1/devices/:id/properties/:propertyKey", |c| {
        run(c, Verb::Delete, &devices::PROPERTIES)
    }),
    get("mobile.operating_systems", "/mobile/v1/operating-systems", |c| run(c, Verb::List, &SYSTEMS)),
    get("mobile.operating_system", "/mobile/v1/operating-systems/:id", |c| run(c, Verb::Get, &SYSTEMS)),
    get("mobile.ixm_auto_enrollment", "/mobile/v1/static-setup-data/ixm-auto-enrollment", setup_data),
];

/// Checks the parameter `view`.
pub(crate) fn check_view(context: &Context<'_>) -> Result<(), ApiError> {
    match context.call.query.get("view") {
        None | Some("basic" | "summary" | "full") => Ok(()),
        Some(_) => Err(invalid_parameter("view")),
    }
}

/// Handles an operation after the effects of the actions that have ended.
fn run(context: &Context<'_>, verb: Verb, collection: &'static Collection) -> Result<ApiResponse, ApiError> {
    check_view(context)?;
    actions::apply_effects(context, &mut context.state());
    verbs::handle(context, verb, collection)
}

/// Sets the tenant's name and the author of a change.
pub(crate) fn author(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let tenant = change.context.tenant()?;
    change.record["tenant"] = json!({ "id": tenant.id_text, "name": tenant.name });
    let actor = change.context.actor();
    if change.before.is_none() {
        change.record["createdBy"] = actor.clone();
    }
    change.record["updatedBy"] = actor;
    Ok(())
}

/// The members that generated records have in common.
pub(crate) fn seed_record(seed: &mut Seed<'_>) -> Value {
    let at = seed.past(300);
    let tenant = seed.tenant.map(|tenant| json!({ "id": tenant.id_text, "name": tenant.name }));
    let author = json!({
        "id": seed.uuid(), "type": "user", "accountType": "tenant",
        "accountId": seed.tenant_ref()["id"], "name": seed.person(0).email,
    });
    json!({ "tenant": tenant, "createdAt": at, "createdBy": author, "updatedAt": at, "updatedBy": author })
}

/// Replaces the ids of compliance policies by references. Any id is accepted.
fn refer_to_policies(change: &mut Change<'_, '_>) {
    for (id, member, name) in [
        ("employeeCompliancePolicyId", "employeeCompliancePolicy", "Employee devices"),
        ("corporateCompliancePolicyId", "corporateCompliancePolicy", "Corporate devices"),
    ] {
        let given = change.record[id].take();
        if let Some(members) = change.record.as_object_mut() {
            members.remove(id);
        }
        if !given.is_null() {
            change.record[member] = json!({ "id": given, "name": name });
        }
    }
}

fn seed_device_groups(seed: &mut Seed<'_>) -> Vec<Value> {
    let group = |number: usize| {
        let mut group = seed_record(seed);
        group["name"] = json!(["Sales phones", "Warehouse tablets", "Loan devices"][number % 3]);
        group["description"] = json!("A group of devices.");
        group["employeeCompliancePolicy"] =
            json!({ "id": seed.id("mobile_policies", 0), "name": "Employee devices" });
        group["corporateCompliancePolicy"] =
            json!({ "id": seed.id("mobile_policies", 1), "name": "Corporate devices" });
        let url = format!("https://enroll.example.com/{}", seed.rng.hex(32));
        group["iosAutoEnrollment"] = json!({ "enabled": true, "installSmcApp": true, "url": url });
        group
    };
    (0..3).map(group).collect()
}

fn seed_app_groups(seed: &mut Seed<'_>) -> Vec<Value> {
    let app = json!({
        "identifier": "com.sophos.smsec", "name": "Sophos Intercept X for Mobile", "link": "https://www.sophos.com",
    });
    let group = |(name, is_used): (&str, bool)| {
        let mut group = seed_record(seed);
        group["name"] = json!(name);
        group["platform"] = json!("android");
        group["apps"] = json!([app]);
        group["_isUsed"] = json!(is_used);
        group
    };
    [("Security apps", false), ("Forbidden apps", true)].into_iter().map(group).collect()
}

fn seed_systems(_: &mut Seed<'_>) -> Vec<Value> {
    let system = |(platform, name, version): &(&str, &str, &str)| {
        let mut system =
            json!({ "platform": platform, "version": version, "name": format!("{name} {version}") });
        if *version == "---" {
            system["name"] = json!(name);
        }
        let numbers = version.split('.').filter_map(|part| part.parse::<u64>().ok());
        for (member, number) in ["majorVersion", "minorVersion", "patchVersion"].into_iter().zip(numbers) {
            system[member] = json!(number);
        }
        system
    };
    devices::SYSTEMS.iter().map(system).collect()
}

fn setup_data(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let token = Rng::new(tenant.key).hex(64);
    let code =
        json!({ "token": token, "checkinUri": format!("https://enroll.example.com/{}", tenant.id_text) });
    let body = json!({
        "connectionCode": STANDARD.encode(code.to_string()), "tenant": { "id": tenant.id_text },
    });
    Ok(ApiResponse::json(200, &body))
}
