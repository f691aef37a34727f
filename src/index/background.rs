//! How much of a score is news: what a query has in common with a picture beyond what anything has.
//!
//! A cosine of CLIP says little by itself: some pictures are near to every text, and each model has its own range. So a picture
//! is compared with a background of texts besides, which name other things: where the query's cosine lies among theirs, in
//! standard deviations from their mean, is its standard score (a z-score). A query for what is in no picture has low ones
//! everywhere, whatever the model.

use super::search::Hit;
use super::{Index, argument, full, no_direction, unit};
use crate::kernels::{Query, Vectors};
use crate::{Error, ErrorKind, Result};

/// The most vectors of a background.
pub(super) const MAX_BACKGROUND: usize = 4096;
/// The fewest that have a deviation worth the name.
const MIN_BACKGROUND: usize = 8;

impl Index {
    /// Sets the background: vectors of texts, one after the other. None takes it away.
    ///
    /// # Errors
    /// `ArgumentInvalid`: they are not whole vectors, too few or too many, or have no direction. `IndexFull`: there is no
    /// memory. Then the background stays as it was.
    pub fn set_background(&mut self, vectors: &[f32]) -> Result<()> {
        let (width, mut background) = (self.width(), Vectors::new(self.width()));
        let count = vectors.len() / width;
        let fits = count == 0 || (MIN_BACKGROUND..=MAX_BACKGROUND).contains(&count);
        if !vectors.len().is_multiple_of(width) || !fits {
            let message = format!(
                "A background has from {MIN_BACKGROUND} to {MAX_BACKGROUND} vectors of {width} numbers."
            );
            return Err(argument(message));
        }
        for (place, vector) in vectors.chunks_exact(width).enumerate() {
            let unit =
                unit(vector).ok_or_else(|| no_direction(&format!("text {place} of the background")))?;
            background.push(&unit).map_err(|_| full())?;
        }
        self.background = background;
        Ok(())
    }

    /// Whether there is a background.
    pub fn has_background(&self) -> bool {
        !self.background.is_empty()
    }

    /// The standard score of each hit among the cosines of its vector with the background.
    ///
    /// # Errors
    /// `ArgumentInvalid`: there is no background. `IndexMismatch`: its vectors are all the same for one of the hits.
    pub fn standard_scores(&self, hits: &[Hit]) -> Result<Vec<f32>> {
        if !self.has_background() {
            return Err(argument("The index has no background to compare with.".to_owned()));
        }
        let mut cosines = vec![0.0; self.background.len()];
        let standard = |hit: &Hit| {
            self.background.scores(&Query::of(&self.vectors, hit.row), &mut cosines);
            let (mean, deviation) = moments(&cosines);
            if deviation > 0.0 {
                return Ok((hit.score - mean) / deviation);
            }
            let message = "The background of the index does not tell pictures apart: it is of another model.";
            Err(Error::new(ErrorKind::IndexMismatch, message))
        };
        hits.iter().map(standard).collect()
    }
}

/// Mean and standard deviation.
fn moments(values: &[f32]) -> (f32, f32) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let variance = values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
    (mean as f32, variance.sqrt() as f32)
}
