//! TLS to a receiver.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::exit::Failure;

/// The files of TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TlsFiles {
    /// The certificates that sign the receiver's; `None` for those of the system.
    pub(super) authorities: Option<PathBuf>,
    /// The own certificate with its chain, and its key.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

/// Sets up TLS.
///
/// # Errors
/// When a file is invalid, or the system has no certificates.
pub(super) fn connector(files: &TlsFiles) -> Result<TlsConnector, Failure> {
    let failed = |error: &dyn Display| Failure::other(format!("setting up TLS failed: {error}"));
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?;
    let builder = match &files.authorities {
        None => builder.with_platform_verifier().map_err(|error| failed(&error))?,
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| invalid(path, &error))?;
            }
            builder.with_root_certificates(roots)
        }
    };
    let config = match &files.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            // The reader's message may quote the file.
            let private = PrivateKeyDer::from_pem_file(key)
                .map_err(|_| invalid(key, &"expected a private key as PEM"))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, private)
                .map_err(|error| invalid(certificate, &error))?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(invalid(path, &"expected certificates as PEM")),
        Err(error) => Err(invalid(path, &error)),
    }
}

fn invalid(path: &Path, reason: &dyn Display) -> Failure {
    Failure::usage(format!("invalid file {}: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connector_rejects_files_without_certificates() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        let files = TlsFiles { authorities: Some(path.clone()), identity: None };
        assert!(connector(&files).is_err(), "a missing file");
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, text).expect("a file");
            let failure = connector(&files).err().expect(text);
            assert!(failure.message.contains("ca.pem"), "{failure}");
        }
        let files = TlsFiles { authorities: None, identity: Some((path.clone(), path)) };
        assert!(connector(&files).is_err(), "no key");
    }
}
