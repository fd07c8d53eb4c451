//! Bodies of the fuzz targets. For this project only.

pub mod gate;

use std::time::Duration;

use rustls_pki_types::CertificateDer;

use crate::credentials::{Identity, certificates};
use crate::verify::{Trust, Verifier};

/// A time at which the certificates of the tests are valid, as seconds since 1970: the year 2025.
const NOW: Duration = Duration::from_secs(1_750_000_000);

const TRUSTED: &str = include_str!("../tests/data/godot4/rsa_2048.crt");
const STRANGER: &str = include_str!("../tests/data/godot4/rsa_2048_other.crt");

/// Any bytes as the PEM of a key and of a certificate, and as the DER that a server shows.
///
/// # Panics
/// When the certificates of the tests cannot be read.
pub fn pem(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Identity::from_pem(&text, &text);
    let _ = Identity::from_pem(&text, TRUSTED);
    if let Ok(chain) = certificates::read(&text) {
        let verifier = Verifier::new(Trust::Certificate(text.clone().into_owned())).expect("the same PEM");
        let _ = verifier.verify(&chain, "localhost", NOW);
    }

    let verifier = Verifier::new(Trust::Certificate(TRUSTED.to_owned())).expect("a certificate of the tests");
    let stranger = certificates::read(STRANGER).expect("a certificate of the tests").remove(0);
    let shown = CertificateDer::from(bytes);
    for name in ["localhost", "127.0.0.1", &text] {
        let _ = verifier.verify(std::slice::from_ref(&shown), name, NOW);
        let _ = verifier.verify(&[shown.clone(), stranger.clone()], name, NOW);
        let _ = verifier.verify(&[stranger.clone(), shown.clone()], name, NOW);
    }
}
