//! What the handshake gets out of an identity.

use rtc_crypto::{PublicKeyEncoding, SignatureScheme};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::Identity;

macro_rules! data {
    ($file:literal) => {
        include_str!(concat!("../../tests/data/", $file))
    };
}

#[test]
fn the_whole_chain_is_shown_in_its_order() {
    let server = data!("godot4/rsa_2048.crt");
    let issuers = [data!("openssl/rsa_3072.crt"), data!("godot3/rsa_4096.crt")].concat();
    let identity = Identity::from_pem(data!("godot4/rsa_2048.key"), &[server, &issuers].concat()).unwrap();
    let expected: Vec<_> =
        CertificateDer::pem_slice_iter([server, &issuers].concat().as_bytes()).map(Result::unwrap).collect();
    assert_eq!(expected.len(), 3);
    assert_eq!(identity.certificate().certificate, expected);
}

#[test]
fn keys_sign_whatever_their_encoding() {
    let rsa = SignatureScheme::RsaPkcs1Sha256;
    let ecdsa = SignatureScheme::EcdsaP256Sha256;
    for (key, certificate, scheme) in [
        (data!("godot4/rsa_2048.key"), data!("godot4/rsa_2048.crt"), rsa),
        (data!("godot3/rsa_4096.key"), data!("godot3/rsa_4096.crt"), rsa),
        (data!("openssl/rsa_3072_pkcs8.key"), data!("openssl/rsa_3072.crt"), rsa),
        (data!("godot4/p256.key"), data!("godot4/p256.crt"), ecdsa),
        (data!("openssl/p256_sec1.key"), data!("openssl/p256.crt"), ecdsa),
        (data!("openssl/p256_pkcs8.key"), data!("openssl/p256.crt"), ecdsa),
    ] {
        let certificate = Identity::from_pem(key, certificate).unwrap().certificate();
        let key = certificate.private_key.signing_key;
        let signature = key.sign(scheme, b"a handshake").unwrap();
        let (algorithm, encoding): (&dyn ring::signature::VerificationAlgorithm, _) = match scheme {
            SignatureScheme::EcdsaP256Sha256 => {
                (&ring::signature::ECDSA_P256_SHA256_ASN1, PublicKeyEncoding::EcUncompressedPoint)
            }
            _ => (&ring::signature::RSA_PKCS1_2048_8192_SHA256, PublicKeyEncoding::RsaPkcs1Der),
        };
        assert_eq!(key.public_key().encoding, encoding);
        let public = super::certificates::parse(&certificate.certificate[0])
            .map(|first| first.public_key().subject_public_key.data.to_vec())
            .unwrap();
        ring::signature::UnparsedPublicKey::new(algorithm, public)
            .verify(b"a handshake", &signature)
            .unwrap();
    }
}
