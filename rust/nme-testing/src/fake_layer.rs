//! A stand-in for DTLS: a handshake of two messages, and datagrams that are longer and unreadable. It protects nothing.
//!
//! | first byte | datagram | behind it |
//! |---|---|---|
//! | 1 | hello of a client | number of the association |
//! | 2 | welcome of the server | number |
//! | 3 | refusal of the server | number |
//! | 4 | data | number, the sender's overhead (1 byte), filler up to it, payload with every byte changed |
//! | 5 | close | number |

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use nme_core::secure::{SecureCounters, SecureEvent, SecureFailure, SecureLayer, SecureOutput, Verdict};

/// The overhead of a record of DTLS with AES-GCM, in bytes.
pub const DTLS_OVERHEAD: u8 = 37;

/// One side of the stand-in.
pub struct FakeLayer {
    overhead: u8,
    associations: BTreeMap<SocketAddr, u64>,
    attempt: Option<Attempt>,
    number: u64,
    verdict: Option<SecureFailure>,
    counters: SecureCounters,
}

struct Attempt {
    server: SocketAddr,
    began: Duration,
    said_hello: Duration,
}

/// What a datagram of the stand-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// First message of a client.
    Hello = 1,
    /// The server's answer.
    Welcome = 2,
    /// The server's other answer.
    Refusal = 3,
    /// A datagram of ENet.
    Data = 4,
    /// The end of the association.
    Close = 5,
}

impl FakeLayer {
    /// Either side, with this many bytes more for each datagram, 10 at least. `number` tells a client's association from
    /// the one before; a server does not need it.
    #[must_use]
    pub fn new(overhead: u8, number: u64) -> Self {
        Self {
            overhead: overhead.max(MIN_OVERHEAD),
            associations: BTreeMap::new(),
            attempt: None,
            number,
            verdict: None,
            counters: SecureCounters::default(),
        }
    }

    /// Client: finds this fault with the server when it answers.
    #[must_use]
    pub const fn that_fails(mut self, failure: SecureFailure) -> Self {
        self.verdict = Some(failure);
        self
    }

    fn hello(
        &mut self,
        number: u64,
        from: SocketAddr,
        judge: &mut dyn FnMut() -> Verdict,
        out: &mut SecureOutput,
    ) {
        match self.associations.get(&from) {
            Some(known) if *known == number => {}
            known => {
                if known.is_some() {
                    out.events.push_back(SecureEvent::Closed(from));
                } else {
                    match judge() {
                        Verdict::Accept => {}
                        Verdict::Refuse => {
                            self.counters.turned_away += 1;
                            return out.wire.push(from, &message(Kind::Refusal, number));
                        }
                        Verdict::Ignore => return self.counters.turned_away += 1,
                    }
                }
                self.associations.insert(from, number);
                self.counters.completed += 1;
                out.events.push_back(SecureEvent::Established(from));
            }
        }
        out.wire.push(from, &message(Kind::Welcome, number));
    }

    /// The answer to an attempt.
    fn answer(&mut self, kind: Option<Kind>, number: u64, from: SocketAddr, out: &mut SecureOutput) {
        if self.attempt.take_if(|attempt| attempt.server == from).is_none() {
            return;
        }
        let failure = match kind {
            Some(Kind::Welcome) => self.verdict,
            Some(_) => Some(SecureFailure::Refused),
            None => Some(SecureFailure::NoDtls),
        };
        out.events.push_back(match failure {
            Some(failure) => SecureEvent::Failed(failure),
            None => {
                self.associations.insert(from, number);
                self.counters.completed += 1;
                SecureEvent::Established(from)
            }
        });
    }
}

impl SecureLayer for FakeLayer {
    fn overhead(&self) -> u16 {
        self.overhead.into()
    }

    fn connect(&mut self, now: Duration, server: SocketAddr, out: &mut SecureOutput) {
        self.attempt = Some(Attempt { server, began: now, said_hello: now });
        out.wire.push(server, &message(Kind::Hello, self.number));
    }

    fn receive(
        &mut self,
        _now: Duration,
        from: SocketAddr,
        datagram: &[u8],
        judge: &mut dyn FnMut() -> Verdict,
        out: &mut SecureOutput,
    ) {
        let kind = kind(datagram);
        let number = datagram.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        let is_known = number.is_some() && self.associations.get(&from) == number.as_ref();
        match (kind, number) {
            (Some(Kind::Hello), Some(number)) => self.hello(number, from, judge, out),
            (Some(Kind::Data), _) if is_known => {
                let overhead = datagram.get(9).copied().unwrap_or(MIN_OVERHEAD);
                let payload = datagram.get(usize::from(overhead)..).unwrap_or_default();
                out.plain.push(from, &change(payload));
            }
            (Some(Kind::Close), _) if is_known => {
                self.associations.remove(&from);
                out.events.push_back(SecureEvent::Closed(from));
            }
            // Of an association before this one.
            (Some(Kind::Data | Kind::Close), _) => self.counters.dropped += 1,
            _ => self.answer(kind, number.unwrap_or(0), from, out),
        }
    }

    fn send(&mut self, _now: Duration, to: SocketAddr, datagram: &[u8], out: &mut SecureOutput) {
        let Some(number) = self.associations.get(&to) else { return };
        let mut bytes = message(Kind::Data, *number);
        bytes.push(self.overhead);
        bytes.resize(self.overhead.into(), 0);
        bytes.extend(change(datagram));
        out.wire.push(to, &bytes);
    }

    fn tick(&mut self, now: Duration, out: &mut SecureOutput) {
        let Some(attempt) = &mut self.attempt else { return };
        if now.saturating_sub(attempt.began) >= ATTEMPT_TIMEOUT {
            self.attempt = None;
            out.events.push_back(SecureEvent::Failed(SecureFailure::TimedOut));
        } else if now.saturating_sub(attempt.said_hello) >= REPEAT {
            attempt.said_hello = now;
            out.wire.push(attempt.server, &message(Kind::Hello, self.number));
        }
    }

    fn close(&mut self, _now: Duration, peer: SocketAddr, out: &mut SecureOutput) {
        self.attempt = None;
        if let Some(number) = self.associations.remove(&peer) {
            out.wire.push(peer, &message(Kind::Close, number));
        }
    }

    fn counters(&self) -> SecureCounters {
        SecureCounters { established: self.associations.len() as u32, ..self.counters }
    }
}

/// What a datagram is; `None` for none of the stand-in's.
#[must_use]
pub fn kind(datagram: &[u8]) -> Option<Kind> {
    match datagram.first()? {
        1 => Some(Kind::Hello),
        2 => Some(Kind::Welcome),
        3 => Some(Kind::Refusal),
        4 => Some(Kind::Data),
        5 => Some(Kind::Close),
        _ => None,
    }
}

/// A datagram of this kind without more, about the association with this number.
#[must_use]
pub fn message(kind: Kind, number: u64) -> Vec<u8> {
    [&[kind as u8], &number.to_le_bytes()[..]].concat()
}

fn change(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ 0xa5).collect()
}

/// The first byte, the number and the overhead itself.
const MIN_OVERHEAD: u8 = 10;

/// Until an attempt is given up.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Until a hello is repeated.
const REPEAT: Duration = Duration::from_millis(300);
