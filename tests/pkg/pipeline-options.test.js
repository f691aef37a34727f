import assert from 'node:assert/strict';
import test from 'node:test';
import { env, pipeline, Tensor } from '../../pkg/src/pipeline.js';
import { readGeneration } from '../../pkg/src/extras/pipeline/generation.js';
import { readImages } from '../../pkg/src/extras/pipeline/images.js';
import { readLoadOptions } from '../../pkg/src/extras/pipeline/load-options.js';
import { loadFirst, placesOf } from '../../pkg/src/extras/pipeline/places.js';
import { LoadProgress } from '../../pkg/src/extras/pipeline/progress.js';
import { normalised, quantised } from '../../pkg/src/extras/pipeline/tensor.js';
import { OcelliError } from '../../pkg/src/index.js';

/** The calls of transformers.js, as far as no model is needed. */

const invalid = (message) => ({ code: 'argument-invalid', name: 'OcelliError', message });

/** Gives `env` other settings for the length of a test. */
function withEnv(t, settings) {
  const before = { ...env };
  t.after(() => Object.assign(env, before));
  Object.assign(env, settings);
}

test('a tensor gives its numbers in every way that pages use', () => {
  const tensor = new Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
  assert.deepEqual([tensor.type, tensor.dims, tensor.size], ['float32', [3, 2], 6]);
  assert.deepEqual(tensor.tolist(), [
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  assert.deepEqual(
    [...tensor].map(({ dims, data }) => [dims, ...data]),
    [
      [[2], 1, 2],
      [[2], 3, 4],
      [[2], 5, 6],
    ],
  );
  assert.deepEqual([tensor[1].tolist(), tensor[2][1], tensor[3]], [[3, 4], 6, undefined]);
  const deep = new Tensor(
    'int8',
    Int8Array.from({ length: 12 }, (_, i) => i),
    [2, 3, 2],
  );
  assert.deepEqual(deep[1].tolist(), [
    [6, 7],
    [8, 9],
    [10, 11],
  ]);
  assert.throws(
    () => new Tensor('float32', new Float32Array(5), [3, 2]),
    invalid(/3 x 2 has 6 numbers, and not 5/),
  );
});

test('features are scaled to length 1, and zeros are left', () => {
  const tensor = new Tensor('float32', Float32Array.of(3, 4, 0, 0), [2, 2]);
  assert.deepEqual(
    [...normalised(tensor).data].map((x) => x.toFixed(6)),
    ['0.600000', '0.800000', '0.000000', '0.000000'],
  );
  assert.deepEqual([...tensor.data], [3, 4, 0, 0], 'the tensor itself has not changed');
});

test('signs are packed into bytes, the first into the highest bit', () => {
  const numbers = [1, -1, 0, 2, -3, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, 0.5];
  const tensor = new Tensor('float32', Float32Array.from(numbers), [1, 16]);
  const plain = ({ type, dims, data }) => [type, dims, [...data]];
  assert.deepEqual(plain(quantised(tensor, 'ubinary')), ['uint8', [1, 2], [0b10010111, 1]]);
  assert.deepEqual(plain(quantised(tensor, 'binary')), ['int8', [1, 2], [0b10010111 - 128, 1 - 128]]);
  const odd = new Tensor('float32', new Float32Array(12), [1, 12]);
  assert.throws(() => quantised(odd, 'binary'), invalid(/12 numbers make no whole bytes/));
});

test('images of transformers.js become pixels, their alpha left out', () => {
  const rgba = (channels, data) => {
    const { images, several } = readImages({ data: Uint8Array.from(data), width: 2, height: 1, channels });
    assert.equal(several, false);
    return [...images[0].data];
  };
  assert.deepEqual(rgba(1, [5, 9]), [5, 5, 5, 255, 9, 9, 9, 255]);
  assert.deepEqual(rgba(3, [1, 2, 3, 4, 5, 6]), [1, 2, 3, 255, 4, 5, 6, 255]);
  assert.deepEqual(rgba(4, [1, 2, 3, 0, 4, 5, 6, 99]), [1, 2, 3, 255, 4, 5, 6, 255]);
  const data = new Uint8ClampedArray(8);
  const pixels = { data, width: 2, height: 1 };
  assert.equal(readImages(pixels).images[0], pixels, 'what ocelli takes is passed on');
  assert.deepEqual(readImages(['a.jpg', 'b.jpg']), { images: ['a.jpg', 'b.jpg'], several: true });
  assert.equal(readImages(new Uint8Array(3)).several, false, 'bytes are one picture');
  const raw = (more) => () => readImages([{ data, width: 2, height: 1, channels: 4, ...more }]);
  assert.throws(raw({ channels: 2 }), invalid(/1, 3 or 4 channels, and not 2/));
  assert.throws(raw({ width: 3 }), invalid(/3 x 1 pixels with 4 channels/));
  assert.throws(raw({ height: 0 }), invalid(/above zero/));
  assert.throws(raw({ width: 1e6, height: 1e6 }), { code: 'image-too-large' });
  assert.throws(raw({ data: new Float32Array(8) }), invalid(/a byte for each channel/));
});

test('types of numbers become those that there are, and choose the file of models for transformers.js', () => {
  const load = (options, model = 'Xenova/clip') => readLoadOptions(options).load(model);
  const files = {
    fp32: ['f32', 'onnx/model.onnx'],
    fp16: ['f16', 'onnx/model_fp16.onnx'],
    q8: ['int8', 'onnx/model_quantized.onnx'],
    int8: ['int8', 'onnx/model_int8.onnx'],
    uint8: ['int8', 'onnx/model_uint8.onnx'],
    q4: ['int8', 'onnx/model_quantized.onnx'],
    bnb4: ['int8', 'onnx/model_quantized.onnx'],
    q4f16: ['int8', 'onnx/model_quantized.onnx'],
    auto: ['int8', 'onnx/model_quantized.onnx'],
    f16: ['f16', 'onnx/model_fp16.onnx'],
  };
  for (const [dtype, expected] of Object.entries(files)) {
    assert.deepEqual([load({ dtype }).dtype, load({ dtype }).weights], expected, dtype);
    assert.deepEqual(
      load({ dtype }, 'openai/clip'),
      { dtype: expected[0] },
      'any other model has its usual file',
    );
  }
  assert.deepEqual(load({}), { dtype: 'int8', weights: 'onnx/model_quantized.onnx' });
  assert.equal(load({ dtype: null }).dtype, 'int8');
  const byFile = { text_model: 'q8', vision_model: 'fp32' };
  assert.deepEqual(
    load({ dtype: byFile }),
    { dtype: 'f32', weights: 'onnx/model.onnx' },
    'the most exact one',
  );
  assert.equal(
    load({ model_file_name: 'vision_model', dtype: 'fp16' }, 'a/b').weights,
    'onnx/vision_model_fp16.onnx',
  );
  assert.equal(load({ subfolder: '', model_file_name: 'm', dtype: 'fp32' }, 'a/b').weights, 'm.onnx');
  assert.equal(
    load({ weights: 'model.safetensors' }).weights,
    'model.safetensors',
    "ocelli's own option decides",
  );
});

test('options without meaning are taken where they change nothing', () => {
  const harmless = {
    cache_dir: '/tmp/x',
    session_options: { executionProviders: ['webgpu'] },
    use_external_data_format: false,
    config: null,
    revision: null,
    model_file_name: null,
  };
  for (const device of ['auto', 'cuda', 'webnn-npu', { model: 'wasm' }]) {
    assert.deepEqual(readLoadOptions({ device, ...harmless }).load('a/b'), { dtype: 'int8' });
  }
  for (const [device, own] of Object.entries({
    gpu: 'webgpu',
    webgpu: 'webgpu',
    cpu: 'wasm',
    wasm: 'wasm',
  })) {
    assert.deepEqual(readLoadOptions({ device }).load('a/b'), { device: own, dtype: 'int8' });
  }
  const { load, localOnly, revision, tell } = readLoadOptions({
    ...{ revision: 'v2', local_files_only: true, progress_callback: assert, threads: 2, cache: false },
  });
  assert.deepEqual(load('a/b'), { revision: 'v2', threads: 2, cache: false, dtype: 'int8' });
  assert.deepEqual([localOnly, revision, tell], [true, 'v2', assert]);
});

test('options that would change answers are refused with a sentence', () => {
  for (const [options, message] of [
    [{ dtype: 'q3' }, /^The option dtype must be one of "fp32", "fp16", "q8"/],
    [{ dtype: { model: 'q3' } }, /^The option dtype must be one of/],
    [{ device: 'tpu' }, /^The option device must be one of "auto"/],
    [{ config: { model_type: 'clip' } }, /^The option config must be left out: the configuration is read/],
    [
      { use_external_data_format: true },
      /^The option use_external_data_format must be left out: weights in files/,
    ],
    [{ progress_callback: true }, /^The option progress_callback must be a function\.$/],
    [{ revision: 7 }, /^The option revision must be a string\.$/],
    [{ local_files_only: 'yes' }, /^The option local_files_only must be true or false\.$/],
    [{ subfolder: 7 }, /^The option subfolder must be a string\.$/],
    [
      { progresscallback: assert },
      /^There is no option "progresscallback" here; did you mean progress_callback\?$/,
    ],
    [{ nonsense: 1 }, /^There is no option "nonsense" here; there are /],
    ['fp32', /^The options must be an object\.$/],
    [null, /^The options must be an object\.$/],
  ]) {
    assert.throws(() => readLoadOptions(options), invalid(message));
  }
});

test('env says how many threads there are, and whether models are kept', (t) => {
  const load = () => readLoadOptions({}).load('a/b');
  withEnv(t, { backends: { onnx: { wasm: { numThreads: 4, proxy: true, wasmPaths: '/x/' } } } });
  assert.deepEqual(load(), { threads: 4, dtype: 'int8' });
  env.backends.onnx.wasm.numThreads = 1000;
  assert.equal(load().threads, 64);
  env.backends = undefined;
  env.useBrowserCache = false;
  assert.deepEqual(load(), { cache: false, dtype: 'int8' });
  Object.assign(env, { useBrowserCache: true, useFSCache: false });
  assert.deepEqual(load(), { cache: false, dtype: 'int8' });
});

test('env says where models are', (t) => {
  const places = (model, options = {}) =>
    placesOf(model, { localOnly: false, revision: undefined, ...options });
  assert.deepEqual(places('a/b'), [{ model: 'a/b' }], 'the public hub');
  withEnv(t, { remoteHost: 'https://hub.example/x' });
  assert.deepEqual(places('a/b'), [{ model: 'a/b', hubUrl: 'https://hub.example/x' }]);
  assert.deepEqual(places('ocelli'), [{ model: 'ocelli' }], 'the built-in model is in the package');
  for (const address of ['./m/', '/m/', 'https://x.example/m/', new URL('https://x.example/m/')]) {
    assert.deepEqual(places(address), [{ model: address }]);
  }
  env.remotePathTemplate = 'models/{model}/{revision}/';
  assert.deepEqual(places('a/b'), [{ model: 'https://hub.example/x/models/a/b/main/' }]);
  assert.deepEqual(places('a/b', { revision: 'refs/pr/1' }), [
    { model: 'https://hub.example/x/models/a/b/refs%2Fpr%2F1/' },
  ]);
  env.remotePathTemplate = 'models/';
  assert.throws(() => places('a/b'), invalid(/must have a \{model\}/));
  Object.assign(env, { remotePathTemplate: '{model}/resolve/{revision}/', localModelPath: '/my/models' });
  const hub = { model: 'a/b', hubUrl: 'https://hub.example/x' };
  env.allowLocalModels = true;
  assert.deepEqual(places('a/b'), [{ model: '/my/models/a/b/' }, hub]);
  assert.deepEqual(places('a/b', { localOnly: true }), [{ model: '/my/models/a/b/' }]);
  env.allowRemoteModels = false;
  assert.deepEqual(places('clip'), [{ model: '/my/models/clip/' }]);
  env.allowLocalModels = false;
  assert.deepEqual(places('a/b'), [{ model: '/my/models/a/b/' }], 'somewhere it has to be');
});

test('the next place is tried where a model is not found, and nowhere else', async () => {
  const missing = Object.assign(new OcelliError('not-found', 'No.'));
  const tried = [];
  const load = async ({ model }) => {
    tried.push(model);
    if (model === 'first') throw missing;
    return model;
  };
  assert.equal(await loadFirst([{ model: 'first' }, { model: 'second' }], load), 'second');
  assert.deepEqual(tried, ['first', 'second']);
  await assert.rejects(loadFirst([{ model: 'first' }], load), missing);
  const damaged = new OcelliError('weights-invalid', 'No.');
  const fail = async () => Promise.reject(damaged);
  await assert.rejects(loadFirst([{ model: 'first' }, { model: 'second' }], fail), damaged);
});

test('progress has the messages of transformers.js', () => {
  const told = [];
  const { report } = new LoadProgress('a/b', (info) => told.push(info));
  const download = (file, loaded, total) => report({ phase: 'download', file, loaded, total });
  download('config.json', 0, null);
  download('model.onnx', 10, 110);
  download('model.onnx', 60, 110);
  download('model.onnx', 110, 110);
  report({ phase: 'build', file: null, loaded: 110, total: 110 });
  report({ phase: 'ready', file: null, loaded: 110, total: 110 });
  const brief = told.map(({ status, file, loaded, total, progress }) =>
    [status, file, loaded, total, progress].filter((one) => one !== undefined),
  );
  assert.deepEqual(brief, [
    ['initiate', 'config.json'],
    ['download', 'config.json'],
    ['progress_total', 10, 10, 100],
    ['progress', 'config.json', 10, 10, 100],
    ['done', 'config.json'],
    ['initiate', 'model.onnx'],
    ['download', 'model.onnx'],
    ['progress_total', 60, 110, (100 * 60) / 110],
    ['progress', 'model.onnx', 50, 100, 50],
    ['progress_total', 110, 110, 100],
    ['progress', 'model.onnx', 100, 100, 100],
    ['done', 'model.onnx'],
  ]);
  assert.ok(told.every(({ name }) => name === 'a/b'));
  const { files } = told.findLast(({ status }) => status === 'progress_total');
  assert.deepEqual(files, {
    'config.json': { loaded: 10, total: 10 },
    'model.onnx': { loaded: 100, total: 100 },
  });
});

test('what was kept counts as one file', () => {
  const told = [];
  const { report } = new LoadProgress('a/b', (info) => told.push(info));
  report({ phase: 'cache', file: null, loaded: 0, total: 50 });
  report({ phase: 'cache', file: null, loaded: 20, total: 50 });
  report({ phase: 'build', file: null, loaded: 50, total: 50 });
  assert.deepEqual(
    told
      .filter(({ status }) => status !== 'progress_total')
      .map(({ status, file, progress }) => [status, file, progress]),
    [
      ['initiate', 'model', undefined],
      ['download', 'model', undefined],
      ['progress', 'model', 40],
      ['progress', 'model', 100],
      ['done', 'model', undefined],
    ],
  );
});

test('options of generate become those of a captioner', () => {
  assert.deepEqual(readGeneration({}), { doSample: false, maxTokens: undefined, minTokens: 0 });
  assert.deepEqual(
    readGeneration({ max_new_tokens: 9, min_new_tokens: 2, num_beams: 3, num_return_sequences: 2 }),
    {
      ...{ doSample: false, maxTokens: 9, minTokens: 2, numBeams: 3, numCaptions: 2 },
    },
  );
  // A length counts the token that a caption begins with.
  assert.deepEqual(readGeneration({ max_length: 10, min_length: 4 }), {
    doSample: false,
    maxTokens: 9,
    minTokens: 3,
  });
  assert.equal(readGeneration({ max_length: 10, max_new_tokens: 3 }).maxTokens, 3);
  const draws = { temperature: 0.7, top_k: 20, top_p: 0.9, seed: 3 };
  assert.deepEqual(readGeneration(draws), readGeneration({}), 'nothing is drawn without do_sample');
  assert.deepEqual(readGeneration({ do_sample: true, ...draws }), {
    ...{ doSample: true, maxTokens: undefined, minTokens: 0, temperature: 0.7, topK: 20, topP: 0.9, seed: 3 },
  });
  const others = {
    early_stopping: true,
    length_penalty: 2,
    repetition_penalty: 1.5,
    no_repeat_ngram_size: 2,
    use_cache: true,
  };
  assert.deepEqual(readGeneration(others), {
    ...{ doSample: false, maxTokens: undefined, minTokens: 0 },
    ...{ earlyStopping: true, lengthPenalty: 2, repetitionPenalty: 1.5, noRepeatNgramSize: 2 },
  });
  for (const [options, message] of [
    [{ max_new_tokens: 0 }, /max_new_tokens must be a whole number above zero/],
    [{ max_length: 1 }, /max_length must be a whole number above one/],
    [{ min_new_tokens: 5, max_new_tokens: 4 }, /at least 5 new tokens and at most 4/],
    [{ early_stopping: 'never' }, /early_stopping must be true or false/],
    [{ streamer: {} }, /streamer must be left out: tokens do not leave the worker/],
    [{ num_beam: 3 }, /no option "num_beam" here; did you mean num_beams\?/],
    [{ temperature: 'hot' }, /temperature must be a number/],
    [{ bad_words_ids: [[1]] }, /no option "bad_words_ids" here/],
  ]) {
    assert.throws(() => readGeneration(options), invalid(message));
  }
});

test('a task without models here is refused, and so is what is no model', async () => {
  await assert.rejects(
    pipeline('object-detection'),
    invalid(/^There is no task "object-detection" here; there are zero-shot/),
  );
  await assert.rejects(pipeline('image-clasification'), invalid(/; did you mean image-classification\?$/));
  await assert.rejects(pipeline(undefined), invalid(/^There is no task "undefined" here/));
  await assert.rejects(pipeline('toString'), invalid(/^There is no task "toString" here/));
  await assert.rejects(pipeline('image-to-text', 7), invalid(/^The model must be a name/));
  await assert.rejects(pipeline('image-to-text', 'no model'), invalid(/"no model" is no model/));
});
