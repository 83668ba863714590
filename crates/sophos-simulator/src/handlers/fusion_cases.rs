//! Cases of Sophos Fusion: `cases`, `case`, `createCase`, `updateCase` and the reference data.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::data::tenant::Tenant;
use crate::handlers::fusion::{FieldCall, FieldError};
use crate::handlers::fusion_evidence::{evidence_from_argument, processing_status};
use crate::handlers::fusion_query::{ObjectQuery, compare};
use crate::handlers::fusion_seed::{find_reference, new_case, reference_data};
use crate::handlers::fusion_state::{CaseObject, EvidenceKind};
use crate::time;

const MAX_PAGE_SIZE: u64 = 100;

/// The fields of queries, which name types, statuses and verdicts by id.
const QUERY_FIELDS: &[&str] = &[
    "id",
    "shortId",
    "title",
    "severity",
    "riskScore",
    "tags",
    "assigneeId",
    "createdAt",
    "updatedAt",
    "closedAt",
    "closeReason",
    "archivedAt",
    "managedBy",
    "typeId",
    "primaryStatusId",
    "primaryVerdictId",
];

/// The members of an input that refer to the reference data, the list, and the member of the case.
const REFERENCES: &[(&str, &str, &str)] = &[
    ("typeId", "types", "type"),
    ("primaryStatusId", "primaryStatuses", "primaryStatus"),
    ("secondaryStatusId", "secondaryStatuses", "secondaryStatus"),
    ("primaryVerdictId", "primaryVerdicts", "primaryVerdict"),
    ("secondaryVerdictId", "secondaryVerdicts", "secondaryVerdict"),
    ("sourceId", "sources", "source"),
];

/// The members of an input that are members of the case, too.
const PLAIN: &[&str] = &[
    "title",
    "severity",
    "tags",
    "keyFindings",
    "secondaryStatusReason",
    "assigneeId",
    "managedBy",
    "incidentAdvisorId",
    "queue",
    "closeReason",
];

/// A list of the reference data, empty for a tenant that has not moved.
pub(crate) fn reference_list(call: &FieldCall<'_>, list: &str) -> Value {
    let mut items = call.moved_tenant().map(|tenant| reference_data(tenant, list)).unwrap_or_default();
    if call.argument["includeAutomationStatuses"] != true {
        items.retain(|item| item["automationOnly"] != true);
    }
    json!({ list: items })
}

/// A case as the service returns it now.
pub(crate) fn to_json(case: &CaseObject, now: i64) -> Value {
    let mut value = case.value.clone();
    value["processingStatus"] = processing_status(case, now);
    for (member, kind) in [
        ("detectionsCount", EvidenceKind::Detections),
        ("eventsCount", EvidenceKind::Events),
        ("assetsCount", EvidenceKind::Assets),
    ] {
        value[member] = case.visible(kind, now).count().into();
    }
    value
}

fn query_member(case: &Value, name: &str) -> Value {
    match name.strip_suffix("Id").filter(|member| case[*member].is_object() || name == "primaryVerdictId") {
        Some(member) => case[member]["id"].clone(),
        None => case[name].clone(),
    }
}

pub(crate) fn list(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let query = ObjectQuery::parse(call.text("query").unwrap_or_default(), QUERY_FIELDS)
        .map_err(|what| FieldError::bad_request(format!("invalid query: {what}")))?;
    let mut cases: Vec<Value> = match call.moved_tenant() {
        Some(tenant) => call.central.fusion.with(tenant, |objects| {
            let all = objects.cases.iter().map(|case| to_json(case, call.now));
            all.filter(|case| query.matches(&|name| query_member(case, name))).collect()
        }),
        None => Vec::new(),
    };
    let (field, descending) = query.sort.clone().unwrap_or_else(|| ("createdAt".to_owned(), true));
    cases.sort_by(|left, right| {
        let order = compare(&query_member(left, &field), &query_member(right, &field));
        let order = order.unwrap_or(Ordering::Equal);
        if descending { order.reverse() } else { order }
    });
    // The whole key findings come with a single case alone.
    for case in &mut cases {
        case["keyFindings"] = Value::Null;
    }
    let range = page_range(&call.argument["pagination"], &cases)?;
    let cursor =
        |case: Option<&Value>| case.map(|case| format!("cursor-{}", case["id"].as_str().unwrap_or_default()));
    let page = &cases[range.clone()];
    Ok(json!({
        "totalCount": cases.len(),
        "pageInfo": {
            "startCursor": cursor(page.first()), "endCursor": cursor(page.last()),
            "hasNextPage": range.end < cases.len(), "hasPreviousPage": range.start > 0,
        },
        "cases": page,
    }))
}

