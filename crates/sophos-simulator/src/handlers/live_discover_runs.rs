//! Runs of Live Discover queries on endpoints.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::call::{Context, Query, invalid_parameter};
use crate::data::endpoint_json::{EndpointSnapshot, View};
use crate::data::tenant::Tenant;
use crate::engine::filter::{self, scalar_text};
use crate::engine::{Collection, Filter, Paging, Seed, member, verbs};
use crate::handlers::endpoint_filter;
use crate::handlers::live_discover::{CATEGORIES, QUERIES};
use crate::handlers::saved_queries::{RUN_MEMBERS, start_run, with_keys};
use crate::handlers::sql::{Statement, Subject};
use crate::hash::{Rng, mix, mix_text, uuid_text};
use crate::response::{ApiError, ApiResponse};
use crate::time;

/// Runs of a tenant within a minute and within a day.
const MAX_RUNS: [(usize, i64); 2] = [(10, 60_000), (500, 86_400_000)];
const MAX_DURATION_MS: i64 = 120_000;
/// The time until the service passes a run to the endpoints.
const PENDING_MS: i64 = 1_000;
const MIN_TEMPLATE_LEN: usize = 15;

pub(crate) static RUNS: Collection = Collection {
    has_times: false,
    filters: &[
        Filter::equals("queryId", "query.id"),
        Filter::equals("categoryId", "category.id"),
        Filter::one_of("status", "status", &["pending", "started", "finished"]),
        Filter::one_of("result", "result", &["notAvailable", "succeeded", "failed", "timedOut"]),
        Filter::one_of("createdByPrincipalType", "createdBy.type", &["service", "user"]),
    ],
    seed: seed_runs,
    view: show_progress,
    ..Collection::new("live_discover_runs", "query run")
};

static RUN_ENDPOINTS: Collection = Collection::new("live_discover_run_endpoints", "endpoint");

/// The progress of a run on one endpoint.
#[derive(Debug)]
struct EndpointRun {
    index: u64,
    is_online: bool,
    status: &'static str,
    result: &'static str,
    rows: u64,
    bytes: u64,
    duration_ms: i64,
}

fn rng_of(run: &Value, index: u64) -> Rng {
    Rng::new(mix(mix_text(0, &scalar_text(&run["id"])), index))
}

/// The progress on each endpoint of a run at `now`.
fn endpoint_runs(run: &Value, now: i64) -> Vec<EndpointRun> {
    let created = run["_createdMs"].as_i64().unwrap_or_default();
    let statement = Statement::parse(&scalar_text(&run["_sql"]));
    let indexes = |member: &str| -> Vec<u64> {
        run[member].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
    };
    let online = indexes("_online").into_iter().map(|index| (index, true));
    let all = online.chain(indexes("_offline").into_iter().map(|index| (index, false)));
    let progress = |(index, is_online): (u64, bool)| {
        let mut rng = rng_of(run, index);
        let answer_ms = PENDING_MS + 500 + i64::try_from(rng.below(20_000)).unwrap_or_default();
        let duration_ms = if is_online { answer_ms } else { MAX_DURATION_MS };
        let found = rng.below(6);
        let is_done = now >= created + duration_ms;
        let (status, result) = match (is_done, is_online, &statement) {
            (true, false, _) => ("finished", "timedOut"),
            (true, true, Ok(_)) => ("finished", "succeeded"),
            (true, true, Err(_)) => ("finished", "failed"),
            (false, true, _) if now >= created + PENDING_MS => ("started", "notAvailable"),
            _ => ("pending", "notAvailable"),
        };
        let limit = statement.as_ref().ok().and_then(|statement| statement.limit).unwrap_or(u64::MAX);
        let rows = if result == "succeeded" { found.min(limit) } else { 0 };
        EndpointRun { index, is_online, status, result, rows, bytes: 80 + rows * 150, duration_ms }
    };
    all.map(progress).collect()
}

/// The total, extremes, median and average of some numbers.
fn statistics(mut numbers: Vec<i64>) -> Value {
    numbers.sort_unstable();
    let total: i64 = numbers.iter().sum();
    let count = i64::try_from(numbers.len()).unwrap_or(1).max(1);
    json!({
        "total": total, "min": numbers.first(), "max": numbers.last(),
        "median": numbers.get(numbers.len() / 2), "average": total / count,
    })
}

