//! Isolation of one endpoint and of several.

use serde_json::{Value, json};

use crate::answer::{Answer, Refusal};
use crate::call::{Context, wrong};
use crate::data::endpoint::Endpoint;
use crate::data::tenant::Tenant;
use crate::faults::FaultAction;
use crate::fleet::{Conflict, EndpointKey, Isolation, Wish};
use crate::hash::{parse_uuid, uuid_text};
use crate::time;

const MOST_AT_ONCE: usize = 50;
const LONGEST_COMMENT: usize = 400;

fn write(isolation: &Isolation, salt: u64) -> Value {
    let mut body = json!({ "enabled": isolation.enabled });
    let zone = if salt.is_multiple_of(2) { "GMT" } else { "UTC" };
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    let at = |ms: &Option<i64>| ms.map(|ms| json!(time::dotted(ms, zone)));
    let by = |who: &Option<String>| who.as_ref().map(|id| json!({ "id": id }));
    put("lastEnabledAt", at(&isolation.enabled_at));
    put("lastEnabledBy", by(&isolation.enabled_by));
    put("lastDisabledAt", at(&isolation.disabled_at));
    put("lastDisabledBy", by(&isolation.disabled_by));
    put("comment", isolation.comment.as_ref().map(|c| json!(c)));
    body
}

/// The state of one endpoint, as the service writes it.
fn state(context: &Context<'_>, tenant: &Tenant, index: u64) -> Value {
    let seen = context.central.endpoint(tenant, index);
    write(&seen.isolation, seen.endpoint.salt)
}

fn one(context: &Context<'_>) -> Result<(u64, bool), Refusal> {
    let tenant = context.tenant()?;
    let id = context.id()?;
    let index = tenant.endpoint_index(id).ok_or_else(|| Refusal::not_found("No endpoint found."))?;
    Ok((index, Endpoint::new(tenant, index).online))
}

fn wish<'b>(body: &'b Value, by: &'b str, operation: &'static str) -> Result<Wish<'b>, Refusal> {
    let enabled = body["enabled"].as_bool().ok_or_else(|| wrong("enabled"))?;
    let comment = match &body["comment"] {
        Value::Null => None,
        Value::String(text) if text.chars().count() <= LONGEST_COMMENT => Some(text.as_str()),
        _ => return Err(wrong("comment")),
    };
    Ok(Wish { enabled, comment, by, operation })
}

fn refuse(conflict: Conflict) -> Refusal {
    match conflict {
        Conflict::InProgress => {
            Refusal::new(409, "conflict", "Isolation or removal from isolation in progress.")
        }
        Conflict::AlreadySo => Refusal::bad_request("Invalid request"),
    }
}

pub(crate) fn get(context: &Context<'_>) -> Result<Answer, Refusal> {
    let (index, _) = one(context)?;
    Ok(Answer::json(200, &state(context, context.tenant()?, index)))
}

pub(crate) fn set(context: &Context<'_>) -> Result<Answer, Refusal> {
    let tenant = context.tenant()?;
    let (index, online) = one(context)?;
    let body = context.call.json()?;
    let wish = wish(&body, &context.who()?.client_id, "isolation.set")?;
    let now = context.central.clock.now_ms();
    context.central.fleet.ask(&[((tenant.number, index), online)], &wish, true, now).map_err(refuse)?;
    Ok(Answer::json(200, &state(context, tenant, index)))
}

pub(crate) fn bulk(context: &Context<'_>) -> Result<Answer, Refusal> {
    let tenant = context.tenant()?;
    let body = context.call.json()?;
    let wish = wish(&body, &context.who()?.client_id, "isolation.bulk")?;
    let ids = body["ids"].as_array().ok_or_else(|| wrong("ids"))?;
    if !(1..=MOST_AT_ONCE).contains(&ids.len()) {
        return Err(wrong("ids"));
    }
    let ids: Option<Vec<u128>> = ids.iter().map(|id| parse_uuid(id.as_str()?)).collect();
    let ids = ids.ok_or_else(|| wrong("ids"))?;
    let mut known: Vec<(EndpointKey, bool)> = Vec::new();
    for id in ids {
        if let Some(index) = tenant.endpoint_index(id)
            && known.iter().all(|((_, i), _)| *i != index)
        {
            let online = Endpoint::new(tenant, index).online;
            known.push(((tenant.number, index), online));
        }
    }
    if known.is_empty() {
        return Err(Refusal::not_found("No endpoints found."));
    }
    if let Some(FaultAction::LeaveOut { endpoint }) = context.fault {
        leave_out(tenant, &mut known, endpoint.as_deref());
    }
    let now = context.central.clock.now_ms();
    let fleet = &context.central.fleet;
    fleet.ask(&known, &wish, false, now).map_err(refuse)?;
    let mut items: Vec<Value> = known
        .iter()
        .map(|((_, index), _)| {
            json!({
                "id": uuid_text(tenant.endpoint_id(*index)),
                "isolation": state(context, tenant, *index),
            })
        })
        .collect();
    if let Some(FaultAction::ForeignId { endpoint }) = context.fault {
        let id = endpoint.clone().unwrap_or_else(|| uuid_text(context.central.draw().uuid()));
        items.push(json!({ "id": id, "isolation": { "enabled": wish.enabled } }));
    }
    Ok(Answer::json(202, &json!({ "items": items })))
}

fn leave_out(tenant: &Tenant, known: &mut Vec<(EndpointKey, bool)>, endpoint: Option<&str>) {
    match endpoint {
        None => {
            known.pop();
        }
        Some(id) => {
            let index = parse_uuid(id).and_then(|id| tenant.endpoint_index(id));
            known.retain(|((_, known), _)| Some(*known) != index);
        }
    }
}
