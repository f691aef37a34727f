//! Prompts that a picture could have been made with.

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use super::picture::ImageEncoding;
use super::tag::{LabelSet, TaggerHandle, strings};
use ocelli::tasks::{self, InterrogationSettings, MAX_LABELS, Mode, TaggerTexts, TermLists};

/// The terms that prompts are made of, with the embeddings known so far.
#[wasm_bindgen]
pub struct Terms(tasks::Terms);

#[wasm_bindgen]
impl Terms {
    /// How many terms there are, in all forms that they are asked for in.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.0.texts().len()
    }

    /// How many of them are still to be encoded.
    #[wasm_bindgen(getter)]
    pub fn pending(&self) -> usize {
        self.0.pending()
    }

    /// The next terms as labels, to be encoded as any others and then put back; `undefined` where all terms are encoded.
    #[wasm_bindgen(js_name = takeBatch)]
    pub fn take_batch(&mut self) -> JsResult<Option<LabelSet>> {
        self.0.take_batch().map(|batch| batch.map(LabelSet)).map_err(to_js)
    }

    /// Takes back what `takeBatch` gave, with what is encoded of it.
    #[wasm_bindgen(js_name = putBack)]
    pub fn put_back(&mut self, batch: LabelSet) -> JsResult<()> {
        self.0.put_back(batch.0).map_err(to_js)
    }
}

/// A picture being interrogated.
#[wasm_bindgen]
pub struct Interrogation {
    run: tasks::Interrogation,
    texts: TaggerTexts,
}

#[wasm_bindgen]
impl Interrogation {
    /// Reads at most `limit` texts more; returns whether the interrogation goes on.
    pub fn step(&mut self, terms: &Terms, limit: usize) -> JsResult<bool> {
        self.run.step(&terms.0, &mut self.texts, limit).map_err(to_js)
    }

    /// The best prompt so far.
    #[wasm_bindgen(getter)]
    pub fn prompt(&self) -> String {
        self.run.prompt().to_owned()
    }

    /// Its similarity to the picture.
    #[wasm_bindgen(getter)]
    pub fn similarity(&self) -> f32 {
        self.run.similarity()
    }

    /// The caption that was taken, once that is known.
    #[wasm_bindgen(getter)]
    pub fn caption(&self) -> String {
        self.run.caption().to_owned()
    }

    /// How many texts have been read of those that are being compared.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> usize {
        self.run.progress().0
    }

    /// How many are being compared.
    #[wasm_bindgen(getter)]
    pub fn total(&self) -> usize {
        self.run.progress().1
    }
}

#[wasm_bindgen]
impl TaggerHandle {
    /// Reads lists of terms, one a line; computes nothing.
    pub fn terms(
        &self,
        mediums: &str,
        artists: &str,
        movements: &str,
        sites: &str,
        flavors: &str,
        negative: &str,
    ) -> JsResult<Terms> {
        let lists = TermLists { mediums, artists, movements, sites, flavors, negative };
        tasks::Terms::read(lists).map(Terms).map_err(to_js)
    }

    /// Begins to interrogate what was looked at; computes nothing yet. Without `max_flavors` there are as many as the mode has.
    #[allow(clippy::too_many_arguments)] // A picture, what there is to say of it, and four settings.
    pub fn interrogate(
        &self,
        encoding: &ImageEncoding,
        terms: &Terms,
        captions: &Array,
        mode: &str,
        min_flavors: usize,
        max_flavors: Option<usize>,
        shortlist: usize,
    ) -> JsResult<Interrogation> {
        let begin = || {
            let mode = Mode::from_name(mode)?;
            let captions = strings(captions, MAX_LABELS)?;
            let usual = InterrogationSettings::new(mode);
            let settings = InterrogationSettings { min_flavors, max_flavors, shortlist, ..usual };
            tasks::Interrogation::new(settings, self.0.embedding_of(&encoding.0)?, &captions, &terms.0)
        };
        let run = begin().map_err(to_js)?;
        Ok(Interrogation { run, texts: TaggerTexts::new(&self.0) })
    }
}
