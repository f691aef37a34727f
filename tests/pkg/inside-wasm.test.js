import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { Captioner, Classifier, Matcher, Tagger } from '../../pkg/src/index.js';
import { workerFactory } from './support/fake-worker.js';
import { folderRoutes, has, pictures, preprocessor, read, tensor } from './support/golden.js';
import { serveRoutes } from './support/server.js';

/** Classes and maps of the whole package with the real wasm, in f32, against the reference: see tests/golden. */

const folder = new URL('../../pkg/wasm/', import.meta.url);
const built = existsSync(new URL('simd128_bg.wasm', folder));
const unbuilt = !built && 'pkg/wasm is not built (npm run build:wasm)';
const untrained =
  !['clip-tiny', 'blip-tiny'].every((name) => has(`tests/golden/trained/${name}/model.safetensors`)) &&
  'the built-in models are not there';

/** @type {any} */
let wasm;
if (built) {
  wasm = await import(new URL('simd128.js', folder).href);
  wasm.initSync({ module: readFileSync(new URL('simd128_bg.wasm', folder)) });
}

async function load(t, Class, routes) {
  const { url } = await serveRoutes(t, routes);
  const model = await Class.load(`${url}/m/`, { dtype: 'f32', worker: workerFactory(wasm).worker });
  t.after(() => model.dispose());
  return model;
}

/** The largest difference of a map from the reference's, as part of its largest value: as in tests/inside.rs. */
const BOUND = 1e-3;

function assertMap(what, { rows, columns, values, frame }, expected, bound = BOUND) {
  assert.deepEqual([rows * columns, values.length], [expected.length, expected.length], what);
  assert.deepEqual(frame, { left: 0, top: 0, width: 1, height: 1 }, what);
  const highest = Math.max(...expected);
  assert.ok(highest - Math.min(...expected) > 10 * bound * highest, `${what}: a flat map proves nothing`);
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - values[i])));
  assert.ok(worst <= bound * highest, `${what}: off by ${worst} of ${highest}`);
}

const drawings = JSON.parse(read('tests/golden/inside/builtin.json').toString());

test(
  'a tagger and a matcher are looked into as by the reference',
  { skip: unbuilt || untrained },
  async (t) => {
    const tagger = await load(t, Tagger, folderRoutes('tests/golden/trained/clip-tiny'));
    const matcher = await load(t, Matcher, folderRoutes('tests/golden/trained/blip-tiny'));
    for (const { image, rollout, texts, matches } of drawings) {
      const picture = read(image);
      assertMap(image, await tagger.rollout(picture), rollout);
      for (const { text, values } of texts) assertMap(text, await tagger.explain(picture, text), values);
      for (const { text, values } of matches) assertMap(text, await matcher.explain(picture, text), values);
    }
  },
);

test('a captioner is looked into as by the reference', { skip: unbuilt || untrained }, async (t) => {
  const captioner = await load(t, Captioner, folderRoutes('tests/golden/trained/blip-tiny'));
  for (const { image, captioner_rollout: rollout, captions } of drawings) {
    const picture = read(image);
    assertMap(image, await captioner.rollout(picture), rollout);
    for (const { given, caption, words } of captions) {
      // What the reference wrote itself is written here too.
      const found = await captioner.attention(picture, given ? { caption } : {});
      const places = (/** @type {any[]} */ list) =>
        list.map(({ word, start, end }) => ({ word, start, end }));
      assert.deepEqual(places(found), places(words), caption);
      words.forEach(({ word, values }, i) => assertMap(word, found[i].map, values));
    }
  }
});

/**
 * How far probabilities, and maps as part of their largest value, may be off where pictures are rounded to 8 bits, which
 * the golden pixels are not. Measured: up to 0.0018.
 */
const ROUNDED = 0.005;

for (const [name, size] of [
  ['vit-labels', 32],
  ['vit-no-bias', 48],
]) {
  test(`${name}: a classifier names and looks as the reference does`, { skip: unbuilt }, async (t) => {
    const golden = `tests/golden/models/${name}`;
    const routes = folderRoutes(golden, { 'preprocessor_config.json': preprocessor(size) });
    const classifier = await load(t, Classifier, routes);
    const { shape, values } = tensor(`${golden}/expected.safetensors`, 'logits');
    const best = new Set();
    for (const [i, picture] of pictures(size).entries()) {
      const logits = values.subarray(i * shape[1], (i + 1) * shape[1]);
      const exps = logits.map((logit) => Math.exp(logit));
      const total = exps.reduce((sum, one) => sum + one, 0);
      const classes = await classifier.classify(picture);
      const worst = Math.max(...classes.map(({ score, index }) => Math.abs(score - exps[index] / total)));
      assert.ok(worst <= ROUNDED, `picture ${i}: off by ${worst}`);
      assert.equal(classes[0].index, logits.indexOf(Math.max(...logits)));
      best.add(classes[0].label);
      const map = tensor('tests/golden/inside/expected.safetensors', `${name}/rollout/${i}`);
      assertMap(`picture ${i}`, await classifier.rollout(picture), [...map.values], ROUNDED);
    }
    assert.equal(best.size, shape[0], 'pictures of one class prove little');
  });
}
