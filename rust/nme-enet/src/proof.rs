//! Proof of address: two small datagrams that show whether somebody at an address has asked for a connection.
//!
//! A client that waits for the answer to its connect request acknowledges an acknowledgement which asks for that
//! ([`code::PROBE`]), returns the numbers in it, and forgets it. A server that puts a secret into these numbers learns that
//! its datagrams arrive there, without having kept anything. Stock ENet does so from 1.3.13 to 1.3.18, and so does
//! [`Host`](crate::Host).

use crate::inspect::Request;
use crate::reason::DropReason;
use crate::wire::{Body, CONTROL_CHANNEL, Command, CommandList, Header, NO_PEER, TIMED_HEADER_LEN, Writer};
use crate::wire::{CONNECT_DATAGRAM_LEN, code, fixed_len};

/// The secret of a challenge: 48 bits, in the low bits of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof(u64);

impl Proof {
    /// The low 48 bits.
    #[must_use]
    pub const fn new(bits: u64) -> Self {
        Self(bits & 0xffff_ffff_ffff)
    }

    const fn of(time: u16, first: u16, second: u16) -> Self {
        Self((time as u64) << 32 | (first as u64) << 16 | second as u64)
    }

    const fn time(self) -> u16 {
        (self.0 >> 32) as u16
    }

    const fn sequences(self) -> [u16; 2] {
        [(self.0 >> 16) as u16, self.0 as u16]
    }
}

/// The datagram that asks a client to show that it gets our datagrams. It must not be compressed, and is shorter than the
/// request that it answers. `peer` is the client's number for us, `asked_at` the time in the header of its request.
#[must_use]
pub fn challenge(peer: u16, asked_at: u16, proof: Proof) -> [u8; CHALLENGE_LEN] {
    let mut bytes = [0; CHALLENGE_LEN];
    let mut out = Writer::new(&mut bytes);
    Header { peer, session: 0, sent_time: Some(proof.time()), compressed: false }.write(&mut out);
    for sequence in proof.sequences() {
        // Number 0 is nothing that is in flight, and this time lies so far back that no round trip is measured.
        let body = Body::Acknowledge { sequence: 0, sent_time: asked_at | 0x7fff };
        Command { code: code::PROBE, channel: CONTROL_CHANNEL, sequence, body }.write(&mut out);
    }
    bytes
}

/// What a client without a connection has sent in answer to challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    proofs: [Proof; MAX_PROOFS],
    count: usize,
    request: Option<[u8; CONNECT_DATAGRAM_LEN]>,
}

impl Answer {
    /// True for a plain datagram without a peer that begins as an answer does, and not as a request.
    #[must_use]
    pub fn is_answer(datagram: &[u8], header: &Header) -> bool {
        header.peer == NO_PEER && datagram.get(header.len()) == Some(&code::ACKNOWLEDGE)
    }

    /// Reads a plain datagram: one to four answers, and a connect request behind them if its time had come.
    pub fn read(datagram: &[u8], header: &Header) -> Result<Self, DropReason> {
        if header.peer != NO_PEER || header.session != 0 || header.compressed {
            return Err(DropReason::Connect);
        }
        let list = CommandList::read(datagram, header)?;
        let is_connect = |(command, _): &&(Command, &[u8])| matches!(command.body, Body::Connect { .. });
        let (numbers, has_request) = match list.as_slice().split_last() {
            Some((last, before)) if is_connect(&last) => (before, true),
            _ => (list.as_slice(), false),
        };
        let pairs = numbers.chunks_exact(2);
        let fits = pairs.remainder().is_empty() && (1..=MAX_PROOFS).contains(&pairs.len());
        if !fits {
            return Err(DropReason::Connect);
        }
        let mut answer = Self { proofs: [Proof::new(0); MAX_PROOFS], count: pairs.len(), request: None };
        for (place, pair) in answer.proofs.iter_mut().zip(pairs) {
            *place = proof_of(pair).ok_or(DropReason::Connect)?;
        }
        if has_request {
            answer.request = Some(request_behind(datagram, header)?);
        }
        Ok(answer)
    }

