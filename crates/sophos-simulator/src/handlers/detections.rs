//! Queries for detections and groups of them, and counts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::filter::{self, scalar_text};
use crate::engine::job::is_finished;
use crate::engine::{Collection, Filter, Job, Member, Paging, member, verbs};
use crate::handlers::detection_data as data;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

const DAY_MS: i64 = 86_400_000;
const MAX_COUNTS: i64 = 10_000;

const FILTERS: &[Filter] = &[
    Filter::equals("detectionRule", "detectionRule"),
    Filter::equals("severity", "_severities"),
    Filter::equals("type", "type"),
    Filter::equals("category", "sensor.type"),
    Filter::equals("source", "sensor.source"),
    Filter::contains("deviceNameContains", "device.entity"),
    Filter::equals("entityType", "device.type"),
    Filter::contains("location", "_places"),
    Filter::equals("mitreAttackTactics", "mitreAttacks.tactic.name"),
    Filter::contains("mitreAttack", "_mitre"),
    Filter::contains("operatingSystemName", "rawData.os_name"),
    Filter::equals("operatingSystem", "rawData.os_name"),
    Filter::equals("username", "rawData.username"),
];
const PAGING: Paging = Paging::Numbered { default: 50, max: 2_000 };

/// Detections, as lists show them.
pub(crate) static DETECTIONS: Collection =
    Collection { paging: PAGING, filters: FILTERS, ..Collection::new("detections", "detection") };

static GROUPS: Collection =
    Collection { paging: PAGING, id_member: "detectionRule", ..Collection::new("detection_groups", "group") };

const fn runs(name: &'static str, view: fn(&Context<'_>, &mut Value)) -> Collection {
    Collection {
        has_times: false,
        job: Some(Job {
            seconds: 3,
            running: &[("status", "pending"), ("result", "notAvailable")],
            finished: &[("status", "finished"), ("result", "succeeded")],
            finished_at: Some("finishedAt"),
        }),
        view,
        ..Collection::new(name, "query run")
    }
}

static DETECTION_RUNS: Collection = runs("detection_runs", |context, run| {
    run["resultCount"] = json!(found(context, run).map_or(0, |all| all.len()))
});

static GROUP_RUNS: Collection = runs("detection_group_runs", |context, run| {
    run["resultCount"] = json!(found(context, run).map_or(0, |all| groups(&all).len()));
});

const QUERIES: &str = "/detections/v1/queries/detections";
const GROUP_QUERIES: &str = "/detections/v1/queries/detection-groups";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("detections.run", QUERIES, |context| create(context, &DETECTION_RUNS))
        .with_method("POST")
        .with_success(201),
    Route::get("detections.get_run", "/detections/v1/queries/detections/:runId", &DETECTION_RUNS),
    Route::read("detections.results", "/detections/v1/queries/detections/:runId/results", |context| {
        results(context, &DETECTION_RUNS, &DETECTIONS, |all| all)
    }),
    Route::read("detections.counts", "/detections/v1/queries/detections/counts", counts),
    Route::read("detections.run_groups", GROUP_QUERIES, |context| create(context, &GROUP_RUNS))
        .with_method("POST")
        .with_success(201),
    Route::get("detections.get_group_run", "/detections/v1/queries/detection-groups/:runId", &GROUP_RUNS),
    Route::read(
        "detections.group_results",
        "/detections/v1/queries/detection-groups/:runId/results",
        |context| results(context, &GROUP_RUNS, &GROUPS, |all| groups(&all)),
    ),
];

const TEXT: Member = Member::text("value");
const SORT: &[Member] =
    &[Member::text_up_to("field", 100).required(), Member::one_of("direction", &["asc", "desc"])];
const QUERY: &[Member] = &[
    Member::list("ids", &TEXT, 1_000),
    Member::text("detectionRule"),
    Member::list("severity", &Member::integer("severity", 0, 10), 11),
    Member::list("type", &TEXT, 100),
    Member::list("category", &TEXT, 100),
    Member::list("source", &TEXT, 100),
    Member::text("deviceNameContains"),
    Member::list("entityType", &TEXT, 100),
    Member::text("location"),
    Member::list("mitreAttackTactics", &TEXT, 100),
    Member::text("mitreAttack"),
    Member::text("operatingSystemName"),
    Member::text("operatingSystem"),
    Member::text("username"),
    Member::boolean("showSuppressed"),
    Member::list("sort", &Member::object("criterion", SORT), 10),
    Member::time("from"),
    Member::time("to"),
];

/// The query parameters that mean the same as the members of a body.
fn parameters(body: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        let values = value.as_array().map_or_else(|| vec![value], |all| all.iter().collect());
        match name.as_str() {
            "from" | "to" => {}
            "sort" => pairs.extend(values.into_iter().map(|one| {
                let direction = one["direction"].as_str().unwrap_or("asc");
                (name.clone(), format!("{}:{direction}", scalar_text(&one["field"])))
            })),
            _ => pairs.extend(values.into_iter().map(|one| (name.clone(), scalar_text(one)))),
        }
    }
    pairs
}

fn create(context: &Context<'_>, runs: &'static Collection) -> Result<ApiResponse, ApiError> {
    let body = member::accept(QUERY, &context.call.json()?, false)?;
    let now = context.central.clock.now_ms();
    let given = |name: &str| body[name].as_str().and_then(time::parse_lenient);
    let to = given("to").unwrap_or(now);
    let from = given("from").unwrap_or(to - DAY_MS);
    if to < from {
        return Err(invalid_parameter("to"));
    }
    let run = json!({
        "createdAt": time::format_millis(now), "expiresAt": time::format_millis(now + DAY_MS),
        "_query": body, "_from": from, "_to": to.min(now),
    });
    let run = verbs::add(context, &mut context.state(), runs, run)?;
    Ok(ApiResponse::json(context.success, &verbs::show(context, runs, run)))
}

