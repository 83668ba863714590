//! Operations by their fields, with the service's own JSON as the response.

use std::marker::PhantomData;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use sophos_api::{
    ApiClient, Error, Operation, RequestTarget, Route, ScopeHeader,
    catalog::{self, OperationDescription},
    models::IdType,
};

use crate::{
    connect::{CliClient, CliTenant},
    exit::{Exit, Failure},
    json::Json,
    verb::Fields,
};

/// The addressee of an operation.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A tenant.
    Tenant(CliTenant),
    /// The partner, the organization, or none.
    Account(CliClient),
}

/// An operation that takes its fields as JSON.
pub(crate) trait Call: Sync {
    /// The method, path, host and scope header.
    fn route(&self) -> Route;

    /// The operation as data.
    fn description(&self) -> Option<&'static OperationDescription> {
        let route = self.route();
        catalog::operations().find(|operation| *operation.route() == route)
    }

    /// Checks the fields as the typed operation does before it is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](sophos_api::ErrorKind::Invalid) for an unknown, missing or
    /// invalid field.
    fn check(&self, fields: &Fields) -> Result<(), Error> {
        self.description().map_or(Ok(()), |operation| operation.request(fields.clone()).map(drop))
    }

    /// Sends the operation.
    fn send(&self, target: Target, fields: Fields) -> LocalBoxFuture<'static, Result<Json, Error>>;

    /// Builds the request, without sending it.
    ///
    /// # Errors
    /// When a field of the path is missing.
    fn request(&self, target: &RequestTarget, fields: Fields) -> Result<http::Request<Vec<u8>>, Error>;
}

/// An operation of the client.
pub(crate) struct Typed<O>(PhantomData<fn() -> O>);

impl<O> Typed<O> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<O: Operation + 'static> Call for Typed<O> {
    fn route(&self) -> Route {
        O::ROUTE
    }

    fn send(&self, target: Target, fields: Fields) -> LocalBoxFuture<'static, Result<Json, Error>> {
        let operation = Untyped::<O>::new(fields);
        Box::pin(async move {
            match target {
                Target::Tenant(tenant) => tenant.send(&operation).await,
                Target::Account(client) => client.send(&operation).await,
            }
        })
    }

    fn request(&self, target: &RequestTarget, fields: Fields) -> Result<http::Request<Vec<u8>>, Error> {
        Untyped::<O>::new(fields).to_request(target)
    }
}

/// The fields of an operation, with its route.
#[derive(Serialize)]
#[serde(transparent)]
struct Untyped<O> {
    fields: Fields,
    #[serde(skip)]
    operation: PhantomData<fn() -> O>,
}

impl<O> Untyped<O> {
    fn new(fields: Fields) -> Self {
        Self { fields, operation: PhantomData }
    }
}

impl<O> std::fmt::Debug for Untyped<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Untyped").finish_non_exhaustive()
    }
}

impl<O: Operation> Operation for Untyped<O> {
    type Response = Json;
    const ROUTE: Route = O::ROUTE;

    fn parse_response(response: &http::Response<Bytes>) -> Result<Json, Error> {
        // A 204, or a body that the service leaves out.
        if response.status().is_success() && response.body().is_empty() {
            return Ok(Json::Null);
        }
        Plain::parse_response(response)
    }
}

/// Provides the parser of responses.
#[derive(Debug, Serialize)]
struct Plain;

impl Operation for Plain {
    type Response = Json;
    const ROUTE: Route = Route::get("/");
}

/// The operation for this credential: a tenant's if a tenant is chosen or the credential
/// is a tenant's, else the one of its own type.
///
/// # Errors
/// When the noun needs a credential of another type.
pub(crate) fn choose<'c>(
    calls: &[&'c dyn Call],
    id_type: &IdType,
    wants_tenant: bool,
) -> Result<&'c dyn Call, Failure> {
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
