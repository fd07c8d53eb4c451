//! What only an association that breaks can show.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// An association that ends with the first record.
struct Broken(Read, Option<&'static [u8]>);

impl Association for Broken {
    fn read(&mut self, _: Duration, _: &[u8], deliver: &mut dyn FnMut(&[u8])) -> Read {
        deliver(b"before");
        self.1 = Some(b"alert");
        self.0
    }
    fn write(&mut self, _: Duration, _: &[u8]) -> bool {
        false
    }
    fn poll_transmit(&mut self, send: &mut dyn FnMut(&[u8])) {
        self.1.take().into_iter().for_each(send);
    }
    fn timeout(&self) -> Option<Duration> {
        None
    }
    fn handle_timeout(&mut self, _: Duration) -> bool {
        false
    }
    fn close(&mut self, _: Duration) {}
}

#[test]
fn an_association_that_breaks_sends_its_alert_and_is_reported_closed() {
    let identity = Identity::from_pem(
        include_str!("../../tests/data/godot4/rsa_2048.key"),
        include_str!("../../tests/data/godot4/rsa_2048.crt"),
    );
    let mut layer = ServerLayer::new(&identity.unwrap(), ServerLimits::for_clients(1)).unwrap();
    let peer: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let record = [&[23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20][..], &[0; 20]].concat();
    for read in [Read::Failed, Read::Closed] {
        let mut out = SecureOutput::default();
        layer.establish(SECOND, peer, [0; RANDOM], Box::new(Broken(read, None)), &mut out);
        layer.receive(SECOND, peer, &record, &mut || Verdict::Accept, &mut out);
        assert_eq!(out.plain.iter().collect::<Vec<_>>(), [(peer, &b"before"[..])]);
        assert_eq!(out.wire.iter().collect::<Vec<_>>(), [(peer, &b"alert"[..])]);
        assert_eq!(out.events, [SecureEvent::Established(peer), SecureEvent::Closed(peer)]);
        assert_eq!(layer.counters().established, 0);
    }
    // A datagram that cannot be protected any more is dropped.
    let mut out = SecureOutput::default();
    layer.establish(SECOND, peer, [0; RANDOM], Box::new(Broken(Read::Open, None)), &mut out);
    layer.send(SECOND, peer, b"late", &mut out);
    assert!(out.wire.is_empty());
    assert_eq!(layer.counters().dropped, 1);
}
