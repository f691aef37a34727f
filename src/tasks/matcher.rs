//! Which texts match an image, with BLIP.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::Tensor;

use super::blip_files::BlipFiles;
use super::embedding_cache::capacity;
use super::texts::{Noun, check_texts};
use super::{ImageEncoding, ModelFiles, non_finite, pixel_batch};
use crate::image::RgbImage;
use crate::models::ImageTower;
use crate::models::blip::{BlipMatcher, ImageKeyValues, ImageProjection};
use crate::weights::Weights;
use crate::{Error, ErrorKind, Result};

/// The most tokens of a text or a question, `[CLS]` and `[SEP]` among them: as in the published code
/// (`salesforce/BLIP`, `max_length=35`). What is longer loses its end.
pub const MAX_TEXT_TOKENS: usize = 35;

/// How many of the most similar texts a ranking reads again while it sees the image, where the caller does not say.
pub const DEFAULT_RERANK: usize = 16;

/// How many texts go through the text encoder at once: enough to fill the matrix kernels, few enough to bound the
/// memory of the activations.
const TEXT_BATCH: usize = 64;

/// The small files of a BLIP matching model, read and checked against each other.
pub struct MatcherFiles(pub(super) BlipFiles);

impl MatcherFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// As [`TaggerFiles::read`](super::TaggerFiles::read).
    pub fn read(files: ModelFiles) -> Result<Self> {
        BlipFiles::read_framed(files).map(Self)
    }

    /// Beginnings of the names of tensors that the model does without, for
    /// [`WeightsLoader::pass_over`](crate::weights::WeightsLoader::pass_over): a file may have a captioner's decoder
    /// too.
    pub fn unused(&self) -> &'static [&'static str] {
        &["text_decoder."]
    }
}

/// Compares an image with texts, as `transformers`' `BlipForImageTextRetrieval` does.
///
/// ```no_run
/// use ocelli::tasks::{Matcher, MatcherFiles, ModelFiles};
/// # use ocelli::weights::Weights;
/// # fn best(files: ModelFiles, weights: Weights, bytes: &[u8]) -> ocelli::Result<usize> {
/// let mut matcher = Matcher::new(MatcherFiles::read(files)?, weights)?;
/// let texts = matcher.texts(&["two dogs on a lawn", "a red bus"])?;
/// let look = matcher.encode_image(&ocelli::image::decode(bytes)?)?;
/// let best = matcher.rank(&look, &texts, 16)?[0].index;
/// # Ok(best) }
/// ```
///
/// A clone shares the weights.
#[derive(Clone)]
pub struct Matcher {
    parts: Arc<Parts>,
    /// Unit-length embeddings by token ids.
    embeddings: HashMap<Vec<u32>, Arc<[f32]>>,
}

struct Parts {
    model: BlipMatcher,
    files: BlipFiles,
}

/// Texts to be compared with images: checked, and turned into tokens.
#[derive(Debug, Clone)]
pub struct MatchTexts(pub(super) Arc<[Vec<u32>]>);

/// How well one text matches an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextMatch {
    /// The place of the text among those given.
    pub index: usize,
    /// Image-text contrast (ITC): the cosine of the embeddings of image and text.
    pub similarity: f32,
    /// Image-text matching (ITM): the difference of the logits that the text describes the image and that it does
    /// not. Absent where the text was not read while the model saw the image.
    pub margin: Option<f32>,
}

impl TextMatch {
    /// Image-text matching as a probability: the second number of the softmax over both logits.
    pub fn probability(&self) -> Option<f32> {
        self.margin.map(|margin| 1.0 / (1.0 + (-margin).exp()))
    }
}

impl Matcher {
    /// Builds the model that `files` describe.
    ///
    /// # Errors
    /// As [`Tagger::new`](super::Tagger::new).
    pub fn new(files: MatcherFiles, weights: Weights) -> Result<Self> {
        weights.pass_over(files.unused());
        Ok(Self::of(BlipMatcher::new(&files.0.config, weights)?, files))
    }

    /// The matcher of its parts.
    pub(super) fn of(model: BlipMatcher, files: MatcherFiles) -> Self {
        Self { parts: Arc::new(Parts { model, files: files.0 }), embeddings: HashMap::new() }
    }

    pub(super) fn model(&self) -> &BlipMatcher {
        &self.parts.model
    }

