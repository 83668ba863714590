//! A request in a readable text form:
//!
//! ```text
//! POST /hooks/pd?a=b
//! content-type: application/json
//! x-pagerduty-signature: v1={signature}
//!
//! {"event": {}}
//! ```
//!
//! The harness fills in the placeholders in braces in the head, because a fuzzer cannot find a
//! valid signature.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use sophos_isolation::{
    verify::{Encoding, Keys, SignatureConfig, SignedContent},
    webhook::Request,
};

/// The current time of all checks, in seconds since the Unix epoch.
pub const NOW: u64 = 1_700_000_000;

/// The value of every secret.
pub const CURRENT_SECRET: &str = "Jw3vVtBq-the-one-in-force";

/// The previous value of every secret.
pub const PREVIOUS_SECRET: &str = "Hc8zRkLm-the-one-before-it";

/// The id of every message, if it is signed.
pub const DELIVERY_ID: &str = "msg_2c9";

/// Both values.
pub fn keys() -> Keys {
    Keys::new(SecretString::from(CURRENT_SECRET), Some(SecretString::from(PREVIOUS_SECRET)))
}

/// The head of a message, and its body after the first empty line.
pub fn split_head(text: &str) -> (&str, &str) {
    text.split_once("\n\n").unwrap_or((text, ""))
}

/// A request with these headers; headers with the same name are joined.
pub fn parse_request(line: &str, headers: &[&str], body: &str) -> Request {
    let (method, target) = line.split_once(' ').unwrap_or((line, ""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        body: body.as_bytes().to_vec(),
        ..Request::default()
    };
    for (name, value) in headers.iter().filter_map(|line| line.split_once(':')) {
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match request.headers.iter_mut().find(|(own, _)| *own == name) {
            Some((_, values)) => *values = format!("{values},{value}"),
            None => request.headers.push((name, value.to_owned())),
        }
    }
    request
}

/// The content that a signature of this layout covers.
pub fn signing_input(layout: &SignatureConfig, time: &str, body: &str) -> String {
    match layout.signed {
        SignedContent::Body => body.to_owned(),
        SignedContent::TimestampDotBody => format!("{time}.{body}"),
        SignedContent::TimestampColonBody => format!("{time}:{body}"),
        SignedContent::V0TimestampBody => format!("v0:{time}:{body}"),
        SignedContent::IdDotTimestampDotBody => format!("{DELIVERY_ID}.{time}.{body}"),
        SignedContent::TimestampBody => format!("{time}{body}"),
        SignedContent::BodyTimestamp => format!("{body}{time}"),
    }
}

/// The valid signature of a sender, without the prefix.
pub fn sign(layout: &SignatureConfig, key: &str, time: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(signing_input(layout, time, body).as_bytes());
    let bytes = mac.finalize().into_bytes();
    match layout.encoding {
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// The valid credential of basic authentication.
pub fn basic_credentials(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}
