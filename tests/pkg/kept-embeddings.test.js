import assert from 'node:assert/strict';
import test from 'node:test';
import { Embedder, Tagger } from '../../pkg/src/index.js';
import { MAX_EMBEDDINGS } from '../../pkg/src/cache/embeddings.js';
import { FakeBackend } from './support/fake-backend.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { modelRoutes, serveRoutes } from './support/server.js';

/** Embeddings of labels kept between visits, over a storage in memory. */

const bytesOf = (text) => new TextEncoder().encode(text);
const LABELS = ['cat', 'dog', { label: 'bat', hint: 'an animal' }];

/** Loads the model as on a new visit. */
async function visit(t, backend, { server, Class = Tagger, ...options } = {}) {
  const wasm = fakeWasm();
  const { url } = server ?? (await serveRoutes(t, modelRoutes('/m/', Buffer.alloc(50_000, 7))));
  const { worker, workers } = workerFactory(wasm, { backend: async () => backend });
  const model = await Class.load(`${url}/m/`, { worker, keep: true, ...options });
  t.after(() => model.dispose());
  return { model, log: wasm.log, server: { url }, workers };
}

const remembers = ({ log }) => log.calls.filter((call) => 'remember' in call).length;

test('labels are encoded once for all visits', async (t) => {
  const backend = new FakeBackend();
  const first = await visit(t, backend);
  await first.model.tag(bytesOf('x'), LABELS);
  assert.deepEqual([first.log.encoded, backend.written], [3, 1]);
  await first.model.tag(bytesOf('y'), LABELS);
  assert.equal(backend.written, 1, 'nothing new');

  const second = await visit(t, backend, { server: first.server });
  await second.model.tag(bytesOf('x'), LABELS);
  await second.model.tag(bytesOf('y'), LABELS);
  assert.deepEqual([second.log.encoded, backend.written, remembers(second)], [0, 1, 1]);
  await second.model.tag(bytesOf('x'), [...LABELS, 'cow'], { none: true });
  assert.equal(backend.written, 2);

  const third = await visit(t, backend, { server: first.server });
  await third.model.tag(bytesOf('x'), ['cow'], { scores: 'independent' });
  assert.equal(third.log.encoded, 0, 'the background is kept as well');
  const [{ embeddings }] = await backend.list();
  assert.ok(embeddings > 100, `${embeddings} bytes are counted`);
});

test('nothing is kept of a model that is not kept itself, nor of bare texts', async (t) => {
  const backend = new FakeBackend();
  const { model } = await visit(t, backend, { keep: false });
  await model.tag(bytesOf('x'), LABELS);
  const embedder = await visit(t, backend, { Class: Embedder });
  await embedder.model.embedTexts(['secret']);
  await embedder.model.similarity([bytesOf('x')], ['secret']);
  assert.equal(backend.written, 0);
});

test('another dtype or tower has an entry of its own', async (t) => {
  const backend = new FakeBackend();
  const first = await visit(t, backend);
  await first.model.tag(bytesOf('x'), LABELS);
  const exact = await visit(t, backend, { server: first.server, dtype: 'f32' });
  await exact.model.tag(bytesOf('x'), LABELS);
  assert.equal(exact.log.encoded, 3);
  for (const tower of ['image', 'text', 'both']) {
    await visit(t, backend, { server: first.server, Class: Embedder, tower });
  }
  // An embedder with both towers is the same model as the tagger.
  assert.equal(backend.entries.size, 4);
});

test('what is damaged, too large or of another entry is not used, and replaced', async (t) => {
  const damages = {
    'a changed byte': (entry) => (entry.embeddings[100] ^= 1),
    'a missing byte': (entry) => (entry.embeddings = entry.embeddings.subarray(0, -1)),
    'next to nothing': (entry) => (entry.embeddings = bytesOf('x')),
    'far too much': (entry) => (entry.embeddings = new Uint8Array(MAX_EMBEDDINGS + 65)),
    'a model kept anew': (entry) => (entry.record = { ...entry.record, date: '2020-01-01' }),
  };
  for (const [what, damage] of Object.entries(damages)) {
    const backend = new FakeBackend();
    const first = await visit(t, backend);
    await first.model.tag(bytesOf('x'), LABELS);
    damage([...backend.entries.values()][0]);
    const second = await visit(t, backend, { server: first.server });
    await second.model.tag(bytesOf('x'), LABELS);
    assert.deepEqual([remembers(second), second.log.encoded, backend.written], [0, 3, 2], what);
    const third = await visit(t, backend, { server: first.server });
    await third.model.tag(bytesOf('x'), LABELS);
    assert.equal(third.log.encoded, 0, what);
  }
});

test('what the wasm refuses costs only the time to compute it again', async (t) => {
  const backend = new FakeBackend();
  const first = await visit(t, backend);
  await first.model.tag(bytesOf('x'), LABELS);
  const { readEmbeddings, writeEmbeddings } = await import('../../pkg/src/cache/embeddings.js');
  const [{ name, record }] = await backend.list();
  await writeEmbeddings({ backend, name, record }, bytesOf('strange'));
  assert.deepEqual(await readEmbeddings({ backend, name, record }), bytesOf('strange'));
  const second = await visit(t, backend, { server: first.server });
  assert.equal((await second.model.tag(bytesOf('x'), LABELS)).length, 3);
  assert.deepEqual([remembers(second), second.log.encoded], [1, 3]);

  // A trap is no damage: the worker ends.
  await writeEmbeddings({ backend, name, record }, bytesOf('"trap"'));
  const third = await visit(t, backend, { server: first.server });
  await assert.rejects(third.model.tag(bytesOf('x'), LABELS), { code: 'worker-failed' });
});

test('a storage that fails, or a model that was forgotten, keeps nothing and harms nothing', async (t) => {
  for (const step of ['readEmbeddings', 'writeEmbeddings']) {
    const backend = new FakeBackend();
    const { model } = await visit(t, backend);
    backend.failing.add(step);
    assert.equal((await model.tag(bytesOf('x'), LABELS)).length, 3, step);
  }
  const backend = new FakeBackend();
  const { model } = await visit(t, backend);
  await backend.remove([...backend.entries.keys()][0]);
  assert.equal((await model.tag(bytesOf('x'), LABELS)).length, 3);
  assert.deepEqual([backend.entries.size, backend.written], [0, 0]);
});

test('an abort while labels are encoded keeps nothing yet; the next call does', async (t) => {
  const backend = new FakeBackend();
  const { model, log } = await visit(t, backend);
  const labels = Array.from({ length: 500 }, (_, i) => `label ${i}`);
  const controller = new AbortController();
  const onProgress = ({ loaded }) => loaded > 50 && controller.abort();
  const options = { signal: controller.signal, onProgress };
  await assert.rejects(model.tag(bytesOf('x'), labels, options), { code: 'aborted' });
  await model.tag(bytesOf('x'), labels);
  assert.deepEqual([log.encoded, backend.written], [500, 1]);
});
