//! Whether a certificate is for the name that the client asked for.

use std::net::IpAddr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

/// Whether `certificate` is for `name`: a host name, or an IP address as text.
///
/// With a subjectAltName, its DNS names and addresses count and the subject's common names do not. Without one, which
/// is how the engines make certificates, the common names do. Letter case does not matter. An empty name is nobody's.
pub(super) fn matches(certificate: &X509Certificate<'_>, name: &str) -> bool {
    let wanted = Wanted { name, address: name.parse().ok() };
    match certificate.subject_alternative_name() {
        Ok(Some(names)) => names.value.general_names.iter().any(|general| match general {
            GeneralName::DNSName(pattern) => wanted.is_text(pattern.as_bytes()),
            GeneralName::IPAddress(octets) => wanted.is_octets(octets),
            _ => false,
        }),
        Ok(None) => certificate.subject().iter_common_name().any(|common| wanted.is_text(common.as_slice())),
        // It cannot be read or is there twice. To use the common name instead would widen what it narrows.
        Err(_) => false,
    }
}

struct Wanted<'a> {
    name: &'a str,
    /// Set when the name is an address.
    address: Option<IpAddr>,
}

impl Wanted<'_> {
    fn is_text(&self, pattern: &[u8]) -> bool {
        if let Some(address) = self.address {
            // An IPv6 address can be written in many ways, and a wildcard makes no sense in an address.
            return std::str::from_utf8(pattern).is_ok_and(|text| text.parse() == Ok(address));
        }
        let name = self.name.as_bytes();
        !name.is_empty() && (pattern.eq_ignore_ascii_case(name) || self.is_below(pattern))
    }

    /// `*.example.com` stands for one more label in front of `example.com`, neither for none nor for two.
    fn is_below(&self, pattern: &[u8]) -> bool {
        let (Some(parent), Some(dot)) = (pattern.strip_prefix(b"*"), self.name.find('.')) else {
            return false;
        };
        parent.len() > 1 && dot > 0 && parent.eq_ignore_ascii_case(&self.name.as_bytes()[dot..])
    }

    fn is_octets(&self, octets: &[u8]) -> bool {
        match self.address {
            Some(IpAddr::V4(address)) => octets == address.octets(),
            Some(IpAddr::V6(address)) => octets == address.octets(),
            None => false,
        }
    }
}
