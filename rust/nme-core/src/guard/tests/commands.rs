//! Single commands: channels, payloads and the fields of fragments.

use super::*;
use DropReason::*;

#[test]
fn data_channels_are_those_granted() {
    let data: [fn(u8) -> Vec<u8>; 5] = [
        |channel| reliable(channel, 1, 1),
        |channel| unreliable(channel, 0, 1, 1),
        |channel| unsequenced(channel, 1, 1),
        |channel| fragment(channel, 1, 2000, 0),
        |channel| unreliable_fragment(channel, 0, 1, 2000, 0),
    ];
    for make in data {
        for mut bench in [Bench::server(), Bench::client()] {
            bench.pass(&[make(2)]);
            bench.refuse(Channel, make(3));
            bench.refuse(Channel, make(0xff));
        }
    }
}

#[test]
fn control_commands_have_no_channel() {
    let mut bench = Bench::server();
    for code in [0x85, 0x8a, 0x44, 0x84] {
        let mut bytes = command(code, 0, 1);
        bytes.resize(if code == 0x8a { 12 } else { 8 }, 0);
        bytes.truncate(if code == 0x85 { 4 } else { 12 });
        bench.refuse(Channel, bytes.clone());
        bytes[1] = 0xff;
        assert!(Bench::server().send(&[bytes]).is_ok());
    }
    bench.pass(&[ack(0, 1, 1), ack(2, 1, 1), ack(0xff, 1, 1)]);
    bench.refuse(Channel, ack(3, 1, 1));
}

#[test]
fn payloads_are_never_empty_nor_larger_than_a_fragment() {
    let data: [fn(u16) -> Vec<u8>; 3] =
        [|len| reliable(0, 1, len), |len| unreliable(0, 0, 1, len), |len| unsequenced(0, 1, len)];
    for make in data {
        let mut bench = Bench::server();
        bench.refuse(PayloadLength, make(0));
        bench.refuse(PayloadLength, make(F as u16 + 1));
        bench.pass(&[make(F as u16)]);
        Bench::server().pass(&[make(1)]);
    }
}

#[test]
fn fragments_are_cut_in_one_way() {
    let good = Piece::reliable(0, 1, 3 * F + 10, 1);
    let last = Piece { number: 3, sequence: 4, offset: 3 * F, len: 10, ..good };
    let bad = [
        Piece { total: F, count: 1, number: 0, sequence: 1, offset: 0, ..good },
        Piece { count: 3, ..good },
        Piece { count: 5, ..good },
        Piece { number: 4, sequence: 5, offset: 4 * F, ..good },
        Piece { offset: F - 1, ..good },
        Piece { len: good.len - 1, ..good },
        Piece { len: 0, ..good },
        Piece { total: u32::MAX, count: u32::MAX.div_ceil(F), ..good },
        Piece { total: MAX_PACKET as u32 + 1, count: (MAX_PACKET as u32 + 1).div_ceil(F), ..good },
        Piece { number: u32::MAX, offset: u32::MAX, ..good },
        Piece { len: 9, ..last },
        Piece { len: 11, ..last },
    ];
    for piece in bad {
        for code in [0x88, 0x0c] {
            Bench::server().refuse(Fragment, Piece { code, ..piece }.bytes());
        }
    }
    Bench::server().refuse(Fragment, Piece { sequence: 3, ..good }.bytes());
    let largest = MAX_PACKET as u32;
    let end = largest.div_ceil(F) - 1;
    for number in [0, 1, end] {
        Bench::server().pass(&[fragment(0, 1, largest, number)]);
        Bench::server().pass(&[unreliable_fragment(0, 0, 1, largest, number)]);
    }
    Bench::server().pass(&[good.bytes(), last.bytes()]);
    Bench::server().pass(&[fragment(0, 1, F + 1, 1)]);
}

#[test]
fn connect_and_its_answer_have_no_place_in_a_session() {
    Bench::server().refuse(Connect, Hello::request().connect());
    Bench::client().refuse(Connect, Hello::request().connect());
    Bench::server().refuse(Verify, Hello::answer(SLOT).verify());
    // A client may get the answer again, when its acknowledgement was lost.
    Bench::client().pass(&[Hello::answer(SLOT).verify()]);
}
