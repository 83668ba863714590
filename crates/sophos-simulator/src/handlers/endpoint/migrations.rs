//! Moves of endpoints from one tenant to another.
//!
//! The receiving tenant creates a job with a token. The sending tenant starts the job of the same
//! id with that token. Online endpoints then succeed and leave it, and arrive later under a new id.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::{actor, parse_ids};
use crate::call::{Context, invalid_parameter};
use crate::config::{MachineConfig, MachineType};
use crate::data::endpoint_json::EndpointSnapshot;
use crate::data::tenant::{Machine, Tenant};
use crate::engine::{Collection, Filter, Paging, verbs};
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

/// 14 days, the lifetime of a job.
const LIFETIME_MS: i64 = 14 * 86_400_000;
/// The time from the start until an online endpoint succeeds.
const MIGRATION_MS: i64 = 5 * 60_000;
/// The time from the success until the endpoint arrives.
const ARRIVAL_MS: i64 = 2 * 60_000;

const PAGING: Paging = Paging::Numbered { default: 500, max: 500 };

/// `_from` is the sending tenant of a receiving job. `_endpoints` holds `{id, newId, dueMs}`.
static JOBS: Collection = Collection {
    paging: PAGING,
    filters: &[Filter::one_of("mode", "mode", &["receiving", "sending"])],
    has_times: false,
    ..Collection::new("migrations", "migration job")
};

const JOB: &str = "/endpoint/v1/migrations/:migrationJobId";

pub(crate) static ROUTES: &[Route] = &[
    Route::list("migrations.list", "/endpoint/v1/migrations", &JOBS),
    Route::write("migrations.receive", "POST", "/endpoint/v1/migrations", receive).with_success(201),
    Route::get("migrations.get", JOB, &JOBS),
    Route::write("migrations.send", "PUT", JOB, send).with_success(201),
    Route::read("migrations.endpoints", "/endpoint/v1/migrations/:migrationJobId/endpoints", list_endpoints),
];

fn receive(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = context.call.json()?;
    let from = body["fromTenant"].as_str().and_then(|id| context.central.accounts.tenant(id));
    let from = from.filter(|from| context.tenant().is_ok_and(|own| own.id != from.id));
    let from = from.ok_or_else(|| invalid_parameter("fromTenant"))?;
    let ids = parse_ids(&body, "endpoints")?;
    let endpoints: Vec<Value> = ids.into_iter().map(|id| json!({ "id": uuid_text(id) })).collect();
    let now = context.central.clock.now_ms();
    let record = json!({
        "mode": "receiving",
        "token": context.central.new_rng().hex(96),
        "createdAt": time::format_millis(now),
        "expiresAt": time::format_millis(now + LIFETIME_MS),
        "createdBy": actor(context)?,
        "_from": from.id_text,
        "_endpoints": endpoints,
    });
    let record = verbs::add(context, &mut context.state(), &JOBS, record)?;
    Ok(ApiResponse::json(context.success, &verbs::show(context, &JOBS, record)))
}

/// The receiving tenant and its job with this id and token, if this tenant may send for it.
fn find_receiver<'a>(
    context: &Context<'a>,
    id: &str,
    token: &str,
) -> Result<Option<(&'a Tenant, Value)>, ApiError> {
    let own = context.tenant()?;
    let now = context.central.clock.now_ms();
    for tenant in context.central.accounts.tenants() {
        let mut state = context.central.state.open(tenant.id);
        let job = state.find(context.central, &JOBS, id).filter(|job| job["mode"] == "receiving");
        if let Some(job) = job {
            let expires = job["expiresAt"].as_str().and_then(time::parse);
            let is_valid = job["token"] == token
                && job["_from"] == own.id_text.as_str()
                && expires.is_some_and(|at| now < at);
            return Ok(is_valid.then(|| (tenant, job.clone())));
        }
    }
    Ok(None)
}

