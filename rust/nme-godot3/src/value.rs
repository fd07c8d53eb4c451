//! The values of Godot 3.6, and how many of them a packet may hold.

/// A Variant of Godot 3.6.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, and what 3.6 makes of a freed object.
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number.
    Real(f64),
    /// Text, without NUL.
    String(String),
    /// x, y.
    Vector2([f32; 2]),
    /// Position, size.
    Rect2([f32; 4]),
    /// x, y, z.
    Vector3([f32; 3]),
    /// x axis, y axis, origin.
    Transform2D([f32; 6]),
    /// Normal, distance.
    Plane([f32; 4]),
    /// x, y, z, w.
    Quat([f32; 4]),
    /// Position, size.
    Aabb([f32; 6]),
    /// Three rows.
    Basis([f32; 9]),
    /// The basis in three rows, then the origin.
    Transform([f32; 12]),
    /// Red, green, blue, alpha.
    Color([f32; 4]),
    /// A path to a node or a property.
    NodePath(NodePath),
    /// A resource id of a server; 3.6 sends no number with it, so it always arrives empty.
    Rid,
    /// The instance id that an object has in its sender's process. 0 arrives as [`Value::Nil`].
    ObjectId(u64),
    /// An object with its stored properties.
    Object(Object),
    /// Pairs in their order. A packet may hold the same key twice: the last pair counts.
    Dictionary(Vec<(Self, Self)>),
    /// Values in their order.
    Array(Vec<Self>),
    /// `PoolByteArray`.
    Bytes(Vec<u8>),
    /// `PoolIntArray`.
    Ints(Vec<i32>),
    /// `PoolRealArray`.
    Reals(Vec<f32>),
    /// `PoolStringArray`.
    Strings(Vec<String>),
    /// `PoolVector2Array`.
    Vector2s(Vec<[f32; 2]>),
    /// `PoolVector3Array`.
    Vector3s(Vec<[f32; 3]>),
    /// `PoolColorArray`.
    Colors(Vec<[f32; 4]>),
}

/// The parts of a `NodePath` value. It is not the path of a call, which is text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePath {
    /// Whether it starts at the tree's root.
    pub is_absolute: bool,
    /// The names of nodes.
    pub names: Vec<String>,
    /// The names of properties behind them.
    pub subnames: Vec<String>,
}

/// An object that was sent with its properties. Both sides have to allow that.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its class in Godot 3.6. An empty one arrives as [`Value::Nil`].
    pub class: String,
    /// Name and value of each stored property.
    pub properties: Vec<(String, Value)>,
}

/// How much is decoded of one packet, or of the bytes of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many levels of containers and objects may be inside of each other, in levels below an argument. More than
    /// [`MAX_DEPTH`](crate::MAX_DEPTH) counts as that.
    pub depth: usize,
    /// How many values there may be: arguments, members of containers, properties of objects, strings of string
    /// arrays, names of node paths. A Nil takes four bytes in a packet and more than ten times as many in memory.
    pub values: usize,
    /// Whether objects with their properties are taken. Only ids are, otherwise.
    pub objects: bool,
}

impl Default for Limits {
    /// 128 levels, 65 536 values, no objects.
    fn default() -> Self {
        Self { depth: 128, values: 65_536, objects: false }
    }
}

/// The numbers of the types on the wire.
pub(crate) mod code {
    pub(crate) const NIL: u8 = 0;
    pub(crate) const BOOL: u8 = 1;
    pub(crate) const INT: u8 = 2;
    pub(crate) const REAL: u8 = 3;
    pub(crate) const STRING: u8 = 4;
    pub(crate) const VECTOR2: u8 = 5;
    pub(crate) const RECT2: u8 = 6;
    pub(crate) const VECTOR3: u8 = 7;
    pub(crate) const TRANSFORM2D: u8 = 8;
    pub(crate) const PLANE: u8 = 9;
    pub(crate) const QUAT: u8 = 10;
    pub(crate) const AABB: u8 = 11;
    pub(crate) const BASIS: u8 = 12;
    pub(crate) const TRANSFORM: u8 = 13;
    pub(crate) const COLOR: u8 = 14;
    pub(crate) const NODE_PATH: u8 = 15;
    pub(crate) const RID: u8 = 16;
    pub(crate) const OBJECT: u8 = 17;
    pub(crate) const DICTIONARY: u8 = 18;
    pub(crate) const ARRAY: u8 = 19;
    pub(crate) const BYTES: u8 = 20;
    pub(crate) const INTS: u8 = 21;
    pub(crate) const REALS: u8 = 22;
    pub(crate) const STRINGS: u8 = 23;
    pub(crate) const VECTOR2S: u8 = 24;
    pub(crate) const VECTOR3S: u8 = 25;
    pub(crate) const COLORS: u8 = 26;
}

/// Bit of a value's header: the wide form of an integer, a number or an object.
pub(crate) const WIDE: u32 = 1 << 16;
/// Bit of a node path's number of names, without which the path has a format from before Godot 3.
pub(crate) const NEW_NODE_PATH: u32 = 1 << 31;
/// Flag of a node path.
pub(crate) const ABSOLUTE: u32 = 1;
/// Flag of a node path, from before Godot 3.1: there is one more subname than the count says.
pub(crate) const ONE_MORE_SUBNAME: u32 = 2;
