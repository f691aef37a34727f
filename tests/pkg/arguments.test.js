import assert from 'node:assert/strict';
import test from 'node:test';
import { Answerer, Captioner, Classifier, Embedder, Matcher, Tagger } from '../../pkg/src/index.js';
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
    async () => captioner.stream(image, { signal: 5 }),
    async () => captioner.stream(image, 5),
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

test('a picture and words that have changed places are told so', async (t) => {
  const { model: tagger, workers } = await load(t, Tagger);
  const { model: matcher } = await load(t, Matcher);
  const { model: answerer } = await load(t, Answerer);
  const image = new Blob([bytesOf('x')]);
  for (const [call, then] of [
    [() => tagger.tag(['cat', 'dog'], image), 'the labels in an array: tag(image, labels)'],
    [
      () => tagger.tag([{ label: 'bat', hint: 'an animal' }], [image]),
      'the labels in an array: tag(image, labels)',
    ],
    [() => tagger.tag(['cat', 'dog'], 'cat.jpg'), 'the labels in an array: tag(image, labels)'],
    [() => tagger.tag(['cat'], bytesOf('x')), 'the labels in an array: tag(image, labels)'],
    [() => tagger.explain('a cat', image), 'the text: explain(image, text)'],
    [() => tagger.similarity(['a cat'], [image]), 'the texts in an array: similarity(images, texts)'],
    [() => matcher.match(['a cat'], image), 'the texts in an array: match(image, texts)'],
    [() => matcher.rank(['a cat'], image), 'the texts in an array: rank(image, texts)'],
    [() => matcher.explain('a cat', image), 'the text: explain(image, text)'],
    [() => answerer.answer('what?', image), 'the question: answer(image, question)'],
    [() => answerer.rank('what?', image, ['a']), 'the question: rank(image, question, answers)'],
  ]) {
    const message = `The picture comes first, then ${then}.`;
    await assert.rejects(call(), { code: 'argument-invalid', message }, String(call));
  }
  // What is wrong in another way is told in that way.
  const vocabulary = Object.create({ labels: ['a'] });
  for (const labels of [vocabulary, undefined, [5], 'cat', new Set(['cat'])]) {
    await assert.rejects(tagger.tag('cat.jpg', labels), { message: /^The labels must be / });
  }
  assert.equal(workers[0].received.length, 1, 'the worker heard nothing of them');
});

test('where one picture is taken, a list is told to come one by one', async (t) => {
  const { model: captioner } = await load(t, Captioner);
  const { model: tagger } = await load(t, Tagger);
  const { model: classifier } = await load(t, Classifier);
  const images = [new Blob([bytesOf('x')]), new Blob([bytesOf('y')])];
  const files = { [Symbol.toStringTag]: 'FileList', length: 2, ...images };
  for (const list of [images, files, []]) {
    for (const call of [
      () => captioner.caption(list),
      () => captioner.captions(list),
      () => captioner.stream(list).next(),
      () => tagger.explain(list, 'a'),
      () => classifier.classify(list),
    ]) {
      await assert.rejects(call(), {
        code: 'argument-invalid',
        message: 'One picture is taken here, and this is a list: call it for each of them.',
      });
    }
  }
});

test('a stream refuses options at the call, before anybody asks for a piece', async (t) => {
  const { model: captioner } = await load(t, Captioner);
  assert.throws(() => captioner.stream(bytesOf('x'), { wrong: 1 }), { code: 'argument-invalid' });
  assert.throws(() => captioner.stream(bytesOf('x'), { maxTokens: 0 }), { code: 'argument-invalid' });
  const pieces = [];
  for await (const piece of captioner.stream(bytesOf('x'))) pieces.push(piece);
  assert.equal(pieces.join(''), 'a red ball');
});
