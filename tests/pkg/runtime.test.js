import assert from 'node:assert/strict';
import test from 'node:test';
import { Tagger } from '../../pkg/src/index.js';
import { VARIANT_NAMES } from '../../pkg/src/shared/variants.js';
import { platform } from '../../pkg/src/shared/platform.js';
import { startEngine } from '../../pkg/src/worker/engine.js';
import { choose, detect } from '../../pkg/src/worker/runtime.js';
import { RUNTIME, workerFactory } from './support/fake-worker.js';

/** Which variant runs where, and the sentence that says why. */

const everything = {
  simd: true,
  relaxedSimd: true,
  threads: true,
  noSharing: null,
  cores: 4,
  built: () => true,
};

test('the best variant that browser, page and build allow is chosen', () => {
  const cases = [
    [{}, {}, 'relaxed-threads', 4, /relaxed SIMD, and threads can share memory/],
    [{}, { relaxedSimd: false }, 'simd128-threads', 4, /lacks relaxed SIMD/],
    [{}, { noSharing: 'the page is not cross-origin isolated' }, 'relaxed', 1, /not cross-origin isolated/],
    [{}, { threads: false }, 'relaxed', 1, /threads are lacking/],
    [{}, { cores: 1 }, 'relaxed', 1, /one core/],
    [{}, { cores: 100 }, 'relaxed-threads', 8, /threads/],
    [{ threads: 1 }, {}, 'relaxed', 1, /no more was asked for/],
    [{ threads: 2 }, {}, 'relaxed-threads', 2, /threads/],
    [{ threads: 3 }, { cores: 1 }, 'relaxed-threads', 3, /threads/],
    [
      { threads: 3 },
      { noSharing: 'the page is not cross-origin isolated' },
      'relaxed',
      1,
      /not cross-origin isolated/,
    ],
    [{}, { built: (name) => !name.endsWith('threads') }, 'relaxed', 1, /was not built/],
    [{}, { built: (name) => !name.startsWith('relaxed') }, 'simd128-threads', 4, /was not built/],
    [{ variant: 'simd128' }, {}, 'simd128', 1, /asked for/],
    [{ variant: 'relaxed-threads', threads: 2 }, {}, 'relaxed-threads', 2, /asked for/],
  ];
  for (const [wanted, changed, variant, threads, why] of cases) {
    const chosen = choose(wanted, { ...everything, ...changed });
    assert.deepEqual([chosen.variant, chosen.threads], [variant, threads], JSON.stringify([wanted, changed]));
    assert.match(chosen.why, why);
  }
});

test('what cannot run is refused by name', () => {
  assert.throws(() => choose({}, { ...everything, simd: false }), { code: 'unsupported-browser' });
  for (const [variant, changed] of [
    ['relaxed', { relaxedSimd: false }],
    ['simd128-threads', { noSharing: 'the page is not cross-origin isolated' }],
    ['simd128', { built: () => false }],
  ]) {
    const features = { ...everything, ...changed };
    assert.throws(() => choose({ variant }, features), {
      code: 'unsupported-browser',
      message: RegExp(variant),
    });
  }
});

test('Node is no cross-origin isolated page', async () => {
  const features = await detect(() => true);
  assert.equal(features.simd, true);
  assert.match(features.noSharing ?? '', /not cross-origin isolated/);
  assert.ok(VARIANT_NAMES.includes(choose({}, features).variant));
});

test('threads, variant and dtype are checked before anything starts', async () => {
  const { worker, workers } = workerFactory({});
  const wrong = [
    { threads: 0 },
    { threads: 1.5 },
    { threads: 'many' },
    { threads: 65 },
    { variant: 'mmx' },
    { dtype: 'q4' },
  ];
  for (const options of wrong) {
    await assert.rejects(Tagger.load('http://localhost/x/', { ...options, worker }), {
      code: 'argument-invalid',
    });
  }
  assert.equal(workers.length, 0);
  assert.equal(RUNTIME.threads, 1);
});

/** An engine over modules that start, or throw; what was asked of them. */
async function start(t, defaults) {
  const { fetch } = platform;
  platform.fetch = async () => new Response('wasm');
  t.after(() => (platform.fetch = fetch));
  const started = [];
  let ended = 0;
  const find = (name) => ({
    default: async () => {
      started.push(name);
      await defaults(name);
    },
    ThreadPool: class {
      shared = [null, null];
      start() {}
    },
  });
  const threads = { start: async () => {}, end: () => (ended += 1) };
  const engine = startEngine({}, threads, { find, features: everything });
  return { engine, started, ended: () => ended };
}

const outOfMemory = () => {
  throw new RangeError('WebAssembly.Memory(): could not allocate memory');
};

test('where memory for threads runs out, one thread computes', async (t) => {
  const { engine, started, ended } = await start(t, (name) => name.endsWith('threads') && outOfMemory());
  await engine;
  assert.deepEqual(started, ['relaxed-threads', 'relaxed']);
  assert.equal(ended(), 1, 'threads that were started have ended');
});

test('where it runs out altogether, a sentence says so', async (t) => {
  const { engine } = await start(t, outOfMemory);
  await assert.rejects(engine, {
    code: 'worker-failed',
    message: /^There is not enough memory for the model: .*\.$/,
  });
});

test('a thread that never answers costs the threads, and nothing else', async (t) => {
  const { engine, started } = await start(t, (name) => {
    if (name.endsWith('threads')) throw new Error('A thread did not start in time.');
  });
  await engine;
  assert.deepEqual(started, ['relaxed-threads', 'relaxed']);
});
