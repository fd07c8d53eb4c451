//! What is compressed: the inputs of the test vectors.

use std::fmt::Write;

use nme_enet::wire::Header;

/// Name and bytes of each payload.
pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    parse(include_str!("../../../../nme-core/tests/data/codec/payloads.txt"))
}

/// Lines of "NAME HEX"; others are left out.
pub(crate) fn parse(text: &str) -> Vec<(String, Vec<u8>)> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, hex)| (name.to_owned(), bytes(hex)))
        .collect()
}

/// Datagrams of a real 3.6.2, by mode: what is behind the header of the compressed ones.
pub(crate) fn recorded(mode: &str) -> Vec<Vec<u8>> {
    include_str!("../../../../nme-core/tests/data/codec/datagrams_3.6.txt")
        .lines()
        .filter_map(|line| line.strip_prefix(mode)?.rsplit_once(' '))
        .map(|(_, hex)| bytes(hex))
        .filter_map(|datagram| {
            let header = Header::read(&datagram).ok().filter(|header| header.compressed)?;
            Some(datagram[header.len()..].to_vec())
        })
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
