//! The pool of threads, in the variants that have one.

/// `initThreadPool(n)`: starts the workers that share this memory; resolves when all of them run.
pub use wasm_bindgen_rayon::init_thread_pool;
