//! `/common/v1/alerts`: list, search, get and actions.

use serde_json::json;

use crate::call::Context;
use crate::data::alerts::{attributes, write_common};
use crate::data::tenant::Tenant;
use crate::handlers::alert_query::{AlertQuery, page_key};
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};
use crate::served::Dataset;
use crate::time;

const DAY_MS: i64 = 86_400_000;

pub(crate) fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let maximum = context.central.config.alerts.max_page_size;
    page(context, &AlertQuery::parse(&context.call.query, maximum)?)
}

pub(crate) fn search(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let maximum = context.central.config.alerts.max_page_size;
    let body = context.call.json()?;
    page(context, &AlertQuery::parse_body(&body, maximum)?)
}

/// The indexes of the alerts that are still readable.
fn retained_range(context: &Context<'_>, tenant: &Tenant) -> std::ops::Range<u64> {
    let now = context.central.clock.now_ms();
    let days = i64::try_from(context.central.config.alerts.days).unwrap_or(90);
    let oldest = now.saturating_sub(days.saturating_mul(DAY_MS));
    tenant.alerts.range(oldest, now + 1)
}

fn page(context: &Context<'_>, query: &AlertQuery) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let mut within = retained_range(context, tenant);
    let requested = tenant.alerts.range(query.from.unwrap_or(i64::MIN), query.to.unwrap_or(i64::MAX));
    within = within.start.max(requested.start)..within.end.min(requested.end);
    let listed: Option<Vec<u64>> = (!query.ids.is_empty()).then(|| {
        let ids = tenant.ids(Dataset::Alerts);
        let mut found: Vec<u64> = query.ids.iter().filter_map(|id| ids.index(*id)).collect();
        found.sort_unstable();
        found.dedup();
        found
    });
    let picky = query.has_attribute_filters();
    let admits = |index: &u64| {
        listed.as_ref().is_none_or(|l| l.binary_search(index).is_ok())
            && (!picky || query.matches(&attributes(tenant, *index)))
    };
    let all = || -> Box<dyn Iterator<Item = u64>> {
        if query.descending {
            Box::new(within.clone().rev().filter(admits))
        } else {
            Box::new(within.clone().filter(admits))
        }
    };
    let mut rest: Box<dyn Iterator<Item = u64>> = match (query.from_key, query.descending) {
        (None, _) => all(),
        (Some(k), false) => Box::new((within.start.max(k)..within.end).filter(admits)),
        (Some(k), true) => {
            let end = within.end.min(k.saturating_add(1));
            Box::new((within.start..end).rev().filter(admits))
        }
    };
    let size = query.page_size as usize;
    let indexes: Vec<u64> = rest.by_ref().take(size).collect();
    let next = rest.next();
    let fields: Vec<&str> = query.fields.iter().map(String::as_str).collect();
    let mut body = Vec::with_capacity(indexes.len() * 700 + 200);
    body.extend_from_slice(b"{\"items\":[");
    for (at, index) in indexes.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        write_common(tenant, *index, &fields, &mut body);
    }
    let mut pages = json!({
        "size": context.central.page_size(query.page_size, indexes.len()),
        "maxSize": context.central.config.alerts.max_page_size,
    });
    if let Some(k) = query.from_key {
        pages["fromKey"] = json!(page_key(k));
    }
    if let Some(next) = next {
        pages["nextKey"] = json!(page_key(next));
    }
    if query.total {
        let items = all().count() as u64;
        pages["items"] = json!(items);
        pages["total"] = json!(items.div_ceil(query.page_size));
    }
    body.extend_from_slice(b"],\"pages\":");
    body.extend_from_slice(pages.to_string().as_bytes());
    body.push(b'}');
    Ok(ApiResponse {
        served: Some((Dataset::CommonAlerts, tenant.number, indexes)),
        ..ApiResponse::bytes(200, body)
    })
}

fn find_alert(context: &Context<'_>) -> Result<(u64, u128), ApiError> {
    let tenant = context.tenant()?;
    let id = context.id()?;
    tenant
        .ids(Dataset::Alerts)
        .index(id)
        .filter(|index| retained_range(context, tenant).contains(index))
        .map(|index| (index, id))
        .ok_or_else(|| ApiError::not_found("Alert not found"))
}

pub(crate) fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let (index, _) = find_alert(context)?;
    let mut body = Vec::with_capacity(800);
    let fields = context.call.query.list("fields");
    write_common(context.tenant()?, index, &fields, &mut body);
    Ok(ApiResponse::bytes(200, body))
}

pub(crate) fn perform_action(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let (index, id) = find_alert(context)?;
    let body = context.call.json()?;
    let action = body["action"].as_str().unwrap_or_default();
    let allowed = attributes(context.tenant()?, index).kind.actions;
    if !allowed.contains(&action) {
        return Err(ApiError::bad_request("Action is not allowed for this alert"));
    }
    let now = context.central.clock.now_ms();
    Ok(ApiResponse::json(
        201,
        &json!({
            "id": uuid_text(context.central.new_rng().uuid()),
            "alertId": uuid_text(id),
            "action": action,
            "status": "requested",
            "result": "success",
            "requestedAt": time::format_millis(now),
        }),
    ))
}