    /// Checks `texts` and turns them into tokens, at most [`MAX_TEXT_TOKENS`] each (fewer where the model has less
    /// room): what is longer loses its end. Computes nothing yet.
    ///
    /// # Errors
    /// `LabelsEmpty`, `LabelsTooMany`, `LabelEmpty`, `LabelTooLong`: as [`LabelSet`](super::LabelSet) has them.
    pub fn texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<MatchTexts> {
        check_texts(Noun { one: "Text", many: "texts" }, texts)?;
        let most = MAX_TEXT_TOKENS.min(self.parts.files.config.text.max_position_embeddings);
        let ids = texts.iter().map(|text| self.parts.files.tokenizer.encode(text.as_ref(), most));
        Ok(MatchTexts(ids.collect::<Result<_>>()?))
    }

    /// The vision tower.
    pub fn tower(&self) -> &Arc<ImageTower> {
        self.model().vision()
    }

    /// What texts see of images, where another device can compute it.
    pub fn projection(&self) -> Option<ImageProjection> {
        self.model().projection()
    }

    /// Begins to look at `image`; no layer is computed yet.
    pub fn encode_image(&self, image: &RgbImage) -> Result<ImageEncoding> {
        let preprocessor = &self.parts.files.preprocessor;
        let state = self.model().vision().begin(&pixel_batch(preprocessor, image)?)?;
        Ok(ImageEncoding::new(state).framed(preprocessor.frame(image)))
    }

    /// Computes one more layer of the vision tower. Returns how many are left.
    pub fn advance(&self, encoding: &mut ImageEncoding) -> Result<usize> {
        self.model().vision().advance(encoding.state_mut())
    }

    /// Begins to compare the image that the model looks at with `texts`: all of them by their similarity, and then
    /// the `rerank` most similar by matching. Computes the layers that are left.
    pub fn compare(&self, encoding: &ImageEncoding, texts: &MatchTexts, rerank: usize) -> Result<MatchRun> {
        let states = self.model().image_states_of(encoding.state())?;
        let embedding = self.model().image_embeddings(&states)?.squeeze(0)?.to_vec1::<f32>()?;
        Ok(MatchRun {
            states,
            embedding,
            image_kv: encoding.key_values(),
            texts: texts.clone(),
            rerank: rerank.min(texts.0.len()),
            matches: Vec::with_capacity(texts.0.len()),
            order: Vec::new(),
            matched: 0,
        })
    }

    /// Takes `run` further, by at most `limit` texts through the model (embeddings of texts met before are free).
    /// Returns how many readings of texts are left: one for the similarity of each, one for each that is matched.
    pub fn step(&mut self, run: &mut MatchRun, limit: usize) -> Result<usize> {
        let limit = limit.clamp(1, TEXT_BATCH);
        if run.matches.len() < run.texts.0.len() {
            self.contrast(run, limit)?;
        } else if run.matched < run.rerank {
            self.read_again(run, limit)?;
        }
        Ok(run.left())
    }

    /// The similarities of the next texts.
    fn contrast(&mut self, run: &mut MatchRun, limit: usize) -> Result<()> {
        let done = run.matches.len();
        let mut end = done;
        let mut fresh: Vec<&[u32]> = Vec::new();
        for ids in &run.texts.0[done..] {
            if !self.embeddings.contains_key(ids) && !fresh.contains(&ids.as_slice()) {
                if fresh.len() == limit {
                    break;
                }
                fresh.push(ids);
            }
            end += 1;
        }
        let mut embeddings: HashMap<Vec<u32>, Arc<[f32]>> = HashMap::new();
        if !fresh.is_empty() {
            let rows = self.model().text_embeddings(&fresh)?.to_vec2::<f32>()?;
            embeddings.extend(fresh.into_iter().map(<[u32]>::to_vec).zip(rows.into_iter().map(Arc::from)));
        }
        let known = |ids: &Vec<u32>| embeddings.get(ids).or_else(|| self.embeddings.get(ids));
        for (index, embedding) in (done..end).zip(run.texts.0[done..end].iter().filter_map(known)) {
            let similarity = embedding.iter().zip(&run.embedding).map(|(a, b)| a * b).sum::<f32>();
            if !similarity.is_finite() {
                return Err(non_finite());
            }
            run.matches.push(TextMatch { index, similarity, margin: None });
        }
        if self.embeddings.len() + embeddings.len() > capacity(run.embedding.len()) {
            self.embeddings.clear();
        }
        self.embeddings.extend(embeddings);
        if run.matches.len() == run.texts.0.len() {
            run.order = (0..run.matches.len()).collect();
            run.order.sort_by(|&a, &b| run.matches[b].similarity.total_cmp(&run.matches[a].similarity));
        }
        Ok(())
    }

