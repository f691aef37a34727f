import assert from 'node:assert/strict';
import test from 'node:test';
import { Captioner, Classifier, Embedder, Tagger } from '../../pkg/src/index.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { modelRoutes, serveRoutes } from './support/server.js';

const bytesOf = (text) => new TextEncoder().encode(text);

/** A loaded model over fakes, disposed of when the test ends. */
async function load(t, Class) {
  const { url } = await serveRoutes(t, modelRoutes());
  const { worker, workers } = workerFactory(fakeWasm());
  const model = await Class.load(`${url}/m/`, { worker });
  t.after(() => model.dispose());
  return { model, workers };
}

test('arguments of wrong types are refused in the page, with a sentence', async (t) => {
  const { model: tagger, workers } = await load(t, Tagger);
  const { model: captioner } = await load(t, Captioner);
  const { model: classifier } = await load(t, Classifier);
  const image = bytesOf('x');
  const calls = [
    () => tagger.tag(undefined, ['a']),
    () => tagger.tag(image),
    () => tagger.tag(image, 'a'),
    () => tagger.tag(image, ['a', 5]),
    () => tagger.tag(image, ['a', , 'b']), // eslint-disable-line no-sparse-arrays
    () => tagger.tag(image, ['a'], null),
    () => tagger.tag(image, ['a'], { template: 5 }),
    () => tagger.tag(image, ['a'], { template: ['{}', 5] }),
    () => tagger.tag(image, [{ hint: 'a' }]),
    () => tagger.tag(image, [{ label: 'a', hint: 5 }]),
    () => tagger.tag(image, [null]),
    () => tagger.tag(image, ['a'], { scores: 'sigmoid' }),
    () => tagger.tag(image, ['a'], { threshold: 1.1 }),
    () => tagger.tag(image, ['a'], { threshold: '0' }),
    () => tagger.tag(image, ['a'], { none: 1 }),
    () => tagger.tag(image, ['a'], { noneOffset: Number.NaN }),
    () => tagger.tag(image, ['a'], { noneOffset: 1e39 }),
    () => tagger.tag(image, ['a'], { noneOffset: '5' }),
    () => tagger.embedImages(image),
    () => tagger.embedImages([5]),
    () => tagger.embedTexts('a'),
    () => tagger.embedTexts(['a', 5]),
    () => tagger.embedTexts(['a'], { signal: 1 }),
    () => tagger.similarity([image], [5]),
    () => tagger.similarity([image], ['a'], { onProgress: 1 }),
    () => tagger.tag(image, ['a'], { topK: 0 }),
    () => tagger.tag(image, ['a'], { topK: 1.5 }),
    () => tagger.tag(image, ['a'], { signal: 'now' }),
    () => tagger.tag(image, ['a'], { onProgress: true }),
    () => captioner.caption(image, { maxTokens: -1 }),
    () => captioner.caption(image, { numBeams: 1.5 }),
    () => captioner.caption(image, { lengthPenalty: Number.NaN }),
    () => captioner.caption(image, { earlyStopping: 1 }),
    () => captioner.caption(image, { temperature: 'hot' }),
    () => captioner.caption(image, { topK: 0 }),
    () => captioner.caption(image, { topP: Number.NaN }),
    () => captioner.caption(image, { seed: -1 }),
    () => captioner.caption(image, { seed: 2 ** 53 }),
    () => captioner.caption(image, { repetitionPenalty: '1' }),
    () => captioner.caption(image, { noRepeatNgramSize: -1 }),
    () => captioner.caption(image, { minTokens: 0.5 }),
    () => captioner.caption(image, { maxTokens: 0 }),
    () => captioner.captions(image, { numCaptions: 0 }),
    () => captioner.captions(image, { matcher: {} }),
    () => captioner.captions(image, { matcher: null }),
    () => captioner.captions(image, null),
    () => captioner.caption(image, { prompt: 1 }),
    () => captioner.caption(image, { onPiece: 'x' }),
    () => captioner.stream(image, { signal: 5 }).next(),
    () => captioner.stream(image, 5).next(),
    () => Tagger.load(5),
    () => Tagger.load('nothing'),
    () => Tagger.load('google/vit-base-patch16-224'),
    () => Captioner.load('openai/clip-vit-base-patch32'),
    () => Classifier.load('ocelli'),
    () => classifier.classify(image, { topK: 0 }),
    () => classifier.rollout(image, { onProgress: 5 }),
    () => Tagger.load('./x', 5),
    () => Embedder.load('./x', { tower: 'left' }),
    () => Embedder.load('Salesforce/blip-vqa-base'),
    () => Tagger.load('a/b', { base: 5 }),
    () => Tagger.load('a/b', { base: 'not absolute' }),
    () => Tagger.load('a/b', { revision: 5 }),
    () => Tagger.load('a/b', { onProgress: 5 }),
    () => Tagger.load('a/b', { worker: 5 }),
  ];
  for (const call of calls) {
    await assert.rejects(call(), (error) => {
      assert.equal(error.code, 'argument-invalid', String(call));
      assert.match(error.message, /^[A-Z"].*\.$/);
      return true;
    });
  }
  const call = ({ type, operation }) => `${type} ${operation}`;
  assert.deepEqual(workers[0].received.map(call), ['call load'], 'the worker heard nothing of them');
});
