//! How many handshakes there can be in a second.

use std::time::{Duration, Instant};

use crate::keys::{Credentials, P_256, RSA_2048};
use crate::layers::{NOW, Party, shake_hands};
use crate::timing::{Best, per_second, repeat};

/// Prints the table.
pub(crate) fn print() {
    println!("## Handshakes\n");
    println!(
        "From the client's first hello to Finished on both sides, with the cookie and the check of the certificate. \
         Making the layers is not counted.\n"
    );
    println!("| key | both sides, µs | handshakes/s | server, µs | handshakes/s |");
    println!("|---|---|---|---|---|");
    for credentials in [&RSA_2048, &P_256] {
        let (both, server) = measure(credentials);
        let (together, alone) = (per_second(both), per_second(server));
        println!("| {} | {both:.0} | {together} | {server:.0} | {alone} |", credentials.label);
    }
    println!();
}

/// Microseconds of both sides together, and of the server.
fn measure(credentials: &Credentials) -> (f64, f64) {
    let mut server = Party::server(credentials);
    let (mut both, mut alone) = (Best::new(), Best::new());
    let mut number = 0;
    repeat(|| {
        let mut client = Party::client(credentials, number);
        number += 1;
        let mut share = Duration::ZERO;
        both.time(|| {
            shake_hands(&mut server, &mut client, |server, client| {
                let start = Instant::now();
                server.receive_from(client);
                share += start.elapsed();
            });
        });
        alone.see(share);
        server.layer.close(NOW, client.address, &mut server.out);
        server.out.wire.clear();
    });
    (both.micros(1), alone.micros(1))
}
