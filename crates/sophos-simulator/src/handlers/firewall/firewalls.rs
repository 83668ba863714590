//! The firewalls of a tenant.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Change, Collection, Filter, Member, Paging, Seed, member, verbs};
use crate::handlers::firewall::{firmware, groups};
use crate::response::{ApiError, ApiResponse};
use crate::time;

const LOCATION: &[Member] =
    &[Member::text_up_to("latitude", 20).required(), Member::text_up_to("longitude", 20).required()];

pub(crate) static FIREWALLS: Collection = Collection {
    paging: Paging::Numbered { default: 100, max: 1_000 },
    members: &[Member::text_up_to("name", 255), Member::object("geoLocation", LOCATION)],
    unique: &["name"],
    conflict: "Firewall name already in use.",
    filters: &[Filter::equals("groupId", "_groupId")],
    searched: &["name", "hostname", "serialNumber", "model", "firmwareVersion", "externalIpv4Addresses"],
    seed: seed_firewalls,
    on_update: update,
    on_delete: |change| {
        let id = change.record["id"].clone();
        let state = &mut *change.state;
        groups::refresh(change.context.central, state, None, |firewall| firewall["id"] != id);
        Ok(())
    },
    view: |context, firewall| {
        firmware::apply(firewall, context.central.clock.now_ms());
        verbs::null_where_absent(firewall, &["cluster", "group", "geoLocation"]);
        let group = &firewall["group"]["id"];
        firewall["_groupId"] = if group.is_null() { json!("ungrouped") } else { group.clone() };
    },
    ..Collection::new("firewalls", "firewall")
};

/// A generated firewall.
struct Unit {
    hostname: &'static str,
    model: &'static str,
    model_type: &'static str,
    version: &'static str,
    /// The role in the cluster of the first two.
    cluster: Option<&'static str>,
    managing: &'static str,
    connected: bool,
    /// The number of its group.
    group: Option<u64>,
}

const UNITS: &[Unit] = &[
    Unit {
        hostname: "fw-hq-1",
        model: "XGS136",
        model_type: "hardware",
        version: "22.0.2.512",
        cluster: Some("primary"),
        managing: "approvedByCustomer",
        connected: true,
        group: Some(0),
    },
    Unit {
        hostname: "fw-hq-2",
        model: "XGS136",
        model_type: "hardware",
        version: "22.0.2.512",
        cluster: Some("auxiliary"),
        managing: "approvedByCustomer",
        connected: true,
        group: Some(0),
    },
    Unit {
        hostname: "fw-cloud",
        model: "SFVUNL",
        model_type: "virtual",
        version: "21.0.1.277",
        cluster: None,
        managing: "approvalPending",
        connected: true,
        group: None,
    },
    Unit {
        hostname: "fw-branch",
        model: "XGS87",
        model_type: "hardware",
        version: "20.0.3.427",
        cluster: None,
        managing: "approvedByCustomer",
        connected: false,
        group: Some(2),
    },
];

/// The numbers of the firewalls in a generated group.
pub(super) fn units_of(group: u64) -> impl Iterator<Item = u64> {
    let units = UNITS.iter().zip(0..);
    units.filter(move |(unit, _)| unit.group == Some(group)).map(|(_, number)| number)
}

fn seed_firewalls(seed: &mut Seed<'_>) -> Vec<Value> {
    let account = seed.tenant.map(|tenant| tenant.id_text.clone());
    let by = json!({
        "id": seed.id("users", 0), "type": "user", "name": seed.person(0).name,
        "accountType": "tenant", "accountId": account,
    });
    let serials: Vec<String> =
        (0..UNITS.len()).map(|number| format!("C{number:04}{}", seed.rng.hex(10).to_uppercase())).collect();
    let mut firewalls = Vec::with_capacity(UNITS.len());
    for (number, unit) in UNITS.iter().enumerate() {
        let (created, updated) = (seed.past(700), seed.past(20));
        let mut firewall = json!({
            "tenant": seed.tenant_ref(), "serialNumber": serials[number], "hostname": unit.hostname,
            "name": unit.hostname, "externalIpv4Addresses": [format!("198.51.100.{}", number + 1)],
            // The names of the schema. The published example has `managing` and `reporting`.
            "status": {
                "managingStatus": unit.managing, "reportingStatus": unit.managing,
                "connected": unit.connected, "suspended": false,
            },
            "stateChangedAt": updated, "capabilities": ["default", "sdwanGroup", "configImport"],
            "geoLocation": { "latitude": "51.67", "longitude": "-1.28" },
            "createdBy": by, "createdAt": created, "updatedBy": by, "updatedAt": updated,
            "_model": unit.model, "_modelType": unit.model_type,
        });
        firmware::set_version(&mut firewall, unit.version);
        if let Some(role) = unit.cluster {
            let peer = 1 - number;
            firewall["cluster"] = json!({
                "id": seed.id("firewall_clusters", 0), "mode": "activePassive", "status": role,
                "peers": { "id": seed.id("firewalls", peer as u64), "serialNumber": serials[peer] },
            });
        }
        if let Some(group) = unit.group {
            firewall["group"] =
                json!({ "id": seed.id("firewall_groups", group), "name": groups::seeded_name(group) });
        }
        firewalls.push(firewall);
    }
    firewalls
}

fn update(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    for (name, max) in [("latitude", 90.0), ("longitude", 180.0)] {
        let degrees = &change.record["geoLocation"][name];
        let number = degrees.as_str().map(str::parse::<f64>);
        if number.is_some_and(|number| !number.is_ok_and(|number| number.abs() <= max)) {
            return Err(invalid_parameter("geoLocation"));
        }
    }
    firmware::apply(&mut change.record, change.context.central.clock.now_ms());
    change.record["updatedBy"] = change.context.actor();
    Ok(())
}

const ACTION: &[Member] = &[Member::one_of("action", &["approveManagement"]).required()];

/// Runs an action on a firewall.
pub(super) fn act(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let body = member::accept(ACTION, &context.call.json()?, false)?;
    let id = context.params.first().copied().unwrap_or_default();
    let mut state = context.state();
    let found = state.find(context.central, &FIREWALLS, id);
    let firewall = found.ok_or_else(|| FIREWALLS.not_found())?;
    let now = time::format_millis(context.central.clock.now_ms());
    if firewall["status"]["managingStatus"] != "approvedByCustomer" {
        firewall["status"]["managingStatus"] = json!("approvedByCustomer");
        firewall["status"]["reportingStatus"] = json!("approvedByCustomer");
        firewall["stateChangedAt"] = json!(now);
    }
    context.name_object(firewall);
    Ok(ApiResponse::json(context.success, &json!({ "status": "succeeded", "action": body["action"] })))
}
