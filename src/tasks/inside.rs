//! Looking inside: which parts of an image made an answer.
//!
//! Maps that go back through the vision tower are asked for in the same way of every model:
//!
//! ```no_run
//! # fn map(tagger: ocelli::tasks::Tagger, image: ocelli::image::RgbImage) -> ocelli::Result<()> {
//! let mut look = tagger.encode_image(&image)?;
//! look.keep(); // before the first layer
//! while tagger.advance(&mut look)? > 0 {}
//! let mut tracing = tagger.begin_explanation(&look, "a photo of a cat.")?;
//! while tagger.trace_back(&mut tracing)? > 0 {}
//! let map = tracing.map()?; // the same as tagger.explain(&image, "a photo of a cat.")?
//! # Ok(())
//! # }
//! ```

use std::ops::Range;

use super::{Captioner, Classifier, ImageEncoding, MatchTexts, Matcher, Tagger, non_finite};
use crate::image::{Frame, RgbImage};
use crate::models::Trace;
use crate::models::blip::mean_of_patches;
use crate::text::Word;
use crate::{Error, ErrorKind, Result};

/// How much the patches of an image have to do with something, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Patches from top to bottom.
    pub rows: usize,
    /// Patches from left to right.
    pub columns: usize,
    /// A number for each patch, as the method gives it: at least 0, and on no common scale.
    pub values: Vec<f32>,
    /// The part of the image that the patches cover.
    pub frame: Frame,
}

impl Map {
    /// The map of a square of patches.
    ///
    /// # Errors
    /// `WeightsInvalid` where `values` are not all numbers.
    pub(super) fn of_square(values: &[f32], frame: Frame) -> Result<Self> {
        if values.iter().any(|value| !value.is_finite()) {
            return Err(non_finite());
        }
        let side = values.len().isqrt();
        Ok(Self { rows: side, columns: side, values: values.to_vec(), frame })
    }
}

/// A word of a caption, and what the model looked at when it wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct WordMap {
    /// Where the word is in the caption, in UTF-16 units, as JavaScript counts.
    pub range: Range<usize>,
    /// The mean over its tokens.
    pub map: Map,
}

/// A map on its way: it goes back through the layers of the model that made it, one at a time.
#[derive(Debug, Clone)]
pub struct Tracing {
    trace: Trace,
    frame: Frame,
    left: Option<usize>,
}

impl Tracing {
    fn new(trace: Trace, encoding: &ImageEncoding) -> Self {
        Self { trace, frame: encoding.frame(), left: None }
    }

    fn step(&mut self, step: impl FnOnce(&mut Trace) -> Result<usize>) -> Result<usize> {
        let left = step(&mut self.trace)?;
        self.left = Some(left);
        Ok(left)
    }

    /// The map, once no layer is left.
    ///
    /// # Errors
    /// `ArgumentInvalid` where layers are left.
    pub fn map(&self) -> Result<Map> {
        if self.left != Some(0) {
            return Err(Error::new(ErrorKind::ArgumentInvalid, "The map is not complete yet."));
        }
        Map::of_square(self.trace.map(), self.frame)
    }
}

impl Tagger {
    /// Which patches of `image` the class token's state is made of, whatever it is tagged with: attention rollout
    /// (Abnar and Zuidema 2020). The map sums up to less than 1, by what the class token has kept of itself.
    pub fn rollout(&self, image: &RgbImage) -> Result<Map> {
        let tracing = self.begin_rollout(&kept(self.encode_image(image)?))?;
        self.finish(tracing)
    }

    /// Which patches of `image` make it fit `text`, which is taken as it is, in no template: the relevance of
    /// Chefer, Gur and Wolf (2021) over all layers of the vision tower, for the logit of image and text, which is
    /// their cosine times the model's logit scale. Of a broad word it is that of the kind that fits best, as [`LabelSet`](super::LabelSet)
    /// tells.
    ///
    /// # Errors
    /// As [`Tagger::labels`] for `text` as a label.
    pub fn explain(&self, image: &RgbImage, text: &str) -> Result<Map> {
        let tracing = self.begin_explanation(&kept(self.encode_image(image)?), text)?;
        self.finish(tracing)
    }

    /// [`Tagger::rollout`] of a look that keeps its states, before its first step back.
    pub fn begin_rollout(&self, encoding: &ImageEncoding) -> Result<Tracing> {
        Ok(Tracing::new(self.model().vision()?.rollout(encoding.state())?, encoding))
    }

    /// [`Tagger::explain`] of a look that keeps its states, before its first step back.
    pub fn begin_explanation(&self, encoding: &ImageEncoding, text: &str) -> Result<Tracing> {
        let text = self.best_embedding(encoding, text)?;
        Ok(Tracing::new(self.model().relevance(encoding.state(), &text)?, encoding))
    }

