/** ONNX Runtime Web's WebGPU provider in a worker, on the same weights and pixels. */

import * as ort from '/peers/onnxruntime-web/dist/ort.webgpu.min.mjs';
import { planes, serve } from './worker.js';

/** @type {Record<string, any>} */
const sessions = {};

serve({
  start() {
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = '/peers/onnxruntime-web/dist/';
  },
  async load({ name }) {
    sessions[name] = await ort.InferenceSession.create(`/models/${name}.onnx`, {
      executionProviders: ['webgpu'],
    });
  },
  async image({ name, size, mean, deviation }) {
    const pixels = new ort.Tensor('float32', planes(size, mean, deviation), [1, 3, size, size]);
    const { data } = Object.values(await sessions[name].run({ pixel_values: pixels }))[0];
    return Float32Array.from(data.slice(0, 1024));
  },
});
