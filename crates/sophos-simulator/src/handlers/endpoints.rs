//! `GET /endpoint/v1/endpoints` and one of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::{Answer, Refusal};
use crate::call::{Context, wrong};
use crate::data::endpoint_json::{Seen, View};
use crate::handlers::endpoint_filter::Filter;
use crate::hash::{parse_uuid, uuid_text};

const LARGEST_PAGE: u64 = 500;

fn view(context: &Context<'_>) -> Result<View, Refusal> {
    match context.call.query.get("view") {
        None => Ok(View::Summary),
        Some(name) => View::named(name).ok_or_else(|| wrong("view")),
    }
}

/// A key names the last endpoint of the page before.
fn key(id: u128) -> String {
    STANDARD.encode(json!([uuid_text(id)]).to_string())
}

fn read_key(text: &str) -> Option<u128> {
    let bytes = STANDARD.decode(text).ok()?;
    let ids: Vec<String> = serde_json::from_slice(&bytes).ok()?;
    parse_uuid(ids.first()?)
}

/// The numbers of all endpoints in the order of these criteria.
fn order(count: u64, criteria: &[&str], endpoint: impl Fn(&u64) -> Seen) -> Result<Vec<u64>, Refusal> {
    let mut numbers: Vec<u64> = (0..count).collect();
    if !criteria.is_empty() {
        let mut all: Vec<(u64, Seen)> = numbers.iter().map(|number| (*number, endpoint(number))).collect();
        sort(&mut all, criteria)?;
        numbers = all.into_iter().map(|(number, _)| number).collect();
    }
    Ok(numbers)
}

/// Sorts by the first criterion, then by the following ones.
fn sort(all: &mut [(u64, Seen)], criteria: &[&str]) -> Result<(), Refusal> {
    for criterion in criteria.iter().rev() {
        let (field, direction) = criterion.split_once(':').unwrap_or((criterion, "asc"));
        match field {
            "hostname" => all.sort_by_cached_key(|(_, s)| s.endpoint.name.hostname.to_lowercase()),
            "lastSeenAt" => all.sort_by_key(|(_, s)| s.last_seen_ms),
            _ => return Err(wrong("sort")),
        }
        match direction {
            "asc" => {}
            "desc" => all.reverse(),
            _ => return Err(wrong("sort")),
        }
    }
    Ok(())
}

pub(crate) fn list(context: &Context<'_>) -> Result<Answer, Refusal> {
    let tenant = context.tenant()?;
    let query = &context.call.query;
    let size = query.page_size(LARGEST_PAGE)?;
    let with_total = query.flag("pageTotal")?.unwrap_or(false);
    let view = view(context)?;
    let fields = query.list("fields");
    let filter = Filter::read(query, context.central.clock.now_ms())?;
    let endpoint = |index: &u64| context.central.endpoint(tenant, *index);
    let all = order(tenant.endpoints(), &query.list("sort"), endpoint)?;
    let from = query.get("pageFromKey");
    let skip = match from {
        None => 0,
        Some(text) => {
            let id = read_key(text).ok_or_else(|| wrong("pageFromKey"))?;
            let at = all.iter().position(|index| tenant.endpoint_id(*index) == id);
            at.ok_or_else(|| wrong("pageFromKey"))? + 1
        }
    };
    // Endpoints are made when they are looked at: a page of a large estate is made of few.
    let (all, filter) = (&all, &filter);
    let admitted = |from: usize| all[from..].iter().map(endpoint).filter(|s| filter.admits(s));
    let total = with_total.then(|| admitted(0).count() as u64);
    let mut rest = admitted(skip);
    let page: Vec<Seen> = rest.by_ref().take(size as usize).collect();
    let more = rest.next().is_some();
    let items: Vec<Value> = page.iter().map(|s| s.json(tenant, view, &fields)).collect();
    let mut pages = json!({
        "size": context.central.page_size(size, items.len()),
        "maxSize": LARGEST_PAGE,
    });
    if let Some(text) = from {
        pages["fromKey"] = json!(text);
    }
    if more && let Some(last) = page.last() {
        pages["nextKey"] = json!(key(last.endpoint.name.id));
    }
    if let Some(items) = total {
        pages["items"] = json!(items);
        pages["total"] = json!(items.div_ceil(size));
    }
    Ok(Answer::json(200, &json!({ "items": items, "pages": pages })))
}

pub(crate) fn get(context: &Context<'_>) -> Result<Answer, Refusal> {
    let tenant = context.tenant()?;
    let id = context.id()?;
    let view = view(context)?;
    let index = tenant.endpoint_index(id).ok_or_else(|| Refusal::not_found("Endpoint not found"))?;
    let fields = context.call.query.list("fields");
    let seen = context.central.endpoint(tenant, index);
    Ok(Answer::json(200, &seen.json(tenant, view, &fields)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back() {
        assert_eq!(read_key(&key(77)), Some(77));
        assert_eq!(read_key("W10="), None);
        assert_eq!(read_key("?"), None);
    }
}
