//! The vision transformer (ViT) that CLIP, SigLIP, BLIP, DINOv2 and ViT classifiers see with.

use candle_core::Tensor;

use super::config::{FinalNorm, Pooling, TransformerConfig};
use super::positions::resampled;
use super::{EncoderState, Trace, check_pixels};
use crate::nn::{self, AttentionMask, EncoderLayer, LayerNorm, PatchEmbed, ProbePool, with_prefix};
use crate::weights::Scope;
use crate::{Error, ErrorKind, Result};

/// Patches, tokens before them, positions, and transformer layers. The families differ in what the configuration says, and
/// in the names of their tensors, which all are read by one.
#[derive(Debug, Clone)]
pub struct VisionTransformer {
    pub(super) config: TransformerConfig,
    pub(super) image_size: usize,
    pub(super) patches: PatchEmbed,
    /// Class token and registers, with what positions they have: `(prefix, width)`.
    pub(super) prefix: Option<Tensor>,
    /// `(patches, width)`.
    pub(super) positions: Tensor,
    /// Before the first layer.
    pub(super) pre_norm: Option<LayerNorm>,
    pub(super) layers: Vec<EncoderLayer>,
    /// After the last layer.
    pub(super) post_norm: LayerNorm,
    /// What pools, where that has weights.
    head: Option<ProbePool>,
}

impl VisionTransformer {
    /// The tower in `scope`, the file's `vision_model`.
    pub(in crate::models) fn load(
        config: &TransformerConfig,
        image_size: usize,
        scope: &Scope<'_>,
    ) -> Result<Self> {
        let (width, patch) = (config.tower.hidden_size, config.patch_size);
        let sizes = config.tower.sizes();
        let norm = |name| LayerNorm::load(&scope.scope(name), width, sizes.epsilon);
        let embeddings = scope.scope("embeddings");
        let layers = scope.scope("encoder.layers");
        let (prefix, positions) = load_positions(config, image_size, &embeddings)?;
        Ok(Self {
            image_size,
            patches: PatchEmbed::load(&embeddings.scope("patch_embedding"), width, patch, config.patch_bias)?,
            prefix,
            positions,
            pre_norm: config.pre_norm.then(|| norm("pre_layernorm")).transpose()?,
            layers: (0..config.tower.layers)
                .map(|i| EncoderLayer::load(&layers.scope(i), &sizes, config.qkv_bias, config.layer_scale))
                .collect::<Result<_>>()?,
            post_norm: norm("post_layernorm")?,
            head: (config.pooling == Pooling::Attention)
                .then(|| ProbePool::load(&scope.scope("head"), &sizes))
                .transpose()?,
            config: config.clone(),
        })
    }

    /// The states after the last layer, before the norm: pixels `(batch, 3, size, size)` to `(batch, tokens, width)`.
    pub fn hidden_states(&self, pixels: &Tensor) -> Result<Tensor> {
        let EncoderState { states: patches, lengths, .. } = self.begin(pixels)?;
        let mut x = self.embed(&patches)?;
        for layer in &self.layers {
            x = layer.forward(&x, AttentionMask::Sequences(&lengths))?;
        }
        by_image(&x, &lengths)
    }

    pub(super) fn begin(&self, pixels: &Tensor) -> Result<EncoderState> {
        check_pixels(pixels, self.image_size)?;
        let patches = self.patches.cut(pixels)?;
        let (batch, count, _) = patches.dims3()?;
        Ok(EncoderState::of_patches(patches, vec![self.config.prefix() + count; batch]))
    }

    /// Patches `(batch, patches, 3 patch patch)` to what the first layer takes, `(rows, width)`.
    fn embed(&self, patches: &Tensor) -> Result<Tensor> {
        let patches = self.patches.forward(patches)?;
        let (x, _) = with_prefix(&patches, self.prefix.as_ref(), &self.positions)?;
        if let Some(norm) = &self.pre_norm { norm.forward(&x) } else { Ok(x) }
    }

    pub(super) fn advance(&self, state: &mut EncoderState) -> Result<usize> {
        if !state.is_embedded {
            state.states = self.embed(&state.states)?;
            state.is_embedded = true;
        }
        state.advance(&self.layers, |layer, state| {
            let (x, sight) = (&state.states, AttentionMask::Sequences(&state.lengths));
            // The class token's is usually all that is asked for of the last layer's states.
            if self.has_class_states(state) && state.done + 1 == self.layers.len() {
                layer.forward_at(x, sight, &state.segment_starts())
            } else {
                layer.forward(x, sight)
            }
        })
    }

    pub(super) fn trace_back(&self, trace: &mut Trace) -> Result<usize> {
        trace.step(&self.layers)
    }

    /// `state` has been through all layers, as in what follows.
    pub(super) fn rollout(&self, state: &EncoderState) -> Result<Trace> {
        Trace::new(state, self.layers.len(), self.config.prefix(), self.shares(state), None)
    }

    /// As [`ImageTower::relevance`](super::ImageTower::relevance) has it, of a tower that pools.
    ///
    /// # Errors
    /// `ArgumentInvalid` where a learnt query pools.
    pub(super) fn relevance(
        &self,
        state: &EncoderState,
        gradient: impl FnOnce(&Tensor) -> Result<Vec<f32>>,
    ) -> Result<Trace> {
        let of_pooled = match self.config.pooling {
            Pooling::Attention => {
                let message = "This model pools with an attention of its own, through which no answer is followed back yet.";
                return Err(Error::new(ErrorKind::ArgumentInvalid, message));
            }
            Pooling::States | Pooling::ClassToken | Pooling::Mean => gradient(&self.pooled(state)?)?,
        };
        let of_states = self.backward(state, &of_pooled)?;
        Trace::new(state, self.layers.len(), self.config.prefix(), self.shares(state), Some(of_states))
    }

