// What computes the layers of pictures: when a GPU is taken, and what happens where it fails. The GPU is a fake.

import assert from 'node:assert/strict';
import test from 'node:test';
import { accelerate } from '../../pkg/src/worker/accelerator.js';
import { ImageEncoding, ImageEncodings } from '../../pkg/src/worker/operations/image-encodings.js';
import { FakeModel, fakeGpu, LAYERS, wasm, WIDTH } from './support/fake-gpu.js';

/** @param {any} encoding */
async function encoded(encoding) {
  const run = encoding.encode();
  while (!(await run.next()).done);
  return encoding.handle;
}

const picture = /** @type {any} */ ({ kind: 'bytes', bytes: new Uint8Array(1) });

test('a GPU that computes the same and faster is taken, and computes pictures', async () => {
  const model = new FakeModel(10);
  const { log, surroundings } = fakeGpu();
  const { accelerator, reason } = await accelerate(wasm, model, 'auto', surroundings);
  assert.deepEqual(log.tuned, [{ known: 'large', kind: 'small' }]);
  assert.match(reason, /^Pictures go through the GPU \(acme\), [\d.]+ times as fast\.$/);
  model.advanced = 0;
  const encodings = new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator });
  const encoding = await encodings.open(picture);
  const look = await encoded(encoding);
  assert.equal(look.byGpu, true);
  assert.equal(look.states.length, WIDTH);
  assert.equal(encoding.layers, LAYERS);
  assert.equal(model.advanced, 0);
  accelerator?.end();
  assert.deepEqual([log.towers, log.destroyed, model.freed], [0, 1, 1]);
});

test('several pictures go through the GPU at once, one that is kept and one that comes twice among them', async () => {
  const model = new FakeModel(10);
  const { log, surroundings } = fakeGpu();
  const { accelerator } = await accelerate(wasm, model, 'auto', surroundings);
  const encodings = new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator, reuse: true });
  const kept = await encodings.open(picture);
  const other = /** @type {any} */ ({ kind: 'bytes', bytes: new Uint8Array(2) });
  const all = [];
  for (const one of [picture, other, other, picture]) all.push(await encodings.open(one, { keep: false }));
  assert.equal(all[0], kept);
  assert.equal(all[3], kept);
  [log.runs, model.advanced] = [0, 0];
  const steps = [];
  for await (const { progress } of ImageEncoding.encodeAll(all)) steps.push(progress.loaded);
  assert.deepEqual([log.runs, model.advanced], [2, 0], 'the first three at once are compared with one alone');
  assert.ok(all.every(({ handle }) => /** @type {any} */ (handle).byGpu));
  assert.deepEqual(steps, [2, 4, 6, 8]);
  assert.equal(await encodings.open(picture), kept, 'the others have not taken its place');
});

test('where the GPU fails with several pictures, the wasm goes on with all of them', async () => {
  const model = new FakeModel(5);
  const { surroundings } = fakeGpu({ failAt: 5 });
  const { accelerator } = await accelerate(wasm, model, 'auto', surroundings);
  const encodings = new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator });
  const all = [await encodings.open(picture), await encodings.open(picture)];
  const steps = [];
  for await (const { progress } of ImageEncoding.encodeAll(all)) {
    steps.push([progress.loaded, progress.total]);
  }
  assert.ok(all.every(({ handle }) => /** @type {any} */ (handle).left === 0));
  assert.deepEqual(steps.at(-1), [4, 4]);
  assert.ok(accelerator?.lost);
});

test('whoever wants the states of single layers gets them of the wasm', async () => {
  const model = new FakeModel(10);
  const { accelerator } = await accelerate(wasm, model, 'auto', fakeGpu().surroundings);
  const encoding = await new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator }).open(picture);
  encoding.keepStates();
  const look = await encoded(encoding);
  assert.equal(look.byGpu, undefined);
  assert.equal(look.left, 0);
});