/// 201 for the first request, 200 for a repetition.
fn send(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let body = context.call.json()?;
    let ids = parse_ids(&body, "endpoints")?;
    let token = body["token"].as_str().unwrap_or_default();
    let (receiver, mut job) =
        find_receiver(context, id, token)?.ok_or_else(|| invalid_parameter("token"))?;
    let started = context.state().find(context.central, &JOBS, id).cloned();
    if let Some(started) = started {
        return Ok(ApiResponse::json(200, &verbs::show(context, &JOBS, started)));
    }
    let tenant = context.tenant()?;
    let mut moving = Vec::new();
    for id in ids {
        let text = uuid_text(id);
        let expected = job["_endpoints"].as_array().is_some_and(|all| all.iter().any(|e| e["id"] == text));
        let index = context.central.find_endpoint(tenant, id).filter(|_| expected);
        moving.push((text, index.ok_or_else(|| invalid_parameter("endpoints"))?));
    }
    let now = context.central.clock.now_ms();
    let mut sent = Vec::new();
    for (id, index) in moving {
        let mut endpoint = json!({ "id": id });
        let seen = context.central.endpoint(tenant, index);
        if seen.online {
            let (due, new_id) = (now + MIGRATION_MS, context.central.new_rng().uuid());
            endpoint["newId"] = json!(uuid_text(new_id));
            endpoint["dueMs"] = json!(due);
            let states = &context.central.endpoint_states;
            states.change((tenant.number, index), |changes| changes.deleted_ms = Some(due));
            receiver.add_arrival(machine(receiver, &seen, new_id), |index| {
                let arrives = Some(due + ARRIVAL_MS);
                states.change((receiver.number, index), |changes| changes.arrives_ms = arrives);
            });
        }
        sent.push(endpoint);
    }
    let mut record = job.clone();
    record["mode"] = json!("sending");
    record["createdAt"] = json!(time::format_millis(now));
    record["createdBy"] = actor(context)?;
    record["_endpoints"] = json!(sent);
    for endpoint in job["_endpoints"].as_array_mut().into_iter().flatten() {
        if let Some(sent) = sent.iter().find(|sent| sent["id"] == endpoint["id"]) {
            *endpoint = sent.clone();
        }
    }
    if let Some(stored) = context.central.state.open(receiver.id).find(context.central, &JOBS, id) {
        *stored = job;
    }
    let record = verbs::add(context, &mut context.state(), &JOBS, record)?;
    Ok(ApiResponse::json(context.success, &verbs::show(context, &JOBS, record)))
}

/// The endpoint in the receiving tenant: the same machine, without a group.
fn machine(receiver: &Tenant, seen: &EndpointSnapshot, id: u128) -> Machine {
    let endpoint = &seen.endpoint;
    let addresses = endpoint.ipv4.iter().filter_map(|address| address.parse::<Ipv4Addr>().ok());
    let cloud = endpoint.cloud.as_ref().filter(|(provider, _)| *provider == "aws");
    let kind = if endpoint.identity.server { MachineType::Server } else { MachineType::Computer };
    let config = MachineConfig {
        id: Some(uuid_text(id)),
        hostname: Some(endpoint.identity.hostname.clone()),
        machine_type: Some(kind),
        ipv4: Some(addresses.collect()),
        macs: Some(endpoint.macs.clone()),
        tags: endpoint.tags.clone(),
        cloud_instance: cloud.map(|(_, instance)| instance.clone()),
        cloned: Some(false),
        online: Some(true),
        ..MachineConfig::new(&*receiver.id_text)
    };
    Machine::new(&config)
}

/// An endpoint that did not succeed until the job expired has failed.
fn list_endpoints(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let job = context.state().find(context.central, &JOBS, id).cloned();
    let job = job.ok_or_else(|| JOBS.not_found())?;
    let now = context.central.clock.now_ms();
    let expires = job["expiresAt"].as_str().and_then(time::parse).unwrap_or_default();
    let show = |endpoint: &Value| match endpoint["dueMs"].as_i64() {
        Some(due) if now >= due => json!({
            "id": endpoint["id"], "status": "succeeded", "newId": endpoint["newId"],
            "migratedAt": time::format_millis(due),
        }),
        None if now >= expires => json!({
            "id": endpoint["id"], "status": "failed", "reason": "The migration job expired.",
            "failedAt": time::format_millis(expires),
        }),
        _ => json!({ "id": endpoint["id"], "status": "pending" }),
    };
    let items: Vec<Value> = job["_endpoints"].as_array().into_iter().flatten().map(show).collect();
    Ok(ApiResponse::json(200, &PAGING.body(context, items, |_| String::new())?))
}
