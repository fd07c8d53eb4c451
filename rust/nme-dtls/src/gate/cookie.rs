//! Cookies: how a client proves that it receives what is sent to its address.

use std::net::{IpAddr, SocketAddr};

use ring::{hmac, rand};

use super::hello::ClientHello;

/// Length of a cookie. DTLS allows up to 255 bytes; the library compares 20.
pub(crate) const LEN: usize = 20;

/// What a client is to send back.
pub(crate) type Cookie = [u8; LEN];

/// Makes cookies, and knows them again without having kept them.
///
/// The secret lives as long as its server, and never leaves it. A cookie is bound to an address and to the random
/// number of one hello, so what an eavesdropper could use again is that hello as a whole, from that address.
#[derive(Debug)]
pub(crate) struct CookieJar(hmac::Key);

impl CookieJar {
    /// `None` when the operating system has no random numbers.
    pub(crate) fn new() -> Option<Self> {
        hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new()).ok().map(Self)
    }

    /// The cookie for this hello, whatever cookie it has.
    pub(crate) fn bake(&self, from: SocketAddr, hello: &ClientHello<'_>) -> Cookie {
        let mut context = hmac::Context::with_key(&self.0);
        match from.ip() {
            IpAddr::V4(ip) => context.update(&ip.octets()),
            IpAddr::V6(ip) => context.update(&ip.octets()),
        }
        context.update(&from.port().to_be_bytes());
        // What must not change between the two hellos. The parts have their lengths in them or a fixed one.
        context.update(hello.before_cookie);
        context.update(hello.suites);
        let tag = context.sign();
        let mut cookie = [0; LEN];
        cookie.copy_from_slice(&tag.as_ref()[..LEN]);
        cookie
    }

    /// True when the hello has the cookie that its sender was given.
    pub(crate) fn accepts(&self, from: SocketAddr, hello: &ClientHello<'_>) -> Option<Cookie> {
        let cookie = self.bake(from, hello);
        // In constant time: a cookie must not be found out byte by byte.
        let equal = hello.cookie.len() == LEN
            && hello
                .cookie
                .iter()
                .zip(&cookie)
                .fold(0, |differences, (one, other)| differences | (one ^ other))
                == 0;
        equal.then_some(cookie)
    }
}
