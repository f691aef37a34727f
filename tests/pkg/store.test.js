import assert from 'node:assert/strict';
import test from 'node:test';
import {
  Answerer,
  Captioner,
  Classifier,
  TextEncoder as ClipTextEncoder,
  Embedder,
  Matcher,
  Tagger,
} from '../../pkg/src/index.js';
import { locate } from '../../pkg/src/page/hub.js';
import { isRecord } from '../../pkg/src/cache/record.js';
import { Engine } from '../../pkg/src/worker/operations/index.js';
import { FakeBackend } from './support/fake-backend.js';
import { fakeWasm } from './support/fake-wasm.js';
import { RUNTIME, workerFactory } from './support/fake-worker.js';
import { modelRoutes, serveRoutes } from './support/server.js';

/** Models kept between visits, over a storage in memory. */

const WEIGHTS = Buffer.alloc(50_000, 7);

async function visit(t, backend, options = {}) {
  const wasm = fakeWasm(options);
  const { url, requests } = options.server ?? (await serveRoutes(t, modelRoutes('/m/', WEIGHTS)));
  const { worker } = workerFactory(wasm, { backend: async () => backend });
  const events = [];
  const model = await (options.Class ?? Tagger).load(`${url}/m/`, {
    worker,
    keep: true,
    onProgress: (event) => events.push(event),
    ...options.load,
  });
  t.after(() => model.dispose());
  const phases = [...new Set(events.map(({ phase }) => phase))];
  return { model, log: wasm.log, events, phases, requests, server: { url, requests } };
}

test('the second visit needs no network', async (t) => {
  const backend = new FakeBackend();
  const first = await visit(t, backend);
  assert.deepEqual(first.phases, ['download', 'build', 'ready']);
  assert.deepEqual(first.log.loaders, [{ dtype: 'int8', keep: true }]);
  const asked = first.requests.length;
  const second = await visit(t, backend, { server: first.server });
  assert.deepEqual(second.phases, ['cache', 'build', 'ready']);
  assert.equal(second.requests.length, asked, 'nothing was asked for');
  assert.equal(second.log.bytes, WEIGHTS.length);
  assert.deepEqual(second.events.at(-1), {
    phase: 'ready',
    file: null,
    loaded: WEIGHTS.length,
    total: WEIGHTS.length,
  });
  const [{ record }] = await backend.list();
  assert.deepEqual([record.id, record.dtype, record.revision], [`${first.server.url}/m/`, 'int8', null]);
  assert.ok(isRecord(record));
});

test('what is kept for one task is not taken for another', async (t) => {
  const backend = new FakeBackend();
  const { server } = await visit(t, backend, { Class: Captioner });
  const other = await visit(t, backend, { server, Class: Matcher });
  assert.deepEqual(other.phases, ['download', 'build', 'ready']);
  assert.equal(backend.entries.size, 2);
  for (const Class of [Captioner, Matcher]) {
    assert.deepEqual((await visit(t, backend, { server, Class })).phases, ['cache', 'build', 'ready']);
  }
});

test('the record says what part of the model is kept', async (t) => {
  for (const [Class, part, more] of [
    [Tagger, 'both'],
    [Embedder, 'both'],
    [Embedder, 'image', { tower: 'image' }],
    [Embedder, 'text', { tower: 'text' }],
    [Captioner, 'caption'],
    [Matcher, 'match'],
    [Answerer, 'answer'],
    [Classifier, 'classify'],
    [ClipTextEncoder, 'text'],
  ]) {
    const backend = new FakeBackend();
    await visit(t, backend, { Class, load: more });
    const [{ record }] = await backend.list();
    assert.equal(record.part, part, Class.name);
    assert.ok(isRecord(record));
  }
});

test('another dtype is another entry', async (t) => {
  const backend = new FakeBackend();
  const { server } = await visit(t, backend);
  const other = await visit(t, backend, { server, load: { dtype: 'f32' } });
  assert.deepEqual(other.phases, ['download', 'build', 'ready']);
  assert.equal(backend.entries.size, 2);
});

test('nothing is kept of a folder unless asked, nor where keeping is refused', async (t) => {
  const backend = new FakeBackend();
  for (const keep of [undefined, false]) {
    const { log } = await visit(t, backend, { load: { keep } });
    assert.deepEqual(log.loaders, [{ dtype: 'int8', keep: false }]);
  }
  assert.equal(backend.entries.size, 0);
  await assert.rejects(Tagger.load('http://localhost/m/', { keep: 'yes' }), { code: 'argument-invalid' });
});

test('a half-written entry is not used', async (t) => {
  const backend = new FakeBackend();
  const { server } = await visit(t, backend);
  const [entry] = backend.entries.values();
  entry.record = null;
  const again = await visit(t, backend, { server });
  assert.deepEqual(again.phases, ['download', 'build', 'ready']);
  assert.equal((await backend.list()).length, 1, 'and it is made whole');
});

