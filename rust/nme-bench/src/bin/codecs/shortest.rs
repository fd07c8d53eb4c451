//! From which length on a mode shrinks what ENet sends.

use nme_core::codec::fuzz::{Raw, shortest};
use nme_enet::wire::{Body, CONTROL_CHANNEL, Command, code};
use nme_netem::Random;

use crate::MODES;

pub(crate) fn print() {
    println!(
        "Of {SAMPLES} datagrams up to {LONGEST} bytes: acknowledgements, pings, notices, packets with small"
    );
    println!(
        "payloads, alone and together. Shortest that shrinks; shortest length of which 1 % and 50 % shrink.\n"
    );
    println!("| mode | shortest | 1 % | 50 % | tried from |");
    println!("|---|---|---|---|---|");
    for (mode, label) in MODES {
        let Some(mut codec) = Raw::new(mode) else { continue };
        let mut random = Random::new(1);
        let mut counts = [(0_u32, 0_u32); LONGEST + 1];
        for _ in 0..SAMPLES {
            let commands = datagram(&mut random);
            let mut out = [0; LONGEST];
            let (all, smaller) = &mut counts[commands.len()];
            *all += 1;
            *smaller += u32::from(codec.compress(&commands, &mut out[..commands.len() - 1]).is_some());
        }
        let first = |part: f64| {
            let found = counts
                .iter()
                .position(|(all, smaller)| *smaller > 0 && f64::from(*smaller) >= part * f64::from(*all));
            found.map_or_else(|| "-".to_owned(), |len| len.to_string())
        };
        println!("| {label} | {} | {} | {} | {} |", first(0.0), first(0.01), first(0.5), shortest(mode));
    }
}

/// A few commands with numbers as they come in a session.
fn datagram(random: &mut Random) -> Vec<u8> {
    let sequences = *random.pick(&[9, 300, 65_536]);
    let sequence = random.within(1..sequences) as u16;
    let sent = random.bits() as u16;
    let mut bytes = Vec::new();
    let kind = random.within(0..6);
    for index in 0..random.within(1..7) as u16 {
        let before = bytes.len();
        command(random, kind, sequence.wrapping_add(index), sent, &mut bytes);
        if bytes.len() > LONGEST {
            bytes.truncate(before);
            break;
        }
    }
    bytes
}

fn command(random: &mut Random, kind: usize, sequence: u16, sent: u16, bytes: &mut Vec<u8>) {
    let id = [0x57_u8, 0x9c, 0x8a, 0x46];
    let mut put = |code, channel, sequence, body| Command { code, channel, sequence, body }.append_to(bytes);
    match if random.chance(0.2) { random.within(0..6) } else { kind } {
        0 | 1 => {
            let channel = random.within(0..3) as u8;
            put(code::ACKNOWLEDGE, channel, sequence, Body::Acknowledge { sequence, sent_time: sent });
        }
        2 => put(code::PING, CONTROL_CHANNEL, sequence, Body::Ping {}),
        3 => {
            put(code::RELIABLE, 0, sequence, Body::Reliable { len: 8 });
            bytes.extend([0; 4]);
            bytes.extend(random.bytes(4));
        }
        kind => {
            let payload = payload(random);
            let len = (8 + payload.len()) as u16;
            match kind {
                4 => put(code::RELIABLE, 1, sequence, Body::Reliable { len }),
                _ => put(code::UNSEQUENCED, 2, 0, Body::Unsequenced { group: sequence, len }),
            }
            match random.within(0..2) {
                0 => bytes.extend([1, 0, 0, 0, 0, 0, 0, 0]),
                _ => bytes.extend([id, [1, 0, 0, 0]].concat()),
            }
            bytes.extend(payload);
        }
    }
}

fn payload(random: &mut Random) -> Vec<u8> {
    let len = random.within(1..25);
    match random.within(0..4) {
        0 => vec![0; len],
        1 => (0..len).map(|_| random.within(0..4) as u8).collect(),
        2 => (0..len.div_ceil(4)).flat_map(|_| (random.within(0..100) as f32 / 4.0).to_le_bytes()).collect(),
        _ => random.bytes(len),
    }
}

const SAMPLES: usize = 400_000;
const LONGEST: usize = 96;
