//! Beam search: several captions at a time, of which the most probable is kept.
//!
//! Step for step that of `transformers` (`GenerationMixin._beam_search`, version 5), without a model: who calls
//! it brings the logits, so that all beams go through the decoder as one batch.

use std::cmp::Ordering;

/// What a search is after. The names are those of `GenerationConfig` in `transformers`.
#[derive(Debug, Clone)]
pub struct BeamSettings {
    /// Captions that go on at each step, at least 1.
    pub num_beams: usize,
    /// New tokens before which no caption may end (`min_new_tokens`).
    pub min_tokens: usize,
    /// New tokens after which every caption ends (`max_new_tokens`), at least 1.
    pub max_tokens: usize,
    /// The power of its length that a caption's log-probability is divided by: above 0, longer captions gain.
    pub length_penalty: f32,
    /// Whether to stop as soon as `num_beams` captions have ended, better ones in sight or not.
    pub early_stopping: bool,
    /// The token that ends a caption.
    pub end_token: u32,
}

/// A caption on its way, or at its end.
#[derive(Debug, Clone, Default)]
struct Beam {
    /// The new tokens, without the one that ends it.
    ids: Vec<u32>,
    /// Sum of log-probabilities; of a caption at its end, with the length penalty.
    score: f32,
}

/// The state of a search.
#[derive(Debug)]
pub struct BeamSearch {
    settings: BeamSettings,
    /// New tokens so far.
    len: usize,
    running: Vec<Beam>,
    /// The best that have ended, best first, at most `num_beams`.
    finished: Vec<Beam>,
    /// Whether a running caption may still become better than the finished ones.
    improvable: bool,
}

/// How the running captions go on: caption `i` is caption `parents[i]` of before with the token `ids[i]`.
#[derive(Debug, PartialEq, Eq)]
pub struct Continuation {
    /// Places among the captions before.
    pub parents: Vec<usize>,
    /// The next tokens.
    pub ids: Vec<u32>,
}

impl BeamSearch {
    /// A search before its first step, with one caption that has no new tokens.
    pub fn new(settings: BeamSettings) -> Self {
        Self { settings, len: 0, running: vec![Beam::default()], finished: Vec::new(), improvable: true }
    }

    /// Takes the logits of the next token, one row for each running caption, and says how they go on; nothing
    /// if the search has ended.
    pub fn advance(&mut self, logits: &[f32]) -> Option<Continuation> {
        let BeamSettings { num_beams, max_tokens, end_token, .. } = self.settings;
        let candidates = self.candidates(logits);
        self.len += 1;
        let all_end = self.len >= max_tokens;
        let ends = |candidate: &Candidate| all_end || candidate.id == end_token;
        // Those behind the best `num_beams` are only there so that enough of them go on.
        self.finish(candidates.iter().take(num_beams).filter(|candidate| ends(candidate)));

        let next: Vec<&Candidate> =
            candidates.iter().filter(|candidate| !ends(candidate)).take(num_beams).collect();
        self.running = next.iter().map(|candidate| self.extended(candidate)).collect();
        let full = self.finished.len() >= num_beams;
        if full {
            let best = self.running.first().map_or(f32::NEG_INFINITY, |beam| self.penalised(beam.score));
            let worst = self.finished.last().map_or(f32::NEG_INFINITY, |beam| beam.score);
            self.improvable &= best > worst;
        }
        if self.running.is_empty() || !self.improvable || full && self.settings.early_stopping {
            self.running.clear();
            return None;
        }
        Some(Continuation {
            parents: next.iter().map(|candidate| candidate.parent).collect(),
            ids: next.iter().map(|candidate| candidate.id).collect(),
        })
    }

    /// The new tokens of the best caption, without the one that ends it: of those that have ended or, before
    /// any has, of those that run.
    pub fn best(&self) -> &[u32] {
        self.finished.first().or(self.running.first()).map_or(&[], |beam| &beam.ids)
    }

    /// The best continuations of all running captions, best first: twice as many as there are beams, so that
    /// enough of them go on even if one of each caption ends.
    fn candidates(&self, logits: &[f32]) -> Vec<Candidate> {
        let keep = 2 * self.settings.num_beams;
        let vocab = logits.len() / self.running.len().max(1);
        let mut best: Vec<Candidate> = Vec::with_capacity(keep + 1);
        for (parent, (row, beam)) in logits.chunks_exact(vocab.max(1)).zip(&self.running).enumerate() {
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let log_sum = row.iter().map(|logit| (logit - max).exp()).sum::<f32>().ln();
            for (id, logit) in (0u32..).zip(row) {
                let score = (logit - max - log_sum) + beam.score;
                let forbidden = self.len < self.settings.min_tokens && id == self.settings.end_token;
                if forbidden || best.len() == keep && best.last().is_some_and(|last| score <= last.score) {
                    continue;
                }
                // Among equals, the first stays first.
                let at = best.partition_point(|other| other.score >= score);
                best.insert(at, Candidate { parent, id, score });
                best.truncate(keep);
            }
        }
        best
    }

    fn finish<'a>(&mut self, ended: impl Iterator<Item = &'a Candidate>) {
        let full = self.finished.len() >= self.settings.num_beams;
        if full && self.settings.early_stopping {
            return;
        }
        for candidate in ended {
            let mut beam = self.extended(candidate);
            beam.score = self.penalised(beam.score);
            self.finished.push(beam);
        }
        self.finished.sort_by(|a, b| b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal));
        self.finished.truncate(self.settings.num_beams);
    }

    fn extended(&self, candidate: &Candidate) -> Beam {
        let mut ids = self.running.get(candidate.parent).map_or_else(Vec::new, |beam| beam.ids.clone());
        if candidate.id != self.settings.end_token {
            ids.push(candidate.id);
        }
        Beam { ids, score: candidate.score }
    }

    /// `score` with the penalty of the present length.
    fn penalised(&self, score: f32) -> f32 {
        score / (self.len as f32).powf(self.settings.length_penalty)
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
            min_tokens: 0,
            max_tokens,
            length_penalty: 1.0,
            early_stopping: false,
            end_token: END,
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
            bounded.min_tokens = 4;
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
}
