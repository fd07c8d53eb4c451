//! Values into bytes, as Godot 3.6 writes them.

use crate::value::{ABSOLUTE, NEW_NODE_PATH, NodePath, Object, Value, WIDE, code};

/// Appends a value's bytes, as 3.6's `var2bytes` writes them.
///
/// It goes as deep as the value does.
pub fn encode_value(value: &Value, out: &mut Vec<u8>) {
    let mut writer = ValueWriter::new(out);
    match value {
        Value::Nil => writer.nil(),
        Value::Bool(value) => writer.bool(*value),
        Value::Int(value) => writer.int(*value),
        Value::Real(value) => writer.real(*value),
        Value::String(value) => writer.string(value),
        Value::Vector2(value) => writer.vector2(*value),
        Value::Rect2(value) => writer.rect2(*value),
        Value::Vector3(value) => writer.vector3(*value),
        Value::Transform2D(value) => writer.transform2d(*value),
        Value::Plane(value) => writer.plane(*value),
        Value::Quat(value) => writer.quat(*value),
        Value::Aabb(value) => writer.aabb(*value),
        Value::Basis(value) => writer.basis(*value),
        Value::Transform(value) => writer.transform(*value),
        Value::Color(value) => writer.color(*value),
        Value::NodePath(NodePath { is_absolute, names, subnames }) => {
            writer.node_path(*is_absolute, names.iter(), subnames.iter());
        }
        Value::Rid => writer.rid(),
        Value::ObjectId(id) => writer.object_id(*id),
        Value::Object(object) => encode_object(object, out),
        Value::Dictionary(pairs) => {
            writer.dictionary(pairs.len());
            for (key, value) in pairs {
                encode_value(key, out);
                encode_value(value, out);
            }
        }
        Value::Array(members) => {
            writer.array(members.len());
            for member in members {
                encode_value(member, out);
            }
        }
        Value::Bytes(bytes) => writer.bytes(bytes),
        Value::Ints(items) => writer.ints(items.iter().copied()),
        Value::Reals(items) => writer.reals(items.iter().copied()),
        Value::Strings(items) => writer.strings(items.iter()),
        Value::Vector2s(items) => writer.vector2s(items.iter().copied()),
        Value::Vector3s(items) => writer.vector3s(items.iter().copied()),
        Value::Colors(items) => writer.colors(items.iter().copied()),
    }
}

fn encode_object(object: &Object, out: &mut Vec<u8>) {
    ValueWriter::new(out).object(&object.class, object.properties.len());
    for (name, value) in &object.properties {
        ValueWriter::new(out).property(name);
        encode_value(value, out);
    }
}

/// Appends values one after the other: for who walks a structure of its own, without a [`Value`] in between.
///
/// Containers have only a beginning: after [`ValueWriter::array`] the caller writes as many members as it said, after
/// [`ValueWriter::dictionary`] as many pairs of key and value. Text ends at its first NUL, which Godot 3.6's strings
/// cannot hold.
#[derive(Debug)]
pub struct ValueWriter<'a>(&'a mut Vec<u8>);

