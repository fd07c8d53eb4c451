//! The checksum of zlib streams.

/// Adler-32: one plus the sum of all bytes, and the sum of what that was after each byte, both modulo 65521.
pub(super) fn adler32(bytes: &[u8]) -> u32 {
    let (mut sum, mut sums) = (1, 0);
    for block in bytes.chunks(BLOCK) {
        // A byte is in the sum after itself and after all that follow. Two plain loops become vector instructions.
        let weights = &WEIGHTS[BLOCK - block.len()..];
        let plain: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        let weighted: i32 =
            block.iter().zip(weights).map(|(byte, weight)| i32::from(*byte) * i32::from(*weight)).sum();
        sums = (sums + sum * block.len() as u32 + weighted as u32) % MODULUS;
        sum = (sum + plain) % MODULUS;
    }
    sums << 16 | sum
}

const MODULUS: u32 = 65_521;

/// Bytes that are summed up at once.
const BLOCK: usize = 256;

/// `BLOCK` down to 1.
static WEIGHTS: [i16; BLOCK] = {
    let mut weights = [0; BLOCK];
    let mut index = 0;
    while index < BLOCK {
        weights[index] = (BLOCK - index) as i16;
        index += 1;
    }
    weights
};
