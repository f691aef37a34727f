//! The pool of threads, in the variants that have one.
//!
//! A thread of the web is a worker that runs this module over the same memory; only JavaScript can start one.
//! So the pool is built in turns: its maker is one of its threads, and for each of the others a worker calls
//! `run` and waits until [`ThreadPool::start`] hands it one. The crate `wasm-bindgen-rayon` does the same, but
//! starts the workers itself, in one way for bundlers and in another for pages without: here the package does, in
//! one way for both.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use js_sys::Array;
use rayon::{ThreadBuilder, ThreadPoolBuilder};
use wasm_bindgen::prelude::wasm_bindgen;

use super::edge::{JsResult, to_js};
use ocelli::{Error, ErrorKind};

/// The threads that still wait for a worker.
static WAITING: Mutex<Option<Receiver<ThreadBuilder>>> = Mutex::new(None);

/// The pool that all loops of this memory share.
#[wasm_bindgen]
pub struct ThreadPool {
    threads: usize,
    sender: Sender<ThreadBuilder>,
}

#[wasm_bindgen]
impl ThreadPool {
    /// A pool of `threads` threads, none of which runs yet.
    #[wasm_bindgen(constructor)]
    pub fn new(threads: usize) -> JsResult<Self> {
        let (sender, receiver) = channel();
        let mut waiting = WAITING.lock().map_err(|_| failed("its lock is lost"))?;
        if waiting.replace(receiver).is_some() {
            return Err(failed("there is one already"));
        }
        Ok(Self { threads, sender })
    }

    /// What a worker needs to run this module over this memory: `[WebAssembly.Module, WebAssembly.Memory]`.
    #[wasm_bindgen(getter)]
    pub fn shared(&self) -> Array {
        Array::of2(&wasm_bindgen::module(), &wasm_bindgen::memory())
    }

    /// Becomes one of the threads and hands out the others: called once `threads - 1` workers wait in `run`, or
    /// are about to.
    pub fn start(self) -> JsResult<()> {
        let Self { threads, sender } = self;
        ThreadPoolBuilder::new()
            .num_threads(threads)
            // The caller computes as well: it need not be woken at the end of each loop, only to go on alone.
            .use_current_thread()
            .spawn_handler(move |thread| {
                sender.send(thread).map_err(|_| std::io::Error::other("no worker waits"))
            })
            .build_global()
            .map_err(|error| failed(&error.to_string()))
    }

    /// What a worker does: waits for a thread, and is it until its memory goes away.
    pub fn run() {
        let thread = WAITING.lock().ok().and_then(|waiting| waiting.as_ref()?.recv().ok());
        if let Some(thread) = thread {
            thread.run();
        }
    }
}

fn failed(why: &str) -> wasm_bindgen::JsValue {
    to_js(Error::new(ErrorKind::ArgumentInvalid, format!("The pool of threads could not be made: {why}.")))
}
