//! Whether a delivery comes from who it says it comes from.

use serde::{Deserialize, Serialize};

/// How a source proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// An HMAC-SHA256 over the raw body.
    Signature(Signature),
    /// A static secret in a header, after a prefix such as `Bearer `.
    Header {
        /// The name of the secret.
        secret: String,
        /// The header, in lower case.
        header: String,
        /// What comes before the secret in the header; may be empty.
        prefix: String,
    },
    /// HTTP basic authentication.
    Basic {
        /// The name of the secret: the password.
        secret: String,
        /// The user.
        user: String,
    },
    /// A secret as the last part of the path: `/hooks/{source}/{secret}`.
    Path {
        /// The name of the secret.
        secret: String,
    },
    /// AWS has verified it: the source's events come through EventBridge.
    Iam,
}

/// A layout of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the secret: the key.
    pub secret: String,
    /// The headers, in lower case, any of which may hold the signature.
    pub headers: Vec<String>,
    /// What comes before a signature in the header, such as `v1=`. Elements of
    /// the header, between commas, that do not begin with it are passed over.
    pub prefix: String,
    /// How the signature is written.
    pub encoding: Encoding,
    /// What is signed.
    pub signed: Signed,
    /// The time of sending; must be there when it is signed.
    pub timestamp: Option<Timestamp>,
}

/// The header that holds the time of sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// The header, in lower case. Unix seconds or milliseconds, or RFC 3339.
    pub header: String,
    /// How many seconds it may lie in the past or the future.
    pub window_seconds: u64,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal, in either case.
    Hex,
    /// Base64, with padding.
    Base64,
}

/// What a signature is made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signed {
    /// The raw body.
    #[serde(rename = "body")]
    Body,
    /// The time, as it is in the header, a dot, the raw body.
    #[serde(rename = "timestamp.body")]
    TimestampDotBody,
    /// The time, then the raw body.
    #[serde(rename = "timestamp+body")]
    TimestampBody,
    /// The raw body, then the time.
    #[serde(rename = "body+timestamp")]
    BodyTimestamp,
}
