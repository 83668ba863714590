//! Mobile devices, with their properties, apps, policies, violations and scan results.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::collection::{IdKind, Parent};
use crate::engine::{Change, Collection, Filter, Member, Seed};
use crate::handlers::mobile::{self, DEVICE_GROUPS, PAGING};
use crate::handlers::mobile_actions as actions;
use crate::response::{ApiError, ApiResponse};

pub(crate) const PLATFORMS: &[&str] = &["android", "chrome", "iOS", "ios", "macOS", "windows"];
const SEVERITIES: &[&str] = &["low", "medium", "high"];

/// The operating systems: platform, name and version. `---` stands for an unknown version.
pub(crate) const SYSTEMS: &[(&str, &str, &str)] = &[
    ("ios", "iOS", "---"),
    ("android", "Android", "---"),
    ("chrome", "Chrome", "121"),
    ("ios", "iOS", "17.4.1"),
    ("android", "Android", "14.0"),
    ("android", "Android", "7.1.2"),
    ("macOS", "macOS", "---"),
    ("windows", "Windows", "---"),
];
const AVAILABLE: &[&str] =
    &["unenroll", "sync", "get-logs", "send-message", "scan", "locate", "lock", "wipe"];

pub(crate) static DEVICES: Collection = Collection {
    paging: PAGING,
    has_tenant: true,
    members: &[
        Member::text_up_to("name", 255).required(),
        Member::one_of("platform", PLATFORMS).required().fixed(),
        Member::one_of("ownershipType", &["corporate", "employee"]),
        Member::uuid("groupId"),
        Member::text("description"),
        Member::text_up_to("email", 320),
        Member::text_up_to("phoneNumber", 64),
    ],
    unique: &["name"],
    conflict: "A device with this name already exists.",
    max: Some((10_000, 422, "Maximum number of devices exceeded.")),
    filters: &[
        Filter::equals("operatingSystemIds", "os.id"),
        Filter::equals("platform", "os.platform"),
        Filter::equals("managementType", "managementType"),
        Filter::one_of(
            "managedState",
            "managedState",
            &["checkedOut", "decommissioned", "enrolling", "managed", "notManaged", "wiped"],
        ),
        Filter::boolean("compliant", "compliance.compliant"),
        Filter::one_of("violationSeverity", "compliance.severity", SEVERITIES),
        Filter::one_of("healthState", "healthState.state", &["green", "amber", "red"]),
        Filter::one_of("ownershipType", "ownershipType", &["corporate", "employee"]),
        Filter::before("createdBefore", "createdAt"),
        Filter::after("createdAfter", "createdAt"),
        Filter::before("lastSeenBefore", "lastSeenAt"),
        Filter::after("lastSeenAfter", "lastSeenAt"),
        Filter::equals("deviceGroupIds", "deviceGroup.id"),
    ],
    searched: &["name", "modelName", "_search.osName"],
    detail: &[
        "description",
        "phoneNumber",
        "lastSeenAt",
        "smcAppLastSeenAt",
        "ixmAppLastSeenAt",
        "modelName",
        "externalId",
        "deviceGroup",
        "scanResultSummary",
        "logLevel",
        "supervised",
        "createdAt",
        "createdBy",
        "updatedAt",
        "updatedBy",
    ],
    may_delete_unknown: true,
    seed: seed_devices,
    on_create: complete,
    on_update: |change| {
        set_group(change)?;
        mobile::author(change)
    },
    on_delete: actions::check_idle,
    view: |_, device| {
        if device["managedState"] == "managed" {
            device["availableActions"] = json!(AVAILABLE);
        }
    },
    ..Collection::new("mobile_devices", "device")
};

const fn part(name: &'static str, member: &'static str) -> Collection {
    Collection {
        parent: Some(Parent { collection: &DEVICES, member }),
        paging: PAGING,
        has_times: false,
        ..Collection::new(name, name)
    }
}

pub(crate) static VIOLATIONS: Collection = Collection {
    filters: &[Filter::one_of("violationSeverity", "severity", SEVERITIES)],
    ..part("mobile_violations", "_violations")
};

pub(crate) static APPS: Collection = Collection {
    filters: &[Filter::equals("appSource", "source")],
    searched: &["name", "version", "identifier"],
    ..part("mobile_apps", "_apps")
};

pub(crate) static POLICIES: Collection =
    Collection { searched: &["policy.name", "name"], ..part("mobile_device_policies", "_policies") };

pub(crate) static SCAN_RESULTS: Collection = Collection {
    filters: &[Filter::equals("scanResultType", "type")],
    searched: &["name", "identifier", "threatName"],
    ..part("mobile_scan_results", "_scanResults")
};

pub(crate) static PROPERTIES: Collection = Collection {
    id_member: "key",
    id_kind: IdKind::Text,
    noun: "device property",
    members: &[
        Member::text_up_to("key", 255).required().fixed(),
        Member::text_up_to("value", 4_000).required(),
    ],
    unique: &["key"],
    conflict: "A property with this key already exists.",
    max: Some((100, 422, "Maximum number of custom device properties exceeded.")),
    filters: &[
        Filter::one_of("devicePropertyType", "type", &["custom", "system"]),
        Filter::equals("devicePropertyKey", "key"),
    ],
    searched: &["key"],
    may_delete_unknown: true,
    on_create: |change| {
        if !change.record["key"].as_str().is_some_and(|key| key.starts_with("custom.")) {
            return Err(invalid_parameter("key"));
        }
        change.record["type"] = json!("custom");
        Ok(())
    },
    on_update: check_custom,
    on_delete: check_custom,
    ..part("mobile_properties", "_properties")
};

