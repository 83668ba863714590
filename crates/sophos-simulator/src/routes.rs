//! The operations, by host and path.

use crate::call::Context;
use crate::handlers::{alerts, endpoints, fusion, health, identity, isolation, siem, tenants, whoami};
use crate::response::{ApiError, ApiResponse};

/// The kinds of hosts that serve operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostKind {
    /// `id.sophos.com`
    Identity,
    /// `api.central.sophos.com`
    Global,
    /// `api-<region>.central.sophos.com`
    Region,
    /// `api.taegis.sophos.com`
    Fusion,
}

/// The scope of a call and its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestScope {
    /// No header and no token: a token request.
    Unauthenticated,
    /// No header: the token defines the scope.
    Token,
    /// `X-Partner-ID`
    Partner,
    /// `X-Organization-ID`
    Organization,
    /// `X-Tenant-ID`
    Tenant,
}

impl RequestScope {
    /// The header's name.
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated | Self::Token => None,
            Self::Partner => Some("X-Partner-ID"),
            Self::Organization => Some("X-Organization-ID"),
            Self::Tenant => Some("X-Tenant-ID"),
        }
    }
}

pub(crate) type Handler = fn(&Context<'_>) -> Result<ApiResponse, ApiError>;

/// One operation.
#[derive(Debug)]
#[non_exhaustive]
pub struct Route {
    /// The name in fault rules and call counts.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path; variable parts start with a colon.
    pub path: &'static str,
    /// The kind of its host.
    pub host: HostKind,
    /// The scope of a call.
    pub scope: RequestScope,
    /// Whether it writes, which read-only roles may not.
    pub is_write: bool,
    pub(crate) handler: Handler,
}

const fn get_route(
    operation: &'static str,
    path: &'static str,
    host: HostKind,
    scope: RequestScope,
    handler: Handler,
) -> Route {
    Route { operation, method: "GET", path, host, scope, is_write: false, handler }
}

const fn tenant_route(
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    changes: bool,
    handler: Handler,
) -> Route {
    Route {
        operation,
        method,
        path,
        host: HostKind::Region,
        scope: RequestScope::Tenant,
        is_write: changes,
        handler,
    }
}

use HostKind::{Global, Identity};
use RequestScope::{Organization, Partner, Token, Unauthenticated};

static ROUTES: &[Route] = &[
    Route {
        method: "POST",
        ..get_route("token", "/api/v2/oauth2/token", Identity, Unauthenticated, identity::issue_token)
    },
    get_route("whoami", "/whoami/v1", Global, Token, whoami::whoami),
    get_route("partner.tenants", "/partner/v1/tenants", Global, Partner, tenants::list),
    get_route("partner.tenant", "/partner/v1/tenants/:tenantId", Global, Partner, tenants::get),
    get_route("organization.tenants", "/organization/v1/tenants", Global, Organization, tenants::list),
    get_route(
        "organization.tenant",
        "/organization/v1/tenants/:tenantId",
        Global,
        Organization,
        tenants::get,
    ),
    tenant_route("siem.events", "GET", "/siem/v1/events", false, siem::events),
    tenant_route("siem.alerts", "GET", "/siem/v1/alerts", false, siem::alerts),
    tenant_route("alerts.list", "GET", "/common/v1/alerts", false, alerts::list),
    tenant_route("alerts.search", "POST", "/common/v1/alerts/search", false, alerts::search),
    tenant_route("alerts.get", "GET", "/common/v1/alerts/:alertId", false, alerts::get),
    tenant_route("alerts.act", "POST", "/common/v1/alerts/:alertId/actions", true, alerts::perform_action),
    tenant_route("endpoints.list", "GET", "/endpoint/v1/endpoints", false, endpoints::list),
    tenant_route("isolation.bulk", "POST", "/endpoint/v1/endpoints/isolation", true, isolation::bulk),
    tenant_route("endpoints.get", "GET", "/endpoint/v1/endpoints/:endpointId", false, endpoints::get),
    tenant_route(
        "isolation.get",
        "GET",
        "/endpoint/v1/endpoints/:endpointId/isolation",
        false,
        isolation::get,
    ),
    tenant_route(
        "isolation.set",
        "PATCH",
        "/endpoint/v1/endpoints/:endpointId/isolation",
        true,
        isolation::set,
    ),
    Route { method: "POST", ..get_route("graphql", "/graphql", HostKind::Fusion, Token, fusion::graphql) },
    tenant_route("health.check", "GET", "/account-health-check/v1/health-check", false, health::check),
];

/// Every operation the simulator serves.
pub fn routes() -> &'static [Route] {
    ROUTES
}

/// The result of a path lookup.
#[derive(Debug)]
pub(crate) enum RouteMatch<'a> {
    Route(&'static Route, Vec<&'a str>),
    /// A known path with another method.
    MethodNotAllowed,
    /// A path of the global host on a regional one.
    WrongHost,
    NotFound,
}

pub(crate) fn find<'a>(host: HostKind, method: &http::Method, path: &'a str) -> RouteMatch<'a> {
    let here = ROUTES.iter().filter(|r| r.host == host);
    let mut other_method = false;
    for route in here {
        if let Some(params) = match_path(route.path, path) {
            if route.method == method.as_str() {
                return RouteMatch::Route(route, params);
            }
            other_method = true;
        }
    }
    if other_method {
        return RouteMatch::MethodNotAllowed;
    }
    let family = path.split('/').nth(1).unwrap_or_default();
    if host == HostKind::Region && matches!(family, "partner" | "organization" | "whoami") {
        return RouteMatch::WrongHost;
    }
    RouteMatch::NotFound
}

fn match_path<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut params = Vec::new();
    let mut parts = path.split('/');
    for wanted in pattern.split('/') {
        let part = parts.next()?;
        if wanted.starts_with(':') {
            if part.is_empty() {
                return None;
            }
            params.push(part);
        } else if wanted != part {
            return None;
        }
    }
    parts.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn find_maps_paths_to_operations() {
        let name = |host, method, path| match find(host, &method, path) {
            RouteMatch::Route(route, params) => format!("{} {params:?}", route.operation),
            RouteMatch::MethodNotAllowed => "method".to_owned(),
            RouteMatch::WrongHost => "wrong host".to_owned(),
            RouteMatch::NotFound => "nothing".to_owned(),
        };
        let region = HostKind::Region;
        assert_eq!(name(region, Method::GET, "/siem/v1/events"), "siem.events []");
        assert_eq!(
            name(region, Method::PATCH, "/endpoint/v1/endpoints/x/isolation"),
            "isolation.set [\"x\"]"
        );
        assert_eq!(name(region, Method::POST, "/endpoint/v1/endpoints/isolation"), "isolation.bulk []");
        assert_eq!(name(region, Method::PUT, "/siem/v1/events"), "method");
        assert_eq!(name(region, Method::GET, "/partner/v1/tenants"), "wrong host");
        assert_eq!(name(region, Method::GET, "/nothing/v1/here"), "nothing");
        assert_eq!(name(HostKind::Global, Method::GET, "/siem/v1/events"), "nothing");
        assert_eq!(name(HostKind::Global, Method::GET, "/partner/v1/tenants/"), "nothing");
    }
}
