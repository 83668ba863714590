//! Operations by their fields, with the service's own JSON as the response.

use serde_json::Value;
use sophos_api::{
    ApiClient, Error, Operation, Route, ScopeHeader,
    catalog::{self, DescribedRequest, OperationDescription},
    models::IdType,
};

use crate::{
    connect::{CliClient, CliTenant},
    exit::{Exit, Failure},
    json::Json,
};

/// The addressee of an operation.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A tenant.
    Tenant(CliTenant),
    /// The partner, the organization, or none.
    Account(CliClient),
}

impl Target {
    /// Sends a request.
    ///
    /// # Errors
    /// As for [`ApiClient::send_described`].
    pub(crate) async fn send(&self, request: &DescribedRequest) -> Result<Json, Error> {
        match self {
            Self::Tenant(tenant) => tenant.send_described(request).await,
            Self::Account(client) => client.send_described(request).await,
        }
    }
}

/// An operation of the client. The compiler knows that it exists, but no code of its type
/// is in the program: it is sent by its description.
#[derive(Clone, Copy)]
pub(crate) struct Op {
    route: fn() -> Route,
}

impl Op {
    /// The operation of this type.
    pub(crate) const fn of<O: Operation>() -> Self {
        Self { route: || O::ROUTE }
    }

    /// The method, path, host and scope header.
    pub(crate) fn route(self) -> Route {
        (self.route)()
    }

    /// The operation as data.
    ///
    /// # Errors
    /// When the catalogue does not have it.
    pub(crate) fn describe(self) -> Result<&'static OperationDescription, Failure> {
        let route = self.route();
        let described = catalog::operations().find(|operation| *operation.route() == route);
        described.ok_or_else(|| Failure::other(format!("the catalogue has no operation {route}")))
    }
}

/// The request for the page after this one; `None` after the last.
///
/// # Errors
/// When the page names itself as the next.
pub(crate) fn next_page(request: &DescribedRequest, page: &Json) -> Result<Option<DescribedRequest>, Error> {
    let member = |name: &str| page.get(name).map_or(Value::Null, Json::to_value);
    // Of the records only their presence counts.
    let has_items = matches!(page.get("items"), Some(Json::Array(items)) if !items.is_empty());
    request.next_page(&serde_json::json!({
        "pages": member("pages"),
        "has_more": member("has_more"),
        "next_cursor": member("next_cursor"),
        "items": if has_items { vec![Value::Null] } else { Vec::new() },
    }))
}

/// The operation for this credential: a tenant's if a tenant is chosen or the credential
/// is a tenant's, else the one of its own type.
///
/// # Errors
/// When the noun needs a credential of another type.
pub(crate) fn choose(calls: &[Op], id_type: &IdType, wants_tenant: bool) -> Result<Op, Failure> {
    let find = |scope: ScopeHeader| calls.iter().copied().find(|call| call.route().scope == scope);
    let own = match id_type {
        IdType::Partner => find(ScopeHeader::Partner),
        IdType::Organization => find(ScopeHeader::Organization),
        _ => None,
    };
    let tenant = find(ScopeHeader::Tenant)
        .or_else(|| find(ScopeHeader::TenantOrOwner))
        .or_else(|| find(ScopeHeader::TenantOrPartner));
    let chosen = if wants_tenant { tenant.or(own) } else { own.or(tenant) };
    chosen.or_else(|| find(ScopeHeader::None)).ok_or_else(|| {
        let needed: Vec<_> = calls
            .iter()
            .map(|call| match call.route().scope {
                ScopeHeader::Partner => "a partner's",
                ScopeHeader::Organization => "an organization's",
                _ => "another",
            })
            .collect();
        let owner = match id_type {
            IdType::Partner => "a partner's".to_owned(),
            IdType::Organization => "an organization's".to_owned(),
            IdType::Tenant => "a tenant's".to_owned(),
            other => format!("of the type {other}"),
        };
        let message = format!("the command needs {} credential, and this one is {owner}", needed.join(" or "));
        Failure::new(Exit::Forbidden, message).hint(
            "run `sophos config test`; create partner credentials in Sophos Central Partner, under Settings & Policies > API Credentials",
        )
    })
}
