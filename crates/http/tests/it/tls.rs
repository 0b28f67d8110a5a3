//! Certificates: whose we trust, and ours.

use std::path::PathBuf;
use std::sync::Arc;

use nephoran_http::{Call, Clients, Error, Kind, Profile, Settings, SettingsError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use crate::support::{Server, Table, get, text};

pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub(crate) fn server(&self, name: &str) -> TlsAcceptor {
        self.acceptor(CertificateParams::new(vec![name.to_owned()]).unwrap(), false)
    }

    fn acceptor(&self, params: CertificateParams, asks_for_clients: bool) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = match asks_for_clients {
            false => config.with_no_client_auth(),
            true => {
                let mut roots = RootCertStore::empty();
                roots.add(self.issuer.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                config.with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap()))
    }

    /// Certificate and key of a client, as files.
    fn client(&self) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["nephoran".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (cert_file, key_file) =
            (self.folder.path().join("client.pem"), self.folder.path().join("client.key"));
        std::fs::write(&cert_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        (cert_file, key_file)
    }
}

fn settings() -> Settings {
    Settings {
        allow: vec!["127.0.0.1".parse().unwrap()],
        resolve: Some(Table::of(&[("model.test", "127.0.0.1"), ("other.test", "127.0.0.1")])),
        ..Settings::default()
    }
}

async fn outcome(settings: Settings, host: &str, server: &Server) -> Result<String, Error> {
    let clients = Clients::new(settings).unwrap();
    let url = format!("https://{host}:{}/", server.address.port());
    let response = clients.get(Profile::Default).send(get(&url), Call::default()).await?;
    Ok(String::from_utf8(response.into_body().collect().await?.to_vec()).unwrap())
}

#[tokio::test]
async fn a_bad_certificate_is_named_with_its_remedy_and_nothing_is_sent() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("model.test")).await;
    let trusting = || Settings { ca_file: Some(authority.file()), ..settings() };
    assert_eq!(outcome(trusting(), "model.test", &server).await.unwrap(), "secret");

    let other = Authority::new();
    let stranger = Settings { ca_file: Some(other.file()), ..settings() };
    let unknown = outcome(stranger, "model.test", &server).await.unwrap_err();
    let machine = outcome(settings(), "model.test", &server).await.unwrap_err();
    let wrong_name = outcome(trusting(), "other.test", &server).await.unwrap_err();
    for fault in [&unknown, &machine, &wrong_name] {
        assert_eq!(fault.kind(), Kind::Certificate, "{fault}");
        assert!(fault.remedy().contains("http.ca_file") && !fault.is_passing());
    }
    assert!(wrong_name.to_string().contains("other.test"), "{wrong_name}");

    let mut expired = CertificateParams::new(vec!["model.test".to_owned()]).unwrap();
    expired.not_before = rcgen::date_time_ymd(2001, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let server = Server::start_tls(authority.acceptor(expired, false)).await;
    let fault = outcome(trusting(), "model.test", &server).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Certificate, "{fault}");
    assert!(fault.to_string().contains("expired"), "{fault}");
}

#[tokio::test]
async fn any_certificate_is_taken_only_with_the_setting_that_says_danger() {
    let authority = Authority::new();
    let server = Server::start_tls(authority.server("elsewhere.test")).await;
    let danger = Settings { danger_accept_invalid_certs: true, ..settings() };
    assert_eq!(outcome(danger, "model.test", &server).await.unwrap(), "secret");
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_gets_ours() {
    let authority = Authority::new();
    let params = CertificateParams::new(vec!["model.test".to_owned()]).unwrap();
    let server = Server::start_tls(authority.acceptor(params, true)).await;
    let (cert, key) = authority.client();
    let trusting = Settings { ca_file: Some(authority.file()), ..settings() };

    let fault = outcome(trusting.clone(), "model.test", &server).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Tls, "{fault}");
    assert!(
        fault.to_string().contains("client certificate") && fault.remedy().contains("http.client_cert"),
        "{fault}"
    );

    let ours = Settings { client_cert: Some(cert), client_key: Some(key), ..trusting };
    assert_eq!(outcome(ours, "model.test", &server).await.unwrap(), "secret");
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_named() {
    let server = Server::start(|_| async { text("plain") }).await;
    let fault = outcome(settings(), "model.test", &server).await.unwrap_err();
    assert_eq!(fault.kind(), Kind::Tls, "{fault}");
    assert!(fault.remedy().contains("speaks TLS"), "{fault}");
}

#[test]
fn wrong_files_are_refused_at_the_start() {
    let authority = Authority::new();
    let (cert, key) = authority.client();
    // A key that belongs to no certificate here.
    let foreign_key = authority.folder.path().join("foreign.key");
    std::fs::write(&foreign_key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let empty = authority.folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate here").unwrap();
    let fault = |settings: Settings| Clients::new(settings).map(drop).unwrap_err();

    assert!(matches!(
        fault(Settings { ca_file: Some(empty), ..settings() }),
        SettingsError::Pem { what: "http.ca_file", .. }
    ));
    let missing = authority.folder.path().join("missing.pem");
    assert!(matches!(fault(Settings { ca_file: Some(missing), ..settings() }), SettingsError::Pem { .. }));
    assert!(matches!(
        fault(Settings { client_cert: Some(cert.clone()), ..settings() }),
        SettingsError::HalfAnIdentity
    ));
    assert!(matches!(fault(Settings { client_key: Some(key), ..settings() }), SettingsError::HalfAnIdentity));
    let mixed = Settings { client_cert: Some(cert), client_key: Some(foreign_key), ..settings() };
    assert!(matches!(fault(mixed), SettingsError::Identity(_)));
}
