//! Zero-shot tagging with CLIP.

use std::collections::HashMap;
use std::sync::Arc;

use super::{LabelSet, Look, ModelFiles, check_picture_size, check_vocabulary, no_numbers, pixel_batch};
use crate::image::{Preprocessor, PreprocessorKind, RgbImage};
use crate::models::clip::{ClipConfig, ClipModel};
use crate::text::{ClipTokenizer, Template};
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// How many prompts' embeddings are remembered between label sets (2 KB each at 512 dimensions).
///
/// More than [`MAX_LABELS`](super::MAX_LABELS), so that editing the largest set re-encodes only what changed.
const MAX_REMEMBERED: usize = 16_384;

/// How many prompts go through the text tower at once: enough to fill the matrix kernels, few enough to
/// bound the memory of the activations.
const TEXT_BATCH: usize = 64;

/// The small files of a CLIP model, read and checked against each other.
pub struct TaggerFiles {
    config: ClipConfig,
    preprocessor: Preprocessor,
    tokenizer: ClipTokenizer,
}

impl TaggerFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// `ConfigInvalid`, `PreprocessorInvalid`, `TokenizerInvalid`: a file is malformed, or does not fit the
    /// others.
    pub fn read(files: ModelFiles) -> Result<Self> {
        let config = ClipConfig::from_json(files.config)?;
        let preprocessor = Preprocessor::from_json(files.preprocessor, PreprocessorKind::Clip)?;
        check_picture_size(&preprocessor, config.vision.image_size)?;
        let tokenizer = ClipTokenizer::from_json(files.tokenizer, config.text.max_position_embeddings)?;
        check_vocabulary(tokenizer.vocab_size(), config.text.vocab_size)?;
        let end = tokenizer.end_token();
        if config.text.pooled(&[end]).is_none() {
            return Err(Error::new(
                ErrorKind::TokenizerInvalid,
                format!(
                    "tokenizer.json ends texts with the token {end}, but config.json with {}.",
                    config.text.eos_token_id
                ),
            ));
        }
        Ok(Self { config, preprocessor, tokenizer })
    }

    /// Beginnings of the names of tensors that the model does without: none.
    pub fn unused(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Scores an image against labels, as `transformers`' `CLIPModel` does: the softmax over
/// `logit_scale * cos(image, text)`.
///
/// ```no_run
/// use ocelli::tasks::{ModelFiles, Tagger, TaggerFiles};
/// # use ocelli::weights::Weights;
/// # fn tag(files: ModelFiles, weights: Weights, bytes: &[u8]) -> ocelli::Result<Vec<f32>> {
/// let mut tagger = Tagger::new(TaggerFiles::read(files)?, weights)?;
/// let mut labels = tagger.labels(&["cat", "dog"], "a photo of a {}.")?;
/// let scores = tagger.tag(&ocelli::image::decode(bytes)?, &mut labels)?; // [p(cat), p(dog)]
/// # Ok(scores) }
/// ```
pub struct Tagger {
    pub(super) model: ClipModel,
    preprocessor: Preprocessor,
    tokenizer: ClipTokenizer,
    /// Unit-length text embeddings by prompt.
    remembered: HashMap<String, Arc<[f32]>>,
}

impl Tagger {
    /// Builds the model that `files` describe.
    ///
    /// # Errors
    /// `WeightsMismatch` names the tensors that are missing, misshapen or unknown to the model.
    pub fn new(files: TaggerFiles, weights: Weights) -> Result<Self> {
        let TaggerFiles { config, preprocessor, tokenizer } = files;
        let model = ClipModel::new(&config, weights)?;
        Ok(Self { model, preprocessor, tokenizer, remembered: HashMap::new() })
    }

    /// Checks `labels` and writes each into `template`, a text with one `{}`. Computes nothing yet.
    ///
    /// # Errors
    /// `TemplateInvalid`, and those that [`LabelSet`] lists for labels.
    pub fn labels<S: AsRef<str>>(&self, labels: &[S], template: &str) -> Result<LabelSet> {
        LabelSet::new(labels, &Template::parse(template)?)
    }

    /// Computes the embeddings of the next labels of `set`, at most `limit` of them through the model
    /// (embeddings known from earlier sets are free), and returns how many are still pending.
    pub fn encode_labels(&mut self, set: &mut LabelSet, limit: usize) -> Result<usize> {
        let mut taken = 0;
        let mut fresh: Vec<&str> = Vec::new();
        for prompt in set.pending_prompts() {
            if !self.remembered.contains_key(prompt) && !fresh.contains(&prompt.as_str()) {
                if fresh.len() == limit.clamp(1, TEXT_BATCH) {
                    break;
                }
                fresh.push(prompt);
            }
            taken += 1;
        }
        let embeddings = self.text_embeddings(&fresh)?;
        let fresh: HashMap<String, Arc<[f32]>> =
            fresh.into_iter().map(str::to_owned).zip(embeddings.into_iter().map(Arc::from)).collect();

        let next: Vec<Arc<[f32]>> = set.pending_prompts()[..taken]
            .iter()
            .filter_map(|prompt| fresh.get(prompt).or_else(|| self.remembered.get(prompt)).cloned())
            .collect();
        set.extend(next);
        if self.remembered.len() + fresh.len() > MAX_REMEMBERED {
            // Only this set's own prompts stay: the next picture will ask for them again.
            self.remembered =
                set.encoded().map(|(prompt, known)| (prompt.to_owned(), known.clone())).collect();
        }
        self.remembered.extend(fresh);
        Ok(set.pending())
    }

    /// The probability of each label of `set` for `image`, in label order; they sum to 1. Labels that are
    /// still pending are encoded first.
    pub fn tag(&mut self, image: &RgbImage, set: &mut LabelSet) -> Result<Vec<f32>> {
        self.tag_seen(&self.look(image)?, set)
    }

    /// [`Tagger::tag`] of an image that the model is looking at.
    pub fn tag_seen(&mut self, look: &Look, set: &mut LabelSet) -> Result<Vec<f32>> {
        while self.encode_labels(set, TEXT_BATCH)? > 0 {}
        let image = self.embedding_of(look)?;
        let scale = self.model.logit_scale();
        let mut logits = Vec::with_capacity(set.len());
        for text in set.embeddings() {
            if text.len() != image.len() {
                let message = "The labels were encoded by another model than the one that tags.";
                return Err(Error::new(ErrorKind::ArgumentInvalid, message));
            }
            logits.push(scale * text.iter().zip(&image).map(|(t, i)| t * i).sum::<f32>());
        }
        softmax(&mut logits);
        if logits.iter().any(|score| !score.is_finite()) {
            return Err(no_numbers());
        }
        Ok(logits)
    }

    /// The unit-length embedding of `image`, as many numbers as the model's `projection_dim`.
    pub fn image_embedding(&self, image: &RgbImage) -> Result<Vec<f32>> {
        self.embedding_of(&self.look(image)?)
    }

    /// Begins to look at `image`; no layer is computed yet.
    pub fn look(&self, image: &RgbImage) -> Result<Look> {
        let pixels = pixel_batch(&self.preprocessor, image)?;
        Ok(Look::new(self.model.vision().begin(&pixels)?).framed(self.preprocessor.frame(image)))
    }

    /// Computes one more layer. Returns how many are left.
    pub fn advance(&self, look: &mut Look) -> Result<usize> {
        self.model.vision().advance(look.passage_mut())
    }

    /// [`Tagger::image_embedding`] of an image that the model is looking at. Computes the layers that are left.
    pub fn embedding_of(&self, look: &Look) -> Result<Vec<f32>> {
        let features = self.model.image_features_of(look.passage())?;
        let mut features = features.squeeze(0)?.to_vec1::<f32>()?;
        normalise(&mut features);
        Ok(features)
    }

    /// The unit-length embeddings of `texts`, one row each.
    pub fn text_embeddings(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let ids = texts.iter().map(|text| self.tokenizer.encode(text)).collect::<Result<Vec<_>>>()?;
        let mut rows = self.model.text_features(&ids)?.to_vec2::<f32>()?;
        rows.iter_mut().for_each(|row| normalise(row));
        Ok(rows)
    }
}

/// Scales `vector` to Euclidean length 1; a zero vector stays as it is.
fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

/// The softmax of `logits`, in place; the maximum is taken off first, so nothing overflows.
fn softmax(logits: &mut [f32]) {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        *logit = (*logit - max).exp();
        sum += *logit;
    }
    logits.iter_mut().for_each(|logit| *logit /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_survives_large_logits() {
        let mut logits = [1000.0, 999.0, -1000.0];
        softmax(&mut logits);
        let e = std::f32::consts::E;
        assert!((logits[0] - e / (e + 1.0)).abs() < 1e-6);
        assert!((logits.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_zero_vector_stays_finite() {
        let mut vector = [0.0; 4];
        normalise(&mut vector);
        assert_eq!(vector, [0.0; 4]);
    }
}
