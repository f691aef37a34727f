//! Labels taught by examples.

use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::tag::{LabelSet, TaggerHandle, scores_of};
use ocelli::tasks::{self, Scores, TaughtRows};

/// A tagger learning from examples, one fit at a time.
#[wasm_bindgen]
pub struct TeachRun(tasks::TeachRun);

#[wasm_bindgen]
impl TeachRun {
    /// How many fits are made.
    #[wasm_bindgen(getter)]
    pub fn total(&self) -> usize {
        self.0.total()
    }

    /// Makes one more fit; returns how many are left.
    pub fn step(&mut self) -> JsResult<usize> {
        self.0.step().map_err(to_js)
    }

    /// What the labels gain, `(labels, dim)`; nothing before the last step.
    pub fn weights(&self) -> Vec<f32> {
        self.0.taught().map(|taught| taught.weights.clone()).unwrap_or_default()
    }

    /// The strength of the penalty; `undefined` where nothing was learnt.
    #[wasm_bindgen(getter)]
    pub fn strength(&self) -> Option<f32> {
        self.0.taught().and_then(|taught| taught.strength)
    }

    /// How much is kept of what the words say: from 0 to 1.
    #[wasm_bindgen(getter)]
    pub fn kept(&self) -> f32 {
        self.0.taught().map_or(1.0, |taught| taught.kept)
    }

    /// What logits are divided by then.
    #[wasm_bindgen(getter)]
    pub fn temperature(&self) -> f32 {
        self.0.taught().map_or(1.0, |taught| taught.temperature)
    }
}

#[wasm_bindgen]
impl TaggerHandle {
    /// Begins to learn the labels of `set` from the unit-length embeddings of examples, one after the other, and the place
    /// of each one's label.
    pub fn teach(
        &mut self,
        set: &mut LabelSet,
        background: &mut LabelSet,
        embeddings: &[f32],
        places: &[u32],
    ) -> JsResult<TeachRun> {
        self.0.teach(&mut set.0, &mut background.0, embeddings, places).map(TeachRun).map_err(to_js)
    }

    /// `score` of labels of which those at `places` were taught: what each gains is a row of `weights`. `alone`: in a softmax
    /// the labels have all of the probability, and none of them has none.
    #[wasm_bindgen(js_name = scoreTaught)]
    #[allow(clippy::too_many_arguments)] // As flat as JavaScript calls it.
    pub fn score_taught(
        &mut self,
        embedding: &[f32],
        set: &mut LabelSet,
        background: &mut LabelSet,
        independent: bool,
        offset: Option<f32>,
        alone: bool,
        weights: &[f32],
        places: &[u32],
        kept: f32,
        temperature: f32,
    ) -> JsResult<Vec<f32>> {
        let taught = TaughtRows { weights, places, kept, temperature };
        let scores = if alone && !independent { Scores::Alone } else { scores_of(independent) };
        let scored = self
            .0
            .score_taught(embedding, &mut set.0, &mut background.0, scores, offset, taught)
            .map_err(to_js)?;
        Ok(scored.all())
    }
}
