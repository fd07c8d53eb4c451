//! Whom a client trusts.

use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use nme_core::secure::SecureFailure::{self, *};
use nme_dtls::{CredentialsError, Trust, Verifier};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::{CertificateError, Error};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

macro_rules! data {
    ($file:literal) => {
        include_str!(concat!("data/", $file))
    };
}

/// The certificates of the files are valid in 2030.
const NOW: Duration = unix(1_893_456_000);

const fn unix(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn pinned(pem: &str) -> Verifier {
    Verifier::new(Trust::Certificate(pem.to_owned())).expect("a certificate")
}

fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().expect("a PEM")
}

/// What a client that trusts `trusted` says to a server that shows `shown`, both PEM.
fn judge(trusted: &str, shown: &str, name: &str) -> Result<(), SecureFailure> {
    pinned(trusted).verify(&chain(shown), name, NOW)
}

fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = Default::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2060, 1, 1);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// Self-signed, not a CA, as PEM.
fn self_signed(params: &CertificateParams) -> String {
    params.self_signed(&key()).expect("a certificate").pem()
}

/// One that signs others.
struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    fn params(name: &str) -> CertificateParams {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    fn of(params: CertificateParams) -> Self {
        let key = key();
        Self { pem: params.self_signed(&key).expect("a certificate").pem(), issuer: Issuer::new(params, key) }
    }

    fn root() -> Self {
        Self::of(Self::params("Root"))
    }

    fn below(issuer: &Self, params: CertificateParams) -> Self {
        let key = key();
        Self {
            pem: params.signed_by(&key, &issuer.issuer).expect("a certificate").pem(),
            issuer: Issuer::new(params, key),
        }
    }

    fn sign(&self, params: &CertificateParams) -> String {
        params.signed_by(&key(), &self.issuer).expect("a certificate").pem()
    }
}

fn with_names(common_name: &str, names: &[SanType]) -> String {
    let mut params = params(common_name);
    params.subject_alt_names = names.to_vec();
    self_signed(&params)
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("a name"))
}

fn address(text: &str) -> SanType {
    SanType::IpAddress(text.parse::<IpAddr>().expect("an address"))
}

mod engines {
    use super::*;

    #[test]
    fn a_certificate_of_an_engine_is_trusted_by_who_has_it() {
        for pem in [
            data!("godot3/rsa_2048.crt"),
            data!("godot3/rsa_4096.crt"),
            data!("godot4/rsa_2048.crt"),
            data!("godot4/rsa_4096.crt"),
            data!("godot4/p256.crt"),
        ] {
            assert_eq!(judge(pem, pem, "localhost"), Ok(()));
            assert_eq!(judge(&format!("{pem}\u{fffd}\0"), pem, "LocalHost"), Ok(()));
            assert_eq!(judge(pem, pem, "other.example.com"), Err(WrongName));
        }
    }

    #[test]
    fn another_certificate_of_an_engine_is_not_trusted() {
        for (trusted, shown) in [
            (data!("godot4/rsa_2048.crt"), data!("godot4/rsa_2048_other.crt")),
            (data!("godot4/rsa_2048.crt"), data!("godot3/rsa_2048.crt")),
            (data!("godot3/rsa_2048_other.crt"), data!("godot3/rsa_2048.crt")),
            (data!("godot4/rsa_2048.crt"), data!("godot4/p256.crt")),
        ] {
            assert_eq!(judge(trusted, shown, "localhost"), Err(Untrusted));
        }
    }

    #[test]
    fn a_certificate_made_anew_with_the_same_key_is_trusted() {
        for (trusted, shown) in [
            (data!("godot3/rsa_2048.crt"), data!("godot3/rsa_2048_reissued.crt")),
            (data!("godot4/rsa_2048.crt"), data!("godot4/rsa_2048_reissued.crt")),
        ] {
            assert_eq!(judge(trusted, shown, "localhost"), Ok(()));
            assert_eq!(judge(shown, trusted, "localhost"), Ok(()));
        }
    }

