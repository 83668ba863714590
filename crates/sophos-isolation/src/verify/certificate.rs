//! Certificates that callers bring to mutual TLS.

use sha2::{Digest, Sha256};

use super::{Proof, Rejection, Stage, encoding, equal};

/// The certificate that a caller proved to have the key of, as the server that
/// ended its TLS connection tells it. Never read from a header: anybody can
/// write one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate as PEM.
    pub pem: String,
    /// The distinguished name of its subject.
    pub subject: String,
    /// The distinguished name of its issuer.
    pub issuer: String,
}

/// Which certificates prove a source. All that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificatePins {
    /// The SHA-256 of the certificate in DER, of any of these; empty is any.
    pub fingerprints: Vec<[u8; 32]>,
    /// The distinguished names of subject and issuer, exactly.
    pub names: Option<(String, String)>,
}

impl ClientCertificate {
    /// The SHA-256 of the certificate in DER. `None` when there is no PEM.
    fn fingerprint(&self) -> Option<[u8; 32]> {
        Some(Sha256::digest(der(&self.pem)?).into())
    }
}

impl CertificatePins {
    pub(super) fn check(&self, certificate: Option<&ClientCertificate>) -> Result<Proof, Rejection> {
        let certificate = certificate.ok_or(Rejection::NoCertificate)?;
        let printed = self.fingerprints.is_empty()
            || certificate.fingerprint().is_some_and(|own| {
                self.fingerprints.iter().fold(false, |found, pinned| found | equal(&own, pinned))
            });
        let named = self.names.as_ref().is_none_or(|(subject, issuer)| {
            equal(certificate.subject.as_bytes(), subject.as_bytes())
                & equal(certificate.issuer.as_bytes(), issuer.as_bytes())
        });
        // Pins of nothing would let everybody in.
        let pinned = !self.fingerprints.is_empty() || self.names.is_some();
        if pinned && printed && named {
            Ok(Proof { stage: Stage::Current, signed: None, event_id: None })
        } else {
            Err(Rejection::Certificate)
        }
    }
}

/// The first certificate of a PEM.
pub(super) fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (text, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    encoding::base64(&text).filter(|der| !der.is_empty())
}
