//! Client certificates of mutual TLS.

use sha2::{Digest, Sha256};

use super::{AuthenticatedKey, VerificationError, VersionStage, constant_time_eq, encoding};

/// The client certificate, as reported by the server that terminated the TLS connection. It is
/// never read from a header, which any caller can write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate as PEM.
    pub pem: String,
    /// The distinguished name of its subject.
    pub subject: String,
    /// The distinguished name of its issuer.
    pub issuer: String,
}

/// The certificates that authenticate a source. All given pins must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificatePins {
    /// The SHA-256 digests of accepted certificates in DER; empty is any.
    pub fingerprints: Vec<[u8; 32]>,
    /// The exact distinguished names of subject and issuer.
    pub subject_and_issuer: Option<(String, String)>,
}

impl ClientCertificate {
    /// The SHA-256 of the certificate in DER; `None` without a PEM.
    fn fingerprint(&self) -> Option<[u8; 32]> {
        Some(Sha256::digest(der_from_pem(&self.pem)?).into())
    }
}

impl CertificatePins {
    pub(super) fn verify(
        &self,
        certificate: Option<&ClientCertificate>,
    ) -> Result<AuthenticatedKey, VerificationError> {
        let certificate = certificate.ok_or(VerificationError::MissingCertificate)?;
        let printed = self.fingerprints.is_empty()
            || certificate.fingerprint().is_some_and(|own| {
                self.fingerprints.iter().fold(false, |found, pinned| found | constant_time_eq(&own, pinned))
            });
        let named = self.subject_and_issuer.as_ref().is_none_or(|(subject, issuer)| {
            constant_time_eq(certificate.subject.as_bytes(), subject.as_bytes())
                & constant_time_eq(certificate.issuer.as_bytes(), issuer.as_bytes())
        });
        // Without pins, every certificate would match.
        let pinned = !self.fingerprints.is_empty() || self.subject_and_issuer.is_some();
        if pinned && printed && named {
            Ok(AuthenticatedKey { version_stage: VersionStage::Current, signed_digest: None, event_id: None })
        } else {
            Err(VerificationError::InvalidCertificate)
        }
    }
}

/// The first certificate of a PEM, in DER.
pub(super) fn der_from_pem(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (text, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    encoding::decode_base64(&text).filter(|der| !der.is_empty())
}
