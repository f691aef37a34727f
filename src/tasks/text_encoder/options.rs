//! How a prompt is to be encoded.

/// How a prompt is to be encoded. The defaults are those of Stable Diffusion 1 and 2 in AUTOMATIC1111's web UI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Layers from the end that are left out: 0 gives the states behind the last layer, 1 those before it (what others call
    /// a clip skip of 2, or the penultimate layer), and so on up to the number of layers.
    pub skip: usize,
    /// Whether states go through the tower's final layer norm, whatever layer they are of: so in Stable Diffusion 1 and 2.
    /// SDXL's second last states, and the `hidden_states` of `transformers`, have not.
    pub final_norm: bool,
    /// Whether tokens that only fill up are hidden from attention. They come behind all others, and no text's own token sees
    /// them: it is their own states that differ.
    pub attention_mask: bool,
    /// What texts are filled up with.
    pub padding: PaddingToken,
    /// What the weights in a prompt do.
    pub emphasis: EmphasisMode,
    /// Where a chunk is full, how many tokens behind its last comma may move to the next one, so that no phrase is cut; 0
    /// moves none.
    pub comma_backtrack: usize,
    /// Whether what does not fit into one chunk is cut off.
    pub truncate: bool,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            skip: 0,
            final_norm: true,
            attention_mask: false,
            padding: PaddingToken::Trained,
            emphasis: EmphasisMode::Original,
            comma_backtrack: 20,
            truncate: false,
        }
    }
}

/// What texts are filled up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaddingToken {
    /// What they were filled up with where the model was trained: the end token, or the token 0 ("!") of OpenCLIP's models
    /// and of SDXL's second encoder.
    Trained,
    /// The end token.
    End,
    /// This one.
    Token(u32),
}

impl PaddingToken {
    /// What `trained`, `end`, or the id of a token stands for.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "trained" => Some(Self::Trained),
            "end" => Some(Self::End),
            id => id.parse().ok().map(Self::Token),
        }
    }
}

/// What the weights in a prompt do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmphasisMode {
    /// The states of each token are multiplied with its weight, and then all of a chunk with one factor, which restores their
    /// mean.
    Original,
    /// The states of each token are multiplied with its weight.
    NoNorm,
    /// Nothing, for there are none: brackets and `BREAK` are text like any other.
    None,
}

impl EmphasisMode {
    /// What `original`, `no-norm` or `none` stands for.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "original" => Some(Self::Original),
            "no-norm" => Some(Self::NoNorm),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    /// Weighs the states of a chunk, `weights.len()` rows.
    ///
    /// Source: the description of the setting "Emphasis mode" of AUTOMATIC1111's web UI, and its "Original".
    pub(super) fn apply(self, states: &mut [f32], weights: &[f32]) {
        if self == Self::None || weights.iter().all(|&weight| weight == 1.0) {
            return;
        }
        let width = states.len() / weights.len().max(1);
        let sum = |states: &[f32]| states.iter().map(|&x| f64::from(x)).sum::<f64>();
        let before = sum(states);
        for (row, weight) in states.chunks_exact_mut(width.max(1)).zip(weights) {
            row.iter_mut().for_each(|x| *x *= weight);
        }
        if self == Self::Original {
            let factor = (before / sum(states)) as f32;
            states.iter_mut().for_each(|x| *x *= factor);
        }
    }
}
