//! The small files that every BLIP model has.

use std::sync::Arc;

use super::{ModelFiles, check_picture_size, check_vocabulary};
use crate::Result;
use crate::image::{Preprocessor, PreprocessorKind};
use crate::models::blip::BlipConfig;
use crate::text::CaptionTokenizer;

/// The small files of a BLIP model, read and checked against each other. What else a task asks of them is the task's.
pub(super) struct BlipFiles {
    pub(super) config: BlipConfig,
    pub(super) preprocessor: Preprocessor,
    pub(super) tokenizer: Arc<CaptionTokenizer>,
}

impl BlipFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// As [`TaggerFiles::read`](super::TaggerFiles::read).
    pub(super) fn read(files: ModelFiles) -> Result<Self> {
        let config = BlipConfig::from_json(files.config)?;
        let preprocessor = Preprocessor::from_json(files.preprocessor, PreprocessorKind::Blip)?;
        check_picture_size(&preprocessor, config.vision.image_size)?;
        let tokenizer = CaptionTokenizer::from_json(files.tokenizer)?;
        check_vocabulary(tokenizer.vocab_size(), config.text.vocab_size)?;
        Ok(Self { config, preprocessor, tokenizer: Arc::new(tokenizer) })
    }

    /// [`BlipFiles::read`] of a model that reads texts, which need a token at their beginning and one at their end.
    pub(super) fn read_framed(files: ModelFiles) -> Result<Self> {
        let files = Self::read(files)?;
        files.tokenizer.frame()?;
        Ok(files)
    }
}
