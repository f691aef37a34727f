import assert from 'node:assert/strict';
import test from 'node:test';
import { Captioner, Classifier, Embedder, loadVocabulary, Matcher, Tagger } from '../../pkg/src/index.js';
import { FakeBackend } from './support/fake-backend.js';
import { fakeWasm, trap } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { bytes, modelRoutes, serveRoutes, sharedRoutes } from './support/server.js';

/** Models of one folder share a worker, a download and the encoding of the last picture. */

const bytesOf = (text) => new TextEncoder().encode(text);
const turn = (milliseconds = 20) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const aborted = { name: 'AbortError', code: 'aborted' };
const disposed = { name: 'WorkerError', code: 'disposed' };

async function start(t, { routes = sharedRoutes(), ...options } = {}) {
  const wasm = fakeWasm(options);
  const { url, requests } = await serveRoutes(t, routes);
  const { worker, workers } = workerFactory(wasm, options);
  const opened = [];
  t.after(() => opened.forEach((model) => model.dispose()));
  const load = async (Class, more = {}) => {
    const model = await Class.load(`${url}/m/`, { worker, ...more });
    opened.push(model);
    return model;
  };
  const asked = (name) => requests.filter(({ path }) => path === `/m/${name}`).length;
  return { load, log: wasm.log, workers, requests, asked, url };
}

test('models that are loaded at once are one worker, one download and one model', async (t) => {
  const { load, workers, requests, log } = await start(t);
  const models = await Promise.all([Tagger, Captioner, Matcher, Embedder].map((Class) => load(Class)));
  assert.equal(workers.length, 1);
  assert.deepEqual(requests.map(({ path }) => path).sort(), [
    '/m/config.json',
    '/m/decoder_tokenizer.json',
    '/m/labels.json',
    '/m/model.safetensors',
    '/m/preprocessor_config.json',
    '/m/tokenizer.json',
    '/m/words.json',
  ]);
  assert.equal(log.bytes, 3_000_000);
  assert.equal(log.loaders.length, 1);
  assert.ok(models.every(({ runtime }) => runtime === models[0].runtime));
});

test('a model that comes later joins, and hears that all is ready', async (t) => {
  const { load, workers } = await start(t);
  const tagger = await load(Tagger);
  const events = [];
  const captioner = await load(Captioner, { onProgress: ({ phase }) => events.push(phase) });
  assert.deepEqual(events, ['ready']);
  assert.equal((await tagger.tag(bytesOf('x'), ['a'])).length, 1);
  assert.equal(await captioner.caption(bytesOf('x')), 'a red ball');
  assert.equal(workers.length, 1);
});

test('each of them hears how far the download is', async (t) => {
  const { load } = await start(t);
  const heard = [[], []];
  await Promise.all(
    [Tagger, Captioner].map((Class, i) => load(Class, { onProgress: ({ phase }) => heard[i].push(phase) })),
  );
  for (const phases of heard) {
    assert.ok(phases.includes('download'), String(phases));
    assert.deepEqual(phases.slice(-2), ['build', 'ready']);
  }
});

test('other options are another model', async (t) => {
  const { load, workers } = await start(t);
  await load(Tagger);
  await load(Captioner, { dtype: 'f32' });
  await load(Captioner, { threads: 1 });
  assert.equal(workers.length, 3);
  await load(Matcher, { dtype: 'f32' });
  assert.equal(workers.length, 3);
});

test("a published model is nobody else's, whoever asks for it", async (t) => {
  const routes = modelRoutes();
  const { load, workers } = await start(t, { routes });
  const models = await Promise.all([Captioner, Matcher, Captioner].map((Class) => load(Class)));
  assert.equal(workers.length, 3);
  models[0].dispose();
  assert.equal(workers.filter(({ terminated }) => terminated).length, 1);
  assert.equal((await models[1].match(bytesOf('x'), ['a']))[0].text, 'a');
});

