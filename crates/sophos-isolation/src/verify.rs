//! Authentication of webhook messages.
//!
//! All comparisons take constant time and use the raw body. The current and the previous value of a
//! secret are accepted, so that a secret can rotate while messages are in flight.

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

/// The verification scheme of a source.
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
        /// The prefix of the secret in the header; may be empty.
        prefix: String,
    },
    /// HTTP basic authentication.
    Basic {
        /// The name of the secret: the password.
        secret: String,
        /// The user name.
        user: String,
    },
    /// A secret as the last part of the path: `/hooks/{source}/{secret}`.
    Path {
        /// The name of the secret.
        secret: String,
    },
    /// A bearer token signed by its issuer, such as Microsoft Entra.
    Jwt(JwtConfig),
    /// Amazon SNS over HTTPS: the service signs each message.
    Sns(SnsConfig),
    /// A certificate that the caller brought to mutual TLS.
    ClientCertificate(CertificatePins),
    /// AWS has authenticated the event, which arrives through EventBridge.
    Iam,
}

/// The parts of a request that authenticate it.
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

/// The reason why authentication failed, for the operator's log. The sender only learns that it
/// failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum VerificationError {
    /// The request has no credential.
    #[error(
        "missing credential: expected a signature or secret where the source's configuration requires it"
    )]
    MissingCredential,
    /// The timestamp is missing or invalid.
    #[error("missing or invalid timestamp header")]
    MissingTimestamp,
    /// The timestamp is outside the window.
    #[error("the timestamp is outside the window; an old message was sent again, or a clock is wrong")]
    TimestampOutsideWindow,
    /// The signed id of the message is missing or invalid.
    #[error("the header with the message id is missing, too long, or contains a dot")]
    MissingId,
    /// The algorithm is not accepted.
    #[error("the scheme does not accept the signature algorithm")]
    UnsupportedAlgorithm,
    /// The stored key does not have the format that the layout needs.
    #[error("invalid stored key: expected base64 after `whsec_`; store it as the sender shows it")]
    InvalidKeyFormat,
    /// The bearer token is not a verifiable JSON Web Token.
    #[error("the bearer token is not a JSON Web Token signed with RS256, PS256 or ES256 that names its key")]
    InvalidToken,
    /// The token's key is not in the key set.
    #[error("the key that the token names is not in the issuer's key set")]
    UnknownKey,
    /// The token's signature is valid, but a claim is not.
    #[error("the claim {0} of the token is missing, expired, or not what the policy requires")]
    InvalidClaim(&'static str),
    /// The body is not a message of Amazon SNS.
    #[error("the body is not a signed message of Amazon SNS; turn raw message delivery off")]
    NotAnSnsMessage,
    /// The message belongs to another topic.
    #[error("the source does not list the topic of the message")]
    UnexpectedTopic,
    /// The URL of the certificate is not at the topic's SNS endpoint.
    #[error("the certificate URL of the message is not at the SNS endpoint of its topic's region")]
    InvalidCertificateUrl,
    /// The client certificate is missing.
    #[error("the request has no client certificate; call the custom domain that requires one")]
    MissingCertificate,
    /// The certificate is not the configured one, or not valid.
    #[error("the certificate is not the configured one, or is not valid now")]
    InvalidCertificate,
    /// The host does not support the scheme.
    #[error("this host does not support the source's verification scheme")]
    UnsupportedScheme,
    /// The signature or secret is wrong.
    #[error("the signature or secret is wrong")]
    Mismatch,
    /// The source does not use the webhook.
    #[error("the source's events arrive through EventBridge, not through the webhook")]
    NotAWebhookSource,
}

/// The key that authenticated a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedKey {
    /// The version of the secret.
    pub version_stage: VersionStage,
    /// The SHA-256 of the signed time and body, for sources that sign. It depends neither on the
    /// version of the secret nor on the layout.
    pub signed_digest: Option<[u8; 32]>,
    /// The id of the message, if the signature covers it.
    pub event_id: Option<String>,
}

impl Verification {
    /// The name of the source's secret, for schemes with a secret.
    pub fn secret_name(&self) -> Option<&str> {
        match self {
            Self::Signature(SignatureConfig { secret, .. })
            | Self::Header { secret, .. }
            | Self::Basic { secret, .. }
            | Self::Path { secret } => Some(secret),
            Self::Jwt(_) | Self::Sns(_) | Self::ClientCertificate(_) | Self::Iam => None,
        }
    }

    /// Authenticates a message at `now`, the time since the Unix epoch. The webhook checks the
    /// schemes that need fetched keys.
    ///
    /// # Errors
    /// The reason why authentication failed.
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
        // Some senders percent-encode characters that a path may contain.
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

/// Whether two values are equal, in a time that does not depend on where they differ.
fn constant_time_eq(given: &[u8], wanted: &[u8]) -> bool {
    let mut wanted_mac = mac(b"compare");
    wanted_mac.update(wanted);
    let mut given_mac = mac(b"compare");
    given_mac.update(given);
    given_mac.verify(&wanted_mac.finalize().into_bytes()).is_ok()
}
