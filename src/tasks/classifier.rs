//! Classification with ViT.

use std::sync::Arc;

use super::tag_table::read_tags;
use super::{ImageEncoding, check_picture_size, finite, pixel_batch};
use crate::image::{Preprocessor, PreprocessorKind, RgbImage};
use crate::models::ImageTower;
use crate::models::vit::{VitConfig, VitModel, is_timm};
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// The small files of a ViT classifier, read and checked against each other. It knows no texts, and so it has
/// no tokenizer.
pub struct ClassifierFiles {
    config: VitConfig,
    preprocessor: Preprocessor,
}

impl ClassifierFiles {
    /// Reads `config.json` and `preprocessor_config.json`. Of a model of `timm` the latter is not looked at; `tags`, its
    /// `selected_tags.csv`, is empty where there is none.
    ///
    /// # Errors
    /// `ConfigInvalid`, `PreprocessorInvalid`: a file is malformed, or does not fit the other.
    pub fn read(config: &[u8], preprocessor: &[u8], tags: &[u8]) -> Result<Self> {
        let of_timm = is_timm(config)?;
        let preprocessor = if of_timm {
            Preprocessor::from_timm(config)?
        } else {
            Preprocessor::from_json(preprocessor, PreprocessorKind::Vit)?
        };
        let mut config = VitConfig::from_json(config)?;
        let preprocessor = if of_timm && !tags.is_empty() {
            let tags = read_tags(tags)?;
            if tags.len() != config.labels.len() {
                let (tags, classes) = (tags.len(), config.labels.len());
                return Err(Error::new(
                    ErrorKind::ConfigInvalid,
                    format!("selected_tags.csv has {tags} tags, but config.json {classes} classes."),
                ));
            }
            config.kinds = Some(tags.iter().map(|tag| tag.kind.to_owned()).collect());
            config.labels = tags.into_iter().map(|tag| tag.name).collect();
            config.independent = true;
            preprocessor.of_drawings()
        } else {
            preprocessor
        };
        check_picture_size(&preprocessor, config.image_size)?;
        Ok(Self { config, preprocessor })
    }

    /// Beginnings of the names of tensors that the model does without, for
    /// [`WeightsLoader::pass_over`](crate::weights::WeightsLoader::pass_over): a file may have the layer that
    /// the model was trained with before it became a classifier.
    pub fn unused(&self) -> &'static [&'static str] {
        &["pooler."]
    }
}

/// Says which of its classes an image is of, as `ViTForImageClassification` of `transformers` does, or `VisionTransformer` of
/// `timm`.
pub struct Classifier {
    pub(super) model: VitModel,
    preprocessor: Preprocessor,
    labels: Vec<String>,
    kinds: Option<Vec<String>>,
    independent: bool,
}

impl Classifier {
    /// Builds the model that `files` describe.
    ///
    /// # Errors
    /// As [`Tagger::new`](super::Tagger::new).
    pub fn new(files: ClassifierFiles, weights: Weights) -> Result<Self> {
        let ClassifierFiles { config, preprocessor } = files;
        let model = VitModel::new(&config, weights)?;
        let VitConfig { labels, kinds, independent, .. } = config;
        Ok(Self { model, preprocessor, labels, kinds, independent })
    }

    /// What the classes are called, in the order of their ids; at least one.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Of what kind each class is, in the same order, where there are several kinds.
    pub fn kinds(&self) -> Option<&[String]> {
        self.kinds.as_deref()
    }

    /// The vision tower.
    pub fn tower(&self) -> &Arc<ImageTower> {
        self.model.vision()
    }

    /// Begins to look at `image`; no layer is computed yet.
    pub fn encode_image(&self, image: &RgbImage) -> Result<ImageEncoding> {
        let state = self.model.vision().begin(&pixel_batch(&self.preprocessor, image)?)?;
        Ok(ImageEncoding::new(state).framed(self.preprocessor.frame(image)))
    }

    /// Computes one more layer. Returns how many are left.
    pub fn advance(&self, encoding: &mut ImageEncoding) -> Result<usize> {
        self.model.vision().advance(encoding.state_mut())
    }

    /// The probability of each class for `image`, in the order of [`Classifier::labels`]: they sum to 1, except
    /// where the model was trained for classes of which several can be true.
    pub fn classify(&self, image: &RgbImage) -> Result<Vec<f32>> {
        self.classify_encoded(&self.encode_image(image)?)
    }

    /// [`Classifier::classify`] of an image that the model is looking at. Computes the layers that are left.
    ///
    /// # Errors
    /// `WeightsInvalid` where the weights give what is not a number.
    pub fn classify_encoded(&self, encoding: &ImageEncoding) -> Result<Vec<f32>> {
        let mut scores = finite(&self.model.logits(encoding.state())?)?;
        if self.independent {
            scores.iter_mut().for_each(|score| *score = 1.0 / (1.0 + (-*score).exp()));
        } else {
            crate::kernels::softmax(&mut scores);
        }
        Ok(scores)
    }
}