test('a picture is decoded and encoded once for its tags, its caption and its matches', async (t) => {
  const { load, log } = await start(t);
  const [tagger, captioner, matcher] = await Promise.all(
    [Tagger, Captioner, Matcher].map((Class) => load(Class)),
  );
  const picture = new Blob([bytesOf('picture')]);
  await tagger.tag(picture, ['a']);
  assert.equal(log.layers, 3);
  assert.equal(await captioner.caption(picture), 'a red ball');
  await matcher.match(picture, ['a']);
  await matcher.explain(picture, 'a');
  await captioner.attention(picture, { caption: 'a ball' });
  assert.deepEqual([log.looks, log.layers], [1, 3]);
  // A map goes back through the layers, but not there again.
  await tagger.explain(picture, 'a');
  assert.deepEqual([log.looks, log.layers], [1, 6]);

  await tagger.embedImages([picture, new Blob([bytesOf('other')])]);
  assert.equal(log.looks, 2);
  await captioner.caption(picture);
  assert.equal(log.looks, 3, 'only the last picture is kept');
  assert.equal([...log.alive].filter(({ constructor }) => constructor.name === 'Look').length, 1);
});

test('a picture is known again by its bytes, of whatever origin, and by nothing less', async (t) => {
  const { load, log } = await start(t);
  const [tagger, captioner] = await Promise.all([Tagger, Captioner].map((Class) => load(Class)));
  await tagger.tag(bytesOf('picture'), ['a']);
  await captioner.caption(bytesOf('picture'));
  await captioner.caption(new Blob([bytesOf('picture')]));
  await captioner.caption(new File([bytesOf('picture')], 'a.png'));
  assert.equal(log.looks, 1);
  await captioner.caption(bytesOf('Picture'));
  assert.equal(log.looks, 2);
  const pixels = (width, height) => ({ data: new Uint8Array(8), width, height });
  await tagger.tag(pixels(2, 1), ['a']);
  await captioner.caption(pixels(2, 1));
  assert.equal(log.looks, 3);
  await captioner.caption(pixels(1, 2));
  assert.equal(log.looks, 4);
  await assert.rejects(captioner.caption(bytesOf('damaged')), { code: 'image-damaged' });
  await captioner.caption(pixels(1, 2));
  assert.equal(log.calls.at(-1).picture, `rgba ${Array(8).fill(0)}`);
});

test('an encoding that was aborted goes on where it was', async (t) => {
  const { load, log } = await start(t);
  const tagger = await load(Tagger);
  const controller = new AbortController();
  const onProgress = ({ phase }) => phase === 'image' && controller.abort();
  const picture = new Blob([bytesOf('picture')]);
  await assert.rejects(tagger.tag(picture, ['a'], { signal: controller.signal, onProgress }), aborted);
  await turn();
  assert.equal(log.layers, 1);
  await tagger.tag(picture, ['a']);
  assert.deepEqual([log.looks, log.layers], [1, 3]);
});

test('the words of captions are encoded once, before the first caption or when asked for', async (t) => {
  const { load, log } = await start(t);
  const captioner = await load(Captioner);
  await captioner.caption(bytesOf('x'), { prompt: 'a' });
  assert.equal(log.words, 0, "a prompt of the user's takes their place");
  const events = [];
  await captioner.prepare({ onProgress: (event) => events.push(event) });
  assert.ok(log.words >= 40);
  assert.deepEqual(events.at(-1), { phase: 'words', file: null, loaded: 40, total: 40 });
  const { words } = log;
  await captioner.caption(bytesOf('x'));
  assert.equal(log.words, words);
});

test('a folder without words captions all the same', async (t) => {
  const { load, log } = await start(t, { routes: sharedRoutes('/m/', { 'words.json': undefined }) });
  const captioner = await load(Captioner);
  assert.equal(await captioner.caption(bytesOf('x')), 'a red ball');
  assert.equal(log.words, 0);
});

test('what a server has instead of an optional file is no file', async (t) => {
  const page = bytes('<!doctype html>', { 'content-type': 'text/html' });
  const refusal = (_, response) => response.writeHead(403).end();
  for (const [what, answer] of Object.entries({ page, refusal })) {
    const routes = { ...sharedRoutes(), '/m/words.json': answer, '/m/labels.json': answer };
    const { load } = await start(t, { routes });
    const [captioner, tagger] = [await load(Captioner), await load(Tagger)];
    assert.equal(await captioner.caption(bytesOf('x')), 'a red ball', what);
    assert.equal(await tagger.knownLabels(), null, what);
  }
  const broken = await start(t, {
    routes: { ...sharedRoutes(), '/m/words.json': (_, response) => response.writeHead(500).end() },
  });
  await assert.rejects(broken.load(Captioner), { code: 'http-status', status: 500 });
  const pointer = bytes('version https://git-lfs.github.com/spec/v1');
  const stored = await start(t, { routes: { ...sharedRoutes(), '/m/labels.json': pointer } });
  await assert.rejects(stored.load(Tagger), { code: 'not-a-model' });
});

