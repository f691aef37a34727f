import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { env, pipeline } from '../../pkg/src/node-pipeline.js';
import { serveRoutes } from './support/server.js';

/** The calls of transformers.js in Node, with the models that are taken where none is named. */

const built = existsSync(new URL('../../pkg/wasm/simd128_bg.wasm', import.meta.url));
const options = { skip: !built && 'pkg/wasm is not built (npm run build:wasm)' };
const CAT = fileURLToPath(new URL('../../www/samples/cat.webp', import.meta.url));

/** A pipeline of the default model, and what was said of it. */
async function open(t, task, more = {}) {
  const { mock } = t.mock.method(console, 'warn', () => {});
  const pipe = await pipeline(task, null, { threads: 1, ...more });
  t.after(() => pipe.dispose());
  const said = mock.calls.map(({ arguments: [sentence] }) => sentence);
  mock.restore();
  return { pipe, said };
}

test('the built-in model is taken where none is named, and that is said', options, async (t) => {
  const told = [];
  const progress_callback = (info) => told.push(info);
  const { pipe, said } = await open(t, 'zero-shot-image-classification', { progress_callback });
  assert.deepEqual(said, ['No model was given for zero-shot-image-classification: this is "ocelli".']);
  assert.deepEqual(told.at(-1), {
    status: 'ready',
    task: 'zero-shot-image-classification',
    model: 'ocelli',
  });
  const [[best], ...others] = await pipe([CAT], ['dog', 'cat', 'bicycle']);
  assert.equal(best.label, 'cat');
  assert.deepEqual(others, []);
});

test('nothing is said where the level of the log is above warnings', options, async (t) => {
  t.after(() => (env.logLevel = 30));
  env.logLevel = 40;
  const { pipe, said } = await open(t, 'image-to-text');
  assert.deepEqual(said, []);
  const [{ generated_text: text }] = await pipe(CAT, { max_new_tokens: 12 });
  assert.match(text, /cat/);
});

test('features of pictures and texts can be compared', options, async (t) => {
  const { pipe: see } = await open(t, 'image-feature-extraction');
  const { pipe: read } = await open(t, 'feature-extraction');
  const { data: picture } = await see(CAT);
  const [cat, bus] = await read(['a photo of a cat.', 'a photo of a bus.'], { normalize: true });
  const dot = (a, b) => a.reduce((sum, number, i) => sum + number * b[i], 0);
  assert.equal(picture.length, cat.size);
  assert.ok(dot(picture, cat.data) > dot(picture, bus.data));
});

test('classes have a default model of the hub', async (t) => {
  const before = env.remoteHost;
  t.after(() => (env.remoteHost = before));
  const { url, requests } = await serveRoutes(t, {});
  env.remoteHost = url;
  const { mock } = t.mock.method(console, 'warn', () => {});
  await assert.rejects(pipeline('image-classification', undefined, { cache: false }), { code: 'not-found' });
  assert.match(mock.calls[0].arguments[0], /image-classification: this is "google\/vit-base-patch16-224"/);
  assert.ok(requests.some(({ path }) => path === '/google/vit-base-patch16-224/resolve/main/config.json'));
});
