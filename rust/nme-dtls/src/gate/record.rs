//! Records: the frames of DTLS, one or more to a datagram.

/// Length of a record's header: type, version, epoch, sequence number, length.
pub(crate) const HEADER: usize = 13;

/// The version on the wire, in records and in messages.
pub(crate) const DTLS_1_2: u16 = 0xfefd;
/// The first hello of many DTLS 1.2 clients has it on its record.
pub(crate) const DTLS_1_0: u16 = 0xfeff;

/// Longest body of a protected record: 2^14 bytes and what protection may add.
const MAX_BODY: usize = (1 << 14) + 2048;
/// The authentication tag of every suite in use. A protected record is longer than that.
const TAG: usize = 16;

/// What a record is said to contain. Protected records say it too, outside of the encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) content: Content,
    /// 0 is plaintext, which anybody can forge.
    pub(crate) epoch: u16,
    /// 48 bits.
    pub(crate) sequence: u64,
    /// With the header.
    pub(crate) bytes: &'a [u8],
    pub(crate) body: &'a [u8],
}

/// The records of a datagram, when it has nothing else in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records<'a>(&'a [u8]);

impl<'a> Records<'a> {
    /// `None` when the datagram is anything but a row of well-formed records.
    pub(crate) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let mut rest = datagram;
        while !rest.is_empty() || datagram.is_empty() {
            (_, rest) = split(rest)?;
        }
        Some(Self(datagram))
    }

    /// The record, when the datagram is a single one.
    pub(crate) fn single(self) -> Option<Record<'a>> {
        split(self.0).filter(|(_, rest)| rest.is_empty()).map(|(record, _)| record)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (record, rest) = split(self.0)?;
        self.0 = rest;
        Some(record)
    }
}

/// The first record, and the bytes behind it.
fn split(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let header = bytes.first_chunk::<HEADER>()?;
    let content = match header[0] {
        20 => Content::ChangeCipherSpec,
        21 => Content::Alert,
        22 => Content::Handshake,
        23 => Content::ApplicationData,
        _ => return None,
    };
    let version = u16::from_be_bytes([header[1], header[2]]);
    let epoch = u16::from_be_bytes([header[3], header[4]]);
    let mut sequence = [0; 8];
    sequence[2..].copy_from_slice(&header[5..11]);
    let len = usize::from(u16::from_be_bytes([header[11], header[12]]));
    let least = if epoch == 0 { 1 } else { TAG + 1 };
    if !matches!(version, DTLS_1_2 | DTLS_1_0) || !(least..=MAX_BODY).contains(&len) {
        return None;
    }
    let (record, rest) = bytes.split_at_checked(HEADER + len)?;
    let sequence = u64::from_be_bytes(sequence);
    Some((Record { content, epoch, sequence, bytes: record, body: &record[HEADER..] }, rest))
}

/// The header of a plaintext record.
pub(crate) fn plain_header(content: u8, version: u16, sequence: u64, len: u16) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[0] = content;
    header[1..3].copy_from_slice(&version.to_be_bytes());
    header[5..11].copy_from_slice(&sequence.to_be_bytes()[2..]);
    header[11..].copy_from_slice(&len.to_be_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: u8, epoch: u8, len: u16) -> Vec<u8> {
        let mut bytes = plain_header(content, DTLS_1_2, 7, len).to_vec();
        bytes[4] = epoch;
        bytes.resize(HEADER + usize::from(len), 0xaa);
        bytes
    }

    #[test]
    fn a_datagram_is_split_into_its_records() {
        let datagram = [record(22, 0, 5), record(20, 0, 1), record(23, 1, 17)].concat();
        let seen: Vec<_> = Records::parse(&datagram)
            .unwrap()
            .map(|record| {
                (record.content, record.epoch, record.sequence, record.body.len(), record.bytes.len())
            })
            .collect();
        let expected = [
            (Content::Handshake, 0, 7, 5, 18),
            (Content::ChangeCipherSpec, 0, 7, 1, 14),
            (Content::ApplicationData, 1, 7, 17, 30),
        ];
        assert_eq!(seen, expected);
        assert!(Records::parse(&datagram).unwrap().single().is_none());
        assert!(Records::parse(&datagram[..18]).unwrap().single().is_some());
    }

    #[test]
    fn what_is_not_wholly_records_is_nothing() {
        assert!(Records::parse(&[]).is_none());
        let good = record(22, 0, 5);
        for len in 0..good.len() {
            assert!(Records::parse(&good[..len]).is_none(), "{len} bytes");
        }
        assert!(Records::parse(&[&good[..], &[22]].concat()).is_none(), "a byte too many");
        for content in [0, 19, 24, 25, 0x80, 255] {
            assert!(Records::parse(&record(content, 0, 5)).is_none(), "content {content}");
        }
        for version in [0x0303_u16, 0xfefe, 0xfefc, 0x0000] {
            let mut other = good.clone();
            other[1..3].copy_from_slice(&version.to_be_bytes());
            assert!(Records::parse(&other).is_none(), "version {version:#x}");
        }
        assert!(Records::parse(&record(22, 0, 0)).is_none(), "an empty body");
        assert!(Records::parse(&record(23, 1, 16)).is_none(), "no more than a tag");
        assert!(Records::parse(&record(23, 1, 16_384 + 2049)).is_none(), "longer than any record");
    }
}
