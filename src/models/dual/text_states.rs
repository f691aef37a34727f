//! The states of every token of some texts, layer by layer: what image generators take from CLIP's text tower.

use candle_core::Tensor;

use super::config::TokenizerKind;
use super::projection::Projection;
use super::text::argument;
use super::{ClipText, DualConfig, TextConfig, Towers};
use crate::Result;
use crate::models::config::invalid;
use crate::nn::{self, AttentionMask};
use crate::weights::Weights;

/// CLIP's text tower for the states of all its tokens: the reference's `CLIPTextModel`, or `CLIPTextModelWithProjection`
/// where the weights have a projection.
#[derive(Debug, Clone)]
pub struct ClipTextEncoder {
    tower: ClipText,
    projection: Option<Projection>,
}

/// The tokens of a text, filled up as the caller likes.
#[derive(Debug, Clone, Copy)]
pub struct MaskedText<'a> {
    /// All of its tokens.
    pub ids: &'a [u32],
    /// How many of them, from the first, may be attended to: all of them without an attention mask.
    pub attended: usize,
}

/// Texts on their way through the layers.
#[derive(Debug)]
pub struct TextPass {
    /// The rows of all texts, one after the other; behind the last layer those of `ends` alone, where no more are needed.
    x: Tensor,
    /// For each row the first row of its text, and how many rows from there it sees.
    visible: Vec<(u32, u32)>,
    /// The row of each text that stands for all of it.
    ends: Vec<u32>,
    /// Layers that are done.
    done: usize,
    /// After how many layers the states are wanted.
    wanted: usize,
    states: Option<Tensor>,
}

/// What a tower makes of some texts.
#[derive(Debug)]
pub struct TextStates {
    /// `(tokens of all texts, width)`.
    pub states: Tensor,
    /// The normalised state of each text's end token behind the last layer: `(texts, width)`.
    pub pooled: Tensor,
    /// That, projected: `(texts, projection_dim)`.
    pub projected: Option<Tensor>,
}

impl ClipTextEncoder {
    /// The text tower of the model that `config` describes. Tensors of the vision tower are unknown to it, as any others.
    ///
    /// # Errors
    /// `ConfigInvalid`: there is no text tower, or it is not CLIP's. `WeightsMismatch`.
    pub fn new(config: &DualConfig, weights: Weights) -> Result<Self> {
        let (Some(TextConfig::Clip(text)), TokenizerKind::Clip { .. }) = (&config.text, config.tokenizer)
        else {
            return Err(invalid("The model has no text tower of CLIP's kind."));
        };
        weights.pass_over(config.unused(Towers::Text));
        let root = weights.root();
        let scope = root.scope("text_projection");
        let has_projection = ["weight", "transposed"].iter().any(|name| scope.contains(name));
        let load = || {
            let (width, dim) = (text.tower.hidden_size, config.projection_dim);
            Projection::load(config.text_projection, &scope, width, dim)
        };
        let projection = has_projection.then(load).transpose()?;
        let tower = ClipText::load(text, &root.scope("text_model"))?;
        weights.finish()?;
        Ok(Self { tower, projection })
    }

    /// How many layers there are.
    pub fn layers(&self) -> usize {
        self.tower.layers.len()
    }

    /// Begins with `texts`, whose states are wanted as they are `skip` layers before the end: with 0 behind the last layer,
    /// with as many as there are layers those that go into the first. No layer is computed yet.
    ///
    /// # Errors
    /// `ArgumentInvalid`: no texts, too long ones, unknown tokens, no end token, or more layers than there are.
    pub fn begin(&self, texts: &[MaskedText<'_>], skip: usize) -> Result<TextPass> {
        let layers = self.layers();
        let wanted = layers.checked_sub(skip).ok_or_else(|| {
            argument(format!("skip is {skip}; the model has {layers} layers, which is the most it can be."))
        })?;
        if texts.is_empty() {
            return Err(argument("There are no texts to encode."));
        }
        let (mut visible, mut ends) = (Vec::new(), Vec::new());
        for text in texts {
            let first = visible.len() as u32;
            ends.push(first + self.tower.last(text.ids)? as u32);
            // Positions fit a `u32`: `config.json` may ask for 65,536 at most.
            let attended = text.attended.clamp(1, text.ids.len()) as u32;
            let before = |position: u32| if self.tower.config.causal { position + 1 } else { attended };
            visible.extend((0..text.ids.len() as u32).map(|i| (first, before(i).min(attended))));
        }
        let ids: Vec<&[u32]> = texts.iter().map(|text| text.ids).collect();
        let x = self.tower.embed_all(&ids)?;
        let states = (wanted == 0).then(|| x.clone());
        Ok(TextPass { x, visible, ends, done: 0, wanted, states })
    }

    /// Computes one more layer. Returns how many are left.
    pub fn advance(&self, pass: &mut TextPass) -> Result<usize> {
        let Some(layer) = self.tower.layers.get(pass.done) else { return Ok(0) };
        let rows: Vec<u32> = (0..pass.visible.len() as u32).collect();
        let sight = |&(first, count): &(u32, u32)| &rows[first as usize..][..count as usize];
        let left = self.layers() - pass.done - 1;
        // Behind the states that are wanted, the last layer serves the pooled rows alone.
        pass.x = if left == 0 && pass.states.is_some() {
            let visible: Vec<&[u32]> =
                pass.ends.iter().map(|&end| sight(&pass.visible[end as usize])).collect();
            layer.forward_at(&pass.x, AttentionMask::Rows(&visible), &pass.ends)?
        } else {
            let visible: Vec<&[u32]> = pass.visible.iter().map(sight).collect();
            layer.forward(&pass.x, AttentionMask::Rows(&visible))?
        };
        pass.done += 1;
        if pass.done == pass.wanted {
            pass.states = Some(pass.x.clone());
        }
        Ok(left)
    }

    /// What has become of the texts, their states with the tower's final layer norm if `normalised`. Computes the layers that
    /// are left.
    pub fn finish(&self, mut pass: TextPass, normalised: bool) -> Result<TextStates> {
        while self.advance(&mut pass)? > 0 {}
        let x = if pass.wanted == self.layers() { nn::select(&pass.x, &pass.ends)? } else { pass.x };
        let pooled = self.tower.final_norm.forward(&x)?;
        let states = pass.states.ok_or_else(|| argument("No layer of the text was kept."))?;
        Ok(TextStates {
            states: if normalised { self.tower.final_norm.forward(&states)? } else { states },
            projected: self.projection.as_ref().map(|layer| layer.forward(&pooled)).transpose()?,
            pooled,
        })
    }
}

impl DualConfig {
    /// The token that texts were filled up with where the model was trained; `end` is the one that they end with.
    ///
    /// `transformers` fills up CLIP's texts with the end token, and so do generators on OpenAI's towers; `open_clip`, with
    /// which all towers of a true GELU were trained, takes the token 0, "!".
    pub fn padding(&self, end: u32) -> u32 {
        use crate::nn::Activation::QuickGelu;
        match (self.tokenizer, &self.text) {
            (TokenizerKind::Clip { pad: Some(pad) }, _) => pad,
            (_, Some(TextConfig::Clip(text))) if !self.is_open_clip && text.tower.activation == QuickGelu => {
                end
            }
            _ => 0,
        }
    }
}
