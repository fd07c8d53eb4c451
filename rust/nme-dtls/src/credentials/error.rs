//! What can be wrong with keys and certificates.

use thiserror::Error;

/// Why a key or a certificate cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The PEM of the key is empty, or has no key in it.
    #[error(
        "there is no private key; give set_dtls_key a CryptoKey that has been loaded or generated, as with Crypto.generate_rsa(2048)"
    )]
    NoKey,
    /// Only the public half of a key.
    #[error(
        "the key is only the public half; a server needs the private key, saved with public_only = false"
    )]
    PublicKey,
    /// A key behind a password.
    #[error("the private key is protected by a password; save it without one")]
    EncryptedKey,
    /// A key that cannot be parsed, or whose parts contradict each other.
    #[error(
        "the private key cannot be read; load a complete PEM file of an RSA or P-256 key, or generate a new key"
    )]
    BrokenKey,
    /// An RSA key outside the sizes that are supported.
    #[error("the RSA key has {bits} bits; use one of 2048 to 4096 bits, as from Crypto.generate_rsa(2048)")]
    RsaSize {
        /// Length of the key's modulus in bits.
        bits: usize,
    },
    /// Neither RSA nor ECDSA on the curve P-256.
    #[error("the private key is for {found}; use RSA of 2048 to 4096 bits or ECDSA on the curve P-256")]
    Algorithm {
        /// What the key is for.
        found: &'static str,
    },
    /// The PEM of the certificate is empty, or has no certificate in it.
    #[error(
        "there is no certificate; give set_dtls_certificate an X509Certificate that has been loaded, or made by Crypto.generate_self_signed_certificate"
    )]
    NoCertificate,
    /// A certificate that cannot be parsed.
    #[error(
        "certificate number {number} cannot be read; load a complete PEM file, or make the certificate anew"
    )]
    BrokenCertificate {
        /// Its place in the PEM, from 1.
        number: usize,
    },
    /// The certificate is for another key.
    #[error(
        "the private key does not belong to the certificate; use the key that the certificate was made with, and put the server's own certificate first if there are several"
    )]
    Mismatch,
}
