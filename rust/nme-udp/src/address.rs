//! One form for every address, so that addresses can be compared and used as keys.
//!
//! A dual-stack socket sees an IPv4 host as `::ffff:a.b.c.d`. Outside this crate such a host always is a
//! plain IPv4 address.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// The IP families that a socket reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Families {
    /// IPv4 and IPv6.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl Families {
    /// True when a socket of these families reaches `address`.
    #[must_use]
    pub fn reach(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.to_canonical().is_ipv4(),
            Self::V6 => address.to_canonical().is_ipv6(),
        }
    }
}

/// IPv4-mapped addresses become IPv4; IPv6 addresses keep their scope and lose the flow label, which is no
/// part of who the host is.
pub(crate) fn plain(address: SocketAddr) -> SocketAddr {
    let SocketAddr::V6(v6) = address else { return address };
    match v6.ip().to_ipv4_mapped() {
        Some(ip) => SocketAddr::new(ip.into(), v6.port()),
        None => SocketAddrV6::new(*v6.ip(), v6.port(), 0, v6.scope_id()).into(),
    }
}

/// The form of a plain `address` that an IPv6 socket takes.
pub(crate) fn mapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
        SocketAddr::V6(_) => address,
    }
}

/// An IPv6 address with the scope that the system will show with its datagrams: only link-local hosts
/// have one.
pub(crate) fn scoped(ip: Ipv6Addr, scope: u32) -> SocketAddr {
    let scope = if ip.is_unicast_link_local() { scope } else { 0 };
    plain(SocketAddrV6::new(ip, 0, 0, scope).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn mapped_addresses_become_plain() {
        assert_eq!(plain(address("[::ffff:192.0.2.7]:9")), address("192.0.2.7:9"));
        assert_eq!(plain(address("192.0.2.7:9")), address("192.0.2.7:9"));
        // IPv4-compatible addresses (without ffff) are not IPv4 hosts.
        assert_eq!(plain(address("[::192.0.2.7]:9")), address("[::192.0.2.7]:9"));
    }

    #[test]
    fn scopes_are_kept_and_flow_labels_dropped() {
        let labelled = SocketAddrV6::new("fe80::1".parse().unwrap(), 9, 77, 3);
        assert_eq!(plain(labelled.into()), address("[fe80::1%3]:9"));
    }

    #[test]
    fn mapping_is_undone_by_plain() {
        for text in ["192.0.2.7:9", "[2001:db8::1]:9", "[fe80::1%3]:9"] {
            assert!(mapped(address(text)).is_ipv6());
            assert_eq!(plain(mapped(address(text))), address(text));
        }
    }

    #[test]
    fn only_link_local_hosts_have_a_scope() {
        assert_eq!(scoped("fe80::1".parse().unwrap(), 3), address("[fe80::1%3]:0"));
        assert_eq!(scoped("2001:db8::1".parse().unwrap(), 3), address("[2001:db8::1]:0"));
    }

    #[test]
    fn families_count_mapped_addresses_as_ipv4() {
        for (text, v4) in [("192.0.2.7", true), ("::ffff:192.0.2.7", true), ("2001:db8::1", false)] {
            let ip = text.parse().unwrap();
            assert!(Families::Any.reach(ip), "{text}");
            assert_eq!(Families::V4.reach(ip), v4, "{text}");
            assert_eq!(Families::V6.reach(ip), !v4, "{text}");
        }
    }
}
