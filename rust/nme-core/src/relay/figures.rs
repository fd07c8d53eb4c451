//! What a server of this library tells a client of the server's own connections: with another client, which the client knows
//! through the relay only, or with the client itself, seen from the other side. System messages of a kind that 3.6 does not
//! know; a client asks only who has announced that it answers.
//!
//! All little-endian. The question: u32 kind, u32 peer id. The answer: the same, then round trip, its variance and jitter as
//! u32 in µs, the loss of what goes to the peer and of what comes from it as u16 of 65535 parts. What stands behind is of later
//! versions and ignored.

use std::time::Duration;

use crate::peer::PeerId;

/// How a server's connection with a client is, as the server has told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToldFigures {
    /// Round trip, smoothed.
    pub round_trip: Duration,
    /// How much it varies.
    pub variance: Duration,
    /// How much one differs from the next.
    pub jitter: Duration,
    loss_to: u16,
    loss_from: u16,
}

impl ToldFigures {
    pub(crate) fn new(
        round_trip: Duration,
        variance: Duration,
        jitter: Duration,
        loss_to: f64,
        loss_from: f64,
    ) -> Self {
        // Written and read in whole µs.
        let whole = |time: Duration| Duration::from_micros(micros(time).into());
        let part = |loss: f64| (loss.clamp(0.0, 1.0) * WHOLE).round() as u16;
        Self {
            round_trip: whole(round_trip),
            variance: whole(variance),
            jitter: whole(jitter),
            loss_to: part(loss_to),
            loss_from: part(loss_from),
        }
    }

    /// Of what the server sends to the client, the part that gets lost, 0 to 1.
    #[must_use]
    pub fn loss_to(&self) -> f64 {
        f64::from(self.loss_to) / WHOLE
    }

    /// Of what the client sends to the server, the part that gets lost, 0 to 1.
    #[must_use]
    pub fn loss_from(&self) -> f64 {
        f64::from(self.loss_from) / WHOLE
    }

    pub(crate) fn encode(&self, id: PeerId) -> [u8; ANSWER_LEN] {
        let mut bytes = [0; ANSWER_LEN];
        bytes[..QUESTION_LEN].copy_from_slice(&encode_question(id));
        let times = [self.round_trip, self.variance, self.jitter];
        for (place, time) in bytes[QUESTION_LEN..].chunks_exact_mut(4).zip(times) {
            place.copy_from_slice(&micros(time).to_le_bytes());
        }
        bytes[20..22].copy_from_slice(&self.loss_to.to_le_bytes());
        bytes[22..].copy_from_slice(&self.loss_from.to_le_bytes());
        bytes
    }

    /// An answer, and whom it is about; `None` for any other message.
    pub(crate) fn decode(packet: &[u8]) -> Option<(PeerId, Self)> {
        let (question, rest) = packet.split_first_chunk::<QUESTION_LEN>()?;
        let id = decode_question(question)?;
        let (times, losses) = rest.split_first_chunk::<12>()?;
        let mut times = times.chunks_exact(4).map(|bytes| {
            bytes
                .try_into()
                .map_or(Duration::ZERO, |bytes| Duration::from_micros(u32::from_le_bytes(bytes).into()))
        });
        let (to, rest) = losses.split_first_chunk()?;
        let (from, _) = rest.split_first_chunk()?;
        let told = Self {
            round_trip: times.next()?,
            variance: times.next()?,
            jitter: times.next()?,
            loss_to: u16::from_le_bytes(*to),
            loss_from: u16::from_le_bytes(*from),
        };
        Some((id, told))
    }
}

pub(crate) fn encode_question(id: PeerId) -> [u8; QUESTION_LEN] {
    let mut bytes = [0; QUESTION_LEN];
    bytes[..4].copy_from_slice(&KIND.to_le_bytes());
    bytes[4..].copy_from_slice(&id.get().to_le_bytes());
    bytes
}

/// Whom a client asks about; `None` for any other message.
pub(crate) fn decode_question(packet: &[u8]) -> Option<PeerId> {
    let (kind, rest) = packet.split_first_chunk()?;
    let (id, _) = rest.split_first_chunk()?;
    if u32::from_le_bytes(*kind) != KIND {
        return None;
    }
    PeerId::client(u32::from_le_bytes(*id))
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// The kind of both messages: "XENF". 3.6 has 0 and 1, and see [`super::announcement`].
const KIND: u32 = 0x464E_4558;

const QUESTION_LEN: usize = 8;
const ANSWER_LEN: usize = 24;

/// Parts of a loss of everything.
const WHOLE: f64 = u16::MAX as f64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::announcement::Announcement;
    use crate::relay::wire::SystemMessage;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let id = PeerId::client(77).expect("a client");
        let ms = Duration::from_millis;
        let told = ToldFigures::new(ms(80), ms(5), Duration::from_nanos(1500), 0.1, 1.0);
        let bytes = told.encode(id);
        assert_eq!(ToldFigures::decode(&bytes), Some((id, told)));
        assert!((told.loss_to() - 0.1).abs() < 0.0001 && told.loss_from() == 1.0);
        assert_eq!(decode_question(&encode_question(id)), Some(id));
        for len in 0..ANSWER_LEN {
            assert_eq!(ToldFigures::decode(&bytes[..len]), None);
        }
        assert_eq!(SystemMessage::decode(&bytes), None);
        assert_eq!(Announcement::decode(&bytes), None);
        assert_eq!(encode_question(id), *b"XENF\x4d\0\0\0");
        assert_eq!(decode_question(b"XENF\x01\0\0\0"), None);
    }
}
