// Stands in for the generated modules where they have not been built, so that types can be checked without
// the wasm toolchain. Where pkg/wasm exists, its own declarations win.
declare module '*/simd128.js';
declare module '*/relaxed.js';
declare module '*/simd128-threads.js';
declare module '*/relaxed-threads.js';
declare module '*/feature-detect.js';
