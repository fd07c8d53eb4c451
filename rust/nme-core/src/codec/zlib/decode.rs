//! Reads blocks. What zlib refuses is refused.

use super::bits::BitReader;
use super::symbols::{
    CODE_LENGTH_ORDER, CODE_LENGTHS, DISTANCE_RANGES, DISTANCES, END, FIXED_DISTANCES, FIXED_LITLENS,
    LENGTHS, LITLENS, MANY_ZEROS, MAX_BITS, MOST_SYMBOLS, REPEAT_BITS, SAME, ZEROS,
};
use super::table::{Table, count, entry, used, used_symbol, value};
use super::{LONGEST, WORD, Window, new_window, set_word, word};

/// The decoder. All it needs is made once.
pub(super) struct Decoder {
    input: Box<Window>,
    plain: Box<Window>,
    fixed: Codes,
    own: Codes,
    code_lengths: Table,
}

/// The codes of a block.
struct Codes {
    litlens: Table,
    distances: Table,
}

impl Decoder {
    pub(super) fn new() -> Self {
        let codes =
            || Codes { litlens: Table::new(&LITLEN_ENTRIES), distances: Table::new(&DISTANCE_ENTRIES) };
        let mut fixed = codes();
        for (table, lengths) in
            [(&mut fixed.litlens, &FIXED_LITLENS[..]), (&mut fixed.distances, &FIXED_DISTANCES)]
        {
            let all: Vec<u16> = (0..).zip(lengths).map(|(symbol, len)| used(symbol, (*len).into())).collect();
            let complete = table.build(&all, 0, &count(&all));
            debug_assert!(complete.is_some());
        }
        Self {
            input: new_window(),
            plain: new_window(),
            fixed,
            own: codes(),
            code_lengths: Table::new(&CODE_LENGTH_ENTRIES),
        }
    }

    /// Reads blocks up to the last one: the bytes read and written. `None` when they are not valid, do not fit, or
    /// are far longer than a datagram.
    pub(super) fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Option<(usize, usize)> {
        self.input[..2 * LONGEST].get_mut(..input.len())?.copy_from_slice(input);
        // Else it would depend on earlier datagrams what is found out first about one that is cut off.
        self.input[input.len()..input.len() + WORD].fill(0);
        let mut reader = BitReader::new(&self.input, input.len());
        let mut plain = Plain { bytes: &mut self.plain, len: 0, room: out.len().min(LONGEST) };
        loop {
            reader.refill();
            let is_last = reader.take(1) == 1;
            match reader.take(2) {
                0 => plain.stored(&mut reader)?,
                1 => plain.coded(&mut reader, &self.fixed)?,
                2 => {
                    self.own.read(&mut reader, &mut self.code_lengths)?;
                    plain.coded(&mut reader, &self.own)?;
                }
                _ => return None,
            }
            // Not only at the end: nobody has written the blocks behind it.
            let read = reader.bytes_read()?;
            if is_last {
                let len = plain.len;
                out[..len].copy_from_slice(&self.plain[..len]);
                return Some((read, len));
            }
        }
    }
}

