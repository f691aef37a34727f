/** ONNX Runtime Web in a worker, on the same weights and pixels. */

import * as ort from '/peers/onnxruntime-web/dist/ort.wasm.min.mjs';
import { planes, serve } from './worker.js';

/** @type {Record<string, any>} */
const sessions = {};

serve({
  start({ threads }) {
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.wasmPaths = '/peers/onnxruntime-web/dist/';
  },
  async load({ name }) {
    sessions[name] = await ort.InferenceSession.create(`/models/${name}.onnx`, {
      executionProviders: ['wasm'],
    });
  },
  async image({ name, size }) {
    const pixels = new ort.Tensor('float32', planes(size), [1, 3, size, size]);
    const { data } = Object.values(await sessions[name].run({ pixel_values: pixels }))[0];
    return data.slice(0, 768);
  },
});
