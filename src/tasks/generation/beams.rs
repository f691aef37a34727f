//! Beam search: several captions at a time, of which the most probable are kept.
//!
//! Step for step that of `transformers` (`GenerationMixin._beam_search`, version 5).

use super::{Continuation, Processors, Written};
use crate::kernels;

/// What a search is after. The names are those of `GenerationConfig` in `transformers`.
#[derive(Debug, Clone)]
pub struct BeamSettings {
    /// Captions that go on at each step, at least 1.
    pub num_beams: usize,
    /// New tokens after which every caption ends (`max_new_tokens`), at least 1.
    pub max_tokens: usize,
    /// The power of its length that a caption's log-probability is divided by: above 0, longer captions gain.
    pub length_penalty: f32,
    /// Whether to stop as soon as `num_beams` captions have ended, better ones in sight or not.
    pub early_stopping: bool,
    /// What becomes of the log-probabilities before.
    pub processors: Processors,
}

/// The state of a search.
#[derive(Debug)]
pub struct BeamSearch {
    settings: BeamSettings,
    /// New tokens so far.
    len: usize,
    /// Those under way, best first; their scores lack the length penalty.
    running: Vec<Written>,
    /// The best that have ended, best first, at most `num_beams`.
    finished: Vec<Written>,
    /// Whether a running caption may still become better than the finished ones.
    improvable: bool,
}

impl BeamSearch {
    /// A search before its first step, with one caption that has no new tokens.
    pub fn new(settings: BeamSettings) -> Self {
        Self { settings, len: 0, running: vec![Written::default()], finished: Vec::new(), improvable: true }
    }

    /// Takes the logits of the next token, one row for each running caption, and says how they go on; nothing
    /// if the search has ended.
    pub fn advance(&mut self, logits: &[f32]) -> Option<Continuation> {
        let BeamSettings { num_beams, max_tokens, early_stopping, .. } = self.settings;
        let end_token = self.settings.processors.end_token;
        let candidates = self.candidates(logits);
        if candidates.is_empty() {
            // Nothing may follow: what is there is what was found.
            let running = std::mem::take(&mut self.running);
            self.finish(running);
            return None;
        }
        self.len += 1;
        let all_end = self.len >= max_tokens;
        let ends = |candidate: &Candidate| all_end || candidate.id == end_token;
        // Those behind the best `num_beams` are only there so that enough of them go on.
        let ended = candidates.iter().take(num_beams).filter(|candidate| ends(candidate));
        self.finish(ended.map(|candidate| self.extended(candidate)).collect());

        let next: Vec<&Candidate> =
            candidates.iter().filter(|candidate| !ends(candidate)).take(num_beams).collect();
        self.running = next.iter().map(|candidate| self.extended(candidate)).collect();
        let full = self.finished.len() >= num_beams;
        if full {
            let best = self.running.first().map_or(f32::NEG_INFINITY, |beam| self.penalised(beam.score));
            let worst = self.finished.last().map_or(f32::NEG_INFINITY, |beam| beam.score);
            self.improvable &= best > worst;
        }
        if self.running.is_empty() || !self.improvable || full && early_stopping {
            self.running.clear();
            return None;
        }
        Some(Continuation {
            parents: next.iter().map(|candidate| candidate.parent).collect(),
            ids: next.iter().map(|candidate| candidate.id).collect(),
        })
    }

    /// The captions found, best first: those that have ended, at most `num_beams`, or, before any has, those that
    /// run.
    pub fn written(&self) -> &[Written] {
        if self.finished.is_empty() { &self.running } else { &self.finished }
    }

    /// The new tokens of the best caption, without the one that ends it.
    pub fn best(&self) -> &[u32] {
        self.written().first().map_or(&[], |beam| &beam.ids)
    }

    /// The best continuations of all running captions, best first: twice as many as there are beams, so that
    /// enough of them go on even if one of each caption ends. Those that may not follow are none.
    fn candidates(&self, logits: &[f32]) -> Vec<Candidate> {
        let keep = 2 * self.settings.num_beams;
        let vocab = logits.len() / self.running.len().max(1);
        let mut best: Vec<Candidate> = Vec::with_capacity(keep + 1);
        // What a score has to be above.
        let mut least = f32::NEG_INFINITY;
        for (parent, (row, beam)) in logits.chunks_exact(vocab.max(1)).zip(&self.running).enumerate() {
            let mut log_probs = kernels::log_softmax(row);
            self.settings.processors.apply(&beam.ids, &mut log_probs);
            for (id, log_prob) in (0u32..).zip(log_probs) {
                let score = log_prob + beam.score;
                if score > least {
                    // Among equals, the first stays first.
                    let at = best.partition_point(|other| other.score >= score);
                    best.insert(at, Candidate { parent, id, score });
                    best.truncate(keep);
                    if best.len() == keep {
                        least = best.last().map_or(least, |last| last.score);
                    }
                }
            }
        }
        best
    }

    /// Counts `ended`, whose scores lack the length penalty, among the finished.
    fn finish(&mut self, ended: Vec<Written>) {
        let BeamSettings { num_beams, early_stopping, .. } = self.settings;
        if self.finished.len() >= num_beams && early_stopping {
            return;
        }
        for Written { ids, score } in ended {
            let score = self.penalised(score);
            self.finished.push(Written { ids, score });
        }
        super::sort(&mut self.finished);
        self.finished.truncate(num_beams);
    }

