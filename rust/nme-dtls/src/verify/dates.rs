//! Whether a certificate is valid at a time.

use std::time::Duration;

use nme_core::secure::SecureFailure;
use x509_parser::certificate::X509Certificate;

/// The first and the last second of a certificate, both included, in seconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Dates {
    first: i64,
    last: i64,
}

impl Dates {
    pub(super) fn of(certificate: &X509Certificate<'_>) -> Self {
        let validity = certificate.validity();
        Self { first: validity.not_before.timestamp(), last: validity.not_after.timestamp() }
    }

    pub(super) fn check(self, unix_time: Duration) -> Result<(), SecureFailure> {
        let now = i64::try_from(unix_time.as_secs()).unwrap_or(i64::MAX);
        if now > self.last {
            Err(SecureFailure::CertificateExpired)
        } else if now < self.first {
            Err(SecureFailure::CertificateNotYetValid)
        } else {
            Ok(())
        }
    }
}