/// The indexes of the cases of a page.
fn page_range(pagination: &Value, cases: &[Value]) -> Result<std::ops::Range<usize>, FieldError> {
    let size = |value: &Value| match value.as_u64() {
        None if value.is_null() => Ok(20),
        Some(size @ 1..=MAX_PAGE_SIZE) => Ok(size as usize),
        _ => Err(FieldError::bad_request("page size must be between 1 and 100")),
    };
    let position = |cursor: &Value| {
        let id = cursor.as_str().and_then(|cursor| cursor.strip_prefix("cursor-"));
        let found = id.and_then(|id| cases.iter().position(|case| case["id"] == id));
        found.ok_or_else(|| FieldError::bad_request("invalid cursor"))
    };
    let (offset, cursor) = (&pagination["offset"], &pagination["cursor"]);
    let count = cases.len();
    match (offset.is_object(), cursor.is_object()) {
        (false, false) if pagination.is_null() => Ok(0..count.min(20)),
        (true, false) => {
            let size = size(&offset["perPage"])?;
            let page = offset["page"].as_u64().unwrap_or(1).max(1) as usize;
            let start = (page - 1).saturating_mul(size).min(count);
            Ok(start..(start + size).min(count))
        }
        (false, true) if cursor["last"].is_null() && cursor["before"].is_null() => {
            let start = if cursor["after"].is_null() { 0 } else { position(&cursor["after"])? + 1 };
            Ok(start..(start + size(&cursor["first"])?).min(count))
        }
        (false, true) if cursor["first"].is_null() && cursor["after"].is_null() => {
            let end = if cursor["before"].is_null() { count } else { position(&cursor["before"])? };
            Ok(end.saturating_sub(size(&cursor["last"])?)..end)
        }
        _ => Err(FieldError::bad_request("exactly one of offset or cursor must be set")),
    }
}

pub(crate) fn get(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.moved_tenant().ok_or_else(FieldError::not_found)?;
    let id = call.text("id").unwrap_or_default();
    call.central.fusion.with(tenant, |objects| {
        objects.case(id).map(|case| to_json(case, call.now)).ok_or_else(FieldError::not_found)
    })
}

/// Copies the given members of an input into a case.
fn apply(call: &FieldCall<'_>, tenant: &Tenant, case: &mut Value) -> Result<(), FieldError> {
    for (member, list, target) in REFERENCES {
        if let Some(id) = call.text(member) {
            let found = find_reference(tenant, list, id);
            case[*target] =
                found.ok_or_else(|| FieldError::bad_request(format!("{member} is not available")))?;
        }
    }
    let given = |name: &str| Some(&call.argument[name]).filter(|value| !value.is_null());
    if given("severity").is_some_and(|severity| !matches!(severity.as_i64(), Some(2 | 4 | 6 | 8 | 10))) {
        return Err(FieldError::bad_request("severity must be one of 2, 4, 6, 8, 10"));
    }
    if given("managedBy").is_some_and(|manager| !case["managedBy"].is_null() && case["managedBy"] != *manager)
    {
        return Err(FieldError::bad_request("managedBy cannot be changed"));
    }
    for name in PLAIN {
        if let Some(value) = given(name) {
            case[*name] = value.clone();
        }
    }
    let closed = case["primaryStatus"]["isClosed"] == true;
    if (given("primaryVerdictId").is_some() || given("secondaryVerdictId").is_some()) && !closed {
        return Err(FieldError::bad_request("verdicts can only be set on closed cases"));
    }
    match (closed, case["closedAt"].is_null()) {
        (true, true) => {
            case["closedAt"] = time::format_millis(call.now).into();
            case["closedById"] = call.caller.as_str().into();
        }
        (false, false) => {
            for member in
                ["closedAt", "closedById", "closeReason", "primaryVerdict", "secondaryVerdict", "archivedAt"]
            {
                case[member] = Value::Null;
            }
        }
        _ => {}
    }
    match call.argument["isArchived"].as_bool() {
        Some(true) if !closed => return Err(FieldError::bad_request("only closed cases can be archived")),
        Some(true) => case["archivedAt"] = time::format_millis(call.now).into(),
        Some(false) => case["archivedAt"] = Value::Null,
        None => {}
    }
    Ok(())
}

pub(crate) fn create(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.writable_tenant()?;
    if call.central.fusion.next_call_fails() {
        return Err(FieldError::partner_preferences());
    }
    call.central.fusion.with(tenant, |objects| {
        let number = objects.cases.len() as u64 + 1;
        let at = time::format_millis(call.now);
        let mut value = new_case(tenant, number, &call.caller, &at, &mut objects.rng);
        apply(call, tenant, &mut value)?;
        if value["managedBy"].is_null() {
            value["managedBy"] = value["type"]["managedBy"].clone();
        }
        let evidence = evidence_from_argument(call, objects, true);
        let case = CaseObject { value, evidence };
        let answer = to_json(&case, call.now);
        objects.cases.push(case);
        Ok(answer)
    })
}

pub(crate) fn update(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.writable_tenant()?;
    let id = call.text("id").unwrap_or_default();
    call.central.fusion.with(tenant, |objects| {
        let case = objects.case(id).ok_or_else(FieldError::not_found)?;
        let mut value = case.value.clone();
        apply(call, tenant, &mut value)?;
        value["updatedAt"] = time::format_millis(call.now).into();
        value["updatedById"] = call.caller.as_str().into();
        case.value = value;
        Ok(to_json(case, call.now))
    })
}
