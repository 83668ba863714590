//! `GET /account-health-check/v1/health-check`

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::data::endpoint::Endpoint;
use crate::response::{ApiError, ApiResponse};

const CHECKS: &[&str] = &["protection", "policy", "exclusions", "tamperProtection"];

fn score(total: usize, bad: usize) -> usize {
    (total - bad) * 100 / total.max(1)
}

/// Counts over the tenant's endpoints, in a format inferred from the API's other checks.
pub(crate) fn check(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let wanted = context.call.query.list("checks");
    if wanted.iter().any(|check| !CHECKS.contains(check)) {
        return Err(invalid_parameter("checks"));
    }
    let all: Vec<Endpoint> = context.central.endpoints(tenant).map(|seen| seen.endpoint).collect();
    let side = |server: bool, counted: &str, bad: fn(&Endpoint) -> bool| -> Value {
        let mine = all.iter().filter(|e| e.identity.server == server);
        let total = mine.clone().count();
        let bad = mine.filter(|e| bad(e)).count();
        json!({ "total": total, counted: bad, "snoozed": false, "score": score(total, bad) })
    };
    let both = |counted: &str, bad: fn(&Endpoint) -> bool| json!({ "computer": side(false, counted, bad), "server": side(true, counted, bad) });
    let mut body = json!({});
    for check in CHECKS {
        if !wanted.is_empty() && !wanted.contains(check) {
            continue;
        }
        body[*check] = match *check {
            "protection" => both("notFullyProtected", |e| e.health == "bad"),
            "tamperProtection" => {
                let mut value = both("disabled", |e| !e.tamper_protected);
                value["global"] = json!(true);
                value["globalDetail"] = json!({ "enabled": true, "score": 100, "snoozed": false });
                value
            }
            "policy" => json!({
                "computer": { "threat-protection": {
                    "total": 2, "notOnRecommended": 0,
                    "policies": [], "lockedByManagingAccount": 0, "snoozed": false, "score": 100,
                } },
                "server": { "server-threat-protection": {
                    "total": 1, "notOnRecommended": 0,
                    "policies": [], "lockedByManagingAccount": 0, "snoozed": false, "score": 100,
                } },
            }),
            _ => json!({
                "policy": { "computer": { "total": 0, "score": 100 }, "server": { "total": 0, "score": 100 } },
                "global": { "numberOfSecurityRisks": 0, "scanningExclusions": [], "score": 100, "snoozed": false },
            }),
        };
    }
    Ok(ApiResponse::json(200, &json!({ "endpoint": body })))
}
