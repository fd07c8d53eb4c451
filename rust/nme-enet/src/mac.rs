//! The code that authenticates a datagram: four bytes that only who has the key can make.
//!
//! It is the beginning of SipHash-1-3 over a short form of the datagram, in which each whole block of 64 bytes stands as 16
//! bytes of NH: the hash that UMAC (RFC 4418) begins with, here with words of 64 bits. Two blocks that differ, whichever they are,
//! have the same hash with one of 2^64 keys of NH; and of the hashes nobody sees more than what SipHash makes of them. So there is
//! practically nothing but SipHash to attack, as if it went over everything, and it takes half of the time.

use std::array;
use std::cell::OnceCell;
use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::tag::{TAG_LEN, TagKey};

/// The key of one connection, with what is made from it.
#[derive(Debug)]
pub(crate) struct Mac {
    key: TagKey,
    /// There once a datagram has been as long as a block.
    nh: OnceCell<Box<Nh>>,
}

/// The key of the hash of blocks.
#[derive(Debug)]
struct Nh([[u64; 2]; BLOCK_LEN / PAIR_LEN]);

/// Which way a datagram goes: none is good for the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From who has asked for the connection.
    There,
    Back,
}

impl Way {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::There => Self::Back,
            Self::Back => Self::There,
        }
    }
}

impl Mac {
    pub(crate) const fn new(key: TagKey) -> Self {
        Self { key, nh: OnceCell::new() }
    }

    /// The code of a datagram.
    pub(crate) fn code(&self, way: Way, datagram: &[u8]) -> [u8; TAG_LEN as usize] {
        let mut hasher = SipHasher13::new_with_key(self.key.bits());
        // What is shortened where depends on the length alone.
        hasher.write_u64((datagram.len() as u64) << 8 | way as u64);
        let (blocks, rest) = datagram.as_chunks();
        if !blocks.is_empty() {
            let nh = self.nh.get_or_init(|| Box::new(Nh::new(&self.key)));
            for block in blocks {
                let hash = nh.hash(block);
                hasher.write_u64(hash as u64);
                hasher.write_u64((hash >> 64) as u64);
            }
        }
        hasher.write(rest);
        (hasher.finish() as u32).to_le_bytes()
    }
}

impl Nh {
    fn new(key: &TagKey) -> Self {
        // No datagram is hashed as a single byte.
        let word = |number| SipHasher13::new_with_key(key.bits()).hash(&[number]);
        Self(array::from_fn(|pair| [0, 1].map(|half| word(2 * pair as u8 + half))))
    }

    fn hash(&self, block: &[u8; BLOCK_LEN]) -> u128 {
        let (pairs, _) = block.as_chunks::<PAIR_LEN>();
        let products = pairs.iter().zip(&self.0).map(|(pair, key)| {
            let pair = u128::from_le_bytes(*pair);
            let [low, high] = [pair as u64, (pair >> 64) as u64];
            u128::from(low.wrapping_add(key[0])) * u128::from(high.wrapping_add(key[1]))
        });
        products.fold(0, u128::wrapping_add)
    }
}

/// Bytes that are shortened at once. Longer blocks would take less time, and as much memory of each busy connection.
const BLOCK_LEN: usize = 64;

/// Two words.
const PAIR_LEN: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const KEY: TagKey = TagKey::new(*b"0123456789abcdef");

    fn mac() -> Mac {
        Mac::new(KEY)
    }

    #[test]
    fn no_datagram_is_good_for_the_way_back() {
        assert_ne!(mac().code(Way::There, b"a datagram"), mac().code(Way::Back, b"a datagram"));
    }

    #[test]
    fn every_bit_and_the_length_count() {
        let bytes: Vec<u8> = (0..300_u32).map(|number| (number * 7) as u8).collect();
        for len in [1, 8, 16, 63, 64, 65, 127, 128, 200, 300] {
            let datagram = &bytes[..len];
            let code = mac().code(Way::There, datagram);
            assert_eq!(code, mac().code(Way::There, datagram));
            assert_ne!(code, mac().code(Way::There, &[datagram, &[0]].concat()));
            for bit in 0..8 * len {
                let mut other = datagram.to_vec();
                other[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(code, mac().code(Way::There, &other), "bit {bit} of {len} bytes");
            }
        }
    }

    #[test]
    fn blocks_cannot_change_places() {
        let bytes: Vec<u8> = (0..=255).collect();
        let (first, second) = bytes.split_at(128);
        let swapped = [second, first].concat();
        assert_ne!(mac().code(Way::There, &bytes), mac().code(Way::There, &swapped));
        // Nor words within one.
        let mut words = bytes.clone();
        words[..64].rotate_left(16);
        assert_ne!(mac().code(Way::There, &bytes), mac().code(Way::There, &words));
    }

    #[test]
    fn a_short_form_is_no_datagram() {
        let block: [u8; BLOCK_LEN] = array::from_fn(|place| place as u8);
        let short = Nh::new(&KEY).hash(&block).to_le_bytes();
        assert_ne!(mac().code(Way::There, &block), mac().code(Way::There, &short));
    }

    #[test]
    fn each_key_makes_another_code() {
        let code = |key: &[u8; 16]| Mac::new(TagKey::new(*key)).code(Way::There, &[1; 100]);
        assert_ne!(code(b"0123456789abcdef"), code(b"0123456789abcdeg"));
        let words: BTreeSet<u64> = Nh::new(&KEY).0.into_iter().flatten().collect();
        assert_eq!(words.len(), BLOCK_LEN / 8);
    }
}
