//! HMAC signatures with a shared key.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    AuthenticatedKey, Encoding, Keys, SignedRequest, Timestamp, VerificationError, encoding,
    strip_prefix_ignore_case,
};

/// The maximum number of signatures checked per request; there are two while a key rotates.
const MAX_SIGNATURES: usize = 8;

/// The maximum length of a message id, in bytes.
const MAX_ID_LEN: usize = 256;

/// The prefix of a Standard Webhooks key.
const WEBHOOK_KEY_PREFIX: &str = "whsec_";

/// The layout of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureConfig {
    /// The name of the secret: the key.
    pub secret: String,
    /// The storage format of the key.
    pub key_format: KeyFormat,
    /// The headers that may hold the signature, in lower case.
    pub headers: Vec<String>,
    /// The separator of the elements of the header.
    pub separator: char,
    /// The prefix of a signature in the header, such as `v1=`. Elements without it are ignored.
    pub prefix: String,
    /// The encoding of the signature.
    pub encoding: Encoding,
    /// The signed content.
    pub signed: SignedContent,
    /// A second accepted form, for a sender that uses two.
    pub alternative: Option<(Encoding, SignedContent)>,
    /// The timestamp; required if it is signed.
    pub timestamp: Option<Timestamp>,
    /// The headers for the message id, in lower case; the first present counts. Required if the id
    /// is signed.
    pub id_headers: Vec<String>,
}

/// The storage format of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFormat {
    /// The bytes of the text are the key.
    Text,
    /// Base64 of the key, after `whsec_`.
    WebhookSecret,
}

/// The content that a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignedContent {
    /// The raw body.
    #[serde(rename = "body")]
    Body,
    /// The time as in the header, a dot, the raw body.
    #[serde(rename = "timestamp.body")]
    TimestampDotBody,
    /// The time, a colon, the raw body.
    #[serde(rename = "timestamp:body")]
    TimestampColonBody,
    /// `v0:`, the time, a colon, the raw body.
    #[serde(rename = "v0:timestamp:body")]
    V0TimestampBody,
    /// The time, then the raw body.
    #[serde(rename = "timestamp+body")]
    TimestampBody,
    /// The raw body, then the time.
    #[serde(rename = "body+timestamp")]
    BodyTimestamp,
    /// The message id, a dot, the time, a dot, the raw body.
    #[serde(rename = "id.timestamp.body")]
    IdDotTimestampDotBody,
}

impl SignedContent {
    /// Whether the time is signed.
    pub fn has_time(self) -> bool {
        self != Self::Body
    }

    /// Whether the message id is signed.
    pub fn has_id(self) -> bool {
        self == Self::IdDotTimestampDotBody
    }

    /// The signed parts in order.
    fn parts<'p>(self, id: &'p str, time: &'p str, body: &'p [u8]) -> [&'p [u8]; 5] {
        let (id, time) = (id.as_bytes(), time.as_bytes());
        match self {
            Self::Body => [b"", b"", b"", b"", body],
            Self::TimestampDotBody => [b"", b"", time, b".", body],
            Self::TimestampColonBody => [b"", b"", time, b":", body],
            Self::V0TimestampBody => [b"v0", b":", time, b":", body],
            Self::TimestampBody => [b"", b"", time, b"", body],
            Self::BodyTimestamp => [body, b"", time, b"", b""],
            Self::IdDotTimestampDotBody => [id, b".", time, b".", body],
        }
    }
}

impl SignatureConfig {
    pub(super) fn verify(
        &self,
        request: &impl SignedRequest,
        keys: &Keys,
        now: Duration,
    ) -> Result<AuthenticatedKey, VerificationError> {
        // Only CrowdStrike sends this header.
        if request.header("x-cs-signature-algorithm").is_some_and(|name| !is_hmac_sha256(name)) {
            return Err(VerificationError::UnsupportedAlgorithm);
        }
        let time = match &self.timestamp {
            Some(timestamp) => timestamp.verify(request, now)?,
            None => "",
        };
        let id = if self.signed.has_id() { self.delivery_id(request)? } else { "" };
        let forms: Vec<_> = std::iter::once((self.encoding, self.signed)).chain(self.alternative).collect();
        let given: Vec<(SignedContent, Vec<u8>)> = self
            .headers
            .iter()
            .filter_map(|header| request.header(header))
            .flat_map(|value| value.split(self.separator))
            .filter_map(|element| strip_prefix_ignore_case(element.trim(), &self.prefix))
            .flat_map(|element| {
                let decoded = |&(encoding, signed): &(Encoding, SignedContent)| {
                    Some((signed, encoding.decode(element.trim())?))
                };
                forms.iter().filter_map(decoded).collect::<Vec<_>>()
            })
            .take(MAX_SIGNATURES)
            .collect();
        if given.is_empty() {
            return Err(VerificationError::MissingCredential);
        }
        let body = request.body();
        let mut unusable = false;
        for (stage, key) in keys.versions() {
            let Some(key) = self.key_format.decode_key(key) else {
                unusable = true;
                continue;
            };
            let tags = forms.iter().map(|(_, signed)| {
                let mut mac = mac(&key);
                for part in signed.parts(id, time, body) {
                    mac.update(part);
                }
                (*signed, mac)
            });
            for (signed, tag) in tags {
                let of_form = given.iter().filter(|(form, _)| *form == signed);
                for (_, signature) in of_form {
                    if tag.clone().verify_slice(signature).is_ok() {
                        let event_id = self.signed.has_id().then(|| id.to_owned());
                        return Ok(AuthenticatedKey {
                            version_stage: stage,
                            signed_digest: Some(signed_digest(time, body)),
                            event_id,
                        });
                    }
                }
            }
        }
        Err(if unusable { VerificationError::InvalidKeyFormat } else { VerificationError::Mismatch })
    }

    /// The message id. It must not contain a dot, which separates it from the time.
    fn delivery_id<'e>(&self, request: &'e impl SignedRequest) -> Result<&'e str, VerificationError> {
        let id = self.id_headers.iter().find_map(|header| request.header(header)).map(str::trim);
        id.filter(|id| (1..=MAX_ID_LEN).contains(&id.len()))
            .filter(|id| id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.'))
            .ok_or(VerificationError::MissingId)
    }
}

impl KeyFormat {
    fn decode_key(self, stored: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(stored.as_bytes().to_vec()),
            Self::WebhookSecret => {
                let key = encoding::decode_base64(stored.strip_prefix(WEBHOOK_KEY_PREFIX).unwrap_or(stored))?;
                (!key.is_empty()).then_some(key)
            }
        }
    }
}

/// The digest of the signed time and body, independent of the layout.
fn signed_digest(time: &str, body: &[u8]) -> [u8; 32] {
    let length = (time.len() as u64).to_be_bytes();
    Sha256::new().chain_update(length).chain_update(time).chain_update(body).finalize().into()
}

fn is_hmac_sha256(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    ["hmacsha256", "sha256"].iter().any(|known| letters.eq_ignore_ascii_case(known))
}

pub(crate) fn mac(key: &[u8]) -> Hmac<Sha256> {
    // HMAC accepts keys of any length.
    Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default()))
}
