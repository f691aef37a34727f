import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { Captioner, Tagger } from '../../pkg/src/index.js';
import { fakeWasm, trap, wasmError } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { bytes, modelRoutes, serveRoutes } from './support/server.js';

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

test('the total is known from the first weights on, also where the server compresses the small files', async (t) => {
  const zipped = gzipSync(`{"tokenizer": "${'x'.repeat(5_000)}"}`);
  const events = [];
  await load(t, Tagger, {
    load: { onProgress: (event) => events.push(event) },
    routes: { '/m/tokenizer.json': bytes(zipped, { 'content-encoding': 'gzip' }) },
  });
  assert.equal(events[0].total, null, 'or this test proves nothing');
  const weights = events.filter(({ file }) => file === 'model.safetensors');
  const total = 3_000_000 + 13 + 19 + 5_000 + 17;
  assert.ok(weights.length > 0 && weights.every((event) => event.total === total), JSON.stringify(weights));
});

test('the total is known soon where the server compresses the weights as well, and at the end in any case', async (t) => {
  const header = JSON.stringify({ a: { dtype: 'F32', shape: [50_000], data_offsets: [0, 200_000] } });
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(header.length));
  // The wasm of these tests refuses chunks that begin with the byte 255.
  const noise = randomBytes(200_000).map((byte) => byte & 0x7f);
  const whole = Buffer.concat([head, Buffer.from(header), noise]);
  for (const [name, weights] of [
    ['stated', whole],
    ['no header', whole.subarray(200)],
  ]) {
    const events = [];
    await load(t, Tagger, {
      load: { onProgress: (event) => events.push(event) },
      routes: { '/m/model.safetensors': bytes(gzipSync(weights), { 'content-encoding': 'gzip' }) },
    });
    const told = events.filter(({ file }) => file === 'model.safetensors');
    const { loaded, total } = told.at(-1);
    assert.equal(total, loaded, name);
    assert.ok(told.length > 1 && told[0].total === null, name);
    assert.equal(events.at(-1).phase, 'ready');
  }
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
    { labels: ['cat', 'elephant', 'dog'], templates: ['a {}'] },
    { picture: 'picture' },
  ]);
  assert.equal((await model.tag(bytesOf('picture'), ['cat', 'elephant', 'dog'], { topK: 2 })).length, 2);
  assert.deepEqual(log.calls[2].templates, ['a photo of a {}.']);
});

test('writes a caption, whole and in pieces', async (t) => {
  const { model, log } = await load(t, Captioner);
  const pieces = [];
  const caption = await model.caption(bytesOf('x'), { prompt: 'a', onPiece: (piece) => pieces.push(piece) });
  assert.equal(caption, 'a red ball');
  assert.deepEqual(pieces, ['a ', 'red ', 'ball']);
  assert.equal(log.calls[0].options.prompt, 'a');
  const streamed = [];
  for await (const piece of model.stream(bytesOf('x'))) streamed.push(piece);
  assert.deepEqual(streamed, pieces);
  assert.equal(log.alive.size, 1, 'pictures and runs were freed');
});

const aborted = { name: 'AbortError', code: 'aborted' };
const turn = (milliseconds = 20) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test('labels are encoded once for several pictures, and told as they are encoded', async (t) => {
  const { model, log } = await load(t, Tagger);
  const labels = Array.from({ length: 600 }, (_, i) => `label ${i}`);
  const events = [];
  await model.tag(bytesOf('x'), labels, { onProgress: (event) => events.push(event) });
  assert.deepEqual(events[0], { phase: 'labels', file: null, loaded: 0, total: 600 });
  const image = (loaded) => ({ phase: 'image', file: null, loaded, total: 3 });
  const told = { phase: 'labels', file: null, loaded: 600, total: 600 };
  assert.deepEqual(events.slice(-4), [told, image(1), image(2), image(3)]);
  const handedOver = () => log.calls.filter((call) => 'labels' in call).length;
  assert.equal(handedOver(), 1);
  await model.tag(bytesOf('x'), [...labels]);
  assert.equal(log.encoded, 600);
  assert.equal(handedOver(), 1, 'the same labels are there already');
  await model.tag(bytesOf('x'), labels, { template: 'other {}' });
  assert.equal(log.encoded, 1200);
  await model.tag(bytesOf('x'), [...labels].reverse(), { template: 'other {}' });
  assert.equal(handedOver(), 3);
  await model.tag(bytesOf('x'), labels, { template: 'other {}' });
  assert.equal(handedOver(), 3, 'so are those before');
  await model.tag(bytesOf('x'), labels);
  assert.equal(handedOver(), 4);
  assert.equal(log.alive.size, 3, 'only the model and the labels of two questions are left alive');
});