test('a damaged entry is replaced within the same load', async (t) => {
  const damages = [
    ['weights', (entry) => (entry.weights[0] = Uint8Array.of(0xff, 0, 0))],
    ['small file', (entry) => (entry.small[0] = new TextEncoder().encode('{"config": 2}'))],
    ['config', (entry) => (entry.small[0] = new Uint8Array(3))],
  ];
  for (const [what, damage] of damages) {
    const backend = new FakeBackend();
    const { server } = await visit(t, backend);
    damage([...backend.entries.values()][0]);
    const again = await visit(t, backend, { server });
    assert.equal(again.phases.at(-1), 'ready', what);
    assert.ok(again.phases.includes('download'), what);
    assert.equal(again.log.alive.size, 1, `${what}: only the model is left alive`);
    const third = await visit(t, backend, { server });
    assert.deepEqual(third.phases, ['cache', 'build', 'ready'], what);
  }
});

test('a storage that fails at any step costs nothing but the next download', async (t) => {
  for (const step of ['find', 'writer', 'write', 'commit']) {
    const backend = new FakeBackend();
    backend.failing.add(step);
    const { phases } = await visit(t, backend);
    assert.deepEqual(phases, ['download', 'build', 'ready'], step);
    assert.equal((await backend.list()).length, step === 'find' ? 1 : 0, step);
    if (step === 'write' || step === 'commit') assert.equal(backend.abandoned, 1, step);
  }
});

test('an abort, or weights that fit no model, leave nothing behind', async (t) => {
  const backend = new FakeBackend();
  // As the worker does when the load is aborted: the operation is ended between two of its steps.
  const { url } = await serveRoutes(t, modelRoutes('/m/', WEIGHTS));
  const wasm = fakeWasm();
  const engine = new Engine(wasm, { runtime: RUNTIME, backend: async () => backend });
  const files = locate(`${url}/m/`);
  const cache = { id: 'm', revision: null };
  const params = { task: 'tag', files, dtype: 'int8', cache };
  const run = engine.run({ task: 'tag', operation: 'load', params }, new AbortController().signal);
  while (wasm.log.bytes === 0) await run.next();
  assert.equal(backend.entries.size, 1, 'or this test proves nothing');
  await run.return();
  assert.equal(backend.entries.size, 0);
  assert.equal(wasm.log.alive.size, 0);
  const refuse = () => {
    throw Object.assign(new Error('No.'), { code: 'weights-mismatch' });
  };
  await assert.rejects(visit(t, backend, { onCreate: refuse }), { code: 'weights-mismatch' });
  assert.equal((await backend.list()).length, 0);
});

test('a model without a tokenizer is kept with the two files it has', async (t) => {
  const backend = new FakeBackend();
  const routes = modelRoutes('/m/', WEIGHTS);
  delete routes['/m/tokenizer.json'];
  const server = await serveRoutes(t, routes);
  const first = await visit(t, backend, { server, Class: Classifier });
  assert.deepEqual(first.phases, ['download', 'build', 'ready']);
  assert.ok(!server.requests.some(({ path }) => path.endsWith('tokenizer.json')));
  const [entry] = backend.entries.values();
  assert.equal(entry.small.length, 2);
  assert.equal(entry.record.small.length, 2);
  const again = await visit(t, backend, { server, Class: Classifier });
  assert.deepEqual(again.phases, ['cache', 'build', 'ready']);
  // A tagger has three: none of its files may be left out.
  await assert.rejects(visit(t, new FakeBackend(), { server }), { code: 'not-found' });
});

test('an entry that lacks a small file is not used', async (t) => {
  const backend = new FakeBackend();
  const { server } = await visit(t, backend);
  const [entry] = backend.entries.values();
  entry.small.pop();
  entry.record.small.pop();
  assert.ok(isRecord(entry.record), 'or this test proves nothing');
  const again = await visit(t, backend, { server });
  assert.deepEqual(again.phases, ['download', 'build', 'ready']);
});

test('records from the storage are checked', () => {
  const file = { bytes: 1, sha256: 'x' };
  const record = {
    id: 'a/b',
    revision: null,
    part: 'both',
    dtype: 'int8',
    date: '2026',
    packing: 1,
    weights: 5,
    small: [file, file, file],
  };
  assert.ok(isRecord(record));
  assert.ok(isRecord({ ...record, small: [file, file] }), 'a model without a tokenizer');
  assert.ok(isRecord({ ...record, part: 'all', small: Array(6).fill(file) }), 'a model for several tasks');
  for (const wrong of [
    null,
    [],
    { ...record, id: 5 },
    { ...record, part: undefined },
    { ...record, part: 'some' },
    { ...record, weights: -1 },
    { ...record, weights: '5' },
    { ...record, small: [file] },
    { ...record, small: Array(7).fill(file) },
    { ...record, small: [file, file, null] },
    { ...record, id: 'x'.repeat(5000) },
  ]) {
    assert.equal(isRecord(wrong), false, JSON.stringify(wrong)?.slice(0, 80));
  }
});

test('what an earlier version has packed is cleared away when something is kept', async (t) => {
  const backend = new FakeBackend();
  await visit(t, backend);
  const [[name, entry]] = backend.entries;
  backend.entries.set('old', { ...entry, record: { ...entry.record, packing: entry.record.packing - 1 } });
  backend.entries.set('later', { ...entry, record: { ...entry.record, packing: entry.record.packing + 1 } });
  await visit(t, backend, { load: { dtype: 'f32' } });
  assert.deepEqual([...backend.entries.keys()].includes('old'), false);
  assert.ok(backend.entries.has(name) && backend.entries.has('later'));
});
