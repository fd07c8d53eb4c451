//! A private key out of PEM, made into what the DTLS library signs with.

use std::sync::Arc;

use rtc_crypto::providers::RingCrypto;
use rtc_crypto::{RTCCrypto, SecretVec, SignatureScheme, SigningKey};
use rustls_pki_types::pem::{PemObject, SectionKind};
use x509_parser::der_parser::asn1_rs::{Any, Integer, OctetString, Oid, Tag};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION, OID_PKCS1_RSASSAPSS, OID_SIG_ED25519,
};
use x509_parser::prelude::FromDer;
use x509_parser::x509::AlgorithmIdentifier;

use super::CredentialsError;

/// Sizes of RSA keys that ring signs with, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// DER of the `AlgorithmIdentifier` of RSA: the object identifier 1.2.840.113549.1.1.1 and NULL.
const RSA_ALGORITHM: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// DER of the `AlgorithmIdentifier` of P-256: 1.2.840.10045.2.1 and 1.2.840.10045.3.1.7.
const P256_ALGORITHM: [u8; 21] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07,
];

const ED25519: &str = "Ed25519";
const RSA_PSS: &str = "RSA-PSS alone";
const OTHER_CURVE: &str = "another elliptic curve";
const OTHER: &str = "another algorithm";

/// A key of a kind that can sign here, in the encoding of its own kind.
enum Material<'a> {
    /// An `RSAPrivateKey` of PKCS#1.
    Rsa(&'a [u8]),
    /// An `ECPrivateKey` of SEC 1, on P-256.
    P256(&'a [u8]),
}

/// The first private key of a PEM: PKCS#1 as the engines write RSA keys, SEC 1 as they write ECDSA keys, or PKCS#8.
pub(super) fn read(pem: &str) -> Result<Arc<dyn SigningKey>, CredentialsError> {
    let (kind, der) = section(pem).map_err(|error| match error {
        // Only now, as base64 can contain any word.
        CredentialsError::NoKey | CredentialsError::BrokenKey if pem.contains("ENCRYPTED") => {
            CredentialsError::EncryptedKey
        }
        error => error,
    })?;
    let material = match kind {
        SectionKind::RsaPrivateKey => rsa(der.as_ref())?,
        SectionKind::EcPrivateKey => elliptic(der.as_ref(), None)?,
        _ => pkcs8(der.as_ref())?,
    };
    // The library takes PKCS#8 alone. It is written anew whatever came, so that ring sees one form of it.
    let (scheme, algorithm, key): (_, &[u8], _) = match material {
        Material::Rsa(key) => (SignatureScheme::RsaPkcs1Sha256, &RSA_ALGORITHM, key),
        Material::P256(key) => (SignatureScheme::EcdsaP256Sha256, &P256_ALGORITHM, key),
    };
    let wrapped = wrap(algorithm, key);
    RingCrypto.import_signing_key(scheme, wrapped.as_ref()).map_err(|_| CredentialsError::BrokenKey)
}

/// The first section with a private key.
fn section(pem: &str) -> Result<(SectionKind, SecretVec), CredentialsError> {
    let mut none = CredentialsError::NoKey;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
        match section.map_err(|_| CredentialsError::BrokenKey)? {
            (
                kind @ (SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey | SectionKind::PrivateKey),
                der,
            ) => return Ok((kind, SecretVec::new(der))),
            (SectionKind::PublicKey, _) => none = CredentialsError::PublicKey,
            _ => {}
        }
    }
    Err(none)
}

/// `RSAPrivateKey`: version, modulus, and what ring checks.
fn rsa(der: &[u8]) -> Result<Material<'_>, CredentialsError> {
    let fields = sequence(der)?;
    let (fields, _version) = Integer::from_der(fields).map_err(|_| CredentialsError::BrokenKey)?;
    let (_, modulus) = Any::from_der(fields).map_err(|_| CredentialsError::BrokenKey)?;
    let digits =
        modulus.data.iter().position(|byte| *byte != 0).map_or(&[][..], |from| &modulus.data[from..]);
    let bits = digits.len() * 8 - digits.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if RSA_BITS.contains(&bits) { Ok(Material::Rsa(der)) } else { Err(CredentialsError::RsaSize { bits }) }
}

/// `ECPrivateKey`: version, private key, `[0]` curve, `[1]` public key. `curve` is what a PKCS#8 around it says.
fn elliptic<'a>(der: &'a [u8], curve: Option<Oid<'_>>) -> Result<Material<'a>, CredentialsError> {
    let fields = sequence(der)?;
    let (fields, _version) = Integer::from_der(fields).map_err(|_| CredentialsError::BrokenKey)?;
    let (fields, _secret) = OctetString::from_der(fields).map_err(|_| CredentialsError::BrokenKey)?;
    let named = match Any::from_der(fields) {
        Ok((_, parameters)) if parameters.tag().0 == 0 => {
            Oid::from_der(parameters.data).ok().map(|(_, oid)| oid)
        }
        _ => None,
    };
    match curve.or(named) {
        Some(curve) if curve == OID_EC_P256 => Ok(Material::P256(der)),
        Some(_) => Err(CredentialsError::Algorithm { found: OTHER_CURVE }),
        None => Err(CredentialsError::BrokenKey),
    }
}

/// `PrivateKeyInfo`: version, algorithm, key.
fn pkcs8(der: &[u8]) -> Result<Material<'_>, CredentialsError> {
    let fields = sequence(der)?;
    let (fields, _version) = Integer::from_der(fields).map_err(|_| CredentialsError::BrokenKey)?;
    let (fields, algorithm) =
        AlgorithmIdentifier::from_der(fields).map_err(|_| CredentialsError::BrokenKey)?;
    let (_, key) = Any::from_der(fields).map_err(|_| CredentialsError::BrokenKey)?;
    let found = &algorithm.algorithm;
    if *found == OID_PKCS1_RSAENCRYPTION {
        rsa(key.data)
    } else if *found == OID_KEY_TYPE_EC_PUBLIC_KEY {
        elliptic(key.data, algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok()))
    } else if *found == OID_SIG_ED25519 {
        Err(CredentialsError::Algorithm { found: ED25519 })
    } else if *found == OID_PKCS1_RSASSAPSS {
        Err(CredentialsError::Algorithm { found: RSA_PSS })
    } else {
        Err(CredentialsError::Algorithm { found: OTHER })
    }
}

/// What is in a sequence.
fn sequence(der: &[u8]) -> Result<&[u8], CredentialsError> {
    match Any::from_der(der) {
        Ok(([], any)) if any.tag() == Tag::Sequence => Ok(any.data),
        _ => Err(CredentialsError::BrokenKey),
    }
}

/// A `PrivateKeyInfo` of PKCS#8.
fn wrap(algorithm: &[u8], key: &[u8]) -> SecretVec {
    const VERSION: [u8; 3] = [0x02, 0x01, 0x00];
    const SEQUENCE: u8 = 0x30;
    const OCTET_STRING: u8 = 0x04;
    let key_head = head(OCTET_STRING, key.len());
    let len = VERSION.len() + algorithm.len() + key_head.len() + key.len();
    let head = head(SEQUENCE, len);
    SecretVec::new([&head, &VERSION[..], algorithm, &key_head, key].concat())
}

/// Tag and length of a DER value of `len` bytes.
fn head(tag: u8, len: usize) -> Vec<u8> {
    if len < 0x80 {
        return vec![tag, len as u8];
    }
    let bytes = len.to_be_bytes();
    let bytes = &bytes[len.leading_zeros() as usize / 8..];
    [&[tag, 0x80 | bytes.len() as u8], bytes].concat()
}
