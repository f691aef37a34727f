//! Prompts that a picture could have been made with: a caption, and the terms that CLIP finds in the picture.
//!
//! The algorithm is that of CLIP Interrogator (`clip-interrogator` 0.6 for Python, by pharmapsychotic), re-implemented: the same
//! terms on the same features, in the same order. Where the reference depends on chance (a set's order, among terms that fit
//! equally well), the term that comes first is taken.

mod chain;
mod features;
mod terms;

pub use features::TaggerTexts;
pub use terms::{MAX_TERMS, TermLists, Terms};

use std::collections::HashMap;
use std::ops::Range;

use crate::Result;
use crate::tasks::texts::{Noun, check_texts};
use chain::{Chain, ChainSettings, Contest, SEPARATOR, Scored};

/// How many terms are ranked at once, where no other number is given: the reference's `chunk_size`.
pub const DEFAULT_CHUNK: usize = 2048;

const CAPTION: Noun = Noun { one: "Caption", many: "captions" };

/// What an interrogation asks of a model.
pub trait TextFeatures {
    /// The unit-length embeddings of texts, one for each.
    fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f32>>>;

    /// Whether the text tower has no room for more than `text`, or not even for that.
    fn fills_context(&self, text: &str) -> Result<bool>;
}

/// What kind of prompt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The caption and a chain of the terms that make it better, or whichever is more similar of that and the prompts of
    /// the other two modes.
    Best,
    /// The caption and the most similar terms of all kinds.
    Fast,
    /// The caption, then medium, artist, site, movement and flavors, the most similar of each.
    Classic,
    /// A chain of the terms that fit least, for what a picture should not be.
    Negative,
}

impl Mode {
    /// The mode called `best`, `fast`, `classic` or `negative`.
    ///
    /// # Errors
    /// `ArgumentInvalid` of any other name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "best" => Ok(Self::Best),
            "fast" => Ok(Self::Fast),
            "classic" => Ok(Self::Classic),
            "negative" => Ok(Self::Negative),
            _ => Err(terms::argument("mode must be \"best\", \"fast\", \"classic\" or \"negative\".")),
        }
    }

    /// How many flavors a prompt gets at most, where no other number is given.
    fn usual_flavors(self) -> usize {
        if self == Self::Classic { 3 } else { 32 }
    }
}

/// How an interrogation goes.
#[derive(Debug, Clone, Copy)]
pub struct InterrogationSettings {
    /// What kind of prompt is made.
    pub mode: Mode,
    /// So many terms a chain adds even where they make the prompt worse.
    pub min_flavors: usize,
    /// So many terms are added at most; 32, or 3 in [`Mode::Classic`], where it is absent.
    pub max_flavors: Option<usize>,
    /// Of so many of the best terms chains choose: the reference's `flavor_intermediate_count`.
    pub shortlist: usize,
    /// So many terms are ranked at once.
    pub chunk: usize,
}

impl InterrogationSettings {
    /// The reference's settings for `mode`.
    pub fn new(mode: Mode) -> Self {
        Self { mode, min_flavors: 8, max_flavors: None, shortlist: 2048, chunk: DEFAULT_CHUNK }
    }

    fn max(&self) -> usize {
        self.max_flavors.unwrap_or(self.mode.usual_flavors())
    }
}

/// A picture being interrogated.
#[derive(Debug)]
pub struct Interrogation {
    settings: InterrogationSettings,
    /// The picture's embedding, of unit length.
    image: Vec<f32>,
    stage: Stage,
    /// The best caption, once it is found.
    caption: String,
    /// The best prompt so far.
    best: Scored,
}

#[derive(Debug)]
enum Stage {
    /// Which of the captions is the most similar.
    Captions(Contest),
    Chain(Chain),
    /// Which of the finished prompts is.
    Finals(Contest),
    Done,
}

impl Interrogation {
    /// Begins to interrogate a picture that has the unit-length embedding `image`. Of several `captions` the most similar one
    /// is taken; [`Mode::Negative`] wants none. Computes nothing yet.
    ///
    /// # Errors
    /// `ArgumentInvalid`: no flavor is wanted, or none is to be chosen from, or there are captions where none is wanted, or the
    /// terms are not encoded. Of the captions what [`LabelSet`](crate::tasks::LabelSet) lists for labels.
    pub fn new<S: AsRef<str>>(
        settings: InterrogationSettings,
        image: Vec<f32>,
        captions: &[S],
        terms: &Terms,
    ) -> Result<Self> {
        if settings.max_flavors == Some(0) || settings.shortlist == 0 || settings.chunk == 0 {
            return Err(terms::argument("At least one flavor must be wanted, and chosen from."));
        }
        let (caption, best) = (String::new(), Scored::default());
        let mut new = Self { settings, image, stage: Stage::Done, caption, best };
        new.stage = if settings.mode == Mode::Negative {
            if !captions.is_empty() {
                return Err(terms::argument("A negative prompt has no caption."));
            }
            let flavors = new.rank(terms, terms.kinds().flavors.clone(), settings.shortlist, true)?;
            let phrases = flavors.into_iter().chain(terms.negative().iter().map(String::as_str));
            new.chain(phrases, None)
        } else {
            check_texts(CAPTION, captions)?;
            // Where they cannot be ranked, that is better told before anything is computed.
            new.rank(terms, 0..1, 1, false)?;
            let captions = captions.iter().map(|caption| caption.as_ref().to_owned()).collect();
            Stage::Captions(Contest::new(captions, false))
        };
        Ok(new)
    }

