//! Actions on mobile devices, which take simulated time and change the devices.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::filter::scalar_text;
use crate::engine::{AccountState, Change, Collection, Filter, Member, Seed, member, verbs};
use crate::handlers::mobile::{PAGING, check_view, seed_record};
use crate::handlers::mobile_devices::DEVICES;
use crate::hash::{Rng, mix_text, uuid_text};
use crate::response::{ApiError, ApiResponse};
use crate::time;

/// The time until a device is notified, and until it has executed the action.
const NOTIFIED_MS: i64 = 5_000;
const EXECUTED_MS: i64 = 15_000;
const MAX_OPEN_ACTIONS: usize = 1_000;
const FAILURE: &str = "system.processing-failed";

pub(crate) static ACTIONS: Collection = Collection {
    paging: PAGING,
    noun: "device action",
    filters: &[
        Filter::equals("endpointIds", "device.id"),
        Filter::one_of(
            "actionType",
            "type",
            &["getLogs", "locate", "lock", "scan", "sendMessage", "sync", "unenroll", "wipe"],
        ),
        Filter::equals("actionState", "state"),
        Filter::equals("actionError", "error"),
        Filter::before("scheduledBefore", "scheduledAt"),
        Filter::after("scheduledAfter", "scheduledAt"),
        Filter::before("executedBefore", "executedAt"),
        Filter::after("executedAfter", "executedAt"),
    ],
    detail: &["scheduledAt", "executedAt", "createdAt", "createdBy", "updatedAt", "updatedBy"],
    may_delete_unknown: true,
    seed: seed_actions,
    on_delete: |change| {
        if state_at(&change.record, change.context.central.clock.now_ms()) == "notified" {
            return Err(ApiError::new(409, "conflict", "The device executes the action."));
        }
        Ok(())
    },
    view: |context, action| show_progress(action, context.central.clock.now_ms()),
    ..Collection::new("mobile_actions", "device action")
};

/// The state of an action at `now`.
fn state_at(action: &Value, now: i64) -> String {
    match action["_startMs"].as_i64() {
        Some(start) if now < start + NOTIFIED_MS => "accepted".to_owned(),
        Some(start) if now < start + EXECUTED_MS => "notified".to_owned(),
        _ => scalar_text(&action["_outcome"]),
    }
}

fn is_open(action: &Value, now: i64) -> bool {
    matches!(state_at(action, now).as_str(), "accepted" | "notified")
}

fn show_progress(action: &mut Value, now: i64) {
    let state = state_at(action, now);
    let start = action["_startMs"].as_i64().unwrap_or_default();
    if !is_open(action, now) {
        let at = json!(time::format_millis(start + EXECUTED_MS));
        action["executedAt"] = at.clone();
        action["updatedAt"] = at;
    }
    if state == "failed" {
        action["error"] = json!(FAILURE);
    }
    action["state"] = json!(state);
}

fn seed_actions(seed: &mut Seed<'_>) -> Vec<Value> {
    let action = |(number, (kind, outcome)): (u64, (&str, &str))| {
        let mut action = seed_record(seed);
        let start = action["createdAt"].as_str().and_then(time::parse).unwrap_or_default() - 3_600_000;
        let person = seed.person(number as usize).name;
        action["device"] = json!({ "id": seed.id("mobile_devices", number), "name": person });
        action["type"] = json!(kind);
        action["scheduledAt"] = json!(time::format_millis(start));
        action["createdAt"] = json!(time::format_millis(start));
        action["_startMs"] = json!(start);
        action["_outcome"] = json!(outcome);
        action["_isApplied"] = json!(true);
        action
    };
    (0..)
        .zip([("scan", "failed"), ("sync", "successful"), ("sendMessage", "successful")])
        .map(action)
        .collect()
}

/// Refuses to delete a device while it executes an action.
pub(crate) fn check_idle(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let now = change.context.central.clock.now_ms();
    let all = change.state.records(change.context.central, &ACTIONS);
    if all.iter().any(|action| action["device"]["id"] == change.record["id"] && is_open(action, now)) {
        return Err(ApiError::new(409, "conflict", "The device executes an action."));
    }
    Ok(())
}

