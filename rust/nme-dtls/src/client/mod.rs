//! The client's side: one server, and an attempt to reach it.

mod attempt;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nme_core::secure::{SecureCounters, SecureEvent, SecureFailure, SecureLayer, SecureOutput, Verdict};
use rustls_pki_types::CertificateDer;

use crate::SetUpError;
use crate::association::rtc::{self, Connector};
use crate::association::{Association, Read};
use crate::gate::record::{Content, Records};
use crate::verify::Verifier;
use attempt::{Attempt, Step};

/// How long a client tries: as long as ENet keeps trying to connect to a server that does not answer (the upper
/// bound of its peer timeout), so that a game waits no longer with DTLS than without.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long one attempt may take. A handshake whose messages got lost in an unlucky way can stand still for ever, and a
/// server that was restarted knows nothing of it.
const ATTEMPT: Duration = Duration::from_secs(8);

/// How long an alert has to wait for the handshake to prove it wrong. Alerts of a handshake are plaintext, and anybody
/// who knows both addresses can forge them; but a server that has sent one does not go on. So a true alert is reported
/// after this second, and a forged one does nothing unless the network is slow or bad in that second.
const ALERT_GRACE: Duration = Duration::from_secs(1);

/// Broken messages that are borne, each by a new attempt. They may be forged, or a late flight of a handshake that this
/// attempt has replaced.
const MAX_BROKEN: u8 = 4;
/// How long the client is deaf after each of them, for such flights to pass.
const BROKEN_PAUSE: Duration = Duration::from_secs(1);

/// Datagrams that are no DTLS before the server is said to speak something else, and the time it has had to answer in
/// DTLS before. Less than that could be forged; then [`DEADLINE`] decides.
const MAX_FOREIGN: u64 = 3;
const FOREIGN_GRACE: Duration = Duration::from_secs(3);

/// What a client needs.
#[derive(Debug)]
pub struct ClientOptions {
    /// Decides about the server's certificates.
    pub verifier: Verifier,
    /// The name that the server's certificate must have: `dtls_hostname`, or the address that the game has given. The
    /// server is told it.
    pub host_name: String,
    /// Seconds and more since 1970, in UTC, at the time of [`SecureLayer::connect`].
    pub unix_time: Duration,
    /// Bytes of the longest datagram of a handshake; 1200 is the most in any case.
    pub mtu: u16,
}

/// DTLS with the server of a client.
pub struct ClientLayer {
    connector: Connector,
    finding: Finding,
    server: Option<SocketAddr>,
    state: State,
    counters: SecureCounters,
}

/// What the check of the certificates, inside of the library, has found wrong.
#[derive(Clone, Default)]
struct Finding(Arc<Mutex<Option<SecureFailure>>>);

enum State {
    Idle,
    Trying(Box<Trying>),
    Established(Box<dyn Association>),
    Over,
}

/// The attempts to reach the server.
struct Trying {
    attempt: Attempt,
    began: Duration,
    /// The first alert, and when it came.
    alert: Option<(Duration, SecureFailure)>,
    broken: u8,
    /// After a broken message: when the next attempt begins.
    paused_until: Option<Duration>,
    foreign: u64,
    /// Something from the server was DTLS.
    saw_dtls: bool,
}

impl ClientLayer {
    pub(crate) fn new(options: ClientOptions) -> Result<Self, SetUpError> {
        let finding = Finding::default();
        let (host_name, mtu) = (options.host_name.clone(), options.mtu);
        let verify = verify_with(options, finding.clone());
        Ok(Self {
            connector: Connector::new(host_name, verify, mtu).ok_or(SetUpError)?,
            finding,
            server: None,
            state: State::Idle,
            counters: SecureCounters::default(),
        })
    }

