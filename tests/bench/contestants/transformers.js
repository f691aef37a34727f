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
  /** The token ids of texts, padded to the longest. */
  async ids({ texts }) {
    const { input_ids, attention_mask } = classify.tokenizer(texts, { padding: true, truncation: true });
    const [rows, length] = input_ids.dims;
    return {
      rows,
      length,
      ids: Array.from(input_ids.data, Number),
      mask: Array.from(attention_mask.data, Number),
    };
  },
  async tagNew({ labels, template }) {
    const image = new RawImage(rgba(224), 224, 224, 4);
    const answer = await classify(image, labels, { hypothesis_template: template });
    const scores = new Map(answer.map(({ label, score }) => [label, score]));
    return labels.map((label) => scores.get(label));
  },
});
