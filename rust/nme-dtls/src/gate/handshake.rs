//! Handshake messages, and the parts of them that plaintext records carry.

/// Length of a message's header: type, length, sequence number, fragment's offset, fragment's length.
pub(crate) const HEADER: usize = 12;

/// Types of messages.
pub(crate) mod kind {
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    pub(crate) const HELLO_VERIFY_REQUEST: u8 = 3;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
    pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
}

/// Longest body of a protected handshake record that is honest. Only Finished is sent protected: 12 bytes of header, 12
/// of contents, and 24 of protection. Anything longer could hide many fragments.
pub(crate) const MAX_PROTECTED: usize = 64;

/// A message, or a fragment of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// One of [`kind`], or another.
    pub(crate) kind: u8,
    /// Of the whole message, in bytes.
    pub(crate) length: usize,
    pub(crate) sequence: u16,
    pub(crate) body: &'a [u8],
}

impl Part<'_> {
    /// True when this is all of the message.
    pub(crate) const fn is_whole(&self) -> bool {
        self.body.len() == self.length
    }
}

/// The parts in the body of a plaintext handshake record.
///
/// `None` for anything malformed, and for a fragment with something behind it: the library would take what follows
/// for a part of the fragment.
pub(crate) fn parts(body: &[u8]) -> Option<impl Iterator<Item = Part<'_>>> {
    let mut rest = body;
    while !rest.is_empty() || body.is_empty() {
        let (part, behind) = split(rest)?;
        if !part.is_whole() && !behind.is_empty() {
            return None;
        }
        rest = behind;
    }
    let mut rest = body;
    Some(std::iter::from_fn(move || {
        let (part, behind) = split(rest)?;
        rest = behind;
        Some(part)
    }))
}

fn split(bytes: &[u8]) -> Option<(Part<'_>, &[u8])> {
    let header = bytes.first_chunk::<HEADER>()?;
    let [kind, length @ .., s0, s1, o0, o1, o2, f0, f1, f2] = *header;
    let number =
        |bytes: [u8; 3]| usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]);
    let (length, offset, len) = (number(length), number([o0, o1, o2]), number([f0, f1, f2]));
    let (part, rest) = bytes.split_at_checked(HEADER + len)?;
    // An empty fragment of a message that is not empty says nothing.
    if offset + len > length || (len == 0 && length != 0) {
        return None;
    }
    let sequence = u16::from_be_bytes([s0, s1]);
    Some((Part { kind, length, sequence, body: &part[HEADER..] }, rest))
}

/// The header of a whole message.
pub(crate) fn header(kind: u8, len: usize, sequence: u16) -> [u8; HEADER] {
    let [.., l0, l1, l2] = len.to_be_bytes();
    let [s0, s1] = sequence.to_be_bytes();
    [kind, l0, l1, l2, s0, s1, 0, 0, 0, l0, l1, l2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(length: u8, offset: u8, body: &[u8]) -> Vec<u8> {
        let len = u8::try_from(body.len()).unwrap();
        [&[11, 0, 0, length, 0, 3, 0, 0, offset, 0, 0, len], body].concat()
    }

    fn read(body: &[u8]) -> Option<Vec<Part<'_>>> {
        parts(body).map(Iterator::collect)
    }

    #[test]
    fn whole_messages_share_a_record_and_a_fragment_comes_last() {
        let body = [fragment(2, 0, b"ab"), fragment(0, 0, b""), fragment(5, 3, b"de")].concat();
        let seen = read(&body).unwrap();
        assert_eq!(seen.iter().map(|part| part.body).collect::<Vec<_>>(), [&b"ab"[..], b"", b"de"]);
        assert_eq!(seen.iter().map(Part::is_whole).collect::<Vec<_>>(), [true, true, false]);
        assert!(seen.iter().all(|part| part.kind == kind::CERTIFICATE && part.sequence == 3));
        assert_eq!(read(&[fragment(5, 3, b"de"), fragment(2, 0, b"ab")].concat()), None);
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        assert_eq!(read(b""), None);
        let good = fragment(5, 3, b"de");
        for len in 0..good.len() {
            assert_eq!(read(&good[..len]), None, "{len} bytes");
        }
        assert_eq!(read(&fragment(5, 4, b"de")), None, "beyond the message's end");
        assert_eq!(read(&fragment(5, 3, b"")), None, "an empty fragment");
        assert_eq!(read(&[&good[..], b"x"].concat()), None, "a byte too many");
    }

    #[test]
    fn a_written_header_is_read_back() {
        let bytes = [&header(kind::CLIENT_HELLO, 300, 1)[..], &[7; 300]].concat();
        let expected = Part { kind: kind::CLIENT_HELLO, length: 300, sequence: 1, body: &[7; 300] };
        assert_eq!(read(&bytes), Some(vec![expected]));
    }
}
