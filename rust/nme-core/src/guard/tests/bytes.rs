//! Datagrams as bytes: header, ends, command bytes.

use super::*;
use DropReason::*;

#[test]
fn port_zero_is_dropped() {
    let mut bench = Bench::server();
    bench.peer.set_port(0);
    bench.refuse(SourcePort, ping());
}

#[test]
fn length_is_two_bytes_to_the_mtu() {
    let mut bench = Bench::server();
    assert_eq!(bench.inspect(&mut []), Err(TooShort));
    assert_eq!(bench.inspect(&mut [0]), Err(TooShort));
    assert_eq!(bench.inspect(&mut [0x80, 0, 0]), Err(TooShort));
    assert_eq!(bench.inspect(&mut [0x20, SLOT as u8]), Err(Empty));
    assert_eq!(bench.inspect(&mut [0xa0, SLOT as u8, 0, 0]), Err(Empty));
    // Header and two commands: 1392 bytes, then one more.
    bench.pass(&[reliable(0, 1, F as u16), ping(), unsequenced(0, 1, 1392 - 4 - 6 - F as u16 - 4 - 8)]);
    let mut long = datagram(SLOT, SESSION_IN, Some(0), &[reliable(0, 2, F as u16), ping()]);
    long.extend(unsequenced(0, 2, 7));
    assert_eq!(long.len(), 1393);
    assert_eq!(bench.inspect(&mut long), Err(TooLong));
}

#[test]
fn compressed_datagrams_do_not_pass() {
    let mut bytes = datagram(SLOT, SESSION_IN, Some(0), &[ping()]);
    bytes[0] |= 0x40;
    assert_eq!(Bench::server().inspect(&mut bytes), Err(Compressed));
    assert_eq!(Bench::server().inspect(&mut [0xc0, 0]), Err(Compressed));
}

#[test]
fn at_most_32_commands() {
    let mut bench = Bench::server();
    bench.pass(&vec![ping(); 32]);
    assert_eq!(bench.send(&vec![ping(); 33]), Err(TooManyCommands));
}

#[test]
fn every_prefix_that_ends_inside_a_command_is_dropped() {
    let commands = [
        ack(0, 1, 1),
        disconnect(),
        ping(),
        reliable(0, 1, 3),
        unreliable(0, 0, 1, 3),
        unsequenced(0, 1, 3),
        u32s(command(0x8a, 0xff, 2), &[0, 0]),
        u32s(command(0x8b, 0xff, 2), &[5000, 2, 2]),
        fragment(0, 1, 2000, 1),
        unreliable_fragment(0, 0, 1, 2000, 1),
    ];
    for command in commands {
        for len in 1..command.len() {
            Bench::server().refuse(Truncated, command[..len].to_vec());
        }
        let mut bench = Bench::server();
        assert!(bench.send(std::slice::from_ref(&command)).is_ok());
        // One byte too many begins another command.
        let mut bench = Bench::server();
        assert_eq!(bench.send(&[command, vec![0x85]]), Err(Truncated));
    }
}

#[test]
fn only_the_bytes_that_enet_sends() {
    let known = [0x01, 0x82, 0x83, 0x84, 0x44, 0x85, 0x86, 0x07, 0x88, 0x49, 0x8a, 0x8b, 0x0c];
    for code in 0..=255 {
        let result = Bench::server().send(&[command(code, 0xff, 1)]);
        assert_eq!(result == Err(UnknownCommand), !known.contains(&code), "{code:#x}");
    }
}

#[test]
fn acknowledged_commands_need_the_sent_time() {
    let untimed = |command: Vec<u8>| {
        let mut bench = Bench::server();
        bench.inspect(&mut datagram(SLOT, SESSION_IN, None, &[command]))
    };
    for command in [ping(), disconnect(), reliable(0, 1, 1), fragment(0, 1, 2000, 0)] {
        assert_eq!(untimed(command), Err(MissingSentTime));
    }
    for command in [ack(0, 1, 1), unreliable(0, 0, 1, 1), unsequenced(0, 1, 1)] {
        assert!(untimed(command).is_ok());
    }
}

#[test]
fn a_bad_tail_leaves_no_trace() {
    let mut bench = Bench::server();
    assert_eq!(bench.send(&[reliable(0, 1, 1), reliable(0, 3, 1), vec![0x86]]), Err(Truncated));
    assert_eq!(bench.send(&[reliable(0, 1, 1), disconnect(), reliable(9, 1, 1)]), Err(Channel));
    assert_eq!(bench.reliable_state(0), (0, vec![]));
    bench.pass(&[reliable(0, 1, 1)]);
}

#[test]
fn reasons_have_their_own_names_and_places() {
    let mut names: Vec<_> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), DropReason::ALL.len());
    assert!(DropReason::ALL.iter().enumerate().all(|(place, reason)| *reason as usize == place));
}
