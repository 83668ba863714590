mod access;
// Each family uses some of the checks.
#[cfg_attr(not(feature = "all"), allow(dead_code))]
pub(crate) mod checks;
pub(crate) mod macros;
pub(crate) mod request;
mod scope;
#[cfg(test)]
pub(crate) mod tested;

use bytes::Bytes;
use bytestring::ByteString;
use http::Method;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, ErrorKind},
    hosts::BaseUrl,
};

pub use access::{RequiredAccess, ServiceRole};
use request::build_request;
pub use scope::{ApiHost, ScopeHeader};

/// One operation of the service.
///
/// An implementation is a struct with the service's field names, the route, and the
/// type of the response. Fields that the route's path names go into the path. The
/// others, without nulls and empty lists, become the query of a `GET` or `DELETE`
/// (lists joined by commas) or the JSON body of any other method.
///
/// ```
/// use serde::Serialize;
/// use sophos_api::{Operation, RequestTarget, Route};
///
/// /// Reads a role.
/// #[derive(Debug, Serialize)]
/// #[serde(rename_all = "camelCase")]
/// struct GetRole {
///     role_id: String,
/// }
///
/// impl Operation for GetRole {
///     type Response = serde_json::Value;
///     const ROUTE: Route = Route::get("/common/v1/roles/:roleId");
/// }
///
/// let target = RequestTarget::with_id("https://api-eu01.central.sophos.com".parse()?, "a tenant's id");
/// let request = GetRole { role_id: "7".to_owned() }.to_request(&target)?;
/// assert_eq!(request.uri().path(), "/common/v1/roles/7");
/// # Ok::<(), sophos_api::Error>(())
/// ```
pub trait Operation: Serialize + std::fmt::Debug + Send + Sync {
    /// The type of the response.
    type Response: DeserializeOwned + Send + 'static;

    /// The method, path, host and scope header.
    const ROUTE: Route;

    /// Checks the values before anything is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], with the value and the expected ones.
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Converts the operation into a request without the token.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when [`validate`](Self::validate) fails or a field of
    /// the path is empty.
    fn to_request(&self, target: &RequestTarget) -> Result<http::Request<Vec<u8>>, Error> {
        self.validate()?;
        build_request(&Self::ROUTE, serde_json::to_value(self), target)
    }

    /// Parses the response of the service.
    ///
    /// # Errors
    /// The service's error for a status other than 2xx, and [`ErrorKind::Malformed`]
    /// for a body that is not a `Response`.
    fn parse_response(response: &http::Response<Bytes>) -> Result<Self::Response, Error> {
        parse_json(response)
    }
}

pub(crate) fn parse_json<R: DeserializeOwned>(response: &http::Response<Bytes>) -> Result<R, Error> {
    parse_body(response, |body| serde_json::from_str(&body))
}

/// Parses the body of a successful response. It is text, like the fields of a record, so
/// that one parser is compiled for both.
pub(crate) fn parse_body<R>(
    response: &http::Response<Bytes>,
    parse: impl FnOnce(ByteString) -> serde_json::Result<R>,
) -> Result<R, Error> {
    parse(success_text(response)?).map_err(|error| malformed_json(response, &error))
}

fn success_text(response: &http::Response<Bytes>) -> Result<ByteString, Error> {
    if !response.status().is_success() {
        return Err(Error::from_response(response));
    }
    ByteString::try_from(response.body().clone())
        .map_err(|error| malformed_body(response, &format!("invalid UTF-8 at byte {}", error.valid_up_to())))
}

fn malformed_json(response: &http::Response<Bytes>, error: &serde_json::Error) -> Error {
    let (kind, line, column) = (error.classify(), error.line(), error.column());
    malformed_body(response, &format!("{kind:?} error at line {line} column {column}"))
}

fn malformed_body(response: &http::Response<Bytes>, what: &str) -> Error {
    let message = format!("the body of {} bytes is not as documented ({what})", response.body().len());
    Error::new(ErrorKind::Malformed).with_status(response.status().as_u16()).with_message(message)
}

/// Parses a response whose body is empty, or left out, as `null`.
#[cfg(feature = "catalog")]
pub(crate) fn parse_json_or_null<R: DeserializeOwned>(response: &http::Response<Bytes>) -> Result<R, Error> {
    if response.status().is_success() && response.body().is_empty() {
        return R::deserialize(serde_json::Value::Null).map_err(|error| Error::malformed(error.to_string()));
    }
    parse_json(response)
}

/// The method, path, host and scope of an operation.
///
/// ```
/// use sophos_api::{Route, ScopeHeader};
///
/// const SEARCH: Route = Route::post("/common/v1/alerts/search").idempotent();
/// assert_eq!(SEARCH.to_string(), "POST /common/v1/alerts/search");
/// assert!(SEARCH.has_body() && SEARCH.scope == ScopeHeader::Tenant);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path, with `:name` for each field in it.
    pub path: &'static str,
    /// The host.
    pub host: ApiHost,
    /// The scope header.
    pub scope: ScopeHeader,
    /// Whether a repetition has no further effect.
    pub idempotent: bool,
    /// The fields, by their Rust names, that go into the query of a method with a body.
    pub query: &'static [&'static str],
    /// The field, by its Rust name, that goes into a header, and the header's name in
    /// lower case.
    pub header: Option<(&'static str, &'static str)>,
    /// The permission that the published specification names, such as
    /// `fwcm.firewall.group:read`; `None` if it is unknown.
    pub permission: Option<&'static str>,
    /// The field of a GraphQL document, such as `cases`.
    pub graphql_field: Option<&'static str>,
    /// The operation to send instead for a tenant that has moved to Sophos Fusion, such
    /// as `fusion::cases::ListCases`.
    pub fusion_replacement: Option<&'static str>,
}

