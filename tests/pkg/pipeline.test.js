import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { Captioner, Embedder } from '../../pkg/src/index.js';
import { env, pipeline, Tensor } from '../../pkg/src/pipeline.js';
import { workerFactory } from './support/fake-worker.js';
import { serveHub } from './support/peer.js';
import { serveRoutes } from './support/server.js';
import { BLIP, CLIP, haveTinyModels, ITM, picture, tinyRoutes } from './support/tiny-model.js';

/** The calls of transformers.js over the real wasm, in Node. Their answers are compared in pipeline-peer.test.js. */

const folder = new URL('../../pkg/wasm/', import.meta.url);
const reason = !existsSync(new URL('simd128_bg.wasm', folder))
  ? 'pkg/wasm is not built (npm run build:wasm)'
  : !haveTinyModels && 'tests/golden/models is not there';
const options = { skip: reason };

/** @type {any} */
let wasm;
if (!reason) {
  wasm = await import(new URL('simd128.js', folder).href);
  wasm.initSync({ module: readFileSync(new URL('simd128_bg.wasm', folder)) });
}

const worker = () => workerFactory(wasm, { backend: async () => null }).worker;
const invalid = (message) => ({ code: 'argument-invalid', message });

/** A pipeline of a tiny model. */
async function open(t, task, name, more = {}) {
  const { url } = await serveRoutes(t, tinyRoutes(name));
  const model = `${url}/${name}/`;
  const pipe = await pipeline(task, model, { worker: worker(), ...more });
  t.after(() => pipe.dispose());
  return { pipe, model };
}

/** A pipeline of a model for transformers.js. */
async function openSeeded(t, task, name, more = {}) {
  const { url, requests } = await serveHub(t);
  const pipe = await pipeline(task, `seeded/${name}`, {
    worker: worker(),
    hubUrl: url,
    dtype: 'fp32',
    ...more,
  });
  t.after(() => pipe.dispose());
  return { pipe, requests };
}

const keysOf = (answers) => [...new Set(answers.flat(9).flatMap((one) => Object.keys(one)))].sort();
const dot = (a, b) => a.reduce((sum, number, i) => sum + number * b[i], 0);

function assertClose(found, expected, what, bound = 1e-5) {
  assert.equal(found.length, expected.length, what);
  const worst = Math.max(...Array.from(found, (number, i) => Math.abs(number - expected[i])));
  assert.ok(worst <= bound, `${what}: off by ${worst}`);
}

test('labels come best first, with a score each that sum to 1, and nothing else', options, async (t) => {
  const { pipe } = await open(t, 'zero-shot-image-classification', CLIP);
  const { bmp, pixels } = picture();
  const labels = ['cat', 'dog', 'fish'];
  const answer = await pipe(new Blob([bmp]), labels);
  assert.deepEqual(keysOf(answer), ['label', 'score']);
  assert.deepEqual(answer.map(({ label }) => label).sort(), labels);
  assertClose([answer.reduce((sum, { score }) => sum + score, 0)], [1], 'sum');
  assert.ok(answer.every(({ score }, i) => score <= (answer[i - 1]?.score ?? 1)));
  assert.deepEqual(await pipe([bmp, pixels], labels), [answer, answer]);
  assert.deepEqual(await pipe([bmp], labels), [answer]);
  assert.deepEqual(await pipe([], labels), []);
  const other = await pipe(bmp, labels, { hypothesis_template: '{} x' });
  assert.notDeepEqual(other, answer);
  assert.deepEqual(await pipe(bmp, labels, { hypothesis_template: null }), answer);
});

