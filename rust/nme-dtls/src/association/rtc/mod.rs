//! Associations of the library `rtc-dtls`.
//!
//! It has an endpoint for many associations; each of ours has an endpoint of its own, so that a new association with a
//! peer can grow beside the old one.
//!
//! Every application record costs the library some allocations: on the way in the records of a datagram, each
//! decrypted one and the payload; on the way out the payload, the record and its encryption, and the datagram.

mod random;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc_crypto::RTCCryptoProvider;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::{ConfigBuilder, HandshakeConfig, VerifyPeerCertificateFn};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;
use rustls_pki_types::CertificateDer;

use super::{Association, Read};
use crate::credentials::Identity;
use crate::gate::cookie::Cookie;
use crate::gate::hello::ClientHello;
use random::Random;

/// Suites with authenticated encryption only. The client's order decides between them.
const SUITES: [CipherSuiteId; 4] = [
    CipherSuiteId::Tls_Ecdhe_Rsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256,
    CipherSuiteId::Tls_Ecdhe_Rsa_With_ChaCha20_Poly1305_Sha256,
    CipherSuiteId::Tls_Ecdhe_Ecdsa_With_ChaCha20_Poly1305_Sha256,
];

/// What a record adds to a datagram: 13 bytes of header, 8 of nonce and 16 of tag with AES-GCM. ChaCha20-Poly1305 has
/// no nonce.
pub(crate) const OVERHEAD: u16 = 13 + 8 + 16;

/// What the library takes for the MTU of a handshake, whose datagrams are to have this many bytes at most: the longest
/// fragment without its headers of 12 and 13 bytes. No datagram has more than 1200, which pass through nearly every tunnel
/// and mobile network.
fn handshake_mtu(mtu: u16) -> usize {
    usize::from(mtu).min(1200).saturating_sub(12 + 13)
}

/// The time between two repeats of a flight. The library repeats it seven times, and gives up after eight intervals.
const FLIGHT_INTERVAL: Duration = Duration::from_millis(500);

