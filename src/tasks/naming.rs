//! What a captioner calls the things it sees.

use std::collections::HashMap;

use serde::Deserialize;

use super::kinds::Kinds;
use super::labels::{Label, LabelSet};
use super::scores::softmax;
use super::{ImageEncoding, Tagger};
use crate::text::{MAX_TEMPLATES, Templates};
use crate::{Error, ErrorKind, Result};

/// The most broader words that a word may have.
const MAX_BROADER: usize = 32;
/// The most words of one prompt.
const MAX_WORDS: usize = 8;
/// The template where the file names none.
const TEMPLATE: &str = "a photo of a {}.";

/// The prompt of some words, as the decoder was trained with.
pub(super) fn prompt_of(words: &[String]) -> String {
    format!("{} : ", words.join(", "))
}

/// Words to name things with, as the file `words.json` has them.
#[derive(Debug)]
pub(super) struct WordList {
    file: WordsFile,
    templates: Templates,
    /// For each broader word the places of the words that it stands for, its own among them.
    narrower: HashMap<String, Vec<usize>>,
}

#[derive(Debug, Deserialize)]
struct WordsFile {
    words: Vec<Word>,
    /// The sentences that words are written into.
    #[serde(default = "default_templates")]
    templates: Vec<String>,
    /// Sentences that name nothing.
    #[serde(default)]
    background: Vec<String>,
    /// What logits are divided by.
    #[serde(default = "one")]
    temperature: f32,
    /// The probability from which on a word is sure.
    threshold: f32,
    /// That of further words.
    also: Option<f32>,
    /// The most words of a prompt.
    #[serde(default = "one_word")]
    most: usize,
}

#[derive(Debug, Deserialize)]
struct Word {
    word: String,
    hint: Option<String>,
    /// The nearest first.
    #[serde(default)]
    broader: Vec<String>,
    /// What follows the word in a prompt where it is the best and sure: "golden retriever, dog".
    kind: Option<String>,
}

fn default_templates() -> Vec<String> {
    vec![TEMPLATE.to_owned()]
}

fn one() -> f32 {
    1.0
}

fn one_word() -> usize {
    1
}

impl WordList {
    /// Reads `words.json`.
    ///
    /// # Errors
    /// `ConfigInvalid`.
    pub(super) fn from_json(json: &[u8]) -> Result<Self> {
        let file: WordsFile = serde_json::from_slice(json).map_err(|error| {
            invalid("is not JSON with a list `words` and a number `threshold`").with_source(error)
        })?;
        let probability = |p: f32| (0.0..=1.0).contains(&p);
        if !probability(file.threshold) || !file.also.is_none_or(probability) {
            return Err(invalid("has a `threshold` or `also` that is not from 0 to 1"));
        }
        if !(0.01..=100.0).contains(&file.temperature) {
            return Err(invalid("has a `temperature` that is not from 0.01 to 100"));
        }
        if !(1..=MAX_WORDS).contains(&file.most) {
            return Err(invalid(&format!("has a `most` that is not from 1 to {MAX_WORDS}")));
        }
        if file.words.iter().any(|word| word.broader.len() > MAX_BROADER) {
            return Err(invalid(&format!("has a word with more than {MAX_BROADER} broader ones")));
        }
        if file.templates.len() > MAX_TEMPLATES {
            return Err(invalid(&format!("has more than {MAX_TEMPLATES} templates")));
        }
        let wrong = |what, error: Error| invalid(what).with_source(error);
        let templates = Templates::parse(&file.templates)
            .map_err(|error| wrong("has templates that cannot be used", error))?;
        let mut narrower: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, word) in file.words.iter().enumerate() {
            for name in std::iter::once(&word.word).chain(&word.broader) {
                let places = narrower.entry(name.clone()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        let list = Self { file, templates, narrower };
        list.set().map_err(|error| wrong("has words that cannot be used", error))?;
        list.background().map_err(|error| wrong("has a background that cannot be used", error))?;
        Ok(list)
    }

    /// Which of the words are kinds of which.
    pub(super) fn kinds(&self) -> Kinds {
        Kinds::new(
            self.labels()
                .zip(&self.file.words)
                .map(|(label, word)| (label.name, label.text(), &*word.broader)),
        )
    }

    fn labels(&self) -> impl Iterator<Item = Label<'_>> + Clone {
        self.file.words.iter().map(|word| Label { name: &word.word, hint: word.hint.as_deref() })
    }

    fn set(&self) -> Result<LabelSet> {
        LabelSet::new(&self.labels().collect::<Vec<_>>(), self.templates.clone())
    }

    fn background(&self) -> Result<Option<LabelSet>> {
        let labels: Vec<Label<'_>> = self.file.background.iter().map(|text| text.as_str().into()).collect();
        if labels.is_empty() { Ok(None) } else { LabelSet::new(&labels, Templates::bare()).map(Some) }
    }

    /// The words of a prompt, where each word has the probability in its place.
    ///
    /// It is the most probable one, if it is sure, and its kind; or else the nearest of its broader ones that is, whose probability is
    /// the sum of those of all words that it stands for. Without either there are none. Then come others that are sure by
    /// themselves.
    fn choose(&self, probabilities: &[f32]) -> Vec<String> {
        let WordsFile { words, threshold, also, most, .. } = &self.file;
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        let Some(&best) = order.first() else { return Vec::new() };
        let sum = |name: &String| -> f32 {
            self.narrower.get(name).into_iter().flatten().map(|&place| probabilities[place]).sum()
        };
        let sure = |name: &&String| sum(name) >= *threshold;
        let (first, kind) = if probabilities[best] >= *threshold {
            (Some(&words[best].word), words[best].kind.as_ref())
        } else {
            (words[best].broader.iter().find(sure), None)
        };
        let Some(first) = first else { return Vec::new() };
        let mut chosen = vec![first.clone()];
        for place in order {
            let word = &words[place];
            if chosen.len() >= *most || probabilities[place] < also.unwrap_or(*threshold) {
                break;
            }
            let broader = |name: &String| {
                self.narrower.get(&word.word).into_iter().flatten().any(|&place| words[place].word == *name)
            };
            let related = |name: &String| *name == word.word || word.broader.contains(name) || broader(name);
            if !chosen.iter().any(related) {
                chosen.push(word.word.clone());
            }
        }
        // A kind is no word of its own: it does not count, and keeps no other away.
        if let Some(kind) = kind.filter(|&kind| !chosen.contains(kind)) {
            chosen.insert(1, kind.clone());
        }
        chosen
    }
}

/// Words, with what it takes to see which of them an image shows.
pub(super) struct Naming {
    tagger: Tagger,
    list: WordList,
    set: LabelSet,
    background: Option<LabelSet>,
}

impl Naming {
    pub(super) fn new(tagger: Tagger, list: WordList) -> Result<Self> {
        Ok(Self { set: list.set()?, background: list.background()?, tagger, list })
    }