impl<'a> ValueWriter<'a> {
    /// Writes at the end of `out`.
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self(out)
    }

    /// Nil.
    pub fn nil(&mut self) {
        self.head(code::NIL);
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) {
        self.head(code::BOOL);
        self.word(u32::from(value));
    }

    /// An integer: 4 bytes if they hold it, else 8.
    pub fn int(&mut self, value: i64) {
        if let Ok(value) = i32::try_from(value) {
            self.head(code::INT);
            self.put(value.to_le_bytes());
        } else {
            self.wide_head(code::INT);
            self.put(value.to_le_bytes());
        }
    }

    /// A number: 4 bytes if they hold exactly the same one, else 8. NaN takes 8.
    pub fn real(&mut self, value: f64) {
        let narrow = value as f32;
        if f64::from(narrow) == value {
            self.head(code::REAL);
            self.put(narrow.to_le_bytes());
        } else {
            self.wide_head(code::REAL);
            self.put(value.to_le_bytes());
        }
    }

    /// Text.
    pub fn string(&mut self, value: &str) {
        self.head(code::STRING);
        self.text(value);
    }

    /// x, y.
    pub fn vector2(&mut self, value: [f32; 2]) {
        self.fixed(code::VECTOR2, value);
    }

    /// Position, size.
    pub fn rect2(&mut self, value: [f32; 4]) {
        self.fixed(code::RECT2, value);
    }

    /// x, y, z.
    pub fn vector3(&mut self, value: [f32; 3]) {
        self.fixed(code::VECTOR3, value);
    }

    /// x axis, y axis, origin.
    pub fn transform2d(&mut self, value: [f32; 6]) {
        self.fixed(code::TRANSFORM2D, value);
    }

    /// Normal, distance.
    pub fn plane(&mut self, value: [f32; 4]) {
        self.fixed(code::PLANE, value);
    }

    /// x, y, z, w.
    pub fn quat(&mut self, value: [f32; 4]) {
        self.fixed(code::QUAT, value);
    }

    /// Position, size.
    pub fn aabb(&mut self, value: [f32; 6]) {
        self.fixed(code::AABB, value);
    }

    /// Three rows.
    pub fn basis(&mut self, value: [f32; 9]) {
        self.fixed(code::BASIS, value);
    }

    /// The basis in three rows, then the origin.
    pub fn transform(&mut self, value: [f32; 12]) {
        self.fixed(code::TRANSFORM, value);
    }

    /// Red, green, blue, alpha.
    pub fn color(&mut self, value: [f32; 4]) {
        self.fixed(code::COLOR, value);
    }

    /// A path to a node or a property, from its names.
    pub fn node_path<N: AsRef<str>, S: AsRef<str>>(
        &mut self,
        is_absolute: bool,
        names: impl ExactSizeIterator<Item = N>,
        subnames: impl ExactSizeIterator<Item = S>,
    ) {
        self.head(code::NODE_PATH);
        self.word(NEW_NODE_PATH | names.len() as u32);
        self.word(subnames.len() as u32);
        self.word(if is_absolute { ABSOLUTE } else { 0 });
        for name in names {
            self.text(name.as_ref());
        }
        for subname in subnames {
            self.text(subname.as_ref());
        }
    }

    /// A resource id, which always arrives empty.
    pub fn rid(&mut self) {
        self.head(code::RID);
    }

    /// The instance id of an object.
    pub fn object_id(&mut self, id: u64) {
        self.wide_head(code::OBJECT);
        self.put(id.to_le_bytes());
    }

    /// The beginning of an object with `len` properties: the caller then writes each one's name with
    /// [`ValueWriter::property`], and its value.
    pub fn object(&mut self, class: &str, len: usize) {
        self.head(code::OBJECT);
        self.text(class);
        self.word(len as u32);
    }

    /// The name of an object's property.
    pub fn property(&mut self, name: &str) {
        self.text(name);
    }

    /// The beginning of a dictionary of `len` pairs.
    pub fn dictionary(&mut self, len: usize) {
        self.count(code::DICTIONARY, len);
    }

    /// The beginning of an array of `len` members.
    pub fn array(&mut self, len: usize) {
        self.count(code::ARRAY, len);
    }

    /// `PoolByteArray`.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(code::BYTES, bytes.len());
        self.0.extend_from_slice(bytes);
        self.pad(bytes.len());
    }

    /// `PoolIntArray`.
    pub fn ints(&mut self, items: impl ExactSizeIterator<Item = i32>) {
        self.count(code::INTS, items.len());
        self.0.reserve(items.len() * 4);
        for item in items {
            self.put(item.to_le_bytes());
        }
    }

    /// `PoolRealArray`.
    pub fn reals(&mut self, items: impl ExactSizeIterator<Item = f32>) {
        self.fixed_array(code::REALS, items.map(|item| [item]));
    }

    /// `PoolStringArray`. Unlike other strings, these have a NUL that their lengths include.
    pub fn strings<S: AsRef<str>>(&mut self, items: impl ExactSizeIterator<Item = S>) {
        self.count(code::STRINGS, items.len());
        for item in items {
            let text = until_nul(item.as_ref());
            self.word(text.len() as u32 + 1);
            put_c_string(self.0, text);
            self.pad(text.len() + 1);
        }
    }

    /// `PoolVector2Array`.
    pub fn vector2s(&mut self, items: impl ExactSizeIterator<Item = [f32; 2]>) {
        self.fixed_array(code::VECTOR2S, items);
    }

    /// `PoolVector3Array`.
    pub fn vector3s(&mut self, items: impl ExactSizeIterator<Item = [f32; 3]>) {
        self.fixed_array(code::VECTOR3S, items);
    }

    /// `PoolColorArray`.
    pub fn colors(&mut self, items: impl ExactSizeIterator<Item = [f32; 4]>) {
        self.fixed_array(code::COLORS, items);
    }

    fn head(&mut self, code: u8) {
        self.word(u32::from(code));
    }

    fn wide_head(&mut self, code: u8) {
        self.word(u32::from(code) | WIDE);
    }

    fn count(&mut self, code: u8, len: usize) {
        self.head(code);
        self.word(len as u32);
    }

    fn word(&mut self, word: u32) {
        self.put(word.to_le_bytes());
    }

    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.0.extend_from_slice(&bytes);
    }

    fn fixed<const N: usize>(&mut self, code: u8, value: [f32; N]) {
        self.head(code);
        self.floats(value);
    }

    fn fixed_array<const N: usize>(&mut self, code: u8, items: impl ExactSizeIterator<Item = [f32; N]>) {
        self.count(code, items.len());
        self.0.reserve(items.len() * N * 4);
        for item in items {
            self.floats(item);
        }
    }

    fn floats<const N: usize>(&mut self, value: [f32; N]) {
        for float in value {
            self.put(float.to_le_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        let text = until_nul(text);
        self.word(text.len() as u32);
        self.0.extend_from_slice(text.as_bytes());
        self.pad(text.len());
    }

    fn pad(&mut self, len: usize) {
        self.0.extend_from_slice(&[0; 3][..len.wrapping_neg() % 4]);
    }
}

/// Text and a NUL behind it, as names and paths are in packets.
pub(crate) fn put_c_string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(until_nul(text).as_bytes());
    out.push(0);
}

fn until_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}
