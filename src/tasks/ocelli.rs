//! A tagger, a captioner and a matcher of one model.

use std::sync::Arc;

use super::blip_files::BlipFiles;
use super::captioner::CaptionerFiles;
use super::matcher::MatcherFiles;
use super::naming::{Naming, WordList};
use super::tagger::TaggerInputs;
use super::{Captioner, ImageEncoding, Matcher, Tagger, check_picture_size, check_vocabulary};
use crate::image::{Preprocessor, PreprocessorKind, RgbImage};
use crate::models::dual::Towers;
use crate::models::ocelli::{OcelliConfig, OcelliModel, Parts};
use crate::text::CaptionTokenizer;
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// The small files beside the weights of an ocelli model, as bytes.
#[derive(Debug, Clone, Copy)]
pub struct OcelliModelFiles<'a> {
    /// `config.json`.
    pub config: &'a [u8],
    /// `preprocessor_config.json`.
    pub preprocessor: &'a [u8],
    /// `tokenizer.json`, the text tower's; a tagger and words need it.
    pub tokenizer: Option<&'a [u8]>,
    /// `decoder_tokenizer.json`; a captioner and a matcher need it.
    pub decoder_tokenizer: Option<&'a [u8]>,
    /// `words.json`: what a captioner names things with, where it does; a tagger knows by it which words are kinds of which.
    pub words: Option<&'a [u8]>,
}

/// The small files, read and checked against each other.
pub struct OcelliFiles {
    config: OcelliConfig,
    parts: Parts,
    preprocessor: Preprocessor,
    tagger: Option<TaggerInputs>,
    decoder_tokenizer: Option<Arc<CaptionTokenizer>>,
    words: Option<WordList>,
}

impl OcelliFiles {
    /// Reads the files that `parts` need. A captioner with words needs what a tagger does, and brings one with it.
    ///
    /// # Errors
    /// As [`TaggerFiles::read`](super::TaggerFiles::read); `ConfigInvalid` also of `words.json`; `ArgumentInvalid` where
    /// no part is wanted.
    pub fn read(files: OcelliModelFiles, mut parts: Parts) -> Result<Self> {
        if !(parts.tagger || parts.captioner || parts.matcher) {
            return Err(Error::new(ErrorKind::ArgumentInvalid, "No part of the model is wanted."));
        }
        let config = OcelliConfig::from_json(files.config)?;
        let preprocessor = Preprocessor::from_json(files.preprocessor, PreprocessorKind::Clip)?;
        check_picture_size(&preprocessor, config.texts.vision.image_size)?;
        let words = files.words.map(WordList::from_json).transpose()?;
        parts.tagger |= words.is_some() && parts.captioner;

        let tagger = if parts.tagger {
            let tokenizer = files.tokenizer.unwrap_or_default();
            let config = config.tagger.clone();
            Some(TaggerInputs::new(config, preprocessor.clone(), tokenizer, Towers::Both)?)
        } else {
            None
        };
        let decoder_tokenizer = if parts.captioner || parts.matcher {
            let tokenizer = CaptionTokenizer::from_json(files.decoder_tokenizer.unwrap_or_default())?;
            check_vocabulary(tokenizer.vocab_size(), config.texts.text.vocab_size)?;
            if parts.matcher {
                tokenizer.frame()?;
            }
            Some(Arc::new(tokenizer))
        } else {
            None
        };
        Ok(Self { config, parts, preprocessor, tagger, decoder_tokenizer, words })
    }

    /// Beginnings of the names of tensors that the model does without, for
    /// [`WeightsLoader::pass_over`](crate::weights::WeightsLoader::pass_over): those of parts that are not wanted.
    pub fn unused(&self) -> Vec<&'static str> {
        OcelliModel::unused(self.parts)
    }
}

/// A model that tags, captions and matches with one image tower, or some of it. A [`ImageEncoding`] of any of its parts serves all,
/// so that an image is encoded once.
pub struct Ocelli {
    tagger: Option<Tagger>,
    captioner: Option<Captioner>,
    matcher: Option<Matcher>,
}

impl Ocelli {
    /// Builds the model that `files` describe.
    ///
    /// # Errors
    /// As [`Tagger::new`].
    pub fn new(files: OcelliFiles, weights: Weights) -> Result<Self> {
        weights.pass_over(&files.unused());
        let OcelliFiles { config, parts, preprocessor, tagger, decoder_tokenizer, words } = files;
        let model = OcelliModel::new(&config, parts, weights)?;
        let kinds = words.as_ref().map(WordList::kinds).unwrap_or_default();
        let tagger = model.tagger.zip(tagger).map(|(model, inputs)| Tagger::of(model, inputs, kinds));
        let words = words.filter(|_| parts.captioner);
        let naming =
            tagger.clone().zip(words).map(|(tagger, words)| Naming::new(tagger, words)).transpose()?;
        let captioner = model.captioner.zip(decoder_tokenizer.clone()).map(|(model, tokenizer)| {
            let config = config.texts.clone();
            let files = CaptionerFiles(BlipFiles { config, preprocessor: preprocessor.clone(), tokenizer });
            Captioner::of(model, files, naming)
        });
        let matcher = model.matcher.zip(decoder_tokenizer).map(|(model, tokenizer)| {
            Matcher::of(model, MatcherFiles(BlipFiles { config: config.texts, preprocessor, tokenizer }))
        });
        Ok(Self { tagger, captioner, matcher })
    }

    /// The tagger.
    ///
    /// # Errors
    /// `ArgumentInvalid` where it was not wanted.
    pub fn tagger(&self) -> Result<&Tagger> {
        self.tagger.as_ref().ok_or_else(|| absent("tagger"))
    }

    /// The captioner.
    ///
    /// # Errors
    /// As [`Ocelli::tagger`].
    pub fn captioner(&self) -> Result<&Captioner> {
        self.captioner.as_ref().ok_or_else(|| absent("captioner"))
    }

    /// The matcher.
    ///
    /// # Errors
    /// As [`Ocelli::tagger`].
    pub fn matcher(&self) -> Result<&Matcher> {
        self.matcher.as_ref().ok_or_else(|| absent("matcher"))
    }

    /// Begins to look at `image`; no layer is computed yet.
    pub fn encode_image(&self, image: &RgbImage) -> Result<ImageEncoding> {
        match (&self.tagger, &self.captioner, &self.matcher) {
            (Some(tagger), _, _) => tagger.encode_image(image),
            (_, Some(captioner), _) => captioner.encode_image(image),
            (_, _, Some(matcher)) => matcher.encode_image(image),
            _ => Err(absent("image tower")),
        }
    }

    /// Computes one more block of the image tower. Returns how many are left.
    pub fn advance(&self, encoding: &mut ImageEncoding) -> Result<usize> {
        match (&self.tagger, &self.captioner, &self.matcher) {
            (Some(tagger), _, _) => tagger.advance(encoding),
            (_, Some(captioner), _) => captioner.advance(encoding),
            (_, _, Some(matcher)) => matcher.advance(encoding),
            _ => Err(absent("image tower")),
        }
    }
}

fn absent(part: &str) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, format!("The model was loaded without its {part}."))
}