    #[test]
    fn the_same_key_under_another_name_is_not_trusted() {
        let named = data!("godot4/rsa_2048_named.crt");
        assert_eq!(judge(data!("godot4/rsa_2048.crt"), named, "game.example.com"), Err(Untrusted));
        assert_eq!(judge(named, named, "game.example.com"), Ok(()));
    }

    #[test]
    fn dates_are_kept() {
        for (old, future, good) in [
            (
                data!("godot3/rsa_2048_expired.crt"),
                data!("godot3/rsa_2048_future.crt"),
                data!("godot3/rsa_2048.crt"),
            ),
            (
                data!("godot4/rsa_2048_expired.crt"),
                data!("godot4/rsa_2048_future.crt"),
                data!("godot4/rsa_2048.crt"),
            ),
        ] {
            assert_eq!(judge(old, old, "localhost"), Err(CertificateExpired));
            assert_eq!(judge(future, future, "localhost"), Err(CertificateNotYetValid));
            // What is trusted has dates as well: made anew with the same key, it does not count for longer.
            assert_eq!(judge(old, good, "localhost"), Err(CertificateExpired));
            assert_eq!(judge(future, good, "localhost"), Err(CertificateNotYetValid));
            // One that is valid is enough.
            assert_eq!(judge(&[old, good].concat(), good, "localhost"), Ok(()));
        }
    }

    #[test]
    fn wildcards_stand_for_one_label() {
        for pem in [data!("godot3/rsa_2048_wildcard.crt"), data!("godot4/rsa_2048_wildcard.crt")] {
            for name in ["a.example.com", "GAME.Example.com", "a_b.example.com"] {
                assert_eq!(judge(pem, pem, name), Ok(()), "{name}");
            }
            for name in
                ["example.com", "a.b.example.com", ".example.com", "aexample.com", "a.example.org", "*"]
            {
                assert_eq!(judge(pem, pem, name), Err(WrongName), "{name}");
            }
        }
    }

    #[test]
    fn certificates_of_version_1_are_trusted() {
        let own = data!("openssl/v1_self_signed.crt");
        assert_eq!(judge(own, own, "localhost"), Ok(()));
        assert_eq!(judge(own, data!("openssl/v1_reissued.crt"), "localhost"), Ok(()));
        assert_eq!(judge(data!("openssl/rsa_3072.crt"), data!("openssl/v1_leaf.crt"), "localhost"), Ok(()));
        // The same issuer by name, with another key.
        assert_eq!(
            judge(data!("openssl/p256.crt"), data!("openssl/v1_leaf.crt"), "localhost"),
            Err(Untrusted)
        );
    }
}

mod names {
    use super::*;

    #[test]
    fn with_alternative_names_the_common_name_does_not_count() {
        let pem = with_names("common.example.com", &[dns("one.example.com"), dns("*.two.example.com")]);
        for name in ["one.example.com", "ONE.example.com", "a.two.example.com"] {
            assert_eq!(judge(&pem, &pem, name), Ok(()), "{name}");
        }
        for name in ["common.example.com", "two.example.com", "a.b.two.example.com", "a.one.example.com"] {
            assert_eq!(judge(&pem, &pem, name), Err(WrongName), "{name}");
        }
        // Even when none of them is a host's.
        let mail =
            with_names("common.example.com", &[SanType::Rfc822Name("a@example.com".try_into().unwrap())]);
        assert_eq!(judge(&mail, &mail, "common.example.com"), Err(WrongName));
    }

    #[test]
    fn alternative_names_that_cannot_be_read_are_nobodys() {
        const SUBJECT_ALT_NAME: [u64; 4] = [2, 5, 29, 17];
        let mut params = params("common.example.com");
        let unreadable = CustomExtension::from_oid_content(&SUBJECT_ALT_NAME, vec![0x30, 0x02, 0x82, 0x09]);
        params.custom_extensions.push(unreadable);
        let pem = self_signed(&params);
        assert_eq!(judge(&pem, &pem, "common.example.com"), Err(WrongName));
    }

