//! The verifier as rustls knows verifiers.

use std::time::Duration;

use nme_core::secure::SecureFailure;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::Verifier;

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let now = Duration::from_secs(now.as_secs());
        self.check(end_entity, intermediates, &server_name.to_str(), now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(error_of)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn error_of(failure: SecureFailure) -> Error {
    Error::InvalidCertificate(match failure {
        SecureFailure::CertificateExpired => CertificateError::Expired,
        SecureFailure::CertificateNotYetValid => CertificateError::NotValidYet,
        SecureFailure::WrongName => CertificateError::NotValidForName,
        SecureFailure::Untrusted => CertificateError::UnknownIssuer,
        _ => CertificateError::BadEncoding,
    })
}

/// The failure that an error of a verifier stands for.
pub(super) fn failure_of(error: &Error) -> SecureFailure {
    match error {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            SecureFailure::CertificateExpired
        }
        Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => SecureFailure::CertificateNotYetValid,
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => SecureFailure::WrongName,
        Error::InvalidCertificate(CertificateError::BadEncoding) => SecureFailure::Handshake,
        _ => SecureFailure::Untrusted,
    }
}
