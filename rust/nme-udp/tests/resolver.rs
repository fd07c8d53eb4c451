//! Host names, with the system's resolver and with stand-ins for slow and broken ones.
#![allow(clippy::unwrap_used)]

mod support;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use nme_udp::{Bind, Families, Resolution, ResolveError, Resolver};
use support::{V4, V6, at, bound, datagram, has_ipv6};

/// Longer than any system's resolver tries.
const DEADLINE: Duration = Duration::from_secs(120);

fn resolved(host: &str, families: Families) -> Result<SocketAddr, ResolveError> {
    Resolution::start(host, families).wait(DEADLINE).expect("an answer in time")
}

/// A lookup that answers with these addresses.
fn answering(texts: &[&str]) -> impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + use<> {
    let addresses = texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect::<Vec<_>>();
    move |_| Ok(addresses.clone())
}

/// A search with a lookup of its own.
fn start_with(
    host: &str,
    families: Families,
    lookup: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
) -> Resolution {
    Resolver::new(1, lookup).resolve(host, families)
}

#[test]
fn literals_are_answered_at_once() {
    for (host, address) in
        [("192.0.2.7", "192.0.2.7:0"), ("2001:db8::7", "[2001:db8::7]:0"), ("fe80::7%1", "[fe80::7%1]:0")]
    {
        let mut resolution = Resolution::start(host, Families::Any);
        assert_eq!(resolution.poll(), Some(Ok(address.parse().unwrap())), "{host}");
        // The answer stays.
        assert_eq!(resolution.poll(), Some(Ok(address.parse().unwrap())), "{host}");
    }
    let unused = |_: &str| -> io::Result<Vec<SocketAddr>> { panic!("a literal needs no lookup") };
    assert!(start_with("192.0.2.7", Families::Any, unused).poll().is_some());
}

#[test]
fn literals_of_the_other_family_fail() {
    for (host, families) in [("192.0.2.7", Families::V6), ("2001:db8::7", Families::V4)] {
        assert_eq!(Resolution::start(host, families).poll(), Some(Err(ResolveError::WrongFamily)), "{host}");
    }
}

#[test]
fn what_is_no_name_fails_at_once() {
    let long = "a.".repeat(200);
    for host in ["", " ", "a b", "a\0b", "[::1]", "example.com:80", "http://example.com", &long] {
        let mut resolution = Resolution::start(host, Families::Any);
        assert_eq!(resolution.poll(), Some(Err(ResolveError::NotFound)), "{host:?}");
    }
}

#[test]
fn localhost_is_this_machine() {
    for families in [Families::Any, Families::V4] {
        assert_eq!(resolved("localhost", families).unwrap(), SocketAddr::new(V4, 0));
    }
    assert_eq!(resolved("localhost", Families::V6).unwrap(), SocketAddr::new(V6, 0));
}

#[test]
fn the_answer_is_usable_with_the_socket_it_was_asked_for() {
    let mut binds = vec![Bind::Any, Bind::Address(V4)];
    if has_ipv6() {
        binds.push(Bind::Address(V6));
    }
    for bind in binds {
        let (mut server, mut client) = (bound(bind), bound(bind));
        let host = resolved("localhost", client.families()).unwrap();
        client.send_to(b"hello", at(host.ip(), &server)).unwrap();
        assert_eq!(datagram(&mut server).1, b"hello");
    }
}

