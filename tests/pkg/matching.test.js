import assert from 'node:assert/strict';
import test from 'node:test';
import { Answerer, Captioner, Matcher } from '../../pkg/src/index.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { modelRoutes, serveRoutes } from './support/server.js';

const bytesOf = (text) => new TextEncoder().encode(text);
const aborted = { name: 'AbortError', code: 'aborted' };
const turn = (milliseconds = 20) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A loaded model over fakes, disposed of when the test ends. */
async function load(t, Class, options = {}) {
  const wasm = fakeWasm(options);
  const { url } = await serveRoutes(t, modelRoutes());
  const { worker, workers } = workerFactory(wasm, options);
  const model = await Class.load(`${url}/m/`, { worker });
  t.after(() => model.dispose());
  return { model, workers, log: wasm.log };
}

const TEXTS = ['a b c', 'elephants', 'a b', 'giraffes and zebras'];

test('matches every text, in the order given', async (t) => {
  const { model, log } = await load(t, Matcher);
  const events = [];
  const found = await model.match(bytesOf('picture'), TEXTS, { onProgress: (event) => events.push(event) });
  assert.deepEqual(found, [
    { text: 'a b c', match: 3 / 16, similarity: 5 / 128, index: 0 },
    { text: 'elephants', match: 1 / 16, similarity: 9 / 128, index: 1 },
    { text: 'a b', match: 2 / 16, similarity: 3 / 128, index: 2 },
    { text: 'giraffes and zebras', match: 3 / 16, similarity: 19 / 128, index: 3 },
  ]);
  assert.deepEqual(log.calls, [{ picture: 'picture', texts: TEXTS, rerank: Infinity }]);
  assert.deepEqual(
    events.map(({ phase, loaded, total }) => [phase, loaded, total]),
    [
      ['image', 1, 3],
      ['image', 2, 3],
      ['image', 3, 3],
      ['texts', 0, 8],
      ['texts', 4, 8],
      ['texts', 8, 8],
    ],
  );
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('ranks texts: all by their similarity, the most similar again', async (t) => {
  const { model, log } = await load(t, Matcher);
  const ranked = await model.rank(bytesOf('x'), TEXTS, { rerank: 2 });
  assert.deepEqual(ranked, [
    { text: 'giraffes and zebras', match: 3 / 16, similarity: 19 / 128, index: 3 },
    { text: 'elephants', match: 1 / 16, similarity: 9 / 128, index: 1 },
    { text: 'a b c', similarity: 5 / 128, index: 0 },
    { text: 'a b', similarity: 3 / 128, index: 2 },
  ]);
  const best = await model.rank(bytesOf('x'), TEXTS, { topK: 1 });
  assert.deepEqual(
    best.map(({ text }) => text),
    ['giraffes and zebras'],
  );
  const quick = await model.rank(bytesOf('x'), TEXTS, { rerank: 0 });
  assert.ok(quick.every((found) => !('match' in found)));
  await model.rank(bytesOf('x'), TEXTS, { rerank: 2 ** 32 });
  // The wasm counts to 2^32, and would take that for 0.
  assert.deepEqual(
    log.calls.map(({ rerank }) => rerank),
    [2, 4, 0, 4],
  );
});

test('finds what makes a text match', async (t) => {
  const { model, log } = await load(t, Matcher);
  const events = [];
  const onProgress = ({ phase, loaded, total }) => events.push([phase, loaded, total]);
  assert.deepEqual(await model.explain(bytesOf('picture'), 'a b c', { onProgress }), {
    rows: 1,
    columns: 2,
    values: Float32Array.of(0.25, 0.5),
    frame: { left: 0.25, top: 0, width: 0.5, height: 1 },
  });
  assert.deepEqual(log.calls, [{ picture: 'picture', explained: 'a b c' }]);
  assert.deepEqual(events, [
    ['image', 1, 3],
    ['image', 2, 3],
    ['image', 3, 3],
    ['texts', 0, 1],
    ['texts', 1, 1],
  ]);
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('a captioner orders its captions by a matcher', async (t) => {
  const { model: matcher } = await load(t, Matcher);
  const { model: captioner } = await load(t, Captioner);
  const captions = await captioner.captions(bytesOf('x'), { numCaptions: 3, topP: 0.9, matcher });
  assert.deepEqual(captions, [
    { caption: 'a red ball', score: -1, match: 3 / 16 },
    { caption: 'a ball', score: -2, match: 2 / 16 },
  ]);
});

test('answers a question', async (t) => {
  const { model, log } = await load(t, Answerer);
  const events = [];
  const answer = await model.answer(bytesOf('picture'), 'what is this?', {
    numBeams: 3,
    onProgress: (event) => events.push(event),
  });
  assert.equal(answer, 'a red ball');
  const [{ picture, question, options }] = log.calls;
  assert.deepEqual([picture, question, options.numBeams], ['picture', 'what is this?', 3]);
  assert.ok(events.length > 0 && events.every(({ phase }) => phase === 'image'));
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('weighs given answers', async (t) => {
  const { model, log } = await load(t, Answerer);
  const events = [];
  const answers = ['three', 'two', 'none', 'one'];
  const onProgress = ({ phase, loaded, total }) => phase === 'answers' && events.push([loaded, total]);
  const ranked = await model.rank(bytesOf('x'), 'how many?', answers, { onProgress });
  assert.deepEqual(
    ranked.map(({ answer, logLikelihood, index }) => [answer, logLikelihood, index]),
    [
      ['two', -3, 1],
      ['one', -3, 3],
      ['none', -4, 2],
      ['three', -5, 0],
    ],
  );
  assert.ok(Math.abs(ranked.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-6);
  assert.deepEqual(events, [
    [0, 4],
    [4, 4],
  ]);
  assert.equal((await model.rank(bytesOf('x'), 'how many?', answers, { topK: 2 })).length, 2);
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

for (const [Class, ask] of [
  [Matcher, (model, image, options) => model.match(image, TEXTS, options)],
  [Matcher, (model, image, options) => model.explain(image, 'a', options)],
  [Answerer, (model, image, options) => model.answer(image, 'what?', options)],
  [Answerer, (model, image, options) => model.rank(image, 'what?', ['a'], options)],
]) {
  test(`${Class.name}: ${ask}: an abort while it looks ends the work after that layer`, async (t) => {
    const { model, log } = await load(t, Class);
    const controller = new AbortController();
    const onProgress = ({ phase }) => phase === 'image' && controller.abort();
    await assert.rejects(ask(model, bytesOf('x'), { signal: controller.signal, onProgress }), aborted);
    await turn();
    assert.equal(log.layers, 1);
    assert.equal(log.alive.size, 1, 'only the model is left alive');
    await ask(model, bytesOf('x'), {});
    assert.equal(log.layers, 4);
  });
}

test('an abort between two batches of texts ends the work, and frees its memory', async (t) => {
  const { model, log } = await load(t, Matcher);
  const texts = Array.from({ length: 5000 }, (_, i) => `text ${i}`);
  const controller = new AbortController();
  const onProgress = ({ phase, loaded }) => phase === 'texts' && loaded > 100 && controller.abort();
  await assert.rejects(model.match(bytesOf('x'), texts, { signal: controller.signal, onProgress }), aborted);
  await turn();
  assert.ok(log.encoded < 5000, `${log.encoded} read after the abort`);
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('an abort after the last layer leaves the text alone', async (t) => {
  const { model, log } = await load(t, Matcher);
  const controller = new AbortController();
  const onProgress = ({ phase }) => phase === 'texts' && controller.abort();
  await assert.rejects(model.explain(bytesOf('x'), 'a', { signal: controller.signal, onProgress }), aborted);
  await turn();
  assert.deepEqual([log.layers, log.calls], [3, []]);
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('an abort between two tokens of an answer ends the work', async (t) => {
  const { model, log } = await load(t, Answerer);
  const controller = new AbortController();
  const answer = model.answer(bytesOf('endless'), 'what?', { signal: controller.signal });
  setTimeout(() => controller.abort(), 10);
  await assert.rejects(answer, aborted);
  await turn();
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('errors of the wasm arrive with their class, and the model goes on', async (t) => {
  const { model: matcher, workers, log } = await load(t, Matcher);
  const { model: answerer } = await load(t, Answerer);
  const image = bytesOf('x');
  await assert.rejects(matcher.match(image, []), { name: 'LabelError', code: 'labels-empty' });
  await assert.rejects(matcher.rank(image, ['a', '']), { name: 'LabelError', code: 'label-empty' });
  await assert.rejects(answerer.answer(image, ''), { name: 'OcelliError', code: 'argument-invalid' });
  await assert.rejects(answerer.rank(image, 'what?', []), { name: 'LabelError', code: 'labels-empty' });
  await assert.rejects(matcher.match(bytesOf('damaged'), ['a']), { code: 'image-damaged' });
  await assert.rejects(matcher.explain(image, ''), { name: 'LabelError', code: 'label-empty' });
  await assert.rejects(matcher.explain(image, 'wordless'), { code: 'argument-invalid' });
  await assert.rejects(matcher.explain(bytesOf('damaged'), 'a'), { code: 'image-damaged' });
  assert.equal((await matcher.match(image, ['a'])).length, 1);
  assert.equal(log.alive.size, 1, 'only the model is left alive');
  await assert.rejects(matcher.match(image, ['trap']), { code: 'worker-failed' });
  assert.equal((await matcher.match(image, ['a'])).length, 1);
  assert.equal(workers.length, 2);
});

test('arguments of wrong types are refused in the page, with a sentence', async (t) => {
  const { model: matcher, workers } = await load(t, Matcher);
  const { model: answerer } = await load(t, Answerer);
  const image = bytesOf('x');
  const calls = [
    () => matcher.match(undefined, ['a']),
    () => matcher.match(image),
    () => matcher.match(image, 'a'),
    () => matcher.match(image, ['a', 5]),
    () => matcher.match(image, ['a'], null),
    () => matcher.match(image, ['a'], { signal: 5 }),
    () => matcher.match(image, ['a'], { onProgress: 5 }),
    () => matcher.rank(image, ['a'], null),
    () => matcher.rank(image, ['a'], { rerank: -1 }),
    () => matcher.rank(image, ['a'], { rerank: 1.5 }),
    () => matcher.rank(image, ['a'], { topK: 0 }),
    () => matcher.explain(undefined, 'a'),
    () => matcher.explain(image),
    () => matcher.explain(image, ['a']),
    () => matcher.explain(image, 'a', null),
    () => matcher.explain(image, 'a', { signal: 5 }),
    () => matcher.explain(image, 'a', { onProgress: 5 }),
    () => answerer.answer(image),
    () => answerer.answer(image, 5),
    () => answerer.answer(image, 'what?', 5),
    () => answerer.answer(image, 'what?', { numBeams: 0 }),
    () => answerer.rank(image, 'what?'),
    () => answerer.rank(image, 'what?', [1]),
    () => answerer.rank(image, 5, ['a']),
    () => answerer.rank(image, 'what?', ['a'], { topK: 0 }),
    () => answerer.rank(image, 'what?', ['a'], { onProgress: 'x' }),
    () => Matcher.load('openai/clip-vit-base-patch32'),
    () => Answerer.load('blip-tiny'),
    () => Captioner.load('Salesforce/blip-vqa-base'),
  ];
  for (const call of calls) {
    await assert.rejects(call(), (error) => {
      assert.equal(error.code, 'argument-invalid', String(call));
      assert.match(error.message, /^[A-Z"].*\.$/);
      return true;
    });
  }
  assert.deepEqual(
    workers[0].received.map(({ operation }) => operation),
    ['load'],
    'the worker heard nothing of them',
  );
});