/// Adds the members of a run that follow from the progress on its endpoints.
fn show_progress(context: &Context<'_>, run: &mut Value) {
    let now = context.central.clock.now_ms();
    let created = run["_createdMs"].as_i64().unwrap_or_default();
    let all = endpoint_runs(run, now);
    let count = |test: &dyn Fn(&EndpointRun) -> bool| all.iter().filter(|one| test(one)).count();
    let by_data = |status: &str, result: &str| {
        let is = |one: &EndpointRun| one.status == status && one.result == result;
        json!({
            "total": count(&|one| is(one)),
            "withData": count(&|one| is(one) && one.rows > 0),
            "withoutData": count(&|one| is(one) && one.rows == 0),
        })
    };
    run["endpointCounts"]["statuses"] = json!({
        "pending": {
            "total": count(&|one| one.status == "pending"),
            "offline": count(&|one| one.status == "pending" && !one.is_online),
            "online": count(&|one| one.status == "pending" && one.is_online),
        },
        "started": by_data("started", "notAvailable"),
        "finished": {
            "succeeded": by_data("finished", "succeeded"),
            "failed": by_data("finished", "failed"),
            "timedOut": by_data("finished", "timedOut"),
        },
    });
    run["resultCount"] = json!(all.iter().map(|one| one.rows).sum::<u64>());
    let is_finished = all.iter().all(|one| one.status == "finished");
    let has = |result: &str| all.iter().any(|one| one.result == result);
    let (status, result) = match is_finished {
        true if has("succeeded") => ("finished", "succeeded"),
        true if has("failed") => ("finished", "failed"),
        true => ("finished", "timedOut"),
        false if now < created + PENDING_MS => ("pending", "notAvailable"),
        false => ("started", "notAvailable"),
    };
    run["status"] = json!(status);
    run["result"] = json!(result);
    let remaining = if is_finished { 0 } else { (created + MAX_DURATION_MS - now).max(0) / 1_000 };
    run["maxDurationInSeconds"] = json!(MAX_DURATION_MS / 1_000);
    run["timeRemainingInSeconds"] = json!(remaining);
    run["performance"] = json!({ "score": "notEvaluated" });
    if is_finished {
        let longest = all.iter().map(|one| one.duration_ms).max().unwrap_or_default();
        run["finishedAt"] = json!(time::format_millis(created + longest));
        let answered: Vec<&EndpointRun> = all.iter().filter(|one| one.result != "timedOut").collect();
        let bytes = |one: &&EndpointRun| i64::try_from(one.bytes).unwrap_or_default();
        run["performance"] = json!({
            "score": "excellent",
            "dataTransferredInBytes": statistics(answered.iter().map(bytes).collect()),
            "executionTimeInMillis": statistics(answered.iter().map(|one| one.duration_ms).collect()),
        });
    }
}

/// The numbers of endpoints by type and platform.
fn endpoint_counts(all: &[EndpointSnapshot]) -> Value {
    let mut types: BTreeMap<&str, u64> = BTreeMap::new();
    let mut platforms: BTreeMap<&str, u64> = BTreeMap::new();
    for one in all {
        *types.entry(one.endpoint.identity.endpoint_type()).or_default() += 1;
        *platforms.entry(one.endpoint.identity.platform).or_default() += 1;
    }
    json!({ "total": all.len(), "types": types, "platforms": platforms })
}

fn seed_runs(seed: &mut Seed<'_>) -> Vec<Value> {
    let Some(tenant) = seed.tenant.filter(|tenant| tenant.initial_endpoint_count() > 0) else {
        return Vec::new();
    };
    let online: Vec<u64> = (0..tenant.initial_endpoint_count().min(5)).collect();
    let endpoints: Vec<EndpointSnapshot> =
        online.iter().map(|index| seed.central.endpoint(tenant, *index)).collect();
    let run = |number: u64| {
        let at = seed.past(20);
        let at_ms = time::parse(&at).unwrap_or_default() - 2 * 86_400_000;
        json!({
            "name": "Listening ports", "template": "SELECT * FROM listening_ports", "variables": [],
            "query": { "id": seed.id(QUERIES.name, 2), "name": "Listening ports", "code": "listening_ports" },
            "category": { "id": seed.id(CATEGORIES.name, 1), "name": "Network", "code": "network" },
            "createdAt": time::format_millis(at_ms), "_createdMs": at_ms, "_sql": "SELECT * FROM listening_ports",
            "createdBy": {
                "id": seed.uuid(), "type": "user", "name": seed.person(0).name, "accountType": "tenant",
                "accountId": tenant.id_text,
            },
            "matchEndpoints": { "all": number == 0 },
            "endpointCounts": endpoint_counts(&endpoints), "_online": online, "_offline": [],
        })
    };
    (0..3).map(run).collect()
}

