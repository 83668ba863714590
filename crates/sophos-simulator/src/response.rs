//! Responses, and errors in their known formats.

use serde_json::{Value, json};

use crate::call::Call;
use crate::hash::{Rng, uuid_text};
use crate::served::Dataset;
use crate::time;

/// The response of a host.
#[derive(Debug, Clone)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) retry_after: Option<String>,
    /// The records in the response: dataset, tenant index, record indexes.
    pub(crate) served: Option<(Dataset, usize, Vec<u64>)>,
}

impl ApiResponse {
    pub(crate) fn bytes(status: u16, body: Vec<u8>) -> Self {
        Self { status, content_type: "application/json", body, retry_after: None, served: None }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, body.to_string().into_bytes())
    }

    /// The HTML page of a gateway.
    pub(crate) fn html_page(status: u16) -> Self {
        let page = format!(
            "<html>\r\n<head><title>{status} Bad Gateway</title></head>\r\n<body>\r\n\
             <center><h1>{status} Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
        );
        Self { content_type: "text/html", ..Self::bytes(status, page.into_bytes()) }
    }

    /// The request in place of an error message, as a careless gateway may return it.
    pub(crate) fn echo(status: u16, call: &Call) -> Self {
        let authorization = call.header("authorization").unwrap_or_default();
        let body = String::from_utf8_lossy(&call.body);
        let secret = if authorization.is_empty() { &body } else { authorization };
        let mut whole = format!("{secret} {body} {} {}", call.method, call.path);
        for (name, value) in &call.headers {
            whole.push_str(&format!(" {name}: {}", String::from_utf8_lossy(value.as_bytes())));
        }
        let body = json!({
            "error": secret, "errorCode": secret, "message": whole,
            "correlationId": secret, "requestId": secret, "trackingId": secret,
        });
        Self::json(status, &body)
    }
}

/// An error before its serialization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) error: &'static str,
    pub(crate) message: Option<String>,
    pub(crate) retry_after: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: u16, error: &'static str, message: &str) -> Self {
        Self { status, error, message: (!message.is_empty()).then(|| message.to_owned()), retry_after: None }
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::new(400, "badRequest", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(403, "forbidden", "Forbidden")
    }

    pub(crate) fn access_denied() -> Self {
        Self::new(403, "forbidden", "Access is denied")
    }

    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(404, "notFound", message)
    }

    /// The error for a fault or the limiter.
    pub(crate) fn from_status(status: u16) -> Self {
        let (error, message) = match status {
            400 => ("badRequest", "Invalid request"),
            401 => ("Unauthorized", ""),
            403 => ("forbidden", "Forbidden"),
            404 => ("notFound", "Not found"),
            409 => ("conflict", "Conflict"),
            429 => ("tooManyRequests", "Too many requests"),
            503 => ("serviceUnavailable", "Service unavailable"),
            504 => ("gatewayTimeout", "Endpoint request timed out"),
            _ => ("internalServerError", "Unexpected error"),
        };
        Self::new(status, error, message)
    }

    /// Writes the error with its observed members. `odd` is the share of the rarer formats.
    pub(crate) fn to_response(&self, mut rng: Rng, odd: f64, now_ms: i64) -> ApiResponse {
        let odd = rng.chance(odd);
        let mut body = json!({ "error": self.error });
        let correlation = uuid_text(rng.uuid());
        let request = uuid_text(rng.uuid());
        if !(odd && self.status == 401) {
            body["correlationId"] = json!(correlation);
            body["requestId"] = json!(request);
        }
        if let Some(message) = &self.message {
            body["message"] = json!(message);
        }
        match self.status {
            401 => {}
            403 if self.message.as_deref() == Some("Access is denied") => {}
            400 if odd => {
                body["error"] = json!("ValidationException");
                body["code"] = json!(400);
            }
            400 => {
                let extra = rng.below(1_000_000) as u32;
                body["createdAt"] = json!(time::format_nanos(now_ms, extra));
            }
            _ if odd => {
                body["code"] = json!(self.error);
                body["docUrl"] = json!("https://developer.example/errors");
            }
            _ => body["createdAt"] = json!(time::format_millis(now_ms)),
        }
        let compact = odd && rng.chance(0.5);
        let text = if compact { body.to_string().into_bytes() } else { pretty_json(&body) };
        ApiResponse { retry_after: self.retry_after.clone(), ..ApiResponse::bytes(self.status, text) }
    }
}

/// Formats with four spaces a level.
fn pretty_json(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, format);
    // Writing a JSON value to memory cannot fail.
    let _ = serde::Serialize::serialize(value, &mut serializer);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(refusal: &ApiError, odd: f64) -> (String, Value) {
        let answer = refusal.to_response(Rng::new(5), odd, 1_628_845_623_456);
        let text = String::from_utf8(answer.body).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn error_body_has_the_common_members() {
        let (text, value) = body(&ApiError::forbidden(), 0.0);
        assert!(text.contains("\n    \"error\": \"forbidden\""));
        assert_eq!(value["createdAt"], "2021-08-13T09:07:03.456Z");
        let (_, value) = body(&ApiError::access_denied(), 0.0);
        assert!(value.get("createdAt").is_none());
        let (_, value) = body(&ApiError::bad_request("Invalid request"), 0.0);
        assert_eq!(value["createdAt"].as_str().unwrap().len(), 30);
    }

    #[test]
    fn error_body_can_take_a_rare_form() {
        let (_, value) = body(&ApiError::unauthorized(), 1.0);
        assert_eq!(value, json!({ "error": "Unauthorized" }));
        let (_, value) = body(&ApiError::bad_request("x"), 1.0);
        assert_eq!(value["code"], 400);
        assert_eq!(value["error"], "ValidationException");
    }
}
