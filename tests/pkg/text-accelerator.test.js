// What reads texts: when many of them go through the GPU, and what happens where it fails. The GPU is a fake.

import assert from 'node:assert/strict';
import test from 'node:test';
import { accelerate } from '../../pkg/src/worker/accelerator.js';
import { Encoder } from '../../pkg/src/worker/operations/encoder.js';
import { Interrogations } from '../../pkg/src/worker/operations/interrogations.js';
import { FakeModel, fakeGpu, FakeSet, FakeTexts, wasm } from './support/fake-gpu.js';

/** Runs of the test of the first batch; then each batch is one. */
const TEST = 4;

/**
 * A tagger on the GPU.
 * @param {Parameters<typeof fakeGpu>[0]} [how] @param {'auto' | 'webgpu'} [wanted] @param {number} [pause] of the wasm
 */
async function open(how, wanted = 'auto', pause = 5) {
  const texts = new FakeTexts(pause);
  const model = Object.assign(new FakeModel(5), { textTower: texts.textTower });
  const { log, surroundings } = fakeGpu(how);
  const { accelerator, reason } = await accelerate(wasm, model, wanted, surroundings);
  assert.ok(accelerator, reason);
  return { texts, log, accelerator, encoder: new Encoder(/** @type {any} */ (texts), accelerator.texts) };
}

/** @param {Encoder} encoder @param {FakeSet} set @param {FakeSet | null} [background] */
async function encoded(encoder, set, background = null) {
  const steps = [];
  for await (const { progress } of encoder.encode(/** @type {any} */ (set), 'labels', background)) {
    steps.push(progress.loaded);
  }
  return steps;
}

test('many texts go through the GPU in batches, and nothing is uploaded before', async () => {
  const { texts, log, accelerator, encoder } = await open();
  assert.deepEqual([log.towers, accelerator.texts?.remark], [1, '']);
  const set = new FakeSet(150);
  assert.deepEqual(await encoded(encoder, set), [0, 64, 128, 150]);
  assert.ok(set.isRight);
  assert.deepEqual([texts.read, log.towers, log.textRuns], [0, 2, TEST + 3]);
  assert.match(
    accelerator.texts?.remark ?? '',
    /^Many texts at once go through it as well, [\d.]+ times as fast\.$/,
  );
  const more = new FakeSet(65);
  await encoded(encoder, more);
  assert.ok(more.isRight);
  assert.deepEqual([texts.read, log.towers, log.textRuns], [0, 2, TEST + 5], 'the tower is there');
  accelerator.end();
  assert.deepEqual([log.towers, texts.freed], [0, 1]);
  const last = new FakeSet(100);
  await encoded(encoder, last);
  assert.ok(last.isRight);
  assert.equal(texts.read, 100, 'they are the wasm’s again');
});

test('many terms go through the GPU, those of a last batch as well', async () => {
  const { texts, log, accelerator } = await open();
  // As the wasm hands them out.
  const batches = [new FakeSet(100), new FakeSet(30)];
  const terms = {
    length: 130,
    get pending() {
      return batches.reduce((sum, { pending }) => sum + pending, 0);
    },
    takeBatch: () => batches.find(({ pending }) => pending > 0),
    putBack() {},
  };
  const handle = /** @type {any} */ (Object.assign(texts, { terms: () => terms }));
  const encodings = /** @type {any} */ (undefined);
  const interrogations = new Interrogations(encodings, handle, null, accelerator.texts);
  const steps = [];
  for await (const { progress } of interrogations.prepare(/** @type {any} */ ({}))) {
    steps.push(progress?.loaded);
  }
  assert.deepEqual(steps, [0, 64, 100, 130]);
  assert.ok(batches.every(({ isRight }) => isRight));
  assert.deepEqual([texts.read, log.textRuns], [0, TEST + 3]);
});

test('a few texts are the wasm’s, and those that are known are nobody’s', async () => {
  const { texts, log, encoder } = await open();
  for (const set of [new FakeSet(64), new FakeSet(100, 36)]) {
    await encoded(encoder, set, new FakeSet(16));
    assert.ok(set.isRight);
  }
  assert.deepEqual([texts.read, log.towers, log.textRuns], [160, 1, 0]);
});

test('a set of which the first are known goes through the GPU where many others wait', async () => {
  const { texts, log, encoder } = await open();
  const set = new FakeSet(200, 100);
  await encoded(encoder, set, new FakeSet(16));
  assert.ok(set.isRight);
  assert.deepEqual([texts.read, log.textRuns], [16, TEST + 2]);
});

test('a tagger without such a tower, and one whose wasm wants no GPU, read as ever', async () => {
  const { accelerator } = await accelerate(wasm, new FakeModel(5), 'auto', fakeGpu().surroundings);
  assert.equal(accelerator?.texts, null);
  const texts = new FakeTexts();
  const set = new FakeSet(100);
  await encoded(new Encoder(/** @type {any} */ (texts)), set);
  assert.ok(set.isRight);
});

