//! A set of labels whose embeddings are computed bit by bit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::embedding_cache::TemplateEntries;
use super::kinds::Kinds;
use super::texts::{Noun, check_count, check_text};
use crate::Result;
use crate::text::Templates;

/// The most labels that one set may have.
pub const MAX_LABELS: usize = 10_000;

/// The most characters (Unicode scalar values) that one label may have, its hint included.
///
/// Models see some 70 tokens at most, so a longer text is not a label but a mistake.
pub const MAX_LABEL_CHARS: usize = 1_000;

const LABEL: Noun = Noun { one: "Label", many: "labels" };
const TEXT: Noun = Noun { one: "Text", many: "texts" };

/// How many labels go through several templates together. Texts that begin alike share their beginning, so one
/// template is taken after the other; and whoever stops loses no more than these labels' embeddings.
const ROUND: usize = 16;

/// A label, and the sense that is meant where the word has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label<'a> {
    /// The label itself, such as `bat`.
    pub name: &'a str,
    /// The sense as it follows the label in a sentence, such as `a type of animal`; an empty one is none.
    pub hint: Option<&'a str>,
}

impl<'a> From<&'a str> for Label<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, hint: None }
    }
}

impl Label<'_> {
    /// What takes the place of `{}`: "bat, a type of animal".
    pub(super) fn text(&self) -> String {
        match self.hint {
            Some(hint) if !hint.trim().is_empty() => [self.name, ", ", hint].concat(),
            _ => self.name.to_owned(),
        }
    }
}

/// Labels to be written into prompt templates, and those of their embeddings that are known already.
///
/// A model may know a broad word less well than its kinds, and have a list of them (`words.json`): such a label fits a picture
/// as well as the best of itself and those of its kinds that no other label of the set stands for.
///
/// A set is made by [`Tagger::labels`](super::Tagger::labels) and its like, and belongs to that tagger. Computing the
/// embeddings of thousands of labels takes seconds, so it goes in steps
/// ([`Tagger::encode_labels`](super::Tagger::encode_labels)) between which a caller can show progress or stop.
#[derive(Debug)]
pub struct LabelSet {
    templates: Templates,
    /// What takes the place of `{}`, for each label, and then for each kind of a broad one.
    texts: Vec<String>,
    /// Places of the kinds among `texts`, for each label.
    kinds: Vec<Vec<usize>>,
    /// Unit-length embeddings of `texts[..embeddings.len()]`.
    embeddings: Vec<Arc<[f32]>>,
    round: Option<Round>,
}

/// Labels on their way through all templates.
#[derive(Debug, Default)]
struct Round {
    /// What the next labels of the set get.
    slots: Vec<Slot>,
    /// Places of the labels whose embeddings are computed, each text once.
    fresh: Vec<usize>,
    /// For each of them, the sum of the embeddings of its prompts so far.
    sums: Vec<Vec<f32>>,
    /// Prompts that are done: all labels in the first template, then all in the second, and so on.
    done: usize,
}

#[derive(Debug)]
enum Slot {
    Known(Arc<[f32]>),
    /// That of [`Round::fresh`] with this index.
    Fresh(usize),
}

