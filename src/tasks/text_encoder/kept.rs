//! What the text tower made of chunks that come again: the negative prompt's, and those without a word.

use std::sync::Arc;

/// Bytes of states that are kept at most: some seventy chunks of CLIP L/14.
const MAX_BYTES: usize = 16 << 20;

/// What a chunk's states depend on, besides the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChunkKey {
    pub(super) ids: Vec<u32>,
    /// How many of them are attended to.
    pub(super) attended: usize,
    pub(super) skip: usize,
    pub(super) final_norm: bool,
}

/// The states of a chunk, which no weight has changed yet.
#[derive(Debug)]
pub(super) struct ChunkStates {
    /// `(context, width)`, row by row.
    pub(super) states: Vec<f32>,
    pub(super) pooled: Vec<f32>,
    pub(super) projected: Option<Vec<f32>>,
}

/// The chunks that were met last, the newest at the end.
#[derive(Default)]
pub(super) struct Kept(Vec<(ChunkKey, Arc<ChunkStates>)>);

impl Kept {
    pub(super) fn find(&self, key: &ChunkKey) -> Option<Arc<ChunkStates>> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, states)| states.clone())
    }

    /// Keeps a chunk's states, in the place of the oldest where there is no more room.
    pub(super) fn keep(&mut self, key: &ChunkKey, states: &Arc<ChunkStates>) {
        self.0.retain(|(known, _)| known != key);
        let most = (MAX_BYTES / (4 * states.states.len()).max(1)).max(1);
        if self.0.len() >= most {
            self.0.remove(0);
        }
        self.0.push((key.clone(), states.clone()));
    }
}
