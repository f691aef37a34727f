//! One image tower for tags, captions and matches.
//!
//! ```text
//! pixels (b, 3, size, size) -> EfficientNet -> map (b, side, side, 1280)
//!   mean over the map -> head -> (b, dim)     compared with   ids -> text tower -> projection -> (t, dim)   tagger
//!   map -> image tokens (b, side * side, width)     attended to by   ids -> decoder -> logits               captioner
//!                                                   attended to by   ids -> encoder -> match or not         matcher
//! ```
//!
//! The tagger is a [`DualEncoder`], the captioner a [`BlipModel`], the matcher a [`BlipMatcher`]: they share the tower, and an
//! image that one of them has encoded serves all. The reference is `training/ocelli_model.py`.

mod config;

use std::sync::Arc;

pub use config::{MODEL_TYPE, OcelliConfig};

use crate::models::blip::{BlipMatcher, BlipModel};
use crate::models::dual::{DualEncoder, ImageEncoder, TextEncoder};
use crate::models::vision::{
    Architecture, ClassHead, EfficientNet, ImageHead, ImageTokens, ImageTower, TokenEncoder,
};
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// Which parts of a model are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// What tags.
    pub tagger: bool,
    /// What writes captions.
    pub captioner: bool,
    /// What matches texts.
    pub matcher: bool,
}

impl Parts {
    /// All of them.
    pub const ALL: Self = Self { tagger: true, captioner: true, matcher: true };
}

/// The parts that were wanted.
#[derive(Debug, Clone)]
pub struct OcelliModel {
    /// What tags.
    pub tagger: Option<DualEncoder>,
    /// What writes captions.
    pub captioner: Option<BlipModel>,
    /// What matches texts.
    pub matcher: Option<BlipMatcher>,
}

impl OcelliModel {
    /// The `parts` of the model that `config` describes, of `weights`. The error names every tensor that does not fit;
    /// those of other parts are unknown to it.
    pub fn new(config: &OcelliConfig, parts: Parts, weights: Weights) -> Result<Self> {
        let root = weights.root();
        let OcelliConfig { tagger, texts } = config;
        let (Some(Architecture::EfficientNet(network)), Some(text)) =
            (tagger.vision.as_ref().map(|vision| &vision.architecture), &tagger.text)
        else {
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                "The image tower of this model is an EfficientNet.",
            ));
        };
        let scope = root.scope("vision_model");
        let tower = Arc::new(ImageTower::EfficientNet(EfficientNet::load(network, &scope)?));
        let tagger = parts.tagger.then(|| {
            let (features, classes, dim) = (network.features, network.classes, tagger.projection_dim);
            let head = ImageHead::Classes(ClassHead::load(&root, &scope, features, classes, dim)?);
            let vision = ImageEncoder { tower: Arc::clone(&tower), head };
            DualEncoder::of(Some(vision), Some(TextEncoder::load(tagger, text, &root)?), false, &root)
        });
        let tagger = tagger.transpose()?;

        let tokens = || -> Result<_> {
            let places = network.map_side().pow(2);
            let scope = root.scope("image_tokens");
            let tokens = ImageTokens::load(&scope, network.features, places, texts.image_width)?;
            Ok(TokenEncoder::of_map(Arc::clone(&tower), tokens))
        };
        let tokens = (parts.captioner || parts.matcher).then(tokens).transpose()?;
        let of = |wanted: bool| tokens.clone().filter(|_| wanted);
        let captioner =
            of(parts.captioner).map(|tokens| BlipModel::load(texts, tokens, &root)).transpose()?;
        let matcher = of(parts.matcher).map(|tokens| BlipMatcher::load(texts, tokens, &root)).transpose()?;
        weights.finish()?;
        Ok(Self { tagger, captioner, matcher })
    }

    /// Beginnings of the names of tensors that `parts` do without.
    pub fn unused(parts: Parts) -> Vec<&'static str> {
        let mut unused = Vec::new();
        if !parts.tagger {
            unused.extend([
                "visual_projection.",
                "class_projection.",
                "text_model.",
                "text_projection.",
                "logit_scale",
            ]);
            unused.push("vision_model.classifier.");
        }
        if !parts.captioner {
            unused.push("text_decoder.");
        }
        if !parts.matcher {
            unused.extend(["text_encoder.", "vision_proj.", "text_proj.", "itm_head."]);
        }
        if !parts.captioner && !parts.matcher {
            unused.push("image_tokens.");
        }
        unused
    }
}
