//! Addresses that are always turned away, or the only ones that are let in.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

/// An address, or all addresses that begin with the same bits: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    /// Bits that count, of the 128 of an IPv6 address; IPv4 addresses are the last 32 of `::ffff:0:0/96`.
    prefix: u8,
    bits: u128,
}

/// A text that is no address range.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no IP address and no range such as 192.0.2.0/24")]
pub struct AddressRangeError(pub String);

impl AddressRange {
    fn new(address: IpAddr, prefix: u8) -> Self {
        Self { prefix, bits: bits(address) & mask(prefix) }
    }

    /// True when the address is in the range. An IPv4 address is the same one when it is written as IPv6.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        bits(address) & mask(self.prefix) == self.bits
    }

    /// A number in which every bit counts, for a table.
    pub(super) const fn mixed(&self) -> u64 {
        let folded = (self.bits >> 64) as u64 ^ (self.bits as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (folded ^ (folded >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
    }

    /// What limits that count by address take for one: the address, or the first 64 bits of an IPv6 one, since a single
    /// customer has as many.
    pub(super) fn of_one(address: SocketAddr) -> Self {
        let ip = address.ip().to_canonical();
        Self::new(ip, if ip.is_ipv4() { 128 } else { 64 })
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        let error = || AddressRangeError(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| error())?;
        let (longest, in_front) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let length = match length {
            None => longest,
            Some(length) => {
                length.trim().parse().ok().filter(|length| *length <= longest).ok_or_else(error)?
            }
        };
        Ok(Self::new(address, in_front + length))
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = IpAddr::V6(Ipv6Addr::from(self.bits)).to_canonical();
        let in_front = if address.is_ipv4() { 96 } else { 0 };
        write!(formatter, "{address}/{}", self.prefix.saturating_sub(in_front))
    }
}

/// Who may connect, by address. Of two ranges that contain an address, the smaller one counts. An address in no range is let
/// in, unless there is a range to allow: then only those that are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    /// True: let in.
    rules: BTreeMap<AddressRange, bool>,
    /// The lengths in use, the longest first.
    prefixes: Vec<u8>,
    /// How many rules let somebody in.
    allowed: usize,
}

/// A change of an [`AccessList`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessChange {
    /// As [`AccessList::allow`].
    Allow(AddressRange),
    /// As [`AccessList::deny`].
    Deny(AddressRange),
    /// As [`AccessList::remove`].
    Remove(AddressRange),
}

impl AccessList {
    /// A list that lets everybody in.
    #[must_use]
    pub const fn new() -> Self {
        Self { rules: BTreeMap::new(), prefixes: Vec::new(), allowed: 0 }
    }

    /// Changes one rule.
    pub fn change(&mut self, change: AccessChange) {
        match change {
            AccessChange::Allow(range) => self.allow(range),
            AccessChange::Deny(range) => self.deny(range),
            AccessChange::Remove(range) => self.remove(range),
        }
    }

    /// Lets these in. A range that was denied is allowed now.
    pub fn allow(&mut self, range: AddressRange) {
        self.set(range, true);
    }

    /// Keeps these out. A range that was allowed is denied now.
    pub fn deny(&mut self, range: AddressRange) {
        self.set(range, false);
    }

    /// Takes a range off the list.
    pub fn remove(&mut self, range: AddressRange) {
        let removed = self.rules.remove(&range);
        self.allowed -= usize::from(removed == Some(true));
        let same_length = AddressRange { bits: 0, ..range }..=AddressRange { bits: u128::MAX, ..range };
        if self.rules.range(same_length).next().is_none() {
            self.prefixes.retain(|prefix| *prefix != range.prefix);
        }
    }

    /// True when an address may connect.
    #[must_use]
    pub fn admits(&self, address: IpAddr) -> bool {
        if self.rules.is_empty() {
            return true;
        }
        let bits = bits(address);
        let rule =
            |prefix: &u8| self.rules.get(&AddressRange { prefix: *prefix, bits: bits & mask(*prefix) });
        self.prefixes.iter().find_map(rule).copied().unwrap_or(self.allowed == 0)
    }

    fn set(&mut self, range: AddressRange, is_allowed: bool) {
        let replaced = self.rules.insert(range, is_allowed);
        self.allowed += usize::from(is_allowed);
        self.allowed -= usize::from(replaced == Some(true));
        if let Err(place) = self.prefixes.binary_search_by(|prefix| range.prefix.cmp(prefix)) {
            self.prefixes.insert(place, range.prefix);
        }
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(prefix.into())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AddressRange {
        text.parse().expect("a range")
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn ranges_are_read_and_written() {
        for (text, written) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::1", "::1/128"),
        ] {
            assert_eq!(range(text).to_string(), written);
        }
        for text in ["", "localhost", "192.0.2", "192.0.2.0/33", "192.0.2.0/-1", "::/129", "1.2.3.4/", "/8"] {
            assert_eq!(text.parse::<AddressRange>(), Err(AddressRangeError(text.into())));
        }
    }

    #[test]
    fn an_address_is_in_its_range() {
        assert!(range("192.0.2.0/24").contains(ip("192.0.2.255")));
        assert!(range("192.0.2.0/24").contains(ip("::ffff:192.0.2.1")));
        assert!(!range("192.0.2.0/24").contains(ip("192.0.3.0")));
        assert!(!range("0.0.0.0/0").contains(ip("2001:db8::1")));
        assert!(range("::/0").contains(ip("1.2.3.4")) && range("::/0").contains(ip("::1")));
    }

    #[test]
    fn the_smallest_range_counts() {
        let mut list = AccessList::new();
        assert!(list.admits(ip("192.0.2.1")));
        list.deny(range("192.0.2.0/24"));
        assert!(!list.admits(ip("192.0.2.1")) && list.admits(ip("192.0.3.1")));
        list.allow(range("192.0.2.7"));
        assert!(list.admits(ip("192.0.2.7")) && !list.admits(ip("192.0.2.8")));
        assert!(!list.admits(ip("192.0.3.1")), "only those that are allowed");
        list.allow(range("192.0.2.8"));
        list.deny(range("192.0.2.8"));
        list.remove(range("192.0.2.7"));
        assert!(!list.admits(ip("192.0.2.8")) && list.admits(ip("192.0.3.1")), "nobody is allowed any more");
        list.remove(range("192.0.2.7"));
        for denied in ["192.0.2.8", "192.0.2.0/24"] {
            list.change(AccessChange::Remove(range(denied)));
        }
        assert_eq!(list, AccessList::new());
    }

    #[test]
    fn customers_of_ipv6_are_told_apart_by_64_bits() {
        let of = |text: &str| AddressRange::of_one(text.parse().expect("an address"));
        assert_eq!(of("[2001:db8:0:1::1]:1"), of("[2001:db8:0:1:ffff::2]:2"));
        assert_ne!(of("[2001:db8:0:1::1]:1"), of("[2001:db8:0:2::1]:1"));
        assert_ne!(of("192.0.2.1:1"), of("192.0.2.2:1"));
        assert_eq!(of("192.0.2.1:1"), of("[::ffff:192.0.2.1]:9"));
    }
}
