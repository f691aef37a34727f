//! The terms that prompts are made of, with their embeddings.

use std::ops::Range;

use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::tasks::labels::{Label, LabelSet};
use crate::tasks::texts::{Noun, check_text};
use crate::tasks::{MAX_LABELS, Tagger};
use crate::text::Templates;
use crate::{Error, ErrorKind, Result};

/// The most terms of all lists together, in all the forms that they are asked for in. The published lists have 111,867.
pub const MAX_TERMS: usize = 1 << 17;

/// The lists as texts, one term a line. Blank lines, and white space around terms, are passed over.
#[derive(Debug, Clone, Copy)]
pub struct TermLists<'a> {
    /// What a picture may be made in, with the article: `an oil painting`.
    pub mediums: &'a str,
    /// Names, without `by`.
    pub artists: &'a str,
    /// Movements and styles.
    pub movements: &'a str,
    /// Sites where such pictures are shown.
    pub sites: &'a str,
    /// Whatever else makes a prompt better.
    pub flavors: &'a str,
    /// What pictures should not be; only [`Mode::Negative`](super::Mode::Negative) asks for these.
    pub negative: &'a str,
}

/// The terms of all lists, and those of their embeddings that are known already.
///
/// An artist is asked for as `by …` and `inspired by …`; a site by its name, as `trending on …` and `featured on …`, and with
/// `contest winner`. As the reference keeps them, embeddings are f16.
#[derive(Debug)]
pub struct Terms {
    /// Artists, flavors, mediums, movements and what is made of sites, in this order: that of the reference's merged table.
    texts: Vec<String>,
    kinds: Kinds,
    negative: Vec<String>,
    /// Of `texts`, as far as they are known, one after the other.
    embeddings: Vec<f16>,
    /// Terms on their way through the text tower: those after the ones whose embeddings are known.
    batch: Option<LabelSet>,
    known: usize,
}

/// Places of the kinds of terms among all.
#[derive(Debug)]
pub(super) struct Kinds {
    pub(super) artists: Range<usize>,
    pub(super) flavors: Range<usize>,
    pub(super) mediums: Range<usize>,
    pub(super) movements: Range<usize>,
    pub(super) trendings: Range<usize>,
}

const ARTIST: Noun = Noun { one: "Artist", many: "artists" };
const FLAVOR: Noun = Noun { one: "Flavor", many: "flavors" };
const MEDIUM: Noun = Noun { one: "Medium", many: "mediums" };
const MOVEMENT: Noun = Noun { one: "Movement", many: "movements" };
const SITE: Noun = Noun { one: "Site", many: "sites" };
const NEGATIVE: Noun = Noun { one: "Negative term", many: "negative terms" };

impl Terms {
    /// Reads the lists; computes nothing.
    ///
    /// # Errors
    /// `LabelsEmpty`: a list has no term; `LabelsTooMany`: over [`MAX_TERMS`]; `LabelTooLong`: a term over
    /// [`MAX_LABEL_CHARS`](crate::tasks::MAX_LABEL_CHARS).
    pub fn read(lists: TermLists<'_>) -> Result<Self> {
        let mut texts = Vec::new();
        let mut add = |noun, list, forms: &[[&str; 2]]| -> Result<Range<usize>> {
            let (start, terms) = (texts.len(), terms_of(noun, list)?);
            for [before, after] in forms {
                if texts.len() + terms.len() > MAX_TERMS {
                    return Err(too_many());
                }
                texts.extend(terms.iter().map(|term| [before, *term, after].concat()));
            }
            Ok(start..texts.len())
        };
        let whole = [["", ""]];
        let kinds = Kinds {
            artists: add(ARTIST, lists.artists, &[["by ", ""], ["inspired by ", ""]])?,
            flavors: add(FLAVOR, lists.flavors, &whole)?,
            mediums: add(MEDIUM, lists.mediums, &whole)?,
            movements: add(MOVEMENT, lists.movements, &whole)?,
            trendings: add(
                SITE,
                lists.sites,
                &[["", ""], ["trending on ", ""], ["featured on ", ""], ["", " contest winner"]],
            )?,
        };
        let negative = terms_of(NEGATIVE, lists.negative)?.into_iter().map(str::to_owned).collect();
        Ok(Self { texts, kinds, negative, embeddings: Vec::new(), batch: None, known: 0 })
    }

    /// The terms with their embeddings, in the order of [`Terms::texts`].
    ///
    /// # Errors
    /// `ArgumentInvalid`: not one embedding for each, or not all as long.
    pub fn with_embeddings<E: AsRef<[f32]>>(mut self, embeddings: &[E]) -> Result<Self> {
        let width = embeddings.first().map_or(0, |first| first.as_ref().len());
        if embeddings.len() != self.texts.len() || embeddings.iter().any(|row| row.as_ref().len() != width) {
            return Err(argument("Every term has to have an embedding, all as long."));
        }
        self.embeddings =
            embeddings.iter().flat_map(|row| row.as_ref().iter().copied()).map(f16::from_f32).collect();
        self.known = self.texts.len();
        Ok(self)
    }

