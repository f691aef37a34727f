/** ONNX Runtime Web in a worker, on the same weights and pixels. */

import * as ort from '/peers/onnxruntime-web/dist/ort.wasm.min.mjs';
import { planes, serve } from './worker.js';

/** @type {Record<string, any>} */
const sessions = {};

async function load({ name }) {
  sessions[name] = await ort.InferenceSession.create(`/models/${name}.onnx`, {
    executionProviders: ['wasm'],
  });
}

/** @param {number[]} values @param {number[]} dims */
function int64(values, dims) {
  return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}

serve({
  start({ threads }) {
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.wasmPaths = '/peers/onnxruntime-web/dist/';
  },
  load,
  async loadAll({ names }) {
    for (const name of names) await load({ name });
  },
  async texts({ name, rows, length, ids, mask }) {
    const [input_ids, attention_mask] = [ids, mask].map((values) => int64(values, [rows, length]));
    return unit(Object.values(await sessions[name].run({ input_ids, attention_mask }))[0]);
  },
  async image({ name, size, mean, deviation }) {
    const pixels = new ort.Tensor('float32', planes(size, mean, deviation), [1, 3, size, size]);
    const { data } = Object.values(await sessions[name].run({ pixel_values: pixels }))[0];
    return data.slice(0, 1024);
  },
});

/** Rows scaled to length 1, as ocelli gives them. */
function unit({ data, dims: [rows, width] }) {
  for (let row = 0; row < rows; row++) {
    const numbers = data.subarray(row * width, (row + 1) * width);
    const length = Math.hypot(...numbers);
    for (let i = 0; i < width; i++) numbers[i] /= length;
  }
  return data;
}
