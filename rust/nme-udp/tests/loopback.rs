//! Real sockets on the loopback interface.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use nme_udp::{Bind, BindError, Families, Options, Received, SendError, UdpSocket};
use support::{V4, V6, at, bound, datagram, has_ipv6, receive};

/// Sends a datagram each way and checks who each side sees.
fn talk(server: &mut UdpSocket, server_at: SocketAddr, client: &mut UdpSocket, client_at: SocketAddr) {
    client.send_to(b"ping", server_at).unwrap();
    assert_eq!(datagram(server), (client_at, b"ping".to_vec()));
    server.send_to(b"pong", client_at).unwrap();
    assert_eq!(datagram(client), (server_at, b"pong".to_vec()));
}

#[test]
fn an_empty_socket_says_so_at_once() {
    let mut socket = bound(Bind::Any);
    assert!(matches!(socket.recv_from(&mut [0; 64]), Received::Empty));
}

#[test]
fn a_connected_socket_hears_only_its_peer() {
    for (ip, bind) in [(V4, Bind::Address(V4)), (V4, Bind::Any), (V6, Bind::Any)] {
        if ip == V6 && !has_ipv6() {
            continue;
        }
        let (mut server, mut client, mut stranger) = (bound(bind), bound(bind), bound(bind));
        let (server_at, client_at) = (at(ip, &server), at(ip, &client));
        client.connect(server_at).unwrap();
        stranger.send_to(b"hey", client_at).unwrap();
        talk(&mut server, server_at, &mut client, client_at);
        assert!(matches!(client.recv_from(&mut [0; 64]), Received::Empty));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_connected_socket_that_was_refused_goes_on_sending() {
    let server = bound(Bind::Address(V4));
    let server_at = server.local_addr();
    drop(server);
    let mut client = bound(Bind::Any);
    client.connect(server_at).unwrap();
    for _ in 0..3 {
        // The refusal of each datagram waits when the next one is sent.
        client.send_to(b"anyone?", server_at).unwrap();
    }
    assert!(matches!(receive(&mut client, &mut [0; 64]), Received::Error(_)));
    let mut server = UdpSocket::bind(Options { bind: Bind::Address(V4), port: server_at.port() }).unwrap();
    client.send_to(b"anyone?", server_at).unwrap();
    assert_eq!(datagram(&mut server).1, b"anyone?");
}

#[test]
fn connecting_to_what_cannot_be_reached_is_an_error() {
    let mut client = bound(Bind::Address(V4));
    assert!(matches!(client.connect(SocketAddr::new(V4, 0)), Err(SendError::PortZero)));
    assert!(matches!(client.connect(SocketAddr::new(V6, 9)), Err(SendError::WrongFamily)));
    let (mut server, client_at) = (bound(Bind::Any), client.local_addr());
    let server_at = at(V4, &server);
    talk(&mut server, server_at, &mut client, client_at);
}

#[test]
fn ipv4_to_ipv4() {
    let (mut server, mut client) = (bound(Bind::Address(V4)), bound(Bind::Address(V4)));
    assert_eq!(server.families(), Families::V4);
    assert!(!server.is_dual_stack());
    assert_eq!(server.local_addr().ip(), V4);
    assert_ne!(server.local_addr().port(), 0);
    let (server_at, client_at) = (server.local_addr(), client.local_addr());
    talk(&mut server, server_at, &mut client, client_at);
}

#[test]
fn ipv6_to_ipv6() {
    if !has_ipv6() {
        return;
    }
    let (mut server, mut client) = (bound(Bind::Address(V6)), bound(Bind::Address(V6)));
    assert_eq!(server.families(), Families::V6);
    assert!(!server.is_dual_stack());
    let (server_at, client_at) = (server.local_addr(), client.local_addr());
    talk(&mut server, server_at, &mut client, client_at);
}

#[test]
fn a_wildcard_server_sees_an_ipv4_client_as_ipv4() {
    let (mut server, mut client) = (bound(Bind::Any), bound(Bind::Address(V4)));
    let (server_at, client_at) = (at(V4, &server), client.local_addr());
    talk(&mut server, server_at, &mut client, client_at);
}

#[test]
fn a_wildcard_server_sees_an_ipv6_client_as_ipv6() {
    if !has_ipv6() {
        return;
    }
    let (mut server, mut client) = (bound(Bind::Any), bound(Bind::Address(V6)));
    assert!(server.is_dual_stack());
    assert_eq!(server.families(), Families::Any);
    assert_eq!(server.local_addr().ip(), Ipv6Addr::UNSPECIFIED);
    let (server_at, client_at) = (at(V6, &server), client.local_addr());
    talk(&mut server, server_at, &mut client, client_at);
}

#[test]
fn a_wildcard_client_reaches_both_families() {
    let (mut server, mut client) = (bound(Bind::Any), bound(Bind::Any));
    let (server_at, client_at) = (at(V4, &server), at(V4, &client));
    talk(&mut server, server_at, &mut client, client_at);
    if has_ipv6() {
        let (server_at, client_at) = (at(V6, &server), at(V6, &client));
        talk(&mut server, server_at, &mut client, client_at);
    }
}

#[test]
fn wildcards_written_as_addresses() {
    let mut server = bound(Bind::Address(Ipv4Addr::UNSPECIFIED.into()));
    assert_eq!(server.families(), Families::V4);
    let mut client = bound(Bind::Address(V4));
    let (server_at, client_at) = (at(V4, &server), client.local_addr());
    talk(&mut server, server_at, &mut client, client_at);

    if has_ipv6() {
        let mut server = bound(Bind::Address(Ipv6Addr::UNSPECIFIED.into()));
        assert!(server.is_dual_stack());
        let (server_at, client_at) = (at(V4, &server), client.local_addr());
        talk(&mut server, server_at, &mut client, client_at);
    }
}

#[test]
fn a_mapped_bind_address_is_ipv4() {
    let socket = bound(Bind::Address(Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()));
    assert_eq!(socket.local_addr().ip(), V4);
    assert_eq!(socket.families(), Families::V4);
}

#[test]
fn a_port_has_one_owner() {
    for first in [Bind::Any, Bind::Address(V4)] {
        let owner = bound(first);
        let port = owner.local_addr().port();
        for second in [Bind::Any, Bind::Address(V4)] {
            // Which different addresses exclude each other is the system's business; Linux is strict.
            if first != second && !cfg!(target_os = "linux") {
                continue;
            }
            let error = UdpSocket::bind(Options { bind: second, port }).unwrap_err();
            assert!(
                matches!(&error, BindError::Other { source, .. } if source.kind() == ErrorKind::AddrInUse),
                "{first:?}, {second:?}: {error:?}"
            );
            assert!(error.to_string().contains(&port.to_string()), "{error}");
        }
        drop(owner);
        // Free at once.
        UdpSocket::bind(Options { bind: first, port }).unwrap();
    }
}

#[test]
fn a_foreign_address_is_unavailable() {
    // Addresses for documentation (RFC 5737, RFC 3849) that this machine does not have, and a link-local one
    // that is none without its interface.
    for text in ["203.0.113.77", "2001:db8::77", "fe80::77"] {
        let ip = text.parse().unwrap();
        let error = UdpSocket::bind(Options { bind: Bind::Address(ip), port: 0 }).unwrap_err();
        assert!(
            matches!(error, BindError::AddressUnavailable { address, .. } if address == ip),
            "{text}: {error:?}"
        );
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn an_oversized_datagram_is_reported_and_the_next_one_read() {
    let (mut server, mut client) = (bound(Bind::Any), bound(Bind::Address(V4)));
    let server_at = at(V4, &server);
    for len in [4096, 4097, 5000, 60_000, 1, 0] {
        client.send_to(&vec![7; len], server_at).unwrap();
    }
    let mut buf = [0; 4097];
    let seen: Vec<_> = (0..6)
        .map(|_| match receive(&mut server, &mut buf) {
            Received::Datagram { len, .. } => Some(len),
            Received::Oversized => None,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seen, [Some(4096), None, None, None, Some(1), Some(0)]);
}

#[test]
fn a_closed_port_does_not_end_the_sender() {
    let (mut server, mut client) = (bound(Bind::Address(V4)), bound(Bind::Any));
    // Discard: no system gives it to another test meanwhile.
    let closed = SocketAddr::new(V4, 9);
    for _ in 0..8 {
        // Where the system reports what became of earlier datagrams, it may do it here.
        let _ = client.send_to(b"anyone?", closed);
    }
    let (server_at, client_at) = (server.local_addr(), at(V4, &client));
    server.send_to(b"still here", client_at).unwrap();
    let mut buf = [0; 64];
    let mut errors = 0;
    loop {
        match receive(&mut client, &mut buf) {
            Received::Datagram { from, len } => {
                assert_eq!((from, &buf[..len]), (server_at, &b"still here"[..]));
                break;
            }
            Received::Error(_) => errors += 1,
            other => panic!("{other:?}"),
        }
        assert!(errors <= 8, "more errors than datagrams");
    }
    talk(&mut server, server_at, &mut client, client_at);
}

#[test]
fn bad_destinations_are_errors_and_the_socket_goes_on() {
    let (mut server, mut client) = (bound(Bind::Address(V4)), bound(Bind::Address(V4)));
    let server_at = server.local_addr();
    let sent = client.send_to(b"x", SocketAddr::new(V4, 0));
    assert!(matches!(sent, Err(SendError::PortZero)), "{sent:?}");
    let sent = client.send_to(b"x", SocketAddr::new(V6, server_at.port()));
    assert!(matches!(sent, Err(SendError::WrongFamily)), "{sent:?}");
    let sent = client.send_to(&vec![0; 70_000], server_at);
    assert!(matches!(sent, Err(SendError::TooLong)), "{sent:?}");

    let client_at = client.local_addr();
    talk(&mut server, server_at, &mut client, client_at);
}

#[test]
fn an_ipv6_socket_has_no_ipv4_destinations() {
    if !has_ipv6() {
        return;
    }
    let (server, mut client) = (bound(Bind::Address(V4)), bound(Bind::Address(V6)));
    for to in [V4, Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()] {
        let sent = client.send_to(b"x", at(to, &server));
        assert!(matches!(sent, Err(SendError::WrongFamily)), "{sent:?}");
    }
}

#[test]
fn a_flood_loses_datagrams_and_nothing_else() {
    let (mut server, mut client) = (bound(Bind::Any), bound(Bind::Address(V4)));
    let server_at = at(V4, &server);
    // More than the receive buffer holds.
    let mut sent = 0;
    for _ in 0..2000 {
        match client.send_to(&[1; 1400], server_at) {
            Ok(()) => sent += 1,
            Err(SendError::QueueFull) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    let mut buf = [0; 4097];
    let mut received = 0;
    loop {
        match server.recv_from(&mut buf) {
            Received::Datagram { len, .. } => {
                assert_eq!(len, 1400);
                received += 1;
            }
            Received::Empty => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(received > 0 && received <= sent, "{received} of {sent}");
    let client_at = client.local_addr();
    talk(&mut server, server_at, &mut client, client_at);
}