    #[test]
    fn addresses_are_found_in_either_place() {
        let alternative = with_names("a", &[address("192.0.2.7"), address("2001:db8::7")]);
        for name in ["192.0.2.7", "2001:db8::7", "2001:0db8:0:0:0:0:0:7"] {
            assert_eq!(judge(&alternative, &alternative, name), Ok(()), "{name}");
        }
        assert_eq!(judge(&alternative, &alternative, "192.0.2.8"), Err(WrongName));
        assert_eq!(judge(&alternative, &alternative, "::7"), Err(WrongName));

        for (common, name) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("0:0:0:0:0:0:0:1", "::1"),
            ("2001:DB8::1", "2001:db8::1"),
        ] {
            let pem = self_signed(&params(common));
            assert_eq!(judge(&pem, &pem, name), Ok(()), "{name}");
            assert_eq!(judge(&pem, &pem, "127.0.0.2"), Err(WrongName));
        }
        let wildcard = self_signed(&params("*.0.0.1"));
        assert_eq!(judge(&wildcard, &wildcard, "127.0.0.1"), Err(WrongName));
    }

    #[test]
    fn names_need_not_be_possible_in_dns() {
        for name in ["MyServer", "my_server", "My Game Server", "Spielserver Süd", "-", "a..b"] {
            let pem = self_signed(&params(name));
            assert_eq!(judge(&pem, &pem, name), Ok(()), "{name}");
            assert_eq!(judge(&pem, &pem, "Another Server"), Err(WrongName));
        }
    }

    #[test]
    fn an_empty_name_is_nobodys() {
        for common in ["", "localhost", "*."] {
            let pem = self_signed(&params(common));
            assert_eq!(judge(&pem, &pem, ""), Err(WrongName));
        }
    }
}

mod chains {
    use super::*;

    #[test]
    fn who_was_signed_by_a_trusted_ca_is_trusted() {
        let root = Ca::root();
        // With the name in the subject alone, as alternative name, and by a CA itself.
        for leaf in [params("localhost"), Ca::params("localhost")] {
            assert_eq!(judge(&root.pem, &root.sign(&leaf), "localhost"), Ok(()));
        }
        let mut leaf = params("");
        leaf.subject_alt_names.push(dns("localhost"));
        let leaf = root.sign(&leaf);
        assert_eq!(judge(&root.pem, &leaf, "localhost"), Ok(()));
        assert_eq!(judge(&root.pem, &leaf, "other"), Err(WrongName));
        // Among others.
        let trusted = [&Ca::root().pem, data!("godot4/rsa_2048.crt"), &root.pem].concat();
        assert_eq!(judge(&trusted, &leaf, "localhost"), Ok(()));
    }

    #[test]
    fn who_was_signed_by_another_ca_is_not_trusted() {
        // Of the same name, and of another.
        for other in [Ca::root(), Ca::of(Ca::params("Other"))] {
            let leaf = Ca::root().sign(&params("localhost"));
            assert_eq!(judge(&other.pem, &leaf, "localhost"), Err(Untrusted));
        }
    }

    #[test]
    fn intermediates_lead_to_the_ca() {
        let root = Ca::root();
        let middle = Ca::below(&root, Ca::params("Middle"));
        let low = Ca::below(&middle, Ca::params("Low"));
        let leaf = low.sign(&params("localhost"));
        assert_eq!(judge(&root.pem, &[&*leaf, &low.pem, &middle.pem].concat(), "localhost"), Ok(()));
        // In any order, with the root or not, and from an intermediate that is trusted by itself.
        assert_eq!(
            judge(&root.pem, &[&*leaf, &middle.pem, &root.pem, &low.pem].concat(), "localhost"),
            Ok(())
        );
        assert_eq!(judge(&middle.pem, &[&*leaf, &low.pem].concat(), "localhost"), Ok(()));
        assert_eq!(judge(&low.pem, &leaf, "localhost"), Ok(()));

        assert_eq!(judge(&root.pem, &[&*leaf, &low.pem].concat(), "localhost"), Err(Untrusted));
        assert_eq!(judge(&root.pem, &leaf, "localhost"), Err(Untrusted));
        let whole = [&*leaf, &low.pem, &middle.pem].concat();
        assert_eq!(judge(&Ca::root().pem, &whole, "localhost"), Err(Untrusted));
        assert_eq!(judge(&root.pem, &whole, "other"), Err(WrongName));
    }