impl LabelSet {
    /// Checks `labels`, which are to be written into `templates`; computes nothing.
    ///
    /// # Errors
    /// `LabelsEmpty`, `LabelsTooMany` (over [`MAX_LABELS`]), `LabelEmpty` (nothing but white space),
    /// `LabelTooLong` (over [`MAX_LABEL_CHARS`]).
    pub(super) fn new(labels: &[Label<'_>], templates: Templates) -> Result<Self> {
        // Bare texts are no labels of anything.
        let noun = if templates.is_bare() { TEXT } else { LABEL };
        check_count(noun, labels.len())?;
        let mut texts = Vec::with_capacity(labels.len());
        for (label, number) in labels.iter().zip(1..) {
            check_text(noun, number, label.name)?;
            texts.push(label.text());
            check_text(noun, number, &texts[number - 1])?;
        }
        let kinds = vec![Vec::new(); texts.len()];
        Ok(Self { templates, texts, kinds, embeddings: Vec::new(), round: None })
    }

    /// The same set, in which a broad label has also the embeddings of its `kinds`.
    pub(super) fn with_kinds(mut self, kinds: &Kinds) -> Self {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (label, kinds) in kinds.of(self.texts.iter().map(String::as_str)).into_iter().enumerate() {
            for text in kinds {
                let place = *places.entry(text).or_insert_with_key(|text| {
                    self.texts.push(text.clone());
                    self.texts.len() - 1
                });
                self.kinds[label].push(place);
            }
        }
        self
    }

    /// For each label the place of what fits best, the label itself or one of its kinds, and how well; `fits` says how well
    /// each text of the set does.
    pub(super) fn best(&self, fits: &[f32]) -> Vec<(usize, f32)> {
        let better = |best: usize, &place: &usize| if fits[place] > fits[best] { place } else { best };
        let best = self.kinds.iter().enumerate().map(|(label, kinds)| kinds.iter().fold(label, better));
        best.map(|place| (place, fits[place])).collect()
    }

    /// How many labels the set has; never 0.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// How many prompts the set has: each label, and each kind of a broad one, in each template.
    pub fn prompts(&self) -> usize {
        self.texts.len() * self.templates.count()
    }

    /// How many prompts are still to be encoded; 0 once the embeddings of all labels are known.
    pub fn pending(&self) -> usize {
        let done = self.round.as_ref().map_or(0, |round| round.done);
        (self.texts.len() - self.embeddings.len()) * self.templates.count() - done
    }

    /// How many of them are not `known` either.
    pub(super) fn waiting(&self, known: Option<&TemplateEntries>) -> usize {
        let count = self.templates.count();
        let round = self.round.as_ref();
        let begun = self.embeddings.len() + round.map_or(0, |round| round.slots.len());
        let is_known = |text: &str| known.is_some_and(|known| known.contains_key(text));
        let rest = self.texts[begun..].iter().map(String::as_str).filter(|&text| !is_known(text));
        rest.collect::<HashSet<_>>().len() * count
            + round.map_or(0, |round| round.fresh.len() * count - round.done)
    }

    /// The unit-length embeddings of labels known so far, in their order.
    pub fn embeddings(&self) -> &[Arc<[f32]>] {
        &self.embeddings[..self.embeddings.len().min(self.len())]
    }

    /// Those, and behind them the ones of kinds.
    pub(super) fn all_embeddings(&self) -> &[Arc<[f32]>] {
        &self.embeddings
    }

    /// The templates that the labels are written into.
    pub(super) fn templates(&self) -> &Templates {
        &self.templates
    }

    /// The texts whose embeddings are known, with them.
    pub(super) fn encoded(&self) -> impl Iterator<Item = (&String, &Arc<[f32]>)> {
        self.texts.iter().zip(&self.embeddings)
    }

    /// The prompts to be encoded next, at most `limit` of them; none where the rest is on `known`.
    pub(super) fn next_prompts(&mut self, known: Option<&TemplateEntries>, limit: usize) -> Vec<String> {
        let count = self.templates.count();
        let size = if count == 1 { limit } else { ROUND };
        let begun = self.round.take().unwrap_or_else(|| self.begin(known, size));
        let round = self.round.insert(begun);
        let labels = round.fresh.len();
        (round.done..(labels * count).min(round.done + limit))
            .map(|prompt| self.templates.fill(prompt / labels, &self.texts[round.fresh[prompt % labels]]))
            .collect()
    }

    /// Takes the unit-length embeddings of the prompts that came last. Where that completes labels, those that
    /// were not known are returned with their texts.
    pub(super) fn take(&mut self, rows: Vec<Vec<f32>>) -> Vec<(String, Arc<[f32]>)> {
        let Some(mut round) = self.round.take() else { return Vec::new() };
        let labels = round.fresh.len();
        for row in rows {
            match round.sums.get_mut(round.done % labels) {
                Some(sum) => sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x),
                None => round.sums.push(row),
            }
            round.done += 1;
        }
        let count = self.templates.count();
        if round.done < labels * count {
            self.round = Some(round);
            return Vec::new();
        }
        let fresh: Vec<(String, Arc<[f32]>)> = (round.fresh.iter().zip(round.sums))
            .map(|(&place, mut sum)| {
                if count > 1 {
                    normalise(&mut sum);
                }
                (self.texts[place].clone(), sum.into())
            })
            .collect();
        self.embeddings.extend(round.slots.into_iter().map(|slot| match slot {
            Slot::Known(embedding) => embedding,
            Slot::Fresh(index) => fresh[index].1.clone(),
        }));
        fresh
    }

    /// The round of the next labels, in which at most `size` are not `known`.
    fn begin(&self, known: Option<&TemplateEntries>, size: usize) -> Round {
        let mut round = Round::default();
        let mut met: HashMap<&str, usize> = HashMap::new();
        for (place, text) in self.texts.iter().enumerate().skip(self.embeddings.len()) {
            let slot = if let Some(embedding) = known.and_then(|known| known.get(text)) {
                Slot::Known(embedding.clone())
            } else if let Some(&index) = met.get(text.as_str()) {
                Slot::Fresh(index)
            } else if round.fresh.len() < size {
                met.insert(text, round.fresh.len());
                round.fresh.push(place);
                Slot::Fresh(round.fresh.len() - 1)
            } else {
                break;
            };
            round.slots.push(slot);
        }
        round
    }
}

