//! The events of a function URL or an HTTP API in payload version 2.0, and their
//! responses.
//!
//! Parsing is lenient: members of another type are left out, so no request of a
//! caller can fail the process.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use sophos_isolation::{
    verify::ClientCertificate,
    webhook::{Request, Response},
};

/// Whether the event is an HTTP request.
pub(crate) fn is_http_event(event: &Value) -> bool {
    event["requestContext"]["http"].is_object()
}

/// Parses the request; `None` if its base64 body is invalid.
pub(crate) fn parse_request(event: &Value) -> Option<Request> {
    let context = &event["requestContext"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut path = text(&event["rawPath"]);
    // An HTTP API prepends its stage to the path, except for the default stage.
    if let Some(stage) = context["stage"].as_str().filter(|stage| *stage != "$default")
        && let Some(rest) = path.strip_prefix('/').and_then(|path| path.strip_prefix(stage))
        && rest.starts_with('/')
    {
        path = rest.to_owned();
    }
    let headers = event["headers"].as_object().into_iter().flatten();
    let headers =
        headers.filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())));
    let body = event["body"].as_str().unwrap_or_default();
    let body = match event["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).ok()?,
        _ => body.as_bytes().to_vec(),
    };
    Some(Request {
        method: text(&context["http"]["method"]).to_ascii_uppercase(),
        path,
        query: text(&event["rawQueryString"]),
        headers: headers.collect(),
        body,
        source_ip: context["http"]["sourceIp"].as_str().and_then(|address| address.parse().ok()),
        client_certificate: client_certificate(&context["authentication"]["clientCert"]),
    })
}

/// Returns the certificate that a custom domain with mutual TLS has verified.
fn client_certificate(value: &Value) -> Option<ClientCertificate> {
    let text = |member: &str| value[member].as_str().map(str::to_owned);
    let pem = text("clientCertPem")?;
    Some(ClientCertificate {
        pem,
        subject: text("subjectDN").unwrap_or_default(),
        issuer: text("issuerDN").unwrap_or_default(),
    })
}

/// Converts a response to the form that Lambda expects.
pub(crate) fn to_lambda_response(response: &Response) -> Value {
    let headers: Map<_, _> =
        response.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "statusCode": response.status,
        "headers": headers,
        "body": response.body,
        "isBase64Encoded": false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event() -> Value {
        json!({
            "version": "2.0",
            "rawPath": "/hooks/pagerduty",
            "rawQueryString": "a=b",
            "headers": { "Content-Type": "application/json", "host": "127.0.0.1\u{0}//" },
            "requestContext": { "http": { "method": "post", "sourceIp": "203.0.113.9" }, "stage": "$default" },
            "body": "e30=",
            "isBase64Encoded": true,
        })
    }

    #[test]
    fn parse_request_reads_http_api_event() {
        let request = parse_request(&event()).expect("a request");
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hooks/pagerduty"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.body, b"{}");
        assert_eq!(request.source_ip.map(|from| from.to_string()).as_deref(), Some("203.0.113.9"));
    }

    #[test]
    fn parse_request_strips_stage_from_path() {
        let mut event = event();
        event["requestContext"]["stage"] = json!("prod");
        for (path, expected) in
            [("/prod/hooks/x", "/hooks/x"), ("/production/x", "/production/x"), ("/hooks/x", "/hooks/x")]
        {
            event["rawPath"] = json!(path);
            assert_eq!(parse_request(&event).expect("a request").path, expected);
        }
    }

    #[test]
    fn client_certificate_comes_from_context_only() {
        let certificate = json!({
            "clientCertPem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "subjectDN": "CN=soar.example", "issuerDN": "CN=ca.example", "serialNumber": "1",
            "validity": { "notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2021 GMT" },
        });
        let mut forged = event();
        forged["headers"]["x-amzn-mtls-clientcert"] = certificate["clientCertPem"].clone();
        forged["clientCert"] = certificate.clone();
        forged["requestContext"]["clientCert"] = certificate.clone();
        forged["requestContext"]["authentication"] = Value::Null;
        assert_eq!(parse_request(&forged).expect("a request").client_certificate, None);
        let mut event = event();
        event["requestContext"]["authentication"] = json!({ "clientCert": certificate });
        let parsed = parse_request(&event).expect("a request").client_certificate.expect("a certificate");
        assert!(parsed.pem.contains("AAAA"));
        assert_eq!((parsed.subject.as_str(), parsed.issuer.as_str()), ("CN=soar.example", "CN=ca.example"));
    }

    #[test]
    fn parse_request_returns_none_when_body_is_not_base64() {
        let mut event = event();
        event["body"] = json!("not base64!");
        assert!(parse_request(&event).is_none());
    }

    proptest! {
        /// Members with any content are parsed or left out.
        #[test]
        fn parse_request_accepts_arbitrary_members(texts in prop::collection::vec(any::<String>(), 6), flag in any::<Option<bool>>()) {
            let mut event = event();
            event["rawPath"] = json!(texts[0]);
            event["rawQueryString"] = json!(texts[1]);
            event["headers"] = json!({ texts[2].clone(): texts[3], "x": 1, "y": null });
            event["requestContext"]["http"]["sourceIp"] = json!(texts[4]);
            event["body"] = json!(texts[5]);
            event["isBase64Encoded"] = json!(flag);
            if let Some(request) = parse_request(&event) {
                prop_assert!(flag == Some(true) || request.body == texts[5].as_bytes());
            }
        }
    }
}
