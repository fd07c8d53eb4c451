//! Question and answer as datagrams. All numbers are big-endian:
//!
//! | bytes | question | answer |
//! |---|---|---|
//! | 8 | magic number | the same |
//! | 1 | version | the same |
//! | 1 | 0 | 1 |
//! | 1 | 0 | flags: 1 the server takes no new clients, 2 it wants DTLS |
//! | 1 | 0 | 0 |
//! | 8 | nonce | that of the question |
//! | 8 | 0 | number of the server |
//! | 2 | 0 | clients that are connected |
//! | 2 | 0 | clients that may be |
//! | up to 1024 | as many zeros | what the game says ([`QueryInfo`](super::QueryInfo)) |
//!
//! To a stock ENet the first two bytes are the header of a datagram, plain and without a time, from its peer 4094. It
//! looks that up before anything else, compression and checksums too, and drops what has another address than this peer.
//! Most servers have no place of that number at all. If the peer is really there, the third byte ends it: a command that ENet
//! does not have. So no ENet ever sends this, and ours can tell a question at a look. DTLS drops it, too: no record begins
//! with a 15.

use super::value::MAX_INFO;

/// Length of every question, and of the longest answer.
pub const QUESTION_LEN: usize = ANSWER_LEN + MAX_INFO;

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// A random number which the answer returns: who does not see the question cannot answer it.
    pub nonce: u64,
}

/// What a server says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// That of the question.
    pub nonce: u64,
    /// The same in all answers of an open server, and in no other's.
    pub server: u64,
    /// Clients that are connected.
    pub players: u16,
    /// Clients that may be.
    pub max_players: u16,
    /// It takes no new clients.
    pub is_refusing: bool,
    /// Connections to it are encrypted with DTLS.
    pub is_encrypted: bool,
    /// What the game says, to be read as [`QueryInfo`](super::QueryInfo). At most [`MAX_INFO`] bytes are sent.
    pub info: &'a [u8],
}

/// True for questions and answers of any version, which are not for ENet.
#[must_use]
pub fn is_query(datagram: &[u8]) -> bool {
    datagram.starts_with(&MAGIC)
}

impl Question {
    /// Reads a question; `None` for everything else, and for one that is too short to be answered.
    #[must_use]
    pub fn read(datagram: &[u8]) -> Option<Self> {
        let (kind, _, rest) = read_start(datagram)?;
        let (nonce, _) = rest.split_first_chunk()?;
        let is_question = kind == QUESTION && datagram.len() == QUESTION_LEN;
        is_question.then_some(Self { nonce: u64::from_be_bytes(*nonce) })
    }

    /// The datagram.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut datagram = Vec::with_capacity(QUESTION_LEN);
        write_start(&mut datagram, QUESTION, 0);
        datagram.extend_from_slice(&self.nonce.to_be_bytes());
        datagram.resize(QUESTION_LEN, 0);
        datagram
    }
}

impl<'a> Answer<'a> {
    /// Reads an answer; `None` for everything else.
    #[must_use]
    pub fn read(datagram: &'a [u8]) -> Option<Self> {
        let (kind, flags, rest) = read_start(datagram)?;
        if kind != ANSWER || datagram.len() > QUESTION_LEN {
            return None;
        }
        let (nonce, rest) = rest.split_first_chunk()?;
        let (server, rest) = rest.split_first_chunk()?;
        let (players, rest) = rest.split_first_chunk()?;
        let (max_players, info) = rest.split_first_chunk()?;
        Some(Self {
            nonce: u64::from_be_bytes(*nonce),
            server: u64::from_be_bytes(*server),
            players: u16::from_be_bytes(*players),
            max_players: u16::from_be_bytes(*max_players),
            is_refusing: flags & REFUSING != 0,
            is_encrypted: flags & ENCRYPTED != 0,
            info,
        })
    }

