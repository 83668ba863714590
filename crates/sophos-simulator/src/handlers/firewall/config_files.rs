//! Export and import of firewall configurations.

use base64::Engine as _;
use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Member, files, member};
use crate::handlers::firewall::firewalls::FIREWALLS;
use crate::handlers::firewall::transactions::{self, New, TRANSACTIONS};
use crate::handlers::firewall::{archive, firmware};
use crate::response::{ApiError, ApiResponse};
use crate::time;

const MAX_FIREWALLS: usize = 25;
const MAX_ENTITIES: usize = 500;
/// SFOS 22 MR2, the first version that exports and imports.
const MIN_VERSION: &[u32] = &[22, 0, 2];

const EXPORT: &[Member] = &[
    Member::boolean("fullExport").required(),
    Member::boolean("includeDependency"),
    Member::list("exportEntities", &Member::text_up_to("entity", 255), MAX_ENTITIES),
];
const UPLOADED: &[Member] = &[
    Member::list("firewallIds", &Member::uuid("id"), MAX_FIREWALLS).required(),
    Member::text_up_to("checksumMd5", 64).required(),
    Member::integer("fileSizeBytes", 1, i64::MAX).required(),
    Member::text_up_to("secureMasterKey", 128),
    Member::boolean("performPartialImport"),
];

/// A firewall of the tenant of the call, or of any tenant of the calling partner.
fn find_firewall(context: &Context<'_>, id: &str) -> Result<Value, ApiError> {
    let central = context.central;
    let find = |account: u128| central.state.open(account).find(central, &FIREWALLS, id).cloned();
    let found = match context.scoped_tenant() {
        Some(tenant) => find(tenant.id),
        None => {
            let mut mine = central.accounts.tenants().filter(|tenant| tenant.owner.belongs_to_partner());
            mine.find_map(|tenant| find(tenant.id))
        }
    };
    let mut firewall = found.ok_or_else(|| FIREWALLS.not_found())?;
    firmware::apply(&mut firewall, central.clock.now_ms());
    Ok(firewall)
}

/// The cause that prevents an export or import.
fn obstacle(firewall: &Value) -> Option<&'static str> {
    if firmware::version(firewall).as_slice() < MIN_VERSION {
        Some("The firmware version doesn't support this operation.")
    } else if firewall["cluster"]["status"].as_str().is_some_and(|role| role != "primary") {
        Some("Only the primary firewall of a cluster supports this operation.")
    } else {
        None
    }
}

/// Starts an export. Its archive is at the URL of the finished transaction.
pub(super) fn export(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let body = member::accept(EXPORT, &context.call.json()?, false)?;
    let entities = body["exportEntities"].as_array().cloned().unwrap_or_default();
    if body["fullExport"] == false && entities.is_empty() {
        return Err(invalid_parameter("exportEntities"));
    }
    let firewall = find_firewall(context, context.params.first().copied().unwrap_or_default())?;
    let (result, response) = match obstacle(&firewall) {
        None => ("success", json!({ "_archive": archive::entities(&firewall, &entities) })),
        Some(message) => ("error", json!({ "message": message })),
    };
    let new = New { firewall: Some(&firewall), result, response };
    let transaction = transactions::start(context, &mut context.state(), new)?;
    Ok(transactions::accepted(context, &transaction))
}

/// Starts an import, with the URL for the upload.
pub(super) fn import(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let url = files::upload_url(context);
    let mut state = context.state();
    let new = New { firewall: None, result: "error", response: Value::Null };
    let transaction = transactions::start(context, &mut state, new)?;
    let id = transaction["id"].as_str().unwrap_or_default();
    if let Some(stored) = state.find(context.central, &TRANSACTIONS, id) {
        stored["_uploadUrl"] = json!(url);
        // The upload and its completion come first.
        stored["_startMs"].take();
        stored["_finishMs"].take();
    }
    let expires = context.central.clock.now_ms() + files::URL_LIFETIME_MS;
    let body = json!({
        "transactionId": id, "url": url, "method": "PUT", "expiresAt": time::format_millis(expires),
        "description": "Upload the archive to the URL.",
    });
    Ok(ApiResponse::json(context.success, &body))
}

