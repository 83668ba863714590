//! Forensic logs and memory dumps, which an endpoint collects on request.

use serde_json::{Value, json};

use super::{find_endpoint, reference};
use crate::call::{Context, invalid_parameter};
use crate::engine::{Change, Collection, Job, Member, job, member, verbs};
use crate::hash::{Rng, mix_text};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

/// An offline endpoint does not start: the request stays pending until it expires.
const JOB: Job = Job {
    seconds: 120,
    running: &[("status", "pending")],
    finished: &[("status", "finished")],
    finished_at: None,
};

static FORENSIC_LOGS: Collection = Collection {
    members: &[Member::one_of("mode", &["fast", "full"]), Member::text_up_to("expires", 20)],
    has_times: false,
    job: Some(JOB),
    on_create: suspend_offline,
    view: |_, record| name_file(record, "forensicLogFile", "forensic_sdu"),
    ..Collection::new("forensic_logs", "forensic log request")
};

static MEMORY_DUMPS: Collection = Collection {
    members: &[
        Member::one_of("mode", &["process", "kernel"]).required(),
        Member::integer("pid", 1, 4_294_967_295),
        Member::text_up_to("expires", 20),
    ],
    has_times: false,
    job: Some(JOB),
    on_create: suspend_offline,
    view: |_, record| name_file(record, "memoryDumpFile", "memory_dump"),
    ..Collection::new("memory_dumps", "memory dump request")
};

const LOGS: &str = "/endpoint/v1/endpoints/:endpointId/forensic-logs";
const LOG: &str = "/endpoint/v1/endpoints/:endpointId/forensic-logs/:forensicLogRequestId";
const DUMPS: &str = "/endpoint/v1/endpoints/:endpointId/memory-dumps";
const DUMP: &str = "/endpoint/v1/endpoints/:endpointId/memory-dumps/:memoryDumpRequestId";

pub(crate) static ROUTES: &[Route] = &[
    Route::write("forensic_logs.collect", "POST", LOGS, |context| collect(context, &FORENSIC_LOGS))
        .with_success(202),
    Route::read("forensic_logs.get", LOG, |context| get(context, &FORENSIC_LOGS)),
    Route::write("memory_dumps.collect", "POST", DUMPS, |context| collect(context, &MEMORY_DUMPS))
        .with_success(202),
    Route::read("memory_dumps.get", DUMP, |context| get(context, &MEMORY_DUMPS)),
];

fn name_file(record: &mut Value, member: &str, prefix: &str) {
    if record["status"] != "finished" {
        return;
    }
    let [endpoint, id] = ["_endpoint", "id"].map(|name| record[name].as_str().unwrap_or_default());
    let mut rng = Rng::new(mix_text(1, id));
    record[member] = json!({
        "fileName": format!("{prefix}_{endpoint}_{id}.zip"),
        "sha256": rng.hex(64),
        "size": 1_000_000 + rng.below(500_000_000),
    });
}

fn suspend_offline(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let (tenant, index) = find_endpoint(change.context)?;
    if !change.context.central.endpoint(tenant, index).online {
        job::suspend(&mut change.record);
    }
    Ok(())
}

fn collect(context: &Context<'_>, of: &'static Collection) -> Result<ApiResponse, ApiError> {
    let (tenant, index) = find_endpoint(context)?;
    let request = member::accept(of.members, &context.call.json()?, false)?;
    if request["mode"] == "process" && request["pid"].is_null() {
        return Err(invalid_parameter("pid"));
    }
    let now = context.central.clock.now_ms();
    let expires = request["expires"].as_str().unwrap_or("PT4H");
    let expires = time::parse_or_duration(expires, now).filter(|at| expires.starts_with('P') && *at > now);
    let expires = expires.ok_or_else(|| invalid_parameter("expires"))?;
    let record = json!({
        "_endpoint": reference(context, tenant, index)["id"],
        "receivedAt": time::format_millis(now),
        "expiresAt": time::format_millis(expires),
    });
    let mut state = context.state();
    let record = verbs::add(context, &mut state, of, record)?;
    Ok(ApiResponse::json(context.success, &verbs::show(context, of, record)))
}

fn get(context: &Context<'_>, of: &'static Collection) -> Result<ApiResponse, ApiError> {
    let (tenant, index) = find_endpoint(context)?;
    let endpoint = reference(context, tenant, index)["id"].clone();
    let id = context.params.get(1).copied().unwrap_or_default();
    let now = context.central.clock.now_ms();
    let mut state = context.state();
    let found = state.find(context.central, of, id).cloned().filter(|record| {
        let expires = record["expiresAt"].as_str().and_then(time::parse);
        record["_endpoint"] == endpoint && expires.is_some_and(|at| now < at)
    });
    let record = found.ok_or_else(|| of.not_found())?;
    Ok(ApiResponse::json(200, &verbs::show(context, of, record)))
}
