//! Certificates that are trusted, and whether one of them stands behind a server's certificate.

use std::time::Duration;

use nme_core::secure::SecureFailure;
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::ParsedCertificate;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Version};

use super::dates::Dates;
use crate::credentials::certificates;

/// A server's certificate with what came behind it.
pub(super) struct Presented<'a> {
    pub(super) der: &'a CertificateDer<'a>,
    /// The same, parsed.
    pub(super) leaf: &'a X509Certificate<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
}

/// Certificates that are trusted.
pub(super) struct Anchors(Vec<Anchor>);

struct Anchor {
    der: CertificateDer<'static>,
    /// Its subject in DER, by which certificates name their issuer.
    subject: Vec<u8>,
    dates: Dates,
    /// What the search for a longer chain works with. Not every certificate can be one.
    root: Option<TrustAnchor<'static>>,
}

impl Anchors {
    /// Leaves out what cannot be parsed.
    pub(super) fn new(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Self(certificates.into_iter().filter_map(Anchor::new).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether one of the certificates stands behind what the server presented: as the same certificate, as its issuer,
    /// or at the end of a chain of intermediates. [`SecureFailure::Untrusted`] if none does, and the failure of the
    /// dates if only one that is out of date does.
    pub(super) fn vouch(
        &self,
        presented: &Presented<'_>,
        now: Duration,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<(), SecureFailure> {
        if !may_serve(presented.leaf) {
            return Err(SecureFailure::Untrusted);
        }
        let mut failure = SecureFailure::Untrusted;
        for anchor in self.0.iter().filter(|anchor| anchor.stands_behind(presented, algorithms)) {
            match anchor.dates.check(now) {
                Ok(()) => return Ok(()),
                Err(dates) => failure = dates,
            }
        }
        self.chain(presented, now, algorithms).map_err(|chain| match failure {
            SecureFailure::Untrusted => chain,
            dates => dates,
        })
    }

    /// The same for chains with intermediates.
    fn chain(
        &self,
        presented: &Presented<'_>,
        now: Duration,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<(), SecureFailure> {
        let Ok(leaf) = ParsedCertificate::try_from(presented.der) else {
            return Err(SecureFailure::Untrusted);
        };
        // The search does not know the dates of the roots, so it gets only those that are valid, or that fail like this.
        let search = |dates| {
            let roots = self.0.iter().filter(|anchor| anchor.dates.check(now) == dates);
            let roots = RootCertStore::from_iter(roots.filter_map(|anchor| anchor.root.clone()));
            if roots.is_empty() {
                return Err(SecureFailure::Untrusted);
            }
            let now = UnixTime::since_unix_epoch(now);
            let intermediates = presented.intermediates;
            verify_server_cert_signed_by_trust_anchor(&leaf, &roots, intermediates, now, algorithms.all)
                .map_err(|error| super::failure_of(&error))
        };
        let result = search(Ok(()));
        if result != Err(SecureFailure::Untrusted) {
            return result;
        }
        for outdated in [SecureFailure::CertificateExpired, SecureFailure::CertificateNotYetValid] {
            if search(Err(outdated)).is_ok() {
                return Err(outdated);
            }
        }
        Err(SecureFailure::Untrusted)
    }
}

impl Anchor {
    fn new(der: CertificateDer<'static>) -> Option<Self> {
        let certificate = certificates::parse(&der)?;
        let subject = certificate.subject().as_raw().to_vec();
        let dates = Dates::of(&certificate);
        let mut roots = RootCertStore::empty();
        // The search takes it for granted that a root is a CA.
        let root = if is_ca(&certificate) { roots.add(der.clone()).ok() } else { None };
        let root = root.and_then(|()| roots.roots.pop());
        Some(Self { der, subject, dates, root })
    }

    /// Whether this is the presented certificate, or has signed it.
    fn stands_behind(&self, presented: &Presented<'_>, algorithms: WebPkiSupportedAlgorithms) -> bool {
        if self.der == *presented.der {
            return true;
        }
        let leaf = presented.leaf;
        if self.subject != leaf.issuer().as_raw() {
            return false;
        }
        let Some(own) = certificates::parse(&self.der) else { return false };
        // Without the right to sign others, it can at least have been made anew with the same key.
        let reissued =
            own.public_key().raw == leaf.public_key().raw && self.subject == leaf.subject().as_raw();
        // What a CA may sign can be narrowed, and only the search for a chain knows those rules.
        let may_sign = is_ca(&own) && is_understood(&own);
        (reissued || may_sign) && is_understood(leaf) && is_signed_by(leaf, own.public_key(), algorithms)
    }
}

/// Whether the extensions of a server's certificate, if it has them, allow to sign a handshake with its key.
fn may_serve(leaf: &X509Certificate<'_>) -> bool {
    let usage = leaf.key_usage().map(|usage| usage.is_none_or(|usage| usage.value.digital_signature()));
    let purpose = leaf
        .extended_key_usage()
        .map(|purpose| purpose.is_none_or(|purpose| purpose.value.any || purpose.value.server_auth));
    matches!((usage, purpose), (Ok(true), Ok(true)))
}

/// Whether a certificate is a CA's: by its extensions, or because it is of a version that had none.
fn is_ca(certificate: &X509Certificate<'_>) -> bool {
    let usage = certificate.key_usage().map(|usage| usage.is_none_or(|usage| usage.value.key_cert_sign()));
    certificate.version() != X509Version::V3 || certificate.is_ca() && usage.unwrap_or(false)
}

/// Whether all that must be understood in a certificate is: its critical extensions.
fn is_understood(certificate: &X509Certificate<'_>) -> bool {
    certificate.extensions().iter().filter(|extension| extension.critical).all(|extension| {
        matches!(
            extension.parsed_extension(),
            ParsedExtension::BasicConstraints(_)
                | ParsedExtension::KeyUsage(_)
                | ParsedExtension::ExtendedKeyUsage(_)
                | ParsedExtension::SubjectAlternativeName(_)
        )
    })
}

/// Whether the signature of a certificate was made with this key.
fn is_signed_by(
    certificate: &X509Certificate<'_>,
    key: &SubjectPublicKeyInfo<'_>,
    algorithms: WebPkiSupportedAlgorithms,
) -> bool {
    let claimed = &certificate.signature_algorithm;
    let signature = &certificate.signature_value;
    if *claimed != certificate.tbs_certificate.signature || signature.unused_bits != 0 {
        return false;
    }
    // Some share an identifier and differ in parameters. Trying each of them is safe: only the right one can agree.
    algorithms.all.iter().any(|algorithm| {
        begins_with_oid(&algorithm.signature_alg_id(), claimed.algorithm.as_bytes())
            && begins_with_oid(&algorithm.public_key_alg_id(), key.algorithm.algorithm.as_bytes())
            && algorithm
                .verify_signature(
                    &key.subject_public_key.data,
                    certificate.tbs_certificate.as_ref(),
                    &signature.data,
                )
                .is_ok()
    })
}

/// Whether the contents of an `AlgorithmIdentifier` begin with this object identifier.
fn begins_with_oid(identifier: &[u8], oid: &[u8]) -> bool {
    const OBJECT_IDENTIFIER: u8 = 6;
    match identifier {
        [OBJECT_IDENTIFIER, len, rest @ ..] => usize::from(*len) == oid.len() && rest.starts_with(oid),
        _ => false,
    }
}
