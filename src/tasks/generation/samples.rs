//! Texts that are written token by token: one of the most probable tokens, or several of drawn ones.

use candle_transformers::generation::LogitsProcessor;

use super::sampling::TokenDistribution;
use super::{Continuation, Processors, Sampling, Written};
use crate::kernels;

/// What is to be written.
#[derive(Debug, Clone)]
pub struct SampleSettings {
    /// How many texts, at least 1: of the most probable tokens, they are all the same.
    pub count: usize,
    /// How tokens are drawn; where absent, the most probable one is taken.
    pub sampling: Option<Sampling>,
    /// New tokens after which every text ends (`max_new_tokens`), at least 1.
    pub max_tokens: usize,
    /// What becomes of the logits before.
    pub processors: Processors,
}

/// The state of the writing. Texts end at different times, and those that have ended go through no decoder.
pub struct Samples {
    settings: SampleSettings,
    /// New tokens so far of the texts under way.
    len: usize,
    texts: Vec<Text>,
    /// The places of the texts under way, in the order of their rows.
    running: Vec<usize>,
}

struct Text {
    written: Written,
    draws: Option<LogitsProcessor>,
}

impl Samples {
    /// Texts that have no new tokens.
    pub fn new(settings: SampleSettings) -> Self {
        let draws = |index| settings.sampling.as_ref().map(|sampling| sampling.draws(index));
        let text = |index| Text { written: Written::default(), draws: draws(index) };
        let texts: Vec<Text> = (0..settings.count.max(1)).map(text).collect();
        let running = (0..texts.len()).collect();
        Self { settings, len: 0, texts, running }
    }

    /// See [`Generation::advance`](super::Generation::advance).
    pub fn advance(&mut self, logits: &[f32]) -> Option<Continuation> {
        // What comes after the prompt is the same question for all.
        let asking = if self.len == 0 { self.running.len() } else { 1 };
        let vocab = logits.len() * asking / self.running.len().max(1);
        self.len += 1;
        let running = std::mem::take(&mut self.running);
        let mut next = Continuation { parents: Vec::new(), ids: Vec::new() };
        let rows = logits.chunks_exact(vocab.max(1)).zip(running.chunks(asking.max(1)));
        for (parent, (row, places)) in rows.enumerate() {
            for (&place, id) in places.iter().zip(self.choose(row, places)) {
                if let Some(id) = id {
                    next.parents.push(parent);
                    next.ids.push(id);
                    self.running.push(place);
                }
            }
        }
        (!self.running.is_empty()).then_some(next)
    }

    /// Adds one token to each of the texts at `places`, which have had the same tokens so far, and names those with
    /// which a text goes on.
    fn choose(&mut self, logits: &[f32], places: &[usize]) -> Vec<Option<u32>> {
        let SampleSettings { sampling, max_tokens, processors, .. } = &self.settings;
        let so_far = places.first().map_or(&[][..], |&place| &self.texts[place].written.ids);
        let mut scores = logits.to_vec();
        processors.apply(so_far, &mut scores);
        let distribution = match sampling {
            Some(sampling) => {
                sampling.warp(&mut scores);
                TokenDistribution::of(&scores)
            }
            None => None,
        };
        let log_probs = kernels::log_softmax(logits);
        let mut chosen = Vec::with_capacity(places.len());
        for &place in places {
            let Text { written, draws } = &mut self.texts[place];
            let id = match (&distribution, draws) {
                (Some(distribution), Some(draws)) => distribution.draw(draws),
                _ => most_probable(&scores),
            };
            // Where nothing may follow, the text ends.
            written.score += id.and_then(|id| log_probs.get(id as usize)).unwrap_or(&0.0);
            let id = id.filter(|&id| id != processors.end_token);
            written.ids.extend(id);
            chosen.push(id.filter(|_| self.len < *max_tokens));
        }
        chosen
    }

    /// How many texts there are.
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    /// The new tokens of the text that is the most probable so far; the first of equals.
    pub fn best(&self) -> &[u32] {
        let mut best = &self.texts[0].written;
        for Text { written, .. } in &self.texts {
            if written.score > best.score {
                best = written;
            }
        }
        &best.ids
    }

