//! The server's side: many clients, and everybody else on the internet.
//!
//! 1. A hello without a valid cookie is answered with a cookie, and forgotten.
//! 2. A hello with one begins a handshake, if there is room ([`half_open`]).
//! 3. A handshake that completes becomes an association, and replaces that of the same address, if there is one: the
//!    client has been restarted. Until then the old one goes on, as anybody who has seen a hello can repeat it.
//!
//! Of the records of an address, plaintext is for its handshake only. An association takes protected ones alone, so
//! without its keys nobody can do anything to it.

mod half_open;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use nme_core::secure::{SecureCounters, SecureEvent, SecureLayer, SecureOutput, Verdict};

use crate::SetUpError;
use crate::association::rtc::{self, Acceptor, Declined};
use crate::association::{Association, Read};
use crate::credentials::Identity;
use crate::gate::cookie::{Cookie, CookieJar};
use crate::gate::handshake::{self, kind};
use crate::gate::hello::{self, ClientHello, RANDOM, alert};
use crate::gate::record::{Content, DTLS_1_0, DTLS_1_2, Record, Records};
use half_open::{HalfOpens, Placement};

/// Longest handshake message that is taken from a client. Its key exchange has up to 98 bytes.
const MAX_MESSAGE: usize = 512;

/// Handshake records that are taken from a client after the handshake. Each asks for the last flight once more; the
/// library answers seven.
const LATE_HANDSHAKE_RECORDS: u8 = 16;

/// How long an association that a connection uses may be silent before a newcomer takes its place: ENet gives a peer up
/// after that time, and sends something twice a second while it is there.
const SILENCE: Duration = Duration::from_secs(30);
/// How old one must be for that which no connection uses, whatever it carries. ENet connects in two round trips. Were this
/// longer, a few clients a second that go no further would keep everybody out.
const UNUSED: Duration = Duration::from_millis(500);

/// Bounds of a server's memory and of its datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    associations: usize,
    mtu: u16,
}

impl ServerLimits {
    /// Associations beyond the clients: those that have not connected yet, or have gone and not been closed.
    const SPARE: usize = 64;

    /// For a server that takes this many clients.
    #[must_use]
    pub const fn for_clients(clients: u16) -> Self {
        Self { associations: clients as usize + Self::SPARE, mtu: u16::MAX }
    }

    /// The same with handshakes whose datagrams have this many bytes at most; 1200 is the most in any case.
    #[must_use]
    pub const fn with_mtu(self, mtu: u16) -> Self {
        Self { mtu, ..self }
    }
}

/// DTLS for all clients of a server.
pub struct ServerLayer {
    acceptor: Acceptor,
    cookies: CookieJar,
    half_open: HalfOpens,
    established: HashMap<SocketAddr, Established>,
    limits: ServerLimits,
    /// Records of a datagram on their way to an association.
    selection: Vec<u8>,
    counters: SecureCounters,
}

struct Established {
    association: Box<dyn Association>,
    /// The random number of its hello: that hello begins nothing once more.
    random: [u8; RANDOM],
    /// When something has last been received; until a connection uses it, when the handshake was completed.
    heard: Duration,
    in_use: bool,
    handshake_records: u8,
}

impl Established {
    fn may_go(&self, now: Duration) -> bool {
        let timeout = if self.in_use { SILENCE } else { UNUSED };
        now.saturating_sub(self.heard) >= timeout
    }
}

impl ServerLayer {
    pub(crate) fn new(identity: &Identity, limits: ServerLimits) -> Result<Self, SetUpError> {
        Ok(Self {
            acceptor: Acceptor::new(identity, limits.mtu).ok_or(SetUpError)?,
            cookies: CookieJar::new().ok_or(SetUpError)?,
            half_open: HalfOpens::default(),
            established: HashMap::new(),
            limits,
            selection: Vec::new(),
            counters: SecureCounters::default(),
        })
    }

    /// A hello is answered, or drops out here.
    fn greet(
        &mut self,
        now: Duration,
        from: SocketAddr,
        record: &Record<'_>,
        judge: &mut dyn FnMut() -> Verdict,
        out: &mut SecureOutput,
    ) {
        let Some(hello) = ClientHello::parse(record) else { return self.counters.dropped += 1 };
        // Later versions are smaller numbers.
        if hello.version > DTLS_1_2 {
            return self.turn_away(from, &hello, alert::PROTOCOL_VERSION, out);
        }
        // The library cannot resume a session, and cannot read a hello that wants it to.
        if hello.has_session {
            return self.turn_away(from, &hello, alert::HANDSHAKE_FAILURE, out);
        }
        match self.cookies.accepts(from, &hello) {
            // The number belongs to the transcript, and the library knows no other one.
            Some(cookie) if hello.message == 1 => self.begin(now, from, &hello, record, cookie, judge, out),
            Some(_) => self.counters.dropped += 1,
            None => {
                self.counters.cookies += 1;
                out.wire.push(from, &hello::verify_request(&self.cookies.bake(from, &hello)));
            }
        }
    }

