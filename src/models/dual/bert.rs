//! Text towers of BERT's kind: RoBERTa and XLM-RoBERTa.

use candle_core::Tensor;

use super::text::{argument, check_ids};
use crate::Result;
use crate::models::bert::BertLayer;
use crate::models::config::TowerConfig;
use crate::nn::{self, AttentionMask, Embedding, LayerNorm, Positions};
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
    layers: Vec<BertLayer>,
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
                .map(|i| Ok(BertLayer::load(&layers.scope(i), &sizes)?.precise()))
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
            BertPooling::Mean => Ok(nn::segment_means(&x, &lengths, 0)?),
        }
    }
}