    /// All texts, the most probable first; equals in the order in which they were drawn.
    pub fn written(&self) -> Vec<Written> {
        let mut written: Vec<Written> = self.texts.iter().map(|text| text.written.clone()).collect();
        super::sort(&mut written);
        written
    }
}

/// The place of the largest score, the first of equals; nothing if no token can come.
fn most_probable(scores: &[f32]) -> Option<u32> {
    let (mut best, mut most) = (None, f32::NEG_INFINITY);
    for (id, &score) in (0u32..).zip(scores) {
        if score > most {
            (best, most) = (Some(id), score);
        }
    }
    best
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const END: u32 = 0;

    fn settings(count: usize, sampling: Option<Sampling>) -> SampleSettings {
        SampleSettings { count, sampling, max_tokens: 6, processors: Processors::none(END) }
    }

    /// Writes texts in a language of four tokens in which all that matters is how many there are: the end becomes
    /// likelier with each. Gives the texts and how many were under way at each step.
    fn write(settings: SampleSettings) -> (Vec<Written>, Vec<usize>) {
        let mut samples = Samples::new(settings);
        let (mut rows, mut running) = (1, vec![]);
        loop {
            let end = running.len() as f32 - 2.0;
            let logits: Vec<f32> = (0..rows).flat_map(|_| [end, 0.5, 0.0, -0.5]).collect();
            let Some(next) = samples.advance(&logits) else {
                return (samples.written(), running);
            };
            assert!(next.parents.is_sorted() && next.parents.iter().all(|&parent| parent < rows));
            rows = next.ids.len();
            running.push(rows);
        }
    }

    #[test]
    fn the_most_probable_tokens_need_no_chance() {
        let (texts, _) = write(settings(1, None));
        assert_eq!(texts[0].ids, [1, 1, 1]);
        let one = Sampling { top_k: 1, seed: 5, ..Sampling::default() };
        assert_eq!(write(settings(1, Some(one))).0, texts);
    }

    #[test]
    fn texts_end_at_different_times_and_are_those_of_their_seed() {
        let sampling = |seed| Some(Sampling { seed, ..Sampling::default() });
        let (texts, running) = write(settings(40, sampling(7)));
        assert_eq!(write(settings(40, sampling(7))).0, texts);
        assert_ne!(write(settings(40, sampling(8))).0, texts);
        assert!(running.is_sorted_by(|a, b| a >= b) && running[0] > *running.last().unwrap(), "{running:?}");
        assert!(texts.is_sorted_by(|a, b| a.score >= b.score));
        let lengths: std::collections::HashSet<usize> = texts.iter().map(|text| text.ids.len()).collect();
        assert!(lengths.len() > 3 && lengths.iter().all(|&length| length <= 6), "{lengths:?}");
        // A text alone is the first of several.
        let alone = write(settings(1, sampling(7))).0;
        assert!(texts.contains(&alone[0]));
    }

    #[test]
    fn the_score_is_the_sum_of_what_the_model_says() {
        let hot = Some(Sampling { temperature: 3.0, seed: 1, ..Sampling::default() });
        for text in write(settings(8, hot)).0 {
            let mut expected = 0.0;
            for step in 0..6 {
                let logits = [step as f32 - 2.0, 0.5, 0.0, -0.5];
                let id = text.ids.get(step).map_or(0, |&id| id as usize);
                expected += f64::from(kernels::log_softmax(&logits)[id]);
                if id == 0 {
                    break;
                }
            }
            assert!((f64::from(text.score) - expected).abs() < 1e-5, "{text:?} instead of {expected}");
        }
    }

    #[test]
    fn what_is_not_a_number_ends_the_text() {
        for sampling in [None, Some(Sampling { temperature: 0.5, top_k: 2, top_p: 0.5, seed: 1 })] {
            let mut samples = Samples::new(settings(2, sampling));
            assert_eq!(samples.advance(&[f32::NAN; 4]), None);
            assert!(samples.best().is_empty());
        }
    }

    #[test]
    fn where_nothing_may_follow_a_text_ends() {
        let mut settings = settings(3, Some(Sampling::default()));
        settings.processors.no_repeat_ngram_size = 1;
        settings.processors.min_tokens = 6;
        let (texts, _) = write(settings);
        assert!(texts.iter().all(|text| text.ids.len() == 3), "each token but the end once: {texts:?}");
    }
}
