//! An index of vectors.

use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use super::edge::{JsResult, to_js};
use super::tag::strings;
use ocelli::index::{self, Closeness, Diversity, Filter, Hit, Index, MAX_VECTORS, ModelName};

/// Many vectors of one model, each under an id.
#[wasm_bindgen]
pub struct IndexHandle(Index);

#[wasm_bindgen]
impl IndexHandle {
    /// An empty index of vectors of `width` numbers, made by a model.
    pub fn create(model: &str, revision: &str, dtype: &str, width: usize) -> JsResult<Self> {
        let model = ModelName::new(model, revision, dtype).map_err(to_js)?;
        Index::new(model, width).map(Self).map_err(to_js)
    }

    /// The index of a file that was read; consumes it.
    pub fn read(reader: IndexReader) -> JsResult<Self> {
        reader.0.finish().map(Self).map_err(to_js)
    }

    /// Id, revision and dtype of the model.
    pub fn model(&self) -> Vec<String> {
        let ModelName { id, revision, dtype } = self.0.model().clone();
        vec![id, revision, dtype]
    }

    /// Numbers of a vector.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> usize {
        self.0.width()
    }

    /// How many vectors there are.
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Bytes in memory.
    #[wasm_bindgen(getter)]
    pub fn memory(&self) -> usize {
        self.0.memory()
    }

    /// Whether there are texts to compare scores with.
    #[wasm_bindgen(getter, js_name = hasBackground)]
    pub fn has_background(&self) -> bool {
        self.0.has_background()
    }

    /// Sets the texts to compare scores with: their vectors, one after the other.
    #[wasm_bindgen(js_name = setBackground)]
    pub fn set_background(&mut self, vectors: &[f32]) -> JsResult<()> {
        self.0.set_background(vectors).map_err(to_js)
    }

    /// The ids of all rows.
    pub fn ids(&self) -> Vec<String> {
        (0..self.0.len()).map(|row| self.0.id(row).to_owned()).collect()
    }

    /// The id of a row.
    pub fn id(&self, row: usize) -> String {
        self.0.id(row).to_owned()
    }

    /// A bit for each row, set for those of `ids`.
    pub fn bits(&self, ids: &Array) -> JsResult<Vec<u8>> {
        let mut bits = vec![0; self.0.len().div_ceil(8)];
        for id in strings(ids, MAX_VECTORS).map_err(to_js)? {
            if let Some(row) = self.0.row(&id) {
                bits[row / 8] |= 1 << (row % 8);
            }
        }
        Ok(bits)
    }

    /// The vectors of some rows, in f32, one after the other.
    pub fn vectors(&self, begin: usize, count: usize) -> Vec<f32> {
        let end = self.0.len().min(begin.saturating_add(count));
        (begin..end).flat_map(|row| self.0.vector(row)).collect()
    }

    /// The row of an id.
    pub fn row(&self, id: &str) -> Option<usize> {
        self.0.row(id)
    }

    /// Adds vectors, or replaces those of ids that are there.
    pub fn add(&mut self, ids: &Array, vectors: &[f32]) -> JsResult<()> {
        let ids = strings(ids, MAX_VECTORS).map_err(to_js)?;
        self.0.add(&ids.iter().map(String::as_str).collect::<Vec<_>>(), vectors).map_err(to_js)
    }

    /// Removes vectors; returns how many.
    pub fn remove(&mut self, ids: &Array) -> JsResult<usize> {
        Ok(self.0.remove(&strings(ids, MAX_VECTORS).map_err(to_js)?))
    }

    /// The nearest vectors, of those whose bits are set, or of all. With `standard`, hits have standard scores too.
    pub fn search(&self, query: &[f32], top: usize, bits: Option<Vec<u8>>, standard: bool) -> JsResult<Hits> {
        let hits = self.0.search(query, top, filter(bits.as_deref())).map_err(to_js)?;
        let standard = if standard { self.0.standard_scores(&hits).map_err(to_js)? } else { Vec::new() };
        Ok(Hits { hits, standard })
    }

    /// A few vectors that show how different all are, or those near to a query.
    pub fn diverse(
        &self,
        count: usize,
        query: Option<Vec<f32>>,
        lambda: f32,
        among: usize,
        bits: Option<Vec<u8>>,
    ) -> JsResult<Hits> {
        let how = Diversity { query: query.as_deref(), lambda, among };
        let hits = self.0.diverse(count, how, filter(bits.as_deref())).map_err(to_js)?;
        Ok(Hits { hits, standard: Vec::new() })
    }

    /// Begins to look for vectors that are nearly the same: with `times`, one for each row, only for those within a length of
    /// time.
    #[wasm_bindgen(js_name = beginGroups)]
    pub fn begin_groups(&self, threshold: f32, times: Option<Vec<f64>>, within: f64) -> JsResult<GroupScan> {
        let close = Closeness { threshold, burst: times.map(|times| (times, within)) };
        index::GroupScan::new(&self.0, close).map(GroupScan).map_err(to_js)
    }

    /// Looks at some more vectors; returns how many are left.
    #[wasm_bindgen(js_name = stepGroups)]
    pub fn step_groups(&self, scan: &mut GroupScan) -> JsResult<usize> {
        scan.0.step(&self.0).map_err(to_js)
    }

    /// Gives the index as a file to `write`, piece by piece, each a `Uint8Array` of its own. What `write` throws comes through.
    pub fn write(&self, write: &Function) -> JsResult<()> {
        self.0.write(|piece| {
            write.call1(&JsValue::UNDEFINED, Uint8Array::from(piece).unchecked_ref()).map(|_| ())
        })
    }
}

fn filter(bits: Option<&[u8]>) -> Filter<'_> {
    bits.map_or(Filter::all(), Filter::bits)
}

/// Takes the bytes of an index's file as they come, and is consumed by [`IndexHandle::read`].
#[wasm_bindgen]
pub struct IndexReader(index::IndexReader);

#[wasm_bindgen]
impl IndexReader {
    /// A reader that has seen no byte yet.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(index::IndexReader::new())
    }

    /// Takes the next bytes, any number of them.
    pub fn push(&mut self, chunk: &[u8]) -> JsResult<()> {
        self.0.push(chunk).map_err(to_js)
    }
}

/// Vectors that were found, best first.
#[wasm_bindgen]
pub struct Hits {
    hits: Vec<Hit>,
    standard: Vec<f32>,
}

#[wasm_bindgen]
impl Hits {
    /// Their rows.
    pub fn rows(&self) -> Vec<u32> {
        self.hits.iter().map(|hit| hit.row as u32).collect()
    }

    /// Their cosines.
    pub fn scores(&self) -> Vec<f32> {
        self.hits.iter().map(|hit| hit.score).collect()
    }

    /// Their standard scores, where they were wanted.
    pub fn standard(&self) -> Vec<f32> {
        self.standard.clone()
    }
}

/// A search for groups.
#[wasm_bindgen]
pub struct GroupScan(index::GroupScan);

#[wasm_bindgen]
impl GroupScan {
    /// The groups: rows one after the other, and behind each group's last `u32::MAX`.
    pub fn groups(&mut self) -> Vec<u32> {
        let groups = self.0.groups().into_iter();
        groups.flat_map(|group| group.into_iter().map(|row| row as u32).chain([u32::MAX])).collect()
    }
}
