//! One rustls configuration for HTTP and WebSocket.
//!
//! A plain `reqwest::Client` builds a configuration of its own (100 KiB, milliseconds), and a plain
//! `tokio_tungstenite::connect_async` installs a process-wide provider and panics where the build has two. So both
//! get this one, made with an explicit provider.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::model::{Code, Fault};

/// How a backend's certificate is checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsSettings {
    /// A PEM file of authorities to trust beside the machine's own.
    pub ca: Option<PathBuf>,
    /// SHA-256 of the certificate (DER), hexadecimal; then this certificate and no other is accepted.
    pub pin: Option<String>,
    /// Accepts any certificate. Refused together with a key, except on loopback.
    pub danger_accept_invalid: bool,
}

/// The configuration for these settings; the default one is made once and shared.
pub fn client_config(settings: &TlsSettings) -> Result<Arc<ClientConfig>, Fault> {
    static SHARED: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if *settings != TlsSettings::default() {
        return build(settings).map(Arc::new);
    }
    if let Some(shared) = SHARED.get() {
        return Ok(shared.clone());
    }
    let built = Arc::new(build(settings)?);
    Ok(SHARED.get_or_init(|| built).clone())
}

fn build(settings: &TlsSettings) -> Result<ClientConfig, Fault> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|e| Fault::new(Code::Internal, format!("no TLS version fits: {e}")))?;
    if settings.danger_accept_invalid || settings.pin.is_some() {
        let verifier = Arc::new(Lenient { pin: settings.pin.as_deref().map(normalized_pin), provider });
        return Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    // A machine without certificates still talks http; https then fails with the verifier's own words.
    let native = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(native.certs);
    if let Some(path) = &settings.ca {
        add_file(&mut roots, path)?;
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn add_file(roots: &mut RootCertStore, path: &PathBuf) -> Result<(), Fault> {
    let bad = |why: String| Fault::new(Code::BadConfig, format!("`tls.ca`: {}: {why}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| bad(e.to_string()))?;
    let mut count = 0;
    for certificate in certificates {
        roots.add(certificate.map_err(|e| bad(e.to_string()))?).map_err(|e| bad(e.to_string()))?;
        count += 1;
    }
    if count == 0 { Err(bad("holds no certificate".to_owned())) } else { Ok(()) }
}

fn normalized_pin(pin: &str) -> String {
    pin.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_lowercase()).collect()
}

/// Accepts the pinned certificate, or any where none is pinned; signatures are still checked.
#[derive(Debug)]
struct Lenient {
    pin: Option<String>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(pin) = &self.pin else { return Ok(ServerCertVerified::assertion()) };
        use sha2::{Digest, Sha256};
        let found = crate::net::body::hex(&Sha256::digest(end_entity.as_ref()));
        if found == *pin {
            return Ok(ServerCertVerified::assertion());
        }
        let end = super::certificate::NOT_PINNED;
        Err(rustls::Error::General(format!("the certificate's SHA-256 is {found}, {end}")))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
