//! Scores of the account health check, and its snoozed reminders.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Collection, Member, verbs};
use crate::hash::{Rng, mix};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

const DAY_MS: i64 = 86_400_000;

static SNOOZE: Collection = Collection {
    members: &[Member::object("endpoint", &[]), Member::object("networkDevice", &[])],
    seed: |_| vec![json!({})],
    ..Collection::singleton("health_snooze", "snooze")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::read("health.historical", "/account-health-check/v1/scores/historical", historical),
    Route::read("health.regional", "/account-health-check/v1/scores/regional", regional),
    Route::write("health.snooze", "POST", "/account-health-check/v1/snooze", snooze),
];

/// One score a day, both days included; by default, the last 30 days.
fn historical(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let now = context.central.clock.now_ms();
    let day = |name: &str, otherwise: i64| match context.call.query.get(name) {
        None => Ok(otherwise),
        Some(text) => time::parse(&format!("{text}T00:00:00Z"))
            .or_else(|| time::parse_lenient(text))
            .ok_or_else(|| invalid_parameter(name)),
    };
    let to = day("endDate", now)?.min(now) / DAY_MS;
    let from = day("startDate", (to - 29) * DAY_MS)? / DAY_MS;
    if from > to {
        return Err(invalid_parameter("startDate"));
    }
    let points = (from.max(to - 364)..=to).map(|day| {
        let score = 80 + Rng::new(mix(tenant.key, day as u64)).below(20);
        json!({ "date": time::format_millis(day * DAY_MS)[..10], "score": score })
    });
    let points: Vec<Value> = points.collect();
    let body = json!({ "tenant": { "id": tenant.id_text, "name": tenant.name }, "datapoints": points });
    Ok(ApiResponse::json(200, &body))
}

fn regional(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.tenant()?;
    let shares = [(0, 49, 6), (50, 69, 14), (70, 89, 38), (90, 100, 42)];
    let bands = shares.map(|(from, to, share)| json!({ "from": from, "to": to, "percentage": share }));
    Ok(ApiResponse::json(200, &json!({ "bands": bands })))
}

fn snooze(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    if context.call.json()?.as_object().is_none_or(serde_json::Map::is_empty) {
        return Err(ApiError::bad_request("Invalid or missing request body."));
    }
    verbs::handle(context, crate::engine::Verb::Update, &SNOOZE)
}
