//! Prompts that grow by one term at a time.

use super::TextFeatures;
use super::terms::dot;
use crate::Result;

/// What stands between the terms of a prompt.
pub(super) const SEPARATOR: &str = ", ";

/// Texts that are compared with an image, some at a time: the reference's `rank_top`. Of two that fit as well, the first wins.
#[derive(Debug)]
pub(super) struct Contest {
    texts: Vec<String>,
    /// Those that fit least win.
    reverse: bool,
    done: usize,
    /// Place and score of the best so far.
    best: Option<(usize, f32)>,
}

impl Contest {
    pub(super) fn new(texts: Vec<String>, reverse: bool) -> Self {
        Self { texts, reverse, done: 0, best: None }
    }

    /// How many texts have been read, and how many there are.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.done, self.texts.len())
    }

    /// Reads at most `limit` texts more. When all are read, gives the place of the best one and its score: its similarity, or
    /// that with its sign changed where `reverse`. None of no texts.
    pub(super) fn step(
        &mut self,
        features: &mut impl TextFeatures,
        image: &[f32],
        limit: usize,
    ) -> Result<Option<(usize, f32)>> {
        let end = self.texts.len().min(self.done + limit.max(1));
        let rows = features.embed(&self.texts[self.done..end])?;
        for (place, row) in (self.done..).zip(rows) {
            let similarity = dot(&row, image);
            let score = if self.reverse { -similarity } else { similarity };
            if self.best.is_none_or(|(_, best)| score > best) {
                self.best = Some((place, score));
            }
        }
        self.done = end;
        Ok(self.best.filter(|_| end == self.texts.len()))
    }

    /// The text at `place`.
    pub(super) fn take(mut self, place: usize) -> String {
        self.texts.swap_remove(place)
    }
}

/// How a chain goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChainSettings {
    /// So many terms are added even where they make the prompt worse.
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) reverse: bool,
}

/// A prompt that grows by the term that makes it fit the image best, until none does, or until the text tower has no room for
/// more: the reference's `chain`. The prompt that fitted best on the way is its answer.
#[derive(Debug)]
pub(super) struct Chain {
    settings: ChainSettings,
    /// Those that were not taken yet.
    phrases: Vec<String>,
    best: Scored,
    current: Scored,
    /// How many have been added to the first.
    added: usize,
    /// Which phrase comes next.
    contest: Contest,
}

/// A prompt, and how well it fits.
#[derive(Debug, Clone, Default)]
pub(super) struct Scored {
    pub(super) prompt: String,
    /// Its cosine with the image.
    pub(super) similarity: f32,
    /// What it is compared by.
    pub(super) score: f32,
}

impl Chain {
    /// A chain from `start`, or else from the best of `phrases`, each of which is taken once.
    pub(super) fn new(phrases: Vec<String>, start: Option<Scored>, settings: ChainSettings) -> Self {
        let current = start.unwrap_or_default();
        let contest = contest(&current.prompt, &phrases, settings.reverse);
        Self { settings, phrases, best: current.clone(), current, added: 0, contest }
    }

    /// The prompt that has fitted best so far; empty before there is one.
    pub(super) fn best(&self) -> &Scored {
        &self.best
    }

    pub(super) fn progress(&self) -> (usize, usize) {
        self.contest.progress()
    }

    /// Reads at most `limit` texts more. Returns whether it goes on.
    pub(super) fn step(
        &mut self,
        features: &mut impl TextFeatures,
        image: &[f32],
        limit: usize,
    ) -> Result<bool> {
        if self.phrases.is_empty() || self.added == self.settings.max {
            return Ok(false);
        }
        let Some((place, score)) = self.contest.step(features, image, limit)? else { return Ok(true) };
        let phrase = self.phrases.remove(place);
        let similarity = if self.settings.reverse { -score } else { score };
        if self.current.prompt.is_empty() {
            // The reference keeps the sign of the first one's similarity, also where `reverse` changes that of all others.
            self.current = Scored { prompt: phrase, similarity, score: similarity };
            self.best = self.current.clone();
        } else {
            let prompt = [&self.current.prompt, SEPARATOR, &phrase].concat();
            let longer = Scored { prompt, similarity, score };
            if score > self.best.score {
                self.best = longer.clone();
            }
            if score <= self.current.score && self.added >= self.settings.min {
                return Ok(false);
            }
            self.current = longer;
            self.added += 1;
            if features.fills_context(&self.current.prompt)? {
                return Ok(false);
            }
        }
        self.contest = contest(&self.current.prompt, &self.phrases, self.settings.reverse);
        Ok(!self.phrases.is_empty() && self.added < self.settings.max)
    }
}