test('encoding that was aborted goes on where it was', async (t) => {
  const { model, log } = await load(t, Tagger);
  const labels = Array.from({ length: 5000 }, (_, i) => `label ${i}`);
  const controller = new AbortController();
  const onProgress = ({ loaded }) => loaded > 100 && controller.abort();
  await assert.rejects(model.tag(bytesOf('x'), labels, { signal: controller.signal, onProgress }), aborted);
  await turn();
  assert.ok(log.encoded < 5000, `${log.encoded} encoded after the abort`);
  assert.equal(log.alive.size, 1, 'labels that are not all encoded are let go');
  await model.tag(bytesOf('x'), labels);
  assert.equal(log.encoded, 5000);
});

for (const [Class, look, alive] of [
  [Tagger, (model, options) => model.tag(bytesOf('x'), ['a'], options), 2],
  [Captioner, (model, options) => model.caption(bytesOf('x'), options), 1],
]) {
  test(`${Class.name}: an abort while it looks ends the work after that layer`, async (t) => {
    const { model, log } = await load(t, Class);
    const controller = new AbortController();
    const onProgress = ({ phase }) => phase === 'image' && controller.abort();
    await assert.rejects(look(model, { signal: controller.signal, onProgress }), aborted);
    await turn();
    assert.equal(log.layers, 1);
    assert.equal(log.alive.size, alive, 'only the model, and what labels it has encoded, are left alive');
    await look(model, {});
    assert.equal(log.layers, 4);
  });
}

test('errors of the wasm arrive with their class, and the model goes on', async (t) => {
  const { model, workers } = await load(t, Tagger);
  await assert.rejects(model.tag(bytesOf('damaged'), ['a']), { name: 'ImageError', code: 'image-damaged' });
  await assert.rejects(model.tag(new Uint8Array(), ['a']), { name: 'ImageError', code: 'image-empty' });
  await assert.rejects(model.tag(bytesOf('x'), []), { name: 'LabelError', code: 'labels-empty' });
  assert.equal((await model.tag(bytesOf('x'), ['a'])).length, 1);
  assert.equal(workers.length, 1);
});

test('a buffer of the user is never taken away', async (t) => {
  const { model } = await load(t, Tagger);
  const image = bytesOf('picture');
  const rgba = Uint8ClampedArray.of(1, 2, 3, 255);
  await model.tag(image.buffer, ['a']);
  await model.tag(image, ['a']);
  await model.tag({ data: rgba, width: 1, height: 1 }, ['a']);
  assert.equal(image.byteLength, 7);
  assert.equal(rgba.byteLength, 4);
});

test('a blob that cannot be read any more is a typed error', async (t) => {
  const { model } = await load(t, Tagger);
  assert.equal((await model.tag(new Blob([bytesOf('picture')]), ['a'])).length, 1);
  const { readBlob } = await import('../../pkg/src/worker/operations/image-encodings.js');
  const blob = { arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) };
  await assert.rejects(readBlob(blob), { code: 'image-unreadable' });
});

test('calls run in order, and aborting one harms no other', async (t) => {
  const { model, log } = await load(t, Captioner);
  const controller = new AbortController();
  const ended = [];
  const call = (name, options) => model.caption(bytesOf(name), options).then(() => ended.push(name));
  const first = call('first');
  const second = call('second', { signal: controller.signal });
  const third = call('third');
  controller.abort(new Error('changed my mind'));
  await assert.rejects(
    second,
    (error) => error.name === 'AbortError' && error.cause.message === 'changed my mind',
  );
  await Promise.all([first, third]);
  assert.deepEqual(ended, ['first', 'third']);
  assert.deepEqual(
    log.calls.map(({ picture }) => picture),
    ['first', 'third'],
  );
  await assert.rejects(call('x', { signal: controller.signal }), aborted);
});

test('aborting a call under way stops the work and frees its memory', async (t) => {
  const { model, log } = await load(t, Captioner);
  const controller = new AbortController();
  let pieces = 0;
  const onPiece = () => {
    pieces += 1;
    if (pieces === 3) controller.abort();
  };
  const options = { signal: controller.signal, onPiece };
  await assert.rejects(model.caption(bytesOf('endless'), options), aborted);
  await turn();
  assert.equal(pieces, 3, 'no piece after the abort');
  assert.equal(log.alive.size, 1, 'only the model is left alive');
  assert.equal(await model.caption(bytesOf('x')), 'a red ball');
});

