//! The prompts of labels, where another device computes the layers of a tagger's text tower.

use super::labels::normalise;
use super::{LabelSet, Tagger};
use crate::models::dual::{ClipText, TextBatch};
use crate::{Error, ErrorKind, Result};

/// The next prompts of a set, on their way through another device.
#[derive(Debug)]
pub struct WaitingTexts {
    prompts: Vec<String>,
    /// They, as a text tower takes them.
    pub batch: TextBatch,
}

impl Tagger {
    /// The text tower, where there is one whose layers another device can compute.
    pub fn text_tower(&self) -> Option<&ClipText> {
        self.model().text().ok()?.offloadable()
    }

    /// How many prompts of `set` have to be computed: none that is known from earlier sets is among them.
    pub fn waiting(&self, set: &LabelSet) -> usize {
        set.waiting(self.memory().shelf(set.templates()))
    }

    /// The prompts of `set` that [`Tagger::encode_labels`] would compute next, at most `limit`: they stay pending until
    /// [`Tagger::take_texts`] is given what has become of them. `None` where another device can do nothing for them: where none
    /// has to be computed, or where they cannot go together.
    pub fn next_texts(&self, set: &mut LabelSet, limit: usize) -> Result<Option<WaitingTexts>> {
        let Some(tower) = self.text_tower() else { return Ok(None) };
        let prompts = self.next_prompts(set, limit);
        if prompts.is_empty() {
            return Ok(None);
        }
        let tokenizer = self.tokenizer()?;
        let ids = prompts.iter().map(|prompt| tokenizer.encode(prompt)).collect::<Result<Vec<_>>>()?;
        Ok(tower.batch(ids)?.map(|batch| WaitingTexts { prompts, batch }))
    }

    /// Takes over what another device made of the next prompts of `set`: of each the state after the last layer that stands for
    /// all of it, one after the other. Returns how many prompts are still pending.
    ///
    /// # Errors
    /// `ArgumentInvalid`: the prompts are not the next ones, there are more or fewer numbers than that, or not all are finite.
    /// Then nothing has changed.
    pub fn take_texts(
        &mut self,
        set: &mut LabelSet,
        texts: &WaitingTexts,
        states: Vec<f32>,
    ) -> Result<usize> {
        if self.next_prompts(set, texts.prompts.len()) != texts.prompts {
            return Err(argument("The texts are not those that come next."));
        }
        let mut rows = self.model().text_features_of(&texts.batch, states)?.to_vec2::<f32>()?;
        if !rows.iter().flatten().all(|x| x.is_finite()) {
            return Err(argument("The states give no finite numbers for these texts."));
        }
        rows.iter_mut().for_each(|row| normalise(row));
        Ok(self.take_rows(set, rows))
    }
}

fn argument(message: &str) -> Error {
    Error::new(ErrorKind::ArgumentInvalid, message)
}
