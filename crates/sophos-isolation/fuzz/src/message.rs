//! A request as a text, so that what is tried can be read:
//!
//! ```text
//! POST /hooks/pd?a=b
//! content-type: application/json
//! x-pagerduty-signature: v1={signature}
//!
//! {"event": {}}
//! ```
//!
//! What stands in braces in the head is filled in by whoever tries it: no
//! fuzzer finds a signature by itself.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use sophos_isolation::{
    verify::{Encoding, Keys, SignatureConfig, SignedContent},
    webhook::Request,
};

/// The moment at which everything is tried, in seconds since the Unix epoch.
pub const NOW: u64 = 1_700_000_000;

/// The value of every secret.
pub const CURRENT_SECRET: &str = "Jw3vVtBq-the-one-in-force";

/// The value that it had before.
pub const PREVIOUS_SECRET: &str = "Hc8zRkLm-the-one-before-it";

/// The id of every delivery, where it is signed.
pub const DELIVERY_ID: &str = "msg_2c9";

/// Both values.
pub fn keys() -> Keys {
    Keys::new(SecretString::from(CURRENT_SECRET), Some(SecretString::from(PREVIOUS_SECRET)))
}

/// The head of a message, and the body after its first empty line.
pub fn split_head(text: &str) -> (&str, &str) {
    text.split_once("\n\n").unwrap_or((text, ""))
}

/// The request of these headers, of which those with one name are one.
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

/// What a signature of this layout is made over.
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

/// A signature as an honest sender writes it, without the prefix.
pub fn sign(layout: &SignatureConfig, key: &str, time: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(signing_input(layout, time, body).as_bytes());
    let bytes = mac.finalize().into_bytes();
    match layout.encoding {
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// What an honest sender gives for basic authentication.
pub fn basic_credentials(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}