    #[test]
    fn who_is_no_ca_signs_nobody() {
        let root = Ca::root();
        // As an intermediate, and as what is trusted.
        let no_ca = Ca::below(&root, params("Middle"));
        let leaf = no_ca.sign(&params("localhost"));
        assert_eq!(judge(&root.pem, &[&*leaf, &no_ca.pem].concat(), "localhost"), Err(Untrusted));
        assert_eq!(judge(&no_ca.pem, &leaf, "localhost"), Err(Untrusted));
        let mut without_right = Ca::params("Root");
        without_right.key_usages.push(KeyUsagePurpose::DigitalSignature);
        let without_right = Ca::of(without_right);
        assert_eq!(
            judge(&without_right.pem, &without_right.sign(&params("localhost")), "localhost"),
            Err(Untrusted)
        );
    }

    #[test]
    fn who_is_no_ca_can_still_be_made_anew() {
        let key = key();
        let [first, mut second] = [params("localhost"), params("localhost")];
        second.not_before = date_time_ymd(2021, 1, 1);
        let [first, second] = [first, second].map(|params| params.self_signed(&key).unwrap().pem());
        assert_ne!(first, second);
        assert_eq!(judge(&first, &second, "localhost"), Ok(()));
    }

    #[test]
    fn dates_are_kept_along_the_whole_chain() {
        for (from, to, failure) in [(2000, 2021, CertificateExpired), (2059, 2060, CertificateNotYetValid)] {
            let outdated = |name| {
                let mut params = Ca::params(name);
                params.not_before = date_time_ymd(from, 1, 1);
                params.not_after = date_time_ymd(to, 1, 1);
                params
            };
            let root = Ca::of(outdated("Root"));
            let leaf = root.sign(&params("localhost"));
            assert_eq!(judge(&root.pem, &leaf, "localhost"), Err(failure));
            let middle = Ca::below(&root, Ca::params("Middle"));
            let leaf = middle.sign(&params("localhost"));
            assert_eq!(judge(&root.pem, &[&*leaf, &middle.pem].concat(), "localhost"), Err(failure));

            let root = Ca::root();
            let middle = Ca::below(&root, outdated("Middle"));
            let leaf = middle.sign(&params("localhost"));
            assert_eq!(judge(&root.pem, &[&*leaf, &middle.pem].concat(), "localhost"), Err(failure));
            assert_eq!(judge(&root.pem, &root.sign(&outdated("localhost")), "localhost"), Err(failure));
            assert_eq!(judge(&Ca::root().pem, &leaf, "localhost"), Err(Untrusted));
        }
    }

    #[test]
    fn a_certificate_for_other_uses_is_not_trusted() {
        let client_only = [ExtendedKeyUsagePurpose::ClientAuth];
        let both = [ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let any = [ExtendedKeyUsagePurpose::Any];
        for (purposes, result) in
            [(&client_only[..], Err(Untrusted)), (&both, Ok(())), (&any, Ok(())), (&[], Ok(()))]
        {
            let mut params = params("localhost");
            params.extended_key_usages = purposes.to_vec();
            let pem = self_signed(&params);
            assert_eq!(judge(&pem, &pem, "localhost"), result, "{purposes:?}");
        }
        for (usage, result) in
            [(KeyUsagePurpose::DigitalSignature, Ok(())), (KeyUsagePurpose::KeyCertSign, Err(Untrusted))]
        {
            let mut params = params("localhost");
            params.key_usages.push(usage);
            let pem = self_signed(&params);
            assert_eq!(judge(&pem, &pem, "localhost"), result, "{usage:?}");
        }
    }

    #[test]
    fn what_must_be_understood_and_is_not_ends_the_trust() {
        let mut demand = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 55555, 1], vec![0x05, 0x00]);
        demand.set_criticality(true);
        let mut leaf = params("localhost");
        leaf.custom_extensions.push(demand);
        let root = Ca::root();
        assert_eq!(judge(&root.pem, &root.sign(&leaf), "localhost"), Err(Untrusted));
    }

    #[test]
    fn a_ca_for_some_names_signs_no_others() {
        let mut constrained = Ca::params("Root");
        constrained.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example.com".to_owned())],
            excluded_subtrees: Vec::new(),
        });
        let root = Ca::of(constrained);
        for (name, result) in [("game.example.com", Ok(())), ("game.example.org", Err(Untrusted))] {
            let mut leaf = params("");
            leaf.subject_alt_names.push(dns(name));
            assert_eq!(judge(&root.pem, &root.sign(&leaf), name), result, "{name}");
        }
    }

    #[test]
    fn a_signature_that_was_tampered_with_is_not_trusted() {
        let root = Ca::root();
        let verifier = pinned(&root.pem);
        let good = chain(&root.sign(&params("localhost"))).remove(0).to_vec();
        assert_eq!(verifier.verify(&[good.clone().into()], "localhost", NOW), Ok(()));
        // Between what is signed and the signature stands the algorithm a second time, and is not signed.
        const ECDSA_WITH_SHA256: [u8; 12] =
            [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
        let unsigned = good.windows(12).rposition(|bytes| bytes == ECDSA_WITH_SHA256).unwrap();
        for at in (0..good.len()).filter(|at| !(unsigned..unsigned + 12).contains(at)) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(verifier.verify(&[bad.into()], "localhost", NOW).is_err(), "byte {at}");
        }
    }
}

