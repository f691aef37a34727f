//! Text towers whose layers a GPU computes: their parameters and embedded texts out, states in.

use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::tag::LabelSet;
use super::tower::TowerTensor;
use ocelli::models::dual::ClipText;
use ocelli::models::to_json;
use ocelli::tasks::{Tagger, WaitingTexts};
use ocelli::{Error, ErrorKind, Result};

/// The text tower of a tagger.
#[wasm_bindgen]
pub struct TextTower(Tagger);

impl TextTower {
    /// That of `tagger`, where another device can compute its layers.
    pub(super) fn of(tagger: &Tagger) -> Option<Self> {
        tagger.text_tower().map(|_| Self(tagger.clone()))
    }

    fn tower(&self) -> Result<&ClipText> {
        let other = || Error::new(ErrorKind::Internal, "The text tower is none that a device computes.");
        self.0.text_tower().ok_or_else(other)
    }
}

#[wasm_bindgen]
impl TextTower {
    /// What the layers are, as JSON: see `LayersDescription` of the crate.
    pub fn description(&self) -> JsResult<String> {
        self.tower().and_then(|tower| to_json(&tower.description())).map_err(to_js)
    }

    /// A copy of the parameter `name`, where the tower has it.
    pub fn parameter(&self, name: &str) -> JsResult<Option<TowerTensor>> {
        let tower = self.tower().map_err(to_js)?;
        Ok(tower.parameter(name).map(|parameter| TowerTensor::of(&parameter)))
    }

    /// How many prompts of a set have to be computed: none that is known from earlier sets is among them.
    pub fn waiting(&self, set: &LabelSet) -> usize {
        self.0.waiting(&set.0)
    }

    /// The next prompts of a set, at most `limit`; `undefined` where another device can do nothing for them.
    pub fn next(&self, set: &mut LabelSet, limit: usize) -> JsResult<Option<TextBatch>> {
        self.0.next_texts(&mut set.0, limit).map(|texts| texts.map(TextBatch)).map_err(to_js)
    }

    /// What goes into the first layer: `length` rows of each text, one text after the other.
    pub fn rows(&self, texts: &TextBatch, length: usize) -> JsResult<Vec<f32>> {
        self.tower().and_then(|tower| tower.rows(&texts.0.batch, length)).map_err(to_js)
    }

    /// The states of `count` texts from `first` on after so many layers, as the wasm computes them; of each as many rows as it
    /// has tokens.
    pub fn states(&self, texts: &TextBatch, first: usize, count: usize, layers: usize) -> JsResult<Vec<f32>> {
        let states = |tower: &ClipText| tower.states_of(&texts.0.batch, first, count, layers);
        self.tower().and_then(|tower| Ok(states(tower)?.flatten_all()?.to_vec1()?)).map_err(to_js)
    }

    /// The states that stand for `count` texts from `first` on, before the last norm, as the wasm computes them.
    pub fn pooled(&self, texts: &TextBatch, first: usize, count: usize) -> JsResult<Vec<f32>> {
        let pooled = |tower: &ClipText| tower.pooled_of(&texts.0.batch, first, count);
        self.tower().and_then(|tower| Ok(pooled(tower)?.flatten_all()?.to_vec1()?)).map_err(to_js)
    }

    /// Takes over the states that stand for the next prompts of a set, before the last norm; returns how many prompts are still
    /// pending.
    pub fn complete(&mut self, set: &mut LabelSet, texts: &TextBatch, states: Vec<f32>) -> JsResult<usize> {
        self.0.take_texts(&mut set.0, &texts.0, states).map_err(to_js)
    }
}

/// Texts on their way through a GPU.
#[wasm_bindgen]
pub struct TextBatch(WaitingTexts);

#[wasm_bindgen]
impl TextBatch {
    /// How many there are.
    #[wasm_bindgen(getter)]
    pub fn count(&self) -> usize {
        self.0.batch.len()
    }

    /// How many tokens the longest one has.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.0.batch.length()
    }

    /// How many tokens each has.
    pub fn lengths(&self) -> Vec<u32> {
        self.0.batch.lengths()
    }

    /// The place of the token of each that stands for all of it.
    pub fn ends(&self) -> Vec<u32> {
        self.0.batch.ends()
    }
}