    fn advance(&mut self, now: Duration, records: Records<'_>, out: &mut SecureOutput) {
        let (State::Trying(trying), Some(server)) = (&mut self.state, self.server) else { return };
        trying.saw_dtls = true;
        if trying.paused_until.is_some() {
            return self.counters.dropped += 1;
        }
        let mut send = |datagram: &[u8]| out.wire.push(server, datagram);
        match trying.attempt.read(now, records, &mut |datagram| out.plain.push(server, datagram), &mut send) {
            Step::Ignored => self.counters.dropped += 1,
            Step::Open => {}
            // Whoever sent an alert, it was not the server.
            Step::Progress => trying.alert = None,
            Step::Alert(reason) => trying.alert = trying.alert.or(Some((now, reason))),
            Step::Exhausted => self.try_again(now, out),
            Step::Broken => {
                trying.broken += 1;
                match self.finding.take() {
                    // Not forged: the check is made after the server has proven to have the key of the certificate
                    // and to have seen our hello.
                    Some(reason) => self.fail(reason, out),
                    None if trying.broken >= MAX_BROKEN => self.fail(SecureFailure::Handshake, out),
                    None => trying.paused_until = Some(now + BROKEN_PAUSE),
                }
            }
            Step::Completed => {
                if let State::Trying(trying) = std::mem::replace(&mut self.state, State::Over) {
                    self.state = State::Established(trying.attempt.into_association());
                }
                self.counters.completed += 1;
                out.events.push_back(SecureEvent::Established(server));
            }
        }
    }

    /// Begins anew, from the same port. The server lets the new handshake replace the old one.
    fn try_again(&mut self, now: Duration, out: &mut SecureOutput) {
        let (State::Trying(trying), Some(server)) = (&mut self.state, self.server) else { return };
        self.counters.abandoned += 1;
        match Attempt::begin(now, &self.connector, &mut |datagram| out.wire.push(server, datagram)) {
            Some(attempt) => {
                trying.attempt = attempt;
                trying.paused_until = None;
            }
            None => self.fail(SecureFailure::Handshake, out),
        }
    }

    fn fail(&mut self, reason: SecureFailure, out: &mut SecureOutput) {
        self.state = State::Over;
        self.counters.abandoned += 1;
        out.events.push_back(SecureEvent::Failed(reason));
    }

    fn carry(&mut self, now: Duration, datagram: &[u8], records: Records<'_>, out: &mut SecureOutput) {
        let (State::Established(association), Some(server)) = (&mut self.state, self.server) else { return };
        let takes = |record: &crate::gate::record::Record<'_>| {
            // Everything else is plaintext, or the repeat of a flight that has arrived.
            record.epoch == 1 && matches!(record.content, Content::ApplicationData | Content::Alert)
        };
        let mut deliver = |datagram: &[u8]| out.plain.push(server, datagram);
        let read = if records.clone().all(|record| takes(&record)) {
            association.read(now, datagram, &mut deliver)
        } else {
            let taken: Vec<u8> = records.filter(takes).flat_map(|record| record.bytes).copied().collect();
            if taken.is_empty() {
                return self.counters.dropped += 1;
            }
            association.read(now, &taken, &mut deliver)
        };
        association.poll_transmit(&mut |datagram| out.wire.push(server, datagram));
        if matches!(read, Read::Closed | Read::Failed) {
            self.state = State::Over;
            out.events.push_back(SecureEvent::Closed(server));
        }
    }
}

impl Trying {
    /// The reason to end the attempts now, if there is one.
    fn verdict(&self, now: Duration) -> Option<SecureFailure> {
        let since = |then| now.saturating_sub(then);
        match self.alert {
            Some((at, reason)) if since(at) >= ALERT_GRACE => return Some(reason),
            _ => {}
        }
        let foreign = self.foreign > 0 && !self.saw_dtls;
        if since(self.began) < DEADLINE {
            let certain = foreign && self.foreign >= MAX_FOREIGN && since(self.began) >= FOREIGN_GRACE;
            return certain.then_some(SecureFailure::NoDtls);
        }
        Some(match self.alert {
            Some((_, reason)) => reason,
            None if foreign => SecureFailure::NoDtls,
            None if self.broken > 0 => SecureFailure::Handshake,
            None => SecureFailure::TimedOut,
        })
    }
}

