// Models as they are published and kept: in several files, with digests, changed since.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { models, Tagger } from '../../pkg/src/index.js';
import { platform } from '../../pkg/src/shared/platform.js';
import { openFile, readSmallFile } from '../../pkg/src/shared/loader.js';
import { FakeBackend } from './support/fake-backend.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { bytes, modelRoutes, serveRoutes } from './support/server.js';

const INDEX = '/m/model.safetensors.index.json';
const FIRST = 'model-00001-of-00002.safetensors';
const SECOND = 'model-00002-of-00002.safetensors';
const integrityOf = (content) => `sha256-${createHash('sha256').update(content).digest('base64')}`;

/** Routes of a model whose weights are in two files. */
function sharded(
  index = { metadata: { total_size: 70_000 }, weight_map: { b: SECOND, a: FIRST, c: FIRST } },
) {
  return {
    ...modelRoutes(),
    '/m/model.safetensors': undefined,
    [INDEX]: bytes(typeof index === 'string' ? index : JSON.stringify(index)),
    [`/m/${FIRST}`]: bytes(Buffer.alloc(50_000, 1)),
    [`/m/${SECOND}`]: bytes(Buffer.alloc(20_000, 2)),
  };
}

async function load(t, routes, options = {}) {
  const wasm = fakeWasm();
  const { url, requests } = await serveRoutes(t, routes);
  const backend = options.backend ?? new FakeBackend();
  const { worker } = workerFactory(wasm, { backend: async () => backend });
  const events = [];
  const onProgress = (event) => events.push(event);
  const loading = Tagger.load(`${url}/m/`, { worker, onProgress, ...options.load });
  const tagger = await loading.catch((error) => error);
  if (tagger instanceof Tagger) t.after(() => tagger.dispose());
  return { tagger, log: wasm.log, requests, events, url };
}

test('weights in several files are read one after the other', async (t) => {
  const { tagger, log, requests, events } = await load(t, sharded());
  assert.ok(tagger instanceof Tagger, String(tagger));
  assert.equal(log.bytes, 70_000);
  assert.equal(log.nextFiles, 1);
  const paths = requests.map(({ path }) => path);
  assert.deepEqual(paths.slice(-2), [`/m/${FIRST}`, `/m/${SECOND}`]);
  const told = events.filter(({ phase, total }) => phase === 'download' && total !== null);
  assert.ok(told.some(({ file }) => file === SECOND));
  for (const { loaded, total } of told) assert.ok(loaded <= total, `${loaded} of ${total}`);
  assert.equal(told.at(-1).loaded, told.at(-1).total);
});

test('a file that is missing among several is named, and so is an index that is none', async (t) => {
  const missing = await load(t, { ...sharded(), [`/m/${SECOND}`]: undefined });
  assert.equal(missing.tagger.code, 'not-found');
  assert.match(missing.tagger.message, new RegExp(`^${SECOND} was not found`));
  for (const [index, why] of [
    ['{', /no weight_map/],
    [{ weight_map: [] }, /names no file/],
    [{ weight_map: { a: '../../secret' } }, /"\.\.\/\.\.\/secret" is no name of a file/],
    [{ weight_map: { a: 7 } }, /7 is no name of a file/],
    [
      { weight_map: Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [i, `f${i}`])) },
      /more than 1000/,
    ],
  ]) {
    const { tagger } = await load(t, sharded(index));
    assert.equal(tagger.code, 'weights-invalid');
    assert.match(tagger.message, why);
  }
});

test('files are checked against the digests that are given', async (t) => {
  const weights = Buffer.alloc(3_000_000, 7);
  const right = { 'model.safetensors': integrityOf(weights), 'config.json': integrityOf('{"config": 1}') };
  const { tagger } = await load(t, modelRoutes(), { load: { integrity: right } });
  assert.ok(tagger instanceof Tagger, String(tagger));
  const wrong = { ...right, 'model.safetensors': integrityOf('another') };
  const backend = new FakeBackend();
  const other = await load(t, modelRoutes(), { backend, load: { integrity: wrong, cache: true } });
  assert.equal(other.tagger.code, 'integrity-mismatch');
  assert.match(other.tagger.message, /^model\.safetensors at .* is not the file that was asked for/);
  assert.equal(backend.entries.size, 0, 'nothing is kept of it');
  const typo = { 'model.safetensor': integrityOf(weights) };
  const unknown = await load(t, modelRoutes(), { load: { integrity: typo } });
  assert.equal(unknown.tagger.code, 'argument-invalid');
  assert.match(unknown.tagger.message, /integrity speaks of model\.safetensor; the files of this model are/);
  for (const integrity of ['sha256-x', { a: 'sha256-x' }, { a: createHash('md5').digest('base64') }]) {
    await assert.rejects(Tagger.load('http://x/m/', { integrity }), { code: 'argument-invalid' });
  }
});

test('what was kept without a check is not taken with one', async (t) => {
  const backend = new FakeBackend();
  const routes = modelRoutes();
  await load(t, routes, { backend, load: { cache: true } });
  const integrity = { 'model.safetensors': integrityOf('another') };
  const { tagger } = await load(t, routes, { backend, load: { cache: true, integrity } });
  assert.equal(tagger.code, 'integrity-mismatch');
});

test('a kept model is forgotten when its files have changed, and only then', async (t) => {
  const backend = new FakeBackend();
  platform.openCache = async () => backend;
  t.after(() => (platform.openCache = null));
  let tag = '"one"';
  const routes = modelRoutes();
  const weights = routes['/m/model.safetensors'];
  const asked = [];
  routes['/m/model.safetensors'] = (request, response) => {
    asked.push([request.method, request.headers.authorization]);
    response.setHeader('etag', tag);
    return request.method === 'HEAD' ? response.writeHead(status).end() : weights(request, response);
  };
  let status = 200;
  const { url } = await load(t, routes, { backend, load: { cache: true } });
  assert.deepEqual(backend.entries.values().next().value.record.versions, [
    { url: `${url}/m/model.safetensors`, version: '"one"' },
  ]);
  const headers = { authorization: 'Bearer key' };
  assert.equal(await models.refresh('no/such'), false);
  assert.equal(await models.refresh(`${url}/m/`, { headers }), false);
  assert.deepEqual(asked.at(-1), ['HEAD', 'Bearer key']);
  tag = 'W/"one-gzip"';
  assert.equal(await models.refresh(`${url}/m/`), false, 'compressed, and the same');
  status = 503;
  await assert.rejects(models.refresh(`${url}/m/`), { code: 'http-status' });
  assert.equal(backend.entries.size, 1);
  [status, tag] = [200, '"two"'];
  assert.equal(await models.refresh(`${url}/m/`), true);
  assert.equal(backend.entries.size, 0);
});

test('a small file that grew when it was compressed is whole', async () => {
  const text = '{"do_resize": true, "size": {"shortest_edge": 224}}';
  const compressed = gzipSync(text).length + 40;
  let asked = 0;
  const fetch = async () => {
    asked += 1;
    const response = new Response(text, { headers: { 'content-length': String(compressed) } });
    // A server elsewhere: that its answer was compressed is not to be seen.
    return Object.defineProperty(response, 'type', { value: 'cors' });
  };
  const options = { fetch, backoff: 1 };
  const open = await openFile({ name: 'preprocessor_config.json', url: 'http://x/p.json' }, options);
  assert.equal(new TextDecoder().decode(await readSmallFile(open, options)), text);
  assert.equal(asked, 1);
});