    /// Begins a handshake with a client that has proven its address.
    #[expect(clippy::too_many_arguments, reason = "the parts of one datagram")]
    fn begin(
        &mut self,
        now: Duration,
        from: SocketAddr,
        hello: &ClientHello<'_>,
        record: &Record<'_>,
        cookie: Cookie,
        judge: &mut dyn FnMut() -> Verdict,
        out: &mut SecureOutput,
    ) {
        let returns = match self.established.get(&from) {
            Some(established) if established.random == *hello.random => return self.counters.dropped += 1,
            returns => returns.is_some(),
        };
        let crowded_out = match self.half_open.judge(now, from, hello.random) {
            Placement::Repeat => return,
            Placement::TooSoon | Placement::Full => return self.counters.turned_away += 1,
            Placement::BeginFor(address) => Some(address),
            Placement::Begin => None,
        };
        // A client that returns takes the place that it has already.
        let verdict = if returns { Verdict::Accept } else { judge() };
        match verdict {
            Verdict::Accept if returns || self.make_room(now, out) => {}
            Verdict::Ignore => return self.counters.turned_away += 1,
            Verdict::Accept | Verdict::Refuse => {
                return self.turn_away(from, hello, alert::ACCESS_DENIED, out);
            }
        }
        if crowded_out.is_some_and(|address| self.half_open.remove(&address).is_some()) {
            self.counters.abandoned += 1;
        }
        let send = &mut |datagram: &[u8]| out.wire.push(from, datagram);
        let abandoned = match self.acceptor.accept(now, hello, record.bytes, cookie, send) {
            Ok(association) => self.half_open.insert(now, from, *hello.random, association),
            Err(Declined::Unsuitable) => {
                return self.turn_away(from, hello, alert::INSUFFICIENT_SECURITY, out);
            }
            Err(Declined::Broken) => true,
        };
        self.counters.abandoned += u64::from(abandoned);
    }

    /// Answers a hello with an alert, which is shorter and needs no memory.
    fn turn_away(&mut self, from: SocketAddr, hello: &ClientHello<'_>, reason: u8, out: &mut SecureOutput) {
        self.counters.turned_away += 1;
        // A client that speaks the old version only takes no record of another one.
        let version = if hello.version > DTLS_1_2 { DTLS_1_0 } else { DTLS_1_2 };
        out.wire.push(from, &hello::fatal_alert(reason, version, hello.sequence));
    }

    /// True when one more association fits, if need be in the place of the one that has been silent or unused for longest.
    fn make_room(&mut self, now: Duration, out: &mut SecureOutput) -> bool {
        if self.established.len() + self.half_open.len() < self.limits.associations {
            return true;
        }
        let gone = self.established.iter().filter(|(_, established)| established.may_go(now));
        let Some(peer) =
            gone.min_by_key(|(peer, established)| (established.heard, **peer)).map(|(peer, _)| *peer)
        else {
            return false;
        };
        self.close(now, peer, out);
        out.events.push_back(SecureEvent::Closed(peer));
        true
    }

    /// Gives a handshake what it may have of these records; false when that is nothing.
    fn advance(
        &mut self,
        now: Duration,
        from: SocketAddr,
        records: Records<'_>,
        out: &mut SecureOutput,
    ) -> bool {
        let Some(half) = self.half_open.get_mut(&from) else { return false };
        self.selection.clear();
        let mut parts = 0;
        for record in records {
            if let Some(count) = parts_for_handshake(&record) {
                parts += count;
                self.selection.extend_from_slice(record.bytes);
            }
        }
        if parts == 0 {
            return false;
        }
        let read = if half.budget.spend(parts, self.selection.len()) {
            half.association.read(now, &self.selection, &mut |datagram| out.plain.push(from, datagram))
        } else {
            Read::Failed
        };
        half.association.poll_transmit(&mut |datagram| out.wire.push(from, datagram));
        if read != Read::Open
            && let Some(half) = self.half_open.remove(&from)
        {
            if read == Read::Completed {
                self.establish(now, from, half.random, half.association, out);
            } else {
                self.counters.abandoned += 1;
            }
        }
        true
    }

    fn establish(
        &mut self,
        now: Duration,
        peer: SocketAddr,
        random: [u8; RANDOM],
        association: Box<dyn Association>,
        out: &mut SecureOutput,
    ) {
        let established = Established {
            association,
            random,
            heard: now,
            in_use: false,
            handshake_records: LATE_HANDSHAKE_RECORDS,
        };
        // The old one is not said goodbye: the client has lost its keys.
        if self.established.insert(peer, established).is_some() {
            out.events.push_back(SecureEvent::Closed(peer));
        }
        self.counters.completed += 1;
        out.events.push_back(SecureEvent::Established(peer));
    }

