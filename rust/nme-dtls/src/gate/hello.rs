//! The hello of a client, and the answers to it that need no memory.

use super::cookie::{self, Cookie};
use super::handshake::{self, kind};
use super::record::{self, Content, DTLS_1_2, Record};

/// Length of a random number.
pub(crate) const RANDOM: usize = 32;

/// A hello in one record of its own, as every client sends it. One in fragments would have to be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientHello<'a> {
    /// The newest version that the client speaks.
    pub(crate) version: u16,
    pub(crate) random: &'a [u8; RANDOM],
    /// True when the client wants to resume a session.
    pub(crate) has_session: bool,
    /// Empty in a first hello.
    pub(crate) cookie: &'a [u8],
    /// Everything before the cookie's length: version, random number, session.
    pub(crate) before_cookie: &'a [u8],
    /// The list of cipher suites, with its length.
    pub(crate) suites: &'a [u8],
    /// Everything behind the cookie.
    after_cookie: &'a [u8],
    /// 0 for a first hello, 1 for the one with the cookie.
    pub(crate) message: u16,
    /// Sequence number of its record.
    pub(crate) sequence: u64,
}

impl<'a> ClientHello<'a> {
    /// True when this record begins with a hello, well-formed or not.
    pub(crate) fn is_in(record: &Record<'_>) -> bool {
        record.content == Content::Handshake && record.epoch == 0 && record.body[0] == kind::CLIENT_HELLO
    }

    /// The hello in this record.
    pub(crate) fn parse(record: &Record<'a>) -> Option<Self> {
        let mut parts = handshake::parts(record.body)?;
        let part = parts.next().filter(|part| part.is_whole() && part.kind == kind::CLIENT_HELLO)?;
        if parts.next().is_some() {
            return None;
        }
        let (version, rest) = part.body.split_first_chunk::<2>()?;
        let (random, rest) = rest.split_first_chunk::<RANDOM>()?;
        let (session, rest) = counted(rest, 1)?;
        let before_cookie = &part.body[..part.body.len() - rest.len()];
        let (cookie, after_cookie) = counted(rest, 1)?;
        let (suites, rest) = counted(after_cookie, 2)?;
        let (compression, rest) = counted(rest, 1)?;
        // Without extensions there are not even their lengths. The library needs them, and so does every curve.
        let (_, rest) = counted(rest, 2)?;
        if suites.is_empty() || !suites.len().is_multiple_of(2) || compression.is_empty() || !rest.is_empty()
        {
            return None;
        }
        Some(Self {
            version: u16::from_be_bytes(*version),
            random,
            has_session: !session.is_empty(),
            cookie,
            before_cookie,
            suites: &after_cookie[..suites.len() + 2],
            after_cookie,
            message: part.sequence,
            sequence: record.sequence,
        })
    }

    /// The record that this client would have sent first: the same hello without a cookie.
    pub(crate) fn write_first(&self, out: &mut Vec<u8>) {
        let len = self.before_cookie.len() + 1 + self.after_cookie.len();
        let record_len = u16::try_from(handshake::HEADER + len).unwrap_or(u16::MAX);
        out.extend_from_slice(&record::plain_header(22, DTLS_1_2, 0, record_len));
        out.extend_from_slice(&handshake::header(kind::CLIENT_HELLO, len, 0));
        out.extend_from_slice(self.before_cookie);
        out.push(0);
        out.extend_from_slice(self.after_cookie);
    }
}

/// A field behind its length of `width` bytes, and the rest.
fn counted(bytes: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_at_checked(width)?;
    let len = len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte));
    rest.split_at_checked(len)
}

/// Length of [`verify_request`]; less than any hello has.
pub(crate) const VERIFY_REQUEST: usize = record::HEADER + handshake::HEADER + 3 + cookie::LEN;

/// Asks a client to repeat its hello with this cookie.
///
/// Its record has the sequence number 0 and not that of the hello, against RFC 6347: the library numbers its first
/// flight from 1 on, and a client drops a number that it has seen. A repeat of this request is dropped in the same way
/// when the first one has arrived, as it should be.
pub(crate) fn verify_request(cookie: &Cookie) -> [u8; VERIFY_REQUEST] {
    const BODY: usize = 3 + cookie::LEN;
    let mut bytes = [0; VERIFY_REQUEST];
    let (head, rest) = bytes.split_at_mut(record::HEADER);
    head.copy_from_slice(&record::plain_header(22, DTLS_1_2, 0, (handshake::HEADER + BODY) as u16));
    let (head, body) = rest.split_at_mut(handshake::HEADER);
    head.copy_from_slice(&handshake::header(kind::HELLO_VERIFY_REQUEST, BODY, 0));
    body[..2].copy_from_slice(&DTLS_1_2.to_be_bytes());
    body[2] = cookie::LEN as u8;
    body[3..].copy_from_slice(cookie);
    bytes
}

