//! Tagging, and embeddings of images and texts.

use js_sys::{Array, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::load::WeightsLoader;
use super::picture::{ImageEncoding, Picture};
use super::text_tower::TextTower;
use super::tower::VisionTower;
use ocelli::models::dual::Towers;
use ocelli::tasks::{self, Label, MAX_LABELS, ModelFiles, Scores, Tagger};
use ocelli::text::Templates;
use ocelli::{Error, ErrorKind, Result};

/// Labels in prompt templates, or texts, with the embeddings known so far.
#[wasm_bindgen]
pub struct LabelSet(pub(super) tasks::LabelSet);

#[wasm_bindgen]
impl LabelSet {
    /// How many labels there are.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// How many prompts there are: each label in each template.
    #[wasm_bindgen(getter)]
    pub fn prompts(&self) -> usize {
        self.0.prompts()
    }

    /// How many of them are still to be encoded.
    #[wasm_bindgen(getter)]
    pub fn pending(&self) -> usize {
        self.0.pending()
    }

    /// The unit-length embeddings known so far, one after the other: `projection_dim` numbers each.
    pub fn embeddings(&self) -> Vec<f32> {
        self.0.embeddings().concat()
    }
}

/// The small files of a CLIP model, read and checked: what `create` needs beside the weights.
#[wasm_bindgen]
pub struct TaggerFiles(tasks::TaggerFiles);

#[wasm_bindgen]
impl TaggerFiles {
    /// Reads `config.json`, `preprocessor_config.json` and `tokenizer.json`. `tower` is `image` or `text` where the
    /// model is to have that one alone, otherwise `both` or absent.
    pub fn read(
        config: &[u8],
        preprocessor: &[u8],
        tokenizer: &[u8],
        tower: Option<String>,
    ) -> JsResult<Self> {
        let towers = tower.map_or(Ok(Towers::Both), |name| read_towers(&name)).map_err(to_js)?;
        let files = ModelFiles { config, preprocessor, tokenizer };
        tasks::TaggerFiles::read_only(files, towers).map(Self).map_err(to_js)
    }

    /// Tells `weights` which tensors of their file the model does without. Comes before their first byte.
    #[wasm_bindgen(js_name = passOver)]
    pub fn pass_over(&self, weights: &mut WeightsLoader) {
        weights.pass_over(self.0.unused());
        if let Some(tower) = self.0.tower_alone() {
            weights.of_tower(tower);
        }
    }
}

/// A CLIP model ready to tag; or, with one of its towers alone, to embed.
#[wasm_bindgen]
pub struct TaggerHandle(pub(super) Tagger);

#[wasm_bindgen]
impl TaggerHandle {
    /// Builds the model; consumes `files` and `weights`.
    pub fn create(files: TaggerFiles, weights: WeightsLoader) -> JsResult<Self> {
        let weights = weights.finish()?;
        Tagger::new(files.0, weights).map(Self).map_err(to_js)
    }

    /// Checks labels, each a string or `{ label, hint }`, and templates; computes nothing yet.
    pub fn labels(&self, labels: &Array, templates: &Array) -> JsResult<LabelSet> {
        self.label_set(labels, templates).map(LabelSet).map_err(to_js)
    }

    /// Checks texts that are to be embedded as they are; computes nothing yet.
    pub fn texts(&self, texts: &Array) -> JsResult<LabelSet> {
        strings(texts, MAX_LABELS).and_then(|texts| self.0.texts(&texts)).map(LabelSet).map_err(to_js)
    }

    /// Checks texts that are to be compared with pictures; computes nothing yet.
    pub fn queries(&self, texts: &Array) -> JsResult<LabelSet> {
        strings(texts, MAX_LABELS).and_then(|texts| self.0.queries(&texts)).map(LabelSet).map_err(to_js)
    }

    /// Encodes at most `limit` more prompts; returns how many are still pending.
    #[wasm_bindgen(js_name = encodeLabels)]
    pub fn encode_labels(&mut self, set: &mut LabelSet, limit: usize) -> JsResult<usize> {
        self.0.encode_labels(&mut set.0, limit).map_err(to_js)
    }

    /// The embeddings of labels computed so far, to be kept; `undefined` where there are none since the last call. At
    /// most `limit` bytes.
    #[wasm_bindgen(js_name = exportEmbeddings)]
    pub fn export_embeddings(&mut self, limit: usize) -> Option<Vec<u8>> {
        self.0.export_embeddings(limit)
    }

    /// Takes over what `export_embeddings` gave on an earlier visit.
    #[wasm_bindgen(js_name = importEmbeddings)]
    pub fn import_embeddings(&mut self, bytes: &[u8]) -> JsResult<()> {
        self.0.import_embeddings(bytes).map_err(to_js)
    }

    /// The vision tower, where it is a transformer.
    #[wasm_bindgen(getter, js_name = visionTower)]
    pub fn vision_tower(&self) -> Option<VisionTower> {
        self.0.tower().and_then(|tower| VisionTower::of(tower, None))
    }

    /// The text tower, where another device can compute its layers.
    #[wasm_bindgen(getter, js_name = textTower)]
    pub fn text_tower(&self) -> Option<TextTower> {
        TextTower::of(&self.0)
    }

    /// Begins to look at the picture; no layer is computed yet.
    #[wasm_bindgen(js_name = encodeImage)]
    pub fn encode_image(&self, picture: &Picture) -> JsResult<ImageEncoding> {
        self.0.encode_image(picture.image()).map(ImageEncoding).map_err(to_js)
    }

    /// Computes one more layer; returns how many are left.
    pub fn advance(&self, encoding: &mut ImageEncoding) -> JsResult<usize> {
        self.0.advance(&mut encoding.0).map_err(to_js)
    }

    /// The unit-length embedding of what was looked at: `projection_dim` numbers.
    #[wasm_bindgen(js_name = embeddingOf)]
    pub fn embedding_of(&self, encoding: &ImageEncoding) -> JsResult<Vec<f32>> {
        self.0.embedding_of(&encoding.0).map_err(to_js)
    }

    /// The same before it is scaled to length 1.
    #[wasm_bindgen(js_name = featuresOf)]
    pub fn features_of(&self, encoding: &ImageEncoding) -> JsResult<Vec<f32>> {
        self.0.features_of(&encoding.0).map_err(to_js)
    }

    /// The normalised states of all tokens of what was looked at, one after the other, where `whole` had asked for them.
    #[wasm_bindgen(js_name = statesOf)]
    pub fn states_of(&self, encoding: &ImageEncoding) -> JsResult<Vec<f32>> {
        self.0.states_of(&encoding.0).map_err(to_js)
    }

    /// Whether a picture's embedding is a projection of what the image tower pools.
    #[wasm_bindgen(getter, js_name = projectsImages)]
    pub fn projects_images(&self) -> bool {
        self.0.projects_images()
    }

    /// The embeddings of a few texts before they are scaled to length 1, one after the other.
    #[wasm_bindgen(js_name = textFeatures)]
    pub fn text_features(&self, texts: &Array) -> JsResult<Vec<f32>> {
        let rows = strings(texts, MAX_LABELS).and_then(|texts| self.0.text_features(&texts));
        rows.map(|rows| rows.concat()).map_err(to_js)
    }

    /// The probability of each label for the picture of an embedding, in label order.
    pub fn tag(&mut self, embedding: &[f32], set: &mut LabelSet) -> JsResult<Vec<f32>> {
        self.0.tag_embedding(embedding, &mut set.0).map_err(to_js)
    }

    /// The score of each label for the picture of an embedding, in label order, and then that of none of them, beside a
    /// background of prompts that name nothing. `offset` is added to the background's logit; where absent, what the
    /// model's files say.
    pub fn score(
        &mut self,
        embedding: &[f32],
        set: &mut LabelSet,
        background: &mut LabelSet,
        independent: bool,
        offset: Option<f32>,
    ) -> JsResult<Vec<f32>> {
        let scores = scores_of(independent);
        let scored = self.0.score(embedding, &mut set.0, &mut background.0, scores, offset).map_err(to_js)?;
        Ok(scored.all())
    }

    /// The cosine of what was looked at and each text, in their order.
    pub fn similarity(&mut self, encoding: &ImageEncoding, set: &mut LabelSet) -> JsResult<Vec<f32>> {
        self.0.similarity(&encoding.0, &mut set.0).map_err(to_js)
    }

    /// What is added to the background's logit where `score` has no offset.
    #[wasm_bindgen(getter, js_name = noneOffset)]
    pub fn none_offset(&self) -> f32 {
        self.0.none_offset()
    }

    /// What `score` divides logits by.
    #[wasm_bindgen(getter)]
    pub fn temperature(&self) -> f32 {
        self.0.temperature()
    }

    /// The score from which on a label is right often enough to be shown, where the model's files say.
    #[wasm_bindgen(getter, js_name = sureThreshold)]
    pub fn sure_threshold(&self) -> Option<f32> {
        self.0.sure_threshold()
    }

    /// What is added to that product, in models whose scores are the sigmoid of the sum.
    #[wasm_bindgen(getter, js_name = logitBias)]
    pub fn logit_bias(&self) -> Option<f32> {
        self.0.logit_bias()
    }

    /// What a cosine is multiplied with to be a logit.
    #[wasm_bindgen(getter, js_name = logitScale)]
    pub fn logit_scale(&self) -> f32 {
        self.0.logit_scale()
    }
}

impl TaggerHandle {
    fn label_set(&self, labels: &Array, templates: &Array) -> Result<tasks::LabelSet> {
        let labels = cut(labels, MAX_LABELS).map(|label| read_label(&label)).collect::<Option<Vec<_>>>();
        let labels =
            labels.ok_or_else(|| argument("Every label must be a string, or have one as its label."))?;
        let labels: Vec<Label<'_>> =
            labels.iter().map(|(name, hint)| Label { name, hint: hint.as_deref() }).collect();
        let templates = strings(templates, ocelli::text::MAX_TEMPLATES)?;
        self.0.label_set(&labels, Templates::parse(&templates)?)
    }
}

/// How scores are made.
pub(super) fn scores_of(independent: bool) -> Scores {
    if independent { Scores::Independent } else { Scores::Softmax }
}

/// A label and its hint.
fn read_label(label: &JsValue) -> Option<(String, Option<String>)> {
    if let Some(name) = label.as_string() {
        return Some((name, None));
    }
    let field = |key: &str| Reflect::get(label, &JsValue::from_str(key)).ok()?.as_string();
    Some((field("label")?, field("hint")))
}

/// The strings of a JavaScript array.
pub(super) fn strings(array: &Array, most: usize) -> Result<Vec<String>> {
    let strings = cut(array, most).map(|value| value.as_string()).collect::<Option<_>>();
    strings.ok_or_else(|| argument("Every text must be a string."))
}

/// What is in an array. One of more than `most` is cut one past it: enough for the one place that checks the limit
/// to see, without copying the rest.
fn cut(array: &Array, most: usize) -> impl Iterator<Item = JsValue> {
    array.iter().take(most + 1)
}

fn read_towers(name: &str) -> Result<Towers> {
    Towers::from_name(name).ok_or_else(|| argument("tower must be \"image\", \"text\" or \"both\"."))
}

fn argument(message: &str) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
