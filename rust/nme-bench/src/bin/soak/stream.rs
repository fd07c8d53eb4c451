//! Numbered packets from one side to the other, and what their receiver finds wrong.

use nme_core::channel::{TransferChannel, TransferMode};
use nme_core::relay::Target;
use nme_core::session::SendOptions;
use nme_netem::Random;

/// What has been found so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Reliable packets that are missing between others, or at the end.
    pub(crate) lost_reliable: u64,
    /// Packets behind newer ones, where there is an order, and packets that came twice.
    pub(crate) disordered: u64,
    /// Packets that are not what was sent.
    pub(crate) corrupt: u64,
}

impl Findings {
    /// The inside of a JSON object.
    pub(crate) fn json(&self) -> String {
        let Self { sent, received, lost_reliable, disordered, corrupt } = self;
        format!(
            r#""sent":{sent},"received":{received},"lost_reliable":{lost_reliable},"disordered":{disordered},"corrupt":{corrupt}"#
        )
    }
}

/// The kinds of packets, each with numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Reliable,
    Ordered,
    Unreliable,
    /// Reliable, to everybody, through the relay.
    Relayed,
    /// The last reliable packet: its number is how many came before.
    Last,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Reliable, Self::Ordered, Self::Unreliable, Self::Relayed, Self::Last];

    /// How such a packet travels.
    pub(crate) const fn options(self, target: Target) -> SendOptions {
        let mode = match self {
            Self::Ordered => TransferMode::UnreliableOrdered,
            Self::Unreliable => TransferMode::Unreliable,
            _ => TransferMode::Reliable,
        };
        SendOptions { target, mode, channel: TransferChannel::ByMode, always_ordered: false }
    }
}

/// The numbers of the packets that leave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outgoing([u32; Kind::ALL.len()]);

impl Outgoing {
    /// Fills `packet` with the next packet of a kind, `len` bytes or a few more.
    pub(crate) fn write(&mut self, kind: Kind, len: usize, packet: &mut Vec<u8>) {
        let number = if kind == Kind::Last {
            self.0[Kind::Reliable as usize]
        } else {
            let next = &mut self.0[kind as usize];
            *next += 1;
            *next - 1
        };
        packet.clear();
        packet.push(kind as u8);
        packet.extend_from_slice(&number.to_le_bytes());
        packet.extend((HEAD_LEN..len).map(|at| filling(number, at)));
    }
}

/// The numbers of the packets that have come from one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incoming {
    /// The number that the next packet has, of the kinds that arrive all.
    next: [Option<u32>; Kind::ALL.len()],
    /// The latest number of the ordered ones.
    latest: Option<u32>,
}

impl Incoming {
    /// The receiver has been there from the first packet on.
    pub(crate) fn from_the_first() -> Self {
        Self { next: [Some(0); Kind::ALL.len()], latest: None }
    }

    /// Looks at a packet; answers its kind if it is one.
    pub(crate) fn read(&mut self, packet: &[u8], findings: &mut Findings) -> Option<Kind> {
        findings.received += 1;
        let Some(kind) = intact(packet) else {
            findings.corrupt += 1;
            return None;
        };
        let number = number_of(packet);
        match kind {
            Kind::Reliable | Kind::Relayed => {
                let next = &mut self.next[kind as usize];
                let ahead = number.wrapping_sub(next.unwrap_or(number)) as i32;
                if ahead < 0 {
                    tell_disorder(kind, number, *next);
                    findings.disordered += 1;
                } else {
                    findings.lost_reliable += ahead as u64;
                    *next = Some(number + 1);
                }
            }
            Kind::Last => {
                let next = self.next[Kind::Reliable as usize].unwrap_or(number);
                findings.lost_reliable += u64::from(number.saturating_sub(next));
            }
            Kind::Ordered => {
                if self.latest.is_some_and(|latest| number <= latest) {
                    tell_disorder(kind, number, self.latest);
                    findings.disordered += 1;
                }
                self.latest = self.latest.max(Some(number));
            }
            Kind::Unreliable => {}
        }
        Some(kind)
    }
}

/// What a player sends in a tick: the kinds that are due, and how long they are.
pub(crate) fn due(tick: u64, random: &mut Random) -> impl Iterator<Item = (Kind, usize)> + use<> {
    let unreliable = tick.is_multiple_of(3).then(|| (Kind::Unreliable, random.within(20..200)));
    let ordered = tick.is_multiple_of(6).then(|| (Kind::Ordered, random.within(20..400)));
    let reliable = tick.is_multiple_of(12).then(|| {
        let len = if random.chance(0.02) { random.within(2000..20_000) } else { random.within(10..600) };
        (Kind::Reliable, len)
    });
    [unreliable, ordered, reliable].into_iter().flatten()
}

/// Prints what is wrong with a number, for who looks for the reason; behind it is what was expected, or the latest one.
fn tell_disorder(kind: Kind, number: u32, other: Option<u32>) {
    let other = other.unwrap_or(number);
    println!(r#"{{"event":"disorder","kind":"{kind:?}","number":{number},"other":{other}}}"#);
}

/// The kind of a packet in which every byte is right.
fn intact(packet: &[u8]) -> Option<Kind> {
    let kind = *Kind::ALL.get(usize::from(*packet.first()?))?;
    let number = number_of(packet);
    let mut rest = packet.get(HEAD_LEN..)?.iter().enumerate();
    rest.all(|(at, &byte)| byte == filling(number, at + HEAD_LEN)).then_some(kind)
}

fn number_of(packet: &[u8]) -> u32 {
    packet.get(1..HEAD_LEN).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// A byte of the filling, which no other packet has in the same place.
const fn filling(number: u32, at: usize) -> u8 {
    (number as usize).wrapping_mul(7).wrapping_add(at * at % 61) as u8
}

/// Kind and number, in bytes.
const HEAD_LEN: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(kinds: &[Kind]) -> Vec<Vec<u8>> {
        let mut outgoing = Outgoing::default();
        let write = |&kind| {
            let mut packet = Vec::new();
            outgoing.write(kind, 30, &mut packet);
            packet
        };
        kinds.iter().map(write).collect()
    }

    fn found(packets: &[&Vec<u8>]) -> Findings {
        let (mut incoming, mut findings) = (Incoming::from_the_first(), Findings::default());
        for packet in packets {
            incoming.read(packet, &mut findings);
        }
        findings
    }

    #[test]
    fn what_arrives_in_order_is_right() {
        let all = packets(&[Kind::Reliable, Kind::Ordered, Kind::Reliable, Kind::Ordered, Kind::Last]);
        assert_eq!(found(&all.iter().collect::<Vec<_>>()), Findings { received: 5, ..Findings::default() });
    }

    #[test]
    fn what_is_missing_or_late_is_found() {
        let all = packets(&[Kind::Reliable, Kind::Reliable, Kind::Ordered, Kind::Ordered, Kind::Last]);
        assert_eq!(found(&[&all[1]]).lost_reliable, 1, "between");
        assert_eq!(found(&[&all[0], &all[4]]).lost_reliable, 1, "at the end");
        assert_eq!(found(&[&all[0], &all[0]]).disordered, 1, "twice");
        assert_eq!(found(&[&all[3], &all[2]]).disordered, 1, "late");
    }

    #[test]
    fn a_changed_byte_is_found() {
        let mut packet = packets(&[Kind::Reliable]).remove(0);
        packet[17] ^= 1;
        assert_eq!(found(&[&packet]).corrupt, 1);
        assert_eq!(found(&[&vec![]]).corrupt, 1);
    }
}
