//! Text towers of BERT's kind: RoBERTa and XLM-RoBERTa.

use candle_core::{Device, Tensor};

use super::text::{argument, check_ids};
use crate::Result;
use crate::models::config::TowerConfig;
use crate::nn::{self, AttentionMask, Embedding, LayerNorm, Linear, Mlp, Positions, SelfAttention, Sizes};
use crate::weights::Scope;

/// Texts that go through the layers together.
const TEXT_BATCH: usize = 32;

/// A text tower of BERT's kind.
#[derive(Debug, Clone)]
pub struct BertTextConfig {
    /// Width, depth and so on.
    pub tower: TowerConfig,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Rows of the table of positions.
    pub max_position_embeddings: usize,
    /// The first position of a text: RoBERTa's tables begin with rows for padding.
    pub first_position: usize,
    /// Kinds of texts that the model was trained with; all are of the first.
    pub type_vocab_size: usize,
    /// How one vector is made of all tokens'.
    pub pooling: BertPooling,
}

/// How one vector is made of the states of a text's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BertPooling {
    /// Their mean.
    Mean,
    /// The first one's.
    First,
}

impl BertTextConfig {
    /// Tokens that a text may have.
    pub fn context(&self) -> usize {
        self.max_position_embeddings.saturating_sub(self.first_position)
    }
}

/// Words, positions, and transformer layers in which every token sees all of its text.
#[derive(Debug, Clone)]
pub struct BertText {
    config: BertTextConfig,
    words: Embedding,
    /// Of each position, with the row of the first kind of texts added.
    positions: Positions,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

/// Self-attention and MLP, each followed by residual and layer norm.
#[derive(Debug, Clone)]
struct Layer {
    attention: SelfAttention,
    attention_norm: LayerNorm,
    mlp: Mlp,
    norm: LayerNorm,
}

impl BertText {
    /// The tower in `scope`, the file's `text_model`, by BERT's names.
    pub(super) fn load(config: &BertTextConfig, scope: &Scope<'_>) -> Result<Self> {
        let (width, sizes) = (config.tower.hidden_size, config.tower.sizes());
        let embeddings = scope.scope("embeddings");
        let layers = scope.scope("encoder.layer");
        let kinds = embeddings.take("token_type_embeddings.weight", (config.type_vocab_size, width))?;
        let positions =
            embeddings.take("position_embeddings.weight", (config.max_position_embeddings, width))?;
        Ok(Self {
            words: Embedding::load(&embeddings.scope("word_embeddings"), config.vocab_size, width)?,
            positions: Positions::new(nn::add(&positions, &kinds.narrow(0, 0, 1)?)?),
            norm: LayerNorm::load(&embeddings.scope("LayerNorm"), width, sizes.epsilon)?,
            layers: (0..config.tower.layers)
                .map(|i| Layer::load(&layers.scope(i), &sizes))
                .collect::<Result<_>>()?,
            config: config.clone(),
        })
    }

    /// The pooled states of texts of any lengths: `(texts, width)`. None is padded.
    pub fn pooled(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        let mut pooled = Vec::new();
        for batch in texts.chunks(TEXT_BATCH) {
            pooled.push(self.pool(batch)?);
        }
        if pooled.is_empty() {
            return Err(argument("There are no texts to encode."));
        }
        Ok(Tensor::cat(&pooled, 0)?)
    }

    fn pool(&self, texts: &[Vec<u32>]) -> Result<Tensor> {
        let first = self.config.first_position as u32;
        let (mut ids, mut positions) = (Vec::new(), Vec::new());
        for text in texts {
            check_ids(text, self.config.context(), self.config.vocab_size)?;
            ids.extend_from_slice(text);
            positions.extend(first..first + text.len() as u32);
        }
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let sight = AttentionMask::Sequences(&lengths);
        let embedded = nn::add(&self.words.forward(&ids)?, &self.positions.at(&positions)?)?;
        let mut x = self.norm.forward(&embedded)?;
        for layer in &self.layers {
            x = layer.forward(&x, sight)?;
        }
        match self.config.pooling {
            BertPooling::First => Ok(nn::select(&x, &nn::segment_starts(&lengths))?),
            BertPooling::Mean => means(&x, &lengths),
        }
    }
}

/// The mean of the rows of each text: `(rows, width)` to `(texts, width)`.
fn means(x: &Tensor, lengths: &[usize]) -> Result<Tensor> {
    let width = x.dim(1)?;
    let values = x.flatten_all()?.to_vec1::<f32>()?;
    let mut rows = values.chunks_exact(width.max(1));
    let mut means = vec![0.0; lengths.len() * width];
    for (mean, &len) in means.chunks_exact_mut(width.max(1)).zip(lengths) {
        rows.by_ref().take(len).for_each(|row| nn::accumulate(mean, row));
        mean.iter_mut().for_each(|sum| *sum /= len.max(1) as f32);
    }
    Ok(Tensor::from_vec(means, (lengths.len(), width), &Device::Cpu)?)
}

impl Layer {
    fn load(scope: &Scope<'_>, sizes: &Sizes) -> Result<Self> {
        let (heads, inner) = (sizes.heads, sizes.intermediate);
        let names = ["self.query", "self.key", "self.value", "output.dense"];
        let norm = |name: &str| LayerNorm::load(&scope.scope(name), heads.width, sizes.epsilon);
        Ok(Self {
            attention: SelfAttention::load(&scope.scope("attention"), heads, names)?,
            attention_norm: norm("attention.output.LayerNorm")?,
            mlp: Mlp::new(
                Linear::load(&scope.scope("intermediate.dense"), heads.width, inner)?,
                Linear::load(&scope.scope("output.dense"), inner, heads.width)?,
                sizes.activation,
            ),
            norm: norm("output.LayerNorm")?,
        })
    }

    /// `(rows, width)` to the same shape.
    fn forward(&self, x: &Tensor, sight: AttentionMask<'_>) -> Result<Tensor> {
        let x = self.attention_norm.forward(&self.attention.forward(x, x, sight)?)?;
        self.norm.forward(&self.mlp.forward(&x, &x)?)
    }
}
