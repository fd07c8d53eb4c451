//! Paths and names that differ between the two games.

use std::borrow::Cow;
use std::collections::HashMap;

/// What is called otherwise on the wire, as the 3.6 game has it, than in this game's tree.
#[derive(Default)]
pub(super) struct Names {
    /// The beginnings of paths: on the wire, and in the tree. The longest come first.
    paths: Vec<(String, String)>,
    pub(super) methods: Renames,
    pub(super) properties: Renames,
}

impl Names {
    /// The path of a node here as the other side has it.
    pub(super) fn wire_path<'a>(&self, tree: &'a str) -> Cow<'a, str> {
        replaced(tree, self.paths.iter().map(|(wire, tree)| (tree, wire)))
    }

    /// The path that the other side has sent, of a node here.
    pub(super) fn tree_path<'a>(&self, wire: &'a str) -> Cow<'a, str> {
        replaced(wire, self.paths.iter().map(|(wire, tree)| (wire, tree)))
    }

    pub(super) fn map_path(&mut self, wire: &str, tree: &str) {
        let (wire, tree) = (wire.trim_matches('/').to_owned(), tree.trim_matches('/').to_owned());
        self.paths.retain(|(known, _)| *known != wire);
        if wire != tree {
            self.paths.push((wire, tree));
        }
        self.paths.sort_by_key(|(wire, tree)| std::cmp::Reverse(wire.len().max(tree.len())));
    }
}

/// The first of the pairs whose first path the given one begins with takes its place.
fn replaced<'a, 'b>(path: &'a str, pairs: impl Iterator<Item = (&'b String, &'b String)>) -> Cow<'a, str> {
    pairs
        .filter_map(|(from, to)| {
            let rest = path.strip_prefix(from.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((from, to, rest))
        })
        .max_by_key(|(from, _, _)| from.len())
        .map_or(Cow::Borrowed(path), |(_, to, rest)| Cow::Owned(format!("{to}{rest}")))
}

/// Names of methods or properties.
#[derive(Default)]
pub(super) struct Renames {
    by_wire: HashMap<String, String>,
    by_name: HashMap<String, String>,
}

impl Renames {
    pub(super) fn map(&mut self, wire: String, name: String) {
        if let Some(old) = self.by_wire.remove(&wire) {
            self.by_name.remove(&old);
        }
        if wire != name {
            self.by_name.insert(name.clone(), wire.clone());
            self.by_wire.insert(wire, name);
        }
    }

    /// What this game's method or property is called on the wire.
    pub(super) fn wire<'a>(&'a self, name: &'a str) -> &'a str {
        self.by_name.get(name).map_or(name, String::as_str)
    }

    /// Which method or property of this game a name on the wire is.
    pub(super) fn name<'a>(&'a self, wire: &'a str) -> &'a str {
        self.by_wire.get(wire).map_or(wire, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_of_a_path_counts() {
        let mut names = Names::default();
        names.map_path("Main", "Game");
        names.map_path("Main/World", "Level");
        assert_eq!(names.tree_path("Main/Chat"), "Game/Chat");
        assert_eq!(names.tree_path("Main/World/Player"), "Level/Player");
        assert_eq!(names.wire_path("Level"), "Main/World");
        assert_eq!(names.wire_path("Game/Chat"), "Main/Chat");
        assert_eq!(names.tree_path("Mainland"), "Mainland");
    }

    #[test]
    fn a_second_mapping_takes_the_place_of_the_first() {
        let mut names = Renames::default();
        names.map("shoot".into(), "fire".into());
        names.map("shoot".into(), "fire_gun".into());
        assert_eq!(names.name("shoot"), "fire_gun");
        assert_eq!(names.wire("fire"), "fire");
        names.map("shoot".into(), "shoot".into());
        assert_eq!(names.wire("fire_gun"), "fire_gun");
    }
}
