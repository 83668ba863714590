//! More formats of deliveries, and a delivery as an event.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{Delivery, hex, hmac, unix_now, webhook_secret};

impl Delivery {
    /// A body without any authentication.
    pub fn unsigned(path: impl Into<String>, body: impl Into<String>) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { path: path.into(), headers, body: body.into() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// An event of the source `soar` that requests the isolation of a machine.
    pub fn isolate(event_id: &str, hostname: &str) -> Self {
        let body = json!({ "event_id": event_id, "target": { "hostname": hostname }, "title": "beacon" });
        Self::generic("soar", &body, webhook_secret("webhooks/generic"), unix_now())
    }

    /// A delivery with CrowdStrike's hexadecimal signature, over the time and the body.
    pub fn crowdstrike_hex(source: &str, body: &Value, key: &str, now: u64) -> Self {
        let delivery = Self::unsigned(format!("/hooks/{source}"), body.to_string());
        let time = now.to_string();
        let signature = hex(&hmac(key, &[time.as_bytes(), delivery.body.as_bytes()]));
        delivery.with_header("x-cs-primary-signature", signature).with_header("x-cs-delivery-timestamp", time)
    }

    /// A delivery with a secret as bearer token.
    pub fn bearer(source: &str, body: &Value, secret: &str) -> Self {
        Self::unsigned(format!("/hooks/{source}"), body.to_string())
            .with_header("authorization", format!("Bearer {secret}"))
    }

    /// A delivery with a user and a password.
    pub fn basic(source: &str, body: &str, user: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{user}:{password}"));
        Self::unsigned(format!("/hooks/{source}"), body).with_header("authorization", format!("Basic {pair}"))
    }

    /// The request that sends the delivery to a function URL.
    pub fn request(&self, client: &reqwest::Client, url: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{}", url.trim_end_matches('/'), self.path);
        let headers = self.headers.iter();
        headers.fold(client.post(url).body(self.body.clone()), |request, (name, value)| {
            request.header(*name, value)
        })
    }

    /// The event of a function URL for the delivery.
    pub fn to_event(&self) -> Value {
        let headers: Map<_, _> =
            self.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({
            "version": "2.0",
            "rawPath": self.path,
            "rawQueryString": "",
            "headers": headers,
            "requestContext": {
                "http": { "method": "POST", "path": self.path, "sourceIp": "203.0.113.9" },
                "stage": "$default",
            },
            "body": self.body,
            "isBase64Encoded": false,
        })
    }
}