test('bad calls of every pipeline are refused, and it goes on', options, async (t) => {
  const { bmp } = picture();
  const { pipe: fits } = await open(t, 'zero-shot-image-classification', CLIP);
  await assert.rejects(fits(bmp, []), { code: 'labels-empty' });
  await assert.rejects(fits(bmp), invalid(/labels must be an array/));
  await assert.rejects(fits(bmp, 'cat, dog'), invalid(/labels must be an array/));
  await assert.rejects(fits(bmp, ['cat'], { hypothesis_template: 'no place' }), { code: 'template-invalid' });
  await assert.rejects(fits(bmp, ['cat'], { hypothesis_template: 7 }), invalid(/must be a string/));
  await assert.rejects(fits(bmp, ['cat'], { top_k: 1 }), invalid(/no option "top_k" here/));
  await assert.rejects(fits(7, ['cat']), invalid(/^The picture must be one Blob/));
  await assert.rejects(fits([bmp, new Uint8Array(9)], ['cat']), { name: 'ImageError', index: 1 });
  assert.equal((await fits(bmp, ['cat'])).length, 1);

  const { pipe: see } = await openSeeded(t, 'image-feature-extraction', 'clip');
  await assert.rejects(see([]), invalid(/There are no pictures/));
  await assert.rejects(see(bmp, { pool: true }), invalid(/pooled already/));
  await assert.rejects(see(bmp, { pool: 'mean' }), invalid(/pool must be true or false/));
  await assert.rejects(
    see(bmp, { pooling: 'mean' }),
    invalid(/no option "pooling" here; there are pool, signal/),
  );
  assert.deepEqual((await see(bmp)).dims, [1, 16]);

  const { pipe: read } = await openSeeded(t, 'feature-extraction', 'clip');
  await assert.rejects(read([]), { code: 'labels-empty', message: /texts/ });
  await assert.rejects(read(['a', ' ']), { code: 'label-empty', message: /^Text 2/ });
  await assert.rejects(read(7), invalid(/texts must be an array/));
  await assert.rejects(
    read('a', { pooling: 'mean' }),
    invalid(/pooling must be "none": a text has one vector/),
  );
  await assert.rejects(read('a', { quantize: true, precision: 'int4' }), invalid(/precision must be one of/));
  assert.deepEqual((await read('a')).dims, [1, 16]);

  const { pipe: sort } = await openSeeded(t, 'image-classification', 'vit');
  await assert.rejects(sort(bmp, { top_k: 0 }), invalid(/top_k must be a whole number above zero/));
  await assert.rejects(sort(bmp, { topk: 3 }), invalid(/no option "topk" here; did you mean top_k\?/));
  await assert.rejects(sort([bmp, new Uint8Array(9)]), { name: 'ImageError', index: 1 });
  assert.equal((await sort(bmp)).length, 5);

  const { pipe: write } = await open(t, 'image-to-text', BLIP);
  await assert.rejects(write(bmp, { num_beams: 65 }), invalid(/1 to 64/));
  await assert.rejects(write(bmp, { max_new_tokens: 0 }), invalid(/above zero/));
  await assert.rejects(write(bmp, null), invalid(/options must be an object/));
  assert.equal((await write(bmp, { max_new_tokens: 3 })).length, 1);
});

test('classes are the best five, as many as wanted, or all', options, async (t) => {
  const { pipe } = await openSeeded(t, 'image-classification', 'vit');
  const { bmp, pixels } = picture();
  const all = await pipe(bmp, { top_k: null });
  assert.deepEqual(keysOf(all), ['label', 'score']);
  assert.equal(all.length, 7);
  assertClose([all.reduce((sum, { score }) => sum + score, 0)], [1], 'sum');
  assert.deepEqual(await pipe(bmp), all.slice(0, 5));
  assert.deepEqual(await pipe([pixels, bmp], { top_k: 2 }), [all.slice(0, 2), all.slice(0, 2)]);
});

