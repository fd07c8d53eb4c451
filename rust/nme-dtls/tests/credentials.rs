//! What a server accepts as its key and certificate, and what it says about the rest.

use nme_dtls::{CredentialsError, Identity};
use nme_netem::Random;

macro_rules! data {
    ($file:literal) => {
        include_str!(concat!("data/", $file))
    };
}

const KEY: &str = data!("godot4/rsa_2048.key");
const CERTIFICATE: &str = data!("godot4/rsa_2048.crt");

fn refusal(key: &str, certificate: &str) -> CredentialsError {
    Identity::from_pem(key, certificate).expect_err("accepted")
}

#[test]
fn keys_and_certificates_of_the_engines_are_accepted() {
    for (key, certificate) in [
        (data!("godot3/rsa_2048.key"), data!("godot3/rsa_2048.crt")),
        (data!("godot3/rsa_4096.key"), data!("godot3/rsa_4096.crt")),
        (data!("godot4/rsa_2048.key"), data!("godot4/rsa_2048.crt")),
        (data!("godot4/rsa_2048.key"), data!("godot4/rsa_2048_expired.crt")),
        (data!("godot4/rsa_4096.key"), data!("godot4/rsa_4096.crt")),
        (data!("godot4/p256.key"), data!("godot4/p256.crt")),
    ] {
        Identity::from_pem(key, certificate).unwrap();
    }
}

#[test]
fn keys_in_sec_1_and_in_pkcs_8_are_accepted() {
    Identity::from_pem(data!("openssl/p256_sec1.key"), data!("openssl/p256.crt")).unwrap();
    Identity::from_pem(data!("openssl/p256_pkcs8.key"), data!("openssl/p256.crt")).unwrap();
    Identity::from_pem(data!("openssl/p256_pkcs8.key"), data!("openssl/v1_self_signed.crt")).unwrap();
    Identity::from_pem(data!("openssl/rsa_3072_pkcs8.key"), data!("openssl/rsa_3072.crt")).unwrap();
}

#[test]
fn what_is_around_the_pem_does_no_harm() {
    for tail in ["\0", "\u{fffd}", "\u{fffd}\0", "\r\n\0", "\n\n"] {
        let [key, certificate] = [KEY, CERTIFICATE].map(|pem| format!("{pem}{tail}"));
        Identity::from_pem(&key, &certificate).unwrap();
        let [key, certificate] = [KEY, CERTIFICATE].map(|pem| format!("{}{tail}", pem.trim_end()));
        Identity::from_pem(&key, &certificate).unwrap();
        let [key, certificate] =
            [KEY, CERTIFICATE].map(|pem| format!("the server's\n{}{tail}", pem.replace('\n', "\r\n")));
        Identity::from_pem(&key, &certificate).unwrap();
    }
}

#[test]
fn a_key_that_is_not_there_is_named() {
    for nothing in ["", "\0", "a key", CERTIFICATE] {
        assert_eq!(refusal(nothing, CERTIFICATE), CredentialsError::NoKey);
    }
    assert_eq!(refusal(data!("openssl/p256_public.key"), CERTIFICATE), CredentialsError::PublicKey);
}

#[test]
fn a_key_behind_a_password_is_named() {
    assert_eq!(refusal(data!("openssl/p256_encrypted.key"), CERTIFICATE), CredentialsError::EncryptedKey);
    assert_eq!(refusal(data!("openssl/rsa_3072_encrypted.key"), CERTIFICATE), CredentialsError::EncryptedKey);
}

#[test]
fn rsa_keys_of_other_sizes_are_refused_with_their_size() {
    for key in [data!("godot3/rsa_1024.key"), data!("godot4/rsa_1024.key")] {
        assert_eq!(refusal(key, data!("godot4/rsa_1024.crt")), CredentialsError::RsaSize { bits: 1024 });
    }
    let long = refusal(data!("openssl/rsa_8192.key"), CERTIFICATE);
    assert_eq!(long, CredentialsError::RsaSize { bits: 8192 });
    assert_eq!(
        long.to_string(),
        "the RSA key has 8192 bits; use one of 2048 to 4096 bits, as from Crypto.generate_rsa(2048)"
    );
}

#[test]
fn other_kinds_of_keys_are_refused_by_name() {
    for (key, kind) in [
        (data!("openssl/p384_sec1.key"), "another elliptic curve"),
        (data!("openssl/ed25519.key"), "Ed25519"),
        (data!("openssl/rsa_pss.key"), "RSA-PSS"),
    ] {
        let text = refusal(key, CERTIFICATE).to_string();
        assert!(text.contains(kind) && text.contains("use RSA of 2048 to 4096 bits or ECDSA"), "{text}");
    }
}