    /// The datagram, never longer than a question.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let info = self.info.get(..MAX_INFO).unwrap_or(self.info);
        let mut datagram = Vec::with_capacity(ANSWER_LEN + info.len());
        let refusing = if self.is_refusing { REFUSING } else { 0 };
        let encrypted = if self.is_encrypted { ENCRYPTED } else { 0 };
        write_start(&mut datagram, ANSWER, refusing | encrypted);
        datagram.extend_from_slice(&self.nonce.to_be_bytes());
        datagram.extend_from_slice(&self.server.to_be_bytes());
        datagram.extend_from_slice(&self.players.to_be_bytes());
        datagram.extend_from_slice(&self.max_players.to_be_bytes());
        datagram.extend_from_slice(info);
        datagram
    }
}

/// Kind, flags and the rest.
fn read_start(datagram: &[u8]) -> Option<(u8, u8, &[u8])> {
    match datagram.strip_prefix(&MAGIC)? {
        [VERSION, kind, flags, _, rest @ ..] => Some((*kind, *flags, rest)),
        _ => None,
    }
}

fn write_start(datagram: &mut Vec<u8>, kind: u8, flags: u8) {
    datagram.extend_from_slice(&MAGIC);
    datagram.extend_from_slice(&[VERSION, kind, flags, 0]);
}

/// ENet's header for peer 4094, a command that there is not, and five letters.
const MAGIC: [u8; 8] = *b"\x0f\xfe\xffquery";

const VERSION: u8 = 1;

const QUESTION: u8 = 0;
const ANSWER: u8 = 1;

const REFUSING: u8 = 1;
const ENCRYPTED: u8 = 2;

/// Length of an answer of a game that says nothing.
const ANSWER_LEN: usize = 32;

#[cfg(test)]
mod tests {
    use nme_enet::wire::{Header, NO_PEER};

    use super::*;

    const INFO: [u8; 5] = *b"hello";

    fn answer() -> Answer<'static> {
        Answer {
            nonce: 0x0123_4567_89ab_cdef,
            server: 7,
            players: 3,
            max_players: 4095,
            is_refusing: true,
            is_encrypted: false,
            info: &INFO,
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let question = Question { nonce: 5 };
        assert_eq!(question.write().len(), QUESTION_LEN);
        assert_eq!(Question::read(&question.write()), Some(question));
        for (is_refusing, is_encrypted) in [(false, false), (true, false), (false, true), (true, true)] {
            let answer = Answer { is_refusing, is_encrypted, ..answer() };
            assert_eq!(Answer::read(&answer.write()), Some(answer));
        }
    }

    #[test]
    fn the_bytes_stay_the_same() {
        let mut expected = b"\x0f\xfe\xffquery\x01\x01\x01\x00".to_vec();
        expected.extend_from_slice(b"\x01\x23\x45\x67\x89\xab\xcd\xef\0\0\0\0\0\0\0\x07\0\x03\x0f\xffhello");
        assert_eq!(answer().write(), expected);
    }

    #[test]
    fn no_enet_sends_it_or_takes_it_for_a_request() {
        let question = Question { nonce: 5 }.write();
        assert!(is_query(&question));
        let header = Header::read(&question).unwrap();
        assert!(!header.compressed);
        assert_ne!(header.peer, NO_PEER);
        assert_eq!((header.peer, header.len()), (NO_PEER - 1, 2));
    }

    #[test]
    fn an_answer_is_never_longer_than_its_question() {
        let long = [1; 5000];
        let answer = Answer { info: &long, ..answer() }.write();
        assert_eq!(answer.len(), QUESTION_LEN);
        assert!(Answer::read(&answer).is_some());
    }

    #[test]
    fn everything_else_is_nothing() {
        let question = Question { nonce: 5 }.write();
        let answer = answer().write();
        assert_eq!(Question::read(&answer), None);
        assert_eq!(Answer::read(&question), None);
        for len in 0..QUESTION_LEN {
            assert_eq!(Question::read(&question[..len]), None, "{len}");
        }
        assert_eq!(Question::read(&[question.clone(), vec![0]].concat()), None);
        for len in 0..ANSWER_LEN {
            assert_eq!(Answer::read(&answer[..len]), None, "{len}");
        }
        for place in 0..MAGIC.len() + 2 {
            let mut changed = (question.clone(), answer.clone());
            changed.0[place] ^= 0x10;
            changed.1[place] ^= 0x10;
            assert_eq!((Question::read(&changed.0), Answer::read(&changed.1)), (None, None), "{place}");
        }
    }
}
