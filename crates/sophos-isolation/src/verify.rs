//! Whether a delivery comes from who it says it comes from.
//!
//! Everything here is compared in constant time, over the raw body, against
//! the current and the previous value of a secret, so that a secret can rotate
//! while deliveries are on their way.

mod certificate;
mod encoding;
mod jwt;
mod keys;
mod signature;
mod sns;
mod time;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::Mac;
use percent_encoding::percent_decode_str;

pub use self::{
    certificate::{CertificatePins, ClientCertificate},
    encoding::Encoding,
    jwt::Jwt,
    keys::{Keys, Stage},
    signature::{KeyForm, Signature, Signed},
    sns::Sns,
    time::Timestamp,
};
pub(crate) use self::{encoding::hex, signature::mac, sns::host_of};
#[cfg(feature = "public-keys")]
pub(crate) use self::{
    jwt::{Token, is_key_set},
    sns::{Kind, is_certificate},
};

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
    /// A bearer token that its issuer has signed, such as Microsoft Entra.
    Jwt(Jwt),
    /// Amazon SNS over HTTPS: the service signs each message.
    Sns(Sns),
    /// A certificate that the caller brought to mutual TLS.
    ClientCertificate(CertificatePins),
    /// AWS has verified it: the source's events come through EventBridge.
    Iam,
}

/// What a request brings to prove itself by.
pub trait Evidence {
    /// The value of a header, by its name in lower case.
    fn header(&self, name: &str) -> Option<&str>;
    /// The secret part of the path.
    fn path_secret(&self) -> Option<&str>;
    /// The raw body.
    fn body(&self) -> &[u8];
    /// The certificate that the caller brought to mutual TLS.
    fn client_certificate(&self) -> Option<&ClientCertificate> {
        None
    }
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
    /// The id of the delivery, which is signed, is missing or cannot be one.
    #[error("the header with the id of the delivery is missing, too long, or contains a dot")]
    NoId,
    /// It names an algorithm that is not accepted.
    #[error("it is signed with an algorithm that the scheme does not accept")]
    Algorithm,
    /// The stored key does not have the form that the layout needs.
    #[error("the stored key is not base64 after `whsec_`; store it as the sender shows it")]
    KeyForm,
    /// The bearer token is not one that can be verified.
    #[error("the bearer token is not a JSON Web Token signed with RS256, PS256 or ES256 that names its key")]
    Token,
    /// The token's key is unknown.
    #[error("the key that the token names is not in the issuer's key set")]
    UnknownKey,
    /// The signature of the token is good, and a claim is not.
    #[error("the claim {0} of the token is missing, out of date, or not what the policy requires")]
    Claim(&'static str),
    /// The body is not a message of Amazon SNS.
    #[error("the body is not a signed message of Amazon SNS; turn raw message delivery off")]
    NotSns,
    /// The message is of another topic.
    #[error("the message is of a topic that the source does not list")]
    Topic,
    /// The certificate that the message names is not at the topic's service.
    #[error("the message names a certificate that is not at the SNS endpoint of its topic's region")]
    CertificateUrl,
    /// There is no client certificate.
    #[error("the caller brought no client certificate; call the custom domain that requires one")]
    NoCertificate,
    /// The certificate is another, or not valid.
    #[error("the certificate is not the one that is expected, or not valid now")]
    Certificate,
    /// The host cannot verify the scheme.
    #[error("this host does not verify the source's scheme")]
    Unsupported,
    /// The signature or secret is wrong.
    #[error("the signature or secret is wrong")]
    Mismatch,
    /// Nothing that comes to the webhook can be this source's.
    #[error("the source's events come through EventBridge, and this did not")]
    NotHere,
}

/// What a believed delivery was proven with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The value of the secret that it was made with.
    pub stage: Stage,
    /// A SHA-256 of the time and the body that were signed, for sources that
    /// sign: the same whichever value of the secret made the signature, in
    /// whichever layout.
    pub signed: Option<[u8; 32]>,
    /// The id of the delivery, where the signature covers it.
    pub event_id: Option<String>,
}

impl Verification {
    /// The name of the secret that the source proves itself with.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Signature(Signature { secret, .. })
            | Self::Header { secret, .. }
            | Self::Basic { secret, .. }
            | Self::Path { secret } => Some(secret),
            Self::Jwt(_) | Self::Sns(_) | Self::ClientCertificate(_) | Self::Iam => None,
        }
    }

    /// Checks a delivery at `now`, since the Unix epoch. The schemes that need a
    /// fetched key are checked by the webhook.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn check(&self, evidence: &impl Evidence, keys: &Keys, now: Duration) -> Result<Proof, Rejection> {
        let given = match self {
            Self::Signature(signature) => return signature.check(evidence, keys, now),
            Self::ClientCertificate(pins) => return pins.check(evidence.client_certificate()),
            Self::Jwt(_) | Self::Sns(_) => return Err(Rejection::Unsupported),
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
        // Some senders encode what a path may hold as it is.
        let decoded = match self {
            Self::Path { .. } => percent_decode_str(&given).decode_utf8().ok(),
            _ => None,
        };
        let is = |key: &str| {
            let wanted = wanted(key);
            equal(given.as_bytes(), wanted.as_bytes())
                || decoded.as_deref().is_some_and(|decoded| equal(decoded.as_bytes(), wanted.as_bytes()))
        };
        let stage = keys.both().find(|(_, key)| is(key)).map(|(stage, _)| stage);
        stage.map(|stage| Proof { stage, signed: None, event_id: None }).ok_or(Rejection::Mismatch)
    }
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether two values are the same, in a time that does not depend on where
/// they differ.
fn equal(given: &[u8], wanted: &[u8]) -> bool {
    let mut wanted_mac = mac(b"compare");
    wanted_mac.update(wanted);
    let mut given_mac = mac(b"compare");
    given_mac.update(given);
    given_mac.verify(&wanted_mac.finalize().into_bytes()).is_ok()
}