    /// Goes back through one more layer. Returns how many are left.
    pub fn trace_back(&self, tracing: &mut Tracing) -> Result<usize> {
        let vision = self.model().vision()?;
        tracing.step(|trace| vision.trace_back(trace))
    }

    fn finish(&self, mut tracing: Tracing) -> Result<Map> {
        while self.trace_back(&mut tracing)? > 0 {}
        tracing.map()
    }
}

impl Captioner {
    /// [`Tagger::rollout`] of a captioner.
    pub fn rollout(&self, image: &RgbImage) -> Result<Map> {
        let mut tracing = self.begin_rollout(&kept(self.encode_image(image)?))?;
        while self.trace_back(&mut tracing)? > 0 {}
        tracing.map()
    }

    /// Which patches the model looked at when it wrote each word of `caption`, or would have looked at: the
    /// cross-attention of the decoder, led along the caption, averaged over heads, layers and the tokens of a word
    /// ([`BlipModel::token_maps`](crate::models::blip::BlipModel::token_maps) says of which position). Words are the
    /// tokenizer's: a sign of punctuation is one of its own. Computes the layers of the vision tower that are left.
    ///
    /// # Errors
    /// `ArgumentInvalid` where the caption has no words, or more tokens than the model can write.
    pub fn attention(&self, encoding: &ImageEncoding, caption: &str) -> Result<Vec<WordMap>> {
        let (ids, words) = self.files().tokenizer.encode_words(caption)?;
        if words.is_empty() {
            return Err(Error::new(ErrorKind::ArgumentInvalid, "The caption has no words."));
        }
        let tokens = ids.len();
        let before = self.prompt_of(encoding)?;
        let states = self.model().image_states_of(encoding.state())?;
        let maps = self.model().token_maps(&states, &[before.as_slice(), &ids].concat())?;
        let width = maps.len() / (before.len() - 1 + tokens);
        let maps = &maps[(before.len() - 1) * width..];
        let mean = |Word { range, tokens }: Word| {
            let mean = mean_of_patches(maps, width, self.model().class_tokens(), tokens);
            Ok(WordMap { range, map: Map::of_square(&mean, encoding.frame())? })
        };
        words.into_iter().map(mean).collect()
    }

    /// [`Captioner::rollout`] of a look that keeps its states, before its first step back.
    pub fn begin_rollout(&self, encoding: &ImageEncoding) -> Result<Tracing> {
        Ok(Tracing::new(self.model().vision().rollout(encoding.state())?, encoding))
    }

    /// Goes back through one more layer. Returns how many are left.
    pub fn trace_back(&self, tracing: &mut Tracing) -> Result<usize> {
        tracing.step(|trace| self.model().vision().trace_back(trace))
    }
}

impl Matcher {
    /// Which patches of an image make the text at `index` of `texts` match it: Grad-CAM of image-text matching, averaged
    /// over the text's tokens ([`BlipMatcher::grad_cam`](crate::models::blip::BlipMatcher::grad_cam) says of which
    /// layer). Computes the layers of the vision tower that are left.
    ///
    /// # Errors
    /// `ArgumentInvalid` where there is no such text, or the tokenizer finds no words in it.
    pub fn explain(&self, encoding: &ImageEncoding, texts: &MatchTexts, index: usize) -> Result<Map> {
        let Some(ids) = texts.0.get(index) else {
            return Err(Error::new(ErrorKind::ArgumentInvalid, "There is no such text."));
        };
        let states = self.model().image_states_of(encoding.state())?;
        let map = self.model().grad_cam(&self.model().project_image(&states)?, ids)?;
        Map::of_square(&map, encoding.frame())
    }
}

impl Classifier {
    /// Which patches of `image` the answer is made of: [`Tagger::rollout`] of a classifier.
    pub fn rollout(&self, image: &RgbImage) -> Result<Map> {
        let mut tracing = self.begin_rollout(&kept(self.encode_image(image)?))?;
        while self.trace_back(&mut tracing)? > 0 {}
        tracing.map()
    }

    /// [`Classifier::rollout`] of a look that keeps its states, before its first step back.
    pub fn begin_rollout(&self, encoding: &ImageEncoding) -> Result<Tracing> {
        Ok(Tracing::new(self.model.vision().rollout(encoding.state())?, encoding))
    }

    /// Goes back through one more layer. Returns how many are left.
    pub fn trace_back(&self, tracing: &mut Tracing) -> Result<usize> {
        tracing.step(|trace| self.model.vision().trace_back(trace))
    }
}

fn kept(mut encoding: ImageEncoding) -> ImageEncoding {
    encoding.keep();
    encoding
}
