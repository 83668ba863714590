//! The way of one request: count, fault, authenticate, authorise, handle, answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;

use crate::answer::{Answer, Refusal};
use crate::call::{Call, Context, Query};
use crate::central::Central;
use crate::config::CredentialKind;
use crate::credentials::Credential;
use crate::data::tenant::{Tenant, TenantState};
use crate::faults::{FaultAction, RetryAfter};
use crate::routes::{self, Found, HostKind, Route, Scope};
use crate::serve::content::{Content, Cut};

const LARGEST_BODY: usize = 4 << 20;

/// Answers a request, or cuts the connection.
pub(crate) async fn answer(
    central: Arc<Central>,
    kind: HostKind,
    region: usize,
    request: Request<Incoming>,
) -> Result<Response<Content>, Cut> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect().await;
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: Query::parse(head.uri.query()),
        headers: head.headers,
        body: body.map_err(|_| Cut)?.to_bytes(),
    };
    let found = routes::find(kind, &call.method, &call.path);
    let operation = match &found {
        Found::Route(route, _) => route.operation,
        _ => "unknown",
    };
    let tenant = call.header("x-tenant-id");
    central.calls.arrived(operation, tenant);
    let fault = central.faults.strike(operation, tenant, central.clock.now_ms());
    match &fault {
        Some(FaultAction::Slow { milliseconds }) => {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
        Some(FaultAction::TokenDies) => central.vault.revoke(),
        _ => {}
    }
    let answer = match &fault {
        Some(FaultAction::Status { status, retry_after }) => {
            let mut refusal = Refusal::status(*status);
            refusal.retry_after = retry_after.map(|after| retry_text(&central, after));
            central.refuse(&refusal)
        }
        Some(FaultAction::Html { status }) => Answer::html(*status),
        Some(FaultAction::Echo { status }) => Answer::echo(*status, &call),
        _ => respond(&central, region, &call, found, fault.as_ref())
            .unwrap_or_else(|refusal| central.refuse(&refusal)),
    };
    if let Some(FaultAction::Cut) = fault {
        central.calls.answered(0);
        return Err(Cut);
    }
    Ok(finish(&central, answer, fault.as_ref()))
}

fn retry_text(central: &Central, after: RetryAfter) -> String {
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

fn respond(
    central: &Central,
    region: usize,
    call: &Call,
    found: Found<'_>,
    fault: Option<&FaultAction>,
) -> Result<Answer, Refusal> {
    let (route, params) = match found {
        Found::Route(route, params) => (route, params),
        Found::Method => return Err(Refusal::new(405, "methodNotAllowed", "Method not allowed")),
        Found::WrongHost => return Err(Refusal::status(504)),
        Found::Nothing => return Err(Refusal::not_found("Not served by this simulator")),
    };
    if route.scope == Scope::Open {
        let context = Context::new(central, call, params, None, None);
        return (route.handler)(&context);
    }
    let now = central.clock.now_ms();
    let known = call.bearer().and_then(|t| central.vault.bearer(t, now));
    let (number, who) = known.ok_or_else(Refusal::unauthorized)?;
    if let Err(seconds) = central.limiter.take(number, &central.clock) {
        let mut refusal = Refusal::status(429);
        if central.config.limiter.retry_after {
            refusal.retry_after = Some(seconds.to_string());
        }
        return Err(refusal);
    }
    let tenant = scope(central, region, call, route, &who)?;
    if route.changes && !who.role.may_change() {
        return Err(Refusal::denied());
    }
    let mut context = Context::new(central, call, params, Some(who), tenant);
    context.fault = fault;
    (route.handler)(&context)
}

/// Checks that the caller may act in the scope its header names.
fn scope<'a>(
    central: &'a Central,
    region: usize,
    call: &Call,
    route: &Route,
    who: &Credential,
) -> Result<Option<&'a Tenant>, Refusal> {
    let Some(header) = route.scope.header() else {
        return Ok(None);
    };
    let id = call.header(header).ok_or_else(Refusal::unauthorized)?;
    let id = crate::hash::parse_uuid(id).ok_or_else(|| Refusal::bad_request("Invalid request"))?;
    let kind = match route.scope {
        Scope::Partner => CredentialKind::Partner,
        Scope::Organization => CredentialKind::Organization,
        _ => {
            let text = call.header(header).unwrap_or_default();
            let tenant = central.world.tenant(text);
            let tenant = tenant.ok_or_else(Refusal::forbidden)?;
            reach(tenant, region, route, who)?;
            return Ok(Some(tenant));
        }
    };
    if who.kind != kind {
        return Err(Refusal::denied());
    }
    if who.principal_id != id {
        return Err(Refusal::forbidden());
    }
    Ok(None)
}

/// Checks that a credential reaches a tenant on this host.
fn reach(tenant: &Tenant, region: usize, route: &Route, who: &Credential) -> Result<(), Refusal> {
    let theirs = match who.kind {
        CredentialKind::Partner => tenant.owner.is_partners(),
        CredentialKind::Organization => tenant.owner.is_organizations(),
        CredentialKind::Tenant => who.tenant == Some(tenant.number),
    };
    if !theirs {
        return Err(Refusal::forbidden());
    }
    // Another region's host does not know the tenant, so to it nobody is authorised.
    if tenant.region.number() != region {
        return Err(Refusal::unauthorized());
    }
    match tenant.state.get() {
        TenantState::Active => Ok(()),
        TenantState::Forbidden | TenantState::Gone => Err(Refusal::forbidden()),
        TenantState::AlertsDenied => {
            let family = route.operation.split('.').next().unwrap_or_default();
            if matches!(family, "alerts" | "siem") { Err(Refusal::denied()) } else { Ok(()) }
        }
    }
}

fn finish(central: &Central, answer: Answer, fault: Option<&FaultAction>) -> Response<Content> {
    central.calls.answered(answer.status);
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
        central.served.note(*dataset, *tenant, indexes);
    }
    let bytes = Bytes::from(body);
    let length = bytes.len();
    let content = if torn { Content::torn(&bytes) } else { Content::whole(bytes) };
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
