//! What is written is read as the same value, whatever the value.
mod common;

use common::encoded;
use nme_godot3::{Limits, NodePath, Object, Value, decode_value};
use proptest::collection::vec;
use proptest::prelude::*;

/// Text that Godot 3.6 can hold, and that it would not shorten.
fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..12).prop_map(|chars| {
        let text: String = chars.into_iter().filter(|char| *char != '\0').collect();
        text.trim_start_matches('\u{feff}').to_owned()
    })
}

fn float() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits)
}

fn floats<const N: usize>() -> impl Strategy<Value = [f32; N]> {
    any::<[u32; N]>().prop_map(|bits| bits.map(f32::from_bits))
}

fn node_path() -> impl Strategy<Value = NodePath> {
    (any::<bool>(), vec(text(), 0..5), vec(text(), 0..3))
        .prop_map(|(is_absolute, names, subnames)| NodePath { is_absolute, names, subnames })
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<i32>().prop_map(|int| Value::Int(int.into())),
        any::<u64>().prop_map(|bits| Value::Real(f64::from_bits(bits))),
        any::<f32>().prop_map(|real| Value::Real(real.into())),
        text().prop_map(Value::String),
        prop_oneof![
            floats().prop_map(Value::Vector2),
            floats().prop_map(Value::Rect2),
            floats().prop_map(Value::Vector3),
            floats().prop_map(Value::Transform2D),
            floats().prop_map(Value::Plane),
            floats().prop_map(Value::Quat),
            floats().prop_map(Value::Aabb),
            floats().prop_map(Value::Basis),
            floats().prop_map(Value::Transform),
            floats().prop_map(Value::Color),
        ],
        node_path().prop_map(Value::NodePath),
        Just(Value::Rid),
        (1..=u64::MAX).prop_map(Value::ObjectId),
        prop_oneof![
            vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
            vec(any::<i32>(), 0..9).prop_map(Value::Ints),
            vec(float(), 0..9).prop_map(Value::Reals),
            vec(text(), 0..9).prop_map(Value::Strings),
            vec(floats(), 0..9).prop_map(Value::Vector2s),
            vec(floats(), 0..9).prop_map(Value::Vector3s),
            vec(floats(), 0..9).prop_map(Value::Colors),
        ],
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 64, 6, |inner| {
        let properties = vec((text(), inner.clone()), 0..4);
        let object = (text().prop_filter("a class", |class| !class.is_empty()), properties)
            .prop_map(|(class, properties)| Value::Object(Object { class, properties }));
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec((inner.clone(), inner), 0..6).prop_map(Value::Dictionary),
            object,
        ]
    })
}

proptest! {
    #[test]
    fn a_value_survives(value in value()) {
        let limits = Limits { objects: true, ..Limits::default() };
        let bytes = encoded(&value);
        prop_assert_eq!(bytes.len() % 4, 0, "whole words");
        let got = decode_value(&bytes, &limits).expect("is written as it is read");
        // By their text: NaN is not equal to itself.
        prop_assert_eq!(format!("{got:?}"), format!("{value:?}"));
        prop_assert_eq!(encoded(&got), bytes);
    }

    #[test]
    fn a_value_that_is_cut_is_refused(value in value(), missing in 4_usize..64) {
        let limits = Limits { objects: true, ..Limits::default() };
        let bytes = encoded(&value);
        // A word at least: a byte array at the end may lack its padding.
        let len = bytes.len().saturating_sub(missing);
        prop_assert!(decode_value(&bytes[..len], &limits).is_err());
    }
}