#[test]
fn of_several_faults_the_first_is_reported() {
    let old = data!("godot4/rsa_2048_expired.crt");
    let future = data!("godot4/rsa_2048_future.crt");
    let good = data!("godot4/rsa_2048.crt");
    let stranger = data!("godot3/rsa_2048.crt");
    assert_eq!(judge(stranger, old, "other"), Err(CertificateExpired));
    assert_eq!(judge(stranger, future, "other"), Err(CertificateNotYetValid));
    assert_eq!(judge(stranger, good, "other"), Err(WrongName));
    assert_eq!(judge(stranger, good, "localhost"), Err(Untrusted));
    assert_eq!(judge(old, good, "other"), Err(CertificateExpired));
}

#[test]
fn the_first_and_the_last_second_are_valid() {
    // From the start of 2020 to that of 2060.
    let (first, last) = (1_577_836_800, 2_840_140_800);
    let pem = data!("godot4/rsa_2048.crt");
    let (verifier, chain) = (pinned(pem), chain(pem));
    for (now, result) in [
        (unix(first - 1), Err(CertificateNotYetValid)),
        (unix(first), Ok(())),
        (unix(last), Ok(())),
        (unix(last + 1), Err(CertificateExpired)),
        (Duration::ZERO, Err(CertificateNotYetValid)),
        (Duration::MAX, Err(CertificateExpired)),
    ] {
        assert_eq!(verifier.verify(&chain, "localhost", now), result, "{now:?}");
    }
}

#[test]
fn what_is_no_certificate_fails_the_handshake() {
    let pem = data!("godot4/rsa_2048.crt");
    let verifier = pinned(pem);
    let good = chain(pem).remove(0).to_vec();
    assert_eq!(verifier.verify(&[], "localhost", NOW), Err(Handshake));
    for bytes in [
        vec![],
        vec![0x30],
        b"certificate".to_vec(),
        good[..good.len() - 1].to_vec(),
        [&*good, &[0]].concat(),
    ] {
        assert_eq!(verifier.verify(&[bytes.into()], "localhost", NOW), Err(Handshake));
    }
}

#[test]
fn a_client_needs_a_certificate_that_can_be_read() {
    let refusal = |pem: &str| Verifier::new(Trust::Certificate(pem.to_owned())).err();
    assert_eq!(refusal(""), Some(CredentialsError::NoCertificate));
    assert_eq!(refusal(data!("godot4/rsa_2048.key")), Some(CredentialsError::NoCertificate));
    let broken = data!("godot4/rsa_2048.crt").replacen("MII", "MIJ", 1);
    assert_eq!(refusal(&broken), Some(CredentialsError::BrokenCertificate { number: 1 }));
}