test('the labels of a private model are asked for with what lets in to it', async (t) => {
  const { load, requests } = await start(t);
  const tagger = await load(Tagger, { headers: { authorization: 'Bearer 1' } });
  assert.deepEqual(await tagger.knownLabels(), ['dog', 'beagle', 'no tag of the vocabulary']);
  const asked = requests.find(({ path }) => path.endsWith('labels.json'));
  assert.equal(asked?.headers.authorization, 'Bearer 1');
});

test('a file that is missing is told to all who wait', async (t) => {
  const { load, workers } = await start(t, {
    routes: sharedRoutes('/m/', { 'decoder_tokenizer.json': undefined }),
  });
  const loads = [Tagger, Captioner].map((Class) => load(Class));
  for (const loading of loads) await assert.rejects(loading, { code: 'not-found' });
  assert.ok(workers.every(({ terminated }) => terminated));
});

test('the last dispose ends the worker', async (t) => {
  const { load, workers } = await start(t);
  const [tagger, captioner, matcher] = await Promise.all(
    [Tagger, Captioner, Matcher].map((Class) => load(Class)),
  );
  tagger.dispose();
  tagger.dispose();
  await assert.rejects(tagger.tag(bytesOf('x'), ['a']), disposed);
  assert.equal(await captioner.caption(bytesOf('x')), 'a red ball');
  captioner.dispose();
  assert.equal(workers[0].terminated, false);
  assert.equal((await matcher.match(bytesOf('x'), ['a'])).length, 1);
  matcher.dispose();
  assert.equal(workers[0].terminated, true);
  await load(Tagger);
  assert.equal(workers.length, 2, 'whoever comes later begins anew');
});

test("dispose of one ends its own calls, and no other's", async (t) => {
  const { load, log } = await start(t);
  const [one, other] = await Promise.all([load(Captioner), load(Captioner)]);
  const running = one.caption(bytesOf('endless'), { maxTokens: 10_000 });
  const waiting = other.caption(bytesOf('x'));
  await turn(5);
  one.dispose();
  await assert.rejects(running, disposed);
  assert.equal(await waiting, 'a red ball');
  assert.equal([...log.alive].filter(({ constructor }) => constructor.name === 'CaptionRun').length, 0);
});

test('aborting one load leaves the other alone', async (t) => {
  for (const first of [true, false]) {
    const { load, workers } = await start(t);
    const controller = new AbortController();
    const stopped = { signal: controller.signal, onProgress: () => controller.abort() };
    const loads = first ? [load(Tagger, stopped), load(Captioner)] : [load(Tagger), load(Captioner, stopped)];
    await assert.rejects(loads[first ? 0 : 1], aborted);
    const model = await loads[first ? 1 : 0];
    assert.equal(
      (await (first ? model.caption(bytesOf('x')) : model.tag(bytesOf('x'), ['a']))).length > 0,
      true,
    );
    assert.equal(workers.at(-1).terminated, false);
  }
});

test('a load that all have aborted ends the worker', async (t) => {
  const { load, workers } = await start(t);
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const loads = [load(Tagger, options), load(Captioner, options)];
  await turn(0);
  controller.abort();
  for (const loading of loads) await assert.rejects(loading, aborted);
  assert.ok(workers.every(({ terminated }) => terminated));
});

test('a callback that throws ends the load of its own model', async (t) => {
  const { load } = await start(t);
  const onProgress = () => {
    throw new RangeError('mine');
  };
  const tagger = load(Tagger);
  await assert.rejects(load(Captioner, { onProgress }), { name: 'RangeError' });
  assert.equal((await (await tagger).tag(bytesOf('x'), ['a'])).length, 1);
});

test('a worker that failed starts again for all', async (t) => {
  const { load, workers } = await start(t);
  const [tagger, captioner] = await Promise.all([Tagger, Captioner].map((Class) => load(Class)));
  const failed = [
    assert.rejects(tagger.tag(bytesOf('trap'), ['a']), { code: 'worker-failed' }),
    assert.rejects(captioner.caption(bytesOf('x')), { code: 'worker-failed' }),
  ];
  await Promise.all(failed);
  const answers = await Promise.all([tagger.tag(bytesOf('x'), ['a']), captioner.caption(bytesOf('x'))]);
  assert.equal(answers[1], 'a red ball');
  assert.equal(workers.length, 2);
  assert.ok(trap() instanceof Error);
});

