//! The control host: everything the library can do, for other languages.

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

type Shared = State<Arc<Central>>;

/// A question the control host cannot answer.
#[derive(Debug)]
struct No(StatusCode, String);

impl No {
    fn bad(what: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, what.into())
    }

    fn unknown(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("no such {what}"))
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

pub(crate) fn router(central: Arc<Central>) -> Router {
    Router::new()
        .route("/control/addresses", get(addresses))
        .route("/control/clock", get(clock).post(turn_clock))
        .route("/control/faults", get(faults).put(set_faults).delete(clear_faults))
        .route("/control/calls", get(calls).delete(reset_calls))
        .route("/control/limiter", get(limiter))
        .route("/control/served", get(served).delete(forget_served))
        .route("/control/served/totals", get(totals))
        .route("/control/produced", get(produced))
        .route("/control/tenants", get(tenants))
        .route("/control/tenants/{id}", post(set_tenant))
        .route("/control/tenants/{tenant}/endpoints/{endpoint}", post(set_endpoint))
        .route("/control/isolation", get(isolation).delete(forget_isolation))
        .route("/control/credentials", get(credentials).post(add))
        .route("/control/credentials/{id}", delete(remove))
        .route("/control/credentials/{id}/rotate", post(rotate))
        .route("/control/credentials/{id}/expire", post(expire))
        .route("/control/tokens/revoke", post(revoke))
        .with_state(central)
}

async fn addresses(State(central): Shared) -> Json<Addresses> {
    Json(central.addresses())
}

