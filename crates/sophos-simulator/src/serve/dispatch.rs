//! The steps of one request: count, fault, authenticate, authorize, handle, respond.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use crate::call::{Call, Context, Query};
use crate::central::Central;
use crate::config::CredentialKind;
use crate::credentials::Credential;
use crate::data::tenant::{Tenant, TenantState};
use crate::engine::{audit, verbs};
use crate::faults::{FaultAction, RetryAfter};
use crate::response::{ApiError, ApiResponse};
use crate::routes::{self, Access, Handler, HostKind, RequestScope, Route, RouteMatch};
use crate::serve::response_body::{Disconnected, ResponseBody};

const MAX_BODY_LEN: usize = 4 << 20;

/// Responds to a request, or closes the connection.
pub(crate) async fn handle(
    central: Arc<Central>,
    kind: HostKind,
    region: usize,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Disconnected> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_LEN).collect().await;
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: Query::parse(head.uri.query()),
        headers: head.headers,
        body: body.map_err(|_| Disconnected)?.to_bytes(),
    };
    let found = routes::find(kind, &call.method, &call.path);
    let operation = match &found {
        RouteMatch::Route(route, _) => route.operation,
        _ => "unknown",
    };
    let tenant = call.header("x-tenant-id");
    central.calls.record_request(operation, tenant);
    let fault = central.faults.next_fault(operation, tenant, central.clock.now_ms());
    match &fault {
        Some(FaultAction::Delay { milliseconds }) => {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
        Some(FaultAction::RevokeTokens) => central.credentials.revoke_tokens(),
        _ => {}
    }
    let mut answer = match &fault {
        Some(FaultAction::Status { status, retry_after }) => {
            let mut refusal = ApiError::from_status(*status);
            refusal.retry_after = retry_after.map(|after| retry_after_value(&central, after));
            central.error_response(&refusal)
        }
        Some(FaultAction::Html { status }) => ApiResponse::html_page(*status),
        Some(FaultAction::Echo { status }) => ApiResponse::echo(*status, &call),
        _ => dispatch(&central, region, &call, found, fault.as_ref())
            .unwrap_or_else(|refusal| central.error_response(&refusal)),
    };
    if let Some(FaultAction::RepeatPage) = fault {
        repeat_page(&call, &mut answer);
    }
    if let Some(FaultAction::Disconnect) = fault {
        central.calls.record_response(0);
        return Err(Disconnected);
    }
    Ok(build_response(&central, answer, fault.as_ref()))
}

/// Makes a page name itself as the next one.
fn repeat_page(call: &Call, answer: &mut ApiResponse) {
    let Ok(mut page) = serde_json::from_slice::<Value>(&answer.body) else { return };
    if let Some(key) = call.query.get("pageFromKey") {
        page["pages"]["nextKey"] = key.into();
    } else if let Some(cursor) = call.query.get("cursor") {
        page["next_cursor"] = cursor.into();
        page["has_more"] = true.into();
    }
    answer.body = page.to_string().into_bytes();
}

fn retry_after_value(central: &Central, after: RetryAfter) -> String {
    match after {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::HttpDate(seconds) => {
            let ms = i64::try_from(seconds.saturating_mul(1_000)).unwrap_or_default();
            http_date(central.clock.now_ms().saturating_add(ms))
        }
    }
}

fn http_date(ms: i64) -> String {
    let since = Duration::from_millis(u64::try_from(ms).unwrap_or_default());
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since)
}

fn dispatch(
    central: &Central,
    region: usize,
    call: &Call,
    found: RouteMatch<'_>,
    fault: Option<&FaultAction>,
) -> Result<ApiResponse, ApiError> {
    let (route, params) = match found {
        RouteMatch::Route(route, params) => (route, params),
        RouteMatch::MethodNotAllowed => {
            return Err(ApiError::new(405, "methodNotAllowed", "Method not allowed"));
        }
        RouteMatch::WrongHost => return Err(ApiError::from_status(504)),
        RouteMatch::NotFound => return Err(ApiError::not_found("Not available in this simulator")),
    };
    if route.scope == RequestScope::Unauthenticated {
        let context = Context::new(central, call, params, None, None);
        return run(&context, route);
    }
    let now = central.clock.now_ms();
    let known = call.bearer().and_then(|t| central.credentials.find_by_access_token(t, now));
    let (number, who) = known.ok_or_else(ApiError::unauthorized)?;
    if let Err(seconds) = central.limiter.acquire(number, &central.clock) {
        let mut refusal = ApiError::from_status(429);
        if central.config.limiter.retry_after {
            refusal.retry_after = Some(seconds.to_string());
        }
        return Err(refusal);
    }
    let tenant = check_scope(central, region, call, route, &who)?;
    let may = match route.access {
        Access::Read => true,
        Access::Change => who.role.can_write(),
        Access::Query => who.role.can_query(),
    };
    if !may {
        return Err(ApiError::access_denied());
    }
    let mut context = Context::new(central, call, params, Some(who), tenant);
    context.fault = fault;
    context.success = route.success;
    let response = run(&context, route)?;
    if route.is_write && response.status < 300 {
        audit::record(&context, route.operation);
    }
    Ok(response)
}

