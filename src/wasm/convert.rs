//! Weights in a smaller form, for the command line.

use std::io::{self, Write};

use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsError, JsValue};

use super::edge::{JsResult, to_js};
use ocelli::convert::{self, Form};

/// A conversion under way.
#[wasm_bindgen]
pub struct Converter(convert::Converter);

#[wasm_bindgen]
impl Converter {
    /// A conversion to `int8` (safetensors), `q8`, `q4`, `f16` or `f32` (GGUF) that has seen no byte yet.
    #[wasm_bindgen(constructor)]
    pub fn new(form: &str) -> JsResult<Self> {
        let form = Form::named(form).map_err(to_js)?;
        Ok(Self(convert::Converter::new(form)))
    }

    /// Takes the next bytes of a file of weights, any number of them.
    pub fn push(&mut self, chunk: &[u8]) -> JsResult<()> {
        self.0.push(chunk).map_err(to_js)
    }

    /// Ends a file, where a model's weights are in several.
    #[wasm_bindgen(js_name = nextFile)]
    pub fn next_file(&mut self) -> JsResult<()> {
        self.0.next_file().map_err(to_js)
    }

    /// Gives the converted file to `write`, piece by piece, each a `Uint8Array` of its own. Returns how many tensors there
    /// are. What `write` throws comes through.
    pub fn finish(self, write: &Function) -> JsResult<usize> {
        let converted = self.0.finish().map_err(to_js)?;
        let mut sink = Sink { write, thrown: None };
        let mut out = io::BufWriter::with_capacity(1 << 20, &mut sink);
        let written = converted.write(&mut out);
        let flushed = out.flush();
        drop(out);
        if let Some(thrown) = sink.thrown {
            return Err(thrown);
        }
        flushed.map_err(|error| JsValue::from(JsError::new(&error.to_string())))?;
        written.map_err(to_js)
    }
}

/// A function of JavaScript's as a writer.
struct Sink<'a> {
    write: &'a Function,
    thrown: Option<JsValue>,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Uint8Array::from(bytes);
        match self.write.call1(&JsValue::UNDEFINED, piece.unchecked_ref()) {
            Ok(_) => Ok(bytes.len()),
            Err(thrown) => {
                self.thrown = Some(thrown);
                Err(io::Error::other("the writer has thrown"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
