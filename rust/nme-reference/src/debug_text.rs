//! Numbers that the engine shows in its debug text only.

use std::fmt::{self, Debug, Write as _};

/// The numbers behind these names, in the order of the text; 0 for what is not there.
pub(crate) fn numbers<const N: usize>(value: &impl Debug, names: [&'static str; N]) -> [u32; N] {
    let mut reader = Reader { names, found: [0; N], next: 0, is_value: false };
    // An error is how the reader says that it has seen enough.
    let _ = write!(reader, "{value:?}");
    reader.found
}

struct Reader<const N: usize> {
    names: [&'static str; N],
    found: [u32; N],
    next: usize,
    is_value: bool,
}

impl<const N: usize> fmt::Write for Reader<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_value
            && let Ok(number) = text.parse()
        {
            self.is_value = false;
            if let Some(found) = self.found.get_mut(self.next) {
                *found = number;
            }
            self.next += 1;
        }
        let name = self.names.get(self.next).ok_or(fmt::Error)?;
        self.is_value |= text == *name;
        Ok(())
    }
}