fn run(context: &Context<'_>, route: &Route) -> Result<ApiResponse, ApiError> {
    match route.handler {
        Handler::Function(function) => function(context),
        Handler::Collection(verb, collection) => verbs::handle(context, verb, collection),
    }
}

/// Checks that the caller may use the scope of its header.
fn check_scope<'a>(
    central: &'a Central,
    region: usize,
    call: &Call,
    route: &Route,
    who: &Credential,
) -> Result<Option<&'a Tenant>, ApiError> {
    let scope = match route.scope {
        RequestScope::OptionalTenant if call.header("x-tenant-id").is_some() => RequestScope::Tenant,
        RequestScope::TenantOrPartner if call.header("x-tenant-id").is_none() => RequestScope::Partner,
        scope => scope,
    };
    let Some(header) = scope.header() else {
        return Ok(None);
    };
    let id = call.header(header).ok_or_else(ApiError::unauthorized)?;
    let id = crate::hash::parse_uuid(id).ok_or_else(|| ApiError::bad_request("Invalid request"))?;
    let kind = match scope {
        RequestScope::Partner | RequestScope::Distributor => CredentialKind::Partner,
        RequestScope::Organization => CredentialKind::Organization,
        _ => {
            let text = call.header(header).unwrap_or_default();
            let tenant = central.accounts.tenant(text);
            let tenant = tenant.ok_or_else(ApiError::forbidden)?;
            check_tenant_access(tenant, region, route, who)?;
            return Ok(Some(tenant));
        }
    };
    if who.kind != kind {
        return Err(ApiError::access_denied());
    }
    if who.principal_id != id {
        return Err(ApiError::forbidden());
    }
    Ok(None)
}

/// Checks that a credential has access to a tenant on this host.
fn check_tenant_access(
    tenant: &Tenant,
    region: usize,
    route: &Route,
    who: &Credential,
) -> Result<(), ApiError> {
    let theirs = match who.kind {
        CredentialKind::Partner => tenant.owner.belongs_to_partner(),
        CredentialKind::Organization => tenant.owner.belongs_to_organization(),
        CredentialKind::Tenant => who.tenant == Some(tenant.number),
    };
    if !theirs {
        return Err(ApiError::forbidden());
    }
    // The host of another region does not know the tenant, so it authorizes no caller.
    if route.host == HostKind::Region && tenant.region.index() != region {
        return Err(ApiError::unauthorized());
    }
    match tenant.state.get() {
        TenantState::Active => Ok(()),
        TenantState::Forbidden | TenantState::Removed => Err(ApiError::forbidden()),
        TenantState::AlertsDenied => {
            let family = route.operation.split('.').next().unwrap_or_default();
            if matches!(family, "alerts" | "siem") { Err(ApiError::access_denied()) } else { Ok(()) }
        }
    }
}

fn build_response(
    central: &Central,
    answer: ApiResponse,
    fault: Option<&FaultAction>,
) -> Response<ResponseBody> {
    central.calls.record_response(answer.status);
    let mut body = answer.body;
    if let Some(FaultAction::Malformed) = fault {
        body.truncate(body.len() * 2 / 3);
        body.extend_from_slice(b"\x00,,}");
    }
    let torn = matches!(fault, Some(FaultAction::Truncate));
    let spoilt = torn || matches!(fault, Some(FaultAction::Malformed));
    if let Some((dataset, tenant, indexes)) = &answer.served
        && answer.status == 200
        && !spoilt
    {
        central.served.record(*dataset, *tenant, indexes);
    }
    let bytes = Bytes::from(body);
    let length = bytes.len();
    let content = if torn { ResponseBody::truncated(&bytes) } else { ResponseBody::complete(bytes) };
    let mut response = Response::new(content);
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(answer.content_type));
    headers.insert(header::CONTENT_LENGTH, length.into());
    if let Ok(date) = http_date(central.clock.now_ms()).parse() {
        headers.insert(header::DATE, date);
    }
    if let Some(after) = answer.retry_after
        && let Ok(after) = after.parse()
    {
        headers.insert(header::RETRY_AFTER, after);
    }
    response
}
