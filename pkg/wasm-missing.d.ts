// Stands in for the generated module where it has not been built, so that types can be checked without
// the wasm toolchain. Where pkg/wasm exists, its own declarations win and are checked against handles.js.
declare module '*/wasm/ocelli.js';
