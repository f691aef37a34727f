// Options: refused where they are unknown, with the name that was meant, and taken by their names in transformers.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Captioner, loadVocabulary, models, Tagger } from '../../pkg/src/index.js';
import { readOptions } from '../../pkg/src/page/options.js';
import { WRITING, writing } from '../../pkg/src/page/writing.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { modelRoutes, serveRoutes } from './support/server.js';

/** @param {() => unknown} call @returns {string} the sentence of its refusal */
function refusal(call) {
  /** @type {any} */
  let refused;
  assert.throws(call, (error) => {
    refused = error;
    return true;
  });
  assert.equal(refused.code, 'argument-invalid');
  return refused.message;
}

test('an option that is not taken is refused, and the one that was meant is named', () => {
  const taken = ['topK', 'signal', 'maxTokens', 'minTokens', 'dtype'];
  for (const [given, meant] of [
    ['topk', 'topK'],
    ['top_k', 'topK'],
    ['Topk', 'topK'],
    ['tpoK', 'topK'],
    ['singal', 'signal'],
    ['max_tokens', 'maxTokens'],
    ['max_new_tokens', 'maxNewTokens'],
    ['minToken', 'minTokens'],
    ['dtpye', 'dtype'],
    ['gpu', null],
    ['__proto__x', null],
  ]) {
    const sentence = refusal(() => readOptions({ [String(given)]: 1 }, taken));
    const end = meant ? `; did you mean ${meant}?` : `; there are ${taken.join(', ')}.`;
    assert.equal(sentence, `There is no option "${given}" here${end}`);
  }
  assert.equal(
    refusal(() => readOptions({ a: 1 }, [])),
    'There is no option "a" here.',
  );
});

test('what other libraries call an option is known, where there is one', () => {
  const load = ['dtype', 'onProgress', 'threads', 'weights', 'headers', 'signal'];
  const tag = ['topK', 'threshold', 'scores', 'template', 'onProgress', 'signal'];
  const caption = ['maxTokens', 'minTokens', 'onPiece', 'topK', 'signal', 'onProgress'];
  for (const [given, taken, end] of /** @type {[string, string[], string][]} */ ([
    ['limit', tag, '; did you mean topK?'],
    ['multi_label', tag, "; did you mean scores: 'independent'?"],
    ['multiLabel', tag, "; did you mean scores: 'independent'?"],
    ['minScore', tag, '; did you mean threshold?'],
    ['min_score', tag, '; did you mean threshold?'],
    ['hypothesis_template', tag, '; did you mean template?'],
    ['maxLength', caption, '; did you mean maxTokens?'],
    ['max_length', caption, '; did you mean maxTokens?'],
    ['onToken', caption, '; did you mean onPiece, or the call stream?'],
    ['count', ['numCaptions'], '; did you mean numCaptions?'],
    ['progress_callback', load, '; did you mean onProgress?'],
    ['quantized', load, '; did you mean dtype?'],
    ['device', tag, ': it is one of the load.'],
    ['device', [], ': it is one of the load.'],
    ['limit', ['signal'], '; there are signal.'],
    ['toString', ['signal'], '; there are signal.'],
  ])) {
    assert.equal(
      refusal(() => readOptions({ [given]: 1 }, taken)),
      `There is no option "${given}" here${end}`,
    );
  }
});

test('an option that is not given, or undefined, is absent', () => {
  assert.deepEqual(readOptions({ topK: undefined, signal: null }, ['topK', 'signal']), { signal: null });
  assert.match(
    refusal(() => readOptions({ device: undefined }, ['topK'])),
    /no option "device"/,
  );
});

test('what is inherited is taken, and refused, as well', () => {
  assert.deepEqual(readOptions(Object.create({ topK: 3 }), ['topK']), { topK: 3 });
  assert.match(
    refusal(() => readOptions(new AbortController(), ['signal'])),
    /no option/,
  );
});

test("transformers' names of options are taken", () => {
  const read = readOptions({ maxNewTokens: 7, minNewTokens: 2, doSample: true }, WRITING);
  assert.deepEqual(read, { maxTokens: 7, minTokens: 2, doSample: true });
  assert.match(
    refusal(() => readOptions({ maxNewTokens: 0 }, WRITING)),
    /^The option maxNewTokens must be a whole/,
  );
  assert.match(
    refusal(() => readOptions({ maxNewTokens: 7, maxTokens: 7 }, WRITING)),
    /given twice/,
  );
  assert.match(
    refusal(() => readOptions({ numReturnSequences: 2 }, WRITING)),
    /no option/,
  );
});

test('doSample says whether tokens are drawn', () => {
  assert.equal(typeof writing({ doSample: true }).seed, 'number');
  assert.equal(writing({}).seed, undefined);
  const fixed = writing({ doSample: false, temperature: 0.5, topK: 3, seed: 5 });
  assert.deepEqual([fixed.seed, fixed.temperature, fixed.topK], [undefined, undefined, undefined]);
  assert.deepEqual(writing({ seed: 5 }).seed, 5);
});

test('every method refuses what it does not take', async (t) => {
  const { url } = await serveRoutes(t, modelRoutes());
  const { worker } = workerFactory(fakeWasm());
  const tagger = await Tagger.load(`${url}/m/`, { worker });
  const captioner = await Captioner.load(`${url}/m/`, { worker });
  t.after(() => [tagger, captioner].forEach((model) => model.dispose()));
  const odd = /** @type {any} */ ({ gadget: 'gpu' });
  const image = new Uint8Array(1);
  for (const call of [
    () => Tagger.load(`${url}/m/`, odd),
    () => tagger.tag(image, ['a'], odd),
    () => tagger.prepare(['a'], odd),
    () => tagger.explain(image, 'a', odd),
    () => tagger.embedTexts(['a'], odd),
    () => tagger.embedImages([], odd),
    () => tagger.similarity([], [], odd),
    () => tagger.knownLabels(odd),
    () => captioner.caption(image, odd),
    () => captioner.captions(image, odd),
    async () => captioner.stream(image, odd),
    () => captioner.attention(image, odd),
    () => loadVocabulary('x', odd),
    async () => models.list(odd),
  ]) {
    await assert.rejects(call(), { code: 'argument-invalid', message: /There is no option "gadget" here/ });
  }
});

test('a model that is made with new says where models come from', () => {
  const Class = /** @type {any} */ (Tagger);
  assert.match(
    refusal(() => new Class()),
    /comes from its class's load/,
  );
  assert.match(
    refusal(() => new Class('ocelli')),
    /Tagger\.load/,
  );
});

test('a folder that is written like a model of the hub is told apart', async () => {
  await assert.rejects(Tagger.load('models/clip-tiny'), {
    code: 'argument-invalid',
    message: '"models/clip-tiny" is no model of the hub; did you mean "./models/clip-tiny"?',
  });
});

test('a model whose name is nearly right is told', async () => {
  await assert.rejects(Tagger.load('oceli'), { message: '"oceli" is no model; did you mean "ocelli"?' });
  await assert.rejects(Tagger.load('something'), { message: /^"something" is no model: give "organisation/ });
});
