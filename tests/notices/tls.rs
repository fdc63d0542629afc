//! Handshakes that fail: a real one each, with a certificate made for it, and its remedy.

use std::{path::PathBuf, sync::Arc};

use backline::{
    Supervisor,
    config::{BackendConfig, Config},
    model::{Code, Kind, Notice},
    net::{Address, tls::TlsSettings},
    sim::comfyui::{SimComfyui, Version},
    supervisor::probe::{StageName, probe},
};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use sha2::{Digest, Sha256};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use crate::place::{backend, ended, raised, ready, start};

/// An authority of the test's own, which no machine knows.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Where its certificate lies.
    file: PathBuf,
    _directory: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file, _directory: directory }
    }

    fn signs(&self, names: &[&str], year: i32) -> Shown {
        let mut params = params(names);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        Shown { certificate: params.signed_by(&key, &self.issuer).unwrap(), key }
    }

    fn trusted(&self, mut backend: BackendConfig) -> BackendConfig {
        backend.tls = TlsSettings { ca: Some(self.file.clone()), ..TlsSettings::default() };
        backend
    }
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

/// What a server shows of itself.
struct Shown {
    certificate: Certificate,
    key: KeyPair,
}

impl Shown {
    fn itself(names: &[&str], kind: IsCa) -> Self {
        let (mut params, key) = (params(names), KeyPair::generate().unwrap());
        params.is_ca = kind;
        Self { certificate: params.self_signed(&key).unwrap(), key }
    }

    /// As `openssl x509 -fingerprint -sha256` writes it.
    fn fingerprint(&self) -> String {
        let bytes = Sha256::digest(self.certificate.der().as_ref());
        bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    fn config(&self) -> Arc<ServerConfig> {
        let chain = vec![CertificateDer::from(self.certificate.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }
}

/// A ComfyUI behind TLS.
struct Front {
    port: u16,
    shown: watch::Sender<Arc<ServerConfig>>,
    _server: SimComfyui,
}

impl Front {
    async fn start(shown: &Shown) -> Self {
        let server = SimComfyui::start(Version::V0_24_0).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, behind) = (listener.local_addr().unwrap().port(), server.server().port());
        let (shown, configs) = watch::channel(shown.config());
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = TlsAcceptor::from(configs.borrow().clone());
                #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
                tokio::spawn(async move {
                    // A client that refuses the certificate ends it here, as it should.
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut inner = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut inner).await;
                });
            }
        });
        Self { port, shown, _server: server }
    }

    fn backend(&self, host: &str) -> BackendConfig {
        let mut backend = backend(Kind::Comfyui, self.port);
        backend.url = Address::parse(&format!("https://{host}:{}", self.port)).unwrap();
        backend
    }
}

async fn told(backend: BackendConfig, words: &str, remedy: &str) -> (Supervisor, Notice) {
    let report = probe(&backend).await;
    let last = report.stages.last().unwrap();
    assert_eq!((last.stage, last.ok), (StageName::Tls, false), "{report:?}");
    assert!(last.message.contains(words) && last.fix.contains(remedy), "{last:?}");
    let supervisor = start(backend).await;
    let notice = raised(&supervisor, Code::Tls).await;
    assert!(notice.message.contains(words), "{}", notice.message);
    assert!(notice.fix.contains(remedy), "{}", notice.fix);
    (supervisor, notice)
}

/// Follows the remedy that is a change of the backend's settings.
async fn helps(supervisor: &Supervisor, right: BackendConfig) -> Option<Code> {
    supervisor.apply(Config::new().backend(right)).await.unwrap();
    ready(supervisor).await;
    ended(supervisor, Code::Tls).await;
    Some(Code::Tls)
}

pub(crate) async fn a_port_that_speaks_no_tls() -> Option<Code> {
    let server = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let mut wrong = backend(Kind::Comfyui, server.server().port());
    wrong.url = Address::parse(&format!("https://127.0.0.1:{}", server.server().port())).unwrap();
    let (supervisor, _) = told(wrong, "not in TLS", "http://").await;
    helps(&supervisor, backend(Kind::Comfyui, server.server().port())).await
}