for (const [name, wanted, how, expected] of /** @type {const} */ ([
  ['nobody wants it', 'wasm', {}, /^$/],
  ['none is offered', 'auto', { adapter: null }, /^No GPU, because none is offered here\.$/],
  [
    'software stands in for it',
    'auto',
    { info: { vendor: 'google', architecture: 'swiftshader' } },
    /software/,
  ],
  ['it is a fallback', 'auto', { info: { vendor: 'x', isFallbackAdapter: true } }, /software/],
  ['it is slower', 'auto', { pause: 30 }, /takes \d+ ms for a picture, WebAssembly \d+ ms/],
  ['it is wrong in the first layer', 'webgpu', { wrong: 2 }, /something else.*after one layer/],
  ['it is wrong in the last layer', 'webgpu', { wrong: 1 }, /something else.*after all layers/],
  [
    'it is wrong where the class token is asked for',
    'webgpu',
    { wrongFor: 'class' },
    /something else.*after all layers/,
  ],
  [
    'it has too little memory',
    'webgpu',
    { create: new Error('out of memory.') },
    /failed \(.*out of memory\)\.$/,
  ],
  ['it fails in its test', 'webgpu', { failAt: 2 }, /failed/],
])) {
  test(`no GPU is taken where ${name}, and all of it is given back`, async () => {
    const model = new FakeModel('pause' in how ? 0 : 5);
    const { log, surroundings } = fakeGpu(/** @type {any} */ (how));
    const { accelerator, reason } = await accelerate(wasm, model, wanted, surroundings);
    assert.equal(accelerator, null);
    assert.match(reason, expected);
    assert.equal(log.towers, 0);
    if (wanted !== 'wasm') assert.equal(model.freed, 1);
  });
}

test('a model without a vision transformer, and surroundings without WebGPU, say so', async () => {
  const other = { visionTower: undefined };
  const surroundings = /** @type {any} */ ({
    gpu: undefined,
    load: async () => assert.fail('nothing is loaded'),
  });
  assert.equal((await accelerate(wasm, other, 'auto', surroundings)).reason, '');
  assert.match((await accelerate(wasm, other, 'webgpu', surroundings)).reason, /no vision transformer/);
  assert.match((await accelerate(wasm, new FakeModel(), 'auto', surroundings)).reason, /no WebGPU/);
});

test('software is taken where it is asked for', async () => {
  const { log, surroundings } = fakeGpu({ info: { architecture: 'swiftshader' }, pause: 20 });
  const { accelerator } = await accelerate(wasm, new FakeModel(), 'webgpu', surroundings);
  assert.ok(accelerator);
  assert.deepEqual(log.tuned, [], 'software is not measured');
});

for (const how of ['a run fails', 'the device is lost between two pictures']) {
  test(`where ${how}, the wasm goes on with the same picture, and the runtime says why`, async () => {
    const model = new FakeModel(5);
    // Four runs are the test's.
    const { log, surroundings } = fakeGpu(how === 'a run fails' ? { failAt: 5 } : {});
    const { accelerator } = await accelerate(wasm, model, 'auto', surroundings);
    if (how !== 'a run fails') log.lose('the driver crashed');
    await Promise.resolve();
    const encodings = new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator });
    const look = await encoded(await encodings.open(picture));
    assert.equal(look.byGpu, undefined);
    assert.equal(look.left, 0);
    assert.match(accelerator?.lost ?? '', /lost|driver crashed/);
    assert.deepEqual([log.towers, log.destroyed, model.freed], [0, 1, 1]);
  });
}

test('where the GPU gives numbers that are not finite, the wasm computes the picture', async () => {
  const model = new FakeModel(5);
  // Four runs are the test's.
  const { surroundings } = fakeGpu({ endlessAt: 5 });
  const { accelerator } = await accelerate(wasm, model, 'auto', surroundings);
  const encodings = new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator });
  const look = await encoded(await encodings.open(picture));
  assert.deepEqual([look.byGpu, look.left], [undefined, 0]);
  assert.equal(accelerator?.lost, 'it gave numbers that are not finite');
});

test('where several pictures get other states than one alone, the wasm computes them', async () => {
  const model = new FakeModel(5);
  const { surroundings } = fakeGpu({ wrongFor: 'several' });
  const { accelerator } = await accelerate(wasm, model, 'auto', surroundings);
  const encodings = new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator });
  const all = [await encodings.open(picture), await encodings.open(picture)];
  const run = ImageEncoding.encodeAll(all);
  while (!(await run.next()).done);
  assert.ok(all.every(({ handle }) => /** @type {any} */ (handle).byGpu === undefined));
  assert.match(accelerator?.lost ?? '', /something else .* of 2 pictures at once/);
});

test('a GPU that was refused after its test is not tested again by auto, as long as nothing is another', async () => {
  const first = fakeGpu({ wrong: 1 });
  await accelerate(wasm, new FakeModel(5), 'auto', first.surroundings);
  const { refusals } = first.log;
  assert.equal(Object.keys(refusals).length, 1);
  /** @param {'auto' | 'webgpu'} wanted @param {object} [changes] @param {FakeModel} [model] */
  const again = async (wanted, changes = {}, model = new FakeModel(5)) => {
    const { log, surroundings } = fakeGpu();
    log.refusals = refusals;
    const { reason } = await accelerate(wasm, model, wanted, { ...surroundings, ...changes });
    return { runs: log.runs, reason, freed: model.freed };
  };
  const known = await again('auto');
  assert.deepEqual([known.runs, known.freed], [0, 1]);
  assert.match(
    known.reason,
    /^No GPU, because it computes something else .*, as an earlier visit has found\.$/,
  );
  // Whoever asks for the GPU gets a test; and so does another browser, and another tower.
  assert.ok((await again('webgpu')).runs > 0);
  assert.ok((await again('auto', { browser: 'browser 2' })).runs > 0);
  assert.ok((await again('auto', {}, new FakeModel(5, KEYS))).runs > 0);
});