test('features of CLIP are its embeddings before they are scaled', options, async (t) => {
  const { url } = await serveHub(t);
  const embedder = await Embedder.load('seeded/clip', { hubUrl: url, worker: worker(), dtype: 'f32' });
  t.after(() => embedder.dispose());
  const { bmp } = picture();
  const { pipe: see } = await openSeeded(t, 'image-feature-extraction', 'clip');
  const features = await see([bmp, bmp]);
  assert.ok(features instanceof Tensor);
  assert.deepEqual([features.type, features.dims], ['float32', [2, 16]]);
  const length = Math.sqrt(dot(features[0].data, features[0].data));
  assert.ok(Math.abs(length - 1) > 0.1, `${length}: or this proves nothing`);
  const [vector] = await embedder.embedImages([bmp]);
  for (const row of features) {
    assertClose(
      row.data.map((x) => x / length),
      vector,
      'picture',
    );
  }
  const { pipe: read } = await openSeeded(t, 'feature-extraction', 'clip');
  const texts = ['a cat', 'the dog', 'a cat'];
  const words = await read(texts, { normalize: true });
  const vectors = await embedder.embedTexts(texts);
  for (const [i, row] of words.tolist().entries()) assertClose(row, vectors[i], texts[i]);
  const plain = await read(texts);
  assert.ok(Math.abs(dot(plain[0].data, plain[0].data) - 1) > 0.1, 'or this proves nothing');
  const many = Array.from({ length: 150 }, (_, i) => `text ${String.fromCharCode(97 + (i % 26))}`);
  const all = await read(many);
  assert.deepEqual(all.dims, [150, 16]);
  assertClose(all[149].data, (await read(many[149]))[0].data, 'texts in any company');
});

test('DINOv2 gives the states of its tokens, and what it pools is the first', options, async (t) => {
  const { pipe } = await openSeeded(t, 'image-feature-extraction', 'dinov2');
  const { bmp } = picture();
  const states = await pipe(bmp);
  assert.deepEqual(states.dims, [1, 10, 24]);
  const pooled = await pipe([bmp], { pool: true });
  assert.deepEqual(pooled.dims, [1, 24]);
  assertClose(states[0][0].data, pooled[0].data, 'class token');
});

test('a tower alone is loaded from a file of its own', options, async (t) => {
  const { bmp } = picture();
  const { pipe: whole } = await openSeeded(t, 'image-feature-extraction', 'clip');
  const more = { model_file_name: 'vision_model' };
  const { pipe: alone, requests } = await openSeeded(t, 'image-feature-extraction', 'clip', more);
  assert.ok(requests.some(({ path }) => path.endsWith('/onnx/vision_model.onnx')));
  assertClose((await alone(bmp)).data, (await whole(bmp)).data, 'pictures');
  const { pipe: texts } = await openSeeded(t, 'feature-extraction', 'clip');
  const { pipe: textsAlone } = await openSeeded(t, 'feature-extraction', 'clip', {
    model_file_name: 'text_model',
  });
  assertClose((await textsAlone('a cat')).data, (await texts('a cat')).data, 'texts');
});

test('captions are those of a captioner, in the form of transformers.js', options, async (t) => {
  const { pipe, model } = await open(t, 'image-to-text', BLIP);
  const captioner = await Captioner.load(model, { worker: worker() });
  t.after(() => captioner.dispose());
  const { bmp, pixels } = picture();
  const caption = (more) => captioner.caption(bmp, more);
  const text = (await caption({ maxTokens: 8 })).trim();
  assert.ok(text.length > 0);
  const max_new_tokens = 8;
  assert.deepEqual(await pipe(bmp, { max_new_tokens }), [{ generated_text: text }]);
  assert.deepEqual(await pipe(bmp, { max_length: 9 }), [{ generated_text: text }]);
  assert.deepEqual(await pipe([bmp, pixels], { max_new_tokens }), [
    [{ generated_text: text }],
    [{ generated_text: text }],
  ]);
  const beams = await pipe(bmp, { max_new_tokens, num_beams: 3, num_return_sequences: 3 });
  assert.equal(new Set(beams.map(({ generated_text }) => generated_text)).size, 3);
  assert.equal(beams[0].generated_text, (await caption({ maxTokens: 8, numBeams: 3 })).trim());
  const draw = (seed) =>
    pipe(bmp, { max_new_tokens, do_sample: true, temperature: 2, seed, num_return_sequences: 6 });
  assert.deepEqual(await draw(5), await draw(5));
  assert.notDeepEqual(await draw(5), await draw(6));
  assert.deepEqual(await pipe(bmp, { max_new_tokens, temperature: 2 }), [{ generated_text: text }]);
  assert.notDeepEqual(await pipe(bmp, { max_new_tokens, no_repeat_ngram_size: 1 }), [
    { generated_text: text },
  ]);
});

