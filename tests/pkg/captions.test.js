import assert from 'node:assert/strict';
import test from 'node:test';
import { Captioner } from '../../pkg/src/index.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { modelRoutes, serveRoutes } from './support/server.js';

const bytesOf = (text) => new TextEncoder().encode(text);

/** A loaded captioner over fakes, disposed of when the test ends. */
async function load(t, options = {}) {
  const wasm = fakeWasm(options);
  const { url } = await serveRoutes(t, modelRoutes());
  const model = await Captioner.load(`${url}/m/`, { worker: workerFactory(wasm, options).worker });
  t.after(() => model.dispose());
  return { model, log: wasm.log };
}

/** Gives each text the match that it is told, best first, and remembers what it was asked. */
function matcherOf(matches) {
  const asked = [];
  return {
    asked,
    async rank(image, texts, options) {
      asked.push({ image, texts, options });
      return texts
        .map((text, index) => ({ text, match: matches[text], similarity: 0, index }))
        .sort((a, b) => b.match - a.match);
    },
  };
}

test('several captions come with their scores, duplicates too', async (t) => {
  const { model, log } = await load(t);
  const captions = await model.captions(bytesOf('x'), { numCaptions: 3, topP: 0.9, seed: 7 });
  assert.deepEqual(captions, [
    { caption: 'a red ball', score: -1 },
    { caption: 'a ball', score: -2 },
    { caption: 'a red ball', score: -3 },
  ]);
  const { numCaptions, topP, seed } = log.calls[0].options;
  assert.deepEqual([numCaptions, topP, seed], [3, 0.9, 7]);
  assert.equal((await model.captions(bytesOf('x'))).length, 1);
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('a blank prompt is none, whatever writes', async (t) => {
  const { model, log } = await load(t);
  for (const prompt of ['', ' ', '\n\t\u3000']) {
    const calls = log.calls.length;
    await model.caption(bytesOf('x'), { prompt });
    await model.captions(bytesOf('x'), { prompt });
    await model.attention(bytesOf('x'), { prompt });
    for await (const piece of model.stream(bytesOf('x'), { prompt })) assert.ok(piece);
    const written = log.calls.slice(calls).filter(({ options }) => options);
    const prompts = written.map(({ options }) => options.prompt);
    assert.deepEqual(prompts, [undefined, undefined, undefined, undefined]);
  }
  await model.caption(bytesOf('x'), { prompt: ' a ' });
  assert.equal(log.calls.at(-1).options.prompt, ' a ', 'what says something stays as it is');
});

test('drawing begins with any of its options, each time with a new seed where none is given', async (t) => {
  const { model, log } = await load(t);
  for (const options of [{ temperature: 0.5 }, { topK: 3 }, { topP: 0.5 }, { temperature: 0.5 }]) {
    await model.caption(bytesOf('x'), options);
  }
  await model.caption(bytesOf('x'), { seed: 0 });
  await model.caption(bytesOf('x'), { numBeams: 3, repetitionPenalty: 2, noRepeatNgramSize: 3 });
  const seeds = log.calls.map(({ options }) => options.seed);
  assert.ok(
    seeds.slice(0, 4).every((seed) => Number.isSafeInteger(seed) && seed >= 0),
    String(seeds),
  );
  assert.ok(new Set(seeds.slice(0, 4)).size > 2, String(seeds));
  assert.deepEqual(seeds.slice(4), [0, undefined]);
  const { numBeams, repetitionPenalty, noRepeatNgramSize } = log.calls[5].options;
  assert.deepEqual([numBeams, repetitionPenalty, noRepeatNgramSize], [3, 2, 3]);
});

test('0 turns off what it turns off in transformers', async (t) => {
  const { model, log } = await load(t);
  await model.caption(bytesOf('x'), { minTokens: 0, noRepeatNgramSize: 0 });
  const [{ options }] = log.calls;
  assert.deepEqual([options.minTokens, options.noRepeatNgramSize], [undefined, undefined]);
});

test('a matcher orders the captions that differ', async (t) => {
  const { model } = await load(t);
  const matcher = matcherOf({ 'a red ball': 0.25, 'a ball': 0.75 });
  const { signal } = new AbortController();
  const options = { numCaptions: 3, seed: 1, matcher, signal };
  assert.deepEqual(await model.captions(bytesOf('x'), options), [
    { caption: 'a ball', score: -2, match: 0.75 },
    { caption: 'a red ball', score: -1, match: 0.25 },
  ]);
  const [{ texts, options: told }] = matcher.asked;
  assert.deepEqual(texts, ['a red ball', 'a ball']);
  assert.deepEqual([told.rerank, told.signal], [2, signal]);
});

test("the order is the matcher's own, also among captions of the same match", async (t) => {
  const { model } = await load(t);
  const matcher = { rank: async () => ['a ball', 'a red ball'].map((text) => ({ text, match: 1 })) };
  assert.deepEqual(await model.captions(bytesOf('x'), { numCaptions: 3, seed: 1, matcher }), [
    { caption: 'a ball', score: -2, match: 1 },
    { caption: 'a red ball', score: -1, match: 1 },
  ]);
});

test('the matcher is spared what says nothing, and given the beginning of what is too long for it', async (t) => {
  // Of characters that JavaScript counts twice.
  const long = '🚀'.repeat(1500);
  const candidates = [
    ['', -1],
    [long, -2],
    [' \n', -3],
    ['a ball', -4],
    [`${long}!`, -5],
  ];
  const { model } = await load(t, { candidates });
  const cut = '🚀'.repeat(1000);
  const matcher = matcherOf({ [cut]: 0.25, 'a ball': 0.75 });
  assert.deepEqual(await model.captions(bytesOf('x'), { numCaptions: 5, seed: 1, matcher }), [
    { caption: 'a ball', score: -4, match: 0.75 },
    { caption: long, score: -2, match: 0.25 },
    { caption: `${long}!`, score: -5, match: 0.25 },
  ]);
  assert.deepEqual(matcher.asked[0].texts, [cut, 'a ball']);
  assert.equal(matcher.asked[0].options.rerank, 2);
});

test('of captions that all say nothing none is left, and the matcher is not asked', async (t) => {
  const { model } = await load(t, { candidates: [['', -1]] });
  const matcher = matcherOf({});
  assert.deepEqual(await model.captions(bytesOf('x'), { matcher }), []);
  assert.deepEqual(matcher.asked, []);
});

test('the matcher sees the picture as it was when it was given', async (t) => {
  const { model, log } = await load(t);
  const matcher = matcherOf({ 'a red ball': 1 });
  const bytes = bytesOf('before');
  const data = Uint8ClampedArray.of(1, 2, 3, 255);
  const blob = new Blob([bytes]);
  const calls = [bytes, { data, width: 1, height: 1 }, blob].map((image) =>
    model.captions(image, { matcher }),
  );
  bytes.set(bytesOf('after!'));
  data.fill(9);
  await Promise.all(calls);
  assert.deepEqual(
    log.calls.map(({ picture }) => picture),
    ['before', 'rgba 1,2,3,255', 'before'],
  );
  const [first, second, third] = matcher.asked.map(({ image }) => image);
  assert.equal(new TextDecoder().decode(first), 'before');
  assert.deepEqual([[...second.data], second.width, second.height], [[1, 2, 3, 255], 1, 1]);
  assert.equal(third, blob);
});

test('what the matcher throws or leaves out is told', async (t) => {
  const { model } = await load(t);
  const failing = { rank: () => Promise.reject(new RangeError('mine')) };
  await assert.rejects(model.captions(bytesOf('x'), { matcher: failing }), { name: 'RangeError' });
  const silent = { rank: async () => [] };
  await assert.rejects(model.captions(bytesOf('x'), { matcher: silent }), {
    code: 'argument-invalid',
    message: /^The matcher .*\.$/,
  });
  assert.equal((await model.captions(bytesOf('x'))).length, 1);
});

test('an abort between two tokens ends the writing of several captions', async (t) => {
  const { model, log } = await load(t);
  const controller = new AbortController();
  const call = model.captions(bytesOf('endless'), { seed: 1, signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(call, { code: 'aborted' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});