    fn extended(&self, candidate: &Candidate) -> Written {
        let mut ids = self.running.get(candidate.parent).map_or_else(Vec::new, |beam| beam.ids.clone());
        if candidate.id != self.settings.processors.end_token {
            ids.push(candidate.id);
        }
        Written { ids, score: candidate.score }
    }

    /// `score` with the penalty of the present length.
    fn penalised(&self, score: f32) -> f32 {
        let penalised = score / (self.len as f32).powf(self.settings.length_penalty);
        // 0 / 0, of a sure caption and an extreme penalty.
        if penalised.is_nan() { score } else { penalised }
    }
}

/// One way to go on.
#[derive(Debug)]
struct Candidate {
    parent: usize,
    id: u32,
    /// Log-probability of the whole caption.
    score: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 0;

    fn settings(num_beams: usize, max_tokens: usize) -> BeamSettings {
        BeamSettings {
            num_beams,
            max_tokens,
            length_penalty: 1.0,
            early_stopping: false,
            processors: Processors::none(END),
        }
    }

    /// Runs a search over a language in which what comes next depends on the token before.
    fn search(settings: BeamSettings, table: &[[f32; 4]; 4]) -> Vec<u32> {
        let mut search = BeamSearch::new(settings);
        let mut last = vec![3];
        loop {
            let logits: Vec<f32> =
                last.iter().flat_map(|&id: &u32| table[id as usize].map(f32::ln)).collect();
            match search.advance(&logits) {
                Some(next) => last = next.ids,
                None => return search.best().to_vec(),
            }
        }
    }

    /// After 3 comes 1 or, a little less probably, 2; after 1 anything, and after 2 surely the end.
    const GARDEN_PATH: [[f32; 4]; 4] = [
        [1.0, 1e-9, 1e-9, 1e-9],
        [0.31, 0.35, 0.34, 1e-9],
        [0.999, 1e-9, 1e-9, 1e-3],
        [1e-9, 0.55, 0.45, 1e-9],
    ];

    #[test]
    fn looks_further_than_the_most_probable_token() {
        let mut plain = settings(1, 3);
        plain.length_penalty = 0.0;
        assert_eq!(search(plain.clone(), &GARDEN_PATH)[0], 1);
        plain.num_beams = 2;
        assert_eq!(search(plain, &GARDEN_PATH), [2]);
    }

    #[test]
    fn no_caption_ends_before_its_time_or_goes_on_after_it() {
        for num_beams in 1..4 {
            let mut bounded = settings(num_beams, 5);
            bounded.processors.min_tokens = 4;
            let found = search(bounded, &GARDEN_PATH);
            assert!((4..=5).contains(&found.len()), "{found:?}");
        }
    }

    #[test]
    fn stops_early_where_asked() {
        let steps = |early_stopping| {
            let mut settings = settings(2, 50);
            (settings.early_stopping, settings.length_penalty) = (early_stopping, 4.0);
            let mut search = BeamSearch::new(settings);
            let (mut steps, mut last) = (0, vec![3]);
            loop {
                let logits: Vec<f32> =
                    last.iter().flat_map(|&id: &u32| GARDEN_PATH[id as usize].map(f32::ln)).collect();
                steps += 1;
                match search.advance(&logits) {
                    Some(next) => last = next.ids,
                    None => return steps,
                }
            }
        };
        assert!(steps(true) < steps(false), "{} and {}", steps(true), steps(false));
    }

    #[test]
    fn a_vocabulary_smaller_than_the_search_is_enough() {
        let mut search = BeamSearch::new(settings(8, 2));
        let next =
            search.advance(&[0.0, 1.0, 2.0]).unwrap_or_else(|| Continuation { parents: vec![], ids: vec![] });
        assert_eq!((next.parents, next.ids), (vec![0, 0], vec![2, 1]));
        assert_eq!(search.advance(&[0.0; 6]), None);
        assert!(!search.best().is_empty());
    }

    #[test]
    fn all_that_was_found_comes_best_first() {
        let mut search = BeamSearch::new(settings(3, 4));
        let mut last = vec![3];
        while let Some(next) = search.advance(
            &last.iter().flat_map(|&id: &u32| GARDEN_PATH[id as usize].map(f32::ln)).collect::<Vec<_>>(),
        ) {
            last = next.ids;
        }
        let found = search.written();
        assert_eq!((found.len(), &*found[0].ids), (3, search.best()));
        assert!(found.is_sorted_by(|a, b| a.score > b.score), "{found:?}");
        // 3 -> 2 -> the end: two new tokens.
        let sure = found.iter().find(|text| text.ids == [2]).map(|text| text.score);
        let expected = f32::ln(0.45 * 0.999) / 2.0;
        assert!(sure.is_some_and(|score| (score - expected).abs() < 1e-3), "{found:?}");
    }

    #[test]
    fn where_nothing_may_follow_the_search_ends() {
        let mut settings = settings(2, 9);
        settings.processors.no_repeat_ngram_size = 1;
        settings.processors.min_tokens = 9;
        let found = search(settings, &GARDEN_PATH);
        assert_eq!(found.len(), 3, "each token but the end once: {found:?}");
        let mut none = BeamSearch::new(BeamSettings { length_penalty: f32::MIN, ..self::settings(2, 1) });
        assert_eq!(none.advance(&[f32::NAN; 4]), None);
        assert_eq!(none.written(), [Written::default()]);
    }
}