/** @param {Float32Array | undefined} states */
const spoil = (states) => states?.forEach((x, i, all) => i % 2 && (all[i] = -x));

for (const [name, texts, expected] of /** @type {[string, (run: any) => unknown, RegExp][]} */ ([
  [
    'there is no room for the tower',
    () => Promise.reject(new Error('out of memory.')),
    /failed \(Error: out of memory\)\.$/,
  ],
  [
    'the test fails',
    ({ number }) => number === 2 && Promise.reject(new Error('lost')),
    /failed \(Error: lost\)\.$/,
  ],
  [
    'the first layer is wrong',
    ({ number, states }) => number === 1 && states.forEach(spoil),
    /something else .* after one layer of texts/,
  ],
  [
    'the last layer is wrong',
    ({ number, states }) => number === 2 && spoil(states[3]),
    /something else .* after all layers of texts/,
  ],
  [
    'the rows that stand for texts are wrong',
    ({ rows, states }) => rows === 'ends' && spoil(states[10]),
    /something else .* after all layers of texts/,
  ],
  [
    'numbers are not finite',
    ({ rows, states }) => rows === 'ends' && states[0].fill(NaN),
    /something else .* after all layers of texts/,
  ],
  [
    'the first batch is wrong',
    ({ number, states }) => number > TEST && spoil(states.at(-1)),
    /something else .* of 64 texts at once/,
  ],
  [
    'a batch of another size is wrong',
    ({ states }) => states.length === 22 && spoil(states.at(-1)),
    /something else .* of 22 texts at once/,
  ],
  [
    'a later batch fails',
    ({ number }) => number > TEST + 1 && Promise.reject(new Error('lost')),
    /failed \(Error: lost\)/,
  ],
])) {
  test(`where ${name}, the wasm reads all texts, and pictures stay with the GPU`, async () => {
    const opened = await open({ texts });
    const { accelerator, encoder, log } = opened;
    const set = new FakeSet(150);
    await encoded(encoder, set);
    assert.ok(set.isRight);
    assert.ok(opened.texts.read > 0);
    assert.match(accelerator.texts?.remark ?? '', /^Texts are left to WebAssembly, because /);
    assert.match(accelerator.texts?.remark ?? '', expected);
    assert.deepEqual([accelerator.lost, log.towers, opened.texts.freed], [null, 1, 1]);
    const before = log.textRuns;
    await encoded(encoder, new FakeSet(100));
    assert.equal(log.textRuns, before, 'it is not tried again');
  });
}

test('where the GPU is slower, it is taken only by those who ask for it', async () => {
  const texts = () => new Promise((resolve) => setTimeout(resolve, 20));
  const slow = await open({ texts }, 'auto', 0);
  await encoded(slow.encoder, new FakeSet(70));
  assert.match(
    slow.accelerator.texts?.remark ?? '',
    /the GPU takes [\d.]+ ms for a text, WebAssembly [\d.]+ ms\.$/,
  );
  assert.equal(slow.texts.read, 70);
  const asked = await open({ texts }, 'webgpu', 0);
  await encoded(asked.encoder, new FakeSet(70));
  assert.equal(asked.texts.read, 0);
});

for (const at of [0, 1, TEST, TEST + 1, TEST + 2]) {
  test(`a device that is lost at run ${at} of texts is given up, and the wasm reads all of them`, async () => {
    /** @type {(message: string) => void} */
    let lose = () => {};
    const texts = async (/** @type {{ number: number }} */ { number }) => {
      if (number !== at) return;
      lose('The driver crashed.');
      await Promise.resolve();
      throw new Error('the device was lost');
    };
    const opened = await open({ texts });
    lose = opened.log.lose;
    const set = new FakeSet(150);
    await encoded(opened.encoder, set);
    assert.ok(set.isRight);
    assert.equal(opened.accelerator.lost, 'The driver crashed');
    assert.deepEqual([opened.log.towers, opened.texts.freed, opened.log.destroyed], [0, 1, 1]);
  });
}

test('a GPU that does not answer is given up for texts', async (t) => {
  const opened = await open({ texts: ({ number }) => number > TEST && new Promise(() => {}) });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const set = new FakeSet(100);
  const done = encoded(opened.encoder, set);
  const hours = setInterval(() => t.mock.timers.tick(1e7), 1);
  await done;
  clearInterval(hours);
  assert.ok(set.isRight);
  assert.match(opened.accelerator.texts?.remark ?? '', /because it does not answer\.$/);
});

test('a trap of the wasm is passed on', async () => {
  const { encoder, texts } = await open();
  texts.textTower.complete = () => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  await assert.rejects(encoded(encoder, new FakeSet(100)), WebAssembly.RuntimeError);
});
