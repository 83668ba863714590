//! `POST /api/v2/oauth2/token`, on the identity service's host

use http::{HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{Credentials, Error, Operation, RequestTarget, Route};

/// Trades a credential for a token.
///
/// A [`Client`](crate::Client) does so by itself. The secret is in the body of
/// the request and nowhere else: neither debug output nor serialization shows
/// it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RequestToken<'c> {
    #[serde(skip)]
    credentials: &'c Credentials,
}

impl<'c> RequestToken<'c> {
    /// Asks for a token for this credential.
    pub fn new(credentials: &'c Credentials) -> Self {
        Self { credentials }
    }
}

impl Operation for RequestToken<'_> {
    type Response = TokenResponse;
    const ROUTE: Route = Route::post("/api/v2/oauth2/token").identity().idempotent();

    fn to_request(&self, target: &RequestTarget) -> Result<http::Request<Vec<u8>>, Error> {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let body = format!(
            "grant_type=client_credentials&scope=token&client_id={}&client_secret={}",
            encode(self.credentials.client_id()),
            encode(self.credentials.client_secret().expose_secret()),
        );
        let url = target.base.join(Self::ROUTE.path);
        let mut request = http::Request::new(body.into_bytes());
        *request.method_mut() = Self::ROUTE.method;
        *request.uri_mut() =
            url.parse().map_err(|error: http::uri::InvalidUri| Error::invalid(error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        Ok(request)
    }
}

/// A token, and how long it lives. Not printed.
#[derive(Debug, Deserialize)]
#[non_exhaustive]
pub struct TokenResponse {
    /// The token. Opaque.
    pub access_token: Option<SecretString>,
    /// Seconds until it expires; an hour as a rule.
    pub expires_in: Option<u64>,
    /// `success`: a good answer carries an error code too.
    #[serde(rename = "errorCode")]
    pub error_code: Option<String>,
    /// The service's id of the request.
    #[serde(rename = "trackingId")]
    pub tracking_id: Option<String>,
}
