//! candle-transformers' own CLIP B/32 and BLIP base, f32, as they come.

use candle_core::{DType, Device, IndexOp, Result, Tensor};
use candle_nn::{Activation, Module, VarBuilder};
use candle_transformers::models::{blip, blip_text, clip};
use wasm_bindgen::prelude::*;

/// The beginning of every caption.
const DEC: u32 = 30_522;
const WORDS: &str = "text_decoder.bert.embeddings.word_embeddings.weight";

/// A file of weights on its way into memory.
#[wasm_bindgen]
pub struct Bytes(Vec<u8>);

#[wasm_bindgen]
impl Bytes {
    #[wasm_bindgen(constructor)]
    pub fn new(capacity: usize) -> Self {
        console_error_panic_hook::set_once();
        Self(Vec::with_capacity(capacity))
    }

    pub fn push(&mut self, chunk: &[u8]) {
        self.0.extend_from_slice(chunk);
    }
}

fn js(error: candle_core::Error) -> JsError {
    JsError::new(&error.to_string())
}

fn pixels(values: Vec<f32>, size: usize) -> Result<Tensor> {
    Tensor::from_vec(values, (1, 3, size, size), &Device::Cpu)
}

#[wasm_bindgen]
pub struct Clip(clip::ClipModel);

#[wasm_bindgen]
impl Clip {
    pub fn create(bytes: Bytes) -> std::result::Result<Self, JsError> {
        let weights = VarBuilder::from_buffered_safetensors(bytes.0, DType::F32, &Device::Cpu).map_err(js)?;
        clip::ClipModel::new(weights, &clip::ClipConfig::vit_base_patch32()).map(Self).map_err(js)
    }

    /// The embedding of one picture, normalised pixels in planes.
    pub fn image(&self, values: Vec<f32>, size: usize) -> std::result::Result<Vec<f32>, JsError> {
        let run = || self.0.get_image_features(&pixels(values, size)?)?.flatten_all()?.to_vec1();
        run().map_err(js)
    }

    /// The embeddings of texts, padded to one length.
    pub fn texts(&self, ids: Vec<u32>, length: usize) -> std::result::Result<Vec<f32>, JsError> {
        let run = || {
            let ids = Tensor::from_slice(&ids, (ids.len() / length, length), &Device::Cpu)?;
            self.0.get_text_features(&ids)?.flatten_all()?.to_vec1()
        };
        run().map_err(js)
    }
}

#[wasm_bindgen]
pub struct Blip(blip::BlipForConditionalGeneration);

#[wasm_bindgen]
impl Blip {
    pub fn create(bytes: Bytes) -> std::result::Result<Self, JsError> {
        let weights = VarBuilder::from_buffered_safetensors(bytes.0, DType::F32, &Device::Cpu).map_err(js)?;
        // The file has the table of words once; candle wants it under both of its names.
        let weights = weights.rename_f(|name| match name {
            "text_decoder.cls.predictions.decoder.weight" => WORDS.to_owned(),
            name => name.to_owned(),
        });
        blip::BlipForConditionalGeneration::new(&base(), weights).map(Self).map_err(js)
    }

    /// What the decoder sees of a picture: the first row.
    pub fn image(&self, values: Vec<f32>, size: usize) -> std::result::Result<Vec<f32>, JsError> {
        let run = || self.0.vision_model().forward(&pixels(values, size)?)?.i((0, 0))?.to_vec1();
        run().map_err(js)
    }

    /// The tokens of a caption of `count` tokens, the most probable one at each step, as in candle's example.
    pub fn caption(
        &mut self,
        values: Vec<f32>,
        size: usize,
        count: usize,
    ) -> std::result::Result<Vec<u32>, JsError> {
        let mut run = || {
            let states = self.0.vision_model().forward(&pixels(values.clone(), size)?)?;
            self.0.reset_kv_cache();
            let mut ids = vec![DEC];
            for index in 0..count {
                let context = if index > 0 { 1 } else { ids.len() };
                let input = Tensor::new(&ids[ids.len() - context..], &Device::Cpu)?.unsqueeze(0)?;
                let logits = self.0.text_decoder().forward(&input, &states)?.squeeze(0)?;
                let last = logits.get(logits.dim(0)? - 1)?;
                ids.push(last.argmax(0)?.to_scalar::<u32>()?);
            }
            Ok(ids)
        };
        run().map_err(js)
    }
}

/// The published configuration of BLIP base, which candle does not bring.
fn base() -> blip::Config {
    let mut config = blip::Config::image_captioning_large();
    config.text_config = blip_text::Config { encoder_hidden_size: 768, ..config.text_config };
    config.vision_config = blip::VisionConfig {
        hidden_size: 768,
        intermediate_size: 3072,
        num_hidden_layers: 12,
        num_attention_heads: 12,
        hidden_act: Activation::Gelu,
        ..config.vision_config
    };
    config
}
