//! Variants of Godot 4 as Godot 3.6 sends them, and back.

use godot::builtin::{AnyArray, AnyDictionary, Basis, VariantType, Vector3};
use godot::classes::EncodedObjectAsId;
use godot::prelude::*;
use nme_godot3::{Limits, Value, ValueWriter};
use thiserror::Error as ThisError;

use super::objects;

/// Why a value of Godot 4 cannot be sent.
#[derive(Debug, ThisError)]
pub(super) enum VariantError {
    #[error("Godot 3.6 has no {}", type_name(*.0))]
    Type(VariantType),
    #[error("Godot 3.6 has no PackedInt64Array, and a number in it does not fit into 32 bits")]
    Wide,
    #[error("arrays and dictionaries are nested more than {} levels deep", Limits::default().depth)]
    Depth,
    #[error("an object of the class {0} cannot be sent whole; only those that ClassDB knows")]
    Class(StringName),
}

/// Writes a value behind what is there already. Nothing of it may be sent when this fails.
pub(super) fn write(variant: &Variant, whole_objects: bool, out: &mut Vec<u8>) -> Result<(), VariantError> {
    Walk { out: ValueWriter::new(out), whole_objects, depth: 0 }.value(variant)
}

/// A way through a value and all that is in it.
pub(super) struct Walk<'a> {
    pub(super) out: ValueWriter<'a>,
    whole_objects: bool,
    depth: usize,
}

impl Walk<'_> {
    pub(super) fn value(&mut self, variant: &Variant) -> Result<(), VariantError> {
        let out = &mut self.out;
        match variant.get_type() {
            VariantType::NIL => out.nil(),
            VariantType::BOOL => out.bool(get(variant)?),
            VariantType::INT => out.int(get(variant)?),
            VariantType::FLOAT => out.real(get(variant)?),
            VariantType::STRING => out.string(&get::<GString>(variant)?.to_string()),
            VariantType::STRING_NAME => out.string(&get::<StringName>(variant)?.to_string()),
            VariantType::VECTOR2 => out.vector2(pair(get(variant)?)),
            VariantType::VECTOR2I => out.vector2(pair(get::<Vector2i>(variant)?.to_vector2())),
            VariantType::RECT2 => out.rect2(rect(get(variant)?)),
            VariantType::RECT2I => out.rect2(rect(get::<Rect2i>(variant)?.to_rect2())),
            VariantType::VECTOR3 => out.vector3(triple(get(variant)?)),
            VariantType::VECTOR3I => out.vector3(triple(get::<Vector3i>(variant)?.to_vector3())),
            VariantType::TRANSFORM2D => {
                let Transform2D { a, b, origin } = get(variant)?;
                out.transform2d([a.x, a.y, b.x, b.y, origin.x, origin.y]);
            }
            VariantType::PLANE => {
                let Plane { normal, d } = get(variant)?;
                out.plane([normal.x, normal.y, normal.z, d]);
            }
            VariantType::QUATERNION => {
                let Quaternion { x, y, z, w } = get(variant)?;
                out.quat([x, y, z, w]);
            }
            VariantType::AABB => {
                let Aabb { position: at, size } = get(variant)?;
                out.aabb([at.x, at.y, at.z, size.x, size.y, size.z]);
            }
            VariantType::BASIS => out.basis(rows(&get(variant)?)),
            VariantType::TRANSFORM3D => {
                let Transform3D { basis, origin } = get(variant)?;
                let [a, b, c, d, e, f, g, h, i] = rows(&basis);
                out.transform([a, b, c, d, e, f, g, h, i, origin.x, origin.y, origin.z]);
            }
            VariantType::COLOR => out.color(four(get(variant)?)),
            VariantType::NODE_PATH => node_path(out, &get(variant)?),
            VariantType::RID => out.rid(),
            VariantType::OBJECT => return self.object(variant),
            VariantType::DICTIONARY => return self.dictionary(&get(variant)?),
            VariantType::ARRAY => return self.array(&get(variant)?),
            VariantType::PACKED_BYTE_ARRAY => out.bytes(get::<PackedByteArray>(variant)?.as_slice()),
            VariantType::PACKED_INT32_ARRAY => {
                out.ints(get::<PackedInt32Array>(variant)?.as_slice().iter().copied());
            }
            VariantType::PACKED_INT64_ARRAY => {
                let numbers: PackedInt64Array = get(variant)?;
                let narrow: Result<Vec<i32>, _> =
                    numbers.as_slice().iter().copied().map(i32::try_from).collect();
                out.ints(narrow.map_err(|_| VariantError::Wide)?.into_iter());
            }
            VariantType::PACKED_FLOAT32_ARRAY => {
                out.reals(get::<PackedFloat32Array>(variant)?.as_slice().iter().copied());
            }
            VariantType::PACKED_FLOAT64_ARRAY => {
                let numbers: PackedFloat64Array = get(variant)?;
                out.reals(numbers.as_slice().iter().map(|number| *number as f32));
            }
            VariantType::PACKED_STRING_ARRAY => {
                let texts: PackedStringArray = get(variant)?;
                let texts: Vec<String> = texts.as_slice().iter().map(GString::to_string).collect();
                out.strings(texts.iter().map(String::as_str));
            }
            VariantType::PACKED_VECTOR2_ARRAY => {
                out.vector2s(get::<PackedVector2Array>(variant)?.as_slice().iter().copied().map(pair));
            }
            VariantType::PACKED_VECTOR3_ARRAY => {
                out.vector3s(get::<PackedVector3Array>(variant)?.as_slice().iter().copied().map(triple));
            }
            VariantType::PACKED_COLOR_ARRAY => {
                out.colors(get::<PackedColorArray>(variant)?.as_slice().iter().copied().map(four));
            }
            kind => return Err(VariantError::Type(kind)),
        }
        Ok(())
    }

    fn array(&mut self, array: &AnyArray) -> Result<(), VariantError> {
        self.deeper(|walk| {
            walk.out.array(array.len());
            array.iter_shared().try_for_each(|each| walk.value(&each))
        })
    }

    fn dictionary(&mut self, dictionary: &AnyDictionary) -> Result<(), VariantError> {
        self.deeper(|walk| {
            walk.out.dictionary(dictionary.len());
            dictionary.iter_shared().try_for_each(|(key, value)| {
                walk.value(&key)?;
                walk.value(&value)
            })
        })
    }

    /// By its id, which means something in this process only, or with all of its properties.
    fn object(&mut self, variant: &Variant) -> Result<(), VariantError> {
        let Ok(object) = variant.try_to::<Gd<Object>>() else {
            // Null, or freed.
            self.out.nil();
            return Ok(());
        };
        if self.whole_objects {
            return self.deeper(|walk| objects::write(walk, &object));
        }
        let id = match object.clone().try_cast::<EncodedObjectAsId>() {
            Ok(elsewhere) => elsewhere.get_object_id(),
            Err(object) => object.instance_id().to_i64() as u64,
        };
        self.out.object_id(id);
        Ok(())
    }

    fn deeper(
        &mut self,
        visit: impl FnOnce(&mut Self) -> Result<(), VariantError>,
    ) -> Result<(), VariantError> {
        if self.depth == Limits::default().depth {
            return Err(VariantError::Depth);
        }
        self.depth += 1;
        let result = visit(self);
        self.depth -= 1;
        result
    }
}

