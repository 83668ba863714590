//! `POST /graphql` of Sophos Fusion.

use serde_json::{Map, Value, json};

use crate::call::Context;
use crate::central::Central;
use crate::config::{CredentialKind, Platform};
use crate::credentials::Credential;
use crate::data::tenant::{Tenant, TenantState};
use crate::handlers::fusion_document::{RootField, plan, project};
use crate::handlers::{fusion_cases, fusion_comments, fusion_detections, fusion_evidence};
use crate::hash::{parse_uuid, uuid_text};
use crate::response::{ApiError, ApiResponse};

/// The fields that take a connection of the service for cases.
const CASE_FIELDS: &[&str] = &[
    "case",
    "cases",
    "caseEvidence",
    "caseComments",
    "createCase",
    "updateCase",
    "addEvidenceToCase",
    "removeEvidenceFromCase",
    "addCaseComment",
    "updateCaseComment",
    "deleteCaseComment",
];

/// The error of a field.
#[derive(Debug)]
pub(crate) struct FieldError {
    message: String,
    code: &'static str,
    /// The path, if it is not the field.
    path: Option<&'static str>,
}

impl FieldError {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: "BAD_REQUEST", path: None }
    }

    pub(crate) fn not_found() -> Self {
        Self { message: "record not found".to_owned(), code: "INTERNAL_SERVER_ERROR", path: None }
    }

    pub(crate) fn not_allowed() -> Self {
        Self { message: "not allowed".to_owned(), code: "FORBIDDEN", path: None }
    }

    /// The failure of every second call of some mutations.
    pub(crate) fn partner_preferences() -> Self {
        let path = Some("partnerPreferences");
        Self { message: "not allowed".to_owned(), code: "INTERNAL_SERVER_ERROR", path }
    }
}

/// A field with its caller and its tenant.
#[derive(Debug)]
pub(crate) struct FieldCall<'a> {
    pub(crate) central: &'a Central,
    /// The tenant, unless the caller named its own account.
    pub(crate) tenant: Option<&'a Tenant>,
    credential: &'a Credential,
    pub(crate) caller: String,
    pub(crate) now: i64,
    pub(crate) argument: &'a Value,
}