    /// The matching of the next of the most similar texts.
    fn read_again(&self, run: &mut MatchRun, limit: usize) -> Result<()> {
        let image_kv = match &run.image_kv {
            Some(image_kv) => image_kv.clone(),
            None => run.image_kv.insert(self.model().project_image(&run.states)?).clone(),
        };
        let next = &run.order[run.matched..run.rerank.min(run.matched + limit)];
        let texts: Vec<&[u32]> = next.iter().map(|&index| run.texts.0[index].as_slice()).collect();
        let logits = self.model().matching(&image_kv, &texts)?.to_vec2::<f32>()?;
        for (&index, logits) in next.iter().zip(logits) {
            let margin = match logits[..] {
                [no, yes] if no.is_finite() && yes.is_finite() => yes - no,
                _ => return Err(non_finite()),
            };
            run.matches[index].margin = Some(margin);
        }
        run.matched += next.len();
        Ok(())
    }

    /// Every text compared in both ways, in the order given.
    pub fn matches(&mut self, encoding: &ImageEncoding, texts: &MatchTexts) -> Result<Vec<TextMatch>> {
        let mut run = self.compare(encoding, texts, usize::MAX)?;
        while self.step(&mut run, TEXT_BATCH)? > 0 {}
        run.matches()
    }

    /// The similarity of every text, in the order given: quick, and the lesser judge.
    pub fn similarities(&mut self, encoding: &ImageEncoding, texts: &MatchTexts) -> Result<Vec<f32>> {
        let mut run = self.compare(encoding, texts, 0)?;
        while self.step(&mut run, TEXT_BATCH)? > 0 {}
        Ok(run.matches()?.iter().map(|found| found.similarity).collect())
    }

    /// The texts, best first: see [`MatchRun::ranked`].
    pub fn rank(
        &mut self,
        encoding: &ImageEncoding,
        texts: &MatchTexts,
        rerank: usize,
    ) -> Result<Vec<TextMatch>> {
        let mut run = self.compare(encoding, texts, rerank)?;
        while self.step(&mut run, TEXT_BATCH)? > 0 {}
        run.ranked()
    }
}

/// An image being compared with texts, bit by bit: made by [`Matcher::compare`], taken further by
/// [`Matcher::step`]. It belongs to the model that made it.
pub struct MatchRun {
    /// `(1, 1 + patches, vision width)`.
    states: Tensor,
    /// The unit-length embedding of the image.
    embedding: Vec<f32>,
    /// What texts see of the image, once the first is read again.
    image_kv: Option<ImageKeyValues>,
    texts: MatchTexts,
    /// How many texts are to be read again.
    rerank: usize,
    /// What is known of the first texts.
    matches: Vec<TextMatch>,
    /// All texts, the most similar first; once all similarities are known.
    order: Vec<usize>,
    /// How many of those were read again.
    matched: usize,
}

impl MatchRun {
    /// How many readings of texts there are in all.
    pub fn total(&self) -> usize {
        self.texts.0.len() + self.rerank
    }

    /// How many readings of texts are left.
    pub fn left(&self) -> usize {
        self.total() - self.matches.len() - self.matched
    }

    /// Every text, in the order given.
    ///
    /// # Errors
    /// `ArgumentInvalid` while readings are left.
    pub fn matches(&self) -> Result<Vec<TextMatch>> {
        if self.left() > 0 {
            let message = "The texts are not all compared yet.";
            return Err(Error::new(ErrorKind::ArgumentInvalid, message));
        }
        Ok(self.matches.clone())
    }

    /// Every text, best first: those that were matched, by their matching; after them the others, by their
    /// similarity. Among equals the order given.
    ///
    /// # Errors
    /// As [`MatchRun::matches`].
    pub fn ranked(&self) -> Result<Vec<TextMatch>> {
        let mut ranked = self.matches()?;
        // A margin tells matches apart that are all but certain, and whose probabilities are the same f32.
        let key = |found: &TextMatch| (found.margin.unwrap_or(f32::NEG_INFINITY), found.similarity);
        ranked.sort_by(|a, b| {
            let ((a, similar_a), (b, similar_b)) = (key(a), key(b));
            b.total_cmp(&a).then(similar_b.total_cmp(&similar_a))
        });
        Ok(ranked)
    }
}