/// The detections that a finished run found.
fn found(context: &Context<'_>, run: &Value) -> Option<Vec<Value>> {
    let now = context.central.clock.now_ms();
    let tenant = context.tenant().ok().filter(|_| is_finished(run, now))?;
    let call = context.call_with_query(parameters(&run["_query"]));
    let at = |name: &str| run[name].as_i64().unwrap_or_default();
    let mut all = data::between(context.central, tenant, (at("_from"), at("_to")), now);
    if run["_query"]["showSuppressed"] != json!(true) {
        all.retain(|one| one["_isSuppressed"] == json!(false));
    }
    filter::select(&call.query, all, FILTERS, &[], "id", now).ok()
}

/// A record for each rule, with the number of its detections and the newest time.
fn groups(all: &[Value]) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for one in all {
        let known = found.iter_mut().find(|group| group["detectionRule"] == one["detectionRule"]);
        if let Some(group) = known {
            group["count"] = json!(group["count"].as_u64().unwrap_or_default() + 1);
            if one["time"].as_str() > group["time"].as_str() {
                group["time"] = one["time"].clone();
            }
            continue;
        }
        let mut group = json!({ "count": 1, "detectionRuleDescription": one["ruleDescription"] });
        for name in ["id", "detectionRule", "severity", "type", "sensor", "device", "mitreAttacks", "time"] {
            group[name] = one[name].clone();
        }
        found.push(group);
    }
    found
}

fn results(
    context: &Context<'_>,
    runs: &'static Collection,
    shown: &'static Collection,
    group: fn(Vec<Value>) -> Vec<Value>,
) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let run = context.state().find(context.central, runs, id).cloned();
    let run = run.ok_or_else(|| runs.not_found())?;
    let expires = run["expiresAt"].as_str().and_then(time::parse).unwrap_or_default();
    let all = found(context, &run).filter(|_| context.central.clock.now_ms() < expires);
    let all = all.ok_or_else(|| ApiError::not_found("Can't find results of query run."))?;
    let mut body = shown.paging.body(context, group(all), |one| scalar_text(&one[shown.id_member]))?;
    verbs::hide(&mut body["items"]);
    Ok(ApiResponse::json(200, &body))
}

fn counts(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let (query, tenant) = (&context.call.query, context.tenant()?);
    let now = context.central.clock.now_ms();
    let given = |name: &str| match query.get(name) {
        None => Ok(None),
        Some(text) => time::parse_or_duration(text, now).map(Some).ok_or_else(|| invalid_parameter(name)),
    };
    let (from, to) = (given("from")?, given("to")?.unwrap_or(now));
    let resolution = match (query.get("resolution"), from) {
        (Some(name @ ("day" | "hour" | "minute")), _) => name,
        (Some(_), _) => return Err(invalid_parameter("resolution")),
        (None, Some(from)) if to - from <= 2 * 3_600_000 => "minute",
        (None, Some(from)) if to - from <= 2 * DAY_MS => "hour",
        _ => "day",
    };
    let (step, span) = match resolution {
        "minute" => (60_000, 3_600_000),
        "hour" => (3_600_000, DAY_MS),
        _ => (DAY_MS, 30 * DAY_MS),
    };
    let from = from.unwrap_or(to - span);
    if to < from || (to - from) / step > MAX_COUNTS {
        return Err(invalid_parameter("from"));
    }
    let mut all = data::between(context.central, tenant, (from, to), now);
    if !query.boolean("showSuppressed")?.unwrap_or(false) {
        all.retain(|one| one["_isSuppressed"] == json!(false));
    }
    let all = filter::select(query, all, FILTERS, &[], "id", now)?;
    let mut by_start: BTreeMap<i64, Vec<&Value>> = BTreeMap::new();
    for start in (from..=to).step_by(usize::try_from(step).unwrap_or(1)) {
        by_start.insert(start, Vec::new());
    }
    for one in &all {
        let at = one["time"].as_str().and_then(time::parse).unwrap_or_default();
        by_start.entry(from + (at - from) / step * step).or_default().push(one);
    }
    let count = |(start, found): (i64, Vec<&Value>)| {
        let levels = ["info", "low", "medium", "high", "critical"];
        let by = |test: &dyn Fn(&Value) -> bool| found.iter().filter(|one| test(one)).count();
        let is_level =
            |one: &Value, name: &str| data::level(one["severity"].as_u64().unwrap_or_default()) == name;
        let is_type = |one: &Value, name: &str| {
            one["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(name))
        };
        let severities: BTreeMap<&str, usize> =
            levels.into_iter().map(|name| (name, by(&|one| is_level(one, name)))).collect();
        let types: BTreeMap<&str, usize> = ["process", "threat", "vulnerability"]
            .into_iter()
            .map(|name| (name, by(&|one| is_type(one, name))))
            .collect();
        json!({
            "startsAt": time::format_millis(start), "endsAt": time::format_millis((start + step).min(to)),
            "totalCount": found.len(), "countBySeverity": severities, "countByType": types,
        })
    };
    let counts: Vec<Value> = by_start.into_iter().map(count).collect();
    let body = json!({
        "from": time::format_millis(from), "to": time::format_millis(to), "resolution": resolution,
        "tenant": { "id": tenant.id_text }, "resolutionDetectionCounts": counts,
    });
    Ok(ApiResponse::json(200, &body))
}
