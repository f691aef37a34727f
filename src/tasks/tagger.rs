//! Zero-shot tagging with CLIP, and what its two towers make of images and texts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::embedding_cache::EmbeddingCache;
use super::kinds::Kinds;
use super::labels::normalise;
use super::scores::{Scored, Scores, sigmoid, softmax};
use super::text_tokenizer::TextTokenizer;
use super::{ImageEncoding, Label, LabelSet, ModelFiles, check_picture_size, non_finite, pixel_batch};
use crate::image::{Preprocessor, PreprocessorKind, RgbImage};
use crate::models::ImageTower;
use crate::models::dual::{DualConfig, DualEncoder, TextPrefix, Towers, absent};
use crate::text::Templates;
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// How many prompts go through the text tower at once: enough to fill the matrix kernels, few enough to
/// bound the memory of the activations.
const TEXT_BATCH: usize = 64;

/// The small files of a CLIP model, read and checked against each other.
pub struct TaggerFiles {
    model: TaggerInputs,
    towers: Towers,
}

/// What a tagger knows beside its weights.
pub(super) struct TaggerInputs {
    pub(super) config: DualConfig,
    pub(super) preprocessor: Preprocessor,
    /// Where there is a text tower.
    pub(super) tokenizer: Option<TextTokenizer>,
}

impl TaggerFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// `ConfigInvalid`, `PreprocessorInvalid`, `TokenizerInvalid`: a file is malformed, or does not fit the
    /// others.
    pub fn read(files: ModelFiles) -> Result<Self> {
        Self::read_only(files, Towers::Both)
    }

    /// [`TaggerFiles::read`] of a model of `towers` alone: it makes embeddings of images or of texts, and cannot tag. A file
    /// that only the other tower needs may be empty.
    ///
    /// # Errors
    /// As [`TaggerFiles::read`].
    pub fn read_only(files: ModelFiles, towers: Towers) -> Result<Self> {
        let config = DualConfig::from_json(files.config)?;
        // Beside a model of open_clip there is no such file: its configuration has it all.
        let own = if files.preprocessor.is_empty() { config.preprocessor(files.config)? } else { None };
        let given = own.as_deref().unwrap_or(files.preprocessor);
        let sees = config.vision.is_some() && towers != Towers::Text;
        // Of a text tower alone nothing is asked that it would be needed for.
        let given = if sees || !given.is_empty() { given } else { b"{}".as_slice() };
        let kind = if config.sigmoid { PreprocessorKind::Siglip } else { PreprocessorKind::Clip };
        let preprocessor = Preprocessor::from_json(given, kind)?;
        let config = if sees { config.resized(preprocessor.output_size().0) } else { config };
        Ok(Self { model: TaggerInputs::new(config, preprocessor, files.tokenizer, towers)?, towers })
    }

    /// Beginnings of the names of tensors that the model does without, for
    /// [`WeightsLoader::pass_over`](crate::weights::WeightsLoader::pass_over): those of a tower that is not wanted.
    pub fn unused(&self) -> &'static [&'static str] {
        self.model.config.unused(self.towers)
    }

    /// The tower that the model has alone, for [`WeightsLoader::of_tower`](crate::weights::WeightsLoader::of_tower).
    pub fn tower_alone(&self) -> Option<&'static str> {
        self.model.config.tower_alone()
    }
}

