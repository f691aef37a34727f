//! Decoded pictures, and what becomes of them.

use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use ocelli::image::{self, RgbImage};
use ocelli::tasks;

/// A decoded picture: upright, opaque, 8 bits a channel.
#[wasm_bindgen]
pub struct Picture(RgbImage);

#[wasm_bindgen]
impl Picture {
    /// Decodes the bytes of an image file (JPEG, PNG, WebP, GIF, BMP, TIFF).
    pub fn decode(bytes: &[u8]) -> JsResult<Self> {
        image::decode(bytes).map(Self).map_err(to_js)
    }

    /// Takes pixels as `ImageData` has them: rows of RGBA, not premultiplied.
    #[wasm_bindgen(js_name = fromRgba)]
    pub fn from_rgba(width: u32, height: u32, rgba: &[u8]) -> JsResult<Self> {
        image::from_rgba(width, height, rgba).map(Self).map_err(to_js)
    }

    /// Takes what a canvas gives of its pixels.
    #[wasm_bindgen(js_name = fromImageData)]
    pub fn from_image_data(pixels: &web_sys::ImageData) -> JsResult<Self> {
        Self::from_rgba(pixels.width(), pixels.height(), &pixels.data())
    }

    /// Width in pixels.
    #[wasm_bindgen(getter)]
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// Height in pixels.
    #[wasm_bindgen(getter)]
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// A copy whose longer edge has at most so many pixels.
    pub fn thumbnail(&self, longest_edge: u32) -> Self {
        Self(image::thumbnail(&self.0, longest_edge))
    }

    /// The pixels as `ImageData` has them: rows of RGBA, opaque.
    pub fn rgba(&self) -> Vec<u8> {
        image::to_rgba(&self.0)
    }
}

impl Picture {
    /// The pixels, for the tasks.
    pub(super) fn image(&self) -> &RgbImage {
        &self.0
    }
}

/// A picture that a model is looking at, layer by layer. It belongs to the model that made it.
#[wasm_bindgen]
pub struct ImageEncoding(pub(super) tasks::ImageEncoding);
