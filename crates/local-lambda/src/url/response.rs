//! The conversion of a function's response to an HTTP response.

use axum::{
    Json,
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::InvocationOutcome;

/// Headers of the connection, which the function cannot set.
const CONNECTION_HEADERS: [HeaderName; 5] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::TRAILER, header::UPGRADE];

/// The HTTP response to an outcome.
pub(super) fn response(outcome: InvocationOutcome) -> Response {
    match outcome {
        InvocationOutcome::Ok(output) if output.get("statusCode").is_none_or(Value::is_null) => {
            Json(output).into_response()
        }
        InvocationOutcome::Ok(output) => structured_response(&output).unwrap_or_else(bad_gateway),
        InvocationOutcome::EventTooLarge { .. } => too_large(),
        _ => bad_gateway(),
    }
}

/// The response if the function failed or its response is invalid.
pub(super) fn bad_gateway() -> Response {
    (StatusCode::BAD_GATEWAY, Json(json!({ "Message": "Internal Server Error" }))).into_response()
}

/// The response to a request over the size limit.
pub(super) fn too_large() -> Response {
    (StatusCode::PAYLOAD_TOO_LARGE, Json(json!({ "Message": "Request Entity Too Large" }))).into_response()
}

fn structured_response(output: &Value) -> Option<Response> {
    let status = output["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok())?;
    // An interim status does not end an exchange.
    let status = StatusCode::from_u16(status).ok().filter(|status| (200..600).contains(&status.as_u16()))?;
    let body = match &output["body"] {
        Value::Null => Vec::new(),
        Value::String(body) if output["isBase64Encoded"] == true => BASE64_STANDARD.decode(body).ok()?,
        Value::String(body) => body.clone().into_bytes(),
        _ => return None,
    };
    let mut response = (status, Body::from(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in optional_members(&output["headers"])? {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = match value {
            Value::String(text) => HeaderValue::from_bytes(text.as_bytes()),
            Value::Number(_) | Value::Bool(_) => HeaderValue::try_from(value.to_string()),
            _ => return None,
        };
        if !CONNECTION_HEADERS.contains(&name) {
            headers.insert(name, value.ok()?);
        }
    }
    for cookie in output["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, HeaderValue::from_bytes(cookie.as_str()?.as_bytes()).ok()?);
    }
    Some(response)
}

fn optional_members(value: &Value) -> Option<impl Iterator<Item = (&String, &Value)>> {
    match value {
        Value::Null => Some(None),
        Value::Object(members) => Some(Some(members)),
        _ => None,
    }
    .map(|members| members.into_iter().flatten())
}
