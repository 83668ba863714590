//! The operations of collections.

use serde_json::{Value, json};

use crate::call::Context;
use crate::engine::collection::IdKind;
use crate::engine::{AccountState, Change, Collection, Verb, filter, member};
use crate::hash::{parse_uuid, uuid_text};
use crate::response::{ApiError, ApiResponse};
use crate::time;

/// Handles an operation of a collection.
pub(crate) fn handle(
    context: &Context<'_>,
    verb: Verb,
    collection: &'static Collection,
) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let body = match verb {
        Verb::List => list(context, &mut state, collection)?,
        Verb::Create => create(context, &mut state, collection)?,
        Verb::Get => {
            let id = record_id(context, collection)?;
            let records = records(context, &mut state, collection)?;
            let found =
                records.iter().find(|record| collection.is_singleton || collection.has_id(record, &id));
            let record = found.cloned().ok_or_else(|| collection.not_found())?;
            show(context, collection, record)
        }
        Verb::Update | Verb::Replace => update(context, &mut state, collection, verb)?,
        Verb::Delete => delete(context, &mut state, collection)?,
    };
    Ok(ApiResponse::json(context.success, &body))
}

/// The id of the record in the path.
pub(crate) fn record_id(context: &Context<'_>, collection: &Collection) -> Result<String, ApiError> {
    if collection.is_singleton {
        return Ok(String::new());
    }
    let at = usize::from(collection.parent.is_some());
    let text = context.params.get(at).copied().unwrap_or_default();
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_valid = match collection.id_kind {
        IdKind::Uuid => parse_uuid(text).is_some(),
        IdKind::Pair => text.split_once('-').is_some_and(|(a, b)| is_part(a) && is_part(b)),
        IdKind::Text => true,
    };
    if !is_valid {
        return Err(ApiError::bad_request("Invalid request"));
    }
    Ok(text.to_owned())
}

/// The records of a collection, inside the parent that the path names if it has one.
pub(crate) fn records<'s>(
    context: &Context<'_>,
    state: &'s mut AccountState,
    collection: &'static Collection,
) -> Result<&'s mut Vec<Value>, ApiError> {
    let Some(parent) = collection.parent else { return Ok(state.records(context.central, collection)) };
    let id = record_id(context, parent.collection)?;
    let found = state.find(context.central, parent.collection, &id);
    let record = found.ok_or_else(|| parent.collection.not_found())?;
    if !record[parent.member].is_array() {
        record[parent.member] = json!([]);
    }
    record[parent.member].as_array_mut().ok_or_else(|| parent.collection.not_found())
}

/// A record as a response shows it.
pub(crate) fn show(context: &Context<'_>, collection: &Collection, mut record: Value) -> Value {
    if let Some(job) = &collection.job {
        job.update(&mut record, context.central.clock.now_ms());
    }
    (collection.view)(context, &mut record);
    hide(&mut record);
    filter::project(&context.call.query, &mut record, collection.id_member);
    record
}

/// Removes members whose names start with `_`.
pub(crate) fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.starts_with('_'));
            members.values_mut().for_each(hide);
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

/// Sets members to null that a record lacks, where the service serves each key.
pub(crate) fn null_where_absent(record: &mut Value, members: &[&str]) {
    for member in members {
        record[*member] = record[*member].take();
    }
}

/// The page of the records that pass the query.
pub(crate) fn list_records(
    context: &Context<'_>,
    collection: &'static Collection,
    mut records: Vec<Value>,
) -> Result<Value, ApiError> {
    let now = context.central.clock.now_ms();
    for record in &mut records {
        if let Some(job) = &collection.job {
            job.update(record, now);
        }
        (collection.view)(context, record);
    }
    let id = collection.id_member;
    let query = &context.call.query;
    let kept = filter::select(query, records, collection.filters, collection.searched, id, now)?;
    let mut body = collection.paging.body(context, kept, |record| filter::scalar_text(&record[id]))?;
    let is_full = query.get("view") == Some("full");
    for item in body["items"].as_array_mut().into_iter().flatten() {
        if let Some(members) = item.as_object_mut().filter(|_| !is_full) {
            members.retain(|name, _| !collection.detail.contains(&name.as_str()));
        }
        hide(item);
        filter::project(query, item, id);
    }
    Ok(body)
}

fn list(
    context: &Context<'_>,
    state: &mut AccountState,
    collection: &'static Collection,
) -> Result<Value, ApiError> {
    let records = records(context, state, collection)?.clone();
    list_records(context, collection, records)
}

