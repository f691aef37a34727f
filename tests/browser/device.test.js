// Models on WebGPU, in software: the same answers as WebAssembly's, and an answer whatever happens to the GPU.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ROOT } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { IN_FIREFOX, openBrowser } from './support/browser.js';
import { seededModels } from './support/seeded.js';
import { PATIENCE } from './support/site.js';

const GOLDEN = path.join(ROOT, 'tests/golden/models');
/**
 * Image towers of the families, and the dtypes in which each is compared: in f32, where nothing is rounded away, all of them; in
 * others some, whose widths fill blocks and do not.
 */
const TOWERS = Object.entries({
  'clip-quick-gelu-eos-2': ['f32', 'int8'],
  'clip-vision-alone': ['f32', 'f16'],
  'dinov2-registers': ['f32'],
  'open-clip-vit-whole': ['f32'],
  siglip: ['f32', 'int8'],
});
/** Tokenizers of those that read texts, too. @type {Record<string, string>} */
const TOKENIZERS = {
  'clip-quick-gelu-eos-2': path.join(ROOT, 'tests/golden/tagging/clip-quick-gelu-eos-2.tokenizer.json'),
  siglip: path.join(ROOT, 'tests/golden/text/siglip.tokenizer.json'),
};
/** Largest difference of a number of an embedding of length 1, in f32. */
const BOUND = 2e-3;
/** Least cosine of embeddings in int8. */
const COSINE = 0.9995;

/** What is done to WebGPU in the worker before the package's own script runs. */
const FAULTS = {
  'the adapter is refused': [`navigator.gpu.requestAdapter = async () => null;`, /none is offered/],
  'the device is refused': [
    `GPUAdapter.prototype.requestDevice = async () => { throw new TypeError('refused'); };`,
    /failed .*refused/,
  ],
  'a buffer is refused': [
    `GPUDevice.prototype.createBuffer = () => { throw new RangeError('no memory'); };`,
    /failed .*no memory/,
  ],
  'a shader is invalid': [
    `const make = GPUDevice.prototype.createShaderModule;
     GPUDevice.prototype.createShaderModule = function (how) { return make.call(this, { ...how, code: 'fn (' }); };`,
    /failed/,
  ],
  'its numbers are wrong': [
    `const get = GPUBuffer.prototype.getMappedRange;
     GPUBuffer.prototype.getMappedRange = function (...part) {
       const range = get.apply(this, part);
       new Float32Array(range).forEach((x, i, all) => { if (i % 3 === 0) all[i] = -x; });
       return range;
     };`,
    /something else than WebAssembly/,
  ],
};

/** The device goes when so many results have been asked for. @param {number} count */
const lostAt = (count) => `
  let runs = 0;
  const map = GPUBuffer.prototype.mapAsync;
  GPUBuffer.prototype.mapAsync = function (...how) {
    if (++runs === ${count}) globalThis.device.destroy();
    return map.apply(this, how);
  };
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...how) {
    return (globalThis.device = await request.apply(this, how));
  };`;

/** What is right of pictures is wrong of texts. */
const WRONG_TEXTS = `
  let reads = 0;
  const get = GPUBuffer.prototype.getMappedRange;
  GPUBuffer.prototype.getMappedRange = function (...part) {
    const range = get.apply(this, part);
    if (++reads > 4) new Float32Array(range).forEach((x, i, all) => { if (i % 3 === 0) all[i] = -x; });
    return range;
  };`;

const browser = await openBrowser({ gpu: true });
const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-device-'));
const seeded = seededModels();
writeFileSync(
  path.join(folder, 'index.html'),
  `<!doctype html><title>device</title><script type="module">
    import * as ocelli from '/ocelli/dist/index.js';
    globalThis.ocelli = ocelli;
  </script>`,
);
const faults = {
  ...Object.fromEntries(Object.entries(FAULTS).map(([name, [code]]) => [name, code])),
  // The test of the first layer, and of all layers three times; then the picture.
  lost: lostAt(5),
  // The same of texts; then their batches.
  'lost-texts': lostAt(10),
  'wrong-texts': WRONG_TEXTS,
};
for (const [name, code] of Object.entries(faults)) {
  const file = name.replaceAll(' ', '-');
  writeFileSync(path.join(folder, `${file}-fault.js`), code);
  // What is imported first runs first.
  writeFileSync(
    path.join(folder, `${file}.js`),
    `import './${file}-fault.js';\nimport '/ocelli/dist/worker.js';\n`,
  );
}

