use bytes::Bytes;
use http::{HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub use crate::scope::{ApiHost, ScopeHeader};
use crate::{error::Error, error_kind::ErrorKind, hosts::BaseUrl};

/// The characters that are not encoded in a path segment or a query value.
pub(crate) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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

/// Builds the request of a route from the fields of an operation. It is not generic,
/// so that it is compiled once.
pub(crate) fn build_request(
    route: &Route,
    fields: serde_json::Result<Value>,
    target: &RequestTarget,
) -> Result<http::Request<Vec<u8>>, Error> {
    let Ok(Value::Object(mut fields)) = fields else {
        return Err(Error::invalid("an operation must serialize as a JSON object"));
    };
    fields.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
    let header = route.header.map(|(field, name)| {
        let field = camel_case(field);
        let value = fields.remove(&field).as_ref().and_then(Value::as_str).map(HeaderValue::try_from);
        let value = value.and_then(Result::ok).filter(|value| !value.is_empty());
        let invalid = || Error::invalid(format!("missing {field}: expected the value of a header"));
        Ok((name, value.ok_or_else(invalid)?))
    });
    let header = header.transpose()?;
    let mut url = target.base.join(&build_path(route.path, &mut fields)?);
    let in_query = !route.has_body();
    let body = if in_query {
        push_query(&mut url, &fields);
        Vec::new()
    } else {
        let query = route.query.iter().map(|name| camel_case(name));
        let query: Map<_, _> =
            query.filter_map(|name| fields.remove(&name).map(|value| (name, value))).collect();
        push_query(&mut url, &query);
        // The service expects `{}` rather than an empty body.
        Value::Object(fields).to_string().into_bytes()
    };
    let mut request = http::Request::new(body);
    *request.method_mut() = route.method.clone();
    *request.uri_mut() =
        url.parse().map_err(|error: http::uri::InvalidUri| Error::invalid(error.to_string()))?;
    let headers = request.headers_mut();
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    headers.insert(header::ACCEPT, JSON);
    let scope = target.scope.unwrap_or(route.scope);
    if let (Some(name), Some(id)) = (scope.name(), &target.id) {
        let id = HeaderValue::try_from(id.as_str()).map_err(|error| Error::invalid(error.to_string()))?;
        headers.insert(name, id);
    }
    if !in_query {
        headers.insert(header::CONTENT_TYPE, JSON);
    }
    if let Some((name, value)) = header {
        headers.insert(name, value);
    }
    Ok(request)
}

pub(crate) fn parse_json<R: DeserializeOwned>(response: &http::Response<Bytes>) -> Result<R, Error> {
    if !response.status().is_success() {
        return Err(Error::from_response(response));
    }
    let malformed = |what: String| {
        Error::new(ErrorKind::Malformed).with_status(response.status().as_u16()).with_message(format!(
            "the body of {} bytes is not as documented ({what})",
            response.body().len()
        ))
    };
    // From text, like the fields of a record, so that one parser is compiled for both.
    let text = std::str::from_utf8(response.body())
        .map_err(|error| malformed(format!("invalid UTF-8 at byte {}", error.valid_up_to())))?;
    serde_json::from_str(text).map_err(|error| {
        malformed(format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()))
    })
}

/// Parses a response whose body is empty, or left out, as `null`.
#[cfg(feature = "catalog")]
pub(crate) fn parse_json_or_null<R: DeserializeOwned>(response: &http::Response<Bytes>) -> Result<R, Error> {
    if response.status().is_success() && response.body().is_empty() {
        return R::deserialize(Value::Null).map_err(|error| Error::malformed(error.to_string()));
    }
    parse_json(response)
}

fn build_path(template: &str, fields: &mut Map<String, Value>) -> Result<String, Error> {
    let mut path = String::with_capacity(template.len() + 40);
    for segment in template.split('/').skip(1) {
        path.push('/');
        let Some(name) = segment.strip_prefix(':') else {
            path.push_str(segment);
            continue;
        };
        match fields.remove(name) {
            // A segment of dots would leave the path.
            Some(Value::String(value)) if !value.chars().all(|character| character == '.') => {
                path.extend(utf8_percent_encode(&value, UNRESERVED));
            }
            Some(Value::Number(value)) => path.push_str(&value.to_string()),
            _ => return Err(Error::invalid(format!("missing {name}: expected a value that is not empty"))),
        }
    }
    Ok(path)
}

/// The name of a field as the service writes it.
pub(crate) fn camel_case(field: &str) -> String {
    let mut words = field.trim_start_matches("r#").split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(characters.as_str());
    }
    name
}

fn push_query(url: &mut String, fields: &Map<String, Value>) {
    let mut separator = '?';
    for (name, value) in fields {
        url.push(separator);
        separator = '&';
        url.push_str(name);
        url.push('=');
        match value {
            Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    if index > 0 {
                        url.push(',');
                    }
                    url.extend(utf8_percent_encode(&value_text(item), UNRESERVED));
                }
            }
            value => url.extend(utf8_percent_encode(&value_text(value), UNRESERVED)),
        }
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The method, path, host and scope of an operation.
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