test('what may be otherwise on another day is not kept', async () => {
  for (const how of [{ failAt: 2 }, { adapter: null }, { create: new Error('out of memory') }]) {
    const { log, surroundings } = fakeGpu(/** @type {any} */ (how));
    await accelerate(wasm, new FakeModel(5), 'auto', surroundings);
    assert.deepEqual(log.refusals, {}, JSON.stringify(how));
  }
  const slow = fakeGpu({ pause: 30 });
  await accelerate(wasm, new FakeModel(), 'auto', slow.surroundings);
  assert.equal(Object.keys(slow.log.refusals).length, 1, 'many times as slow it is on every day');
});

/** What texts see: as wide as the fake's states are twice. */
const KEYS = { layers: 2, width: WIDTH / 2 };

test('what texts see of a picture comes from the GPU with its states', async () => {
  const model = new FakeModel(10, KEYS);
  const { accelerator } = await accelerate(wasm, model, 'auto', fakeGpu().surroundings);
  const encodings = new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator });
  const look = await encoded(await encodings.open(picture));
  assert.equal(look.byGpu, true);
  const expected = [0, 1].map((i) => model.visionTower.keyValues(look, i));
  assert.deepEqual(look.seen, expected);
});

test('a GPU that is wrong about what texts see is not taken', async () => {
  const model = new FakeModel(10, KEYS);
  const { log, surroundings } = fakeGpu({ wrongFor: 'keys' });
  const { accelerator, reason } = await accelerate(wasm, model, 'webgpu', surroundings);
  assert.equal(accelerator, null);
  assert.match(reason, /something else .* of what layer 1 of texts sees/);
  assert.deepEqual([log.towers, model.freed], [0, 1]);
});

test('where the GPU fails with what texts see, the wasm goes on', async () => {
  const model = new FakeModel(5, KEYS);
  // Five runs are the test's.
  const { surroundings } = fakeGpu({ failAt: 6 });
  const { accelerator } = await accelerate(wasm, model, 'auto', surroundings);
  assert.ok(accelerator);
  const encodings = new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator });
  const look = await encoded(await encodings.open(picture));
  assert.deepEqual([look.byGpu, look.left, look.seen], [undefined, 0, undefined]);
  assert.match(accelerator.lost ?? '', /lost/);
});

test('a GPU that does not answer is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const hours = () => setImmediate(() => t.mock.timers.tick(1e7));
  for (const hangAt of [0, 2]) {
    const { log, surroundings } = fakeGpu({ hangAt });
    const model = new FakeModel();
    const choosing = accelerate(wasm, model, 'auto', surroundings);
    hours();
    assert.equal((await choosing).reason, 'No GPU, because it does not answer.');
    assert.deepEqual([log.towers, model.freed], [0, 1]);
  }
  const model = new FakeModel(5);
  const { accelerator } = await accelerate(wasm, model, 'auto', fakeGpu({ hangAt: 5 }).surroundings);
  assert.ok(accelerator);
  const look = encoded(
    await new ImageEncodings(wasm, /** @type {any} */ (model), { accelerator }).open(picture),
  );
  hours();
  assert.equal((await look).left, 0);
  assert.equal(accelerator.lost, 'it does not answer');
});

test('a trap of the wasm is nobody else’s fault', async () => {
  const model = new FakeModel();
  model.advance = () => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  const { log, surroundings } = fakeGpu();
  await assert.rejects(accelerate(wasm, model, 'auto', surroundings), WebAssembly.RuntimeError);
  assert.deepEqual([log.towers, log.destroyed > 0, model.freed], [0, true, 1]);
});

test('what the device says when it goes is told, where it goes within the test as well', async () => {
  const model = new FakeModel();
  const { log, surroundings } = fakeGpu();
  const advance = model.advance.bind(model);
  model.advance = (look) => {
    log.lose('The driver crashed.');
    return advance(look);
  };
  const { reason } = await accelerate(wasm, model, 'webgpu', surroundings);
  assert.equal(reason, 'No GPU, because The driver crashed.');
});