test('a pipeline says how far its load is, and that it is ready', options, async (t) => {
  const told = [];
  const { model } = await open(t, 'zero-shot-image-classification', CLIP, {
    progress_callback: (info) => told.push(info),
  });
  const statuses = told.map(({ status }) => status);
  for (const status of ['initiate', 'download', 'progress', 'progress_total', 'done']) {
    assert.ok(statuses.includes(status), status);
  }
  assert.deepEqual(told.at(-1), { status: 'ready', task: 'zero-shot-image-classification', model });
  assert.ok(told.every(({ progress = 0 }) => progress >= 0 && progress <= 100));
  assert.deepEqual(
    told.filter(({ status }) => status === 'done').map(({ file }) => file),
    ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'model.safetensors'],
  );
  const failure = new Error('mine');
  const fail = () => {
    throw failure;
  };
  await assert.rejects(open(t, 'zero-shot-image-classification', CLIP, { progress_callback: fail }), failure);
});

test('a pipeline can be aborted and given up', options, async (t) => {
  const { bmp } = picture();
  const { pipe } = await open(t, 'embeddings', CLIP);
  assert.equal(pipe.task, 'feature-extraction');
  await assert.rejects(pipe('a', { signal: AbortSignal.abort() }), { code: 'aborted' });
  assert.equal(await pipe.dispose(), undefined);
  await assert.rejects(pipe('a'), { code: 'disposed' });
  const signal = AbortSignal.abort();
  await assert.rejects(open(t, 'image-to-text', BLIP, { signal }), { code: 'aborted' });
  const { pipe: other } = await open(t, 'zero-shot-image-classification', CLIP);
  await assert.rejects(other(bmp, ['cat'], { signal }), { code: 'aborted' });
});

test('a model of another kind is refused with a sentence', options, async (t) => {
  await assert.rejects(open(t, 'image-classification', CLIP), { name: 'ModelError' });
  await assert.rejects(open(t, 'feature-extraction', ITM), { name: 'ModelError' });
  await assert.rejects(openSeeded(t, 'image-to-text', 'vit'), {
    code: 'not-found',
    message: /^tokenizer\.json was not found/,
  });
});

test('models are found below a folder, then on the hub', options, async (t) => {
  const before = { ...env };
  t.after(() => Object.assign(env, before));
  const { url, requests } = await serveHub(t);
  Object.assign(env, { remoteHost: `${url}/`, localModelPath: `${url}/mine/`, allowLocalModels: true });
  const load = () =>
    pipeline('zero-shot-image-classification', 'seeded/clip', { worker: worker(), cache: false });
  await (await load()).dispose();
  assert.ok(requests[0].path.startsWith('/mine/seeded/clip/'));
  assert.ok(requests.some(({ path }) => path === '/seeded/clip/resolve/main/onnx/model.onnx'));
  env.allowRemoteModels = false;
  await assert.rejects(load(), { code: 'not-found', message: /\/mine\/seeded\/clip\// });
  Object.assign(env, {
    allowRemoteModels: true,
    allowLocalModels: false,
    remotePathTemplate: 'seeded/{model}/resolve/{revision}/',
  });
  await assert.rejects(load(), { code: 'not-found', message: /\/seeded\/seeded\/clip\/resolve\/main\// });
});
