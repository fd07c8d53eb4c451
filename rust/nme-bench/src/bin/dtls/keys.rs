//! Servers' keys, with certificates as Godot 4 makes them.

use nme_dtls::Identity;

/// A key and its certificate.
pub(crate) struct Credentials {
    pub(crate) label: &'static str,
    key: &'static str,
    pub(crate) certificate: &'static str,
}

impl Credentials {
    pub(crate) fn identity(&self) -> Identity {
        Identity::from_pem(self.key, self.certificate).expect("a key and its certificate")
    }
}

macro_rules! data {
    ($name:literal) => {
        include_str!(concat!("../../../../nme-dtls/tests/data/godot4/", $name))
    };
}

/// What `Crypto.generate_rsa(2048)` makes.
pub(crate) const RSA_2048: Credentials =
    Credentials { label: "RSA-2048", key: data!("rsa_2048.key"), certificate: data!("rsa_2048.crt") };

/// What OpenSSL makes.
pub(crate) const P_256: Credentials =
    Credentials { label: "P-256", key: data!("p256.key"), certificate: data!("p256.crt") };
