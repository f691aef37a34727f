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
/** Image towers of the families, and how many pixels their pictures have. */
const TOWERS = [
  'clip-quick-gelu-eos-2',
  'clip-vision-alone',
  'dinov2-registers',
  'open-clip-vit-whole',
  'siglip',
];
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

/** The device goes where the test has been passed, and a picture is under way. */
const LOST = `
  let runs = 0;
  const map = GPUBuffer.prototype.mapAsync;
  GPUBuffer.prototype.mapAsync = function (...how) {
    // The test of the first layer, and of all layers three times; then the picture.
    if (++runs === 5) globalThis.device.destroy();
    return map.apply(this, how);
  };
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...how) {
    return (globalThis.device = await request.apply(this, how));
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
  lost: LOST,
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
 * @param {{ kind?: 'Embedder' | 'Classifier' | 'Answerer', model: string, device: string, dtype?: string, fault?: string, times?: number }} how
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

for (const name of TOWERS) {
  test(`${name} sees the same on the GPU`, { skip }, async (t) => {
    const page = await open(t);
    for (const dtype of ['f32', 'f16', 'int8']) {
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
    const names = ['cat', 'bicycle', 'cat', 'butterfly'];
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

test('classes and answers are the same on the GPU', { skip }, async (t) => {
  const page = await open(t);
  for (const [kind, model] of /** @type {const} */ ([
    ['Classifier', 'seeded/classifying/'],
    ['Answerer', 'seeded/answering/'],
  ])) {
    const own = await ask(page, { kind, model, device: 'wasm' });
    const gpu = await ask(page, { kind, model, device: 'webgpu' });
    assert.equal(gpu.after.device, 'webgpu', gpu.after.reason);
    if (kind === 'Answerer') assert.deepEqual(gpu.answers, own.answers);
    else own.answers[0].forEach((score, i) => assert.ok(Math.abs(score - gpu.answers[0][i]) <= BOUND));
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