/// Changes the devices by the actions that have ended.
pub(crate) fn apply_effects(context: &Context<'_>, state: &mut AccountState) {
    let now = context.central.clock.now_ms();
    let mut ended = Vec::new();
    for action in state.records(context.central, &ACTIONS) {
        if action["_isApplied"] != json!(true) && !is_open(action, now) {
            action["_isApplied"] = json!(true);
            ended.push(action.clone());
        }
    }
    for action in ended.iter().filter(|action| action["_outcome"] == "successful") {
        let id = scalar_text(&action["device"]["id"]);
        let at = action["_startMs"].as_i64().unwrap_or_default() + EXECUTED_MS;
        let at = json!(time::format_millis(at));
        let Some(device) = state.find(context.central, &DEVICES, &id) else { continue };
        for name in ["lastSeenAt", "smcAppLastSeenAt", "ixmAppLastSeenAt"] {
            device[name] = at.clone();
        }
        match action["type"].as_str().unwrap_or_default() {
            "wipe" => device["managedState"] = json!("wiped"),
            "unenroll" => device["managedState"] = json!("decommissioned"),
            "scan" => device["scanResultSummary"]["lastScannedAt"] = at,
            "locate" => {
                let mut rng = Rng::new(mix_text(0, &id));
                let mut degrees = |from: f64| ((from + rng.unit() * 4.0) * 1e7).round() / 1e7;
                let (latitude, longitude) = (degrees(49.0), degrees(7.0));
                device["_location"] = json!({
                    "accuracy": "+- 4m", "latitude": latitude, "longitude": longitude, "locatedAt": at,
                });
            }
            _ => {}
        }
    }
}

const ENDPOINTS: Member = Member::list("endpoints", &Member::uuid("id"), 1_000).required();
const MESSAGE: &[Member] = &[Member::text_up_to("message", 500).required()];
const REASON: &[Member] = &[Member::text_up_to("reason", 1_000)];
const LOCK: &[Member] = &[Member::any("lockCode")];
const WIPE: &[Member] = &[Member::any("wipeCode")];

/// The members of a request for an action of this type.
fn members(kind: &str) -> &'static [Member] {
    match kind {
        "sendMessage" => const { &[ENDPOINTS, Member::object("arguments", MESSAGE).required()] },
        "locate" => const { &[ENDPOINTS, Member::object("arguments", REASON)] },
        "lock" => const { &[ENDPOINTS, Member::object("arguments", LOCK)] },
        "wipe" => const { &[ENDPOINTS, Member::object("arguments", WIPE)] },
        _ => &[ENDPOINTS],
    }
}

/// Starts an action on each device of the request. Unknown devices are errors in the answer;
/// an open action of the same type on a device is a conflict.
pub(crate) fn create(context: &Context<'_>, kind: &'static str) -> Result<ApiResponse, ApiError> {
    check_view(context)?;
    let body = member::accept(members(kind), &context.call.json()?, false)?;
    let mut ids: Vec<String> = body["endpoints"].as_array().into_iter().flatten().map(scalar_text).collect();
    let mut known = std::collections::HashSet::new();
    ids.retain(|id| known.insert(id.to_lowercase()));
    if ids.is_empty() {
        return Err(invalid_parameter("endpoints"));
    }
    let (central, tenant) = (context.central, context.tenant()?);
    let now = central.clock.now_ms();
    let mut state = context.state();
    apply_effects(context, &mut state);
    let all = state.records(central, &ACTIONS);
    let is_same = |action: &Value, id: &str| {
        action["type"] == kind && scalar_text(&action["device"]["id"]).eq_ignore_ascii_case(id)
    };
    let open: Vec<&Value> = all.iter().filter(|action| is_open(action, now)).collect();
    if open.iter().any(|action| ids.iter().any(|id| is_same(action, id))) {
        return Err(ApiError::new(409, "conflict", "The device has an open action of this type."));
    }
    if open.len() + ids.len() > MAX_OPEN_ACTIONS {
        return Err(ApiError::new(422, "maximumReached", "Maximum number of actions exceeded."));
    }
    let (mut created, mut missing) = (Vec::new(), Vec::new());
    for id in ids {
        let Some(device) = state.find(central, &DEVICES, &id) else {
            missing.push(id);
            continue;
        };
        let outcome = match &device["managedState"] {
            managed if managed != "managed" => "skipped",
            _ if device["_isUnreachable"] == json!(true) => "failed",
            _ => "successful",
        };
        let action = json!({
            "id": uuid_text(central.new_rng().uuid()),
            "tenant": { "id": tenant.id_text, "name": tenant.name },
            "device": { "id": device["id"], "name": device["name"] },
            "type": kind, "scheduledAt": time::format_millis(now),
            "createdBy": context.actor(), "updatedBy": context.actor(),
            "_startMs": now, "_outcome": outcome, "_arguments": body["arguments"],
        });
        let action = verbs::add(context, &mut state, &ACTIONS, action)?;
        let mut shown = verbs::show(context, &ACTIONS, action);
        if let Some(members) =
            shown.as_object_mut().filter(|_| context.call.query.get("view") != Some("full"))
        {
            members.retain(|name, _| !ACTIONS.detail.contains(&name.as_str()));
        }
        created.push(shown);
    }
    let mut answer = json!({ "created": created });
    if !missing.is_empty() {
        answer["errors"] = json!({ "failedToCreate": { "endpointNotFound": missing } });
    }
    Ok(ApiResponse::json(context.success, &answer))
}