impl TaggerInputs {
    /// Checks the parts against each other; reads the `tokenizer`.
    pub(super) fn new(
        config: DualConfig,
        preprocessor: Preprocessor,
        tokenizer: &[u8],
        towers: Towers,
    ) -> Result<Self> {
        if let Some(image_size) = config.image_size().filter(|_| towers != Towers::Text) {
            check_picture_size(&preprocessor, image_size)?;
        }
        let text = config.text.as_ref().filter(|_| towers != Towers::Image);
        let tokenizer =
            text.map(|text| TextTokenizer::read(text, config.tokenizer, tokenizer)).transpose()?;
        Ok(Self { config, preprocessor, tokenizer })
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
///
/// With one of its towers alone ([`TaggerFiles::read_only`]) it embeds, and what needs the other is `ArgumentInvalid`.
///
/// A clone is the same tagger: it shares the weights, and the embeddings of labels known so far.
#[derive(Clone)]
pub struct Tagger {
    parts: Arc<Parts>,
    memory: Arc<Mutex<EmbeddingCache>>,
}

struct Parts {
    model: DualEncoder,
    inputs: TaggerInputs,
    /// Of the words that the model knows, which are kinds of which.
    kinds: Kinds,
}

impl Tagger {
    /// Builds the model that `files` describe.
    ///
    /// # Errors
    /// `WeightsMismatch` names the tensors that are missing, misshapen or unknown to the model.
    pub fn new(files: TaggerFiles, weights: Weights) -> Result<Self> {
        let TaggerFiles { model: inputs, towers } = files;
        Ok(Self::of(DualEncoder::with_towers(&inputs.config, towers, weights)?, inputs, Kinds::default()))
    }

    /// The tagger of its parts.
    pub(super) fn of(model: DualEncoder, inputs: TaggerInputs, kinds: Kinds) -> Self {
        Self { parts: Arc::new(Parts { model, inputs, kinds }), memory: Arc::default() }
    }

    pub(super) fn model(&self) -> &DualEncoder {
        &self.parts.model
    }

    /// The embeddings known so far. A thread that failed while it held them has left no half of one.
    pub(super) fn memory(&self) -> MutexGuard<'_, EmbeddingCache> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks `labels`, to be written into `template`, a text with one `{}`. Computes nothing yet.
    ///
    /// # Errors
    /// `TemplateInvalid`, and those that [`LabelSet`] lists for labels.
    pub fn labels<S: AsRef<str>>(&self, labels: &[S], template: &str) -> Result<LabelSet> {
        let labels: Vec<Label<'_>> = labels.iter().map(|label| label.as_ref().into()).collect();
        self.label_set(&labels, Templates::parse(&[template])?)
    }

    /// [`Tagger::labels`] with hints, and with any number of templates. A label's embedding is that of its text in
    /// each template, averaged, as published for CLIP: each at unit length, and the average too.
    ///
    /// # Errors
    /// Those that [`LabelSet`] lists for labels.
    pub fn label_set(&self, labels: &[Label<'_>], templates: Templates) -> Result<LabelSet> {
        Ok(LabelSet::new(labels, templates)?.with_kinds(&self.parts.kinds))
    }

    /// Texts as they are, to be embedded.
    ///
    /// # Errors
    /// Those that [`LabelSet`] lists for labels.
    pub fn texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<LabelSet> {
        let texts: Vec<Label<'_>> = texts.iter().map(|text| text.as_ref().into()).collect();
        LabelSet::new(&texts, Templates::bare())
    }

    /// Texts as they are, to be compared with images: a broad word, with or without an article, as the labels that
    /// [`LabelSet`] tells of.
    ///
    /// # Errors
    /// Those that [`LabelSet`] lists for labels.
    pub fn queries<S: AsRef<str>>(&self, texts: &[S]) -> Result<LabelSet> {
        Ok(self.texts(texts)?.with_kinds(&self.parts.kinds))
    }

    /// Computes the next embeddings of `set`, of at most `limit` prompts (those known from earlier sets are free), and
    /// returns how many prompts are still pending.
    pub fn encode_labels(&mut self, set: &mut LabelSet, limit: usize) -> Result<usize> {
        let prompts = self.next_prompts(set, limit.clamp(1, TEXT_BATCH));
        let rows = self.text_embeddings(&prompts)?;
        Ok(self.take_rows(set, rows))
    }

    /// The prompts of `set` that come next, at most `limit`; none where the rest is known from earlier sets.
    pub(super) fn next_prompts(&self, set: &mut LabelSet, limit: usize) -> Vec<String> {
        let templates = set.templates().clone();
        set.next_prompts(self.memory().shelf(&templates), limit)
    }

    /// Takes the unit-length embeddings of the prompts of `set` that came last, and returns how many are pending then.
    pub(super) fn take_rows(&mut self, set: &mut LabelSet, rows: Vec<Vec<f32>>) -> usize {
        let fresh = set.take(rows);
        self.memory().add(set, fresh);
        set.pending()
    }

    /// The labels' embeddings that were computed since the last call and before, in a form for
    /// [`Tagger::import_embeddings`], if there are new ones: of as many labels as fit into `limit` bytes. Those of
    /// [`Tagger::texts`] are left out, for they may be anything, and mostly come once.
    pub fn export_embeddings(&mut self, limit: usize) -> Option<Vec<u8>> {
        self.memory().write(limit)
    }

    /// Takes over what [`Tagger::export_embeddings`] gave on an earlier visit, of the very same model.
    ///
    /// # Errors
    /// `ArgumentInvalid`: the bytes are damaged. Then nothing has changed.
    pub fn import_embeddings(&mut self, bytes: &[u8]) -> Result<()> {
        self.memory().read(bytes, self.parts.inputs.config.projection_dim)
    }

    /// The probability of each label of `set` for `image`, in label order: they sum to 1, except of models such as SigLIP,
    /// which were trained to judge each for itself. Labels that are still pending are encoded first.
    pub fn tag(&mut self, image: &RgbImage, set: &mut LabelSet) -> Result<Vec<f32>> {
        self.tag_embedding(&self.image_embedding(image)?, set)
    }

    /// [`Tagger::tag`] of an image by its embedding, as [`Tagger::embedding_of`] gives it; brought to length 1.
    ///
    /// # Errors
    /// `ArgumentInvalid`: the embedding is of another width, or has no direction.
    pub fn tag_embedding(&mut self, image: &[f32], set: &mut LabelSet) -> Result<Vec<f32>> {
        let image = self.direction(image)?;
        self.encode_all(set)?;
        let mut scores = self.logits(&image, set)?;
        match self.model().logit_bias() {
            Some(bias) => scores.iter_mut().for_each(|score| *score = sigmoid(*score + bias)),
            None => softmax(&mut scores),
        }
        Ok(scores)
    }

    /// The score of each label of `set`, and that of none of them, beside a `background` of prompts that name nothing.
    /// `offset` is added to the background's logit; [`Tagger::none_offset`] where absent. What [`Scores`] says.
    ///
    /// # Errors
    /// `ArgumentInvalid`: `offset` is not finite, or the image's embedding is of another width or has no direction.
    pub fn score(
        &mut self,
        image: &[f32],
        set: &mut LabelSet,
        background: &mut LabelSet,
        scores: Scores,
        offset: Option<f32>,
    ) -> Result<Scored> {
        let image = self.direction(image)?;
        let (logits, none) = self.calibrated(&image, set, background, scores, offset)?;
        Ok(scores.of(logits, none))
    }

    /// An image's embedding that somebody has kept, at length 1.
    pub(super) fn direction(&self, image: &[f32]) -> Result<Vec<f32>> {
        let width = self.parts.inputs.config.projection_dim;
        if image.len() != width {
            let message = format!("The embedding has {} numbers; this model's have {width}.", image.len());
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        let mut unit = image.to_vec();
        normalise(&mut unit);
        if unit.iter().all(|x| x.is_finite()) && unit.iter().any(|&x| x != 0.0) {
            return Ok(unit);
        }
        let message = "The embedding has no direction: its numbers are zeros, or not all of them are finite.";
        Err(Error::new(ErrorKind::ArgumentInvalid, message))
    }

    /// The logits of the labels of `set` and that of none of them, divided by the model's temperature.
    pub(super) fn calibrated(
        &mut self,
        image: &[f32],
        set: &mut LabelSet,
        background: &mut LabelSet,
        scores: Scores,
        offset: Option<f32>,
    ) -> Result<(Vec<f32>, f32)> {
        let offset = offset.unwrap_or(self.none_offset());
        if !offset.is_finite() {
            let message = "noneOffset must be a finite number, as far as f32 goes.";
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        self.encode_all(background)?;
        self.encode_all(set)?;
        let (mut logits, mut none) = self.logits_beside(image, set, background, offset)?;
        if let (Some(bias), Scores::Independent) = (self.model().logit_bias(), scores) {
            // The model was trained to judge each label for itself: it needs no pictures of nothing to compare with.
            none = offset - bias;
        }
        let temperature = self.temperature();
        logits.iter_mut().for_each(|logit| *logit /= temperature);
        Ok((logits, none / temperature))
    }

    /// The logits of the labels of `set` and that of a `background`, whose embeddings are all known, for an image's embedding.
    pub(super) fn logits_beside(
        &self,
        image: &[f32],
        set: &LabelSet,
        background: &LabelSet,
        offset: f32,
    ) -> Result<(Vec<f32>, f32)> {
        let cosines = cosines(image, background)?;
        let mean = cosines.iter().sum::<f32>() / cosines.len() as f32;
        let none = self.logit_scale() * mean + offset;
        if none.is_finite() { Ok((self.logits(image, set)?, none)) } else { Err(non_finite()) }
    }

    /// The cosine of the image and each text of `set`, in their order; times [`Tagger::logit_scale`] it is the
    /// reference's `logits_per_image`.
    pub fn similarity(&mut self, encoding: &ImageEncoding, set: &mut LabelSet) -> Result<Vec<f32>> {
        self.encode_all(set)?;
        cosines(&self.embedding_of(encoding)?, set)
    }

    /// What a cosine is multiplied with to be a logit.
    pub fn logit_scale(&self) -> f32 {
        self.model().logit_scale()
    }

    /// What is added then, in models whose scores are the sigmoid of that.
    pub fn logit_bias(&self) -> Option<f32> {
        self.model().logit_bias()
    }

    /// What the model's files say is added to the background's logit: see [`Scores`].
    pub fn none_offset(&self) -> f32 {
        self.parts.inputs.config.none_offset
    }

    /// What the model's files say that logits are divided by before [`Tagger::score`] makes scores of them; 1 unless
    /// they say otherwise.
    pub fn temperature(&self) -> f32 {
        self.parts.inputs.config.temperature
    }

    /// The score from which on a label is right often enough to be shown, where the model's files say.
    pub fn sure_threshold(&self) -> Option<f32> {
        self.parts.inputs.config.sure_threshold
    }

    /// The unit-length embedding of `image`, as many numbers as the model's `projection_dim`.
    pub fn image_embedding(&self, image: &RgbImage) -> Result<Vec<f32>> {
        self.embedding_of(&self.encode_image(image)?)
    }

    /// The vision tower, where the model has one.
    pub fn tower(&self) -> Option<&Arc<ImageTower>> {
        self.model().vision().ok()
    }

    /// Begins to look at `image`; no layer is computed yet.
    pub fn encode_image(&self, image: &RgbImage) -> Result<ImageEncoding> {
        let preprocessor = &self.parts.inputs.preprocessor;
        let state = self.model().vision()?.begin(&pixel_batch(preprocessor, image)?)?;
        Ok(ImageEncoding::new(state).framed(preprocessor.frame(image)))
    }

    /// Computes one more layer. Returns how many are left.
    pub fn advance(&self, encoding: &mut ImageEncoding) -> Result<usize> {
        self.model().vision()?.advance(encoding.state_mut())
    }

    /// [`Tagger::image_embedding`] of an image that the model is looking at. Computes the layers that are left.
    pub fn embedding_of(&self, encoding: &ImageEncoding) -> Result<Vec<f32>> {
        let mut features = self.features_of(encoding)?;
        normalise(&mut features);
        Ok(features)
    }

    /// The unit-length embeddings of `texts`, one row each.
    pub fn text_embeddings<S: AsRef<str>>(&self, texts: &[S]) -> Result<Vec<Vec<f32>>> {
        self.text_embeddings_after(None, texts)
    }

    /// [`Tagger::text_embeddings`] before they are scaled to length 1: the reference's `text_embeds` of
    /// `CLIPTextModelWithProjection`.
    pub fn text_features<S: AsRef<str>>(&self, texts: &[S]) -> Result<Vec<Vec<f32>>> {
        self.text_features_after(None, texts)
    }

    /// [`Tagger::text_embeddings`] of texts that begin as those before did: what is kept of these in `prefix`, which is of
    /// this tagger alone, is not computed again.
    pub(super) fn text_embeddings_after<S: AsRef<str>>(
        &self,
        prefix: Option<&mut TextPrefix>,
        texts: &[S],
    ) -> Result<Vec<Vec<f32>>> {
        let mut rows = self.text_features_after(prefix, texts)?;
        rows.iter_mut().for_each(|row| normalise(row));
        Ok(rows)
    }

    fn text_features_after<S: AsRef<str>>(
        &self,
        prefix: Option<&mut TextPrefix>,
        texts: &[S],
    ) -> Result<Vec<Vec<f32>>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let tokenizer = self.tokenizer()?;
        let ids = texts.iter().map(|text| tokenizer.encode(text.as_ref())).collect::<Result<Vec<_>>>()?;
        let rows = self.model().text_features_after(prefix, &ids)?.to_vec2::<f32>()?;
        if rows.iter().flatten().all(|x| x.is_finite()) {
            return Ok(rows);
        }
        Err(Error::new(ErrorKind::WeightsInvalid, "The weights give no finite numbers for these texts."))
    }

    /// Whether the text tower has no room for more than `text`, or not even for that.
    pub(super) fn fills_context(&self, text: &str) -> Result<bool> {
        self.tokenizer()?.fills_context(text)
    }

    pub(super) fn tokenizer(&self) -> Result<&TextTokenizer> {
        self.parts.inputs.tokenizer.as_ref().ok_or_else(|| absent("text"))
    }

    /// The embedding of `text`, or of the kind of it that an image fits best.
    pub(super) fn best_embedding(&self, encoding: &ImageEncoding, text: &str) -> Result<Vec<f32>> {
        let mut set = self.queries(&[text])?;
        self.clone().encode_all(&mut set)?;
        let fits = all_cosines(&self.embedding_of(encoding)?, &set)?;
        let best = set.best(&fits).first().map_or(0, |&(place, _)| place);
        Ok(set.all_embeddings()[best].to_vec())
    }

    pub(super) fn encode_all(&mut self, set: &mut LabelSet) -> Result<()> {
        while self.encode_labels(set, TEXT_BATCH)? > 0 {}
        Ok(())
    }

    /// The logit of each label, all of them finite.
    pub(super) fn logits(&self, image: &[f32], set: &LabelSet) -> Result<Vec<f32>> {
        let mut logits = cosines(image, set)?;
        logits.iter_mut().for_each(|logit| *logit *= self.logit_scale());
        if logits.iter().all(|logit| logit.is_finite()) { Ok(logits) } else { Err(non_finite()) }
    }
}

/// How well an image's embedding fits each label of `set`, whose embeddings are all known: their cosine, or the best one of
/// its kinds.
fn cosines(image: &[f32], set: &LabelSet) -> Result<Vec<f32>> {
    Ok(set.best(&all_cosines(image, set)?).into_iter().map(|(_, cosine)| cosine).collect())
}

/// The cosine of an image's embedding and each of those of `set`, kinds included.
fn all_cosines(image: &[f32], set: &LabelSet) -> Result<Vec<f32>> {
    let cosine = |text: &Arc<[f32]>| {
        if text.len() != image.len() {
            let message = "The labels were encoded by another model than the one that tags.";
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        Ok(text.iter().zip(image).map(|(t, i)| t * i).sum::<f32>())
    };
    set.all_embeddings().iter().map(cosine).collect()
}