test('a tagger tells how its scores are to be read', async (t) => {
  const { load } = await start(t);
  const tagger = await load(Tagger);
  assert.deepEqual(tagger.calibration, { temperature: 0.8, sureThreshold: 0.4, noneOffset: 0 });
  const published = await start(t, { routes: modelRoutes() });
  const other = await published.load(Tagger);
  assert.deepEqual(other.calibration, { temperature: 1, sureThreshold: null, noneOffset: 0 });
});

test('labels are encoded before the first picture where that is asked for', async (t) => {
  const { load, log } = await start(t);
  const tagger = await load(Tagger);
  const events = [];
  await tagger.prepare(['cat', { label: 'bat', hint: 'a type of animal' }], {
    template: 'a {}',
    onProgress: (event) => events.push(event),
  });
  assert.deepEqual(events.at(-1), { phase: 'labels', file: null, loaded: 2, total: 2 });
  const { encoded } = log;
  assert.equal(encoded, 2);
  await tagger.tag(bytesOf('x'), ['cat'], { template: 'a {}' });
  assert.equal(log.encoded, encoded);
  await assert.rejects(tagger.prepare('cat'), { code: 'argument-invalid' });
  await assert.rejects(tagger.prepare([]), { code: 'labels-empty' });
});

test('the vocabulary gives those labels that a model can know', async (t) => {
  t.mock.method(
    globalThis,
    'fetch',
    ((fetch) => (url, options) =>
      String(url).startsWith('file:')
        ? import('node:fs').then(({ readFileSync }) => new Response(readFileSync(new URL(url))))
        : fetch(url, options))(fetch),
  );
  const vocabulary = await loadVocabulary();
  const { load, asked } = await start(t);
  const labels = await vocabulary.labelsFor(await load(Tagger));
  assert.deepEqual(labels, [{ label: 'dog' }, { label: 'beagle' }]);
  assert.equal(asked('labels.json'), 1);

  const bare = await start(t, { routes: sharedRoutes('/m/', { 'labels.json': undefined }) });
  assert.equal(await vocabulary.labelsFor(await bare.load(Tagger)), vocabulary.labels);
  const published = await start(t, { routes: modelRoutes() });
  const tagger = await published.load(Tagger);
  assert.equal(await vocabulary.labelsFor(tagger), vocabulary.labels);
  assert.equal(published.asked('labels.json'), 0, 'nothing is asked for in vain');

  const wrong = await start(t, { routes: sharedRoutes('/m/', { 'labels.json': '{"labels": 5}' }) });
  await assert.rejects(vocabulary.labelsFor(await wrong.load(Tagger)), { code: 'config-invalid' });
  for (const stranger of [undefined, null, {}, 'ocelli']) {
    await assert.rejects(vocabulary.labelsFor(stranger), { code: 'argument-invalid' });
  }
});

test('what is kept serves all tasks, whichever was loaded first', async (t) => {
  const backend = new FakeBackend();
  // It does without words, and what comes after them is found all the same.
  const routes = sharedRoutes('/a/b/resolve/main/', { 'words.json': undefined });
  const options = { backend: async () => backend, routes };
  const visit = async (Class) => {
    const wasm = fakeWasm();
    const { worker } = workerFactory(wasm, options);
    const phases = [];
    const onProgress = ({ phase }) => phases.at(-1) !== phase && phases.push(phase);
    const model = await Class.load('a/b', { base: url, worker, onProgress });
    t.after(() => model.dispose());
    return { phases, model };
  };
  const { url, requests } = await serveRoutes(t, options.routes);
  assert.deepEqual((await visit(Captioner)).phases, ['download', 'build', 'ready']);
  const [{ record }] = await backend.list();
  assert.deepEqual([record.part, record.small.length], ['all', 6]);
  const { length } = requests;
  for (const Class of [Tagger, Matcher, Embedder]) {
    const { phases, model } = await visit(Class);
    assert.deepEqual(phases, ['cache', 'build', 'ready']);
    if (Class !== Tagger) continue;
    await model.tag(bytesOf('x'), ['a']);
    assert.deepEqual(await model.knownLabels(), ['dog', 'beagle', 'no tag of the vocabulary']);
  }
  assert.equal(requests.length, length);
  assert.equal(backend.written, 1, 'and so do the embeddings of labels');
});

test('a model for several tasks is none for others', async (t) => {
  const { load } = await start(t, { onCreate: () => {} });
  // What is none of its tasks, the wasm refuses in its own words; here it is a fake one that accepts everything.
  await load(Classifier);
});