test('leaving a stream early ends the writing', async (t) => {
  const { model, log } = await load(t, Captioner);
  let pieces = 0;
  for await (const piece of model.stream(bytesOf('endless'))) {
    assert.equal(piece, 'on ');
    pieces += 1;
    if (pieces === 2) break;
  }
  await turn();
  assert.equal(log.alive.size, 1);
  assert.equal(await model.caption(bytesOf('x')), 'a red ball');
});

test('a stream tells errors and aborts where it is read', async (t) => {
  const { model } = await load(t, Captioner);
  await assert.rejects(model.stream(bytesOf('damaged')).next(), { code: 'image-damaged' });
  const controller = new AbortController();
  const read = async () => {
    for await (const piece of model.stream(bytesOf('endless'), {
      signal: controller.signal,
      maxTokens: 10_000,
    })) {
      assert.ok(piece);
      controller.abort();
    }
  };
  await assert.rejects(read(), aborted);
});

test('a callback that throws ends its call with that error', async (t) => {
  const { model, log } = await load(t, Captioner);
  const onPiece = () => {
    throw new RangeError('mine');
  };
  await assert.rejects(model.caption(bytesOf('endless'), { onPiece }), {
    name: 'RangeError',
  });
  await turn();
  assert.equal(log.alive.size, 1);
});

test('dispose ends everything', async (t) => {
  const { model, workers } = await load(t, Captioner);
  const disposed = { name: 'WorkerError', code: 'disposed' };
  const running = model.caption(bytesOf('endless'));
  const waiting = model.caption(bytesOf('x'));
  const rejections = Promise.all([assert.rejects(running, disposed), assert.rejects(waiting, disposed)]);
  await turn(5);
  model.dispose();
  await rejections;
  assert.equal(workers[0].terminated, true);
  await assert.rejects(model.caption(bytesOf('x')), disposed);
  assert.equal(workers.length, 1, 'no worker starts after dispose');
  model.dispose();
});

test('a trap ends the worker; the next call starts a fresh one', async (t) => {
  const events = [];
  const { model, workers, requests } = await load(t, Captioner, {
    load: { onProgress: ({ phase }) => events.push(phase) },
  });
  const failed = { name: 'WorkerError', code: 'worker-failed' };
  const trapped = model.caption(bytesOf('trap'));
  const waiting = model.caption(bytesOf('x'));
  await Promise.all([
    assert.rejects(
      trapped,
      (error) => error.code === 'worker-failed' && error.cause.message === 'unreachable',
    ),
    assert.rejects(waiting, failed),
  ]);
  assert.deepEqual([workers.length, workers[0].closedItself, workers[0].terminated], [1, true, true]);
  const [asked, told] = [requests.length, events.length];
  const both = await Promise.all([model.caption(bytesOf('x')), model.caption(bytesOf('y'))]);
  assert.deepEqual(both, ['a red ball', 'a red ball']);
  assert.equal(workers.length, 2, 'one fresh worker for both');
  assert.equal(requests.length, 2 * asked);
  assert.equal(events.at(-1), 'ready');
  assert.ok(events.length > told, 'loading again is told');
});

test('a trap between steps is fatal as well', async (t) => {
  const { model, workers } = await load(t, Captioner, { pieces: ['a ', 'trap'] });
  const pieces = [];
  await assert.rejects(model.caption(bytesOf('x'), { onPiece: (piece) => pieces.push(piece) }), {
    code: 'worker-failed',
  });
  assert.deepEqual(pieces, ['a ']);
  assert.equal(workers[0].terminated, true);
});

for (const [what, fail] of Object.entries({
  'an error event': (worker) => worker.crash('boom'),
  'an error event that says nothing': (worker) => worker.crash(''),
  'an unreadable message': (worker) => worker.dispatchEvent(new Event('messageerror')),
})) {
  test(`${what} of the worker rejects what is pending, and the next call revives it`, async (t) => {
    const { model, workers } = await load(t, Captioner);
    const pending = model.caption(bytesOf('endless'));
    setTimeout(() => fail(workers[0]), 5);
    await assert.rejects(pending, { name: 'WorkerError', code: 'worker-failed', message: /^[A-Z].*\.$/ });
    assert.equal(workers[0].terminated, true);
    assert.equal(await model.caption(bytesOf('x')), 'a red ball');
    assert.equal(workers.length, 2);
  });
}

test('a worker that died in idleness is noticed by the next call', async (t) => {
  const { model, workers } = await load(t, Captioner);
  workers[0].crash();
  assert.equal(await model.caption(bytesOf('x')), 'a red ball');
  assert.equal(workers.length, 2);
});

