import assert from 'node:assert/strict';
import test from 'node:test';
import { Captioner, Classifier, overlay, Tagger } from '../../pkg/src/index.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { modelRoutes, serveRoutes } from './support/server.js';

/** Classification, and looking inside models, over a fake wasm. */

const bytesOf = (text) => new TextEncoder().encode(text);
const turn = (milliseconds = 20) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function load(t, Class, options = {}) {
  const wasm = fakeWasm(options);
  const { url } = await serveRoutes(t, modelRoutes());
  const { worker, workers } = workerFactory(wasm, options);
  const model = await Class.load(`${url}/m/`, { worker });
  t.after(() => model.dispose());
  return { model, workers, log: wasm.log };
}

const FRAME = { left: 0.25, top: 0, width: 0.5, height: 1 };
const MAP = { rows: 1, columns: 2, values: Float32Array.of(0.25, 0.5), frame: FRAME };

test('a classifier is made of two small files, and answers with its own classes, best first', async (t) => {
  const created = [];
  const { model, log } = await load(t, Classifier, { onCreate: (files) => created.push(files) });
  assert.equal(created[0].tokenizer, undefined);
  assert.equal(new TextDecoder().decode(created[0].preprocessor), '{"preprocessor": 1}');
  const all = [
    { label: 'elephant', score: 0.5, index: 1 },
    { label: 'cat', score: 0.25, index: 0 },
    { label: 'dog', score: 0.25, index: 2 },
  ];
  const events = [];
  const onProgress = (event) => events.push(event);
  assert.deepEqual(await model.classify(bytesOf('x'), { onProgress }), all);
  assert.deepEqual(events[0], { phase: 'image', file: null, loaded: 1, total: 3 });
  assert.deepEqual(await model.classify(bytesOf('x'), { topK: 2 }), all.slice(0, 2));
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

for (const [name, Class, call] of [
  ['Tagger.rollout', Tagger, (model, options) => model.rollout(bytesOf('x'), options)],
  ['Tagger.explain', Tagger, (model, options) => model.explain(bytesOf('x'), 'a cat', options)],
  ['Captioner.rollout', Captioner, (model, options) => model.rollout(bytesOf('x'), options)],
  ['Classifier.rollout', Classifier, (model, options) => model.rollout(bytesOf('x'), options)],
]) {
  test(`${name} gives a map, and tells each layer there and back`, async (t) => {
    const { model, log } = await load(t, Class);
    const events = [];
    assert.deepEqual(await call(model, { onProgress: (event) => events.push(event) }), MAP);
    const told = [1, 2, 3, 4, 5, 6].map((loaded) => ({ phase: 'image', file: null, loaded, total: 6 }));
    assert.deepEqual(events, told);
    assert.equal(log.alive.size, 1, 'only the model is left alive');
  });

  for (const layer of [2, 4]) {
    test(`${name}: an abort ends the work after layer ${layer} of 6`, async (t) => {
      const { model, log } = await load(t, Class);
      const controller = new AbortController();
      const onProgress = ({ loaded }) => loaded === layer && controller.abort();
      await assert.rejects(call(model, { signal: controller.signal, onProgress }), { code: 'aborted' });
      await turn();
      assert.equal(log.layers, layer);
      assert.equal(log.alive.size, 1, 'only the model is left alive');
      assert.deepEqual(await call(model, {}), MAP);
    });
  }
}

test('a text is explained as it is, and checked', async (t) => {
  const { model, log, workers } = await load(t, Tagger);
  await model.explain(bytesOf('x'), 'two {} cats');
  assert.deepEqual(log.calls.at(-1), { text: 'two {} cats' });
  await assert.rejects(model.explain(bytesOf('x'), ''), { name: 'LabelError', code: 'label-empty' });
  assert.equal(log.alive.size, 1, 'only the model is left alive');
  const heard = workers[0].received.length;
  for (const call of [
    () => model.explain(bytesOf('x')),
    () => model.explain(bytesOf('x'), 5),
    () => model.explain(bytesOf('x'), 'a', null),
    () => model.rollout(bytesOf('x'), { signal: 'now' }),
    () => model.rollout(undefined),
  ]) {
    await assert.rejects(call(), { code: 'argument-invalid' });
  }
  assert.equal(workers[0].received.length, heard, 'the worker heard nothing of them');
});

test('the words of a caption that was written, or that is given, have maps', async (t) => {
  const { model, log } = await load(t, Captioner);
  const words = await model.attention(bytesOf('x'), { prompt: 'a' });
  assert.deepEqual(words, [
    { word: 'a', start: 0, end: 1, map: MAP },
    { word: 'red', start: 2, end: 5, map: MAP },
    { word: 'ball', start: 6, end: 10, map: MAP },
  ]);
  assert.equal(log.calls[0].options.prompt, 'a');
  assert.deepEqual(log.calls[1], { attention: 'x', caption: 'a red ball' });
  const [first, second] = await model.attention(bytesOf('x'), { caption: '🚀 up' });
  assert.deepEqual([first.word, first.end, second.word, second.start], ['🚀', 2, 'up', 3]);
  assert.equal(log.calls.length, 3, 'nothing was written');
  await assert.rejects(model.attention(bytesOf('x'), { caption: '' }), { code: 'argument-invalid' });
  await assert.rejects(model.attention(bytesOf('x'), { caption: 5 }), { code: 'argument-invalid' });
  await assert.rejects(model.attention(bytesOf('x'), { numBeams: 0 }), { code: 'argument-invalid' });
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('a caption that was written and is blank has no words', async (t) => {
  const { model, log } = await load(t, Captioner, { pieces: [' ', '\n'] });
  assert.deepEqual(await model.attention(bytesOf('x')), []);
  await assert.rejects(model.attention(bytesOf('x'), { caption: ' ' }), { code: 'argument-invalid' });
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('an abort ends the writing of the caption that is to be looked into', async (t) => {
  const { model, log } = await load(t, Captioner);
  const controller = new AbortController();
  const onProgress = ({ loaded }) => loaded === 2 && setTimeout(() => controller.abort(), 5);
  const options = { signal: controller.signal, onProgress, maxTokens: 10_000 };
  await assert.rejects(model.attention(bytesOf('endless'), options), { code: 'aborted' });
  await turn();
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

/** The pixel of an overlay as RGBA. */
const pixel = ({ data, width }, x, y) => [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
const DARK = [0, 0, 4];
const BRIGHT = [252, 255, 164];
const whole = { left: 0, top: 0, width: 1, height: 1 };

test('an overlay has the colours of its values, the more of them the higher, bilinear between the middles of patches', () => {
  const map = { rows: 1, columns: 2, values: Float32Array.of(3, 5), frame: whole };
  const found = overlay(map, 8, 2, { opacity: 1 });
  assert.deepEqual([found.width, found.height, found.data.length], [8, 2, 64]);
  for (const y of [0, 1]) {
    assert.deepEqual(pixel(found, 0, y), [...DARK, 0], 'the picture stays as it is');
    assert.deepEqual(pixel(found, 7, y), [...BRIGHT, 255]);
  }
  // Pixels 2 to 5 are an eighth, three, five and seven eighths of the way.
  const brightness = [1, 2, 3, 4, 5, 6].map((x) => pixel(found, x, 0).reduce((sum, value) => sum + value));
  for (let i = 2; i < 5; i += 1) assert.ok(brightness[i] > brightness[i - 1], `${brightness}`);
  const alphas = [1, 2, 3, 4, 5, 6].map((x) => pixel(found, x, 0)[3]);
  assert.deepEqual(alphas, [0, 32, 96, 159, 223, 255]);
  const half = overlay({ ...map, values: Float32Array.of(0, 9) }, 2, 1);
  assert.deepEqual([pixel(half, 0, 0)[3], pixel(half, 1, 0)], [0, [...BRIGHT, 153]], '0.6 of 255');
  const none = overlay(map, 8, 2, { opacity: 0 });
  assert.ok([1, 5, 7].every((x) => pixel(none, x, 0)[3] === 0));
});

test('rows go from top to bottom', () => {
  const map = { rows: 2, columns: 1, values: Float32Array.of(0, 1), frame: whole };
  const found = overlay(map, 1, 2, { opacity: 1 });
  assert.deepEqual(
    [pixel(found, 0, 0), pixel(found, 0, 1)],
    [
      [...DARK, 0],
      [...BRIGHT, 255],
    ],
  );
});

test('what the model did not see is transparent, and what was padded is cut off', () => {
  const found = overlay({ ...MAP, frame: FRAME }, 8, 1, { opacity: 1 });
  const alphas = Array.from({ length: 8 }, (_, x) => pixel(found, x, 0)[3]);
  assert.deepEqual(alphas, [0, 0, 0, 64, 191, 255, 0, 0]);
  assert.deepEqual(pixel(found, 2, 0), [...DARK, 0]);
  const padded = overlay({ ...MAP, frame: { left: -0.5, top: 0, width: 2, height: 1 } }, 2, 1, {
    opacity: 1,
  });
  // The grid begins half a picture before it: its pixels are a quarter and three quarters of the way.
  assert.deepEqual([pixel(padded, 0, 0)[3], pixel(padded, 1, 0)[3]], [64, 191]);
  assert.notDeepEqual(pixel(padded, 0, 0), [...DARK, 255]);
  assert.notDeepEqual(pixel(padded, 1, 0), [...BRIGHT, 255]);
});

test('a map that is the same everywhere leaves the picture as it is', () => {
  const found = overlay({ ...MAP, values: Float32Array.of(2, 2), frame: whole }, 2, 1);
  assert.deepEqual(pixel(found, 1, 0), [...DARK, 0]);
});

test('an overlay without a size says what is missing', () => {
  const image = { naturalWidth: 4, naturalHeight: 4 };
  for (const size of [
    [],
    [image],
    [image, { opacity: 1 }],
    [4],
    [4, { opacity: 1 }],
    [undefined, 4],
    [null, 4],
  ]) {
    assert.throws(() => overlay(MAP, ...size), {
      code: 'argument-invalid',
      message: /^The width and height of the picture are missing: overlay\(map, image\.naturalWidth, /,
    });
  }
  for (const size of [
    [0, 0],
    [0, 4],
    [4, 0],
  ]) {
    assert.throws(() => overlay(MAP, ...size), {
      code: 'argument-invalid',
      message: /^The picture has no size yet: .*decode\(\)\.$/,
    });
  }
});

test('an overlay of what is no map, or of no size, is refused with a sentence', () => {
  const wrongs = [
    () => overlay(undefined, 1, 1),
    () => overlay({}, 1, 1),
    () => overlay({ ...MAP, rows: 2 }, 1, 1),
    () => overlay({ ...MAP, values: Float32Array.of(1, NaN) }, 1, 1),
    () => overlay({ ...MAP, frame: undefined }, 1, 1),
    () => overlay({ ...MAP, frame: { ...FRAME, width: 0 } }, 1, 1),
    () => overlay(MAP, 0, 1),
    () => overlay(MAP, 1.5, 1),
    () => overlay(MAP, 20_000, 20_000),
    () => overlay(MAP, 1, 1, { opacity: 2 }),
    () => overlay(MAP, 1, 1, null),
  ];
  for (const wrong of wrongs) {
    assert.throws(wrong, (error) => {
      assert.equal(error.code, 'argument-invalid', String(wrong));
      assert.match(error.message, /^[A-Z].*\.$/);
      return true;
    });
  }
});
