//! Arguments for functions with declared types, where the engine would refuse what Godot 3.6 can send.

use std::collections::HashMap;

use godot::builtin::{AnyArray, VariantType};
use godot::classes::{Expression, Script};
use godot::obj::EngineEnum;
use godot::prelude::*;
use godot::register::info::PropertyHint;

/// A declared type that the engine does not convert to by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    /// The engine converts, or it is no business of ours.
    Plain,
    /// `Array[...]` of a type that Godot 3.6 has.
    Array(VariantType),
    /// `Dictionary[..., ...]`; NIL is any type.
    Dictionary(VariantType, VariantType),
    Int64s,
    Float64s,
}

/// The functions of a script with an argument that has to be converted.
pub(super) fn declared_by(script: &Gd<Script>) -> HashMap<StringName, Vec<Declared>> {
    let mut functions = HashMap::new();
    for method in script.get_script_method_list().iter_shared() {
        let name = method.get("name").and_then(|name| name.try_to_relaxed::<StringName>().ok());
        let arguments = method.get("args").and_then(|arguments| arguments.try_to::<AnyArray>().ok());
        if let (Some(name), Some(arguments)) = (name, arguments) {
            let declared: Vec<Declared> = arguments.iter_shared().map(|each| declared(&each)).collect();
            // Those of the script itself come before those that it overrides.
            if declared.iter().any(|each| *each != Declared::Plain) {
                functions.entry(name).or_insert(declared);
            }
        }
    }
    functions
}

/// Converts what can be converted without a loss; the rest is left as it is.
pub(super) fn convert(arguments: &mut [Variant], declared: &[Declared]) {
    for (argument, declared) in arguments.iter_mut().zip(declared) {
        let converted = match *declared {
            Declared::Plain => None,
            Declared::Array(kind) => array(argument, kind),
            Declared::Dictionary(key, value) => dictionary(argument, key, value),
            Declared::Int64s => argument.try_to::<PackedInt32Array>().ok().map(|numbers| {
                numbers
                    .as_slice()
                    .iter()
                    .map(|number| i64::from(*number))
                    .collect::<PackedInt64Array>()
                    .to_variant()
            }),
            Declared::Float64s => argument.try_to::<PackedFloat32Array>().ok().map(|numbers| {
                numbers
                    .as_slice()
                    .iter()
                    .map(|number| f64::from(*number))
                    .collect::<PackedFloat64Array>()
                    .to_variant()
            }),
        };
        if let Some(converted) = converted {
            *argument = converted;
        }
    }
}

fn declared(argument: &Variant) -> Declared {
    let Ok(argument) = argument.try_to::<VarDictionary>() else { return Declared::Plain };
    let number =
        |key: &str| argument.get(key).and_then(|value| value.try_to_relaxed::<i64>().ok()).unwrap_or(0);
    let hint = argument.get("hint_string").map(|hint| hint.stringify().to_string()).unwrap_or_default();
    let kind = i32::try_from(number("type")).unwrap_or(0);
    if kind == VariantType::PACKED_INT64_ARRAY.ord() {
        return Declared::Int64s;
    }
    if kind == VariantType::PACKED_FLOAT64_ARRAY.ord() {
        return Declared::Float64s;
    }
    if kind == VariantType::ARRAY.ord() && number("hint") == i64::from(PropertyHint::ARRAY_TYPE.ord()) {
        return kind_named(&hint).map_or(Declared::Plain, Declared::Array);
    }
    // PROPERTY_HINT_DICTIONARY_TYPE, since Godot 4.4.
    if kind == VariantType::DICTIONARY.ord() && number("hint") == 38 {
        let kinds = hint.split_once(';').and_then(|(key, value)| Some((any_kind(key)?, any_kind(value)?)));
        return kinds.map_or(Declared::Plain, |(key, value)| Declared::Dictionary(key, value));
    }
    Declared::Plain
}