impl Codes {
    /// Reads a block's description of its codes.
    fn read(&mut self, from: &mut BitReader<'_>, code_lengths: &mut Table) -> Option<()> {
        // A copy that nobody else can see stays in registers.
        let mut reader = *from;
        let litlens = 257 + reader.take(5);
        let distances = 1 + reader.take(5);
        if usize::from(litlens) > LITLENS || usize::from(distances) > DISTANCES {
            return None;
        }
        read_code_lengths(&mut reader, code_lengths)?;

        // Only what is used is noted, so that nobody has to look through the rest.
        let mut noted = [0_u16; ROOM + LONGEST_SAME];
        let mut notes = 0;
        let mut counts = [0_u16; MAX_BITS + 1];
        let (mut symbol, mut last) = (0, None);
        while symbol < litlens + distances {
            reader.refill();
            let bits = reader.peek();
            let entry = code_lengths.look_up(bits)?;
            reader.skip(entry);
            let value = value(entry, bits) as u16;
            let times = value & 0xff;
            let len = match value >> 8 {
                SAME => last?,
                len => len,
            };
            let first = used(symbol, len);
            // More than needed, for the sake of a fixed number.
            for (note, more) in noted[notes % ROOM..][..LONGEST_SAME].iter_mut().zip(0..) {
                *note = first.wrapping_add(more);
            }
            notes += if len == 0 { 0 } else { usize::from(times) };
            counts[usize::from(len) & MAX_BITS] += times;
            symbol += times;
            last = Some(len);
        }
        if symbol > litlens + distances {
            return None;
        }

        let noted = &noted[..notes];
        let is_litlen = |used: &u16| used_symbol(*used) < litlens;
        let (noted, noted_distances) = noted.split_at(noted.iter().rposition(is_litlen)? + 1);
        // There must be an end.
        noted.iter().rev().find(|used| used_symbol(**used) == END as u16)?;
        let distance_counts = count(noted_distances);
        for (all, distances) in counts.iter_mut().zip(distance_counts) {
            *all -= distances;
        }
        counts[0] = 0;
        self.litlens.build(noted, 0, &counts)?;
        self.distances.build(noted_distances, litlens, &distance_counts)?;
        *from = reader;
        Some(())
    }
}

/// Reads the code in which the code lengths are written.
fn read_code_lengths(reader: &mut BitReader<'_>, table: &mut Table) -> Option<()> {
    let given = 4 + usize::from(reader.take(4));
    let mut lengths = [0; CODE_LENGTHS];
    for symbol in &CODE_LENGTH_ORDER[..given] {
        reader.refill();
        lengths[usize::from(*symbol)] = reader.take(3);
    }
    let mut noted = [0; CODE_LENGTHS + 1];
    let mut notes = 0;
    for (symbol, len) in (0..).zip(lengths) {
        noted[notes] = used(symbol, len);
        notes += usize::from(len != 0);
    }
    // Here a code must be complete, which one alone is not.
    if notes < 2 {
        return None;
    }
    table.build(&noted[..notes], 0, &count(&noted[..notes]))
}

/// What has been written.
struct Plain<'a> {
    bytes: &'a mut Window,
    len: usize,
    room: usize,
}