impl<'a> FieldCall<'a> {
    /// The tenant, if it has moved to Sophos Fusion.
    pub(crate) fn moved_tenant(&self) -> Option<&'a Tenant> {
        self.tenant.filter(|tenant| tenant.platform() == Platform::Fusion)
    }

    /// The tenant of a mutation.
    pub(crate) fn writable_tenant(&self) -> Result<&'a Tenant, FieldError> {
        self.moved_tenant().ok_or_else(FieldError::not_allowed)
    }

    /// The tenant, or all tenants of the account.
    pub(crate) fn tenants(&self) -> Vec<&'a Tenant> {
        match self.tenant {
            Some(tenant) => vec![tenant],
            None => self.central.accounts.tenants.iter().filter(|t| manages(self.credential, t)).collect(),
        }
    }

    /// A member of the argument.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.argument[name].as_str()
    }

    /// The texts of a list in the argument.
    pub(crate) fn texts(&self, name: &str) -> Vec<&'a str> {
        self.argument[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

pub(crate) fn graphql(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let credential = context.credential()?;
    let tenant = find_tenant(context, credential)?;
    let body = context.call.json()?;
    let query = body["query"].as_str().ok_or_else(|| ApiError::bad_request("Must provide query string."))?;
    let plan = match plan(query, &body["variables"], body["operationName"].as_str()) {
        Ok(plan) => plan,
        Err(message) => {
            let error = json!({"message": message, "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}});
            return Ok(ApiResponse::json(400, &json!({ "errors": [error] })));
        }
    };
    let is_case = |field: &RootField| CASE_FIELDS.contains(&field.name.as_str());
    let is_busy = plan.fields.iter().filter(|field| is_case(field)).count() > 1;
    let (mut data, mut errors) = (Map::new(), Vec::new());
    let mut has_data = true;
    for field in &plan.fields {
        let call = FieldCall {
            central: context.central,
            tenant,
            credential,
            caller: uuid_text(credential.principal_id),
            now: context.central.clock.now_ms(),
            argument: &field.argument,
        };
        let result = if is_busy && is_case(field) {
            let message = "conn busy".to_owned();
            Err(FieldError { message, code: "INTERNAL_SERVER_ERROR", path: None })
        } else if plan.is_mutation && !credential.role.can_write() {
            Err(FieldError::not_allowed())
        } else {
            resolve(&call, &field.name)
        };
        let value = match result {
            Ok(value) => project(&value, &field.selection),
            Err(error) => {
                has_data &= !field.is_required;
                errors.push(json!({
                    "message": error.message,
                    "path": [error.path.unwrap_or(&field.key)],
                    "extensions": { "code": error.code },
                }));
                Value::Null
            }
        };
        data.insert(field.key.clone(), value);
    }
    let mut response = json!({ "data": if has_data { Value::Object(data) } else { Value::Null } });
    if !errors.is_empty() {
        response["errors"] = errors.into();
    }
    Ok(ApiResponse::json(200, &response))
}

/// The tenant of `X-Tenant-ID`; `None` for the account of the credential itself.
fn find_tenant<'a>(context: &Context<'a>, who: &Credential) -> Result<Option<&'a Tenant>, ApiError> {
    let id = context.call.header("x-tenant-id").ok_or_else(ApiError::unauthorized)?;
    if who.kind != CredentialKind::Tenant && parse_uuid(id) == Some(who.principal_id) {
        return Ok(None);
    }
    let tenant = context.central.accounts.tenant(id).ok_or_else(ApiError::forbidden)?;
    if !manages(who, tenant) || matches!(tenant.state.get(), TenantState::Forbidden | TenantState::Removed) {
        return Err(ApiError::forbidden());
    }
    Ok(Some(tenant))
}

fn manages(who: &Credential, tenant: &Tenant) -> bool {
    match who.kind {
        CredentialKind::Partner => tenant.owner.belongs_to_partner(),
        CredentialKind::Organization => tenant.owner.belongs_to_organization(),
        CredentialKind::Tenant => who.tenant == Some(tenant.number),
    }
}

fn resolve(call: &FieldCall<'_>, field: &str) -> Result<Value, FieldError> {
    match field {
        "cases" => fusion_cases::list(call),
        "case" => fusion_cases::get(call),
        "createCase" => fusion_cases::create(call),
        "updateCase" => fusion_cases::update(call),
        "caseTypes" => Ok(fusion_cases::reference_list(call, "types")),
        "casePrimaryStatuses" => Ok(fusion_cases::reference_list(call, "primaryStatuses")),
        "caseSecondaryStatuses" => Ok(fusion_cases::reference_list(call, "secondaryStatuses")),
        "casePrimaryVerdicts" => Ok(fusion_cases::reference_list(call, "primaryVerdicts")),
        "caseSecondaryVerdicts" => Ok(fusion_cases::reference_list(call, "secondaryVerdicts")),
        "caseSources" => Ok(fusion_cases::reference_list(call, "sources")),
        "caseComments" => fusion_comments::list(call),
        "addCaseComment" => fusion_comments::add(call),
        "updateCaseComment" => fusion_comments::update(call),
        "deleteCaseComment" => fusion_comments::delete(call),
        "caseEvidence" => fusion_evidence::get(call),
        "addEvidenceToCase" => fusion_evidence::add(call),
        "removeEvidenceFromCase" => fusion_evidence::remove(call),
        "detectionSearch" => Ok(fusion_detections::search(call)),
        "detectionPoll" => Ok(fusion_detections::poll(call)),
        "detectionRetrieveById" => Ok(fusion_detections::by_id(call)),
        "detectionRetrieveByHost" => Ok(fusion_detections::by_entity(call, "hostId:")),
        "detectionRetrieveByEntity" => Ok(fusion_detections::by_entity(call, "")),
        "detectionCountByTenant" => fusion_detections::count_by_tenant(call),
        "detectionAggregatesBySeverity" => Ok(fusion_detections::aggregate(call)),
        "detectionUpdateResolutionInfo" => fusion_detections::update_resolution(call),
        _ => Err(FieldError::bad_request("not available in this simulator")),
    }
}
