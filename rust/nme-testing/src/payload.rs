//! Payloads that tell which they are, and whether they arrived as they were sent.

use nme_netem::Random;

/// Bytes of the smallest payload.
pub const MIN_LEN: usize = 8;

/// A payload of `len` bytes, [`MIN_LEN`] at least: its number, and bytes that follow from number and length.
#[must_use]
pub fn numbered(number: u32, len: usize) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.extend(filler(number, len.max(MIN_LEN)));
    bytes
}

/// The number of a payload.
///
/// # Panics
/// When the payload is not what [`numbered`] made.
#[must_use]
pub fn number(payload: &[u8]) -> u32 {
    let (number, rest) = payload.split_first_chunk().expect("a numbered payload");
    let number = u32::from_le_bytes(*number);
    assert!(rest == filler(number, payload.len()), "payload {number} of {} bytes is damaged", payload.len());
    number
}

fn filler(number: u32, len: usize) -> Vec<u8> {
    Random::new((u64::from(number) << 32) | len as u64).bytes(len - 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_can_be_read_back() {
        for (value, len) in [(0, 0), (1, 8), (u32::MAX, 9), (70_000, 5000)] {
            let payload = numbered(value, len);
            assert_eq!(payload.len(), len.max(MIN_LEN));
            assert_eq!(number(&payload), value);
        }
    }

    #[test]
    #[should_panic(expected = "payload 7 of 100 bytes is damaged")]
    fn damage_is_seen() {
        let mut payload = numbered(7, 100);
        payload[99] ^= 1;
        let _ = number(&payload);
    }
}