fn check_unique(
    collection: &Collection,
    records: &[Value],
    record: &Value,
    own_id: Option<&str>,
) -> Result<(), ApiError> {
    let others = records.iter().filter(|other| own_id.is_none_or(|id| !collection.has_id(other, id)));
    let text = |record: &Value, path| {
        filter::values_at(record, path).first().map(|value| filter::scalar_text(value).to_lowercase())
    };
    let same = |other: &Value| {
        collection
            .unique
            .iter()
            .any(|path| text(record, path).is_some_and(|new| text(other, path) == Some(new)))
    };
    if others.into_iter().any(same) {
        return Err(ApiError::new(409, "conflict", collection.conflict));
    }
    Ok(())
}

fn create(
    context: &Context<'_>,
    state: &mut AccountState,
    collection: &'static Collection,
) -> Result<Value, ApiError> {
    let body = context.call.json()?;
    let record = add(context, state, collection, member::accept(collection.members, &body, false)?)?;
    Ok(show(context, collection, record))
}

/// Adds a record: checks it, gives it an id and times, and starts its run.
pub(crate) fn add(
    context: &Context<'_>,
    state: &mut AccountState,
    collection: &'static Collection,
    record: Value,
) -> Result<Value, ApiError> {
    let existing = records(context, state, collection)?;
    if let Some((max, status, message)) = collection.max
        && existing.len() >= max
    {
        return Err(ApiError::new(status, "maximumReached", message));
    }
    check_unique(collection, existing, &record, None)?;
    let mut change = Change { context, state, record, before: None };
    let now = context.central.clock.now_ms();
    if change.record[collection.id_member].is_null() {
        change.record[collection.id_member] = json!(uuid_text(context.central.new_rng().uuid()));
    }
    if collection.has_times {
        change.record["createdAt"] = json!(time::format_millis(now));
        change.record["updatedAt"] = json!(time::format_millis(now));
    }
    if let Some(tenant) = context.scoped_tenant().filter(|_| collection.has_tenant) {
        change.record["tenant"] = json!({ "id": tenant.id_text });
    }
    if let Some(job) = &collection.job {
        job.start(&mut change.record, now);
    }
    (collection.on_create)(&mut change)?;
    let record = change.record;
    records(context, state, collection)?.push(record.clone());
    context.name_object(&record);
    Ok(record)
}

fn update(
    context: &Context<'_>,
    state: &mut AccountState,
    collection: &'static Collection,
    verb: Verb,
) -> Result<Value, ApiError> {
    let id = record_id(context, collection)?;
    let all = records(context, state, collection)?;
    let is_it = |record: &Value| collection.is_singleton || collection.has_id(record, &id);
    let before = all.iter().find(|record| is_it(record)).cloned().ok_or_else(|| collection.not_found())?;
    let body = member::accept(collection.members, &context.call.json()?, verb == Verb::Update)?;
    let mut record = before.clone();
    if verb == Verb::Replace {
        for member in collection.members {
            if let Some(members) = record.as_object_mut() {
                members.remove(member.name);
            }
        }
    }
    merge(&mut record, body);
    check_unique(collection, all, &record, (!collection.is_singleton).then_some(id.as_str()))?;
    if collection.has_times {
        record["updatedAt"] = json!(time::format_millis(context.central.clock.now_ms()));
    }
    let mut change = Change { context, state, record, before: Some(before) };
    (collection.on_update)(&mut change)?;
    let record = change.record;
    context.name_object(&record);
    let all = records(context, state, collection)?;
    if let Some(place) = all.iter_mut().find(|record| is_it(record)) {
        *place = record.clone();
    }
    Ok(show(context, collection, record))
}

/// Merges `changes` into a value, object by object; null removes a member.
pub(crate) fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(members), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    members.remove(&name);
                } else {
                    merge(members.entry(name).or_insert(Value::Null), change);
                }
            }
        }
        (into, changes) => *into = changes,
    }
}

fn delete(
    context: &Context<'_>,
    state: &mut AccountState,
    collection: &'static Collection,
) -> Result<Value, ApiError> {
    let id = record_id(context, collection)?;
    let all = records(context, state, collection)?;
    let Some(at) = all.iter().position(|record| collection.has_id(record, &id)) else {
        return if collection.may_delete_unknown {
            Ok(json!({ "deleted": false }))
        } else {
            Err(collection.not_found())
        };
    };
    let record = all[at].clone();
    context.name_object(&record);
    (collection.on_delete)(&mut Change { context, state, record, before: None })?;
    records(context, state, collection)?.retain(|record| !collection.has_id(record, &id));
    Ok(json!({ "deleted": true }))
}