    /// Gives an association what it may have of these records; false when that is nothing.
    fn carry(
        &mut self,
        now: Duration,
        from: SocketAddr,
        records: Records<'_>,
        out: &mut SecureOutput,
    ) -> bool {
        let Some(established) = self.established.get_mut(&from) else { return false };
        // While a handshake is in progress, Finished is for it.
        let late = !self.half_open.contains(&from);
        let taken = match records.single() {
            // Nearly every datagram.
            Some(record) if record.epoch == 1 && record.content == Content::ApplicationData => record.bytes,
            _ => {
                self.selection.clear();
                for record in records.filter(|record| record.epoch == 1) {
                    let takes = match record.content {
                        Content::ApplicationData | Content::Alert => true,
                        Content::Handshake if late && record.body.len() <= handshake::MAX_PROTECTED => {
                            let left = established.handshake_records.checked_sub(1);
                            established.handshake_records = left.unwrap_or_default();
                            left.is_some()
                        }
                        // The library would believe a change of cipher without a proof, and never read again.
                        Content::Handshake | Content::ChangeCipherSpec => false,
                    };
                    if takes {
                        self.selection.extend_from_slice(record.bytes);
                    }
                }
                &self.selection
            }
        };
        if taken.is_empty() {
            return false;
        }
        let mut carried = false;
        let read = established.association.read(now, taken, &mut |datagram| {
            carried = true;
            out.plain.push(from, datagram);
        });
        if carried && established.in_use {
            established.heard = now;
        }
        established.association.poll_transmit(&mut |datagram| out.wire.push(from, datagram));
        if matches!(read, Read::Closed | Read::Failed) {
            self.established.remove(&from);
            out.events.push_back(SecureEvent::Closed(from));
        }
        true
    }
}

/// How many parts of a client's handshake are in this record, when it is one that a handshake takes.
///
/// Alerts are not among them: anybody could end the handshakes of others. What a client gives up ends by itself.
fn parts_for_handshake(record: &Record<'_>) -> Option<usize> {
    match (record.epoch, record.content) {
        (0, Content::Handshake) => {
            let mut count = 0;
            for part in handshake::parts(record.body)? {
                if part.kind != kind::CLIENT_KEY_EXCHANGE || part.length > MAX_MESSAGE {
                    return None;
                }
                count += 1;
            }
            Some(count)
        }
        (0, Content::ChangeCipherSpec) if record.body == [1] => Some(1),
        (1, Content::Handshake) if record.body.len() <= handshake::MAX_PROTECTED => Some(1),
        _ => None,
    }
}

impl SecureLayer for ServerLayer {
    fn overhead(&self) -> u16 {
        rtc::OVERHEAD
    }

    /// Nothing: a server waits.
    fn connect(&mut self, _now: Duration, _server: SocketAddr, _out: &mut SecureOutput) {}

    fn receive(
        &mut self,
        now: Duration,
        from: SocketAddr,
        datagram: &[u8],
        judge: &mut dyn FnMut() -> Verdict,
        out: &mut SecureOutput,
    ) {
        let Some(records) = Records::parse(datagram) else { return self.counters.dropped += 1 };
        match records.single() {
            Some(record) if ClientHello::is_in(&record) => self.greet(now, from, &record, judge, out),
            _ => {
                // An association first: the handshake may take its place.
                let carried = self.carry(now, from, records, out);
                let advanced = self.advance(now, from, records, out);
                self.counters.dropped += u64::from(!(carried || advanced));
            }
        }
    }

    fn send(&mut self, now: Duration, to: SocketAddr, datagram: &[u8], out: &mut SecureOutput) {
        let Some(established) = self.established.get_mut(&to) else { return self.counters.dropped += 1 };
        let written = established.association.write(now, datagram);
        self.counters.dropped += u64::from(!written);
        established.association.poll_transmit(&mut |datagram| out.wire.push(to, datagram));
    }

    fn tick(&mut self, now: Duration, out: &mut SecureOutput) {
        self.counters.abandoned +=
            self.half_open.tick(now, |address, datagram| out.wire.push(address, datagram));
    }

    fn note_use(&mut self, now: Duration, peer: SocketAddr) {
        if let Some(established) = self.established.get_mut(&peer) {
            established.heard = now;
            established.in_use = true;
        }
    }

    /// A handshake of the same address goes on: it is that of a restarted client.
    fn close(&mut self, now: Duration, peer: SocketAddr, out: &mut SecureOutput) {
        if let Some(mut established) = self.established.remove(&peer) {
            established.association.close(now);
            established.association.poll_transmit(&mut |datagram| out.wire.push(peer, datagram));
        }
    }

    fn counters(&self) -> SecureCounters {
        SecureCounters {
            half_open: self.half_open.len() as u32,
            established: self.established.len() as u32,
            ..self.counters
        }
    }
}
