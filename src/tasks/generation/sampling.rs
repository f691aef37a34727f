//! Drawing tokens by their probability.
//!
//! The draw itself is that of candle's `LogitsProcessor`, whose generator gives the same numbers on every machine. What is
//! drawn from is made here: the processor's top-k and top-p are not quite those of the reference, as of several equals at
//! the edge of the best `k` it keeps some, and its top-p after a top-k counts probabilities that no longer add up to 1.

use candle_core::{Device, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling as Draw};

/// Temperature, top-k and top-p, applied in this order as `transformers` does, and what the draws begin with.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// What scores are divided by; finite and above 0. Below 1 the probable becomes more probable.
    pub temperature: f32,
    /// Only this many of the most probable tokens can come, and their equals; at least 1.
    pub top_k: usize,
    /// Of these, only the fewest whose probabilities add up to this, above 0 and at most 1 (Holtzman et al., "The
    /// Curious Case of Neural Text Degeneration", 2020).
    pub top_p: f64,
    /// The same seed draws the same tokens.
    pub seed: u64,
}

/// The defaults of `generate` with `do_sample`, and the seed 0.
impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 1.0, top_k: 50, top_p: 1.0, seed: 0 }
    }
}

impl Sampling {
    /// Changes the `scores` of all tokens: the softmax of what they become is what is drawn from. Tokens that cannot
    /// come have the score negative infinity; one that is not infinite stays.
    pub fn warp(&self, scores: &mut [f32]) {
        let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if best > f32::NEG_INFINITY {
            self.heat(scores, best);
            self.keep_best(scores);
            self.keep_nucleus(scores);
        }
    }

    /// Divides by the temperature.
    fn heat(&self, scores: &mut [f32], best: f32) {
        if self.temperature == 1.0 {
            return;
        }
        if (best / self.temperature).is_finite() {
            scores.iter_mut().for_each(|score| *score /= self.temperature);
        } else {
            // A temperature so near to 0 leaves nothing but the best.
            for score in scores {
                *score = if *score == best { 0.0 } else { f32::NEG_INFINITY };
            }
        }
    }

    /// Top-k.
    fn keep_best(&self, scores: &mut [f32]) {
        if self.top_k >= scores.len() {
            return;
        }
        let mut sorted = scores.to_vec();
        let (_, &mut least, _) =
            sorted.select_nth_unstable_by(self.top_k.saturating_sub(1), |a, b| b.total_cmp(a));
        for score in scores.iter_mut().filter(|score| **score < least) {
            *score = f32::NEG_INFINITY;
        }
    }

    /// Top-p.
    fn keep_nucleus(&self, scores: &mut [f32]) {
        if self.top_p >= 1.0 {
            return;
        }
        let mut rising: Vec<usize> = (0..scores.len()).filter(|&i| scores[i] > f32::NEG_INFINITY).collect();
        rising.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let Some((&best, others)) = rising.split_last() else { return };
        let max = scores[best];
        let weight = |score: f32| f64::from((score - max).exp());
        let total: f64 = rising.iter().map(|&i| weight(scores[i])).sum();
        // Probabilities, their sum and what is left out of it are rounded where the reference rounds them.
        let out = (1.0 - self.top_p) as f32;
        let mut sum = 0.0;
        for &i in others {
            sum += f64::from((weight(scores[i]) / total) as f32);
            if sum as f32 > out {
                break;
            }
            scores[i] = f32::NEG_INFINITY;
        }
    }

    /// What draws the tokens of the text `index` of several: the first one's are those of a text alone.
    pub(super) fn draws(&self, index: usize) -> LogitsProcessor {
        // The golden ratio's bits keep the seeds of several texts apart from those that people choose.
        let seed = self.seed ^ (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        LogitsProcessor::from_sampling(seed, Draw::All { temperature: 1.0 })
    }
}

/// The tokens that can come, with their scores, to draw from.
pub(super) struct TokenDistribution {
    ids: Vec<u32>,
    scores: Tensor,
}

impl TokenDistribution {
    /// Those of the `scores` of all tokens; nothing if no token can come.
    pub(super) fn of(scores: &[f32]) -> Option<Self> {
        let (ids, scores): (Vec<u32>, Vec<f32>) =
            (0u32..).zip(scores).filter(|(_, score)| **score > f32::NEG_INFINITY).unzip();
        let scores = Tensor::new(scores, &Device::Cpu).ok().filter(|_| !ids.is_empty())?;
        Some(Self { ids, scores })
    }

