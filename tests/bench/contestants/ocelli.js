/** ocelli in a worker, by the handles of its wasm: no time of the package's messages is counted, nor saved. */

import { startThreads } from '/pkg/src/threads.js';
import { generated } from '/pkg/src/variants.js';
import { bytesOf, picture, serve } from './worker.js';

const CLIP = '/full/openai/clip-vit-base-patch32/resolve/refs/pr/15/';
const BLIP = '/full/Salesforce/blip-image-captioning-base/resolve/main/';

/** @type {any} */
let wasm;
/** @type {Record<string, any>} */
const models = {};

async function load(name, folder, dtype) {
  const [Files, Handle] =
    name === 'clip' ? [wasm.TaggerFiles, wasm.TaggerHandle] : [wasm.CaptionerFiles, wasm.CaptionerHandle];
  const names = ['config.json', 'preprocessor_config.json', 'tokenizer.json'];
  const [config, preprocessor, tokenizer] = await Promise.all(names.map((file) => bytesOf(folder + file)));
  const files = Files.read(config, preprocessor, tokenizer);
  const loader = new wasm.WeightsLoader(dtype, false);
  const reader = (await fetch(`${folder}model.safetensors`)).body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    loader.push(value);
  }
  models[name] = Handle.create(files, loader);
}

serve({
  async start({ variant, threads = 1 }) {
    wasm = generated(variant);
    await wasm.default();
    if (threads > 1) await startThreads(wasm, { variant, threads });
  },
  loadClip: ({ dtype }) => load('clip', CLIP, dtype),
  loadBlip: ({ dtype }) => load('blip', BLIP, dtype),
  clipImage: () => models.clip.embedImage(picture(wasm, 224)),
  clipTexts: ({ texts }) => models.clip.embedTexts(texts),
  /** Tags a picture against labels that were never seen before. */
  tagNew: ({ labels }) => {
    const set = models.clip.labels(labels, 'a photo of a {}.');
    const scores = models.clip.tag(picture(wasm, 224), set);
    set.free();
    return scores;
  },
  blipImage: () => models.blip.imageStates(picture(wasm, 384)).slice(0, 768),
  caption: () => {
    const run = models.blip.start(picture(wasm, 384), { maxTokens: 20 });
    let text = '';
    for (let piece = run.next(); piece !== undefined; piece = run.next()) text += piece;
    run.free();
    return text;
  },
});