async fn clock(State(central): Shared) -> Json<Value> {
    let now_ms = central.clock.now_ms();
    Json(json!({
        "now": time::millis(now_ms),
        "now_ms": now_ms,
        "running": central.clock.is_running(),
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    advance_seconds: Option<f64>,
    set: Option<String>,
}

async fn turn_clock(state: Shared, Json(turn): Json<Turn>) -> Result<Json<Value>, No> {
    if let Some(text) = &turn.set {
        let ms = time::parse(text).ok_or_else(|| No::bad("`set` is not an RFC 3339 time"))?;
        state.clock.set(ms);
    }
    if let Some(seconds) = turn.advance_seconds {
        let by = Duration::try_from_secs_f64(seconds)
            .map_err(|_| No::bad("`advance_seconds` is not a duration"))?;
        state.clock.advance(by);
    }
    Ok(clock(state).await)
}

async fn faults(State(central): Shared) -> Json<FaultPlan> {
    Json(central.faults.plan())
}

async fn set_faults(state: Shared, Json(plan): Json<FaultPlan>) -> Result<Json<FaultPlan>, No> {
    plan.check().map_err(No::bad)?;
    state.set_faults(plan);
    Ok(faults(state).await)
}

async fn clear_faults(state: Shared) -> Json<FaultPlan> {
    state.set_faults(FaultPlan::default());
    faults(state).await
}

async fn calls(State(central): Shared) -> Json<CallCounts> {
    Json(central.calls.snapshot())
}

async fn reset_calls(state: Shared) -> Json<CallCounts> {
    state.reset_calls();
    calls(state).await
}

async fn limiter(State(central): Shared) -> Json<BTreeMap<String, LimiterCounts>> {
    Json(central.limiter_counts())
}

#[derive(Debug, Deserialize)]
struct Which {
    dataset: String,
    tenant: String,
    from: Option<String>,
    to: Option<String>,
}

impl Which {
    fn find<'a>(&self, central: &'a Central) -> Result<(Dataset, &'a Tenant), No> {
        let dataset = Dataset::named(&self.dataset).ok_or_else(|| No::unknown("dataset"))?;
        let tenant = central.world.tenant(&self.tenant);
        Ok((dataset, tenant.ok_or_else(|| No::unknown("tenant"))?))
    }
}

/// A line for each id, each a JSON text.
fn lines(ids: &[u128]) -> Response {
    let mut body = Vec::with_capacity(ids.len() * 39);
    for id in ids {
        body.push(b'"');
        write_uuid(&mut body, *id);
        body.extend_from_slice(b"\"\n");
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

async fn served(State(central): Shared, Query(which): Query<Which>) -> Result<Response, No> {
    let (dataset, tenant) = which.find(&central)?;
    Ok(lines(&central.served_ids(dataset, tenant)))
}

async fn forget_served(State(central): Shared) -> Json<ServedTotals> {
    central.served.clear();
    Json(served_totals(&central))
}

async fn totals(State(central): Shared) -> Json<ServedTotals> {
    Json(served_totals(&central))
}

/// RFC 3339 or Unix milliseconds.
fn moment(text: Option<&str>, otherwise: i64) -> Result<i64, No> {
    let Some(text) = text else {
        return Ok(otherwise);
    };
    let number = text.parse().ok();
    number.or_else(|| time::parse(text)).ok_or_else(|| No::bad(format!("not a time: {text:?}")))
}

async fn produced(State(central): Shared, Query(which): Query<Which>) -> Result<Response, No> {
    let (dataset, tenant) = which.find(&central)?;
    let from = moment(which.from.as_deref(), i64::MIN)?;
    let to = moment(which.to.as_deref(), i64::MAX)?;
    Ok(lines(&central.produced(dataset, tenant, from, to)))
}

async fn tenants(State(central): Shared) -> Json<Vec<TenantInfo>> {
    Json(central.world.tenants.iter().map(Tenant::info).collect())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Standing {
    state: Option<TenantState>,
    region: Option<String>,
}

async fn set_tenant(
    State(central): Shared,
    Path(id): Path<String>,
    Json(standing): Json<Standing>,
) -> Result<Json<TenantInfo>, No> {
    let tenant = central.world.tenant(&id).ok_or_else(|| No::unknown("tenant"))?;
    if standing.region.is_some_and(|region| !tenant.region.set(&region)) {
        return Err(No::unknown("region"));
    }
    if let Some(state) = standing.state {
        tenant.state.set(state);
    }
    Ok(Json(tenant.info()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Online {
    online: bool,
}

async fn set_endpoint(
    State(central): Shared,
    Path((tenant, endpoint)): Path<(String, String)>,
    Json(wanted): Json<Online>,
) -> Result<Json<Value>, No> {
    if !central.set_online(&tenant, &endpoint, wanted.online) {
        return Err(No::unknown("endpoint"));
    }
    Ok(Json(json!({ "id": endpoint, "online": wanted.online })))
}

async fn isolation(State(central): Shared) -> Json<Vec<IsolationChange>> {
    Json(central.isolation_changes())
}

async fn forget_isolation(state: Shared) -> Json<Vec<IsolationChange>> {
    state.fleet.forget_accepted();
    isolation(state).await
}

async fn credentials(State(central): Shared) -> Json<Vec<CredentialInfo>> {
    Json(central.vault.infos())
}

fn credential(central: &Central, id: &str) -> Result<Json<CredentialInfo>, No> {
    let found = central.vault.infos().into_iter();
    found
        .filter(|c| c.client_id.eq_ignore_ascii_case(id))
        .map(Json)
        .next()
        .ok_or_else(|| No::unknown("credential"))
}

async fn add(
    State(central): Shared,
    Json(config): Json<CredentialConfig>,
) -> Result<Json<CredentialInfo>, No> {
    let made = central.vault.add(&central.world, &config, central.clock.now_ms());
    made.map(Json).map_err(|error| No::bad(error.to_string()))
}

async fn remove(State(central): Shared, Path(id): Path<String>) -> Result<Json<Value>, No> {
    if !central.vault.remove(&id) {
        return Err(No::unknown("credential"));
    }
    Ok(Json(json!({ "removed": true })))
}

async fn rotate(State(central): Shared, Path(id): Path<String>) -> Result<Json<CredentialInfo>, No> {
    central.vault.rotate(&id);
    credential(&central, &id)
}

async fn expire(State(central): Shared, Path(id): Path<String>) -> Result<Json<CredentialInfo>, No> {
    central.vault.expire(&id, central.clock.now_ms());
    credential(&central, &id)
}

async fn revoke(State(central): Shared) -> Json<Value> {
    central.vault.revoke();
    Json(json!({ "revoked": true }))
}
