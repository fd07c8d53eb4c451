//! One handshake of a client, and what it may be given.

use std::time::Duration;

use nme_core::secure::SecureFailure;

use super::ATTEMPT;
use crate::association::rtc::Connector;
use crate::association::{Association, Read};
use crate::gate::budget::Budget;
use crate::gate::handshake::{self, kind};
use crate::gate::hello::{ClientHello, FATAL, alert};
use crate::gate::record::{Content, Record, Records};

/// Longest handshake message that is taken from a server: a chain of many large certificates.
const MAX_MESSAGE: usize = 32 << 10;

/// A handshake in progress.
///
/// It takes what the server sends next and nothing that has been answered already: a repeated message would stop the
/// library's clock, and with it the repeats of the answer, which must have been lost.
pub(super) struct Attempt {
    association: Box<dyn Association>,
    began: Duration,
    phase: Phase,
    budget: Budget,
}

/// What has been sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// The first hello.
    Hello,
    /// The hello with the server's cookie.
    Cookie,
    /// Key exchange and Finished.
    Finished,
}

impl Phase {
    /// True when a message of this kind and with this number is part of the server's next flight.
    const fn awaits(self, kind: u8, sequence: u16) -> bool {
        // A server may do without a cookie; then its flight begins with message 0. With a cookie, that was the request.
        match (self, kind) {
            (Self::Hello, kind::HELLO_VERIFY_REQUEST | kind::SERVER_HELLO) => sequence == 0,
            (Self::Hello, kind::CERTIFICATE) | (Self::Cookie, kind::SERVER_HELLO) => sequence == 1,
            (Self::Hello, kind::SERVER_KEY_EXCHANGE) | (Self::Cookie, kind::CERTIFICATE) => sequence == 2,
            (Self::Hello, kind::SERVER_HELLO_DONE) | (Self::Cookie, kind::SERVER_KEY_EXCHANGE) => {
                sequence == 3
            }
            (Self::Cookie, kind::CERTIFICATE_REQUEST) => sequence == 4,
            (Self::Cookie, kind::SERVER_HELLO_DONE) => sequence == 4 || sequence == 5,
            _ => false,
        }
    }
}

/// What has become of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There was nothing that it takes.
    Ignored,
    Open,
    /// The next flight is on its way.
    Progress,
    Completed,
    /// The server, or somebody else, says that it will not go on.
    Alert(SecureFailure),
    /// A message was wrong, or the certificate is refused.
    Broken,
    /// More has been received than any handshake needs.
    Exhausted,
}

impl Attempt {
    /// Sends the first hello.
    pub(super) fn begin(now: Duration, connector: &Connector, send: &mut dyn FnMut(&[u8])) -> Option<Self> {
        let association = connector.connect(now)?;
        let mut attempt = Self { association, began: now, phase: Phase::Hello, budget: Budget::OF_CLIENT };
        attempt.flush(send);
        Some(attempt)
    }

    /// Takes what it may have of these records.
    pub(super) fn read(
        &mut self,
        now: Duration,
        records: Records<'_>,
        deliver: &mut dyn FnMut(&[u8]),
        send: &mut dyn FnMut(&[u8]),
    ) -> Step {
        let mut selection = Vec::new();
        let mut parts = 0;
        for record in records {
            if let Some(reason) = refusal(&record) {
                return Step::Alert(reason);
            }
            if let Some(count) = self.parts(&record) {
                parts += count;
                selection.extend_from_slice(record.bytes);
            }
        }
        if parts == 0 {
            return Step::Ignored;
        }
        if !self.budget.spend(parts, selection.len()) {
            return Step::Exhausted;
        }
        let phase = self.phase;
        let read = self.association.read(now, &selection, deliver);
        self.flush(send);
        match read {
            Read::Open if self.phase > phase => Step::Progress,
            Read::Open => Step::Open,
            Read::Completed => Step::Completed,
            Read::Closed | Read::Failed => Step::Broken,
        }
    }

    /// Repeats the last flight; false when the attempt is over.
    pub(super) fn tick(&mut self, now: Duration, send: &mut dyn FnMut(&[u8])) -> bool {
        if now.saturating_sub(self.began) >= ATTEMPT {
            return false;
        }
        if self.association.timeout().is_none_or(|due| now < due) {
            return true;
        }
        let goes_on = self.association.handle_timeout(now);
        self.flush(send);
        goes_on
    }

    pub(super) fn into_association(self) -> Box<dyn Association> {
        self.association
    }

    /// How many parts of a server's handshake are in this record, when it is one that is due.
    fn parts(&self, record: &Record<'_>) -> Option<usize> {
        match (record.epoch, record.content) {
            (0, Content::Handshake) => {
                let mut count = 0;
                for part in handshake::parts(record.body)? {
                    if !self.phase.awaits(part.kind, part.sequence) || part.length > MAX_MESSAGE {
                        return None;
                    }
                    count += 1;
                }
                Some(count)
            }
            (0, Content::ChangeCipherSpec) if self.phase == Phase::Finished && record.body == [1] => Some(1),
            (1, Content::Handshake)
                if self.phase == Phase::Finished && record.body.len() <= handshake::MAX_PROTECTED =>
            {
                Some(1)
            }
            _ => None,
        }
    }

    fn flush(&mut self, send: &mut dyn FnMut(&[u8])) {
        let phase = &mut self.phase;
        self.association.poll_transmit(&mut |datagram| {
            for record in Records::parse(datagram).into_iter().flatten() {
                let sent = match record.content {
                    Content::ChangeCipherSpec => Phase::Finished,
                    _ if ClientHello::is_in(&record)
                        && ClientHello::parse(&record).is_some_and(|hello| !hello.cookie.is_empty()) =>
                    {
                        Phase::Cookie
                    }
                    _ => Phase::Hello,
                };
                *phase = sent.max(*phase);
            }
            send(datagram);
        });
    }
}

/// What an alert that ends the handshake says.
fn refusal(record: &Record<'_>) -> Option<SecureFailure> {
    match (record.epoch, record.content, record.body) {
        (0, Content::Alert, [FATAL, alert::ACCESS_DENIED]) => Some(SecureFailure::Refused),
        (0, Content::Alert, [FATAL, _] | [_, alert::CLOSE_NOTIFY]) => Some(SecureFailure::Handshake),
        _ => None,
    }
}