test('reviving can fail, and succeed at the call after', async (t) => {
  let down = false;
  const config = (request, response) =>
    down ? response.writeHead(503).end() : response.writeHead(200, { 'content-length': 2 }).end('{}');
  const { model, workers } = await load(t, Captioner, { routes: { '/m/config.json': config } });
  workers[0].crash();
  down = true;
  await assert.rejects(model.caption(bytesOf('x')), { code: 'http-status', status: 503 });
  assert.equal(workers[1].terminated, true);
  down = false;
  assert.equal(await model.caption(bytesOf('x')), 'a red ball');
  assert.equal(workers.length, 3);
});

test('aborting one of the calls that wait for a revival leaves the others waiting', async (t) => {
  const { model, workers } = await load(t, Captioner);
  workers[0].crash();
  const controller = new AbortController();
  const first = model.caption(bytesOf('first'), { signal: controller.signal });
  const second = model.caption(bytesOf('second'));
  setTimeout(() => controller.abort(), 1);
  await assert.rejects(first, aborted);
  assert.equal(await second, 'a red ball');
  assert.equal(workers.length, 2);
});

test('dispose during a revival ends it', async (t) => {
  const { model, workers } = await load(t, Captioner);
  workers[0].crash();
  const call = model.caption(bytesOf('x'));
  setTimeout(() => model.dispose(), 1);
  await assert.rejects(call, { code: 'disposed' });
  assert.ok(workers.every(({ terminated }) => terminated));
});

test('a failed load leaves nothing behind', async (t) => {
  const cases = [
    [{ routes: { '/m/model.safetensors': undefined } }, { code: 'not-found' }],
    [{ routes: { '/m/config.json': (_, response) => response.end('{') } }, { code: 'config-invalid' }],
    [{ routes: { '/m/tokenizer.json': (_, response) => response.end('<html>') } }, { code: 'not-a-model' }],
    [
      { routes: { '/m/model.safetensors': (_, response) => response.end(Buffer.alloc(9, 0xff)) } },
      { code: 'weights-invalid' },
    ],
    [
      {
        onCreate: () => {
          throw wasmError('weights-mismatch');
        },
      },
      { name: 'ModelError', code: 'weights-mismatch' },
    ],
    [
      {
        onCreate: () => {
          throw trap();
        },
      },
      { code: 'worker-failed' },
    ],
    [
      {
        startEngine: async () => {
          throw wasmError('unsupported-browser');
        },
      },
      { name: 'WorkerError', code: 'unsupported-browser' },
    ],
    [
      {
        startEngine: async () => {
          throw new TypeError('defect');
        },
      },
      { code: 'worker-failed' },
    ],
  ];
  for (const [options, expected] of cases) {
    const wasm = fakeWasm(options);
    const { url } = await serveRoutes(t, { ...modelRoutes(), ...options.routes });
    const { worker, workers } = workerFactory(wasm, options);
    await assert.rejects(Tagger.load(`${url}/m`, { worker }), expected);
    assert.equal(workers[0].terminated, true);
    assert.equal(wasm.log.alive.size, 0);
  }
});

test('a load can be aborted at any time', async (t) => {
  const wasm = fakeWasm();
  const { worker, workers } = workerFactory(wasm);
  const { url } = await serveRoutes(t, {
    ...modelRoutes(),
    '/m/model.safetensors': (request, response) => {
      response.writeHead(200, { 'content-length': 1e9 }).write(Buffer.alloc(1000));
    },
  });
  await assert.rejects(Tagger.load(`${url}/m`, { worker, signal: AbortSignal.abort() }), aborted);
  assert.equal(workers.length, 0);
  const controller = new AbortController();
  const onProgress = ({ file }) => file === 'model.safetensors' && controller.abort(new Error('cancel'));
  const loading = Tagger.load(`${url}/m`, { worker, signal: controller.signal, onProgress });
  await assert.rejects(loading, (error) => error.name === 'AbortError' && error.cause.message === 'cancel');
  assert.equal(workers[0].terminated, true);
});

test('a browser without workers, or one that refuses ours, is told apart', async () => {
  await assert.rejects(Tagger.load('http://localhost/m/'), { code: 'unsupported-browser' });
  const worker = () => {
    throw new DOMException('cross-origin', 'SecurityError');
  };
  await assert.rejects(Tagger.load('http://localhost/m/', { worker }), (error) => {
    assert.equal(error.code, 'worker-failed');
    assert.equal(error.cause.name, 'SecurityError');
    return true;
  });
});
