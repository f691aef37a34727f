//! The texts of an interrogation, embedded by a tagger.

use super::TextFeatures;
use crate::Result;
use crate::models::dual::TextPrefix;
use crate::tasks::Tagger;

/// A tagger that remembers how the last texts began: where each token sees those before it alone, as in CLIP, the beginning
/// of a prompt is read once, and not again for each term that may follow.
pub struct TaggerTexts {
    tagger: Tagger,
    prefix: TextPrefix,
}

impl TaggerTexts {
    /// Texts of `tagger`.
    pub fn new(tagger: &Tagger) -> Self {
        Self { tagger: tagger.clone(), prefix: TextPrefix::default() }
    }
}

impl TextFeatures for TaggerTexts {
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        self.tagger.text_embeddings_after(Some(&mut self.prefix), texts)
    }

    fn fills_context(&self, text: &str) -> Result<bool> {
        self.tagger.fills_context(text)
    }
}