/// Scales `vector` to Euclidean length 1; a zero vector stays as it is.
pub(super) fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ErrorKind;

    fn set<'a>(labels: &[impl Into<Label<'a>> + Copy]) -> Result<LabelSet> {
        let labels: Vec<Label<'a>> = labels.iter().map(|&label| label.into()).collect();
        LabelSet::new(&labels, Templates::parse(&["a {}", "{} b"]).unwrap())
    }

    #[test]
    fn refuses_what_is_not_a_label() {
        let kind = |labels: &[&str]| set(labels).unwrap_err().kind();
        let long = "x".repeat(MAX_LABEL_CHARS + 1);
        assert_eq!(kind(&[]), ErrorKind::LabelsEmpty);
        assert_eq!(kind(&["cat", " \t\n"]), ErrorKind::LabelEmpty);
        assert_eq!(kind(&[&long]), ErrorKind::LabelTooLong);
        assert_eq!(kind(&["cat"; MAX_LABELS + 1]), ErrorKind::LabelsTooMany);
        let hinted =
            |name, hint| set(&[Label { name, hint: Some(hint) }]).map(|set| set.texts).map_err(|e| e.kind());
        assert_eq!(hinted("", "an animal"), Err(ErrorKind::LabelEmpty));
        assert_eq!(hinted("bat", &long[2..]), Err(ErrorKind::LabelTooLong));
        assert_eq!(hinted("bat", " "), Ok(vec!["bat".to_owned()]));
        assert_eq!(hinted("bat", "an animal"), Ok(vec!["bat, an animal".to_owned()]));
    }

    #[test]
    fn counts_characters_and_not_bytes() {
        let set = set(&[&*"é".repeat(MAX_LABEL_CHARS)]).unwrap();
        assert_eq!((set.len(), set.prompts(), set.pending()), (1, 2, 2));
    }

    #[test]
    fn names_the_wrong_label_by_its_place() {
        assert_eq!(set(&["cat", ""]).unwrap_err().to_string(), "Label 2 is empty.");
        let texts = LabelSet::new(&["cat".into(), "".into()], Templates::bare());
        assert_eq!(texts.unwrap_err().to_string(), "Text 2 is empty.");
    }

    #[test]
    fn averages_over_the_templates_step_by_step() {
        let mut set = set(&["x", "y", "x", "z"]).unwrap();
        // "z" is known from before; of the others, three of four prompts go first.
        let z: Arc<[f32]> = [1.0, 0.0].into();
        let known = TemplateEntries::from([("z".to_owned(), z.clone())]);
        assert_eq!(set.next_prompts(Some(&known), 3), ["a x", "a y", "x b"]);
        let rows = vec![vec![1.0, 0.0], vec![0.0, 1.0], vec![0.0, 1.0]];
        assert!(set.take(rows).is_empty());
        assert_eq!((set.pending(), set.embeddings().len()), (5, 0));
        assert_eq!(set.next_prompts(Some(&known), 3), ["y b"]);
        let fresh = set.take(vec![vec![0.0, 1.0]]);
        let half = std::f32::consts::FRAC_1_SQRT_2;
        assert_eq!(fresh, [("x".to_owned(), [half, half].into()), ("y".to_owned(), [0.0, 1.0].into())]);
        assert_eq!(set.pending(), 0);
        assert_eq!(set.embeddings(), [fresh[0].1.clone(), fresh[1].1.clone(), fresh[0].1.clone(), z]);
    }

    #[test]
    fn only_what_nobody_knows_waits() {
        let mut set = set(&["x", "y", "x", "z"]).unwrap();
        let known = TemplateEntries::from([("z".to_owned(), [1.0, 0.0].into())]);
        assert_eq!((set.pending(), set.waiting(None), set.waiting(Some(&known))), (8, 6, 4));
        set.next_prompts(Some(&known), 3);
        set.take(vec![vec![1.0, 0.0]; 3]);
        assert_eq!(set.waiting(Some(&known)), 1);
        set.next_prompts(Some(&known), 3);
        set.take(vec![vec![1.0, 0.0]]);
        assert_eq!((set.pending(), set.waiting(None)), (0, 0));
    }

    #[test]
    fn a_zero_vector_stays_finite() {
        let mut vector = [0.0; 4];
        normalise(&mut vector);
        assert_eq!(vector, [0.0; 4]);
    }
}
