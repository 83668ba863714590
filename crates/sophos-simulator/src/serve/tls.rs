//! A certificate authority, created at the start, and its server certificate.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::error::StartError;

fn tls_error(error: impl std::fmt::Display) -> StartError {
    StartError::Tls(error.to_string())
}

fn certificate_authority() -> Result<(CertificateParams, KeyPair), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "sophos-simulator authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok((params, KeyPair::generate()?))
}

/// Creates the certificates for `names`, and writes the authority's to `ca_file` if given.
pub(crate) fn acceptor(names: &[String], ca_file: Option<&Path>) -> Result<TlsAcceptor, StartError> {
    let (ca_params, ca_key) = certificate_authority().map_err(tls_error)?;
    let ca = ca_params.self_signed(&ca_key).map_err(tls_error)?;
    if let Some(path) = ca_file {
        std::fs::write(path, ca.pem())
            .map_err(|e| tls_error(format!("writing {} failed: {e}", path.display())))?;
    }
    let key = KeyPair::generate().map_err(tls_error)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(tls_error)?;
    params.distinguished_name.push(DnType::CommonName, "sophos-simulator");
    params.use_authority_key_identifier_extension = true;
    let issuer = Issuer::new(ca_params, ca_key);
    let certificate = params.signed_by(&key, &issuer).map_err(tls_error)?;
    let chain = vec![certificate.der().clone(), ca.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(tls_error)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(tls_error)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(tls_error)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
