//! What is done to the scores of all tokens before one is chosen, however it is.

/// The processors of `transformers` in the order in which it applies them: repetition penalty, n-grams, length.
/// With beams they act on log-probabilities, else on logits.
#[derive(Debug, Clone)]
pub struct Processors {
    /// What every text begins with. It counts as said for the first two, and not as new for the third.
    pub prompt: Vec<u32>,
    /// What the score of a token that was said is divided by where it is above 0, and multiplied with where it is
    /// below; above 0, and 1 changes nothing (Keskar et al., "CTRL", 2019).
    pub repetition_penalty: f32,
    /// As many tokens in a row never come twice; 0 allows it.
    pub no_repeat_ngram_size: usize,
    /// New tokens before which a text does not end (`min_new_tokens`).
    pub min_tokens: usize,
    /// The token that ends a text.
    pub end_token: u32,
}

impl Processors {
    /// Those that change nothing.
    pub fn none(end_token: u32) -> Self {
        Self {
            prompt: Vec::new(),
            repetition_penalty: 1.0,
            no_repeat_ngram_size: 0,
            min_tokens: 0,
            end_token,
        }
    }

    /// Changes the `scores` of all tokens for the text of the prompt and the tokens `new`, which lack the one that
    /// ends it. What may not follow has the score negative infinity; no score becomes any other infinity.
    pub fn apply(&self, new: &[u32], scores: &mut [f32]) {
        if self.repetition_penalty != 1.0 {
            self.penalise(new, scores);
        }
        if self.no_repeat_ngram_size > 0 {
            self.forbid_repetition(new, scores);
        }
        if new.len() < self.min_tokens {
            forbid(scores, self.end_token);
        }
    }

    fn penalise(&self, new: &[u32], scores: &mut [f32]) {
        // A token that was said twice is punished once.
        let mut said = [&self.prompt, new].concat();
        said.sort_unstable();
        said.dedup();
        for id in said {
            if let Some(score) = scores.get_mut(id as usize) {
                let less = if *score < 0.0 {
                    *score * self.repetition_penalty
                } else {
                    *score / self.repetition_penalty
                };
                *score = less.clamp(f32::MIN, f32::MAX);
            }
        }
    }

    fn forbid_repetition(&self, new: &[u32], scores: &mut [f32]) {
        let text = [&self.prompt, new].concat();
        let size = self.no_repeat_ngram_size;
        let Some(begin) = (text.len() + 1).checked_sub(size) else { return };
        for ngram in text.windows(size) {
            if let Some((&last, before)) = ngram.split_last()
                && *before == text[begin..]
            {
                forbid(scores, last);
            }
        }
    }
}

fn forbid(scores: &mut [f32], id: u32) {
    if let Some(score) = scores.get_mut(id as usize) {
        *score = f32::NEG_INFINITY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: f32 = f32::NEG_INFINITY;

    fn processed(processors: &Processors, new: &[u32], scores: [f32; 5]) -> [f32; 5] {
        let mut scores = scores;
        processors.apply(new, &mut scores);
        scores
    }

    #[test]
    fn what_was_said_is_punished_once_on_its_side_of_zero() {
        let processors = Processors { prompt: vec![1, 2], repetition_penalty: 2.0, ..Processors::none(0) };
        let scores = [1.0, 1.0, -1.0, 0.0, -1.0];
        assert_eq!(processed(&processors, &[2, 3, 1, 900], scores), [1.0, 0.5, -2.0, 0.0, -1.0]);
        let much = Processors { repetition_penalty: 1e-38, ..processors };
        assert_eq!(processed(&much, &[], [0.0, 1e30, -1e30, 0.0, 0.0])[1], f32::MAX, "not infinite");
    }

    #[test]
    fn rows_of_tokens_do_not_come_twice() {
        let with = |no_repeat_ngram_size| Processors {
            prompt: vec![4, 1, 2],
            no_repeat_ngram_size,
            ..Processors::none(0)
        };
        // 4 1 2 3 1 has "1 2", and "3 1".
        let scores = [0.0; 5];
        assert_eq!(processed(&with(1), &[3, 1], scores), [0.0, NEVER, NEVER, NEVER, NEVER]);
        assert_eq!(processed(&with(2), &[3, 1], scores), [0.0, 0.0, NEVER, 0.0, 0.0]);
        assert_eq!(processed(&with(3), &[3, 1], scores), scores);
        assert_eq!(processed(&with(3), &[4, 1], scores), [0.0, 0.0, NEVER, 0.0, 0.0]);
        for longer in 4..8 {
            assert_eq!(processed(&with(longer), &[4, 1], scores), scores);
        }
    }

    #[test]
    fn a_text_does_not_end_before_its_time() {
        let processors = Processors { prompt: vec![1; 7], min_tokens: 2, ..Processors::none(3) };
        assert_eq!(processed(&processors, &[1], [1.0; 5]), [1.0, 1.0, 1.0, NEVER, 1.0]);
        assert_eq!(processed(&processors, &[1, 1], [1.0; 5]), [1.0; 5]);
    }
}
