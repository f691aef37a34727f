// Stands in for the generated modules where they have not been built, so that types can be checked without
// the wasm toolchain. Where pkg/wasm exists, its own declarations win.
declare module '*/ocelli.js';
declare module '*/feature-detect.js';