    /// How much of the pooled vector each row of one image has: all of it the class token, or every patch the same.
    fn shares(&self, state: &EncoderState) -> Vec<f32> {
        let (len, prefix) = (state.lengths.first().copied().unwrap_or(0), self.config.prefix());
        let mut shares = vec![0.0; len];
        match self.config.pooling {
            Pooling::States | Pooling::ClassToken => shares.iter_mut().take(1).for_each(|share| *share = 1.0),
            Pooling::Mean | Pooling::Attention => {
                let share = 1.0 / (len - prefix.min(len)).max(1) as f32;
                shares.iter_mut().skip(prefix).for_each(|patch| *patch = share);
            }
        }
        shares
    }

    /// The gradient of all rows of the last layer, `(tokens width,)`, from that of the pooled vector, `(width,)`.
    fn backward(&self, state: &EncoderState, of_pooled: &[f32]) -> Result<Vec<f32>> {
        let (shares, width) = (self.shares(state), of_pooled.len());
        let spread = |of_pooled: &[f32]| -> Vec<f32> {
            shares.iter().flat_map(|share| of_pooled.iter().map(move |g| g * share)).collect()
        };
        match (self.config.pooling, self.config.final_norm) {
            (Pooling::Mean, FinalNorm::BeforePooling) => {
                self.post_norm.backward(&state.states, &spread(of_pooled))
            }
            (Pooling::Mean, FinalNorm::AfterPooling) => {
                let mean = self.mean(&state.states, &state.lengths)?;
                Ok(spread(&self.post_norm.backward(&mean, of_pooled)?))
            }
            _ => {
                let mut first = self.post_norm.backward(&self.class_states(state)?, of_pooled)?;
                first.resize(shares.len() * width, 0.0);
                Ok(first)
            }
        }
    }

    /// Whether the last layer gives the states of class tokens alone.
    pub(super) fn has_class_states(&self, state: &EncoderState) -> bool {
        self.config.pooling == Pooling::ClassToken && !state.whole
    }

    /// The states of class tokens, before the norm: `(batch, width)`.
    fn class_states(&self, state: &EncoderState) -> Result<Tensor> {
        if self.has_class_states(state) {
            return Ok(state.states.clone());
        }
        Ok(nn::select(&state.states, &state.segment_starts())?)
    }

    /// One vector for each image, `(batch, width)`.
    pub(super) fn pooled(&self, state: &EncoderState) -> Result<Tensor> {
        let EncoderState { states, lengths, .. } = state;
        if let Some(head) = &self.head {
            return head.forward(&self.post_norm.forward(states)?, lengths);
        }
        match (self.config.pooling, self.config.final_norm) {
            (Pooling::Mean, FinalNorm::AfterPooling) => self.post_norm.forward(&self.mean(states, lengths)?),
            (Pooling::Mean, FinalNorm::BeforePooling) => self.mean(&self.post_norm.forward(states)?, lengths),
            _ => self.post_norm.forward(&self.class_states(state)?),
        }
    }

    /// The mean of the patches of each image: `(rows, width)` to `(batch, width)`.
    fn mean(&self, x: &Tensor, lengths: &[usize]) -> Result<Tensor> {
        Ok(nn::segment_means(x, lengths, self.config.prefix())?)
    }

    /// The normalised states of all tokens, `(batch, tokens, width)`, of a tower or a `state` that is asked for them.
    pub(super) fn states(&self, state: &EncoderState) -> Result<Tensor> {
        by_image(&self.post_norm.forward(&state.states)?, &state.lengths)
    }
}

/// Rows of images that all have as many: `(rows, width)` to `(batch, tokens, width)`.
fn by_image(x: &Tensor, lengths: &[usize]) -> Result<Tensor> {
    let width = x.dim(1)?;
    Ok(x.reshape((lengths.len(), (), width))?)
}

/// Class token and registers with their positions, and the positions of the patches of an image of `image_size` pixels.
fn load_positions(
    config: &TransformerConfig,
    image_size: usize,
    scope: &Scope<'_>,
) -> Result<(Option<Tensor>, Tensor)> {
    let width = config.tower.hidden_size;
    let side = image_size / config.patch_size;
    let own = config.position_side.unwrap_or(side);
    let first = usize::from(config.class_token);
    let all = scope.take("position_embedding.weight", (first + own * own, width))?;
    let positions = resampled(&all.narrow(0, first, own * own)?, own, side, config.antialias)?;
    let mut prefix = Vec::new();
    if config.class_token {
        let class = scope.take("class_embedding", width)?.reshape((1, width))?.contiguous()?;
        prefix.push(nn::add(&class, &all.narrow(0, 0, 1)?)?);
    }
    if config.registers > 0 {
        prefix.push(scope.take("register_tokens", (config.registers, width))?);
    }
    let prefix = if prefix.is_empty() { None } else { Some(Tensor::cat(&prefix, 0)?) };
    Ok((prefix, positions))
}