impl Route {
    /// An operation of a tenant, on the host of its data region.
    const fn new(method: Method, path: &'static str, idempotent: bool) -> Self {
        Self {
            method,
            path,
            host: ApiHost::DataRegion,
            scope: ScopeHeader::Tenant,
            idempotent,
            query: &[],
            header: None,
            permission: None,
            graphql_field: None,
            fusion_replacement: None,
        }
    }

    /// A `GET` of a tenant, which is idempotent.
    pub const fn get(path: &'static str) -> Self {
        Self::new(Method::GET, path, true)
    }

    /// A `POST` of a tenant, which is not idempotent by default.
    pub const fn post(path: &'static str) -> Self {
        Self::new(Method::POST, path, false)
    }

    /// A `PATCH` of a tenant, which is not idempotent by default.
    pub const fn patch(path: &'static str) -> Self {
        Self::new(Method::PATCH, path, false)
    }

    /// A `PUT` of a tenant, which is idempotent.
    pub const fn put(path: &'static str) -> Self {
        Self::new(Method::PUT, path, true)
    }

    /// A `DELETE` of a tenant, which is idempotent.
    pub const fn delete(path: &'static str) -> Self {
        Self::new(Method::DELETE, path, true)
    }

    /// Whether the request has a JSON body, which may be `{}`.
    pub fn has_body(&self) -> bool {
        !matches!(self.method, Method::GET | Method::DELETE)
    }

    /// Sets the global host and this scope header.
    #[must_use]
    pub const fn global(mut self, scope: ScopeHeader) -> Self {
        self.host = ApiHost::Global;
        self.scope = scope;
        self
    }

    /// Sets the scope header, and keeps the host.
    #[must_use]
    pub const fn scoped(mut self, scope: ScopeHeader) -> Self {
        self.scope = scope;
        self
    }

    /// Sets the field that goes into the header of this lower-case name.
    #[must_use]
    pub const fn with_header(mut self, field: &'static str, name: &'static str) -> Self {
        self.header = Some((field, name));
        self
    }

    /// Sets the permission that the published specification names.
    #[must_use]
    pub const fn with_permission(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }

    /// Sets the host of the identity service, without a scope header.
    #[must_use]
    pub const fn identity(mut self) -> Self {
        self.host = ApiHost::Identity;
        self.scope = ScopeHeader::None;
        self
    }

    /// A GraphQL document of a tenant with this field. A query is idempotent.
    pub const fn graphql(field: &'static str, idempotent: bool) -> Self {
        let mut route = Self::new(Method::POST, "/graphql", idempotent);
        route.host = ApiHost::Fusion;
        route.graphql_field = Some(field);
        route
    }

    /// Declares the operation that replaces this one for a tenant that has moved to
    /// Sophos Fusion. The client refuses to send this one for such a tenant.
    #[must_use]
    pub const fn replaced_by(mut self, operation: &'static str) -> Self {
        self.fusion_replacement = Some(operation);
        self
    }

    /// Sets the fields that go into the query although the method has a body.
    #[must_use]
    pub const fn with_query(mut self, fields: &'static [&'static str]) -> Self {
        self.query = fields;
        self
    }

    /// Declares that a repetition has no further effect.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        self.graphql_field.map_or(Ok(()), |field| write!(f, " {field}"))
    }
}

/// The host of a request, and the id in its scope header.
///
/// ```
/// use sophos_api::{Operation, RequestTarget, operations::endpoint::endpoints::GetEndpoint};
///
/// let target = RequestTarget::with_id("https://api-eu01.central.sophos.com".parse()?, "11f104c5");
/// let request = GetEndpoint::new("7").to_request(&target)?;
/// assert_eq!(request.uri(), "https://api-eu01.central.sophos.com/endpoint/v1/endpoints/7");
/// assert_eq!(request.headers()["x-tenant-id"], "11f104c5");
/// # Ok::<(), sophos_api::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTarget {
    pub(crate) base: BaseUrl,
    pub(crate) id: Option<String>,
    /// The header, if it is not the default one of the route.
    pub(crate) scope: Option<ScopeHeader>,
}

impl RequestTarget {
    /// A host, without an id.
    pub fn new(base: BaseUrl) -> Self {
        Self { base, id: None, scope: None }
    }

    /// A host, with the id of the tenant, partner or organization.
    pub fn with_id(base: BaseUrl, id: impl Into<String>) -> Self {
        Self { base, id: Some(id.into()), scope: None }
    }

    /// Sets the header of the id, for operations with a choice of headers.
    #[must_use]
    pub fn scoped(mut self, scope: ScopeHeader) -> Self {
        self.scope = Some(scope);
        self
    }
}

#[cfg(all(test, feature = "catalog"))]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn empty_body_of_a_described_operation_is_null() {
        let parse = |status: u16, body: &'static str| {
            let response = http::Response::builder().status(status).body(Bytes::from(body));
            parse_json_or_null::<Value>(&response.expect("a response")).map_err(|error| error.kind())
        };
        assert_eq!(parse(204, ""), Ok(Value::Null));
        assert_eq!(parse(200, "[1]"), Ok(serde_json::json!([1])));
        assert_eq!(parse(200, "["), Err(ErrorKind::Malformed));
        assert_eq!(parse(404, ""), Err(ErrorKind::NotFound));
    }
}