    /// Reads at most `limit` texts more. Returns whether the interrogation goes on.
    ///
    /// # Errors
    /// Those of `features`.
    pub fn step(&mut self, terms: &Terms, features: &mut impl TextFeatures, limit: usize) -> Result<bool> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Captions(mut contest) => match contest.step(features, &self.image, limit)? {
                Some((place, score)) => {
                    self.caption = contest.take(place);
                    self.best = scored(self.caption.clone(), score);
                    self.stage = self.after_captions(terms, features)?;
                }
                None => self.stage = Stage::Captions(contest),
            },
            Stage::Chain(mut chain) => {
                let goes_on = chain.step(features, &self.image, limit)?;
                self.best = chain.best().clone();
                if goes_on {
                    self.stage = Stage::Chain(chain);
                } else if self.settings.mode == Mode::Best {
                    let (caption, best) = (self.caption.clone(), self.best.prompt.clone());
                    let (classic, fast) = (self.classic(terms, features)?, self.fast(terms, features)?);
                    self.stage = Stage::Finals(Contest::new(vec![caption, classic, fast, best], false));
                }
            }
            Stage::Finals(mut contest) => match contest.step(features, &self.image, limit)? {
                Some((place, score)) => self.best = scored(contest.take(place), score),
                None => self.stage = Stage::Finals(contest),
            },
            Stage::Done => {}
        }
        Ok(!matches!(self.stage, Stage::Done))
    }

    /// The best prompt so far; at the end, the answer. Empty before there is one.
    pub fn prompt(&self) -> &str {
        &self.best.prompt
    }

    /// The caption that was taken; empty before it is known, and in [`Mode::Negative`].
    pub fn caption(&self) -> &str {
        &self.caption
    }

    /// The cosine of the picture and the best prompt so far.
    pub fn similarity(&self) -> f32 {
        self.best.similarity
    }

    /// How many texts have been read of those that are being compared, and how many these are.
    pub fn progress(&self) -> (usize, usize) {
        match &self.stage {
            Stage::Captions(contest) | Stage::Finals(contest) => contest.progress(),
            Stage::Chain(chain) => chain.progress(),
            Stage::Done => (0, 0),
        }
    }

    fn after_captions(&self, terms: &Terms, features: &impl TextFeatures) -> Result<Stage> {
        match self.settings.mode {
            Mode::Best => {
                let all = 0..terms.texts().len();
                let phrases = self.rank(terms, all, self.settings.shortlist, false)?;
                Ok(self.chain(phrases, Some(self.best.clone())))
            }
            Mode::Fast => Ok(Stage::Finals(Contest::new(vec![self.fast(terms, features)?], false))),
            Mode::Classic => Ok(Stage::Finals(Contest::new(vec![self.classic(terms, features)?], false))),
            Mode::Negative => Ok(Stage::Done),
        }
    }

    /// A chain of `phrases`, each of them once.
    fn chain<'a>(&self, phrases: impl IntoIterator<Item = &'a str>, start: Option<Scored>) -> Stage {
        // A map of the kind that labels are met in, whose code is there already.
        let mut met: HashMap<&str, usize> = HashMap::new();
        let once = phrases.into_iter().filter(|&phrase| met.insert(phrase, 0).is_none());
        let once = once.map(str::to_owned).collect();
        let InterrogationSettings { mode, min_flavors: min, .. } = self.settings;
        let settings = ChainSettings { min, max: self.settings.max(), reverse: mode == Mode::Negative };
        Stage::Chain(Chain::new(once, start, settings))
    }

    /// The caption and the best terms of all kinds: the reference's `interrogate_fast`.
    fn fast(&self, terms: &Terms, features: &impl TextFeatures) -> Result<String> {
        let tops = self.rank(terms, 0..terms.texts().len(), self.settings.max(), false)?;
        fit([&self.caption, SEPARATOR, &tops.join(SEPARATOR)].concat(), features)
    }

    /// The caption and the best terms of each kind: the reference's `interrogate_classic`.
    fn classic(&self, terms: &Terms, features: &impl TextFeatures) -> Result<String> {
        let kinds = terms.kinds();
        let best = |kind: &Range<usize>| -> Result<String> {
            Ok(self.rank(terms, kind.clone(), 1, false)?.concat())
        };
        let (medium, artist) = (best(&kinds.mediums)?, best(&kinds.artists)?);
        let (trending, movement) = (best(&kinds.trendings)?, best(&kinds.movements)?);
        let flavors = self.rank(terms, kinds.flavors.clone(), self.settings.max(), false)?.join(SEPARATOR);
        let caption = &self.caption;
        let medium = if caption.starts_with(&medium) { String::new() } else { [SEPARATOR, &medium].concat() };
        fit(format!("{caption}{medium} {artist}, {trending}, {movement}, {flavors}"), features)
    }

    fn rank<'a>(
        &self,
        terms: &'a Terms,
        kind: Range<usize>,
        count: usize,
        reverse: bool,
    ) -> Result<Vec<&'a str>> {
        terms.rank(kind, &self.image, count, self.settings.chunk, reverse)
    }
}

/// A prompt that is compared by its similarity.
fn scored(prompt: String, similarity: f32) -> Scored {
    Scored { prompt, similarity, score: similarity }
}

/// As many of the terms of `prompt`, from the first on, as the text tower has room for: the reference's `_truncate_to_fit`,
/// which measures a term without the separator before it.
fn fit(prompt: String, features: &impl TextFeatures) -> Result<String> {
    let mut parts = prompt.split(SEPARATOR);
    let mut fitted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if features.fills_context(&[&fitted, part].concat())? {
            break;
        }
        fitted.push_str(SEPARATOR);
        fitted.push_str(part);
    }
    Ok(fitted)
}
