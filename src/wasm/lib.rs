//! Thin handles over [`ocelli::tasks`] for JavaScript, and the only files that name the browser.
//!
//! Bytes and strings come in, copied numbers and strings go out, never a view into wasm memory. Errors
//! leave as JavaScript `Error`s with a stable `code` ([`ocelli::ErrorKind::code`]). A panic is a trap: the
//! message goes to the console, and the worker that owns this memory has to be thrown away.

#![cfg(target_arch = "wasm32")]

mod answering;
mod caption;
mod classify;
#[cfg(feature = "convert")]
mod convert;
mod edge;
mod index;
mod inside;
mod interrogate;
mod load;
mod matching;
mod ocelli;
mod picture;
mod prompts;
mod tag;
mod teach;
mod text_tower;
#[cfg(feature = "threads")]
mod threads;
mod tower;

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs once when the module is instantiated.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}
