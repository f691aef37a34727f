//! The parameters of layers, for a device that computes them in this crate's place.

use super::{
    CrossAttention, EncoderLayer, LayerNorm, Linear, PatchEmbed, SelfAttention, attention::Projections,
};
use crate::kernels::Matrix;

/// A parameter of a layer.
#[derive(Debug, Clone, Copy)]
pub enum Parameter<'a> {
    /// `(out, in)`, packed.
    Matrix(&'a Matrix),
    /// A number for each output.
    Vector(&'a [f32]),
}

impl Linear {
    /// The weight, or with `.bias` at the end of its name the bias, where there is one.
    fn parameter(&self, rest: &str) -> Option<Parameter<'_>> {
        match rest {
            "" => Some(Parameter::Matrix(&self.weight)),
            ".bias" => self.bias().map(Parameter::Vector),
            _ => None,
        }
    }
}

impl PatchEmbed {
    /// `""` is the weight `(width, 3 patch patch)`, `.bias` the bias.
    pub fn parameter(&self, rest: &str) -> Option<Parameter<'_>> {
        self.linear.parameter(rest)
    }
}

impl LayerNorm {
    /// `.weight` or `.bias`.
    pub fn parameter(&self, rest: &str) -> Option<Parameter<'_>> {
        match rest {
            ".weight" => Some(Parameter::Vector(&self.weight)),
            ".bias" => Some(Parameter::Vector(&self.bias)),
            _ => None,
        }
    }
}

impl SelfAttention {
    /// `qkv`, or `q`, `k` and `v`, where they are apart; `out`.
    fn parameter(&self, name: &str) -> Option<Parameter<'_>> {
        let (layer, rest) = name.split_at(name.find('.').unwrap_or(name.len()));
        let layer = match (layer, &self.projections) {
            ("out", _) => &self.output,
            ("qkv", Projections::Fused(all)) => all,
            ("q", Projections::Separate { query, .. }) => query,
            ("k", Projections::Separate { key, .. }) => key,
            ("v", Projections::Separate { value, .. }) => value,
            _ => return None,
        };
        layer.parameter(rest)
    }
}

impl CrossAttention {
    /// `key` or `value`: the layers that see the other sequence.
    pub fn parameter(&self, name: &str) -> Option<Parameter<'_>> {
        let (layer, rest) = name.split_at(name.find('.').unwrap_or(name.len()));
        match layer {
            "key" => self.key.parameter(rest),
            "value" => self.value.parameter(rest),
            _ => None,
        }
    }
}

impl EncoderLayer {
    /// `norm1`, `qkv` or `q`, `k` and `v`, `out`, `scale1`; `norm2`, `up`, `down`, `scale2`. Of a linear layer the name alone is
    /// the weight.
    pub fn parameter(&self, name: &str) -> Option<Parameter<'_>> {
        let (layer, rest) = name.split_at(name.find('.').unwrap_or(name.len()));
        let scale = |which: usize| self.scales.as_ref().map(|scales| Parameter::Vector(&scales[which]));
        match layer {
            "norm1" => self.norm1.parameter(rest),
            "norm2" => self.norm2.parameter(rest),
            "up" => self.mlp.up.parameter(rest),
            "down" => self.mlp.down.parameter(rest),
            "scale1" if rest.is_empty() => scale(0),
            "scale2" if rest.is_empty() => scale(1),
            _ => self.attention.parameter(name),
        }
    }
}
