use bytes::Bytes;
use http::{HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    error::{Error, ErrorKind},
    hosts::BaseUrl,
};

/// What stays as it is in a path segment or a query value.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One operation of the service, as a value.
///
/// An implementation is a struct with the members that the service documents,
/// in its own words, and this: the route and the type of the answer. Members
/// that the route's path names go into the path. Of the others, a null is left
/// out, and what remains is the query of a `GET` or `DELETE` (lists joined by
/// commas) or the JSON body of anything else.
pub trait Operation: Serialize + std::fmt::Debug + Send + Sync {
    /// What the service answers.
    type Response: DeserializeOwned + Send + 'static;

    /// Method, path, host and header.
    const ROUTE: Route;

    /// Refuses values that the service could only reject.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], with what is wrong.
    fn validate(&self) -> Result<(), Error> {
        Ok(())
    }

    /// The request that this operation sends, without the token.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when [`validate`](Self::validate) fails or a member of
    /// the path is empty.
    fn to_request(&self, target: &RequestTarget) -> Result<http::Request<Vec<u8>>, Error> {
        self.validate()?;
        build_request(&Self::ROUTE, serde_json::to_value(self), target)
    }

    /// Reads the service's answer.
    ///
    /// # Errors
    /// The service's own refusal for a status other than 2xx, and
    /// [`ErrorKind::Malformed`] for a body that is not a `Response`.
    fn parse_response(response: &http::Response<Bytes>) -> Result<Self::Response, Error> {
        parse_json(response)
    }
}

/// The request of a route, with the members of an operation. Apart from
/// [`Operation::to_request`], so that it is compiled once.
fn build_request(
    route: &Route,
    members: serde_json::Result<Value>,
    target: &RequestTarget,
) -> Result<http::Request<Vec<u8>>, Error> {
    let Ok(Value::Object(mut members)) = members else {
        return Err(Error::invalid("an operation must serialize as a JSON object"));
    };
    members.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
    let mut url = target.base.join(&build_path(route.path, &mut members)?);
    let in_query = matches!(route.method, Method::GET | Method::DELETE);
    let body = if in_query {
        push_query(&mut url, &members);
        Vec::new()
    } else {
        // The service wants `{}` where there is nothing to say.
        Value::Object(members).to_string().into_bytes()
    };
    let mut request = http::Request::new(body);
    *request.method_mut() = route.method.clone();
    *request.uri_mut() =
        url.parse().map_err(|error: http::uri::InvalidUri| Error::invalid(error.to_string()))?;
    let headers = request.headers_mut();
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    headers.insert(header::ACCEPT, JSON);
    if let (Some(name), Some(id)) = (route.scope.name(), &target.id) {
        let id = HeaderValue::try_from(id.as_str()).map_err(|error| Error::invalid(error.to_string()))?;
        headers.insert(name, id);
    }
    if !in_query {
        headers.insert(header::CONTENT_TYPE, JSON);
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
    // As text: the members of a record are read from text too, and one reader is
    // compiled for both.
    let text = std::str::from_utf8(response.body())
        .map_err(|error| malformed(format!("no UTF-8 from byte {}", error.valid_up_to())))?;
    serde_json::from_str(text).map_err(|error| {
        malformed(format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()))
    })
}

fn build_path(template: &str, members: &mut Map<String, Value>) -> Result<String, Error> {
    let mut path = String::with_capacity(template.len() + 40);
    for segment in template.split('/').skip(1) {
        path.push('/');
        let Some(name) = segment.strip_prefix(':') else {
            path.push_str(segment);
            continue;
        };
        match members.remove(name) {
            // A segment of dots would climb out of the path.
            Some(Value::String(value)) if !value.chars().all(|character| character == '.') => {
                path.extend(utf8_percent_encode(&value, UNRESERVED));
            }
            _ => return Err(Error::invalid(format!("{name} must be given"))),
        }
    }
    Ok(path)
}

fn push_query(url: &mut String, members: &Map<String, Value>) {
    let mut separator = '?';
    for (name, value) in members {
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
            single => url.extend(utf8_percent_encode(&value_text(single), UNRESERVED)),
        }
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whose id an operation sends along, and in which header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeHeader {
    /// Nobody's: the token says enough.
    None,
    /// A tenant's, in `X-Tenant-ID`.
    Tenant,
    /// A partner's, in `X-Partner-ID`.
    Partner,
    /// An organization's, in `X-Organization-ID`.
    Organization,
}

impl ScopeHeader {
    /// The header's name.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Tenant => Some("X-Tenant-ID"),
            Self::Partner => Some("X-Partner-ID"),
            Self::Organization => Some("X-Organization-ID"),
        }
    }
}

/// Which host answers an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiHost {
    /// The identity service, which takes a secret and no token.
    Identity,
    /// The one host for all.
    Global,
    /// The host of the tenant's data region.
    DataRegion,
}

/// Method and path of an operation, and where and how it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path, with `:name` for each member that goes into it.
    pub path: &'static str,
    /// Which host answers.
    pub host: ApiHost,
    /// Whose id goes along.
    pub scope: ScopeHeader,
    /// Whether sending it twice does no more than sending it once.
    pub idempotent: bool,
}

impl Route {
    /// A tenant's operation, on the host of its data region.
    const fn new(method: Method, path: &'static str, repeatable: bool) -> Self {
        Self { method, path, host: ApiHost::DataRegion, scope: ScopeHeader::Tenant, idempotent: repeatable }
    }

    /// A `GET` of a tenant, which is safe to repeat.
    pub const fn get(path: &'static str) -> Self {
        Self::new(Method::GET, path, true)
    }

    /// A `POST` of a tenant, which is not safe to repeat unless
    /// [`idempotent`](Self::idempotent) says so.
    pub const fn post(path: &'static str) -> Self {
        Self::new(Method::POST, path, false)
    }

    /// A `PATCH` of a tenant, which is not safe to repeat unless
    /// [`idempotent`](Self::idempotent) says so.
    pub const fn patch(path: &'static str) -> Self {
        Self::new(Method::PATCH, path, false)
    }

    /// A `DELETE` of a tenant, which is safe to repeat.
    pub const fn delete(path: &'static str) -> Self {
        Self::new(Method::DELETE, path, true)
    }

    /// On the global host, with this scope's header.
    #[must_use]
    pub const fn global(mut self, scope: ScopeHeader) -> Self {
        self.host = ApiHost::Global;
        self.scope = scope;
        self
    }

    /// On the identity service's host, with nobody's id.
    #[must_use]
    pub const fn identity(mut self) -> Self {
        self.host = ApiHost::Identity;
        self.scope = ScopeHeader::None;
        self
    }

    /// Sending it twice does no more than sending it once.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// The host that an operation goes to, and the id that goes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTarget {
    pub(crate) base: BaseUrl,
    pub(crate) id: Option<String>,
}

impl RequestTarget {
    /// A host, and nobody's id.
    pub fn new(base: BaseUrl) -> Self {
        Self { base, id: None }
    }

    /// A host, and the id of the tenant, partner or organization.
    pub fn with_id(base: BaseUrl, id: impl Into<String>) -> Self {
        Self { base, id: Some(id.into()) }
    }
}
