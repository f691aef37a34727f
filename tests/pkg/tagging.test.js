import assert from 'node:assert/strict';
import test from 'node:test';
import { BACKGROUND } from '../../pkg/src/worker/background.js';
import { Embedder, Tagger, templates } from '../../pkg/src/index.js';
import { parseVocabulary } from '../../pkg/src/extras/vocabulary.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { modelRoutes, serveRoutes } from './support/server.js';

/** Templates, hints, scores, "none of these" and embeddings, over the fake wasm. */

const bytesOf = (text) => new TextEncoder().encode(text);
const aborted = { name: 'AbortError', code: 'aborted' };
const turn = (milliseconds = 20) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A loaded model over fakes, disposed of when the test ends. */
async function load(t, Class, options = {}) {
  const wasm = fakeWasm();
  const { url } = await serveRoutes(t, modelRoutes());
  const { worker } = workerFactory(wasm);
  const model = await Class.load(`${url}/m/`, { worker, ...options });
  t.after(() => model.dispose());
  return { model, log: wasm.log };
}

test('the published templates are all there, each with one place', () => {
  const { simple, imagenet7, imagenet80 } = templates;
  assert.deepEqual([simple.length, imagenet7.length, imagenet80.length], [1, 7, 80]);
  assert.equal(new Set(imagenet80).size, 80);
  assert.ok(imagenet7.every((template) => imagenet80.includes(template)));
  for (const template of imagenet80) assert.match(template, /^[^{}]*\{\}[^{}]*\.$/);
  assert.ok(Object.isFrozen(templates) && Object.isFrozen(imagenet80));
});

test('labels may have hints, and templates may be several', async (t) => {
  const { model, log } = await load(t, Tagger);
  const labels = [{ label: 'bat', hint: 'a type of animal', tag: 'more' }, 'dog', { label: 'crane' }];
  const tags = await model.tag(bytesOf('x'), labels, { template: templates.imagenet7 });
  assert.deepEqual(
    tags.map(({ label, index }) => [label, index]),
    [
      ['bat', 0],
      ['crane', 2],
      ['dog', 1],
    ],
  );
  assert.deepEqual(log.calls[0], {
    labels: [{ label: 'bat', hint: 'a type of animal' }, 'dog', { label: 'crane' }],
    templates: [...templates.imagenet7],
  });
  assert.equal(log.encoded, 21);
  await model.tag(bytesOf('x'), labels, { template: [...templates.imagenet7] });
  assert.equal(log.encoded, 21, 'they are known');
});

test('a vocabulary is a list of labels', async (t) => {
  const { model, log } = await load(t, Tagger);
  const text = 'tag\thint\tja\tparents\nanimal\t\t\t\nbat\ta type of animal\t\tanimal\n';
  const vocabulary = parseVocabulary(text);
  const tags = await model.tag(bytesOf('x'), vocabulary.labels, { none: true });
  assert.deepEqual(log.calls[0].labels, [{ label: 'animal' }, { label: 'bat', hint: 'a type of animal' }]);
  const all = vocabulary.withParents(tags);
  const label = (one) => one.label;
  assert.deepEqual(all.map(label), ['bat', 'animal', null]);
});

