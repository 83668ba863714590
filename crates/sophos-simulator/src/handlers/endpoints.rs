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

/// Sorts by the first criterion, then by the following ones.
fn sort(all: &mut [Seen], criteria: &[&str]) -> Result<(), Refusal> {
    for criterion in criteria.iter().rev() {
        let (field, direction) = criterion.split_once(':').unwrap_or((criterion, "asc"));
        match field {
            "hostname" => all.sort_by_cached_key(|s| s.endpoint.name.hostname.to_lowercase()),
            "lastSeenAt" => all.sort_by_key(|s| s.last_seen_ms),
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
    let mut all: Vec<Seen> =
        (0..tenant.endpoints()).map(|index| context.central.endpoint(tenant, index)).collect();
    sort(&mut all, &query.list("sort"))?;
    let from = query.get("pageFromKey");
    let skip = match from {
        None => 0,
        Some(text) => {
            let id = read_key(text).ok_or_else(|| wrong("pageFromKey"))?;
            let at = all.iter().position(|s| s.endpoint.name.id == id);
            at.ok_or_else(|| wrong("pageFromKey"))? + 1
        }
    };
    let total = with_total.then(|| all.iter().filter(|s| filter.admits(s)).count() as u64);
    let mut rest = all[skip..].iter().filter(|s| filter.admits(s));
    let page: Vec<&Seen> = rest.by_ref().take(size as usize).collect();
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
