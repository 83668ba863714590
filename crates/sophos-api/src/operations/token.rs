//! `POST /api/v2/oauth2/token`, on the identity service's host

use http::{HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{Credentials, Error, Operation, RequestTarget, Route, models::lenient::lenient_id};

/// The longest lifetime that the client accepts for a token, in seconds: a day.
pub const MAX_TOKEN_LIFETIME: u64 = 86_400;

/// Exchanges a credential for an access token.
///
/// A [`Client`](crate::Client) sends it by itself. The secret is in the body of
/// the request alone: neither debug output nor serialization shows it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RequestToken<'c> {
    #[serde(skip)]
    credentials: &'c Credentials,
}

impl<'c> RequestToken<'c> {
    /// Requests a token for this credential.
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

/// An access token and its lifetime. Debug output does not show the token.
#[derive(Debug, Deserialize)]
#[non_exhaustive]
pub struct TokenResponse {
    /// The token. Opaque.
    pub access_token: Option<SecretString>,
    /// The lifetime in seconds, usually 3,600.
    ///
    /// A fraction is dropped, a negative number is 0, and the upper bound is
    /// [`MAX_TOKEN_LIFETIME`]. `None` for anything but a number.
    #[serde(default, deserialize_with = "seconds")]
    pub expires_in: Option<u64>,
    /// `success`: a successful response carries an error code too.
    #[serde(default, rename = "errorCode", deserialize_with = "lenient_id")]
    pub error_code: Option<String>,
    /// The service's id of the request.
    #[serde(default, rename = "trackingId", deserialize_with = "lenient_id")]
    pub tracking_id: Option<String>,
}

/// Reads seconds from a number or from the text of one.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let number: Option<f64> = raw.get().trim_matches('"').trim().parse().ok();
    Ok(number.filter(|number| !number.is_nan()).map(|number| (number as u64).min(MAX_TOKEN_LIFETIME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expires_in_is_read_from_any_form() {
        for (json, seconds) in [
            ("3600", Some(3_600)),
            ("3599.9", Some(3_599)),
            ("3.6e3", Some(3_600)),
            (r#""3600""#, Some(3_600)),
            (r#"" 3600.0 ""#, Some(3_600)),
            ("0", Some(0)),
            ("-1", Some(0)),
            (r#""-7""#, Some(0)),
            ("18446744073709551615", Some(MAX_TOKEN_LIFETIME)),
            ("1e400", Some(MAX_TOKEN_LIFETIME)),
            (r#""inf""#, Some(MAX_TOKEN_LIFETIME)),
            (r#""NaN""#, None),
            (r#""soon""#, None),
            (r#""""#, None),
            ("null", None),
            ("true", None),
            ("[3600]", None),
            (r#"{"seconds":3600}"#, None),
        ] {
            let body = format!(r#"{{"access_token":"t","expires_in":{json},"errorCode":7}}"#);
            let response: TokenResponse = serde_json::from_str(&body).expect(json);
            assert_eq!(response.expires_in, seconds, "{json}");
            assert_eq!(response.error_code.as_deref(), Some("7"));
        }
        let absent: TokenResponse = serde_json::from_str(r#"{"access_token":"t"}"#).expect("no lifetime");
        assert_eq!((absent.expires_in, absent.error_code, absent.tracking_id), (None, None, None));
    }
}