/// The type of a member, of those that Godot 3.6 has, or that come from one without a loss.
fn kind_named(name: &str) -> Option<VariantType> {
    Some(match name {
        "bool" => VariantType::BOOL,
        "int" => VariantType::INT,
        "float" => VariantType::FLOAT,
        "String" => VariantType::STRING,
        "StringName" => VariantType::STRING_NAME,
        "Vector2" => VariantType::VECTOR2,
        "Vector2i" => VariantType::VECTOR2I,
        "Rect2" => VariantType::RECT2,
        "Rect2i" => VariantType::RECT2I,
        "Vector3" => VariantType::VECTOR3,
        "Vector3i" => VariantType::VECTOR3I,
        "Transform2D" => VariantType::TRANSFORM2D,
        "Plane" => VariantType::PLANE,
        "Quaternion" => VariantType::QUATERNION,
        "AABB" => VariantType::AABB,
        "Basis" => VariantType::BASIS,
        "Transform3D" => VariantType::TRANSFORM3D,
        "Color" => VariantType::COLOR,
        "NodePath" => VariantType::NODE_PATH,
        "Dictionary" => VariantType::DICTIONARY,
        "Array" => VariantType::ARRAY,
        "PackedByteArray" => VariantType::PACKED_BYTE_ARRAY,
        "PackedInt32Array" => VariantType::PACKED_INT32_ARRAY,
        "PackedFloat32Array" => VariantType::PACKED_FLOAT32_ARRAY,
        "PackedStringArray" => VariantType::PACKED_STRING_ARRAY,
        "PackedVector2Array" => VariantType::PACKED_VECTOR2_ARRAY,
        "PackedVector3Array" => VariantType::PACKED_VECTOR3_ARRAY,
        "PackedColorArray" => VariantType::PACKED_COLOR_ARRAY,
        _ => return None,
    })
}

fn any_kind(name: &str) -> Option<VariantType> {
    if name == "Variant" { Some(VariantType::NIL) } else { kind_named(name) }
}

fn array(argument: &Variant, kind: VariantType) -> Option<Variant> {
    let array: AnyArray = argument.try_to().ok()?;
    let members: Option<VarArray> = array.iter_shared().map(|each| member(&each, kind)).collect();
    construct(
        "Array(a, k, n, null)",
        &["a", "k", "n"],
        &varray![&members?.to_variant(), kind.ord(), &StringName::default()],
    )
}

fn dictionary(argument: &Variant, key_kind: VariantType, value_kind: VariantType) -> Option<Variant> {
    let dictionary: AnyDictionary = argument.try_to().ok()?;
    let mut converted = VarDictionary::new();
    for (key, value) in dictionary.iter_shared() {
        converted.set(&member(&key, key_kind)?, &member(&value, value_kind)?);
    }
    construct(
        "Dictionary(d, k, n, null, v, n, null)",
        &["d", "k", "v", "n"],
        &varray![&converted.to_variant(), key_kind.ord(), value_kind.ord(), &StringName::default()],
    )
}

/// A value as a member of this type; `None` where something would be lost.
fn member(value: &Variant, kind: VariantType) -> Option<Variant> {
    if kind == VariantType::NIL || value.get_type() == kind {
        return Some(value.clone());
    }
    match kind {
        VariantType::STRING_NAME => Some(StringName::from(&value.try_to::<GString>().ok()?).to_variant()),
        VariantType::NODE_PATH => Some(NodePath::from(&value.try_to::<GString>().ok()?).to_variant()),
        VariantType::FLOAT => {
            let number: i64 = value.try_to().ok()?;
            let float = number as f64;
            (float as i64 == number).then(|| float.to_variant())
        }
        VariantType::VECTOR2I => {
            let float: Vector2 = value.try_to().ok()?;
            let whole = float.to_vector2i();
            (whole.to_vector2() == float).then(|| whole.to_variant())
        }
        VariantType::VECTOR3I => {
            let float: Vector3 = value.try_to().ok()?;
            let whole = float.to_vector3i();
            (whole.to_vector3() == float).then(|| whole.to_variant())
        }
        VariantType::RECT2I => {
            let float: Rect2 = value.try_to().ok()?;
            let whole = float.to_rect2i();
            (whole.to_rect2() == float).then(|| whole.to_variant())
        }
        _ => None,
    }
}

/// Calls a constructor of the engine that gdext does not offer.
fn construct(expression: &str, names: &[&str], inputs: &VarArray) -> Option<Variant> {
    let mut made = Expression::new_gd();
    let names: PackedStringArray = names.iter().copied().map(GString::from).collect();
    if made.parse_ex(expression).input_names(&names).done() != godot::global::Error::OK {
        return None;
    }
    let value = made.execute_ex().inputs(&inputs.clone().upcast_any_array()).show_error(false).done();
    (!made.has_execute_failed()).then_some(value)
}