fn check_custom(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    if change.record["type"] == "custom" {
        return Ok(());
    }
    Err(ApiError::new(409, "conflict", "System properties can't change."))
}

/// Replaces the id of a group by a reference.
fn set_group(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let id = change.record["groupId"].take();
    if let Some(members) = change.record.as_object_mut() {
        members.remove("groupId");
    }
    let Some(id) = id.as_str() else { return Ok(()) };
    let group = change.state.find(change.context.central, &DEVICE_GROUPS, id);
    let group = group.ok_or_else(|| DEVICE_GROUPS.not_found())?;
    let group = json!({ "id": group["id"], "name": group["name"] });
    change.record["deviceGroup"] = group;
    Ok(())
}

fn complete(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    set_group(change)?;
    let platform = change.record["platform"].take();
    let platform = platform.as_str().unwrap_or_default().to_lowercase();
    if let Some(members) = change.record.as_object_mut() {
        members.remove("platform");
    }
    let systems = change.state.records(change.context.central, &mobile::SYSTEMS);
    let is_one =
        |os: &&Value| os["platform"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(&platform));
    let os = systems.iter().find(is_one).cloned();
    change.record["os"] = os.unwrap_or_default();
    change.record["managementType"] = json!("notManaged");
    change.record["managedState"] = json!("notManaged");
    change.record["compliance"] = json!({ "compliant": true });
    mobile::author(change)
}

pub(crate) fn location(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    mobile::check_view(context)?;
    context.id()?;
    let mut state = context.state();
    actions::apply_effects(context, &mut state);
    let id = context.params.first().copied().unwrap_or_default();
    let device = state.find(context.central, &DEVICES, id).ok_or_else(|| DEVICES.not_found())?;
    let mut place = device["_location"].clone();
    if place.is_null() {
        return Err(ApiError::not_found("Location not available."));
    }
    crate::engine::filter::project(&context.call.query, &mut place, "locatedAt");
    Ok(ApiResponse::json(200, &place))
}

fn seed_devices(seed: &mut Seed<'_>) -> Vec<Value> {
    // The last device does not answer.
    (0..6).map(|number| seed_device(seed, number)).collect()
}

fn seed_device(seed: &mut Seed<'_>, number: usize) -> Value {
    let person = seed.person(number);
    let system = 3 + number % 2;
    let (platform, name, version) = SYSTEMS[system];
    let is_good = number % 3 != 1;
    let (seen, scanned, found) = (seed.past(2), seed.past(7), seed.past(60));
    let mut device = mobile::seed_record(seed);
    let numbers: Vec<u64> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    let mut os = json!({
        "id": seed.id("mobile_operating_systems", system as u64), "version": version,
        "name": format!("{name} {version}"), "platform": platform,
    });
    for (member, number) in ["majorVersion", "minorVersion", "patchVersion"].into_iter().zip(numbers) {
        os[member] = json!(number);
    }
    let group = number % 2;
    let group_name = ["Sales phones", "Warehouse tablets"][group];
    let members = json!({
        "name": format!("{} of {}", if platform == "ios" { "iPhone" } else { "Pixel" }, person.name),
        "description": "A device.",
        "email": person.email,
        "phoneNumber": format!("+4915100000{number:03}"),
        "healthState": { "state": if is_good { "green" } else { "amber" }, "mode": "automatic" },
        "ownershipType": if number % 4 == 3 { "employee" } else { "corporate" },
        "lastSeenAt": seen, "smcAppLastSeenAt": seen, "ixmAppLastSeenAt": seen,
        "compliance": { "compliant": is_good },
        "modelName": if platform == "ios" { "iPhone 15" } else { "Google Pixel 9 Pro" },
        "_search": { "osName": os["name"] },
        "externalId": seed.uuid(),
        "managementType": if platform == "ios" { "ixm" } else { "androidWorkProfile" },
        "managedState": "managed",
        "os": os,
        "assignedPerson": {
            "id": seed.id("users", number as u64), "internalId": seed.rng.hex(24), "name": person.name,
            "email": person.email,
        },
        "deviceGroup": {
            "id": seed.id("mobile_device_groups", group as u64),
            "name": group_name,
        },
        "scanResultSummary": {
            "lastScannedAt": scanned, "suspiciousCount": 0, "maliciousCount": 0, "puaCount": 1, "lowReputationCount": 0,
        },
        "logLevel": "info",
        "supervised": false,
        "_isUnreachable": number == 5,
        "_violations": [],
        "_apps": [
            { "name": "Docs", "version": "0.1", "identifier": "com.test.docs", "source": "store", "installedAt": found },
            { "name": "Notes", "version": "2.4", "identifier": "com.test.notes", "source": "other", "installedAt": found },
        ],
        "_policies": [{
            "policy": {
                "id": seed.id("mobile_policies", 2), "name": "Screen lock", "platform": platform,
                "type": "security", "version": 1,
            },
            "state": "applied",
        }],
        "_properties": [
            { "key": "custom.costCenter", "value": "4711", "type": "custom" },
            { "key": "system.serialNumber", "value": seed.rng.hex(10).to_uppercase(), "type": "system" },
        ],
        "_scanResults": [{
            "type": "pua", "name": "Remote control", "identifier": "com.test.remote", "version": "1.2",
            "threatName": "App/RemAdmin/Android Remote", "threatLink": "https://www.sophos.com/threat-center",
            "detectedAt": found,
        }],
    });
    crate::engine::verbs::merge(&mut device, members);
    if !is_good {
        device["compliance"] = json!({ "compliant": false, "severity": "high" });
        device["_violations"] = json!([{
            "description": "The version of the operating system is too low.", "detectedAt": found,
            "type": "minOsVersion", "severity": "high",
        }]);
    }
    device
}
