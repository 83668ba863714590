//! The plain forms of a request and a response.

use std::{borrow::Cow, fmt, net::IpAddr};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::verify::{ClientCertificate, SignedRequest};

/// An HTTP request.
#[derive(Clone, Default)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query without the question mark.
    pub query: String,
    /// The headers, with names in lower case. The values of a repeated name are
    /// joined by a comma.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
    /// The caller's address, from the server that accepted the connection.
    pub source_ip: Option<IpAddr>,
    /// The caller's certificate of mutual TLS, from the server that accepted the
    /// connection, never from a header.
    pub client_certificate: Option<ClientCertificate>,
}

// The path, the query and the headers may contain secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Request {
    /// Returns the value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a query parameter.
    pub(crate) fn query_parameter(&self, name: &str) -> Option<String> {
        find_pair(&self.query, name)
    }

    /// Returns the value of a form field in the body.
    pub(crate) fn form_field(&self, name: &str) -> Option<String> {
        find_pair(std::str::from_utf8(&self.body).ok()?, name)
    }
}

fn find_pair(pairs: &str, name: &str) -> Option<String> {
    let value = pairs.split('&').find_map(|pair| {
        let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
        (own == name).then_some(value)
    })?;
    let spaced = value.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

impl SignedRequest for Request {
    fn header(&self, name: &str) -> Option<&str> {
        Self::header(self, name)
    }

    fn path_secret(&self) -> Option<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).nth(2)
    }

    fn body(&self) -> &[u8] {
        &self.body
    }

    fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.client_certificate.as_ref()
    }
}

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    fn new(status: u16, kind: &str, body: String) -> Self {
        let headers =
            [("content-type", kind), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { status, headers, body }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// Returns an error response with a problem as JSON.
    pub fn error(status: u16, problem: &str) -> Self {
        Self::json(status, &json!({ "error": problem }))
    }

    /// Returns the response for a sender to retry: the ledger or the queue failed, or
    /// no policy is available.
    pub fn service_unavailable() -> Self {
        let mut response = Self::error(503, "recording the request failed; retry it later");
        response.headers.push(("retry-after".into(), "5".into()));
        response
    }

    pub(crate) fn method_not_allowed(methods: &str) -> Self {
        let mut response = Self::error(405, &format!("use {methods}"));
        response.headers.push(("allow".into(), methods.into()));
        response
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body.to_owned())
    }

    /// Returns a page that loads nothing, runs nothing, and cannot be framed.
    pub(crate) fn html(status: u16, body: &str) -> Self {
        let mut response = Self::new(status, "text/html; charset=utf-8", body.to_owned());
        let policy =
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
        response.headers.push(("content-security-policy".into(), policy.into()));
        response.headers.push(("referrer-policy".into(), "no-referrer".into()));
        response
    }

    /// Returns the value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}
