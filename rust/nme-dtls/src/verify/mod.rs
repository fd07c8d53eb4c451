//! What a client trusts.
//!
//! The rules are those of the engines, which use mbedTLS: dates, name, and then whether something that is trusted stands
//! behind the certificate. A certificate as the engines make it, self-signed and with its name only in the subject,
//! passes when it is the one that was given to the client.

mod anchors;
mod dates;
mod name;
mod platform;
mod server_cert;

use std::fmt;
use std::time::Duration;

use nme_core::secure::SecureFailure;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::credentials::{CredentialsError, certificates};
use anchors::{Anchors, Presented};
use dates::Dates;
use platform::Preload;
use server_cert::failure_of;

/// Whom a client trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Anybody: nothing of the certificate is looked at. The connection is encrypted, but whoever is between client and
    /// server can read it.
    Anybody,
    /// The certificates in this PEM, and those they have signed.
    Certificate(String),
    /// The certificates that the operating system trusts.
    Platform,
}

/// Judges the certificates of servers.
///
/// It also is a [`ServerCertVerifier`] of rustls.
pub struct Verifier {
    trusted: Trusted,
    algorithms: WebPkiSupportedAlgorithms,
}

enum Trusted {
    Anybody,
    Pinned(Anchors),
    Platform { _reading: Preload },
}

impl Verifier {
    /// Makes a verifier. With [`Trust::Platform`] it begins to read the system's store in the background.
    ///
    /// # Errors
    /// When there is no certificate in the PEM, or one that cannot be read.
    pub fn new(trust: Trust) -> Result<Self, CredentialsError> {
        let trusted = match trust {
            Trust::Anybody => Trusted::Anybody,
            Trust::Certificate(pem) => Trusted::Pinned(Anchors::new(certificates::read(&pem)?)),
            Trust::Platform => Trusted::Platform { _reading: Preload::start() },
        };
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        Ok(Self { trusted, algorithms })
    }

    /// Judges what a server has shown: its own certificate, and behind it any intermediates. `name` is the host name or
    /// the IP address that the client wants, `unix_time` the time since 1970.
    ///
    /// # Errors
    /// The first that applies of: [`CertificateExpired`](SecureFailure::CertificateExpired),
    /// [`CertificateNotYetValid`](SecureFailure::CertificateNotYetValid), [`WrongName`](SecureFailure::WrongName) and
    /// [`Untrusted`](SecureFailure::Untrusted). [`Handshake`](SecureFailure::Handshake) when there is no certificate, or
    /// none that can be parsed.
    pub fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        name: &str,
        unix_time: Duration,
    ) -> Result<(), SecureFailure> {
        let (leaf, intermediates) = match chain {
            _ if matches!(self.trusted, Trusted::Anybody) => return Ok(()),
            [] => return Err(SecureFailure::Handshake),
            [leaf, intermediates @ ..] => (leaf, intermediates),
        };
        match ServerName::try_from(name) {
            Ok(name) => self
                .verify_server_cert(leaf, intermediates, &name, &[], UnixTime::since_unix_epoch(unix_time))
                .map(|_| ())
                .map_err(|error| failure_of(&error)),
            // Games also use names that cannot be in DNS, such as ones with a space.
            Err(_) => self.check(leaf, intermediates, name, unix_time),
        }
    }

    /// Why the system's store has no certificates, in words for people: then every certificate is
    /// [`Untrusted`](SecureFailure::Untrusted). `None` when it has some, has not been read yet, or is not used.
    #[must_use]
    pub fn store_problem(&self) -> Option<&'static str> {
        match self.trusted {
            Trusted::Platform { .. } => platform::problem(),
            Trusted::Anybody | Trusted::Pinned(_) => None,
        }
    }

    fn check(
        &self,
        der: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &str,
        now: Duration,
    ) -> Result<(), SecureFailure> {
        let anchors = match &self.trusted {
            Trusted::Anybody => return Ok(()),
            Trusted::Pinned(anchors) => anchors,
            Trusted::Platform { .. } => &platform::store().anchors,
        };
        let leaf = certificates::parse(der).ok_or(SecureFailure::Handshake)?;
        Dates::of(&leaf).check(now)?;
        let vouched = anchors.vouch(&Presented { der, leaf: &leaf, intermediates }, now, self.algorithms);
        // Dates come before the name, and so do those of the certificates that stand behind it.
        if let Err(SecureFailure::CertificateExpired | SecureFailure::CertificateNotYetValid) = vouched {
            return vouched;
        }
        if !name::matches(&leaf, name) {
            return Err(SecureFailure::WrongName);
        }
        vouched
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.trusted {
            Trusted::Anybody => formatter.write_str("Verifier(anybody)"),
            Trusted::Pinned(anchors) => write!(formatter, "Verifier({} certificates)", anchors.len()),
            Trusted::Platform { .. } => formatter.write_str("Verifier(platform)"),
        }
    }
}
