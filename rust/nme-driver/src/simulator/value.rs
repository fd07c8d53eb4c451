//! Values as users write them.

use std::fmt;

/// Of a setting, whatever it may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A number without a point.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// Something else, in words.
    Other(String),
}

impl Value {
    /// Reads a part of a text.
    pub(super) fn read(text: &str) -> Self {
        if let Ok(value) = text.parse() {
            Self::Bool(value)
        } else if let Ok(value) = text.parse() {
            Self::Integer(value)
        } else if let Ok(value) = text.parse() {
            Self::Float(value)
        } else {
            Self::Text(text.to_owned())
        }
    }

    pub(super) const fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Bool(_) | Self::Text(_) | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(out),
            Self::Integer(value) => value.fmt(out),
            Self::Float(value) => value.fmt(out),
            Self::Text(value) => {
                let shown: String = value.chars().take(SHOWN_CHARACTERS).collect();
                write!(out, "\"{shown}\"")
            }
            Self::Other(value) => value.fmt(out),
        }
    }
}

/// Characters of a text that an error shows.
const SHOWN_CHARACTERS: usize = 80;