impl Plain<'_> {
    /// A block of plain bytes.
    fn stored(&mut self, reader: &mut BitReader<'_>) -> Option<()> {
        let [low, high, not_low, not_high] = *reader.bytes(4)?.first_chunk()?;
        if [low, high] != [!not_low, !not_high] {
            return None;
        }
        let bytes = reader.bytes(u16::from_le_bytes([low, high]).into())?;
        self.bytes[..self.room].get_mut(self.len..self.len + bytes.len())?.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }

    /// The symbols of a block, up to its end.
    fn coded(&mut self, from: &mut BitReader<'_>, codes: &Codes) -> Option<()> {
        // Copies that nobody else can see stay in registers.
        let mut reader = *from;
        let mut plain = Plain { bytes: &mut *self.bytes, ..*self };
        loop {
            reader.refill();
            let mut entry = codes.litlens.look_up(reader.peek())?;
            if entry & LITERAL != 0 {
                plain.literal(entry)?;
                reader.skip(entry);
                // The bits are enough for two.
                entry = codes.litlens.look_up(reader.peek())?;
                if entry & LITERAL != 0 {
                    plain.literal(entry)?;
                    reader.skip(entry);
                    continue;
                }
            }
            let len = value(entry, reader.peek());
            reader.skip(entry);
            if entry & NO_RANGE != 0 {
                (self.len, *from) = (plain.len, reader);
                return (len == IS_END).then_some(());
            }
            reader.refill();
            let entry = codes.distances.look_up(reader.peek())?;
            let distance = value(entry, reader.peek());
            reader.skip(entry);
            if entry & NO_RANGE != 0 {
                return None;
            }
            plain.repeat(len as usize, distance as usize)?;
        }
    }

    #[inline(always)]
    fn literal(&mut self, entry: u32) -> Option<()> {
        if self.len >= self.room {
            return None;
        }
        self.bytes[self.len % LONGEST] = (entry >> 16) as u8;
        self.len += 1;
        Some(())
    }

    #[inline(always)]
    fn repeat(&mut self, len: usize, distance: usize) -> Option<()> {
        let from = self.len.checked_sub(distance)?;
        let end = self.len + len;
        if end > self.room {
            return None;
        }
        if distance >= WORD && len <= 2 * WORD {
            // Nearly all are like this. What is written too much is overwritten.
            self.copy_word(from, self.len);
            self.copy_word(from + WORD, self.len + WORD);
        } else {
            self.repeat_long_or_near(from, end);
        }
        self.len = end;
        Some(())
    }

    #[inline(always)]
    fn copy_word(&mut self, from: usize, to: usize) {
        let word = word(self.bytes, from);
        set_word(self.bytes, to, word);
    }

    #[inline(never)]
    fn repeat_long_or_near(&mut self, from: usize, end: usize) {
        let distance = self.len - from;
        if distance >= WORD {
            for to in (self.len..end).step_by(WORD) {
                self.copy_word(to - distance, to);
            }
        } else {
            for to in self.len..end {
                self.bytes[to] = self.bytes[to - distance];
            }
        }
    }
}

/// Marks a literal, whose byte is the lower half of the base.
const LITERAL: u32 = 1 << 31;

/// Marks what is neither a literal nor a range; the base says which it is.
const NO_RANGE: u32 = 1 << 15;
const IS_END: u32 = 1;
const IS_NOTHING: u32 = 2;

static LITLEN_ENTRIES: [u32; MOST_SYMBOLS] = {
    let mut entries = [entry(IS_NOTHING, 0) | NO_RANGE; MOST_SYMBOLS];
    let mut symbol = 0;
    while symbol < END {
        entries[symbol] = entry(symbol as u32, 0) | LITERAL;
        symbol += 1;
    }
    entries[END] = entry(IS_END, 0) | NO_RANGE;
    while symbol - END < LENGTHS.len() {
        let range = LENGTHS[symbol - END];
        symbol += 1;
        entries[symbol] = entry(range.base as u32, range.extra);
    }
    entries
};

static DISTANCE_ENTRIES: [u32; FIXED_DISTANCES.len()] = {
    let mut entries = [entry(IS_NOTHING, 0) | NO_RANGE; FIXED_DISTANCES.len()];
    let mut symbol = 0;
    while symbol < DISTANCE_RANGES.len() {
        let range = DISTANCE_RANGES[symbol];
        entries[symbol] = entry(range.base as u32, range.extra);
        symbol += 1;
    }
    entries
};

/// In the upper half of the base the code length or [`SAME`], in the lower one how often.
static CODE_LENGTH_ENTRIES: [u32; CODE_LENGTHS] = {
    let mut entries = [0; CODE_LENGTHS];
    let mut len = 0;
    while len <= MAX_BITS {
        entries[len] = entry((len as u32) << 8 | 1, 0);
        len += 1;
    }
    entries[SAME as usize] = entry((SAME as u32) << 8 | 3, REPEAT_BITS[0]);
    entries[ZEROS as usize] = entry(3, REPEAT_BITS[1]);
    entries[MANY_ZEROS as usize] = entry(11, REPEAT_BITS[2]);
    entries
};

/// Most notes that one symbol of a description makes.
const LONGEST_SAME: usize = 8;

/// A power of two that has room for all notes: indexes are cut to it instead of checked.
const ROOM: usize = 512;
