//! Broad words by their kinds: a picture of a beagle shows a dog, though a small model may know the word "beagle" better.

use std::collections::HashMap;

/// What may stand before a word in a text that is nothing but the word.
const BEGINNINGS: [&str; 4] = ["a ", "an ", "the ", "photo of "];

/// A word, and what is narrower.
#[derive(Debug)]
struct Entry {
    /// As it is written into a sentence, its hint included.
    text: String,
    /// Places of the words that are narrower.
    narrower: Vec<usize>,
    /// Places of the words that are broader.
    broader: Vec<usize>,
}

/// The words that a model knows, and which of them are kinds of which.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
}

impl Kinds {
    /// Of each word: the word, its text in a sentence, and all words that are broader.
    pub(super) fn new<'a>(words: impl Iterator<Item = (&'a str, String, &'a [String])> + Clone) -> Self {
        let places: HashMap<String, usize> =
            words.clone().enumerate().map(|(place, (word, ..))| (word.to_lowercase(), place)).collect();
        let mut entries: Vec<Entry> = (words.clone())
            .map(|(_, text, _)| Entry { text, narrower: Vec::new(), broader: Vec::new() })
            .collect();
        for (place, (.., broader)) in words.enumerate() {
            for above in broader.iter().filter_map(|word| places.get(&word.to_lowercase())) {
                if *above != place && !entries[place].broader.contains(above) {
                    entries[place].broader.push(*above);
                    entries[*above].narrower.push(place);
                }
            }
        }
        Self { entries, places }
    }

    /// For each of `texts` the texts of its kinds, where it is a broad word, with or without an article: but for those that
    /// another of `texts` is, or has among its own. ("dog" beside "hound" stands for the other dogs.)
    pub(super) fn of<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Vec<Vec<String>> {
        let found: Vec<Option<(&str, usize)>> = texts.map(|text| self.find(text)).collect();
        let mut given = vec![false; self.entries.len()];
        found.iter().flatten().for_each(|&(_, place)| given[place] = true);
        let kinds = |(before, place): (&str, usize)| {
            // Another text that is a kind of this one stands for its own kinds.
            let is_between = |other: &usize| given[*other] && self.entries[*other].broader.contains(&place);
            let left = (self.entries[place].narrower.iter())
                .filter(|&&kind| !given[kind] && !self.entries[kind].broader.iter().any(is_between));
            left.map(|&kind| [before, &self.entries[kind].text].concat()).collect()
        };
        found.into_iter().map(|found| found.map(kinds).unwrap_or_default()).collect()
    }

    /// The place of the word that a text is, and what stands before it.
    fn find<'a>(&self, text: &'a str) -> Option<(&'a str, usize)> {
        let mut word = text.trim();
        while let Some(rest) = BEGINNINGS.iter().find_map(|beginning| word.strip_prefix(beginning)) {
            word = rest;
        }
        // Without a hint: a text with one is about a sense of its own.
        let place = *self.places.get(&word.to_lowercase())?;
        let before = text.trim().strip_suffix(word)?;
        Some((before, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds() -> Kinds {
        let words: [(&str, &str, &[&str]); 6] = [
            ("animal", "animal", &[]),
            ("dog", "dog", &["animal"]),
            ("hound", "hound", &["dog", "animal"]),
            ("beagle", "beagle", &["hound", "dog", "animal"]),
            ("pug", "pug, a type of dog", &["dog", "animal", "unknown"]),
            ("ball", "ball", &[]),
        ];
        let words = words.map(|(word, text, broader)| {
            (word, text.to_owned(), broader.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
        });
        Kinds::new(words.iter().map(|(word, text, broader)| (*word, text.clone(), &broader[..])))
    }

    #[test]
    fn a_broad_word_stands_for_its_kinds() {
        let of = |texts: &[&str]| kinds().of(texts.iter().copied());
        assert_eq!(of(&["dog"]), [["hound", "beagle", "pug, a type of dog"]]);
        assert_eq!(
            of(&[" Dog ", "ball", "zebra"]),
            [vec!["hound", "beagle", "pug, a type of dog"], vec![], vec![]]
        );
        assert_eq!(of(&["a photo of a hound"]), [["a photo of a beagle"]]);
        assert_eq!(of(&["the dog house"]), [[""; 0]]);
    }

    #[test]
    fn what_another_label_stands_for_is_left_to_it() {
        let of = |texts: &[&str]| kinds().of(texts.iter().copied());
        assert_eq!(of(&["dog", "hound"]), [vec!["pug, a type of dog"], vec!["beagle"]]);
        assert_eq!(of(&["animal", "dog"]), [vec![], vec!["hound", "beagle", "pug, a type of dog"]]);
        assert_eq!(of(&["dog", "beagle"]), [vec!["hound", "pug, a type of dog"], vec![]]);
    }
}
