//! The operations, by host and path.

use std::sync::LazyLock;

use crate::call::Context;
use crate::engine::{Collection, Verb, audit, files};
use crate::handlers::{
    access_tokens, account_info, admins, alerts, business_automation, cases, cloud_security, detections,
    directory, dns_protection, email, endpoint, endpoints, firewall, fusion, health, health_scores, identity,
    isolation, licenses, live_discover, mac_filtering, mobile, partner, siem, tenants,
    user_activity_verification, web_filters, whoami, xdr_query,
};
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
    /// `X-Distributor-ID`, with the id of the partner
    Distributor,
    /// `X-Tenant-ID`
    Tenant,
    /// `X-Tenant-ID` or `X-Partner-ID`
    TenantOrPartner,
    /// `X-Tenant-ID`, or the account of the token without it
    OptionalTenant,
}

impl RequestScope {
    /// The header's name.
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated | Self::Token | Self::OptionalTenant => None,
            Self::Partner => Some("X-Partner-ID"),
            Self::Organization => Some("X-Organization-ID"),
            Self::Distributor => Some("X-Distributor-ID"),
            Self::Tenant | Self::TenantOrPartner => Some("X-Tenant-ID"),
        }
    }
}

pub(crate) type Function = fn(&Context<'_>) -> Result<ApiResponse, ApiError>;

/// The code of an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handler {
    Function(Function),
    Collection(Verb, &'static Collection),
}

/// The roles that may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// All roles.
    Read,
    /// `super_admin` and `management`.
    Change,
    /// `super_admin` and `forensics`: queries and their results.
    Query,
}

/// One operation.
#[derive(Debug, Clone, Copy)]
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
    /// The roles that may call it.
    pub access: Access,
    /// The status of a success.
    pub(crate) success: u16,
    pub(crate) handler: Handler,
}

impl Route {
    const fn new(
        operation: &'static str,
        method: &'static str,
        path: &'static str,
        handler: Handler,
    ) -> Self {
        Self {
            operation,
            method,
            path,
            host: HostKind::Region,
            scope: RequestScope::Tenant,
            is_write: false,
            access: Access::Read,
            success: 200,
            handler,
        }
    }

    /// A `GET` of a tenant on its regional host.
    pub(crate) const fn read(operation: &'static str, path: &'static str, function: Function) -> Self {
        Self::new(operation, "GET", path, Handler::Function(function))
    }

    /// A change of a tenant on its regional host, with status 200.
    pub(crate) const fn write(
        operation: &'static str,
        method: &'static str,
        path: &'static str,
        function: Function,
    ) -> Self {
        let route = Self::new(operation, method, path, Handler::Function(function));
        Self { is_write: true, access: Access::Change, ..route }
    }

    const fn verb(
        operation: &'static str,
        method: &'static str,
        path: &'static str,
        verb: Verb,
        collection: &'static Collection,
    ) -> Self {
        let route = Self::new(operation, method, path, Handler::Collection(verb, collection));
        match verb {
            Verb::List | Verb::Get => route,
            Verb::Create => Self { is_write: true, access: Access::Change, success: 201, ..route },
            _ => Self { is_write: true, access: Access::Change, ..route },
        }
    }

    /// `GET` of a page of records.
    pub(crate) const fn list(operation: &'static str, path: &'static str, of: &'static Collection) -> Self {
        Self::verb(operation, "GET", path, Verb::List, of)
    }

    /// `POST` of a new record, with status 201.
    pub(crate) const fn create(operation: &'static str, path: &'static str, of: &'static Collection) -> Self {
        Self::verb(operation, "POST", path, Verb::Create, of)
    }

    /// `GET` of one record.
    pub(crate) const fn get(operation: &'static str, path: &'static str, of: &'static Collection) -> Self {
        Self::verb(operation, "GET", path, Verb::Get, of)
    }

    /// `PATCH` of one record.
    pub(crate) const fn update(operation: &'static str, path: &'static str, of: &'static Collection) -> Self {
        Self::verb(operation, "PATCH", path, Verb::Update, of)
    }

    /// `PUT` of one record.
    pub(crate) const fn replace(
        operation: &'static str,
        path: &'static str,
        of: &'static Collection,
    ) -> Self {
        Self::verb(operation, "PUT", path, Verb::Replace, of)
    }

    /// `DELETE` of one record.
    pub(crate) const fn delete(operation: &'static str, path: &'static str, of: &'static Collection) -> Self {
        Self::verb(operation, "DELETE", path, Verb::Delete, of)
    }

    pub(crate) const fn with_method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(crate) const fn with_success(self, success: u16) -> Self {
        Self { success, ..self }
    }

    /// Serves the operation on the global host.
    pub(crate) const fn global(self) -> Self {
        Self { host: HostKind::Global, ..self }
    }

    /// Serves the operation to the partner, on the global host.
    pub(crate) const fn partner(self) -> Self {
        Self { scope: RequestScope::Partner, ..self.global() }
    }

