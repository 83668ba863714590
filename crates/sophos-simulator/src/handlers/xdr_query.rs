//! XDR Query: saved queries and categories of the data lake, and runs.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::filter::{scalar_text, values_at};
use crate::engine::job::is_finished;
use crate::engine::{Collection, Filter, Job, Paging, Seed, member, verbs};
use crate::handlers::saved_queries::{self, RUN_MEMBERS, SavedQuery, start_run, with_keys};
use crate::handlers::sql::{Statement, Subject};
use crate::hash::{Rng, mix_text, parse_uuid, uuid_text};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

const CATEGORIES_NAME: &str = "xdr_categories";
const DAY_MS: i64 = 86_400_000;
const MAX_LOOKBACK_MS: i64 = 30 * DAY_MS;
/// The lifetime of results: two hours from the creation of the run.
const RESULTS_LIFETIME_MS: i64 = 2 * 3_600_000;
const MAX_ROWS: u64 = 10_000;

static CATEGORIES: Collection = Collection {
    paging: Paging::None,
    seed: |seed| saved_queries::seed_categories(seed, CATEGORY_NAMES, SAVED),
    ..Collection::new(CATEGORIES_NAME, "category")
};

static QUERIES: Collection = Collection {
    filters: saved_queries::FILTERS,
    searched: saved_queries::SEARCHED,
    seed: |seed| saved_queries::seed_queries(seed, SAVED, CATEGORIES_NAME),
    ..Collection::new("xdr_queries", "query")
};

static RUNS: Collection = Collection {
    has_times: false,
    filters: &[Filter::one_of("statuses", "status", &["pending", "started", "finished"])],
    job: Some(Job {
        seconds: 10,
        running: &[("status", "started"), ("result", "notAvailable")],
        finished: &[("status", "finished"), ("result", "succeeded")],
        finished_at: Some("finishedAt"),
    }),
    view: |_, run| {
        if run["status"] == "finished" && Statement::parse(&scalar_text(&run["_sql"])).is_err() {
            run["result"] = json!("failed");
        }
        if run["_isCanceled"] == json!(true) {
            run["result"] = json!("canceled");
        }
    },
    seed: seed_runs,
    ..Collection::new("xdr_runs", "query run")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::list("xdr_query.queries", "/xdr-query/v1/queries", &QUERIES),
    Route::get("xdr_query.query", "/xdr-query/v1/queries/:queryId", &QUERIES),
    Route::list("xdr_query.categories", "/xdr-query/v1/queries/categories", &CATEGORIES),
    Route::get("xdr_query.category", "/xdr-query/v1/queries/categories/:categoryId", &CATEGORIES),
    Route::read("xdr_query.runs", "/xdr-query/v1/queries/runs", list).query(),
    Route::write("xdr_query.run", "POST", "/xdr-query/v1/queries/runs", create).with_success(201).query(),
    Route::get("xdr_query.get_run", "/xdr-query/v1/queries/runs/:runId", &RUNS).query(),
    Route::write("xdr_query.cancel", "POST", "/xdr-query/v1/queries/runs/:runId/cancel", cancel).query(),
    Route::read("xdr_query.results", "/xdr-query/v1/queries/runs/:runId/results", results).query(),
];

const CATEGORY_NAMES: &[(&str, &str)] = &[("processes", "Processes"), ("network", "Network")];

const SAVED: &[SavedQuery] = &[
    SavedQuery {
        category: 0,
        code: "recent_processes",
        name: "Recent processes",
        template: "SELECT meta_hostname, meta_endpoint_id, name, path, sha256, time FROM xdr_data \
                   WHERE query_name = 'running_processes_windows_sophos'",
        variables: &[],
        systems: &[],
    },
    SavedQuery {
        category: 0,
        code: "file_hash",
        name: "Endpoints with a file hash",
        template: "SELECT meta_hostname, path, sha256 FROM xdr_data WHERE sha256 = '$$sha256$$'",
        variables: &[("sha256", "text")],
        systems: &[],
    },
    SavedQuery {
        category: 1,
        code: "connections",
        name: "Connections by address",
        template: "SELECT meta_hostname, remote_address, remote_port, count(*) AS connection_count \
                   FROM xdr_data GROUP BY 1, 2, 3",
        variables: &[],
        systems: &[],
    },
];

fn seed_runs(seed: &mut Seed<'_>) -> Vec<Value> {
    let start = seed.central.start_ms;
    let run = |number: i64| {
        let at = start - number * 15 * 60_000;
        let mut run = json!({
            "createdAt": time::format_millis(at), "_createdMs": at,
            "expiresAt": time::format_millis(at + RESULTS_LIFETIME_MS),
            "createdBy": {
                "id": seed.uuid(), "type": "user", "name": seed.person(0).name,
                "accountType": "tenant", "accountId": seed.tenant_ref()["id"],
            },
            "name": SAVED[0].name, "template": SAVED[0].template, "_sql": SAVED[0].template, "variables": [],
            "query": { "id": seed.id(QUERIES.name, 0), "name": SAVED[0].name, "code": SAVED[0].code },
            "category": { "id": seed.id(CATEGORIES_NAME, 0), "name": "Processes", "code": "processes" },
            "matchEndpoints": { "filters": [] },
            "from": time::format_millis(at - DAY_MS), "to": time::format_millis(at),
        });
        if let Some(job) = &RUNS.job {
            job.start(&mut run, at);
        }
        run
    };
    (1..=2).rev().map(run).collect()
}

fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut runs = context.state().records(context.central, &RUNS).clone();
    match context.call.query.get("order") {
        None | Some("asc") => {}
        Some("desc") => runs.reverse(),
        Some(_) => return Err(invalid_parameter("order")),
    }
    Ok(ApiResponse::json(200, &verbs::list_records(context, &RUNS, runs)?))
}

/// The period of a query: the last day by default, and at most the last 30 days.
fn period(body: &Value, now: i64) -> Result<(i64, i64), ApiError> {
    let given = |name: &str| body[name].as_str().and_then(time::parse_lenient);
    let to = given("to").unwrap_or(now);
    let from = given("from").unwrap_or(to - DAY_MS);
    if from < now - MAX_LOOKBACK_MS {
        return Err(invalid_parameter("from"));
    }
    if to <= from {
        return Err(invalid_parameter("to"));
    }
    Ok((from, to))
}

fn create(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(RUN_MEMBERS, &context.call.json()?, false)?;
    let now = context.central.clock.now_ms();
    let (from, to) = period(&body, now)?;
    let mut state = context.state();
    let mut run = start_run(context, &mut state, &body, &QUERIES, &CATEGORIES)?;
    run["expiresAt"] = json!(time::format_millis(now + RESULTS_LIFETIME_MS));
    run["from"] = json!(time::format_millis(from));
    run["to"] = json!(time::format_millis(to));
    if let Some(wanted) = body.get("matchEndpoints") {
        run["matchEndpoints"] = wanted.clone();
    }
    let run = verbs::add(context, &mut state, &RUNS, run)?;
    Ok(ApiResponse::json(context.success, &verbs::show(context, &RUNS, run)))
}

fn cancel(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let now = context.central.clock.now_ms();
    let id = context.params.first().copied().unwrap_or_default();
    let mut state = context.state();
    let run = state.find(context.central, &RUNS, id).ok_or_else(|| RUNS.not_found())?;
    let canceled = !is_finished(run, now);
    if canceled {
        if let Some(members) = run.as_object_mut() {
            members.remove("_finishMs");
        }
        run["_isCanceled"] = json!(true);
        run["status"] = json!("finished");
        run["finishedAt"] = json!(time::format_millis(now));
    }
    Ok(ApiResponse::json(200, &json!({ "canceled": canceled })))
}

/// The endpoints that rows describe: those of the filters, or the first of the tenant.
fn subjects(context: &Context<'_>, run: &Value) -> Result<Vec<Subject>, ApiError> {
    let tenant = context.tenant()?;
    let ids = values_at(run, "matchEndpoints.filters.ids");
    let indexes: Vec<u64> = if ids.is_empty() {
        context.central.endpoint_indexes(tenant).take(50).collect()
    } else {
        let index = |id: &&Value| tenant.endpoint_index(parse_uuid(id.as_str()?)?);
        ids.iter().filter_map(index).collect()
    };
    let subject = |index: u64| {
        let identity = context.central.endpoint(tenant, index).endpoint.identity;
        let platform = identity.platform.to_owned();
        Subject { id: uuid_text(identity.id), hostname: identity.hostname, platform }
    };
    Ok(indexes.into_iter().map(subject).collect())
}

fn results(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let now = context.central.clock.now_ms();
    let id = context.params.first().copied().unwrap_or_default();
    let run = context.state().find(context.central, &RUNS, id).cloned();
    let run = run.ok_or_else(|| RUNS.not_found())?;
    let at = |member: &str| run[member].as_str().and_then(time::parse).unwrap_or_default();
    if !is_finished(&run, now) || now >= at("expiresAt") {
        return Err(ApiError::not_found("Can't find results of query run."));
    }
    let statement = Statement::parse(&scalar_text(&run["_sql"])).ok();
    let statement = statement.filter(|_| run["_isCanceled"].is_null());
    let subjects = subjects(context, &run)?;
    let mut rng = Rng::new(mix_text(context.central.config.seed, &scalar_text(&run["id"])));
    let mut rows = Vec::new();
    if let Some(statement) = statement.as_ref().filter(|_| !subjects.is_empty()) {
        let found = 20 + rng.below(400);
        for _ in 0..statement.limit.map_or(found, |limit| limit.min(found)).min(MAX_ROWS) {
            let one = usize::try_from(rng.below(subjects.len() as u64)).unwrap_or_default();
            rows.push(Value::Object(statement.row(&mut rng, &subjects[one], (at("from"), at("to")))));
        }
    }
    with_keys(&mut rows);
    let paging = Paging::Keyed { default: 50, max: 2_000 };
    let mut body = paging.body(context, rows, |row| scalar_text(&row["_key"]))?;
    verbs::hide(&mut body["items"]);
    let columns = statement.map_or_else(|| json!([]), |statement| statement.metadata());
    body["metadata"] = json!({ "columns": columns });
    Ok(ApiResponse::json(200, &body))
}