#[test]
fn who_trusts_anybody_looks_at_nothing() {
    let verifier = Verifier::new(Trust::Anybody).unwrap();
    let old = chain(data!("godot4/rsa_2048_expired.crt"));
    assert_eq!(verifier.verify(&old, "other", NOW), Ok(()));
    assert_eq!(verifier.verify(&[vec![1, 2, 3].into()], "", NOW), Ok(()));
    assert_eq!(verifier.store_problem(), None);
}

#[test]
fn rustls_gets_its_own_errors() {
    let ask = |trusted, shown, name: &'static str| {
        let chain = chain(shown);
        let name = ServerName::try_from(name).unwrap();
        pinned(trusted)
            .verify_server_cert(&chain[0], &chain[1..], &name, &[], UnixTime::since_unix_epoch(NOW))
            .map(drop)
    };
    let good = data!("godot4/rsa_2048.crt");
    let old = data!("godot4/rsa_2048_expired.crt");
    let future = data!("godot4/rsa_2048_future.crt");
    let other = data!("godot4/rsa_2048_other.crt");
    assert_eq!(ask(good, good, "localhost"), Ok(()));
    assert_eq!(ask(good, good, "other"), Err(Error::InvalidCertificate(CertificateError::NotValidForName)));
    assert_eq!(
        ask(good, other, "localhost"),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    );
    assert_eq!(ask(old, old, "localhost"), Err(Error::InvalidCertificate(CertificateError::Expired)));
    assert_eq!(
        ask(future, future, "localhost"),
        Err(Error::InvalidCertificate(CertificateError::NotValidYet))
    );
    assert!(!pinned(good).supported_verify_schemes().is_empty());
}

/// The store is read once in a process and the variables that name it are set before: each case has its own process.
mod platform {
    use super::*;

    /// Runs a test of this module that is ignored otherwise, with this file as the system's store.
    fn run(test: &str, store: &str) {
        let output = Command::new(std::env::current_exe().expect("this program"))
            .args(["--ignored", "--exact", test])
            .env("SSL_CERT_FILE", store)
            .env_remove("SSL_CERT_DIR")
            .output()
            .expect("a process");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }

    fn path(file: &str) -> String {
        format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn without_a_certificate_the_systems_are_trusted() {
        run("platform::in_a_system_that_trusts_one", &path("openssl/rsa_3072.crt"));
    }

    #[test]
    fn without_certificates_in_the_system_nobody_is_trusted() {
        run("platform::in_a_system_without_certificates", &path("godot4/rsa_2048.key"));
        run("platform::in_a_system_without_certificates", &path("missing.crt"));
    }

    #[test]
    #[ignore = "run by another test, in a process of its own"]
    fn in_a_system_that_trusts_one() {
        let verifier = Verifier::new(Trust::Platform).unwrap();
        let own = chain(data!("openssl/rsa_3072.crt"));
        let signed = chain(data!("openssl/v1_leaf.crt"));
        assert_eq!(verifier.verify(&own, "localhost", NOW), Ok(()));
        assert_eq!(verifier.verify(&signed, "localhost", NOW), Ok(()));
        assert_eq!(verifier.verify(&signed, "other", NOW), Err(WrongName));
        assert_eq!(verifier.verify(&chain(data!("godot4/rsa_2048.crt")), "localhost", NOW), Err(Untrusted));
        assert_eq!(verifier.store_problem(), None);
    }

    #[test]
    #[ignore = "run by another test, in a process of its own"]
    fn in_a_system_without_certificates() {
        let verifier = Verifier::new(Trust::Platform).unwrap();
        let own = chain(data!("openssl/rsa_3072.crt"));
        assert_eq!(verifier.verify(&own, "localhost", NOW), Err(Untrusted));
        let problem = verifier.store_problem().unwrap();
        assert!(problem.contains("set_dtls_certificate"), "{problem}");
        if std::env::var("SSL_CERT_FILE").is_ok_and(|path| path.ends_with("missing.crt")) {
            assert!(problem.contains("missing.crt"), "{problem}");
        } else {
            assert!(problem.contains("it is empty"), "{problem}");
        }
    }
}