    /// All terms but the negative ones, in all forms that they are asked for in.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// How many of them are still to be encoded.
    pub fn pending(&self) -> usize {
        self.texts.len() - self.known - self.batch.as_ref().map_or(0, |batch| batch.embeddings().len())
    }

    /// Computes the next embeddings, at most `limit` of them (those that `tagger` has met are free), and returns how many
    /// are pending then.
    pub fn encode(&mut self, tagger: &mut Tagger, limit: usize) -> Result<usize> {
        let Some(mut batch) = self.take_batch()? else { return Ok(0) };
        let encoded = tagger.encode_labels(&mut batch, limit);
        self.put_back(batch)?;
        encoded?;
        Ok(self.pending())
    }

    /// The next terms as labels, of which some may be encoded: to be given to [`Terms::put_back`] once more of them are.
    /// `None` where all terms are encoded.
    pub fn take_batch(&mut self) -> Result<Option<LabelSet>> {
        if self.known == self.texts.len() || self.batch.is_some() {
            return Ok(self.batch.take());
        }
        let labels: Vec<Label<'_>> = self.next().iter().map(|text| text.as_str().into()).collect();
        // In a template, unlike bare texts, they are kept between visits.
        Ok(Some(LabelSet::new(&labels, Templates::parse(&["{}"])?)?))
    }

    /// Takes what [`Terms::take_batch`] gave.
    ///
    /// # Errors
    /// `ArgumentInvalid` where it is another set.
    pub fn put_back(&mut self, batch: LabelSet) -> Result<()> {
        if batch.len() != self.next().len() {
            return Err(argument("The labels are not the terms that come next."));
        }
        if batch.embeddings().len() == batch.len() {
            let rows = batch.embeddings().iter();
            self.embeddings.extend(rows.flat_map(|row| row.iter().copied().map(f16::from_f32)));
            self.known += batch.len();
        } else {
            self.batch = Some(batch);
        }
        Ok(())
    }

    /// The terms that are encoded next, together.
    fn next(&self) -> &[String] {
        let rest = &self.texts[self.known..];
        &rest[..rest.len().min(MAX_LABELS)]
    }

    pub(super) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    pub(super) fn negative(&self) -> &[String] {
        &self.negative
    }

    /// The terms of `kind` that fit the image best, `count` of them, or where `reverse` those that fit it least; best first.
    ///
    /// As the reference: where there are more than `chunk`, each chunk of so many gives its best ones first, as many of each
    /// as make one chunk together, and the best of these are found then, also where `reverse`. Where two fit as well, the
    /// one that comes first is better.
    pub(super) fn rank(
        &self,
        kind: Range<usize>,
        image: &[f32],
        count: usize,
        chunk: usize,
        reverse: bool,
    ) -> Result<Vec<&str>> {
        if self.known < self.texts.len() || self.embeddings.len() != self.known * image.len() {
            return Err(argument("The terms were not encoded by the model that is to rank them."));
        }
        let tops = if kind.len() <= chunk {
            self.best(&mut kind.clone(), image, count, reverse)
        } else {
            let each = chunk / kind.len().div_ceil(chunk);
            let mut kept = Vec::new();
            for start in kind.clone().step_by(chunk) {
                kept.extend(self.best(&mut (start..kind.end.min(start + chunk)), image, each, reverse));
            }
            self.best(&mut kept.into_iter(), image, count, false)
        };
        Ok(tops.into_iter().map(|place| self.texts[place].as_str()).collect())
    }

    /// The best `count` of the terms at `places`.
    fn best(
        &self,
        places: &mut dyn Iterator<Item = usize>,
        image: &[f32],
        count: usize,
        reverse: bool,
    ) -> Vec<usize> {
        let mut term = vec![0.0; image.len()];
        // Kept in order: of many terms few are among the best when they come, and a sort of its own would be a tenth of the
        // task's code.
        let mut best: Vec<(f32, usize)> = Vec::new();
        for place in places {
            self.embeddings[place * image.len()..][..image.len()].convert_to_f32_slice(&mut term);
            let similarity = dot(&term, image);
            let fit = if reverse { -similarity } else { similarity };
            let rank = best.partition_point(|&(other, _)| other >= fit);
            if rank < count {
                best.truncate(count - 1);
                best.insert(rank, (fit, place));
            }
        }
        best.into_iter().map(|(_, place)| place).collect()
    }
}

/// The terms of a list, one a line.
fn terms_of(noun: Noun, list: &str) -> Result<Vec<&str>> {
    let mut terms = Vec::new();
    for line in list.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()) {
        if terms.len() == MAX_TERMS {
            return Err(too_many());
        }
        check_text(noun, terms.len() + 1, line)?;
        terms.push(line);
    }
    if terms.is_empty() {
        let message = format!("There are no {}: give at least one.", noun.many);
        return Err(Error::new(ErrorKind::LabelsEmpty, message));
    }
    Ok(terms)
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn too_many() -> Error {
    let message = format!("There are too many terms: at most {MAX_TERMS} are accepted in all.");
    Error::new(ErrorKind::LabelsTooMany, message)
}

pub(super) fn argument(message: &str) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