pub(crate) async fn an_authority_that_nobody_knows() -> Option<Code> {
    let authority = Authority::new();
    let front = Front::start(&authority.signs(&["127.0.0.1"], 4000)).await;
    let (supervisor, _) = told(front.backend("127.0.0.1"), "does not know", "tls: (ca: \"FILE\")").await;
    let right = authority.trusted(front.backend("127.0.0.1"));
    let report = probe(&right).await;
    let stages: Vec<_> = report.stages.iter().map(|stage| format!("{:?}", stage.stage)).collect();
    assert_eq!(stages.join(" "), "Dns Tcp Tls Http Api Auth Capability", "{report:?}");
    assert!(report.ok, "{report:?}");
    helps(&supervisor, right).await
}

/// The file of the remedy is the certificate itself.
pub(crate) async fn a_certificate_that_signed_itself() -> Option<Code> {
    let shown = Shown::itself(&["localhost"], IsCa::ExplicitNoCa);
    let front = Front::start(&shown).await;
    let (supervisor, _) = told(front.backend("localhost"), "self-signed", "tls: (ca: \"FILE\")").await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("own.pem");
    std::fs::write(&file, shown.certificate.pem()).unwrap();
    let mut right = front.backend("localhost");
    right.tls = TlsSettings { ca: Some(file), ..TlsSettings::default() };
    helps(&supervisor, right).await
}

/// `openssl req -x509` makes one that is an authority's, too, which no file of authorities helps.
pub(crate) async fn a_certificate_of_openssl_that_is_pinned() -> Option<Code> {
    let shown = Shown::itself(&["localhost"], IsCa::Ca(BasicConstraints::Unconstrained));
    let front = Front::start(&shown).await;
    let (supervisor, _) = told(front.backend("localhost"), "self-signed", "tls: (pin: \"SHA-256\")").await;
    let mut right = front.backend("localhost");
    right.tls = TlsSettings { pin: Some(shown.fingerprint()), ..TlsSettings::default() };
    helps(&supervisor, right).await
}

/// Somebody else answers, or the server's certificate was renewed: the new one is named, and is pinned.
pub(crate) async fn a_certificate_that_is_not_the_pinned_one() -> Option<Code> {
    let (before, after) =
        (Shown::itself(&["localhost"], IsCa::NoCa), Shown::itself(&["localhost"], IsCa::NoCa));
    let front = Front::start(&after).await;
    let pinned = |shown: &Shown| {
        let mut backend = front.backend("localhost");
        backend.tls = TlsSettings { pin: Some(shown.fingerprint()), ..TlsSettings::default() };
        backend
    };
    let named = after.fingerprint().replace(':', "").to_lowercase();
    let (supervisor, _) = told(pinned(&before), &named, "tls: (pin: …)").await;
    helps(&supervisor, pinned(&after)).await
}

/// The server is given a new one, and nothing is changed here.
pub(crate) async fn a_certificate_that_expired_and_is_renewed() -> Option<Code> {
    let authority = Authority::new();
    let front = Front::start(&authority.signs(&["127.0.0.1"], 2020)).await;
    let backend = authority.trusted(front.backend("127.0.0.1"));
    let (supervisor, _) = told(backend, "expired 2020-01-01", "Renew").await;
    front.shown.send_replace(authority.signs(&["127.0.0.1"], 4000).config());
    ready(&supervisor).await;
    ended(&supervisor, Code::Tls).await;
    Some(Code::Tls)
}

/// It is for the name, and `url` has the address.
pub(crate) async fn a_certificate_for_another_name() -> Option<Code> {
    let authority = Authority::new();
    let front = Front::start(&authority.signs(&["localhost"], 4000)).await;
    let backend = authority.trusted(front.backend("127.0.0.1"));
    let (supervisor, notice) = told(backend, "is for localhost, not for 127.0.0.1", "in `url`").await;
    assert!(!notice.message.contains("DnsName"), "{}", notice.message);
    helps(&supervisor, authority.trusted(front.backend("localhost"))).await
}