/// Why a peer ends a handshake.
pub(crate) mod alert {
    pub(crate) const CLOSE_NOTIFY: u8 = 0;
    pub(crate) const HANDSHAKE_FAILURE: u8 = 40;
    /// A server that takes no more clients.
    pub(crate) const ACCESS_DENIED: u8 = 49;
    pub(crate) const PROTOCOL_VERSION: u8 = 70;
    pub(crate) const INSUFFICIENT_SECURITY: u8 = 71;
}

/// Length of [`fatal_alert`].
pub(crate) const ALERT: usize = record::HEADER + 2;
/// The level of an alert that ends the association.
pub(crate) const FATAL: u8 = 2;

/// Tells the sender of a hello that there will be no handshake. The number of the hello's record makes it newer than
/// anything the client has been sent.
pub(crate) fn fatal_alert(description: u8, version: u16, sequence: u64) -> [u8; ALERT] {
    let mut bytes = [0; ALERT];
    bytes[..record::HEADER].copy_from_slice(&record::plain_header(21, version, sequence, 2));
    bytes[record::HEADER..].copy_from_slice(&[FATAL, description]);
    bytes
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::gate::cookie::CookieJar;
    use crate::gate::record::Records;

    fn hello(cookie: &[u8], message: u16) -> Vec<u8> {
        let mut body = vec![0xfe, 0xfd];
        body.extend_from_slice(&[7; RANDOM]);
        body.push(0);
        body.push(u8::try_from(cookie.len()).unwrap());
        body.extend_from_slice(cookie);
        body.extend_from_slice(&[0, 2, 0xc0, 0x2f, 1, 0, 0, 4, 0, 23, 0, 0]);
        let message = [&handshake::header(kind::CLIENT_HELLO, body.len(), message)[..], &body].concat();
        let len = u16::try_from(message.len()).unwrap();
        [&record::plain_header(22, DTLS_1_2, 3, len)[..], &message].concat()
    }

    fn parse(datagram: &[u8]) -> Option<ClientHello<'_>> {
        ClientHello::parse(&Records::parse(datagram)?.single()?)
    }

    #[test]
    fn a_cookie_is_for_its_address_and_its_hello_alone() {
        let jar = CookieJar::new().unwrap();
        let address: SocketAddr = "192.0.2.1:4000".parse().unwrap();
        let first = hello(b"", 0);
        let cookie = jar.bake(address, &parse(&first).unwrap());

        let second = hello(&cookie, 1);
        let second = parse(&second).unwrap();
        assert_eq!(jar.accepts(address, &second), Some(cookie));
        for other in ["192.0.2.2:4000", "192.0.2.1:4001", "[2001:db8::1]:4000"] {
            assert_eq!(jar.accepts(other.parse().unwrap(), &second), None, "{other}");
        }
        assert_eq!(CookieJar::new().unwrap().accepts(address, &second), None, "another server's");
        for len in 0..cookie.len() {
            assert_eq!(jar.accepts(address, &parse(&hello(&cookie[..len], 1)).unwrap()), None);
        }
        let mut other_random = hello(&cookie, 1);
        other_random[record::HEADER + handshake::HEADER + 2] ^= 1;
        assert_eq!(jar.accepts(address, &parse(&other_random).unwrap()), None);
    }

    #[test]
    fn the_first_hello_is_made_from_the_second() {
        let mut first = Vec::new();
        parse(&hello(&[9; 20], 1)).unwrap().write_first(&mut first);
        let mut expected = hello(b"", 0);
        expected[10] = 0;
        assert_eq!(first, expected);
    }

    #[test]
    fn no_byte_of_a_hello_can_be_missing() {
        let good = hello(b"", 0);
        let body = good.len() - record::HEADER - handshake::HEADER;
        for len in 0..body {
            let mut short = good[..record::HEADER + handshake::HEADER + len].to_vec();
            let record_len = u16::try_from(handshake::HEADER + len).unwrap();
            short[11..13].copy_from_slice(&record_len.to_be_bytes());
            short[13..25].copy_from_slice(&handshake::header(kind::CLIENT_HELLO, len, 0));
            assert!(parse(&short).is_none(), "{len} bytes");
        }
    }

    #[test]
    fn no_answer_is_longer_than_its_question() {
        let shortest = record::HEADER + handshake::HEADER + 2 + RANDOM + 1 + 1 + 4 + 2 + 2;
        assert!(VERIFY_REQUEST.max(ALERT) < shortest);
        assert_eq!(verify_request(&[1; 20]).len(), 48);
    }
}
