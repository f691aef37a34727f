//! Texts that share their beginnings.

use std::collections::HashMap;

/// The tokens of some texts, where texts that begin alike share the rows of their beginning: in a causal tower
/// nothing that comes later changes those.
pub(super) struct PrefixTrie {
    /// The token of each row.
    pub(super) ids: Vec<u32>,
    /// For each row, the rows from the first of its text to itself.
    pub(super) paths: Vec<Vec<u32>>,
    /// The row of the last token of each text.
    pub(super) ends: Vec<u32>,
}

impl PrefixTrie {
    /// The tree of `texts`, each of at least one token.
    pub(super) fn of(texts: &[&[u32]]) -> Self {
        let mut tree = Self { ids: Vec::new(), paths: Vec::new(), ends: Vec::with_capacity(texts.len()) };
        let mut children: HashMap<(Option<u32>, u32), u32> = HashMap::new();
        for ids in texts {
            let mut end = None;
            for &id in *ids {
                let row = *children.entry((end, id)).or_insert_with(|| {
                    // A batch has fewer tokens than a `u32` counts.
                    let row = tree.ids.len() as u32;
                    let mut path = end.map_or_else(Vec::new, |end: u32| tree.paths[end as usize].clone());
                    path.push(row);
                    tree.ids.push(id);
                    tree.paths.push(path);
                    row
                });
                end = Some(row);
            }
            tree.ends.extend(end);
        }
        tree
    }

    pub(super) fn visible(&self) -> Vec<&[u32]> {
        self.paths.iter().map(Vec::as_slice).collect()
    }

    /// The position of each row within its texts.
    pub(super) fn positions(&self) -> Vec<u32> {
        self.paths.iter().map(|path| path.len() as u32 - 1).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::PrefixTrie;

    #[test]
    fn texts_share_their_beginning_and_nothing_else() {
        let tree = PrefixTrie::of(&[&[1, 2, 3, 9], &[1, 2, 4, 9], &[1, 2, 3], &[5, 2], &[1, 2, 3, 9]]);
        assert_eq!(tree.ids, [1, 2, 3, 9, 4, 9, 5, 2]);
        assert_eq!(tree.ends, [3, 5, 2, 7, 3]);
        assert_eq!(tree.paths[5], [0, 1, 4, 5]);
        assert_eq!(tree.positions(), [0, 1, 2, 3, 2, 3, 0, 1]);
    }
}
