//! The MDR threat feed of a firewall. Each request is a transaction.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{AccountState, Member, member};
use crate::handlers::firewall::firewalls::FIREWALLS;
use crate::handlers::firewall::transactions::{self, New};
use crate::response::{ApiError, ApiResponse};
use crate::time;

const MAX_INDICATORS: usize = 100;
const MAX_VALUE_LEN: usize = 2_048;

const INDICATOR: &[Member] = &[
    Member::text_up_to("value", MAX_VALUE_LEN).required(),
    Member::one_of("type", &["ipv4-addr", "domain-name", "url"]).required(),
];
const INDICATORS: &[Member] =
    &[Member::list("indicators", &Member::object("indicator", INDICATOR), MAX_INDICATORS).required()];
const VALUES: &[Member] =
    &[Member::list("indicatorValues", &Member::text_up_to("value", MAX_VALUE_LEN), MAX_INDICATORS)
        .required()];
const SETTINGS: &[Member] = &[
    Member::boolean("enabled"),
    Member::one_of("action", &["logOnly", "logAndDrop"]),
    Member::time("lastUpdatedAt"),
];

/// The threat feed of a firewall, in its hidden member.
fn feed(firewall: &mut Value) -> &mut Value {
    if firewall["_feed"].is_null() {
        firewall["_feed"] = json!({
            "enabled": true, "action": "logOnly",
            "indicators": [{ "value": "192.0.2.66", "type": "ipv4-addr" }],
        });
    }
    &mut firewall["_feed"]
}

fn indicators(feed: &mut Value) -> Vec<Value> {
    feed["indicators"].take().as_array().cloned().unwrap_or_default()
}

/// The result and the response of a request.
type Outcome = (&'static str, Value);

/// Starts the transaction of a request that `run` applies to the feed.
fn request(context: &Context<'_>, run: impl FnOnce(&mut Value) -> Outcome) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let mut state = context.state();
    let state: &mut AccountState = &mut state;
    let firewall = state.find(context.central, &FIREWALLS, id).ok_or_else(|| FIREWALLS.not_found())?;
    let (result, response) = if firewall["status"]["connected"] == true {
        run(feed(firewall))
    } else {
        ("notAvailable", Value::Null)
    };
    let firewall = firewall.clone();
    let new = New { firewall: Some(&firewall), result, response };
    let transaction = transactions::start(context, state, new)?;
    Ok(transactions::accepted(context, &transaction))
}

/// Requests the settings.
pub(super) fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    request(context, |feed| ("success", settings(feed)))
}

fn settings(feed: &Value) -> Value {
    let mut settings = json!({ "enabled": feed["enabled"], "action": feed["action"] });
    if !feed["lastUpdatedAt"].is_null() {
        settings["lastUpdatedAt"] = feed["lastUpdatedAt"].clone();
    }
    settings
}

/// Changes the settings.
pub(super) fn set(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(SETTINGS, &context.call.json()?, false)?;
    let now = time::format_millis(context.central.clock.now_ms());
    request(context, |feed| {
        for name in ["enabled", "action"] {
            if !body[name].is_null() {
                feed[name] = body[name].clone();
            }
        }
        feed["lastUpdatedAt"] = json!(now);
        ("success", settings(feed))
    })
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let name = text.strip_prefix("*.").unwrap_or(text);
    name.len() <= 253 && name.contains('.') && name.split('.').all(is_label)
}

/// Whether a firewall accepts an indicator.
fn is_valid(indicator: &Value) -> bool {
    let value = indicator["value"].as_str().unwrap_or_default();
    match indicator["type"].as_str() {
        Some("ipv4-addr") => {
            let (address, prefix) = value.split_once('/').unwrap_or((value, "32"));
            address.parse::<Ipv4Addr>().is_ok() && prefix.parse::<u8>().is_ok_and(|prefix| prefix <= 32)
        }
        Some("domain-name") => is_domain(value) && value.parse::<Ipv4Addr>().is_err(),
        _ => {
            let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
            let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
            is_domain(host) && !value.contains(char::is_whitespace)
        }
    }
}

fn given(context: &Context<'_>) -> Result<Vec<Value>, ApiError> {
    let body = member::accept(INDICATORS, &context.call.json()?, false)?;
    let list = body["indicators"].as_array().cloned().unwrap_or_default();
    if list.is_empty() {
        return Err(invalid_parameter("indicators"));
    }
    let declared = |one: &Value| json!({ "value": one["value"], "type": one["type"] });
    Ok(list.iter().map(declared).collect())
}

/// Adds indicators; the outcome lists the invalid ones.
pub(super) fn create(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let given = given(context)?;
    request(context, |feed| {
        let (valid, invalid): (Vec<Value>, Vec<Value>) = given.into_iter().partition(is_valid);
        let mut all = indicators(feed);
        for indicator in &valid {
            if !all.contains(indicator) {
                all.push(indicator.clone());
            }
        }
        feed["indicators"] = json!(all);
        let result = match (valid.is_empty(), invalid.is_empty()) {
            (_, true) => "success",
            (true, false) => "error",
            (false, false) => "partialSuccess",
        };
        let mut response = json!({ "items": valid });
        if !invalid.is_empty() {
            response["errors"] = json!({ "invalidMDRIndicators": { "items": invalid } });
        }
        (result, response)
    })
}

/// Deletes indicators; unknown ones do not matter.
pub(super) fn delete(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let given = given(context)?;
    request(context, |feed| {
        let mut all = indicators(feed);
        all.retain(|indicator| !given.contains(indicator));
        feed["indicators"] = json!(all);
        ("success", json!({ "items": given }))
    })
}

/// Deletes all indicators.
pub(super) fn delete_all(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    request(context, |feed| {
        feed["indicators"] = json!([]);
        ("success", json!({}))
    })
}

/// Requests those of some values that are indicators.
pub(super) fn search(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(VALUES, &context.call.json()?, false)?;
    let values = body["indicatorValues"].as_array().cloned().unwrap_or_default();
    if values.is_empty() {
        return Err(invalid_parameter("indicatorValues"));
    }
    request(context, |feed| {
        let all = feed["indicators"].as_array().into_iter().flatten();
        let found: Vec<&Value> = all.filter(|indicator| values.contains(&indicator["value"])).collect();
        ("success", json!({ "items": found }))
    })
}