/** A folder of a model as it is published, with a preprocessor of its size. @param {string} rest @returns {string | null} */
function tower(rest) {
  const [name = '', file = ''] = rest.split('/');
  const golden = path.join(GOLDEN, name, file);
  if (existsSync(golden)) return golden;
  if (file === 'tokenizer.json') return TOKENIZERS[name] ?? null;
  if (file !== 'preprocessor_config.json') return null;
  const config = JSON.parse(readFileSync(path.join(GOLDEN, name, 'config.json'), 'utf8'));
  const side = (config.vision_config ?? config.model_cfg?.vision_cfg ?? config).image_size;
  const written = path.join(folder, `${name}.json`);
  const processor = {
    image_processor_type: 'CLIPImageProcessor',
    do_center_crop: false,
    size: { height: side, width: side },
  };
  writeFileSync(written, JSON.stringify(processor));
  return written;
}

const site = await serve({
  root: folder,
  mounts: {
    '/ocelli/': path.join(ROOT, 'pkg'),
    '/samples/': path.join(ROOT, 'www/samples'),
    '/seeded/': seeded.mount,
    '/trained/': path.join(ROOT, 'tests/golden/trained'),
    '/towers/': tower,
  },
});
test.after(async () => {
  await browser.close();
  await site.close();
  seeded.remove();
  rmSync(folder, { recursive: true });
});

const skip = IN_FIREFOX && 'Firefox of Debian has no WebGPU';

/** A page with the package. @param {import('node:test').TestContext} t */
async function open(t) {
  const context = await browser.newContext();
  t.after(() => context.close());
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => globalThis.ocelli !== undefined);
  return page;
}

/**
 * What a model says of a picture, and what it runs on before and after.
 * @param {import('playwright-core').Page} page
 * @param {{ kind?: 'Embedder' | 'Classifier' | 'Answerer' | 'Captioner' | 'Matcher', model: string, device: string, dtype?: string, fault?: string, times?: number }} how
 */
function ask(page, { kind = 'Embedder', model, device, dtype = 'f32', fault, times = 1 }) {
  return page.evaluate(
    async ({ kind, model, device, dtype, fault, times }) => {
      const worker = fault && { worker: () => new Worker(`/${fault}.js`, { type: 'module' }) };
      const more = kind === 'Embedder' ? { tower: 'image' } : {};
      const loaded = await globalThis.ocelli[kind].load(model, { device, dtype, ...more, ...worker });
      const before = loaded.runtime;
      const picture = '/samples/cat.webp';
      const answers = [];
      for (let i = 0; i < times; i++) {
        if (kind === 'Embedder') answers.push([...(await loaded.embedImages([picture]))[0]]);
        if (kind === 'Classifier') answers.push((await loaded.classify(picture)).map(({ score }) => score));
        if (kind === 'Answerer') answers.push(await loaded.answer(picture, 'what is it'));
        if (kind === 'Captioner') answers.push(await loaded.caption(picture));
        if (kind === 'Matcher') {
          const found = await loaded.match(picture, ['a red circle', 'a blue square', 'a cat']);
          answers.push(found.flatMap(({ match, similarity }) => [match, similarity]));
        }
      }
      const after = loaded.runtime;
      loaded.dispose();
      return { before, after, answers };
    },
    { kind, model: `${site.url}${model}`, device, dtype, fault, times },
  );
}