impl Finding {
    fn take(&self) -> Option<SecureFailure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, reason: SecureFailure) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

/// The check of the server's certificates, as the library calls it.
fn verify_with(options: ClientOptions, finding: Finding) -> rtc::VerifyChain {
    let ClientOptions { verifier, host_name, unix_time, .. } = options;
    Box::new(move |chain: &[CertificateDer<'_>]| {
        let verdict = verifier.verify(chain, &host_name, unix_time);
        verdict.map_err(|reason| finding.set(reason)).is_ok()
    })
}

impl SecureLayer for ClientLayer {
    fn overhead(&self) -> u16 {
        rtc::OVERHEAD
    }

    /// Once only: what follows the first call does nothing.
    fn connect(&mut self, now: Duration, server: SocketAddr, out: &mut SecureOutput) {
        if !matches!(self.state, State::Idle) {
            return;
        }
        self.server = Some(server);
        let attempt = Attempt::begin(now, &self.connector, &mut |datagram| out.wire.push(server, datagram));
        let Some(attempt) = attempt else { return self.fail(SecureFailure::Handshake, out) };
        let trying = Trying {
            attempt,
            began: now,
            alert: None,
            broken: 0,
            paused_until: None,
            foreign: 0,
            saw_dtls: false,
        };
        self.state = State::Trying(Box::new(trying));
    }

    fn receive(
        &mut self,
        now: Duration,
        from: SocketAddr,
        datagram: &[u8],
        _judge: &mut dyn FnMut() -> Verdict,
        out: &mut SecureOutput,
    ) {
        if self.server != Some(from) {
            return self.counters.dropped += 1;
        }
        match (Records::parse(datagram), &mut self.state) {
            (Some(records), State::Trying(_)) => self.advance(now, records, out),
            (Some(records), State::Established(_)) => self.carry(now, datagram, records, out),
            (None, State::Trying(trying)) => {
                trying.foreign += 1;
                self.counters.dropped += 1;
            }
            _ => self.counters.dropped += 1,
        }
    }

    fn send(&mut self, now: Duration, to: SocketAddr, datagram: &[u8], out: &mut SecureOutput) {
        match &mut self.state {
            State::Established(association) if self.server == Some(to) => {
                let written = association.write(now, datagram);
                self.counters.dropped += u64::from(!written);
                association.poll_transmit(&mut |datagram| out.wire.push(to, datagram));
            }
            _ => self.counters.dropped += 1,
        }
    }

    fn tick(&mut self, now: Duration, out: &mut SecureOutput) {
        let (State::Trying(trying), Some(server)) = (&mut self.state, self.server) else { return };
        if let Some(reason) = trying.verdict(now) {
            return self.fail(reason, out);
        }
        let goes_on = match trying.paused_until {
            Some(end) => now < end,
            None => trying.attempt.tick(now, &mut |datagram| out.wire.push(server, datagram)),
        };
        if !goes_on {
            self.try_again(now, out);
        }
    }

    fn close(&mut self, now: Duration, peer: SocketAddr, out: &mut SecureOutput) {
        if self.server != Some(peer) {
            return;
        }
        // A handshake ends in silence: the server does not believe plaintext.
        if let State::Established(mut association) = std::mem::replace(&mut self.state, State::Over) {
            association.close(now);
            association.poll_transmit(&mut |datagram| out.wire.push(peer, datagram));
        }
    }

    fn counters(&self) -> SecureCounters {
        SecureCounters {
            half_open: u32::from(matches!(self.state, State::Trying(_))),
            established: u32::from(matches!(self.state, State::Established(_))),
            ..self.counters
        }
    }
}
