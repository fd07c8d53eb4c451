//! What a server says to those who ask without a connection: the property `query_info`, and Variants as plain values.

use godot::builtin::{AnyArray, AnyDictionary, VariantType};
use godot::prelude::*;
use nme_core::query::{MAX_DEPTH, QueryInfo, QueryInfoError, Value};
use thiserror::Error as ThisError;

use crate::error;
use crate::shared::Shared;

impl Shared {
    pub(crate) fn set_query_info(&self, value: &AnyDictionary) {
        let info = match from_dictionary(value) {
            Ok(info) => info,
            Err(problem) => return error::complain("set_query_info", problem),
        };
        let mut state = self.lock();
        if let Some(connection) = &mut state.connection {
            connection.set_query_info(info.clone());
        }
        state.settings.query_info = info;
    }

    pub(crate) fn query_info(&self) -> VarDictionary {
        let info = self.lock().settings.query_info.clone();
        info.as_ref().map(to_dictionary).unwrap_or_default()
    }
}

/// Why a dictionary cannot be sent.
#[derive(Debug, ThisError)]
enum InfoError {
    #[error(
        "a value of the type {0:?} cannot be sent; use null, bool, int, float, String, Array and Dictionary"
    )]
    Type(VariantType),
    #[error(transparent)]
    Info(#[from] QueryInfoError),
}

/// The dictionary as it is sent; `None` for an empty one.
fn from_dictionary(dictionary: &AnyDictionary) -> Result<Option<QueryInfo>, InfoError> {
    if dictionary.is_empty() {
        return Ok(None);
    }
    Ok(Some(QueryInfo::new(&entries(dictionary, 1)?)?))
}

/// What a game has said, in a new dictionary.
pub(crate) fn to_dictionary(info: &QueryInfo) -> VarDictionary {
    to_entries(&info.values().unwrap_or_default())
}

fn entries(dictionary: &AnyDictionary, depth: usize) -> Result<Vec<(Value, Value)>, InfoError> {
    check_depth(depth)?;
    let each = dictionary.iter_shared();
    each.map(|(key, value)| Ok((from_variant(&key, depth)?, from_variant(&value, depth)?))).collect()
}

/// A Variant that is in so many arrays and dictionaries, as a plain value.
fn from_variant(variant: &Variant, depth: usize) -> Result<Value, InfoError> {
    let kind = variant.get_type();
    Ok(match kind {
        VariantType::NIL => Value::Null,
        VariantType::BOOL => Value::Bool(variant.booleanize()),
        VariantType::INT => Value::Int(variant.try_to().unwrap_or_default()),
        VariantType::FLOAT => Value::Float(variant.try_to().unwrap_or_default()),
        VariantType::STRING | VariantType::STRING_NAME => Value::Text(variant.stringify().to_string()),
        VariantType::ARRAY => {
            check_depth(depth + 1)?;
            let array = variant.try_to::<AnyArray>().map_err(|_| InfoError::Type(kind))?;
            let values = array.iter_shared().map(|each| from_variant(&each, depth + 1));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        VariantType::DICTIONARY => {
            let dictionary = variant.try_to::<AnyDictionary>().map_err(|_| InfoError::Type(kind))?;
            Value::Dictionary(entries(&dictionary, depth + 1)?)
        }
        _ => return Err(InfoError::Type(kind)),
    })
}

fn to_variant(value: &Value) -> Variant {
    match value {
        Value::Null => Variant::nil(),
        Value::Bool(value) => value.to_variant(),
        Value::Int(value) => value.to_variant(),
        Value::Float(value) => value.to_variant(),
        Value::Text(text) => GString::from(text).to_variant(),
        Value::Array(values) => values.iter().map(to_variant).collect::<VarArray>().to_variant(),
        Value::Dictionary(entries) => to_entries(entries).to_variant(),
    }
}

fn to_entries(entries: &[(Value, Value)]) -> VarDictionary {
    entries.iter().map(|(key, value)| (to_variant(key), to_variant(value))).collect()
}

/// Before the core looks: what contains itself has no end.
const fn check_depth(depth: usize) -> Result<(), QueryInfoError> {
    if depth > MAX_DEPTH { Err(QueryInfoError::TooDeep) } else { Ok(()) }
}