/// Imports an uploaded archive into firewalls.
pub(super) fn complete_upload(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(UPLOADED, &context.call.json()?, false)?;
    let id = context.params.first().copied().unwrap_or_default();
    let transaction = transactions::find(context, &mut context.state(), id)?;
    let url = transaction["_uploadUrl"].as_str().ok_or_else(|| TRANSACTIONS.not_found())?;
    let ids = body["firewallIds"].as_array().filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| invalid_parameter("firewallIds"))?;
    let mut firewalls = Vec::new();
    for id in ids {
        firewalls.push(find_firewall(context, id.as_str().unwrap_or_default())?);
    }
    let content = context.central.files.uploaded(url);
    let content = content.ok_or_else(|| ApiError::bad_request("The archive was not uploaded."))?;
    if body["fileSizeBytes"] != content.len() {
        return Err(invalid_parameter("fileSizeBytes"));
    }
    let digest = archive::md5(&content);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = base64::engine::general_purpose::STANDARD.encode(digest);
    let checksum = body["checksumMd5"].as_str().unwrap_or_default();
    if !checksum.eq_ignore_ascii_case(&hex) && checksum != base64 {
        return Err(invalid_parameter("checksumMd5"));
    }
    let (result, response) = outcome(&firewalls, &content, body["performPartialImport"] != false);
    let mut state = context.state();
    let stored = state.find(context.central, &TRANSACTIONS, id).ok_or_else(|| TRANSACTIONS.not_found())?;
    if !stored["_finishMs"].is_null() {
        return Err(ApiError::bad_request("The import was started before."));
    }
    let now = context.central.clock.now_ms();
    stored["_startMs"] = json!(now);
    stored["_finishMs"] = json!(now + transactions::FINISH_MS);
    stored["_result"] = json!(result);
    stored["_response"] = response;
    Ok(ApiResponse::json(context.success, &transactions::show(context, stored)))
}

/// The result of an import, and its response with an item for each firewall.
fn outcome(firewalls: &[Value], content: &[u8], is_partial_allowed: bool) -> (&'static str, Value) {
    let has_entities = archive::contains(content, archive::FILE_NAME);
    let obstacle_of = |firewall: &Value| {
        if has_entities { obstacle(firewall) } else { Some("The archive has no Entities.xml.") }
    };
    let failed = firewalls.iter().filter(|firewall| obstacle_of(firewall).is_some()).count();
    let result = match failed {
        0 => "success",
        failed if failed == firewalls.len() || !is_partial_allowed => "error",
        _ => "partialSuccess",
    };
    let item = |firewall: &Value| match obstacle_of(firewall) {
        None if result == "error" => {
            json!({ "firewall": { "id": firewall["id"] }, "result": "error", "message": "Another firewall failed." })
        }
        None => json!({ "firewall": { "id": firewall["id"] }, "result": "success" }),
        Some(message) => {
            json!({ "firewall": { "id": firewall["id"] }, "result": "error", "message": message })
        }
    };
    (result, json!({ "items": firewalls.iter().map(item).collect::<Vec<_>>() }))
}

/// An export or import with its state.
pub(super) fn transaction(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = context.params.first().copied().unwrap_or_default();
    let transaction = transactions::find(context, &mut context.state(), id)?;
    let mut shown = transactions::show(context, &transaction);
    let entities = transaction["_response"]["_archive"].as_str();
    if let Some(entities) = entities.filter(|_| shown["status"] == "finished") {
        let url = files::download_url(context, archive::tar(entities), "application/x-tar");
        shown["response"]["url"] = json!(url);
    }
    Ok(ApiResponse::json(200, &shown))
}
