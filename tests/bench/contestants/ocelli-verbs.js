/** What ocelli is asked, in a worker (`ocelli.js`) or in a page that is being profiled. */

import { remove } from '/pkg/src/page/catalogue.js';
import { locate } from '/pkg/src/page/hub.js';
import { accelerate } from '/pkg/src/worker/accelerator.js';
import { gpuSurroundings } from '/pkg/src/worker/gpu-surroundings.js';
import { startThreads } from '/pkg/src/worker/threads.js';
import { generated } from '/pkg/src/worker/variants.js';
import { load as loadKept } from '/pkg/src/worker/operations/load.js';
import { bytesOf, picture } from './worker.js';

const CLIP_ID = 'openai/clip-vit-base-patch32';
const CLIP = '/full/openai/clip-vit-base-patch32/resolve/refs/pr/15/';
const BLIP = '/full/Salesforce/blip-image-captioning-base/resolve/main/';

/** @type {any} */
let wasm;
/** What the wasm module exports, its memory among it. @type {any} */
let instance;
/** @type {Record<string, any>} */
const models = {};
/** What computes their pictures on the GPU. @type {Record<string, any>} */
const accelerators = {};

/**
 * The models: where their files are, and which classes of the wasm they are made with. The towers of
 * tests/full/make_towers.py have CLIP's tokenizer.
 */
const MADE = {
  clip: { folder: CLIP, ...single('Tagger') },
  blip: { folder: BLIP, ...single('Captioner') },
  rn50: { folder: '/full/towers/rn50/', tokenizer: CLIP, ...single('Tagger') },
  siglip: {
    folder: '/full/towers/siglip/',
    tokenizer: CLIP,
    read: (config, preprocessor) => wasm.TaggerFiles.read(config, preprocessor, new Uint8Array(), 'image'),
    create: (...made) => wasm.TaggerHandle.create(...made),
  },
  xlm_roberta: {
    folder: '/full/towers/xlm_roberta/',
    read: (...small) => wasm.TaggerFiles.read(...small, 'text'),
    create: (...made) => wasm.TaggerHandle.create(...made),
  },
  lite0: {
    folder: '/full/towers/lite0/',
    tokenizer: CLIP,
    read: (...small) => wasm.OcelliFiles.read(...small, undefined, undefined, ['tagger']),
    create: (...made) => wasm.OcelliHandle.create(...made).tagger(),
  },
};

/** A model of one task. */
function single(name) {
  return {
    read: (...small) => wasm[`${name}Files`].read(...small),
    create: (...made) => wasm[`${name}Handle`].create(...made),
  };
}

async function load(name, dtype) {
  const { folder, tokenizer = folder, read, create } = MADE[name];
  const urls = [`${folder}config.json`, `${folder}preprocessor_config.json`, `${tokenizer}tokenizer.json`];
  const before = memory();
  const files = read(...(await Promise.all(urls.map(bytesOf))));
  const small = memory() - before;
  const loader = new wasm.WeightsLoader(dtype, false);
  files.passOver(loader);
  await stream(`${folder}model.safetensors`, loader);
  models[name] = create(files, loader);
  return { small, all: memory() };
}

/** Bytes of the wasm's memory, which never shrinks. */
function memory() {
  return instance.memory.buffer.byteLength;
}

async function stream(url, loader) {
  const reader = (await fetch(url)).body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    loader.push(value);
  }
}

/** The embedding of a picture. */
function embed(model, size) {
  const seen = look(model, size);
  const embedding = model.embeddingOf(seen);
  seen.free();
  return embedding;
}

/** How often texts were asked for. */
let asked = 0;

function embedTexts(model, texts) {
  // What was met before is not computed again. Spaces make another text, of the same tokens.
  asked += 1;
  const set = model.texts(texts.map((text) => text + ' '.repeat(asked)));
  while (model.encodeLabels(set, texts.length) > 0);
  const embeddings = set.embeddings();
  set.free();
  return embeddings;
}

