//! The control host: the functions of the library over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::calls::CallCounts;
use crate::central::{Addresses, Central};
use crate::config::CredentialConfig;
use crate::credentials::CredentialInfo;
use crate::data::tenant::{Tenant, TenantInfo, TenantState};
use crate::faults::FaultPlan;
use crate::hash::write_uuid;
use crate::isolation_changes::IsolationChange;
use crate::limiter_counts::LimiterCounts;
use crate::served::{Dataset, ServedTotals};
use crate::simulator::served_totals;
use crate::time;

type SharedState = State<Arc<Central>>;

/// The response to an invalid control request.
#[derive(Debug)]
struct ControlError(StatusCode, String);

impl ControlError {
    fn bad_request(what: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, what.into())
    }

    fn not_found(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("unknown {what}"))
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

pub(crate) fn router(central: Arc<Central>) -> Router {
    Router::new()
        .route("/control/urls", get(addresses))
        .route("/control/clock", get(clock).post(update_clock))
        .route("/control/faults", get(faults).put(set_faults).delete(clear_faults))
        .route("/control/requests", get(calls).delete(reset_calls))
        .route("/control/rate-limits", get(limiter))
        .route("/control/served", get(served).delete(clear_served))
        .route("/control/served/totals", get(get_served_totals))
        .route("/control/records", get(produced))
        .route("/control/tenants", get(tenants))
        .route("/control/tenants/{id}", post(set_tenant))
        .route("/control/tenants/{tenant}/endpoints/{endpoint}", post(set_endpoint))
        .route("/control/isolation", get(isolation).delete(clear_isolation))
        .route("/control/credentials", get(credentials).post(add_credential))
        .route("/control/credentials/{id}", delete(remove_credential))
        .route("/control/credentials/{id}/rotate", post(rotate_credential))
        .route("/control/credentials/{id}/expire", post(expire_credential))
        .route("/control/tokens/revoke", post(revoke_tokens))
        .with_state(central)
}

async fn addresses(State(central): SharedState) -> Json<Addresses> {
    Json(central.addresses())
}