#[test]
fn the_system_is_asked() {
    // To the system a short form of 127.0.0.1, and the one name that needs no name server.
    #[cfg(target_os = "linux")]
    assert_eq!(resolved("127.1", Families::Any).unwrap(), SocketAddr::new(V4, 0));
    // RFC 2606: never exists.
    let error = resolved("name.invalid", Families::Any).unwrap_err();
    assert!(matches!(error, ResolveError::Lookup(_) | ResolveError::NotFound), "{error:?}");
    assert!(!error.to_string().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn interfaces_are_known_by_name() {
    if !has_ipv6() {
        return;
    }
    let address = resolved("fe80::7%lo", Families::Any).unwrap();
    let SocketAddr::V6(v6) = address else { panic!("{address}") };
    assert_ne!(v6.scope_id(), 0);
    assert!(resolved("fe80::7%no-such-if", Families::Any).is_err());
}

#[test]
fn a_slow_lookup_stops_nobody() {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let slow = move |host: &str| {
        assert_eq!(host, "slow.example");
        released.lock().unwrap().recv().unwrap();
        Ok(vec![SocketAddr::new(V4, 0)])
    };
    let mut resolution = start_with("slow.example", Families::Any, slow);
    assert_eq!(resolution.poll(), None);
    let before = Instant::now();
    assert_eq!(resolution.wait(Duration::from_millis(20)), None);
    assert!(before.elapsed() >= Duration::from_millis(20));
    release.send(()).unwrap();
    assert_eq!(resolution.wait(DEADLINE), Some(Ok(SocketAddr::new(V4, 0))));
    assert_eq!(resolution.poll(), Some(Ok(SocketAddr::new(V4, 0))));
}

#[test]
fn a_dropped_resolution_leaves_its_thread_alone() {
    let (release, released) = mpsc::channel::<()>();
    let (report, reported) = mpsc::channel();
    let released = Mutex::new(released);
    let (begin, begun) = mpsc::channel();
    let slow = move |_: &str| {
        begin.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        report.send(std::thread::current().name().map(str::to_owned)).unwrap();
        Ok(vec![SocketAddr::new(V4, 0)])
    };
    let resolution = start_with("slow.example", Families::Any, slow);
    begun.recv_timeout(DEADLINE).unwrap();
    let before = Instant::now();
    drop(resolution);
    assert!(before.elapsed() < Duration::from_secs(5));
    release.send(()).unwrap();
    assert_eq!(reported.recv_timeout(DEADLINE).unwrap().as_deref(), Some("nme-resolve"));
}

#[test]
fn failures_of_the_lookup_are_answers() {
    let failing = |_: &str| Err(io::Error::other("no name server"));
    let mut resolution = start_with("a.example", Families::Any, failing);
    assert_eq!(resolution.wait(DEADLINE), Some(Err(ResolveError::Lookup("no name server".into()))));

    let mut resolution = start_with("a.example", Families::Any, answering(&[]));
    assert_eq!(resolution.wait(DEADLINE), Some(Err(ResolveError::NotFound)));

    // A thread that dies without an answer.
    let dying = |_: &str| -> io::Result<Vec<SocketAddr>> {
        std::panic::resume_unwind(Box::new("quietly"));
    };
    let mut resolution = start_with("a.example", Families::Any, dying);
    assert!(matches!(resolution.wait(DEADLINE), Some(Err(ResolveError::Lookup(_)))));
    assert!(matches!(resolution.poll(), Some(Err(ResolveError::Lookup(_)))));
}

#[test]
fn of_several_addresses_one_is_chosen() {
    let chosen = |texts: &[&str], families| {
        start_with("a.example", families, answering(texts)).wait(DEADLINE).expect("an answer")
    };
    let is = |ip: IpAddr| Ok(SocketAddr::new(ip, 0));
    let both = ["::1", "127.0.0.1"];
    assert_eq!(chosen(&both, Families::Any), is(V4));
    assert_eq!(chosen(&both, Families::V4), is(V4));
    assert_eq!(chosen(&both, Families::V6), is(V6));
    assert_eq!(chosen(&["::ffff:127.0.0.1"], Families::Any), is(V4));
    assert_eq!(chosen(&["::1"], Families::V4), Err(ResolveError::WrongFamily));
    if has_ipv6() {
        // 240.0.0.0/4 is reserved (RFC 1112); where it has a route all the same, it comes first.
        let routed = std::net::UdpSocket::bind(("0.0.0.0", 0)).unwrap().connect("240.0.0.1:9").is_ok();
        let expected = if routed { "240.0.0.1".parse().unwrap() } else { V6 };
        assert_eq!(chosen(&["240.0.0.1", "::1"], Families::Any), is(expected));
    }
}

/// A lookup that knows no name but `alive.example`, and is stuck with all others until it is released.
struct Stuck {
    resolver: Resolver,
    begun: mpsc::Receiver<String>,
    release: mpsc::Sender<()>,
}

fn stuck(threads: usize) -> Stuck {
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let released = Mutex::new(released);
    let resolver = Resolver::new(threads, move |host| {
        begin.send(host.to_owned()).unwrap();
        if host == "alive.example" {
            return Ok(vec![SocketAddr::new(V4, 0)]);
        }
        released.lock().unwrap().recv().unwrap();
        Err(io::Error::other("no answer"))
    });
    Stuck { resolver, begun, release }
}

#[test]
fn one_dead_name_takes_one_thread_however_often_it_is_tried() {
    let Stuck { resolver, begun, release } = stuck(2);
    for _ in 0..100 {
        // Given up at once.
        assert_eq!(resolver.resolve("dead.example", Families::Any).poll(), None);
    }
    let mut last = resolver.resolve("dead.example", Families::Any);
    let mut alive = resolver.resolve("alive.example", Families::Any);
    assert_eq!(alive.wait(DEADLINE), Some(Ok(SocketAddr::new(V4, 0))));
    release.send(()).unwrap();
    assert_eq!(last.wait(DEADLINE), Some(Err(ResolveError::Lookup("no answer".into()))));
    let asked: Vec<String> = begun.try_iter().collect();
    assert_eq!(asked.iter().filter(|host| *host == "dead.example").count(), 1, "{asked:?}");
}

#[test]
fn names_behind_dead_ones_wait_and_are_not_asked_for_when_given_up() {
    let Stuck { resolver, begun, release } = stuck(2);
    let dead: Vec<_> =
        (0..50).map(|number| resolver.resolve(&format!("dead-{number}.example"), Families::Any)).collect();
    let mut alive = resolver.resolve("alive.example", Families::Any);
    let mut asked: Vec<String> = (0..2).map(|_| begun.recv_timeout(DEADLINE).unwrap()).collect();
    // Both threads are stuck, and there is no third one.
    assert_eq!(alive.wait(Duration::from_millis(50)), None);
    drop(dead);
    release.send(()).unwrap();
    assert_eq!(alive.wait(DEADLINE), Some(Ok(SocketAddr::new(V4, 0))));
    asked.extend(begun.try_iter());
    assert_eq!(asked.len(), 3, "{asked:?}");
    release.send(()).unwrap();
}

#[test]
fn only_what_needs_no_lookup_is_known_at_once() {
    let Stuck { resolver, .. } = stuck(1);
    for host in ["127.0.0.1", "localhost", "no name"] {
        assert!(resolver.resolve(host, Families::Any).immediate().is_some(), "{host}");
    }
    let mut alive = resolver.resolve("alive.example", Families::Any);
    assert!(alive.wait(DEADLINE).is_some());
    assert_eq!(alive.immediate(), None, "however fast the answer is");
}
