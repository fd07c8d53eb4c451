//! Bytes into values, as Godot 3.6 reads them, within limits.

use crate::error::DecodeError;
use crate::value::{ABSOLUTE, Limits, NEW_NODE_PATH, NodePath, ONE_MORE_SUBNAME, Object, Value, WIDE, code};

/// The most levels that are ever decoded, whatever the limits say: as many as Godot 3.6 takes. Reading, copying and
/// dropping a value goes down one call for each.
pub const MAX_DEPTH: usize = 1024;

/// Reads one value, as 3.6's `bytes2var` does. Bytes behind it are ignored.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode_value(bytes: &[u8], limits: &Limits) -> Result<Value, DecodeError> {
    Reader::new(bytes, limits).argument()
}

/// Reads what is in a packet from the front.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// How many levels may be below an argument.
    depth: usize,
    /// How many values may still come.
    values: usize,
    objects: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        let Limits { depth, values, objects } = *limits;
        Self { bytes, depth: depth.min(MAX_DEPTH), values, objects }
    }

    /// An argument of a call, or another value that stands for itself.
    pub(crate) fn argument(&mut self) -> Result<Value, DecodeError> {
        self.charge(1)?;
        self.value(0)
    }

    /// The name of a method or property, with the NUL behind it.
    pub(crate) fn name(&mut self, max: usize) -> Result<&'a str, DecodeError> {
        let len = self.bytes.iter().position(|byte| *byte == 0).ok_or(DecodeError::NoName)?;
        if len > max {
            return Err(DecodeError::NameTooLong);
        }
        let name = text(&self.bytes[..len])?;
        self.bytes = &self.bytes[len + 1..];
        Ok(name)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (&byte, rest) = self.bytes.split_first().ok_or(DecodeError::TooShort)?;
        self.bytes = rest;
        Ok(byte)
    }

    /// A value that has been charged for, `depth` levels below an argument.
    fn value(&mut self, depth: usize) -> Result<Value, DecodeError> {
        if depth > self.depth {
            return Err(DecodeError::Depth);
        }
        let head = self.word()?;
        let is_wide = head & WIDE != 0;
        // The low byte is the type. 3.6 ignores all bits that it does not know.
        match head as u8 {
            code::OBJECT if is_wide => self.object_id(),
            code::OBJECT => self.object(depth),
            code::DICTIONARY => self.dictionary(depth),
            code::ARRAY => self.array(depth),
            code => self.leaf(code, is_wide),
        }
    }

    /// A value that holds no others. Apart from [`Reader::value`], which is on the stack once for each level.
    #[inline(never)]
    fn leaf(&mut self, code: u8, is_wide: bool) -> Result<Value, DecodeError> {
        Ok(match code {
            code::NIL => Value::Nil,
            code::BOOL => Value::Bool(self.word()? != 0),
            code::INT if is_wide => Value::Int(i64::from_le_bytes(self.chunk()?)),
            code::INT => Value::Int(i64::from(i32::from_le_bytes(self.chunk()?))),
            code::REAL if is_wide => Value::Real(f64::from_le_bytes(self.chunk()?)),
            code::REAL => Value::Real(f64::from(f32::from_le_bytes(self.chunk()?))),
            code::STRING => Value::String(self.string()?.to_owned()),
            code::VECTOR2 => Value::Vector2(self.floats()?),
            code::RECT2 => Value::Rect2(self.floats()?),
            code::VECTOR3 => Value::Vector3(self.floats()?),
            code::TRANSFORM2D => Value::Transform2D(self.floats()?),
            code::PLANE => Value::Plane(self.floats()?),
            code::QUAT => Value::Quat(self.floats()?),
            code::AABB => Value::Aabb(self.floats()?),
            code::BASIS => Value::Basis(self.floats()?),
            code::TRANSFORM => Value::Transform(self.floats()?),
            code::COLOR => Value::Color(self.floats()?),
            code::NODE_PATH => Value::NodePath(self.node_path()?),
            code::RID => Value::Rid,
            code::BYTES => Value::Bytes(self.byte_array()?),
            code::INTS => Value::Ints(self.items(i32::from_le_bytes)?),
            code::REALS => Value::Reals(self.items(f32::from_le_bytes)?),
            code::STRINGS => Value::Strings(self.string_array()?),
            code::VECTOR2S => Value::Vector2s(self.items::<8, _>(floats)?),
            code::VECTOR3S => Value::Vector3s(self.items::<12, _>(floats)?),
            code::COLORS => Value::Colors(self.items::<16, _>(floats)?),
            unknown => return Err(DecodeError::UnknownType(unknown)),
        })
    }

    fn object_id(&mut self) -> Result<Value, DecodeError> {
        Ok(match u64::from_le_bytes(self.chunk()?) {
            0 => Value::Nil,
            id => Value::ObjectId(id),
        })
    }

    fn object(&mut self, depth: usize) -> Result<Value, DecodeError> {
        if !self.objects {
            return Err(DecodeError::ObjectsRefused);
        }
        let class = self.string()?.to_owned();
        if class.is_empty() {
            return Ok(Value::Nil);
        }
        // The name's length and the value's header.
        let count = self.count(8)?;
        self.charge(count)?;
        let mut properties = Vec::with_capacity(count.min(FIRST_CAPACITY));
        for _ in 0..count {
            let name = self.string()?.to_owned();
            properties.push((name, self.value(depth + 1)?));
        }
        Ok(Value::Object(Object { class, properties }))
    }

    fn dictionary(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let count = self.members(8)?;
        self.charge(count.saturating_mul(2))?;
        let mut pairs = Vec::with_capacity(count.min(FIRST_CAPACITY));
        for _ in 0..count {
            let key = self.value(depth + 1)?;
            pairs.push((key, self.value(depth + 1)?));
        }
        Ok(Value::Dictionary(pairs))
    }

    fn array(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let count = self.members(4)?;
        self.charge(count)?;
        let mut members = Vec::with_capacity(count.min(FIRST_CAPACITY));
        for _ in 0..count {
            members.push(self.value(depth + 1)?);
        }
        Ok(Value::Array(members))
    }

    fn node_path(&mut self) -> Result<NodePath, DecodeError> {
        let (names, subnames, flags) = (self.word()?, self.word()?, self.word()?);
        if names & NEW_NODE_PATH == 0 {
            return Err(DecodeError::OldNodePath);
        }
        let subnames = u64::from(subnames) + u64::from(flags & ONE_MORE_SUBNAME != 0);
        let (names, subnames) =
            (self.fitting(u64::from(names & !NEW_NODE_PATH), 4)?, self.fitting(subnames, 4)?);
        self.charge(names + subnames)?;
        Ok(NodePath {
            is_absolute: flags & ABSOLUTE != 0,
            names: self.some_strings(names)?,
            subnames: self.some_strings(subnames)?,
        })
    }

    /// The padding may be missing at the end of the packet: 3.6 does not look.
    fn byte_array(&mut self) -> Result<Vec<u8>, DecodeError> {
        let count = self.count(1)?;
        let bytes = self.take(count)?.to_vec();
        self.take(padding(count).min(self.bytes.len()))?;
        Ok(bytes)
    }

    /// A negative count is an empty array, as in 3.6.
    fn string_array(&mut self) -> Result<Vec<String>, DecodeError> {
        let count = u64::try_from(i32::from_le_bytes(self.chunk()?)).unwrap_or(0);
        let count = self.fitting(count, 4)?;
        self.charge(count)?;
        self.some_strings(count)
    }

    fn some_strings(&mut self, count: usize) -> Result<Vec<String>, DecodeError> {
        (0..count).map(|_| self.string().map(str::to_owned)).collect()
    }

    /// An array of items of `N` bytes. They are no larger in memory, so their number is not limited.
    fn items<const N: usize, T>(&mut self, item: fn([u8; N]) -> T) -> Result<Vec<T>, DecodeError> {
        let count = self.count(N)?;
        let (chunks, _) = self.take(count * N)?.as_chunks::<N>();
        Ok(chunks.iter().map(|chunk| item(*chunk)).collect())
    }

    fn string(&mut self) -> Result<&'a str, DecodeError> {
        let len = self.count(1)?;
        let bytes = self.take(len)?;
        if self.bytes.len() < padding(len) {
            return Err(DecodeError::Length);
        }
        self.take(padding(len))?;
        text(bytes)
    }

    /// The number of members of a container, of at least `size` bytes each. 3.6 ignores its top bit.
    fn members(&mut self, size: u64) -> Result<usize, DecodeError> {
        let count = self.word()? & !(1 << 31);
        self.fitting(u64::from(count), size)
    }

    /// A count of items of at least `size` bytes each.
    fn count(&mut self, size: usize) -> Result<usize, DecodeError> {
        let count = i32::from_le_bytes(self.chunk()?);
        self.fitting(u64::try_from(count).map_err(|_| DecodeError::Length)?, size as u64)
    }

    /// A count, if that many items of at least `size` bytes can still come.
    fn fitting(&self, count: u64, size: u64) -> Result<usize, DecodeError> {
        // Neither can overflow: counts have 33 bits at most, and sizes are small.
        if count * size > self.bytes.len() as u64 {
            return Err(DecodeError::Length);
        }
        Ok(count as usize)
    }

    /// Counts values before they are read, so that no memory is taken for more than the limit.
    fn charge(&mut self, count: usize) -> Result<(), DecodeError> {
        self.values = self.values.checked_sub(count).ok_or(DecodeError::TooManyValues)?;
        Ok(())
    }

    fn floats<const N: usize>(&mut self) -> Result<[f32; N], DecodeError> {
        let (chunks, _) = self.take(N * 4)?.as_chunks::<4>();
        let mut floats = [0.0; N];
        for (float, chunk) in floats.iter_mut().zip(chunks) {
            *float = f32::from_le_bytes(*chunk);
        }
        Ok(floats)
    }

    fn word(&mut self) -> Result<u32, DecodeError> {
        self.chunk().map(u32::from_le_bytes)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (chunk, rest) = self.bytes.split_first_chunk::<N>().ok_or(DecodeError::TooShort)?;
        self.bytes = rest;
        Ok(*chunk)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(DecodeError::TooShort)?;
        self.bytes = rest;
        Ok(taken)
    }
}

/// Text as 3.6 reads it: a NUL ends it, and a byte order mark in front is dropped.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, DecodeError> {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    str::from_utf8(bytes).map_err(|_| DecodeError::BadUtf8)
}

fn floats<const BYTES: usize, const N: usize>(bytes: [u8; BYTES]) -> [f32; N] {
    const { assert!(BYTES == N * 4, "four bytes a float") };
    let (chunks, _) = bytes.as_chunks::<4>();
    std::array::from_fn(|index| f32::from_le_bytes(chunks[index]))
}

/// How many bytes follow `len` bytes, so that there are whole words.
const fn padding(len: usize) -> usize {
    len.wrapping_neg() % 4
}

/// For how many members a container takes memory at once. A count can be a lie as long as the members have not been
/// read, and at each level there can be another one.
const FIRST_CAPACITY: usize = 16;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
