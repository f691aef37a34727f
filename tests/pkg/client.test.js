import assert from 'node:assert/strict';
import test from 'node:test';
import { Captioner, Tagger } from '../../pkg/src/index.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { modelRoutes, serveRoutes } from './support/server.js';

const bytesOf = (text) => new TextEncoder().encode(text);

/** A loaded model over fakes, disposed of when the test ends. */
async function load(t, Class, options = {}) {
  const wasm = fakeWasm(options);
  const { url, requests } = await serveRoutes(t, { ...modelRoutes(), ...options.routes });
  const factory = workerFactory(wasm, options);
  const model = await Class.load(`${url}/m/`, { worker: factory.worker, ...options.load });
  t.after(() => model.dispose());
  return { model, wasm, url, requests, workers: factory.workers, log: wasm.log };
}

test('loads a model, telling how far it is', async (t) => {
  const events = [];
  const created = [];
  const { log } = await load(t, Tagger, {
    load: { onProgress: (event) => events.push(event) },
    onCreate: (files) => created.push(files),
  });
  assert.equal(log.bytes, 3_000_000);
  assert.equal(new TextDecoder().decode(created[0].config), '{"config": 1}');
  assert.equal(new TextDecoder().decode(created[0].preprocessor), '{"preprocessor": 1}');
  assert.equal(new TextDecoder().decode(created[0].tokenizer), '{"tokenizer": 1}');
  const total = 3_000_000 + 13 + 19 + 16;
  assert.deepEqual(events[0], { phase: 'download', file: 'config.json', loaded: 0, total });
  assert.deepEqual(events.at(-3), { phase: 'download', file: 'model.safetensors', loaded: total, total });
  assert.deepEqual(events.at(-2).phase, 'build');
  assert.deepEqual(events.at(-1), { phase: 'ready', file: null, loaded: total, total });
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('tags a picture: best first, equals in their order', async (t) => {
  const { model, log } = await load(t, Tagger);
  const tags = await model.tag(bytesOf('picture'), ['cat', 'elephant', 'dog'], { template: 'a {}' });
  assert.deepEqual(
    tags.map(({ label, index }) => [label, index]),
    [
      ['elephant', 1],
      ['cat', 0],
      ['dog', 2],
    ],
  );
  assert.ok(Math.abs(tags.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-6);
  assert.deepEqual(log.calls, [
    { labels: ['cat', 'elephant', 'dog'], template: 'a {}' },
    { picture: 'picture' },
  ]);
  assert.equal((await model.tag(bytesOf('picture'), ['cat', 'elephant', 'dog'], { topK: 2 })).length, 2);
  assert.equal(log.calls[2].template, 'a photo of a {}.');
});

test('writes a caption, whole and in pieces', async (t) => {
  const { model, log } = await load(t, Captioner);
  const pieces = [];
  const caption = await model.caption(bytesOf('x'), { prompt: 'a', onPiece: (piece) => pieces.push(piece) });
  assert.equal(caption, 'a red ball');
  assert.deepEqual(pieces, ['a ', 'red ', 'ball']);
  assert.deepEqual(log.calls[0].options, { prompt: 'a', maxTokens: 30 });
  const streamed = [];
  for await (const piece of model.stream(bytesOf('x'))) streamed.push(piece);
  assert.deepEqual(streamed, pieces);
  assert.equal(log.alive.size, 1, 'pictures and runs were freed');
});