/// The filter of one object in `matchEndpoints.filters`.
#[derive(Debug)]
struct EndpointMatch {
    filter: endpoint_filter::Filter,
    group: Option<String>,
    systems: Vec<Value>,
}

impl EndpointMatch {
    fn parse(object: &Value, now: i64) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for (name, value) in object.as_object().into_iter().flatten() {
            let values = value.as_array().map_or_else(|| vec![value], |all| all.iter().collect());
            if !matches!(name.as_str(), "os" | "groupNameContains") {
                pairs.extend(values.into_iter().map(|value| (name.clone(), scalar_text(value))));
            }
        }
        Ok(Self {
            filter: endpoint_filter::Filter::parse(&Query(pairs), now)?,
            group: object["groupNameContains"].as_str().map(str::to_lowercase),
            systems: object["os"].as_array().cloned().unwrap_or_default(),
        })
    }

    fn matches(&self, one: &EndpointSnapshot) -> bool {
        let identity = &one.endpoint.identity;
        let group = one.endpoint.group.as_ref().and_then(|group| group.name.as_deref()).unwrap_or_default();
        let is_system = |system: &Value| {
            let agrees = |member: &str, value: &str| {
                system[member].as_str().is_none_or(|wanted| wanted.eq_ignore_ascii_case(value))
            };
            agrees("platform", identity.platform) && agrees("type", identity.endpoint_type())
        };
        self.filter.matches(one)
            && self.group.as_ref().is_none_or(|part| group.to_lowercase().contains(part))
            && (self.systems.is_empty() || self.systems.iter().any(is_system))
    }
}

/// The endpoints that `matchEndpoints` selects: all, or those of any filter.
fn select_endpoints(
    context: &Context<'_>,
    tenant: &Tenant,
    wanted: &Value,
) -> Result<Vec<(u64, EndpointSnapshot)>, ApiError> {
    let now = context.central.clock.now_ms();
    let filters = wanted["filters"].as_array().cloned().unwrap_or_default();
    let filters: Vec<EndpointMatch> =
        filters.iter().map(|object| EndpointMatch::parse(object, now)).collect::<Result<_, _>>()?;
    let is_all = wanted["all"] == json!(true);
    if is_all != filters.is_empty() {
        return Err(invalid_parameter("matchEndpoints"));
    }
    let indexes = context.central.endpoint_indexes(tenant);
    let all = indexes.map(|index| (index, context.central.endpoint(tenant, index)));
    let found: Vec<(u64, EndpointSnapshot)> =
        all.filter(|(_, one)| is_all || filters.iter().any(|filter| filter.matches(one))).collect();
    if found.is_empty() {
        return Err(ApiError::bad_request("No endpoints match"));
    }
    Ok(found)
}

pub(crate) fn create(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let body = context.call.json()?;
    let given = member::accept(RUN_MEMBERS, &body, false)?;
    let template = given["adHocQuery"]["template"].as_str();
    if template.is_some_and(|template| template.chars().count() < MIN_TEMPLATE_LEN) {
        return Err(invalid_parameter("template"));
    }
    let mut state = context.state();
    let mut run = start_run(context, &mut state, &given, &QUERIES, &CATEGORIES)?;
    let endpoints = select_endpoints(context, tenant, &body["matchEndpoints"])?;
    let now = context.central.clock.now_ms();
    for (max, window) in MAX_RUNS {
        let all = state.records(context.central, &RUNS);
        let is_recent = |run: &&Value| run["_createdMs"].as_i64().is_some_and(|at| at > now - window);
        if all.iter().filter(is_recent).count() >= max {
            return Err(ApiError::from_status(429));
        }
    }
    let indexes = |online: bool| -> Vec<u64> {
        endpoints.iter().filter(|(_, one)| one.online == online).map(|(index, _)| *index).collect()
    };
    run["_online"] = json!(indexes(true));
    run["_offline"] = json!(indexes(false));
    let endpoints: Vec<EndpointSnapshot> = endpoints.into_iter().map(|(_, one)| one).collect();
    run["endpointCounts"] = endpoint_counts(&endpoints);
    run["matchEndpoints"] = body["matchEndpoints"].clone();
    let run = verbs::add(context, &mut state, &RUNS, run)?;
    Ok(ApiResponse::json(context.success, &verbs::show(context, &RUNS, run)))
}