/// The address of the only peer of an endpoint. It is a key and nothing else.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// Looks at a server's certificates, its own first; false ends the handshake.
pub(crate) type VerifyChain = Box<dyn Fn(&[CertificateDer<'_>]) -> bool + Send + Sync>;

/// Begins associations on a server.
pub(crate) struct Acceptor {
    base: Instant,
    config: Arc<HandshakeConfig>,
    random: Arc<Random>,
}

impl Acceptor {
    /// `None` when the system has no random numbers, or the library cannot use the key.
    pub(crate) fn new(identity: &Identity, mtu: u16) -> Option<Self> {
        let random = Arc::new(Random::new()?);
        let builder = builder(random.clone(), mtu).with_certificates(vec![identity.certificate()]);
        let config = Arc::new(builder.build(false, None).ok()?);
        Some(Self { base: Instant::now(), config, random })
    }

    /// Answers a hello whose cookie is valid. `record` is the hello as it came.
    ///
    /// The library has a cookie of its own for each association, and compares. So it is made to draw this one, is
    /// shown the hello that the client has sent first, and then the hello that has come.
    pub(crate) fn accept(
        &self,
        now: Duration,
        hello: &ClientHello<'_>,
        record: &[u8],
        cookie: Cookie,
        send: &mut dyn FnMut(&[u8]),
    ) -> Result<Box<dyn Association>, Declined> {
        let endpoint = Endpoint::new(PEER, TransportProtocol::UDP, Some(self.config.clone()));
        let mut association = RtcAssociation { base: self.base, endpoint };
        let mut first = Vec::with_capacity(record.len());
        hello.write_first(&mut first);
        self.random.set_next_cookie(Some(cookie));
        let begun = association.read(now, &first, &mut |_| {});
        self.random.set_next_cookie(None);
        if begun != Read::Open {
            // Its alert has the record number of our request for the cookie: the client would take it for a repeat.
            return Err(Declined::Unsuitable);
        }
        // Its request for the cookie.
        association.poll_transmit(&mut |_| {});
        let begun = association.read(now, record, &mut |_| {});
        let goes_on = begun == Read::Open && association.timeout().is_some();
        let mut answered = false;
        association.poll_transmit(&mut |datagram| {
            answered = true;
            send(datagram);
        });
        // The flight is sent, or the hello was wrong in a way that the library does not answer.
        if goes_on && answered { Ok(Box::new(association)) } else { Err(Declined::Broken) }
    }
}

/// Why an association has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declined {
    /// The client offers nothing that this side uses. It has not been told.
    Unsuitable,
    /// The hello is wrong. What is to be said has been sent.
    Broken,
}

/// Begins associations on a client.
pub(crate) struct Connector {
    base: Instant,
    config: Arc<HandshakeConfig>,
}

impl Connector {
    /// `None` when the system has no random numbers. The server is told `host_name`.
    pub(crate) fn new(host_name: String, verify: VerifyChain, mtu: u16) -> Option<Self> {
        let verify: VerifyPeerCertificateFn = Arc::new(move |chain, _| {
            let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
            if verify(&chain) { Ok(()) } else { Err(Error::ErrInvalidCertificate) }
        });
        let builder = builder(Arc::new(Random::new()?), mtu)
            .with_server_name(host_name)
            .with_verify_peer_certificate(Some(verify));
        let config = Arc::new(builder.build(true, None).ok()?);
        Some(Self { base: Instant::now(), config })
    }

    /// Sends the first hello. `None` when the system has no random numbers.
    pub(crate) fn connect(&self, now: Duration) -> Option<Box<dyn Association>> {
        let mut endpoint = Endpoint::new(PEER, TransportProtocol::UDP, None);
        endpoint.connect(instant(self.base, now), PEER, self.config.clone(), None).ok()?;
        Some(Box::new(RtcAssociation { base: self.base, endpoint }))
    }
}

/// What both roles have in common. The library's own verifier knows no certificate of the engines: it is off, and
/// replaced by ours on a client. That the server has the certificate's key is checked all the same.
fn builder(random: Arc<Random>, mtu: u16) -> ConfigBuilder {
    let provider: Arc<dyn RTCCryptoProvider> = random;
    ConfigBuilder::default()
        .with_crypto_provider(provider)
        .with_cipher_suites(SUITES.to_vec())
        .with_flight_interval(FLIGHT_INTERVAL)
        .with_mtu(handshake_mtu(mtu))
        .with_insecure_skip_verify(true)
}

struct RtcAssociation {
    /// What time 0 is for the library, which wants instants. It only compares them.
    base: Instant,
    endpoint: Endpoint,
}

fn instant(base: Instant, now: Duration) -> Instant {
    base.checked_add(now).unwrap_or(base)
}

impl Association for RtcAssociation {
    fn read(&mut self, now: Duration, records: &[u8], deliver: &mut dyn FnMut(&[u8])) -> Read {
        let now = instant(self.base, now);
        let Ok(events) = self.endpoint.read(now, PEER, None, records.into()) else { return Read::Failed };
        let mut read = Read::Open;
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => read = Read::Completed,
                EndpointEvent::ApplicationData(datagram) => deliver(&datagram),
                EndpointEvent::PeerClosed => read = Read::Closed,
                _ => {}
            }
        }
        read
    }

    fn write(&mut self, now: Duration, datagram: &[u8]) -> bool {
        self.endpoint.write(instant(self.base, now), PEER, datagram).is_ok()
    }

    fn poll_transmit(&mut self, send: &mut dyn FnMut(&[u8])) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            send(&transmit.message);
        }
    }

    fn timeout(&self) -> Option<Duration> {
        self.endpoint.poll_timeout(&PEER).map(|at| at.saturating_duration_since(self.base))
    }

    fn handle_timeout(&mut self, now: Duration) -> bool {
        self.endpoint.handle_timeout(PEER, instant(self.base, now)).is_ok()
    }

    fn close(&mut self, now: Duration) {
        self.endpoint.stop(instant(self.base, now), PEER);
    }
}
