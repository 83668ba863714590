//! `GET /endpoint/v1/endpoints`, for the list and for one endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::data::endpoint_json::{EndpointSnapshot, View};
use crate::handlers::endpoint_filter::Filter;
use crate::hash::{parse_uuid, uuid_text};
use crate::response::{ApiError, ApiResponse};

const MAX_PAGE_SIZE: u64 = 500;

fn parse_view(context: &Context<'_>) -> Result<View, ApiError> {
    match context.call.query.get("view") {
        None => Ok(View::Summary),
        Some(name) => View::parse(name).ok_or_else(|| invalid_parameter("view")),
    }
}

/// The page key of the previous page's last endpoint.
fn encode_page_key(id: u128) -> String {
    STANDARD.encode(json!([uuid_text(id)]).to_string())
}

fn parse_page_key(text: &str) -> Option<u128> {
    let bytes = STANDARD.decode(text).ok()?;
    let ids: Vec<String> = serde_json::from_slice(&bytes).ok()?;
    parse_uuid(ids.first()?)
}

/// The indexes of all endpoints in the order of these criteria.
fn sorted_indexes(
    mut numbers: Vec<u64>,
    criteria: &[&str],
    endpoint: impl Fn(&u64) -> EndpointSnapshot,
) -> Result<Vec<u64>, ApiError> {
    if !criteria.is_empty() {
        let mut all: Vec<(u64, EndpointSnapshot)> =
            numbers.iter().map(|number| (*number, endpoint(number))).collect();
        sort(&mut all, criteria)?;
        numbers = all.into_iter().map(|(number, _)| number).collect();
    }
    Ok(numbers)
}

/// Sorts by the first criterion, then by the following ones.
fn sort(all: &mut [(u64, EndpointSnapshot)], criteria: &[&str]) -> Result<(), ApiError> {
    for criterion in criteria.iter().rev() {
        let (field, direction) = criterion.split_once(':').unwrap_or((criterion, "asc"));
        match field {
            "hostname" => all.sort_by_cached_key(|(_, s)| s.endpoint.identity.hostname.to_lowercase()),
            "lastSeenAt" => all.sort_by_key(|(_, s)| s.last_seen_ms),
            _ => return Err(invalid_parameter("sort")),
        }
        match direction {
            "asc" => {}
            "desc" => all.reverse(),
            _ => return Err(invalid_parameter("sort")),
        }
    }
    Ok(())
}

pub(crate) fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    list_indexes(context, context.central.endpoint_indexes(tenant).collect())
}

/// The page of the request from the endpoints with these indexes.
pub(crate) fn list_indexes(context: &Context<'_>, indexes: Vec<u64>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let query = &context.call.query;
    let size = query.page_size(MAX_PAGE_SIZE)?;
    let with_total = query.boolean("pageTotal")?.unwrap_or(false);
    let view = parse_view(context)?;
    let fields = query.list("fields");
    let filter = Filter::parse(query, context.central.clock.now_ms())?;
    let endpoint = |index: &u64| context.central.endpoint(tenant, *index);
    let all = sorted_indexes(indexes, &query.list("sort"), endpoint)?;
    let from = query.get("pageFromKey");
    let skip = match from {
        None => 0,
        Some(text) => {
            let id = parse_page_key(text).ok_or_else(|| invalid_parameter("pageFromKey"))?;
            let known = tenant.endpoint_index(id).ok_or_else(|| invalid_parameter("pageFromKey"))?;
            match all.iter().position(|index| *index == known) {
                Some(at) => at + 1,
                // The endpoint was deleted since.
                None => all.iter().filter(|index| **index < known).count(),
            }
        }
    };
    // Endpoints are generated on demand, so a page of a large estate generates few.
    let (all, filter) = (&all, &filter);
    let admitted = |from: usize| all[from..].iter().map(endpoint).filter(|s| filter.matches(s));
    let total = with_total.then(|| admitted(0).count() as u64);
    let mut rest = admitted(skip);
    let page: Vec<EndpointSnapshot> = rest.by_ref().take(size as usize).collect();
    let more = rest.next().is_some();
    let items: Vec<Value> = page.iter().map(|s| s.to_json(tenant, view, &fields)).collect();
    let mut pages = json!({
        "size": context.central.page_size(size, items.len()),
        "maxSize": MAX_PAGE_SIZE,
    });
    if let Some(text) = from {
        pages["fromKey"] = json!(text);
    }
    if more && let Some(last) = page.last() {
        pages["nextKey"] = json!(encode_page_key(last.endpoint.identity.id));
    }
    if let Some(items) = total {
        pages["items"] = json!(items);
        pages["total"] = json!(items.div_ceil(size));
    }
    Ok(ApiResponse::json(200, &json!({ "items": items, "pages": pages })))
}

pub(crate) fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let id = context.id()?;
    let view = parse_view(context)?;
    let index =
        context.central.find_endpoint(tenant, id).ok_or_else(|| ApiError::not_found("Endpoint not found"))?;
    let fields = context.call.query.list("fields");
    let seen = context.central.endpoint(tenant, index);
    Ok(ApiResponse::json(200, &seen.to_json(tenant, view, &fields)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_key_round_trips() {
        assert_eq!(parse_page_key(&encode_page_key(77)), Some(77));
        assert_eq!(parse_page_key("W10="), None);
        assert_eq!(parse_page_key("?"), None);
    }
}