async fn clock(State(central): SharedState) -> Json<Value> {
    let now_ms = central.clock.now_ms();
    Json(json!({
        "now": time::format_millis(now_ms),
        "now_ms": now_ms,
        "running": central.clock.is_running(),
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockUpdate {
    advance_seconds: Option<f64>,
    set: Option<String>,
}

async fn update_clock(
    state: SharedState,
    Json(turn): Json<ClockUpdate>,
) -> Result<Json<Value>, ControlError> {
    if let Some(text) = &turn.set {
        let ms = time::parse(text)
            .ok_or_else(|| ControlError::bad_request("invalid `set`: expected an RFC 3339 time"))?;
        state.clock.set(ms);
    }
    if let Some(seconds) = turn.advance_seconds {
        let by = Duration::try_from_secs_f64(seconds)
            .map_err(|_| ControlError::bad_request("invalid `advance_seconds`: expected a duration"))?;
        state.clock.advance(by);
    }
    Ok(clock(state).await)
}

async fn faults(State(central): SharedState) -> Json<FaultPlan> {
    Json(central.faults.plan())
}

async fn set_faults(
    state: SharedState,
    Json(plan): Json<FaultPlan>,
) -> Result<Json<FaultPlan>, ControlError> {
    plan.check().map_err(ControlError::bad_request)?;
    state.set_faults(plan);
    Ok(faults(state).await)
}

async fn clear_faults(state: SharedState) -> Json<FaultPlan> {
    state.set_faults(FaultPlan::default());
    faults(state).await
}

async fn calls(State(central): SharedState) -> Json<CallCounts> {
    Json(central.calls.snapshot())
}

async fn reset_calls(state: SharedState) -> Json<CallCounts> {
    state.reset_calls();
    calls(state).await
}

async fn limiter(State(central): SharedState) -> Json<BTreeMap<String, LimiterCounts>> {
    Json(central.limiter_counts())
}

#[derive(Debug, Deserialize)]
struct DatasetQuery {
    dataset: String,
    tenant: String,
    from: Option<String>,
    to: Option<String>,
}

impl DatasetQuery {
    fn find<'a>(&self, central: &'a Central) -> Result<(Dataset, &'a Tenant), ControlError> {
        let dataset = Dataset::parse(&self.dataset).ok_or_else(|| ControlError::not_found("dataset"))?;
        let tenant = central.accounts.tenant(&self.tenant);
        Ok((dataset, tenant.ok_or_else(|| ControlError::not_found("tenant"))?))
    }
}

/// One JSON string for each id, one a line.
fn json_lines(ids: &[u128]) -> Response {
    let mut body = Vec::with_capacity(ids.len() * 39);
    for id in ids {
        body.push(b'"');
        write_uuid(&mut body, *id);
        body.extend_from_slice(b"\"\n");
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

async fn served(
    State(central): SharedState,
    Query(which): Query<DatasetQuery>,
) -> Result<Response, ControlError> {
    let (dataset, tenant) = which.find(&central)?;
    Ok(json_lines(&central.served_ids(dataset, tenant)))
}

async fn clear_served(State(central): SharedState) -> Json<ServedTotals> {
    central.served.clear();
    Json(served_totals(&central))
}

async fn get_served_totals(State(central): SharedState) -> Json<ServedTotals> {
    Json(served_totals(&central))
}

/// Parses RFC 3339 or Unix milliseconds.
fn parse_time(text: Option<&str>, otherwise: i64) -> Result<i64, ControlError> {
    let Some(text) = text else {
        return Ok(otherwise);
    };
    let number = text.parse().ok();
    number.or_else(|| time::parse(text)).ok_or_else(|| {
        ControlError::bad_request(format!("invalid time {text:?}: expected RFC 3339 or Unix milliseconds"))
    })
}

async fn produced(
    State(central): SharedState,
    Query(which): Query<DatasetQuery>,
) -> Result<Response, ControlError> {
    let (dataset, tenant) = which.find(&central)?;
    let from = parse_time(which.from.as_deref(), i64::MIN)?;
    let to = parse_time(which.to.as_deref(), i64::MAX)?;
    Ok(json_lines(&central.produced(dataset, tenant, from, to)))
}

async fn tenants(State(central): SharedState) -> Json<Vec<TenantInfo>> {
    Json(central.accounts.tenants().map(Tenant::info).collect())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantUpdate {
    state: Option<TenantState>,
    region: Option<String>,
}

async fn set_tenant(
    State(central): SharedState,
    Path(id): Path<String>,
    Json(standing): Json<TenantUpdate>,
) -> Result<Json<TenantInfo>, ControlError> {
    let tenant = central.accounts.tenant(&id).ok_or_else(|| ControlError::not_found("tenant"))?;
    if standing.region.is_some_and(|region| !tenant.region.set(&region)) {
        return Err(ControlError::not_found("region"));
    }
    if let Some(state) = standing.state {
        tenant.state.set(state);
    }
    Ok(Json(tenant.info()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointUpdate {
    online: bool,
}

async fn set_endpoint(
    State(central): SharedState,
    Path((tenant, endpoint)): Path<(String, String)>,
    Json(wanted): Json<EndpointUpdate>,
) -> Result<Json<Value>, ControlError> {
    if !central.set_online(&tenant, &endpoint, wanted.online) {
        return Err(ControlError::not_found("endpoint"));
    }
    Ok(Json(json!({ "id": endpoint, "online": wanted.online })))
}

async fn isolation(State(central): SharedState) -> Json<Vec<IsolationChange>> {
    Json(central.isolation_changes())
}

async fn clear_isolation(state: SharedState) -> Json<Vec<IsolationChange>> {
    state.endpoint_states.clear_accepted();
    isolation(state).await
}

async fn credentials(State(central): SharedState) -> Json<Vec<CredentialInfo>> {
    Json(central.credentials.list())
}

fn find_credential(central: &Central, id: &str) -> Result<Json<CredentialInfo>, ControlError> {
    let found = central.credentials.list().into_iter();
    found
        .filter(|c| c.client_id.eq_ignore_ascii_case(id))
        .map(Json)
        .next()
        .ok_or_else(|| ControlError::not_found("credential"))
}

async fn add_credential(
    State(central): SharedState,
    Json(config): Json<CredentialConfig>,
) -> Result<Json<CredentialInfo>, ControlError> {
    let made = central.credentials.add(&central.accounts, &config, central.clock.now_ms());
    made.map(Json).map_err(|error| ControlError::bad_request(error.to_string()))
}

async fn remove_credential(
    State(central): SharedState,
    Path(id): Path<String>,
) -> Result<Json<Value>, ControlError> {
    if !central.credentials.remove(&id) {
        return Err(ControlError::not_found("credential"));
    }
    Ok(Json(json!({ "removed": true })))
}

async fn rotate_credential(
    State(central): SharedState,
    Path(id): Path<String>,
) -> Result<Json<CredentialInfo>, ControlError> {
    central.credentials.rotate_secret(&id);
    find_credential(&central, &id)
}

async fn expire_credential(
    State(central): SharedState,
    Path(id): Path<String>,
) -> Result<Json<CredentialInfo>, ControlError> {
    central.credentials.expire(&id, central.clock.now_ms());
    find_credential(&central, &id)
}

async fn revoke_tokens(State(central): SharedState) -> Json<Value> {
    central.credentials.revoke_tokens();
    Json(json!({ "revoked": true }))
}