/// A value of Godot 3.6 as a new Variant.
pub(super) fn read(value: Value) -> Variant {
    match value {
        Value::Nil => Variant::nil(),
        Value::Bool(value) => value.to_variant(),
        Value::Int(value) => value.to_variant(),
        Value::Real(value) => value.to_variant(),
        Value::String(text) => text.to_variant(),
        Value::Vector2(v) => vector2(v).to_variant(),
        Value::Rect2([x, y, width, height]) => {
            Rect2 { position: Vector2::new(x, y), size: Vector2::new(width, height) }.to_variant()
        }
        Value::Vector3(v) => vector3(v).to_variant(),
        Value::Transform2D([a, b, c, d, e, f]) => {
            Transform2D { a: Vector2::new(a, b), b: Vector2::new(c, d), origin: Vector2::new(e, f) }
                .to_variant()
        }
        Value::Plane([x, y, z, d]) => Plane { normal: Vector3::new(x, y, z), d }.to_variant(),
        Value::Quat([x, y, z, w]) => Quaternion { x, y, z, w }.to_variant(),
        Value::Aabb([a, b, c, d, e, f]) => {
            Aabb { position: Vector3::new(a, b, c), size: Vector3::new(d, e, f) }.to_variant()
        }
        Value::Basis(rows) => basis(&rows).to_variant(),
        Value::Transform([a, b, c, d, e, f, g, h, i, x, y, z]) => {
            Transform3D { basis: basis(&[a, b, c, d, e, f, g, h, i]), origin: Vector3::new(x, y, z) }
                .to_variant()
        }
        Value::Color(color) => self::color(color).to_variant(),
        Value::NodePath(path) => NodePath::from(path_text(&path).as_str()).to_variant(),
        Value::Rid => Rid::Invalid.to_variant(),
        Value::ObjectId(id) => {
            let mut elsewhere = EncodedObjectAsId::new_gd();
            elsewhere.set_object_id(id);
            elsewhere.to_variant()
        }
        Value::Object(object) => objects::read(object),
        Value::Dictionary(entries) => {
            let mut dictionary = VarDictionary::new();
            for (key, value) in entries {
                dictionary.set(&read(key), &read(value));
            }
            dictionary.to_variant()
        }
        Value::Array(values) => values.into_iter().map(read).collect::<VarArray>().to_variant(),
        Value::Bytes(bytes) => PackedByteArray::from(bytes.as_slice()).to_variant(),
        Value::Ints(numbers) => PackedInt32Array::from(numbers.as_slice()).to_variant(),
        Value::Reals(numbers) => PackedFloat32Array::from(numbers.as_slice()).to_variant(),
        Value::Strings(texts) => texts.iter().map(GString::from).collect::<PackedStringArray>().to_variant(),
        Value::Vector2s(vectors) => {
            vectors.into_iter().map(vector2).collect::<PackedVector2Array>().to_variant()
        }
        Value::Vector3s(vectors) => {
            vectors.into_iter().map(vector3).collect::<PackedVector3Array>().to_variant()
        }
        Value::Colors(colors) => colors.into_iter().map(color).collect::<PackedColorArray>().to_variant(),
    }
}