/** Looks at a picture, all the way. */
function look(model, size) {
  const begun = model.encodeImage(picture(wasm, size));
  while (model.advance(begun) > 0);
  return begun;
}

export const verbs = {
  async start({ variant, threads = 1 }) {
    wasm = generated(variant);
    instance = await wasm.default();
    if (threads > 1) await startThreads(wasm, { variant, threads }, startNested);
  },
  loadClip: ({ dtype }) => load('clip', dtype),
  loadBlip: ({ dtype }) => load('blip', dtype),
  /** A tagger of another image tower, `siglip`, `rn50` or `lite0`, or of another text tower, `xlm_roberta`. */
  loadTower: ({ name, dtype }) => load(name, dtype),
  clipImage: () => embed(models.clip, 224),
  towerImage: ({ name, size }) => embed(models[name], size),
  clipTexts: ({ texts }) => embedTexts(models.clip, texts),
  towerTexts: ({ name, texts }) => embedTexts(models[name], texts),
  /** Tags a picture against labels that were never seen before. */
  tagNew: ({ labels, template }) => {
    const set = models.clip.labels(labels, [template]);
    const scores = models.clip.tag(models.clip.encodeImage(picture(wasm, 224)), set);
    set.free();
    return scores;
  },
  /** Has the GPU compute a model's pictures; answers what came of it. */
  async takeGpu({ name }) {
    const { accelerator, reason } = await accelerate(wasm, models[name], 'webgpu', gpuSurroundings());
    accelerators[name] = accelerator;
    return reason;
  },
  /** The embedding of a picture, or of BLIP nothing, as the GPU computes it. */
  async gpuImage({ name, size }) {
    const seen = models[name].encodeImage(picture(wasm, size));
    try {
      if ((await accelerators[name]?.encode([seen])) !== 1) throw new Error('The GPU was given up.');
      return models[name].embeddingOf?.(seen);
    } finally {
      seen.free();
    }
  },
  blipImage: () => look(models.blip, 384).free(),
  caption: (options) => {
    const start = performance.now();
    const seen = look(models.blip, 384);
    const run = models.blip.write(seen, models.blip.plan(options));
    const imageMs = performance.now() - start;
    let text = '';
    for (let piece = run.next(); piece !== undefined; piece = run.next()) text += piece;
    run.free();
    seen.free();
    return { text, imageMs };
  },
  newLabels: ({ labels, template }) => {
    const set = models.clip.labels(labels, [template]);
    while (models.clip.encodeLabels(set, 32) > 0);
    set.free();
  },
  /** Tags that many pictures against labels that are known from the first on. */
  tagImages: ({ count, labels }) => {
    const set = models.clip.labels(labels, ['a photo of a {}.']);
    for (let i = 0; i < count; i++) models.clip.tag(models.clip.encodeImage(picture(wasm, 224)), set);
    set.free();
  },
  forget: () => remove(CLIP_ID),
  /** A start as the package's worker does it: with the wasm, from what was kept, or from the network and keeping it. */
  async startKept() {
    wasm = generated('relaxed');
    await wasm.default();
    const files = locate(CLIP_ID, { hubUrl: new URL('/full/', location.href) });
    const params = { task: 'tag', files, dtype: 'int8', cache: { id: CLIP_ID, revision: null } };
    const steps = loadKept(wasm, params, {});
    const phases = new Set();
    for (;;) {
      const { done, value } = await steps.next();
      if (done) break;
      if ('progress' in value) phases.add(value.progress.phase);
    }
    return [...phases];
  },
};

/**
 * Threads of a pool as workers within this one: here no page of ocelli's starts them.
 *
 * @param {number} count
 * @param {object} message
 */
async function startNested(count, message) {
  const ready = Array.from({ length: count }, () => {
    const worker = new Worker('/pkg/src/worker.js', { type: 'module' });
    worker.postMessage(message);
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) =>
        data.type === 'thread-ready' ? resolve() : reject(new Error(data.reason));
      worker.onerror = reject;
    });
  });
  await Promise.all(ready);
}
