//! Firmware versions and upgrades of firewalls.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{AccountState, Member, member};
use crate::handlers::firewall::firewalls::FIREWALLS;
use crate::hash::parse_uuid;
use crate::response::{ApiError, ApiResponse};
use crate::time;

const MAX_FIREWALLS: usize = 1_000;
/// The simulated duration of an upgrade.
const UPGRADE_MS: i64 = 600_000;
/// Version, size of the download.
const VERSIONS: &[(&str, &str)] =
    &[("21.5.1.261", "745 MB"), ("22.0.1.411", "768 MB"), ("22.0.2.512", "771 MB")];

const CHECK: &[Member] = &[Member::list("firewalls", &Member::uuid("id"), MAX_FIREWALLS).required()];
const UPGRADE: &[Member] =
    &[Member::uuid("id").required(), Member::text_up_to("upgradeToVersion", 100), Member::time("upgradeAt")];
const UPGRADES: &[Member] =
    &[Member::list("firewalls", &Member::object("firewall", UPGRADE), MAX_FIREWALLS).required()];

fn parts(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

/// The version of a firewall, as a list of numbers.
pub(super) fn version(firewall: &Value) -> Vec<u32> {
    parts(firewall["_version"].as_str().unwrap_or_default())
}

/// Sets the version and the texts that contain it.
pub(super) fn set_version(firewall: &mut Value, version: &str) {
    let model = firewall["_model"].as_str().unwrap_or_default().to_owned();
    let (release, build) = version.rsplit_once('.').unwrap_or((version, "0"));
    firewall["firmwareVersion"] = json!(format!("{model}_SO01_{version}"));
    firewall["model"] = json!(format!("{model}_SO01_SFOS {release} GA-Build{build}"));
    firewall["_version"] = json!(version);
}

/// Finishes an upgrade that is over at `now_ms`.
pub(super) fn apply(firewall: &mut Value, now_ms: i64) {
    let start = firewall["_upgrade"]["atMs"].as_i64();
    if start.is_some_and(|start| now_ms >= start + UPGRADE_MS) {
        let upgrade = firewall["_upgrade"].take();
        set_version(firewall, upgrade["version"].as_str().unwrap_or_default());
    }
}

/// The versions after the one of a firewall.
fn available(firewall: &Value) -> Vec<&'static str> {
    let current = version(firewall);
    VERSIONS.iter().map(|(version, _)| *version).filter(|version| parts(version) > current).collect()
}

fn find<'s>(
    context: &Context<'_>,
    state: &'s mut AccountState,
    id: &Value,
) -> Result<&'s mut Value, ApiError> {
    let found = state.find(context.central, &FIREWALLS, id.as_str().unwrap_or_default());
    let firewall = found.ok_or_else(|| FIREWALLS.not_found())?;
    apply(firewall, context.central.clock.now_ms());
    Ok(firewall)
}

fn items(body: &Value) -> Result<&Vec<Value>, ApiError> {
    body["firewalls"].as_array().filter(|list| !list.is_empty()).ok_or_else(|| invalid_parameter("firewalls"))
}

/// The versions to which firewalls can be upgraded.
pub(super) fn check(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(CHECK, &context.call.json()?, false)?;
    let mut state = context.state();
    let mut firewalls = Vec::new();
    let mut offered = Vec::new();
    for id in items(&body)? {
        let firewall = find(context, &mut state, id)?;
        let versions = available(firewall);
        firewalls.push(json!({
            "id": firewall["id"], "serialNumber": firewall["serialNumber"],
            "firmwareVersion": firewall["firmwareVersion"], "upgradeToVersion": versions,
        }));
        offered.extend(versions);
    }
    let versions = VERSIONS.iter().filter(|(version, _)| offered.contains(version));
    let versions = versions.map(|(version, size)| {
        json!({
            "version": version, "size": size, "bugs": ["Corrects the failover of clusters."],
            "news": ["Adds reports."],
        })
    });
    let versions: Vec<Value> = versions.collect();
    let body = json!({ "firewalls": firewalls, "firmwareVersions": versions });
    Ok(ApiResponse::json(context.success, &body))
}

/// Schedules upgrades; all of them or none.
pub(super) fn schedule(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(UPGRADES, &context.call.json()?, false)?;
    let now = context.central.clock.now_ms();
    let mut state = context.state();
    let mut upgrades = Vec::new();
    for item in items(&body)? {
        let firewall = find(context, &mut state, &item["id"])?;
        let versions = available(firewall);
        let version = match item["upgradeToVersion"].as_str() {
            Some(wanted) => versions.iter().copied().find(|version| *version == wanted),
            // A firewall with the last version stays at it.
            None => versions.last().or(VERSIONS.last().map(|(version, _)| version)).copied(),
        };
        let version = version.ok_or_else(|| invalid_parameter("upgradeToVersion"))?;
        let at = item["upgradeAt"].as_str().and_then(time::parse_lenient).unwrap_or(now);
        if at < now {
            return Err(invalid_parameter("upgradeAt"));
        }
        upgrades.push((item["id"].clone(), version, at));
    }
    let mut scheduled = Vec::new();
    for (id, version, at) in upgrades {
        find(context, &mut state, &id)?["_upgrade"] = json!({ "version": version, "atMs": at });
        scheduled.push(json!({
            "id": id, "status": "active", "upgradeToVersion": version,
            "upgradedAt": time::format_millis(at),
        }));
    }
    Ok(ApiResponse::json(context.success, &json!({ "firewalls": scheduled })))
}

/// Cancels the upgrades that have not started, of the firewalls in the parameter `ids` or in a body
/// that is a list.
pub(super) fn cancel(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body: Value = serde_json::from_slice(&context.call.body).unwrap_or_default();
    let listed = body.as_array().into_iter().flatten().map(|id| id.as_str().unwrap_or_default());
    let ids: Vec<&str> = context.call.query.list("ids").into_iter().chain(listed).collect();
    if ids.is_empty() || ids.iter().any(|id| parse_uuid(id).is_none()) {
        return Err(invalid_parameter("ids"));
    }
    let now = context.central.clock.now_ms();
    let mut state = context.state();
    for id in &ids {
        find(context, &mut state, &json!(id))?;
    }
    let mut deleted = false;
    for id in &ids {
        let firewall = find(context, &mut state, &json!(id))?;
        if firewall["_upgrade"]["atMs"].as_i64().is_some_and(|at| at > now) {
            firewall["_upgrade"].take();
            deleted = true;
        }
    }
    Ok(ApiResponse::json(200, &json!({ "deleted": deleted })))
}