/// The run in the path.
fn find_run(context: &Context<'_>) -> Result<Value, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    context.state().find(context.central, &RUNS, id).cloned().ok_or_else(|| RUNS.not_found())
}

/// Whether an endpoint agrees with a combination such as `finished:succeeded:withData`.
fn agrees(one: &EndpointRun, combination: &str) -> Result<bool, ApiError> {
    let mut all = true;
    for part in combination.split(':') {
        all &= match part {
            "pending" | "started" | "finished" => one.status == part,
            "notAvailable" | "succeeded" | "failed" | "timedOut" => one.result == part,
            "withData" => one.rows > 0,
            "withoutData" => one.rows == 0,
            _ => return Err(invalid_parameter("match")),
        };
    }
    Ok(all)
}

pub(crate) fn endpoints(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let (run, tenant) = (find_run(context)?, context.tenant()?);
    let wanted = context.call.query.list("match");
    let failure = Statement::parse(&scalar_text(&run["_sql"])).err();
    let created = run["_createdMs"].as_i64().unwrap_or_default();
    let shown = ["hostname", "type", "os", "ipv4Addresses", "ipv6Addresses"];
    let mut items = Vec::new();
    for one in endpoint_runs(&run, context.central.clock.now_ms()) {
        let mut is_wanted = wanted.is_empty();
        for combination in &wanted {
            is_wanted |= agrees(&one, combination)?;
        }
        if !is_wanted {
            continue;
        }
        let mut item = context.central.endpoint(tenant, one.index).to_json(tenant, View::Summary, &shown);
        item["status"] = json!(one.status);
        item["result"] = json!(one.result);
        item["createdAt"] = run["createdAt"].clone();
        if one.status == "finished" {
            let at = created + one.duration_ms;
            item["finishedAt"] = json!(time::format_millis(at));
            item["resultCount"] = json!(one.rows);
            item["statusCode"] = json!(if one.result == "succeeded" { "0" } else { "1" });
            if let Some(message) = failure.as_ref().filter(|_| one.result == "failed") {
                item["statusMessage"] = json!(message);
            }
            item["performance"] = json!({
                "score": "excellent", "dataTransferredInBytes": one.bytes,
                "executionTimeInMillis": one.duration_ms,
            });
        }
        items.push(item);
    }
    Ok(ApiResponse::json(200, &verbs::list_records(context, &RUN_ENDPOINTS, items)?))
}

pub(crate) fn results(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let (run, tenant) = (find_run(context)?, context.tenant()?);
    let now = context.central.clock.now_ms();
    let created = run["_createdMs"].as_i64().unwrap_or_default();
    let statement = Statement::parse(&scalar_text(&run["_sql"]));
    let mut rows = Vec::new();
    for one in endpoint_runs(&run, now) {
        let Ok(statement) = statement.as_ref() else { break };
        let identity = context.central.endpoint(tenant, one.index).endpoint.identity;
        let subject = Subject {
            id: uuid_text(identity.id),
            hostname: identity.hostname,
            platform: identity.platform.to_owned(),
        };
        let mut rng = rng_of(&run, one.index ^ u64::MAX);
        for _ in 0..one.rows {
            let mut row = json!({ "endpointId": subject.id, "hostname": subject.hostname });
            verbs::merge(&mut row, statement.row(&mut rng, &subject, (created - 86_400_000, created)).into());
            rows.push(row);
        }
    }
    let mut rows = filter::select(&context.call.query, rows, &[], &[], "endpointId", now)?;
    with_keys(&mut rows);
    let paging = Paging::Keyed { default: 1_000, max: 1_000 };
    let mut body = paging.body(context, rows, |row| scalar_text(&row["_key"]))?;
    verbs::hide(&mut body["items"]);
    let columns = statement.map_or_else(|_| json!([]), |statement| statement.metadata());
    body["metadata"] = json!({ "columns": columns });
    Ok(ApiResponse::json(200, &body))
}