/** @param {number[]} a @param {number[]} b */
const cosine = (a, b) => {
  const dot = (/** @type {number[]} */ x, /** @type {number[]} */ y) =>
    x.reduce((sum, v, i) => sum + v * (y[i] ?? NaN), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

for (const [name, dtypes] of TOWERS) {
  test(`${name} sees the same on the GPU`, { skip }, async (t) => {
    const page = await open(t);
    for (const dtype of dtypes) {
      const model = `towers/${name}/`;
      const own = await ask(page, { model, dtype, device: 'wasm' });
      const gpu = await ask(page, { model, dtype, device: 'webgpu' });
      assert.equal(own.before.device, 'wasm');
      assert.equal(gpu.before.device, 'webgpu', gpu.before.reason);
      assert.match(gpu.after.reason, /Pictures go through the GPU \(google swiftshader\)/);
      const [a = [], b = []] = [own.answers[0], gpu.answers[0]];
      const off = Math.max(...a.map((x, i) => Math.abs(x - b[i])));
      if (dtype === 'int8') assert.ok(cosine(a, b) >= COSINE, `${dtype}: cosine ${cosine(a, b)}`);
      else assert.ok(off <= BOUND, `${dtype}: off by ${off}`);
    }
  });
}

test('several pictures go through the GPU together, and each is as alone', { skip }, async (t) => {
  const page = await open(t);
  const found = await page.evaluate(async (model) => {
    const load = (/** @type {string} */ device) =>
      globalThis.ocelli.Embedder.load(model, { device, dtype: 'f32', tower: 'image' });
    const [own, gpu] = [await load('wasm'), await load('webgpu')];
    const names = ['cat', 'astronaut', 'cat', 'mushroom'];
    const pictures = names.map((name) => `/samples/${name}.webp`);
    /** @type {number[]} */
    const steps = [];
    const onProgress = ({ loaded, total }) => total !== null && steps.push(loaded / total);
    const together = await gpu.embedImages(pictures, { onProgress });
    const damaged = [pictures[0], new Uint8Array([1, 2, 3]), pictures[1]];
    const error = await gpu
      .embedImages(damaged)
      .catch(({ code, index, message }) => ({ code, index, message }));
    const answer = {
      own: (await own.embedImages(pictures)).map((one) => [...one]),
      together: together.map((one) => [...one]),
      device: gpu.runtime.device,
      steps,
      error,
    };
    [own, gpu].forEach((one) => one.dispose());
    return answer;
  }, `${site.url}towers/clip-vision-alone/`);
  assert.equal(found.device, 'webgpu');
  assert.equal(found.together.length, found.own.length);
  for (const [i, a] of found.own.entries()) {
    const off = Math.max(...a.map((x, at) => Math.abs(x - found.together[i][at])));
    assert.ok(off <= BOUND, `picture ${i}: off by ${off}`);
  }
  assert.equal(found.steps.at(-1), 1);
  assert.deepEqual(
    found.steps,
    found.steps.toSorted((a, b) => a - b),
  );
  assert.deepEqual([found.error.code, found.error.index], ['image-unsupported', 1]);
  assert.match(found.error.message, /^Picture 2 of 3: /);
});

test('classes, answers, captions and matches are the same on the GPU', { skip }, async (t) => {
  const page = await open(t);
  for (const [kind, model] of /** @type {const} */ ([
    ['Classifier', 'seeded/classifying/'],
    ['Answerer', 'seeded/answering/'],
    ['Captioner', 'trained/blip-tiny/'],
    ['Matcher', 'trained/blip-tiny/'],
  ])) {
    const own = await ask(page, { kind, model, dtype: 'f32', device: 'wasm' });
    const gpu = await ask(page, { kind, model, dtype: 'f32', device: 'webgpu' });
    assert.equal(gpu.after.device, 'webgpu', gpu.after.reason);
    if (kind === 'Answerer' || kind === 'Captioner') assert.deepEqual(gpu.answers, own.answers);
    else {
      for (const [i, score] of own.answers[0].entries()) {
        const off = Math.abs(score - gpu.answers[0][i]);
        assert.ok(off <= BOUND, `${kind}: ${own.answers[0]}, ${gpu.answers[0]}`);
      }
    }
  }
});

test('software is not taken unless it is asked for', { skip }, async (t) => {
  const page = await open(t);
  const { before } = await ask(page, { model: 'towers/clip-vision-alone/', device: 'auto' });
  assert.equal(before.device, 'wasm');
  assert.match(before.reason, /No GPU, because software stands in for a GPU here\.$/);
});

for (const [name, [, reason]] of Object.entries(FAULTS)) {
  test(`where ${name}, WebAssembly answers`, { skip }, async (t) => {
    const page = await open(t);
    const model = 'towers/clip-vision-alone/';
    const own = await ask(page, { model, device: 'wasm' });
    const found = await ask(page, { model, device: 'webgpu', fault: name.replaceAll(' ', '-') });
    assert.equal(found.before.device, 'wasm');
    assert.match(found.before.reason, /** @type {RegExp} */ (reason));
    assert.deepEqual(found.answers, own.answers);
  });
}

test(
  'where the device is lost amid a picture, WebAssembly goes on, and the runtime says so',
  { skip },
  async (t) => {
    const page = await open(t);
    const model = 'towers/clip-vision-alone/';
    const own = await ask(page, { model, device: 'wasm' });
    const found = await ask(page, { model, device: 'webgpu', fault: 'lost', times: 3 });
    assert.equal(found.before.device, 'webgpu', found.before.reason);
    assert.equal(found.after.device, 'wasm');
    assert.match(found.after.reason, /The GPU was given up, because/);
    for (const answer of found.answers) assert.deepEqual(answer, own.answers[0]);
  },
);

/** Words of one to three letters, all of them different. */
const WORDS = Array.from({ length: 150 }, (_, i) => {
  const letters = [i % 26, Math.floor(i / 26), (7 * i) % 26].slice(0, 1 + (i % 3));
  return `${letters.map((letter) => String.fromCharCode(97 + letter)).join('')} ${'abcdefghij'[i % 10]}`;
});

/**
 * The embeddings of the first words, in several calls, and what runs then.
 * @param {import('playwright-core').Page} page
 * @param {{ model?: string, device: string, dtype?: string, fault?: string, counts: number[] }} how
 */
function read(page, { model = 'towers/clip-quick-gelu-eos-2/', device, dtype = 'f32', fault, counts }) {
  return page.evaluate(
    async ({ model, device, dtype, fault, calls }) => {
      const worker = fault && { worker: () => new Worker(`/${fault}.js`, { type: 'module' }) };
      const loaded = await globalThis.ocelli.Embedder.load(model, { device, dtype, ...worker });
      const answers = [];
      for (const texts of calls) answers.push((await loaded.embedTexts(texts)).map((one) => [...one]));
      const { runtime } = loaded;
      loaded.dispose();
      return { runtime, answers };
    },
    {
      model: `${site.url}${model}`,
      device,
      dtype,
      fault,
      calls: counts.map((count) => WORDS.slice(0, count)),
    },
  );
}

for (const name of Object.keys(TOKENIZERS)) {
  test(`many texts of ${name} are the same on the GPU`, { skip }, async (t) => {
    const page = await open(t);
    const model = `towers/${name}/`;
    for (const dtype of name === 'siglip' ? ['int8'] : ['f32', 'int8']) {
      const own = await read(page, { model, dtype, device: 'wasm', counts: [100] });
      const gpu = await read(page, { model, dtype, device: 'webgpu', counts: [100] });
      assert.match(gpu.runtime.reason, /Many texts at once go through it as well/);
      for (const [i, a] of own.answers[0].entries()) {
        const b = gpu.answers[0][i];
        const off = Math.max(...a.map((x, at) => Math.abs(x - b[at])));
        if (dtype === 'int8') assert.ok(cosine(a, b) >= COSINE, `${WORDS[i]}: cosine ${cosine(a, b)}`);
        else assert.ok(off <= BOUND, `${WORDS[i]}: off by ${off}`);
      }
    }
  });
}

test('a few texts are WebAssembly’s, and the scores of many labels are the same', { skip }, async (t) => {
  const page = await open(t);
  const own = await read(page, { device: 'wasm', counts: [64] });
  const gpu = await read(page, { device: 'webgpu', counts: [64] });
  assert.equal(gpu.runtime.device, 'webgpu');
  assert.doesNotMatch(gpu.runtime.reason, /texts/i);
  assert.deepEqual(gpu.answers, own.answers);
  const scores = await page.evaluate(
    async ({ model, labels }) => {
      const all = [];
      for (const device of ['wasm', 'webgpu']) {
        const tagger = await globalThis.ocelli.Tagger.load(model, { device, dtype: 'f32' });
        const options = { template: ['{}', 'a {}.'], none: true };
        const tags = await tagger.tag('/samples/cat.webp', labels, options);
        const inOrder = tags.toSorted((a, b) => a.index - b.index);
        all.push({ scores: inOrder.map(({ score }) => score), reason: tagger.runtime.reason });
        tagger.dispose();
      }
      return all;
    },
    { model: `${site.url}towers/clip-quick-gelu-eos-2/`, labels: WORDS },
  );
  assert.match(scores[1].reason, /Many texts at once/);
  assert.equal(scores[0].scores.length, 151);
  for (const [i, score] of scores[0].scores.entries()) {
    assert.ok(Math.abs(score - scores[1].scores[i]) <= BOUND);
  }
});

test('where the device is lost amid texts, WebAssembly reads all of them', { skip }, async (t) => {
  const page = await open(t);
  const own = await read(page, { device: 'wasm', counts: [150, 150] });
  const found = await read(page, { device: 'webgpu', fault: 'lost-texts', counts: [150, 150] });
  assert.equal(found.runtime.device, 'wasm');
  assert.match(found.runtime.reason, /The GPU was given up, because/);
  for (const [call, answer] of own.answers.entries()) {
    for (const [i, a] of answer.entries()) assert.ok(cosine(a, found.answers[call][i]) >= COSINE);
  }
});

test('where the GPU is wrong about texts, WebAssembly reads them', { skip }, async (t) => {
  const page = await open(t);
  const own = await read(page, { device: 'wasm', counts: [100] });
  const found = await read(page, { device: 'webgpu', fault: 'wrong-texts', counts: [100] });
  assert.equal(found.runtime.device, 'webgpu');
  assert.match(found.runtime.reason, /Texts are left to WebAssembly, because it computes something else/);
  for (const [i, a] of own.answers[0].entries()) assert.ok(cosine(a, found.answers[0][i]) >= COSINE);
});
