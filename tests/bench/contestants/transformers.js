/** transformers.js in a worker: its pipeline, with its default of eight bits. */

import { env, pipeline, RawImage } from '/peers/@huggingface/transformers/dist/transformers.min.js';
import { rgba, serve } from './worker.js';

/** @type {any} */
let classify;

serve({
  async start({ threads }) {
    env.allowRemoteModels = false;
    env.allowLocalModels = true;
    env.useBrowserCache = false;
    env.localModelPath = '/models/';
    env.backends.onnx.wasm.numThreads = threads;
    env.backends.onnx.wasm.wasmPaths = '/peers/onnxruntime-web/dist/';
    classify = await pipeline('zero-shot-image-classification', 'clip', { dtype: 'q8', device: 'wasm' });
  },
  async tagNew({ labels }) {
    const image = new RawImage(rgba(224), 224, 224, 4);
    const answer = await classify(image, labels, { hypothesis_template: 'a photo of a {}.' });
    const scores = new Map(answer.map(({ label, score }) => [label, score]));
    return labels.map((label) => scores.get(label));
  },
});
