//! What is in a challenge: a number that only this server can make, and only for this address and these seconds.

use std::fmt;
use std::hash::Hasher as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use nme_enet::proof::Proof;
use siphasher::sip::SipHasher24;

/// Makes cookies and knows them again. The client's own number is not in them: the answer does not carry it.
pub(super) struct Cookies {
    key: [u8; 16],
}

impl Cookies {
    /// With this key, which nobody else knows.
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The cookie of an address now.
    pub(super) fn make(&self, now: Duration, address: SocketAddr) -> Proof {
        self.make_in(slot(now), address)
    }

    /// True for the cookie of this address that was made at most two slots ago.
    pub(super) fn is_genuine(&self, now: Duration, address: SocketAddr, proof: Proof) -> bool {
        let now = slot(now);
        self.make_in(now, address) == proof || self.make_in(now.saturating_sub(1), address) == proof
    }

    fn make_in(&self, slot: u64, address: SocketAddr) -> Proof {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        match address.ip() {
            IpAddr::V4(ip) => hasher.write(&ip.octets()),
            IpAddr::V6(ip) => hasher.write(&ip.octets()),
        }
        hasher.write(&address.port().to_le_bytes());
        hasher.write(&slot.to_le_bytes());
        Proof::new(hasher.finish())
    }
}

impl fmt::Debug for Cookies {
    /// Without the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cookies").finish_non_exhaustive()
    }
}

const fn slot(now: Duration) -> u64 {
    now.as_secs() / SLOT_SECONDS
}

/// Seconds of a slot. A cookie is good in its own and in the next one, so for 4 s at least: more than any path takes.
const SLOT_SECONDS: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8, port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], port))
    }

    #[test]
    fn a_cookie_is_good_for_its_address_and_for_some_seconds() {
        let cookies = Cookies::new([7; 16]);
        let (asked, from) = (Duration::from_millis(11_999), address(1, 5000));
        let proof = cookies.make(asked, from);
        for later in [0, 1, 4000] {
            assert!(cookies.is_genuine(asked + Duration::from_millis(later), from, proof), "{later}");
        }
        assert!(!cookies.is_genuine(asked + Duration::from_secs(8), from, proof));
        assert!(!cookies.is_genuine(asked, address(2, 5000), proof));
        assert!(!cookies.is_genuine(asked, address(1, 5001), proof));
        assert!(!Cookies::new([8; 16]).is_genuine(asked, from, proof));
    }
}
