//! Whom we trust, and who we are.

use std::path::Path;
use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tracing::warn;

use crate::settings::{Settings, SettingsError};

pub(crate) fn configure(settings: &Settings) -> Result<Arc<ClientConfig>, SettingsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError::Tls(error.to_string()))?;

    let trusting = if settings.danger_accept_invalid_certs {
        warn!("danger_accept_invalid_certs is set: anyone can stand in for every HTTPS endpoint.");
        versions.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    } else if let Some(path) = &settings.ca_file {
        let mut roots = RootCertStore::empty();
        for authority in certificates("http.ca_file", path)? {
            roots.add(authority).map_err(|error| pem("http.ca_file", path, error))?;
        }
        versions.with_root_certificates(roots)
    } else {
        match versions.clone().try_with_platform_verifier() {
            Ok(trusting) => trusting,
            Err(error) => {
                // Plain HTTP works without; whoever uses HTTPS gets a certificate error that names the remedy.
                warn!(%error, "This machine has no authorities: HTTPS endpoints need http.ca_file.");
                versions.with_root_certificates(RootCertStore::empty())
            }
        }
    };

    let config = match (&settings.client_cert, &settings.client_key) {
        (None, None) => trusting.with_no_client_auth(),
        (Some(cert), Some(key)) => {
            let chain = certificates("http.client_cert", cert)?;
            let key =
                PrivateKeyDer::from_pem_file(key).map_err(|error| pem("http.client_key", key, error))?;
            trusting
                .with_client_auth_cert(chain, key)
                .map_err(|error| SettingsError::Identity(error.to_string()))?
        }
        _ => return Err(SettingsError::HalfAnIdentity),
    };
    Ok(Arc::new(config))
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let found = CertificateDer::pem_file_iter(path)
        .map_err(|error| pem(what, path, error))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| pem(what, path, error))?;
    match found.is_empty() {
        true => Err(pem(what, path, "it holds no certificate")),
        false => Ok(found),
    }
}

fn pem(what: &'static str, path: &Path, reason: impl ToString) -> SettingsError {
    SettingsError::Pem { what, path: path.to_owned(), reason: reason.to_string() }
}

/// Believes every certificate; the handshake itself is still checked.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
