//! From the DTLS properties of the class to a layer that encrypts.

use std::time::{Duration, SystemTime};

use godot::classes::{CryptoKey, X509Certificate};
use godot::obj::Gd;
use nme_core::secure::SecureLayer;
use nme_core::session::MaxClients;
use nme_dtls::{ClientOptions, CredentialsError, Identity, ServerLimits, SetUpError, Trust, Verifier};
use thiserror::Error;

use crate::output::Quoted;
use crate::shared::Settings;

/// Why `use_dtls` cannot be satisfied.
#[derive(Debug, Error)]
pub(crate) enum DtlsError {
    #[error("use_dtls is on, but {0}; a DTLS server needs set_dtls_key() and set_dtls_certificate() first")]
    Missing(&'static str),
    #[error("use_dtls is on, but {0}")]
    Credentials(#[from] CredentialsError),
    #[error("the server's name is {}; a name has at most 255 bytes, see dtls_hostname", Quoted(.0))]
    LongName(String),
    #[error(transparent)]
    SetUp(#[from] SetUpError),
}

/// Bytes of a host name, as in the domain name system.
const LONGEST_NAME: usize = 255;

/// A server's layer, with the key and the certificate of the settings.
pub(crate) fn server(
    settings: &Settings,
    max_clients: MaxClients,
) -> Result<Box<dyn SecureLayer>, DtlsError> {
    let key = settings.dtls_key.as_ref().ok_or(DtlsError::Missing("there is no key"))?;
    let certificate =
        settings.dtls_certificate.as_ref().ok_or(DtlsError::Missing("there is no certificate"))?;
    let identity = Identity::from_pem(&key_pem(key.get())?, &certificate_pem(certificate.get()))?;
    let limits = ServerLimits::for_clients(max_clients.get()).with_mtu(settings.mtu.get());
    Ok(Box::new(nme_dtls::server(&identity, limits)?))
}

/// A client's layer for the server called `host`.
pub(crate) fn client(settings: &Settings, host: &str) -> Result<Box<dyn SecureLayer>, DtlsError> {
    let trust = match &settings.dtls_certificate {
        _ if !settings.dtls_verify => Trust::Anybody,
        Some(certificate) => Trust::Certificate(certificate_pem(certificate.get())),
        None => Trust::Platform,
    };
    let host_name = match settings.dtls_hostname.as_str() {
        "" => host.to_owned(),
        name => name.to_owned(),
    };
    if host_name.len() > LONGEST_NAME {
        return Err(DtlsError::LongName(host_name));
    }
    let (verifier, mtu) = (Verifier::new(trust)?, settings.mtu.get());
    let options = ClientOptions { verifier, host_name, unix_time: unix_time(), mtu };
    Ok(Box::new(nme_dtls::client(options)?))
}

/// The engine prints errors of its own when asked to save half a key as a whole one.
fn key_pem(key: &Gd<CryptoKey>) -> Result<String, DtlsError> {
    let mut key = key.clone();
    if key.is_public_only() {
        return Err(CredentialsError::PublicKey.into());
    }
    Ok(key.save_to_string().to_string())
}

fn certificate_pem(certificate: &Gd<X509Certificate>) -> String {
    certificate.clone().save_to_string().to_string()
}

/// A clock before 1970 is as wrong as one that stands there.
fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