    /// Serves the operation to the distributor, on the global host.
    pub(crate) const fn distributor(self) -> Self {
        Self { scope: RequestScope::Distributor, ..self.global() }
    }

    const fn organization(self) -> Self {
        Self { scope: RequestScope::Organization, ..self.global() }
    }

    /// Serves the operation to a tenant or the partner, by the header of the call.
    pub(crate) const fn tenant_or_partner(self) -> Self {
        Self { scope: RequestScope::TenantOrPartner, ..self }
    }

    /// Serves the operation to the caller's own account, or to the tenant in the header.
    pub(crate) const fn optional_tenant(self) -> Self {
        Self { scope: RequestScope::OptionalTenant, ..self }
    }

    pub(crate) const fn unauthenticated(self) -> Self {
        Self { scope: RequestScope::Unauthenticated, ..self }
    }

    /// Restricts the operation to the roles that may run queries.
    pub(crate) const fn query(self) -> Self {
        Self { access: Access::Query, ..self }
    }
}

static SINGLE: &[Route] = &[
    Route {
        host: HostKind::Identity,
        ..Route::read("token", "/api/v2/oauth2/token", identity::issue_token)
            .with_method("POST")
            .unauthenticated()
    },
    Route { scope: RequestScope::Token, ..Route::read("whoami", "/whoami/v1", whoami::whoami).global() },
    Route::read("partner.tenants", "/partner/v1/tenants", tenants::list).partner(),
    Route::write("partner.tenants.create", "POST", "/partner/v1/tenants", tenants::create)
        .with_success(201)
        .partner(),
    Route::read("partner.tenant", "/partner/v1/tenants/:tenantId", tenants::get).partner(),
    Route::read("organization.tenants", "/organization/v1/tenants", tenants::list).organization(),
    Route::read("organization.tenant", "/organization/v1/tenants/:tenantId", tenants::get).organization(),
    Route::read("siem.events", "/siem/v1/events", siem::events),
    Route::read("siem.alerts", "/siem/v1/alerts", siem::alerts),
    Route::read("alerts.list", "/common/v1/alerts", alerts::list),
    Route::read("alerts.search", "/common/v1/alerts/search", alerts::search).with_method("POST"),
    Route::read("alerts.get", "/common/v1/alerts/:alertId", alerts::get),
    Route::write("alerts.act", "POST", "/common/v1/alerts/:alertId/actions", alerts::perform_action),
    Route::read("endpoints.list", "/endpoint/v1/endpoints", endpoints::list),
    Route::write("isolation.bulk", "POST", "/endpoint/v1/endpoints/isolation", isolation::bulk),
    Route::read("endpoints.get", "/endpoint/v1/endpoints/:endpointId", endpoints::get),
    Route::read("isolation.get", "/endpoint/v1/endpoints/:endpointId/isolation", isolation::get),
    Route::write("isolation.set", "PATCH", "/endpoint/v1/endpoints/:endpointId/isolation", isolation::set),
    Route {
        host: HostKind::Fusion,
        scope: RequestScope::Token,
        ..Route::read("graphql", "/graphql", fusion::graphql).with_method("POST")
    },
    Route::read("health.check", "/account-health-check/v1/health-check", health::check),
];

/// The operations, a table for each family.
static FAMILIES: &[&[Route]] = &[
    SINGLE,
    files::ROUTES,
    audit::ROUTES,
    admins::ROUTES,
    directory::ROUTES,
    partner::ROUTES,
    access_tokens::ROUTES,
    account_info::ROUTES,
    business_automation::ROUTES,
    cloud_security::ROUTES,
    dns_protection::ROUTES,
    email::ROUTES,
    firewall::ROUTES,
    licenses::ROUTES,
    cases::ROUTES,
    detections::ROUTES,
    live_discover::ROUTES,
    mac_filtering::ROUTES,
    mobile::ROUTES,
    xdr_query::ROUTES,
    health_scores::ROUTES,
    user_activity_verification::ROUTES,
    web_filters::ROUTES,
];

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    FAMILIES.iter().chain(endpoint::FAMILIES).flat_map(|family| family.iter().copied()).collect()
});

/// Every operation the simulator serves.
pub fn routes() -> &'static [Route] {
    &ROUTES
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
    let mut other_method = false;
    let mut best: Option<(&'static Route, Vec<&'a str>)> = None;
    for route in ROUTES.iter().filter(|route| route.host == host) {
        let Some(params) = match_path(route.path, path) else { continue };
        if route.method != method.as_str() {
            other_method = true;
        } else if best.as_ref().is_none_or(|(_, others)| params.len() < others.len()) {
            // A literal part, as in `roles/permission-sets`, precedes a variable one.
            best = Some((route, params));
        }
    }
    if let Some((route, params)) = best {
        return RouteMatch::Route(route, params);
    }
    if other_method {
        return RouteMatch::MethodNotAllowed;
    }
    let family = path.split('/').nth(1).unwrap_or_default();
    let global =
        ["partner", "organization", "whoami", "licenses", "accounts", "audit", "business-automation"];
    if host == HostKind::Region && global.contains(&family) {
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
