//! The conversion of a request to an event of payload format 2.0.

use std::{net::IpAddr, time::SystemTime};

use axum::http::{HeaderMap, HeaderValue, header, request::Parts};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use crate::ids;

/// The API id; AWS generates a random one.
const API_ID: &str = "local";

pub(super) fn event(parts: &Parts, body: &[u8], source: IpAddr, region: &str) -> Value {
    let path = if parts.uri.path().is_empty() { "/" } else { parts.uri.path() };
    let query = parts.uri.query().unwrap_or_default();
    let agent = parts.headers.get(header::USER_AGENT).map(text).unwrap_or_default();
    let now = jiff::Timestamp::try_from(SystemTime::now()).unwrap_or_default();
    let text_body =
        std::str::from_utf8(body).ok().filter(|_| body.is_empty() || is_text_content(&parts.headers));
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&parts.headers),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": API_ID,
            "domainName": format!("{API_ID}.lambda-url.{region}.on.aws"),
            "domainPrefix": API_ID,
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", parts.version),
                "sourceIp": source.to_string(),
                "userAgent": agent,
            },
            "requestId": ids::request_id(),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": text_body.is_none(),
    });
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    if !query.is_empty() {
        event["queryStringParameters"] = Value::Object(query_parameters(query));
    }
    if !body.is_empty() {
        let body = text_body.map_or_else(|| BASE64_STANDARD.encode(body), str::to_owned);
        event["body"] = body.into();
    }
    event
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// All headers except cookies, which have their own member. Repeated headers are joined into
/// one value.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let names = headers.keys().filter(|name| **name != header::COOKIE);
    names
        .map(|name| {
            let values: Vec<_> = headers.get_all(name).iter().map(text).collect();
            (name.as_str().to_owned(), values.join(",").into())
        })
        .collect()
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::COOKIE).iter().map(text);
    let cookies =
        values.flat_map(|value| value.split(';').map(|one| one.trim().to_owned()).collect::<Vec<_>>());
    cookies.filter(|cookie| !cookie.is_empty()).collect()
}

fn query_parameters(query: &str) -> Map<String, Value> {
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match parameters.get_mut(name.as_ref()) {
            Some(Value::String(values)) => {
                values.push(',');
                values.push_str(&value);
            }
            _ => {
                parameters.insert(name.into_owned(), value.into_owned().into());
            }
        }
    }
    parameters
}

/// Whether a body of this content type is passed as text. Forms are passed as base64.
fn is_text_content(headers: &HeaderMap) -> bool {
    let Some(Ok(kind)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"].contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}
