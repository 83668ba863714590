//! Whether a delivery comes from who it says it comes from.
//!
//! Everything here is compared in constant time, over the raw body, against
//! the current and the previous value of a secret, so that a secret can rotate
//! while deliveries are on their way.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Signatures in a header that are looked at: while a key rotates there are two.
const MOST_SIGNATURES: usize = 8;

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

/// The values of a secret that are accepted.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The one in force.
    pub current: SecretString,
    /// The one before, as long as it rotates.
    pub previous: Option<SecretString>,
}

impl Keys {
    pub(crate) fn both(&self) -> impl Iterator<Item = (Stage, &str)> {
        let previous = self.previous.as_ref().map(|key| (Stage::Previous, key.expose_secret()));
        std::iter::once((Stage::Current, self.current.expose_secret())).chain(previous)
    }
}

/// Which value of a secret a delivery was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The one in force.
    Current,
    /// The one before it.
    Previous,
}

/// What a request brings to prove itself by.
pub trait Evidence {
    /// The value of a header, by its name in lower case.
    fn header(&self, name: &str) -> Option<&str>;
    /// The secret part of the path.
    fn path_secret(&self) -> Option<&str>;
    /// The raw body.
    fn body(&self) -> &[u8];
}

/// Why a delivery is not believed. For the operator's log: a sender is told no
/// more than that it was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// It brings nothing to prove itself by.
    #[error("there is no signature or secret where the source's configuration expects it")]
    Missing,
    /// The time of sending is missing or cannot be read.
    #[error("the header with the time of sending is missing or is no time")]
    NoTime,
    /// The time of sending is outside the window.
    #[error("the time of sending is outside the window; an old delivery was sent again, or a clock is wrong")]
    OutsideWindow,
    /// It names another algorithm than HMAC-SHA256.
    #[error("it is signed with an algorithm other than HMAC-SHA256")]
    Algorithm,
    /// The signature or secret is wrong.
    #[error("the signature or secret is wrong")]
    Mismatch,
    /// Nothing that comes to the webhook can be this source's.
    #[error("the source's events come through EventBridge, and this did not")]
    NotHere,
}

/// What a believed delivery was proven with.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    /// The value of the secret that it was made with.
    pub stage: Stage,
    /// The signature itself, for sources that sign.
    pub signature: Option<Vec<u8>>,
}

// A signature is good until its window has passed.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Verification {
    /// The name of the secret that the source proves itself with.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Signature(Signature { secret, .. })
            | Self::Header { secret, .. }
            | Self::Basic { secret, .. }
            | Self::Path { secret } => Some(secret),
            Self::Iam => None,
        }
    }

    /// Checks a delivery at `now`, since the Unix epoch.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn check(&self, evidence: &impl Evidence, keys: &Keys, now: Duration) -> Result<Proof, Rejection> {
        let given = match self {
            Self::Signature(signature) => return signature.check(evidence, keys, now),
            Self::Iam => return Err(Rejection::NotHere),
            Self::Header { header, prefix, .. } => {
                let value = evidence.header(header).ok_or(Rejection::Missing)?;
                strip_prefix(value, prefix).ok_or(Rejection::Missing)?.to_owned()
            }
            Self::Basic { .. } => {
                let value = evidence.header("authorization").ok_or(Rejection::Missing)?;
                let encoded = strip_prefix(value, "Basic ").ok_or(Rejection::Missing)?;
                let decoded = STANDARD.decode(encoded.trim()).map_err(|_| Rejection::Missing)?;
                String::from_utf8(decoded).map_err(|_| Rejection::Missing)?
            }
            Self::Path { .. } => evidence
                .path_secret()
                .filter(|secret| !secret.is_empty())
                .ok_or(Rejection::Missing)?
                .to_owned(),
        };
        let wanted = |key: &str| match self {
            Self::Basic { user, .. } => format!("{user}:{key}"),
            _ => key.to_owned(),
        };
        let stage = keys.both().find(|(_, key)| equal(&given, &wanted(key))).map(|(stage, _)| stage);
        stage.map(|stage| Proof { stage, signature: None }).ok_or(Rejection::Mismatch)
    }
}

impl Signature {
    fn check(&self, evidence: &impl Evidence, keys: &Keys, now: Duration) -> Result<Proof, Rejection> {
        // CrowdStrike names the algorithm; nobody else sends such a header.
        if evidence.header("x-cs-signature-algorithm").is_some_and(|name| !is_hmac_sha256(name)) {
            return Err(Rejection::Algorithm);
        }
        let time = match &self.timestamp {
            Some(timestamp) => timestamp.check(evidence, now)?,
            None => "",
        };
        let signatures: Vec<Vec<u8>> = self
            .headers
            .iter()
            .filter_map(|header| evidence.header(header))
            .flat_map(|value| value.split(','))
            .filter_map(|element| strip_prefix(element.trim(), &self.prefix))
            .filter_map(|element| self.encoding.decode(element.trim()))
            .take(MOST_SIGNATURES)
            .collect();
        if signatures.is_empty() {
            return Err(Rejection::Missing);
        }
        let body = evidence.body();
        let parts: [&[u8]; 3] = match self.signed {
            Signed::Body => [b"", b"", body],
            Signed::TimestampDotBody => [time.as_bytes(), b".", body],
            Signed::TimestampBody => [time.as_bytes(), b"", body],
            Signed::BodyTimestamp => [body, b"", time.as_bytes()],
        };
        for (stage, key) in keys.both() {
            let mut mac = mac(key.as_bytes());
            for part in parts {
                mac.update(part);
            }
            for signature in &signatures {
                if mac.clone().verify_slice(signature).is_ok() {
                    return Ok(Proof { stage, signature: Some(signature.clone()) });
                }
            }
        }
        Err(Rejection::Mismatch)
    }
}

impl Timestamp {
    /// The header's text, when it is a time inside the window.
    fn check<'e>(&self, evidence: &'e impl Evidence, now: Duration) -> Result<&'e str, Rejection> {
        let text = evidence.header(&self.header).ok_or(Rejection::NoTime)?.trim();
        let sent = read_time(text).ok_or(Rejection::NoTime)?;
        let off = sent.abs_diff(now);
        if off > Duration::from_secs(self.window_seconds) { Err(Rejection::OutsideWindow) } else { Ok(text) }
    }
}

impl Encoding {
    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Hex => {
                // The longest signature is 32 bytes.
                if text.len() != 64 {
                    return None;
                }
                let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
                text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
            }
        }
    }
}

fn is_hmac_sha256(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    ["hmacsha256", "sha256"].iter().any(|known| letters.eq_ignore_ascii_case(known))
}

/// Unix seconds, Unix milliseconds, or RFC 3339.
fn read_time(text: &str) -> Option<Duration> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u64 = text.parse().ok()?;
        // Seconds do not get there before the year 5138.
        let milliseconds = number >= 100_000_000_000;
        return Some(if milliseconds { Duration::from_millis(number) } else { Duration::from_secs(number) });
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    Duration::try_from(time.as_duration()).ok()
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

pub(crate) fn mac(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length.
    Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()))
}

/// Whether two texts are the same, in a time that does not depend on where
/// they differ.
fn equal(given: &str, wanted: &str) -> bool {
    let mut wanted_mac = mac(b"compare");
    wanted_mac.update(wanted.as_bytes());
    let mut given_mac = mac(b"compare");
    given_mac.update(given.as_bytes());
    given_mac.verify(&wanted_mac.finalize().into_bytes()).is_ok()
}
