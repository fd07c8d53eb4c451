//! Objects that are sent with their properties, where both sides allow it.

use godot::classes::ClassDb;
use godot::obj::EngineBitfield;
use godot::prelude::*;
use godot::register::info::PropertyUsageFlags;

use super::variants::{self, VariantError, Walk};
use crate::error;

/// Writes the class, and each property that a scene would store. A script stays here: the other side's are others.
pub(super) fn write(walk: &mut Walk<'_>, object: &Gd<Object>) -> Result<(), VariantError> {
    let class = StringName::from(&object.get_class());
    if !ClassDb::singleton().class_exists(&class) {
        return Err(VariantError::Class(class));
    }
    let names: Vec<StringName> = object
        .get_property_list()
        .iter_shared()
        .filter(is_stored)
        .filter_map(|property| property.get("name")?.try_to_relaxed::<StringName>().ok())
        .filter(|name| *name != SCRIPT)
        .collect();
    walk.out.object(&class.to_string(), names.len());
    for name in names {
        walk.out.property(&name.to_string());
        walk.value(&object.get(&name))?;
    }
    Ok(())
}

/// Makes the object that somebody has sent; null when this engine has no such class.
pub(super) fn read(object: nme_godot3::Object) -> Variant {
    let class = renamed(&object.class);
    let class_db = ClassDb::singleton();
    if !class_db.class_exists(class) || !class_db.can_instantiate(class) {
        error::complain_of(
            "Godot3Multiplayer",
            "poll",
            format_args!("no object of the class {class} can be made; it is null"),
        );
        return Variant::nil();
    }
    let variant = class_db.instantiate(class);
    if let Ok(mut made) = variant.try_to::<Gd<Object>>() {
        for (name, value) in object.properties {
            if name != SCRIPT {
                made.set(name.as_str(), &variants::read(value));
            }
        }
    }
    variant
}

/// The name that Godot 4 gives to a class of 3.6 that games send.
fn renamed(class: &str) -> &str {
    match class {
        "Reference" => "RefCounted",
        "Spatial" => "Node3D",
        same => same,
    }
}

fn is_stored(property: &VarDictionary) -> bool {
    let usage = property.get("usage").and_then(|usage| usage.try_to::<i64>().ok()).unwrap_or(0);
    usage as u64 & PropertyUsageFlags::STORAGE.ord() != 0
}

/// Code that comes with an object is never run.
const SCRIPT: &str = "script";