test('labels in many templates are told label by label, and an abort ends them soon', async (t) => {
  const { model, log } = await load(t, Tagger);
  const labels = Array.from({ length: 100 }, (_, i) => `label ${i}`);
  const told = [];
  const controller = new AbortController();
  const onProgress = ({ phase, loaded, total }) => {
    assert.deepEqual([phase, total], ['labels', 100]);
    told.push(loaded);
    if (loaded > 20) controller.abort();
  };
  const options = { template: templates.imagenet80, signal: controller.signal, onProgress };
  await assert.rejects(model.tag(bytesOf('x'), labels, options), aborted);
  await turn();
  assert.ok(told.length > 20 && told.every((loaded, i) => i === 0 || loaded >= told[i - 1]), `${told}`);
  assert.ok(log.encoded < 30 * 80, `${log.encoded} prompts`);
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('none of these is one of the tags where it is asked for', async (t) => {
  const { model, log } = await load(t, Tagger);
  const labels = ['cat', 'elephant', 'bee'];
  const tags = await model.tag(bytesOf('x'), labels, { none: true });
  const rounded = tags.map(({ label, score, index }) => [label, Number(score.toFixed(3)), index]);
  assert.deepEqual(rounded, [
    ['elephant', 0.8, 1],
    [null, 0.45, -1],
    ['cat', 0.3, 0],
    ['bee', 0.3, 2],
  ]);
  const asked = { picture: 'x', background: BACKGROUND.length, independent: false, offset: undefined };
  assert.deepEqual(log.calls.at(-1), asked);
  assert.deepEqual(log.calls.at(-2), { labels: [...BACKGROUND], templates: ['{}'] });

  const few = await model.tag(bytesOf('x'), labels, { none: true, topK: 2, noneOffset: 1.5 });
  assert.deepEqual(few, tags.slice(0, 2));
  assert.equal(log.calls.at(-1).offset, 1.5);
  assert.deepEqual(await model.tag(bytesOf('x'), labels, { none: true, threshold: 0.4 }), few);
  assert.deepEqual(await model.tag(bytesOf('x'), labels, { none: true, threshold: 1 }), []);
  assert.equal(log.encoded, 3 + BACKGROUND.length, 'the background is encoded once');
});

test('labels are read anew where they are others, in whatever they were given', async (t) => {
  const { model, log } = await load(t, Tagger);
  const asked = async (labels) => {
    const tags = await model.tag(bytesOf('x'), labels);
    return tags.map(({ label, index }) => `${index} ${label}`).sort();
  };
  const labels = ['cat', { label: 'crane', hint: 'a bird' }];
  assert.deepEqual(await asked(labels), ['0 cat', '1 crane']);
  labels[1].hint = 'a machine';
  await asked(labels);
  labels[1] = 'crane';
  await asked(labels);
  labels[0] = 'dog';
  assert.deepEqual(await asked(labels), ['0 dog', '1 crane']);
  assert.deepEqual(await asked([...labels]), ['0 dog', '1 crane']);
  labels.pop();
  assert.deepEqual(await asked(labels), ['0 dog']);
  labels.push(5);
  await assert.rejects(asked(labels), { code: 'argument-invalid' });
  const put = log.calls.filter((call) => 'labels' in call).map((call) => call.labels);
  assert.deepEqual(put, [
    ['cat', { label: 'crane', hint: 'a bird' }],
    ['cat', { label: 'crane', hint: 'a machine' }],
    ['cat', 'crane'],
    ['dog', 'crane'],
    ['dog'],
  ]);
});

test('independent scores need the background, and tell of none only where it is asked for', async (t) => {
  const { model, log } = await load(t, Tagger);
  const events = [];
  const options = { scores: 'independent', onProgress: (event) => events.push(event) };
  const tags = await model.tag(bytesOf('x'), ['cat', 'elephant'], options);
  assert.deepEqual(
    tags.map(({ label }) => label),
    ['elephant', 'cat'],
  );
  assert.equal(log.calls.at(-1).independent, true);
  const labels = events.filter(({ phase }) => phase === 'labels');
  assert.ok(
    labels.every(({ total }) => total === 2),
    'nothing is told of the background',
  );
  assert.equal(log.alive.size, 2, 'only the model and its labels are left alive');
  await assert.rejects(model.tag(bytesOf('damaged'), ['cat'], options), { code: 'image-damaged' });
  assert.equal(log.alive.size, 2);
});

for (const Class of [Tagger, Embedder]) {
  test(`${Class.name}: embeds pictures and texts, and compares them`, async (t) => {
    const { model, log } = await load(t, Class);
    const events = [];
    const onProgress = (event) => events.push(event);
    const images = [bytesOf('cat'), bytesOf('zebra')];
    const vectors = await model.embedImages(images, { onProgress });
    assert.deepEqual(vectors, [Float32Array.of(3, 2), Float32Array.of(5, 2)]);
    const image = (loaded) => ({ phase: 'image', file: null, loaded, total: 6 });
    assert.deepEqual(events, [1, 2, 3, 4, 5, 6].map(image), 'layers of both pictures');

    const texts = await model.embedTexts(['cat', 'elephant'], { onProgress });
    assert.deepEqual(texts, [Float32Array.of(3, 1), Float32Array.of(8, 1)]);
    assert.equal(texts[0].buffer.byteLength, 8, 'a buffer of its own');
    assert.deepEqual(events.at(-1), { phase: 'texts', file: null, loaded: 2, total: 2 });

    const { cosine, logits } = await model.similarity(images, ['zebra', 'cat', 'dog']);
    assert.deepEqual(cosine, [Float32Array.of(0.25, 1, 0.25), Float32Array.of(1, 0.25, 0.25)]);
    assert.deepEqual(logits, [Float32Array.of(2.5, 10, 2.5), Float32Array.of(10, 2.5, 2.5)]);
    assert.equal(log.encoded, 4, '"cat" is known');
    assert.equal(log.alive.size, 1, 'only the model is left alive');

    const asked = log.calls.length;
    assert.deepEqual(await model.embedImages([]), []);
    assert.deepEqual(await model.embedTexts([]), []);
    assert.deepEqual(await model.similarity([], ['a']), { cosine: [], logits: [] });
    assert.deepEqual(await model.similarity([], []), { cosine: [], logits: [] });
    const rows = [new Float32Array(), new Float32Array()];
    assert.deepEqual(await model.similarity(images, []), { cosine: rows, logits: rows });
    assert.equal(log.calls.length, asked, 'of nothing nothing is asked');
    for (const wrong of [() => model.similarity(5, []), () => model.embedTexts([], { signal: 5 })]) {
      await assert.rejects(wrong(), { code: 'argument-invalid' });
    }
    await assert.rejects(model.embedImages([bytesOf('cat'), bytesOf('damaged')]), { code: 'image-damaged' });
    assert.equal(log.alive.size, 1);
  });
}

test('a picture is decoded for people, in its own size or a smaller one', async (t) => {
  const { model, log } = await load(t, Embedder);
  const pixels = { data: new Uint8ClampedArray(4 * 3 * 2), width: 3, height: 2 };
  const whole = await model.decodeImage(pixels);
  assert.equal(whole.data.length, 4 * 3 * 2);
  assert.ok(whole.data instanceof Uint8ClampedArray);
  const small = await model.decodeImage(pixels, { longestEdge: 2 });
  assert.equal(small.data.length, 4 * 2 * 2);
  const { width, height, naturalWidth, naturalHeight } = small;
  assert.deepEqual([width, height, naturalWidth, naturalHeight], [2, 2, 3, 2]);
  assert.equal(log.looks, 0, 'no model looks at it');
  assert.equal(log.alive.size, 1, 'only the model is left alive');
  await assert.rejects(model.decodeImage(bytesOf('damaged')), { code: 'image-damaged' });
  for (const longestEdge of [0, 1.5, 2 ** 32, '5']) {
    await assert.rejects(model.decodeImage(pixels, { longestEdge }), { code: 'argument-invalid' });
  }
  assert.equal(log.alive.size, 1);
});

test('pictures come in whatever is like an array, and bytes are one picture', async (t) => {
  const { model } = await load(t, Tagger);
  const images = [bytesOf('cat'), bytesOf('zebra')];
  // What a person has picked, and the images of a page.
  const files = { [Symbol.toStringTag]: 'FileList', length: 2, ...images };
  const collection = Object.create(
    { item() {} },
    { length: { value: 2 }, 0: { value: images[0] }, 1: { value: images[1] } },
  );
  for (const list of [images, files, collection]) {
    const tags = await model.tag(list, ['cat', 'dog']);
    assert.deepEqual(tags, [
      await model.tag(images[0], ['cat', 'dog']),
      await model.tag(images[1], ['cat', 'dog']),
    ]);
    assert.equal((await model.embedImages(list)).length, 2);
    assert.equal((await model.similarity(list, ['cat'])).cosine.length, 2);
    assert.equal((await model.similarity(list, [])).cosine.length, 2);
  }
  assert.deepEqual(await model.embedImages({ length: 0 }), []);
  const sentence = { code: 'argument-invalid', message: /^The images must be an array, or a list/ };
  for (const one of [images[0], images[0].buffer, 'cat.jpg', new Blob([]), { length: -1 }, null]) {
    await assert.rejects(model.embedImages(one), sentence);
    await assert.rejects(model.similarity(one, ['cat']), sentence);
  }
});

test('an abort while many are embedded ends the work within a step', async (t) => {
  const { model, log } = await load(t, Embedder);
  const stopAt = (phase, at) => {
    const controller = new AbortController();
    const onProgress = (event) => event.phase === phase && event.loaded >= at && controller.abort();
    return { signal: controller.signal, onProgress };
  };
  const images = Array.from({ length: 5 }, (_, i) => bytesOf(`picture ${i}`));
  await assert.rejects(model.embedImages(images, stopAt('image', 4)), aborted);
  await turn();
  assert.equal(log.layers, 4);
  const texts = Array.from({ length: 2000 }, (_, i) => `text ${i}`);
  await assert.rejects(model.embedTexts(texts, stopAt('texts', 100)), aborted);
  await turn();
  assert.ok(log.encoded >= 100 && log.encoded < 400, `${log.encoded}`);
  assert.equal(log.alive.size, 1, 'only the model is left alive');
});

test('one tower alone is what the wasm is asked for, and refuses the rest', async (t) => {
  const image = await load(t, Embedder, { tower: 'image' });
  assert.equal((await image.model.embedImages([bytesOf('cat')])).length, 1);
  await assert.rejects(image.model.embedTexts(['cat']), { code: 'argument-invalid' });
  const text = await load(t, Embedder, { tower: 'text' });
  assert.equal((await text.model.embedTexts(['cat'])).length, 1);
  await assert.rejects(text.model.embedImages([bytesOf('cat')]), { code: 'argument-invalid' });
  assert.equal(text.log.alive.size, 1);
});

test('pictures are tagged by their embeddings too, alone and many in one question', async (t) => {
  const { model, log } = await load(t, Tagger);
  const [first, second] = [Float32Array.of(0.6, 0.8), Float32Array.of(1, 0)];
  const asked = () => log.calls.filter(({ picture }) => picture !== undefined).map(({ picture }) => picture);
  const alone = await model.tag(first, ['cat', 'tiger'], { topK: 1 });
  assert.deepEqual(
    alone.map(({ label, index }) => [label, index]),
    [['tiger', 1]],
  );
  const many = await model.tag([first, second], ['cat', 'tiger'], { none: true, scores: 'independent' });
  assert.equal(many.length, 2);
  assert.ok(many.every((tags) => tags.some(({ label }) => label === null)));
  const rows = [first, second].map((one) => [...one]);
  assert.deepEqual(asked(), [rows[0], ...rows]);
  // What was given stays with who gave it.
  assert.equal(first.length, 2);
  // Beside a picture, each has its own turn.
  const mixed = await model.tag([first, bytesOf('x')], ['cat', 'tiger']);
  assert.deepEqual(
    mixed.map((tags) => tags.length),
    [2, 2],
  );
  await assert.rejects(model.tag(first, []), { code: 'labels-empty' });
});

test('a question about many embeddings tells how far it is, and ends when it is cancelled', async (t) => {
  const { model } = await load(t, Tagger);
  const many = Array.from({ length: 200 }, () => Float32Array.of(0.6, 0.8));
  const told = [];
  await model.tag(many, ['cat'], { onProgress: (progress) => told.push(progress) });
  const last = told.filter(({ phase }) => phase === 'image').at(-1);
  assert.deepEqual([last.loaded, last.total], [192, 200]);
  const controller = new AbortController();
  const asked = model.tag(many, ['cat'], {
    signal: controller.signal,
    onProgress: ({ phase }) => phase === 'image' && controller.abort(),
  });
  await assert.rejects(asked, aborted);
});

test('an embedding is no picture where a picture is wanted', async (t) => {
  const { model } = await load(t, Tagger);
  const wrong = { code: 'argument-invalid', message: /A picture is taken here, .* such as an embedding\./ };
  await assert.rejects(model.embedImages([Float32Array.of(1, 0)]), wrong);
  await assert.rejects(model.explain(Float32Array.of(1, 0), 'cat'), wrong);
});
