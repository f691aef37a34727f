//! What a caller may ask of the writing, and the checks of it.

use super::{BeamSearch, BeamSettings, Generation, Processors, SampleSettings, Samples, Sampling};
use crate::models::blip::MAX_SIDE_BY_SIDE;
use crate::{Error, ErrorKind, Result};

/// How many tokens a caption may have where the caller does not say.
pub const DEFAULT_MAX_TOKENS: usize = 30;
/// The most beams of a search.
pub const MAX_BEAMS: usize = MAX_SIDE_BY_SIDE;
/// The most captions at once.
pub const MAX_CAPTIONS: usize = MAX_SIDE_BY_SIDE;

/// How a caption is written.
#[derive(Debug, Clone, Default)]
pub struct CaptionOptions {
    /// Text that the caption continues, such as `a picture of`; the caption begins with it.
    pub prompt: Option<String>,
    /// The most new tokens, the prompt not counted (`max_new_tokens` of `transformers`); at least 1.
    /// [`DEFAULT_MAX_TOKENS`] where absent.
    pub max_tokens: Option<usize>,
    /// New tokens before which the caption does not end (`min_new_tokens`).
    pub min_tokens: usize,
    /// What the score of a token that was said before is divided by, above 0; 1 where absent. More makes captions
    /// repeat themselves less.
    pub repetition_penalty: Option<f32>,
    /// As many tokens in a row, at least 1, never come twice; any may where absent.
    pub no_repeat_ngram_size: Option<usize>,
    /// How many captions are tried side by side, 1 to [`MAX_BEAMS`]; the most probable is kept. The most probable
    /// token at each step (1) where absent.
    pub num_beams: Option<usize>,
    /// With beams, the power of its length that a caption's log-probability is divided by; 1 where absent. More
    /// makes captions longer.
    pub length_penalty: Option<f32>,
    /// With beams, whether to stop as soon as that many captions have ended.
    pub early_stopping: bool,
    /// How tokens are drawn by their probability, without beams; where absent, none is.
    pub sampling: Option<Sampling>,
    /// How many captions are wanted (`num_return_sequences`), 1 to [`MAX_CAPTIONS`]: at most as many as there are
    /// beams or, in sampling, as many as there are draws. 1 where absent.
    pub num_captions: Option<usize>,
}

impl CaptionOptions {
    /// The writing of at most `max_tokens` new tokens after `prompt`, which ends with `end_token`.
    ///
    /// # Errors
    /// `ArgumentInvalid` for each option outside its range, and for those that exclude each other.
    pub(in super::super) fn generation(
        &self,
        prompt: &[u32],
        max_tokens: usize,
        end_token: u32,
    ) -> Result<Generation> {
        let processors = self.processors(prompt, max_tokens, end_token)?;
        let num_beams = self.num_beams.unwrap_or(1);
        demand((1..=MAX_BEAMS).contains(&num_beams), || {
            format!("numBeams is {num_beams}; it must be 1 to {MAX_BEAMS}.")
        })?;
        let length_penalty = self.length_penalty.unwrap_or(1.0);
        demand(length_penalty.is_finite(), || "lengthPenalty must be a finite number.".to_owned())?;
        let count = self.num_captions.unwrap_or(1);
        demand((1..=MAX_CAPTIONS).contains(&count), || {
            format!("numCaptions is {count}; it must be 1 to {MAX_CAPTIONS}.")
        })?;
        if let Some(sampling) = &self.sampling {
            check_sampling(sampling)?;
            demand(num_beams == 1, || {
                format!(
                    "numBeams is {num_beams}, and temperature, topK, topP and seed draw captions: only one of both can be."
                )
            })?;
        } else {
            demand(count <= num_beams, || {
                format!(
                    "numCaptions is {count}; without sampling, numBeams must be at least that, and it is {num_beams}."
                )
            })?;
        }
        if num_beams == 1 {
            let sampling = self.sampling.clone();
            return Ok(Generation::Samples(Samples::new(SampleSettings {
                count,
                sampling,
                max_tokens,
                processors,
            })));
        }
        let early_stopping = self.early_stopping;
        let settings = BeamSettings { num_beams, max_tokens, length_penalty, early_stopping, processors };
        Ok(Generation::Beams { search: BeamSearch::new(settings), count })
    }

    fn processors(&self, prompt: &[u32], max_tokens: usize, end_token: u32) -> Result<Processors> {
        let min_tokens = self.min_tokens;
        demand(min_tokens <= max_tokens, || {
            format!("minTokens is {min_tokens}, more than maxTokens, which is {max_tokens}.")
        })?;
        let repetition_penalty = self.repetition_penalty.unwrap_or(1.0);
        demand(repetition_penalty.is_finite() && repetition_penalty > 0.0, || {
            format!("repetitionPenalty is {repetition_penalty}; it must be a number above 0.")
        })?;
        demand(self.no_repeat_ngram_size != Some(0), || {
            "noRepeatNgramSize is 0; it must be at least 1.".to_owned()
        })?;
        let no_repeat_ngram_size = self.no_repeat_ngram_size.unwrap_or(0);
        Ok(Processors {
            prompt: prompt.to_vec(),
            repetition_penalty,
            no_repeat_ngram_size,
            min_tokens,
            end_token,
        })
    }
}

fn check_sampling(&Sampling { temperature, top_k, top_p, .. }: &Sampling) -> Result<()> {
    demand(temperature.is_finite() && temperature > 0.0, || {
        format!("temperature is {temperature}; it must be a number above 0.")
    })?;
    demand(top_k >= 1, || "topK is 0; it must be at least 1.".to_owned())?;
    demand(top_p > 0.0 && top_p <= 1.0, || format!("topP is {top_p}; it must be above 0 and at most 1."))
}

fn demand(condition: bool, sentence: impl FnOnce() -> String) -> Result<()> {
    if condition { Ok(()) } else { Err(Error::new(ErrorKind::ArgumentInvalid, sentence())) }
}
