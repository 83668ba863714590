//! Comments on cases of Sophos Fusion.

use serde_json::{Value, json};

use crate::handlers::fusion::{FieldCall, FieldError};
use crate::handlers::fusion_seed;
use crate::time;

pub(crate) fn list(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.moved_tenant().ok_or_else(FieldError::not_found)?;
    let case = call.text("caseId").unwrap_or_default();
    let size = call.argument["perPage"].as_u64().unwrap_or(25) as usize;
    if !(1..=100).contains(&size) {
        return Err(FieldError::bad_request("page size must be between 1 and 100"));
    }
    let page = call.argument["page"].as_u64().unwrap_or(1).max(1) as usize;
    call.central.fusion.with(tenant, |objects| {
        objects.case(case).ok_or_else(FieldError::not_found)?;
        let of_case: Vec<&Value> =
            objects.comments.iter().filter(|comment| comment["caseId"] == case).collect();
        let unread = of_case.iter().filter(|comment| !is_read(comment, &call.caller)).count();
        let mut shown: Vec<&Value> = of_case
            .into_iter()
            .filter(|comment| match call.text("visibility") {
                Some("INTERNAL") => comment["isInternal"] == true,
                Some("NOT_INTERNAL") => comment["isInternal"] == false,
                _ => true,
            })
            .collect();
        if call.text("orderBy") == Some("DESCENDING") {
            shown.reverse();
        }
        let total = shown.len();
        let comments: Vec<&Value> =
            shown.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect();
        Ok(json!({ "totalCount": total, "totalUnreadCount": unread, "comments": comments }))
    })
}

fn is_read(comment: &Value, caller: &str) -> bool {
    comment["readByIds"].as_array().is_some_and(|readers| readers.iter().any(|reader| reader == caller))
}

pub(crate) fn add(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.writable_tenant()?;
    let case = call.text("caseId").unwrap_or_default();
    let text = call.text("comment").unwrap_or_default();
    call.central.fusion.with(tenant, |objects| {
        objects.case(case).ok_or_else(FieldError::not_found)?;
        let at = time::format_millis(call.now);
        let mut comment = fusion_seed::comment(tenant, case, text, &call.caller, &at, &mut objects.rng);
        comment["isInternal"] = json!(call.argument["isInternal"] == true);
        objects.comments.push(comment.clone());
        Ok(comment)
    })
}

pub(crate) fn update(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.writable_tenant()?;
    let id = call.text("commentId").unwrap_or_default();
    call.central.fusion.with(tenant, |objects| {
        let found = objects.comments.iter_mut().find(|comment| comment["id"] == id);
        let comment = found.ok_or_else(FieldError::not_found)?;
        if let Some(text) = call.text("comment") {
            if comment["authorId"] != call.caller.as_str() {
                return Err(FieldError::not_allowed());
            }
            comment["comment"] = text.into();
            comment["updatedAt"] = time::format_millis(call.now).into();
        }
        if call.argument["markAsRead"] == true
            && !is_read(comment, &call.caller)
            && let Some(readers) = comment["readByIds"].as_array_mut()
        {
            readers.push(call.caller.as_str().into());
        }
        Ok(comment.clone())
    })
}

pub(crate) fn delete(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.writable_tenant()?;
    let id = call.text("commentId").unwrap_or_default();
    call.central.fusion.with(tenant, |objects| {
        let found = objects.comments.iter().position(|comment| comment["id"] == id);
        Ok(objects.comments.remove(found.ok_or_else(FieldError::not_found)?))
    })
}
