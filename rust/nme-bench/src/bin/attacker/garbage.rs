//! Datagrams that no honest peer sends, or not as many.

use nme_core::query::Question;
use nme_enet::wire::{Body, Command, MAX_MTU, NO_PEER, code};
use nme_netem::Random;

use crate::datagrams::{connect, header, request};

/// Writes one kind of them.
pub(crate) struct Garbage {
    kind: Kind,
    random: Random,
}

#[derive(Clone, Copy)]
enum Kind {
    /// The same request again and again.
    Replayed,
    /// Requests and packets that end too soon.
    Truncated,
    /// As long as ENet's longest and longer.
    Oversized,
    /// Any bytes.
    Random,
    /// Any bytes that say that they are compressed: to peers, and as requests.
    Compressed,
    /// As those of players, with numbers that are not the sender's.
    Strangers,
    /// Questions without a connection, as those of a browser.
    Questions,
}

impl Garbage {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let kind = match word {
            "replayed" => Kind::Replayed,
            "truncated" => Kind::Truncated,
            "oversized" => Kind::Oversized,
            "random" => Kind::Random,
            "compressed" => Kind::Compressed,
            "strangers" => Kind::Strangers,
            "questions" => Kind::Questions,
            _ => return None,
        };
        Some(Self { kind, random: Random::new(1) })
    }

    pub(crate) fn write(&mut self, number: u64, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Replayed => request(7, out),
            Kind::Truncated => {
                if number.is_multiple_of(2) {
                    request(number, out);
                } else {
                    self.packet(600, 500, out);
                }
                let len = self.random.bits() as usize % out.len();
                out.truncate(len);
            }
            Kind::Oversized => {
                header(NO_PEER, 0, Some(1), out);
                connect(number as u32, 2).append_to(out);
                let len = usize::from(MAX_MTU) + self.random.bits() as usize % 20_000;
                out.resize(len, 0x85);
            }
            Kind::Random => self.fill(out),
            Kind::Compressed => {
                self.fill(out);
                if let [first, ..] = &mut out[..] {
                    // Compressed, with a sent time; half of them from nobody that the server knows.
                    *first = 0xc0 | *first & 0x0f;
                    if number.is_multiple_of(2) {
                        out[0] |= 0x0f;
                        out[1] = 0xff;
                    }
                }
            }
            Kind::Strangers => self.packet(100, 100, out),
            Kind::Questions => out.extend(Question { nonce: number }.write()),
        }
    }

    /// A packet from a peer that the server may have, from an address that is not its own.
    fn packet(&mut self, len: u16, real: usize, out: &mut Vec<u8>) {
        let random = self.random.bits();
        header((random % 64) as u16, (random >> 8) as u8 & 3, Some((random >> 16) as u16), out);
        let body = Body::Reliable { len };
        Command { code: code::RELIABLE, channel: 1, sequence: (random >> 32) as u16, body }.append_to(out);
        out.resize(out.len() + real, 0x55);
    }

    fn fill(&mut self, out: &mut Vec<u8>) {
        let len = 2 + self.random.bits() as usize % 1390;
        while out.len() < len {
            let random = self.random.bits();
            out.extend_from_slice(&random.to_le_bytes());
        }
    }
}