/// As scripts write the types that cannot be sent.
fn type_name(kind: VariantType) -> String {
    match kind {
        VariantType::VECTOR4 => "Vector4".into(),
        VariantType::VECTOR4I => "Vector4i".into(),
        VariantType::PROJECTION => "Projection".into(),
        VariantType::CALLABLE => "Callable".into(),
        VariantType::SIGNAL => "Signal".into(),
        VariantType::PACKED_VECTOR4_ARRAY => "PackedVector4Array".into(),
        other => format!("{other:?}"),
    }
}

/// A Variant's content, whose type has been asked for.
fn get<T: FromGodot>(variant: &Variant) -> Result<T, VariantError> {
    variant.try_to().map_err(|_| VariantError::Type(variant.get_type()))
}

const fn pair(vector: Vector2) -> [f32; 2] {
    [vector.x, vector.y]
}

const fn triple(vector: Vector3) -> [f32; 3] {
    [vector.x, vector.y, vector.z]
}

const fn four(color: Color) -> [f32; 4] {
    [color.r, color.g, color.b, color.a]
}

const fn rect(rect: Rect2) -> [f32; 4] {
    [rect.position.x, rect.position.y, rect.size.x, rect.size.y]
}

const fn rows(basis: &Basis) -> [f32; 9] {
    let [x, y, z] = basis.rows;
    [x.x, x.y, x.z, y.x, y.y, y.z, z.x, z.y, z.z]
}

const fn basis([a, b, c, d, e, f, g, h, i]: &[f32; 9]) -> Basis {
    Basis::from_rows(Vector3::new(*a, *b, *c), Vector3::new(*d, *e, *f), Vector3::new(*g, *h, *i))
}

const fn vector2([x, y]: [f32; 2]) -> Vector2 {
    Vector2::new(x, y)
}

const fn vector3([x, y, z]: [f32; 3]) -> Vector3 {
    Vector3::new(x, y, z)
}

const fn color([r, g, b, a]: [f32; 4]) -> Color {
    Color::from_rgba(r, g, b, a)
}

fn node_path(out: &mut ValueWriter<'_>, path: &NodePath) {
    let is_absolute = path.to_string().starts_with('/');
    let names = (0..path.get_name_count()).map(|index| path.get_name(index).to_string());
    let subnames = (0..path.get_subname_count()).map(|index| path.get_subname(index).to_string());
    out.node_path(is_absolute, names, subnames);
}

fn path_text(path: &nme_godot3::NodePath) -> String {
    let mut text = String::from(if path.is_absolute { "/" } else { "" });
    text.push_str(&path.names.join("/"));
    for subname in &path.subnames {
        text.push(':');
        text.push_str(subname);
    }
    text
}
