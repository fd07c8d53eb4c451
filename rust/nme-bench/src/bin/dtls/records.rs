//! What the layer does alone with each record.

use crate::keys::RSA_2048;
use crate::layers::{Party, connected};
use crate::timing::{Best, per_second, repeat};

/// Prints the table.
pub(crate) fn print() {
    let (mut server, mut client) = connected(&RSA_2048);
    let (mut up, mut down) = (Way::new(), Way::new());
    repeat(|| {
        up.round(&mut client, &mut server);
        down.round(&mut server, &mut client);
    });
    println!("## Records\n\nThe layer alone, {BYTES} bytes a record.\n");
    println!("| way | send, µs | records/s | receive, µs | records/s |");
    println!("|---|---|---|---|---|");
    for (name, way) in [("client to server", up), ("server to client", down)] {
        let (send, receive) = (way.send.micros(COUNT), way.receive.micros(COUNT));
        let (sent, received) = (per_second(send), per_second(receive));
        println!("| {name} | {send:.2} | {sent} | {receive:.2} | {received} |");
    }
    println!();
}

struct Way {
    send: Best,
    receive: Best,
}

impl Way {
    const fn new() -> Self {
        Self { send: Best::new(), receive: Best::new() }
    }

    fn round(&mut self, sender: &mut Party, receiver: &mut Party) {
        let to = receiver.address;
        self.send.time(|| (0..COUNT).for_each(|_| sender.send(to, &[0x5a; BYTES])));
        self.receive.time(|| receiver.receive_from(sender));
        assert_eq!(receiver.clear(), COUNT, "records were lost");
    }
}

const BYTES: usize = 1200;

/// Records of a round.
const COUNT: usize = 32;