    /// How many prompts the words are encoded with.
    pub(super) fn total(&self) -> usize {
        self.set.prompts() + self.background.as_ref().map_or(0, LabelSet::prompts)
    }

    /// How many of them are still to be encoded.
    pub(super) fn pending(&self) -> usize {
        self.set.pending() + self.background.as_ref().map_or(0, LabelSet::pending)
    }

    /// Encodes at most `limit` more. Returns how many are left.
    pub(super) fn encode(&mut self, limit: usize) -> Result<usize> {
        let next = self.background.as_mut().filter(|background| background.pending() > 0);
        self.tagger.encode_labels(next.unwrap_or(&mut self.set), limit)?;
        Ok(self.pending())
    }

    /// The words that an image shows.
    pub(super) fn words(&self, encoding: &ImageEncoding) -> Result<Vec<String>> {
        if self.pending() > 0 {
            let message = "The words that captions name things with are not all encoded yet.";
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        let image = self.tagger.embedding_of(encoding)?;
        let mut logits = match &self.background {
            None => self.tagger.logits(&image, &self.set)?,
            Some(background) => {
                let offset = self.tagger.none_offset();
                let (mut logits, none) = self.tagger.logits_beside(&image, &self.set, background, offset)?;
                logits.push(none);
                logits
            }
        };
        logits.iter_mut().for_each(|logit| *logit /= self.list.file.temperature);
        softmax(&mut logits);
        Ok(self.list.choose(&logits))
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::ConfigInvalid, format!("The file words.json {what}."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILE: &str = r#"{"threshold": 0.5, "also": 0.2, "most": 2, "words": [
        {"word": "collie", "broader": ["dog", "animal"], "kind": "dog"},
        {"word": "poodle", "hint": "a dog", "broader": ["dog", "animal"]},
        {"word": "cat", "broader": ["animal"]},
        {"word": "dog", "broader": ["animal"]},
        {"word": "ball"}]}"#;

    #[test]
    fn the_nearest_broader_word_that_is_sure_is_taken() {
        let list = WordList::from_json(FILE.as_bytes()).unwrap();
        for (probabilities, expected) in [
            ([0.8, 0.1, 0.0, 0.1, 0.0], &["collie", "dog"][..]),
            ([0.3, 0.15, 0.1, 0.1, 0.0], &["dog"]),
            ([0.3, 0.05, 0.2, 0.05, 0.0], &["animal"]),
            ([0.3, 0.0, 0.1, 0.0, 0.1], &[]),
            ([0.3, 0.0, 0.3, 0.0, 0.1], &["animal"]),
            ([0.1, 0.0, 0.1, 0.0, 0.1], &[]),
            // Others that are sure by themselves, and neither broader nor narrower.
            ([0.5, 0.0, 0.0, 0.2, 0.3], &["collie", "dog", "ball"]),
            ([0.1, 0.1, 0.0, 0.2, 0.25], &[]),
            ([0.1, 0.0, 0.5, 0.2, 0.2], &["cat", "dog"]),
            ([0.0, 0.0, 0.0, 0.0, 1.0], &["ball"]),
        ] {
            assert_eq!(list.choose(&probabilities), expected, "{probabilities:?}");
        }
        assert_eq!(prompt_of(&["dog".to_owned(), "ball".to_owned()]), "dog, ball : ");
        assert_eq!(prompt_of(&[]), " : ");
    }

    #[test]
    fn what_is_not_a_list_of_words_is_refused() {
        for wrong in [
            "",
            "[]",
            r#"{"words": []}"#,
            r#"{"words": [], "threshold": 0.5}"#,
            r#"{"words": [{"word": " "}], "threshold": 0.5}"#,
            r#"{"words": [{"word": "x"}], "threshold": 1.5}"#,
            r#"{"words": [{"word": "x"}], "threshold": 0.5, "also": -1}"#,
            r#"{"words": [{"word": "x"}], "threshold": 0.5, "most": 0}"#,
            r#"{"words": [{"word": "x"}], "threshold": 0.5, "temperature": 0}"#,
            r#"{"words": [{"word": "x"}], "threshold": 0.5, "templates": ["x"]}"#,
            r#"{"words": [{"word": "x"}], "threshold": 0.5, "templates": []}"#,
            r#"{"words": [{"word": "x"}], "threshold": 0.5, "background": [""]}"#,
        ] {
            assert_eq!(WordList::from_json(wrong.as_bytes()).unwrap_err().kind(), ErrorKind::ConfigInvalid);
        }
    }
}