    /// The secrets that it returns.
    #[must_use]
    pub fn proofs(&self) -> &[Proof] {
        &self.proofs[..self.count]
    }

    /// The connect request that stood behind them, as a datagram of its own.
    #[must_use]
    pub const fn request(&self) -> Option<&[u8; CONNECT_DATAGRAM_LEN]> {
        self.request.as_ref()
    }
}

/// The secret that two acknowledgements return.
fn proof_of(pair: &[(Command, &[u8])]) -> Option<Proof> {
    let number = |command: &Command| match command.body {
        Body::Acknowledge { sequence, sent_time }
            if command.code == code::ACKNOWLEDGE
                && command.channel == CONTROL_CHANNEL
                && command.sequence == sequence =>
        {
            Some((sequence, sent_time))
        }
        _ => None,
    };
    let [(first, _), (second, _)] = pair else { return None };
    let ((first, time), (second, other_time)) = (number(first)?, number(second)?);
    (time == other_time).then_some(Proof::of(time, first, second))
}

/// The datagram that the last command of another one makes, which is a connect request.
fn request_behind(datagram: &[u8], header: &Header) -> Result<[u8; CONNECT_DATAGRAM_LEN], DropReason> {
    let mut request = [0; CONNECT_DATAGRAM_LEN];
    let mut out = Writer::new(&mut request);
    header.write(&mut out);
    let command = datagram.len().checked_sub(fixed_len(code::CONNECT)).and_then(|at| datagram.get(at..));
    out.put(command.unwrap_or_default());
    Request::read(&request, header)?;
    Ok(request)
}

/// A challenge with its header, in bytes.
pub const CHALLENGE_LEN: usize = TIMED_HEADER_LEN + 2 * fixed_len(code::PROBE);

/// The longest that a datagram of a client without a connection is, in bytes: answers, and a request behind them.
pub const LONGEST_ANSWER: usize = CONNECT_DATAGRAM_LEN + MAX_PROOFS * 2 * fixed_len(code::ACKNOWLEDGE);

/// Challenges that are answered in one datagram, at most. A client that sleeps for a while may find more than one.
pub const MAX_PROOFS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(datagram: &[u8]) -> Result<Answer, DropReason> {
        Answer::read(datagram, &Header::read(datagram)?)
    }

    /// The answer of a client to a challenge.
    fn answer(challenge: &[u8]) -> Vec<u8> {
        let mut answer = vec![0x0f, 0xff];
        for command in challenge[4..].chunks(8) {
            answer.extend([
                0x01,
                0xff,
                command[2],
                command[3],
                command[2],
                command[3],
                challenge[2],
                challenge[3],
            ]);
        }
        answer
    }

    #[test]
    fn the_secret_comes_back() {
        for bits in [0, 1, 0x1234_5678_9abc, u64::MAX] {
            let proof = Proof::new(bits);
            let challenge = challenge(7, 0x0102, proof);
            assert_eq!(challenge.len(), 20);
            assert_eq!((challenge[0], challenge[1], challenge[4]), (0x80, 7, 0x81));
            let answer = answer(&challenge);
            assert_eq!(answer.len(), 18);
            let read = read(&answer).expect("an answer");
            assert_eq!((read.proofs(), read.request()), (&[proof][..], None));
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let good = answer(&challenge(0, 0, Proof::new(5)));
        for at in 0..good.len() {
            assert!(read(&good[..at]).is_err(), "{at}");
        }
        for (at, value) in [(0, 0x1f), (1, 0), (2, 0x81), (3, 0), (4, 9), (10, 0x85), (11, 3), (17, 9)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert!(read(&bad).is_err(), "{at}");
        }
        let many = [&good[..], &good[2..], &good[2..], &good[2..]].concat();
        assert_eq!(read(&many).expect("four answers").proofs().len(), 4);
        assert!(read(&[&many[..], &good[2..]].concat()).is_err());
    }
}