#[test]
fn a_broken_key_is_refused() {
    let lines: Vec<_> = KEY.lines().collect();
    let without_end = lines[..lines.len() - 1].join("\n");
    let without_a_line = [&lines[..5], &lines[6..]].concat().join("\n");
    let no_base64 = KEY.replacen("MII", "???", 1);
    for broken in [without_end, without_a_line, no_base64] {
        assert_eq!(refusal(&broken, CERTIFICATE), CredentialsError::BrokenKey);
    }
}

#[test]
fn a_certificate_that_is_not_there_is_named() {
    for nothing in ["", "\0", "a certificate", KEY] {
        assert_eq!(refusal(KEY, nothing), CredentialsError::NoCertificate);
    }
}

#[test]
fn a_broken_certificate_is_refused_by_its_number() {
    let broken = CERTIFICATE.replacen("MII", "MIJ", 1);
    assert_eq!(refusal(KEY, &broken), CredentialsError::BrokenCertificate { number: 1 });
    let chain = [CERTIFICATE, data!("openssl/rsa_3072.crt"), &broken].concat();
    assert_eq!(refusal(KEY, &chain), CredentialsError::BrokenCertificate { number: 3 });
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    for (key, certificate) in [
        (data!("godot4/rsa_2048_other.key"), CERTIFICATE),
        (data!("godot3/rsa_2048.key"), CERTIFICATE),
        (data!("godot4/rsa_4096.key"), CERTIFICATE),
        (data!("openssl/p256_sec1.key"), CERTIFICATE),
        (KEY, data!("openssl/p256.crt")),
    ] {
        assert_eq!(refusal(key, certificate), CredentialsError::Mismatch);
    }
    // The right one is there, but not first.
    let chain = [data!("openssl/rsa_3072.crt"), CERTIFICATE].concat();
    assert_eq!(refusal(KEY, &chain), CredentialsError::Mismatch);
}

#[test]
fn the_key_is_in_no_debug_output() {
    let identity = Identity::from_pem(KEY, CERTIFICATE).unwrap();
    assert_eq!(format!("{identity:?}"), "Identity { certificates: 1, .. }");
}

#[test]
fn damaged_files_crash_nothing() {
    const ROUNDS: usize = 300;
    let mut random = Random::new(1);
    let texts = [
        KEY,
        CERTIFICATE,
        data!("openssl/p256_sec1.key"),
        data!("openssl/p256_pkcs8.key"),
        data!("openssl/p256.crt"),
        data!("openssl/rsa_3072_pkcs8.key"),
        data!("openssl/ed25519.key"),
        data!("openssl/v1_leaf.crt"),
    ];
    for text in texts {
        // As text, and as the DER within it: on its own and as text again, so that the damage reaches the parsers.
        let der = der_of(text);
        for _ in 0..ROUNDS {
            nme_dtls::fuzz::pem(&damaged(text.as_bytes(), &mut random));
            let damaged = damaged(&der, &mut random);
            nme_dtls::fuzz::pem(&damaged);
            nme_dtls::fuzz::pem(pem_like(text, &damaged).as_bytes());
        }
    }
}

/// A few bytes changed, taken out, put in or doubled.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.within(1..6) {
        let at = random.within(0..bytes.len());
        if bytes.len() == 1 {
            break;
        }
        match random.within(0..5) {
            0 => bytes[at] = random.bits() as u8,
            1 => bytes[at] ^= 1 << random.within(0..8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, random.bits() as u8),
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The last section of a PEM, decoded.
fn der_of(pem: &str) -> Vec<u8> {
    let body = pem.trim_end().rsplit("-----").nth(2).expect("a section");
    let digits: Vec<_> =
        body.bytes().filter_map(|byte| BASE64.iter().position(|digit| *digit == byte)).collect();
    digits
        .chunks(4)
        .flat_map(|four| {
            let number = four.iter().fold(0, |number, digit| number << 6 | digit) << (6 * (4 - four.len()));
            (0..four.len() - 1).map(move |byte| (number >> (16 - 8 * byte)) as u8)
        })
        .collect()
}

/// Bytes as the last section of this PEM.
fn pem_like(pem: &str, der: &[u8]) -> String {
    let mut parts = pem.trim_end().rsplit("-----");
    let (_, end) = (parts.next(), parts.next().expect("an end"));
    let kind = end.trim_start_matches("END ");
    let mut body = String::new();
    for three in der.chunks(3) {
        let number =
            three.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            body.push(if digit <= three.len() {
                char::from(BASE64[number >> (18 - 6 * digit) & 63])
            } else {
                '='
            });
        }
    }
    format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n")
}
