//! Certificates out of PEM.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::CredentialsError;

/// All certificates of a PEM in their order; at least one, and each can be [parsed](parse).
///
/// The engines' strings end in a NUL character, sometimes behind a U+FFFD. What is not between the lines of a section
/// is skipped, these included.
pub(crate) fn read(pem: &str) -> Result<Vec<CertificateDer<'static>>, CredentialsError> {
    let mut certificates = Vec::new();
    for section in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let broken = CredentialsError::BrokenCertificate { number: certificates.len() + 1 };
        let certificate: CertificateDer<'static> = section.map_err(|_| broken)?;
        parse(&certificate).ok_or(broken)?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(CredentialsError::NoCertificate);
    }
    Ok(certificates)
}

/// The fields of a certificate, when `der` is one and nothing more.
pub(crate) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        _ => None,
    }
}
