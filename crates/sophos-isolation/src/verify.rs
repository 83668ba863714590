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
    jwt::JwtConfig,
    keys::{Keys, VersionStage},
    signature::{KeyFormat, SignatureConfig, SignedContent},
    sns::SnsConfig,
    time::Timestamp,
};
pub(crate) use self::{encoding::decode_hex, signature::mac, sns::sns_host};
#[cfg(feature = "public-keys")]
pub(crate) use self::{
    jwt::{UnverifiedToken, is_key_set},
    sns::{MessageKind, is_certificate},
};

/// How a source proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// An HMAC-SHA256 over the raw body.
    Signature(SignatureConfig),
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
    Jwt(JwtConfig),
    /// Amazon SNS over HTTPS: the service signs each message.
    Sns(SnsConfig),
    /// A certificate that the caller brought to mutual TLS.
    ClientCertificate(CertificatePins),
    /// AWS has verified it: the source's events come through EventBridge.
    Iam,
}

/// What a request brings to prove itself by.
pub trait SignedRequest {
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
pub enum VerificationError {
    /// It brings nothing to prove itself by.
    #[error("there is no signature or secret where the source's configuration expects it")]
    MissingCredential,
    /// The time of sending is missing or cannot be read.
    #[error("the header with the time of sending is missing or is no time")]
    MissingTimestamp,
    /// The time of sending is outside the window.
    #[error("the time of sending is outside the window; an old delivery was sent again, or a clock is wrong")]
    TimestampOutsideWindow,
    /// The id of the delivery, which is signed, is missing or cannot be one.
    #[error("the header with the id of the delivery is missing, too long, or contains a dot")]
    MissingId,
    /// It names an algorithm that is not accepted.
    #[error("it is signed with an algorithm that the scheme does not accept")]
    UnsupportedAlgorithm,
    /// The stored key does not have the form that the layout needs.
    #[error("the stored key is not base64 after `whsec_`; store it as the sender shows it")]
    InvalidKeyFormat,
    /// The bearer token is not one that can be verified.
    #[error("the bearer token is not a JSON Web Token signed with RS256, PS256 or ES256 that names its key")]
    InvalidToken,
    /// The token's key is unknown.
    #[error("the key that the token names is not in the issuer's key set")]
    UnknownKey,
    /// The signature of the token is good, and a claim is not.
    #[error("the claim {0} of the token is missing, out of date, or not what the policy requires")]
    InvalidClaim(&'static str),
    /// The body is not a message of Amazon SNS.
    #[error("the body is not a signed message of Amazon SNS; turn raw message delivery off")]
    NotAnSnsMessage,
    /// The message is of another topic.
    #[error("the message is of a topic that the source does not list")]
    UnexpectedTopic,
    /// The certificate that the message names is not at the topic's service.
    #[error("the message names a certificate that is not at the SNS endpoint of its topic's region")]
    InvalidCertificateUrl,
    /// There is no client certificate.
    #[error("the caller brought no client certificate; call the custom domain that requires one")]
    MissingCertificate,
    /// The certificate is another, or not valid.
    #[error("the certificate is not the one that is expected, or not valid now")]
    InvalidCertificate,
    /// The host cannot verify the scheme.
    #[error("this host does not verify the source's scheme")]
    UnsupportedScheme,
    /// The signature or secret is wrong.
    #[error("the signature or secret is wrong")]
    Mismatch,
    /// Nothing that comes to the webhook can be this source's.
    #[error("the source's events come through EventBridge, and this did not")]
    NotAWebhookSource,
}

/// What a believed delivery was proven with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedKey {
    /// The value of the secret that it was made with.
    pub version_stage: VersionStage,
    /// A SHA-256 of the time and the body that were signed, for sources that
    /// sign: the same whichever value of the secret made the signature, in
    /// whichever layout.
    pub signed_digest: Option<[u8; 32]>,
    /// The id of the delivery, where the signature covers it.
    pub event_id: Option<String>,
}

impl Verification {
    /// The name of the secret that the source proves itself with.
    pub fn secret_name(&self) -> Option<&str> {
        match self {
            Self::Signature(SignatureConfig { secret, .. })
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
    pub fn verify(
        &self,
        request: &impl SignedRequest,
        keys: &Keys,
        now: Duration,
    ) -> Result<AuthenticatedKey, VerificationError> {
        let given = match self {
            Self::Signature(signature) => return signature.verify(request, keys, now),
            Self::ClientCertificate(pins) => return pins.verify(request.client_certificate()),
            Self::Jwt(_) | Self::Sns(_) => return Err(VerificationError::UnsupportedScheme),
            Self::Iam => return Err(VerificationError::NotAWebhookSource),
            Self::Header { header, prefix, .. } => {
                let value = request.header(header).ok_or(VerificationError::MissingCredential)?;
                strip_prefix_ignore_case(value, prefix)
                    .ok_or(VerificationError::MissingCredential)?
                    .to_owned()
            }
            Self::Basic { .. } => {
                let value = request.header("authorization").ok_or(VerificationError::MissingCredential)?;
                let encoded =
                    strip_prefix_ignore_case(value, "Basic ").ok_or(VerificationError::MissingCredential)?;
                let decoded =
                    STANDARD.decode(encoded.trim()).map_err(|_| VerificationError::MissingCredential)?;
                String::from_utf8(decoded).map_err(|_| VerificationError::MissingCredential)?
            }
            Self::Path { .. } => request
                .path_secret()
                .filter(|secret| !secret.is_empty())
                .ok_or(VerificationError::MissingCredential)?
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
            constant_time_eq(given.as_bytes(), wanted.as_bytes())
                || decoded
                    .as_deref()
                    .is_some_and(|decoded| constant_time_eq(decoded.as_bytes(), wanted.as_bytes()))
        };
        let stage = keys.versions().find(|(_, key)| is(key)).map(|(stage, _)| stage);
        stage
            .map(|stage| AuthenticatedKey { version_stage: stage, signed_digest: None, event_id: None })
            .ok_or(VerificationError::Mismatch)
    }
}

fn strip_prefix_ignore_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether two values are the same, in a time that does not depend on where
/// they differ.
fn constant_time_eq(given: &[u8], wanted: &[u8]) -> bool {
    let mut wanted_mac = mac(b"compare");
    wanted_mac.update(wanted);
    let mut given_mac = mac(b"compare");
    given_mac.update(given);
    given_mac.verify(&wanted_mac.finalize().into_bytes()).is_ok()
}