/// Which of `phrases` is to follow `prompt`.
fn contest(prompt: &str, phrases: &[String], reverse: bool) -> Contest {
    let separator = if prompt.is_empty() { "" } else { SEPARATOR };
    let texts = phrases.iter().map(|phrase| [prompt, separator, phrase].concat()).collect();
    Contest::new(texts, reverse)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Texts whose similarity to the image `[1]` is written into a table, in a tower with room for so many terms.
    struct Table<'a>(&'a [(&'a str, f32)], usize);

    impl TextFeatures for Table<'_> {
        fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
            let of = |text: &String| self.0.iter().find(|(known, _)| known == text).map_or(0.0, |(_, x)| *x);
            Ok(texts.iter().map(|text| vec![of(text)]).collect())
        }

        fn fills_context(&self, text: &str) -> Result<bool> {
            Ok(text.split(SEPARATOR).count() >= self.1)
        }
    }

    fn run(
        table: &mut Table<'_>,
        phrases: &[&str],
        start: Option<Scored>,
        settings: ChainSettings,
    ) -> Scored {
        let phrases = phrases.iter().map(|&phrase| phrase.to_owned()).collect();
        let mut chain = Chain::new(phrases, start, settings);
        while chain.step(table, &[1.0], 2).unwrap() {}
        chain.best().clone()
    }

    const SETTINGS: ChainSettings = ChainSettings { min: 0, max: 9, reverse: false };

    fn caption() -> Option<Scored> {
        Some(Scored { prompt: "x".into(), similarity: 0.5, score: 0.5 })
    }

    #[test]
    fn grows_until_nothing_helps() {
        let table = &mut Table(&[("x, b", 0.6), ("x, b, a", 0.7), ("x, b, a, c", 0.65)], 9);
        assert_eq!(run(table, &["a", "b", "c", "d"], caption(), SETTINGS).prompt, "x, b, a");
        assert_eq!(run(table, &["a", "b"], caption(), SETTINGS).prompt, "x, b, a", "no phrase is left");
        let one = ChainSettings { max: 1, ..SETTINGS };
        assert_eq!(run(table, &["a", "b", "c"], caption(), one).prompt, "x, b");
        assert_eq!(run(table, &[], caption(), SETTINGS).prompt, "x");
    }

    #[test]
    fn goes_through_worse_prompts_at_first_and_answers_the_best() {
        let table = &mut Table(&[("x, b", 0.4), ("x, b, a", 0.3), ("x, b, a, c", 0.8)], 9);
        assert_eq!(run(table, &["a", "b", "c"], caption(), SETTINGS).prompt, "x");
        let two = ChainSettings { min: 2, ..SETTINGS };
        // What comes third is better than the second, though the first two were worse than none.
        assert_eq!(run(table, &["a", "b", "c"], caption(), two).prompt, "x, b, a, c");
    }

    #[test]
    fn ends_where_there_is_no_room() {
        let table = &mut Table(&[("x, a", 0.6), ("x, a, b", 0.7), ("x, a, b, c", 0.8)], 3);
        assert_eq!(run(table, &["a", "b", "c"], caption(), SETTINGS).prompt, "x, a, b");
    }

    #[test]
    fn the_first_of_two_that_fit_as_well_is_taken() {
        let table = &mut Table(&[("x, b", 0.6), ("x, c", 0.6)], 9);
        assert_eq!(run(table, &["a", "b", "c"], caption(), SETTINGS).prompt, "x, b");
    }

    #[test]
    fn in_reverse_the_first_keeps_its_sign() {
        let reverse = ChainSettings { min: 3, reverse: true, ..SETTINGS };
        let terms = ["a", "b", "c"];
        let table = &mut Table(&[("a", 0.2), ("b", 0.1), ("c", 0.3), ("b, a", -0.05), ("b, a, c", -0.2)], 9);
        assert_eq!(run(table, &terms, None, reverse).prompt, "b, a, c");
        // -0.05 with its sign changed is less than 0.1 as it is.
        let table = &mut Table(&[("a", 0.2), ("b", 0.1), ("c", 0.3), ("b, a", -0.05)], 9);
        assert_eq!(run(table, &terms, None, reverse).prompt, "b");
    }
}
