//! What a server shows: its private key, and the certificate that goes with it.

mod error;
mod key;
#[cfg(test)]
mod tests;

pub(crate) mod certificates;

use std::fmt;

use rtc_dtls::crypto::Certificate;

pub use error::CredentialsError;

/// A private key and its certificate, known to fit each other.
#[derive(Clone)]
pub struct Identity {
    certificate: Certificate,
}

impl Identity {
    /// Reads a key and a certificate, both as PEM.
    ///
    /// The key is RSA of 2048 to 4096 bits or ECDSA on P-256, in PKCS#1, SEC 1 or PKCS#8. Intermediate certificates may
    /// follow the certificate; they are shown to clients in the same order. Dates are not looked at: only a client
    /// refuses an old certificate.
    ///
    /// # Errors
    /// When there is no key or no certificate, when one cannot be read, when the key is of another kind, or when the
    /// first certificate is not that of the key.
    pub fn from_pem(key: &str, certificate: &str) -> Result<Self, CredentialsError> {
        let key = key::read(key)?;
        let chain = certificates::read(certificate)?;
        let first =
            chain.first().and_then(|der| certificates::parse(der)).ok_or(CredentialsError::NoCertificate)?;
        if *first.public_key().subject_public_key.data != *key.public_key().bytes {
            return Err(CredentialsError::Mismatch);
        }
        Ok(Self { certificate: Certificate::from_signing_key(chain, key) })
    }

    /// Key and chain as the DTLS library takes them.
    pub(crate) fn certificate(&self) -> Certificate {
        self.certificate.clone()
    }
}

/// Without the key.
impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Identity")
            .field("certificates", &self.certificate.certificate.len())
            .finish_non_exhaustive()
    }
}