    /// One of them, by the softmax of their scores.
    pub(super) fn draw(&self, draws: &mut LogitsProcessor) -> Option<u32> {
        let place = draws.sample(&self.scores).ok()?;
        self.ids.get(place as usize).copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NEVER: f32 = f32::NEG_INFINITY;

    fn warped(sampling: &Sampling, scores: [f32; 4]) -> [f32; 4] {
        let mut scores = scores;
        sampling.warp(&mut scores);
        scores
    }

    #[test]
    fn equals_at_the_edge_of_the_best_stay_together() {
        let two = Sampling { top_k: 2, ..Sampling::default() };
        assert_eq!(warped(&two, [1.0, 2.0, 1.0, 0.0]), [1.0, 2.0, 1.0, NEVER]);
    }

    #[test]
    fn the_nucleus_is_of_what_the_best_have_left() {
        // Probabilities 0.4, 0.3, 0.2, 0.1; of the best two, 4/7 and 3/7.
        let scores = [0.4f32, 0.3, 0.2, 0.1].map(f32::ln);
        let with = |top_k, top_p| Sampling { top_k, top_p, ..Sampling::default() };
        let kept = |sampling| warped(&sampling, scores).map(|score| score > NEVER);
        assert_eq!(kept(with(4, 0.45)), [true, true, false, false]);
        assert_eq!(kept(with(2, 0.45)), [true, false, false, false]);
        assert_eq!(kept(with(4, 1e-9)), [true, false, false, false]);
    }

    #[test]
    fn extremes_leave_something_to_draw() {
        let scores = [1e38, -1e38, NEVER, 5.0];
        for temperature in [1e-45, 1e-30, 1.0, 1e38] {
            for top_k in [1, 2, 4, usize::MAX] {
                for top_p in [1e-300, 0.5, 1.0] {
                    let sampling = Sampling { temperature, top_k, top_p, seed: 1 };
                    let warped = warped(&sampling, scores);
                    assert!(warped.iter().all(|score| *score < f32::INFINITY), "{sampling:?}: {warped:?}");
                    let id = TokenDistribution::of(&warped).unwrap().draw(&mut sampling.draws(3));
                    assert!(id.is_some_and(|id| id != 2), "{sampling:?}");
                }
            }
        }
        let mut none = [NEVER; 3];
        Sampling { temperature: 0.5, ..Sampling::default() }.warp(&mut none);
        assert!(TokenDistribution::of(&none).is_none());
    }

    #[test]
    fn a_seed_draws_the_same_tokens_by_their_probability() {
        // Probabilities 0.6, 0.3 and 0.1 among tokens that cannot come.
        let scores = [NEVER, 0.6f32.ln(), NEVER, 0.3f32.ln(), 0.1f32.ln()];
        let distribution = TokenDistribution::of(&scores).unwrap();
        let drawn = |seed| {
            let mut draws = Sampling { seed, ..Sampling::default() }.draws(0);
            (0..2000).map(|_| distribution.draw(&mut draws).unwrap()).collect::<Vec<_>>()
        };
        let ids = drawn(42);
        assert_eq!(ids, drawn(42));
        assert_ne!(ids, drawn(43));
        for (id, expected) in [(0, 0.0), (1, 0.6), (2, 0.0), (3, 0.3), (4, 0.1)] {
            let share = ids.iter().filter(|&&drawn| drawn == id).count() as f32 / 2000.0;
            assert!((share - expected).abs() < 0.05, "token {id}: {share}");
        }
    }
}
