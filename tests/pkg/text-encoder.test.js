import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { TextEncoder as ClipTextEncoder, models, toSafetensors } from '../../pkg/src/index.js';
import { CLI, folderOf, ocelli } from './support/cli.js';
import { fakeWasm } from './support/fake-wasm.js';
import { workerFactory } from './support/fake-worker.js';
import { folderRoutes, read, tensor } from './support/golden.js';
import { bytes, modelRoutes, serveRoutes } from './support/server.js';

/** The text encoder: over a fake wasm, and over the real one against the reference of tests/golden/prompts. */

const folder = new URL('../../pkg/wasm/', import.meta.url);
const skip = !existsSync(new URL('simd128_bg.wasm', folder)) && 'pkg/wasm is not built (npm run build:wasm)';
const unbundled = skip || (!existsSync(CLI) && 'pkg/dist is not built (npm run build:package)');

/** @type {any} */
let wasm;
if (!skip) {
  wasm = await import(new URL('simd128.js', folder).href);
  wasm.initSync({ module: readFileSync(new URL('simd128_bg.wasm', folder)) });
}

const GOLDEN = 'tests/golden/prompts';
const TOKENIZER = { 'tokenizer.json': read('tests/golden/text/clip-tokenizer.json') };
const SHORT = 'a (red:1.3) bus';
const LONG = 'a photo of a cat, an (owl above:0.6) a tree BREAK [a dog]';

/** Largest difference of a number from the reference's, as part of the largest one. */
const BOUND = 1e-4;

function assertClose(what, found, { values }) {
  assert.equal(found.length, values.length, what);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i])), 0);
  assert.ok(worst <= BOUND * largest, `${what}: off by ${worst} of ${largest}`);
}

/** A text encoder over the real wasm. */
async function real(t, name) {
  const { url } = await serveRoutes(t, folderRoutes(`${GOLDEN}/${name}`, TOKENIZER));
  const { worker } = workerFactory(wasm);
  const encoder = await ClipTextEncoder.load(`${url}/m/`, { dtype: 'f32', worker });
  t.after(() => encoder.dispose());
  return encoder;
}

/** One over the fake wasm. */
async function fake(t) {
  const { url } = await serveRoutes(t, modelRoutes());
  const made = fakeWasm();
  const { worker } = workerFactory(made);
  const encoder = await ClipTextEncoder.load(`${url}/m/`, { worker });
  t.after(() => encoder.dispose());
  return { encoder, log: made.log };
}

test('a prompt has states, and a negative one has them beside it', async (t) => {
  const { encoder, log } = await fake(t);
  const alive = log.alive.size;
  const events = [];
  const encoded = await encoder.encode('a cat', {
    negativePrompt: 'projected and blurry',
    padding: 0,
    skip: 1,
    finalNorm: false,
    onProgress: (event) => events.push([event.phase, event.loaded, event.total]),
  });
  assert.deepEqual(
    events,
    [0, 1, 2, 3, 4].map((done) => ['texts', done, 4]),
  );
  assert.deepEqual(encoded.dims, [2, 2]);
  assert.deepEqual([...encoded.hiddenStates], [0, 1, 1, 1]);
  assert.equal(encoded.projected, null);
  assert.deepEqual([...(encoded.negative?.projected ?? [])], [3]);
  assert.deepEqual(log.calls.at(-1), {
    prompt: 'a cat',
    negativePrompt: 'projected and blurry',
    padding: '0',
    skip: 1,
    finalNorm: false,
  });
  const alone = await encoder.encode('a cat');
  assert.ok(!('negative' in alone));
  assert.deepEqual(log.calls.at(-1), { prompt: 'a cat' });
  await assert.rejects(encoder.encode('(:)'), { code: 'argument-invalid' });
  assert.equal(log.alive.size, alive, 'all else is freed');
});

test('a call is given up between two layers, and frees what it holds', async (t) => {
  const { encoder, log } = await fake(t);
  const alive = log.alive.size;
  const controller = new AbortController();
  const call = encoder.encode('a cat', {
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await assert.rejects(call, { code: 'aborted' });
  await encoder.encode('a dog');
  assert.equal(log.alive.size, alive);
});

test('wrong arguments are refused in the page, with a sentence', async (t) => {
  const { encoder, log } = await fake(t);
  for (const [prompt, options, sentence] of [
    [undefined, {}, 'The prompt must be a string.'],
    [['a'], {}, 'The prompt must be a string.'],
    ['a', { negativePrompt: 5 }, 'The option negativePrompt must be a string.'],
    ['a', { skip: -1 }, 'The option skip must be a whole number from 0 to 256.'],
    ['a', { skip: 2 ** 32 }, 'The option skip must be a whole number from 0 to 256.'],
    ['a', { skip: 0.5 }, 'The option skip must be a whole number from 0 to 256.'],
    ['a', { finalNorm: 1 }, 'The option finalNorm must be true or false.'],
    ['a', { attentionMask: 'yes' }, 'The option attentionMask must be true or false.'],
    ['a', { padding: -1 }, 'The option padding must be "trained", "end" or the id of a token.'],
    ['a', { padding: 'start' }, 'The option padding must be "trained", "end" or the id of a token.'],
    ['a', { emphasis: 'some' }, 'The option emphasis must be one of "original", "no-norm", "none".'],
    ['a', { commaBacktrack: 1.5 }, 'The option commaBacktrack must be a whole number from 0 to 1000.'],
    ['a', { truncate: 0 }, 'The option truncate must be true or false.'],
    [
      'a',
      { clipSkip: 2 },
      'There is no option "clipSkip" here; did you mean skip (1 is the second last layer)?',
    ],
    ['a', { negative: 'b' }, 'There is no option "negative" here; did you mean negativePrompt?'],
  ]) {
    const error = { code: 'argument-invalid', message: sentence };
    await assert.rejects(encoder.encode(prompt, options), error, sentence);
  }
  assert.equal(log.calls.length, 0, 'the worker heard nothing of them');
  const other = {
    code: 'argument-invalid',
    message: 'The model "ocelli" is for the class Tagger or Embedder or Captioner or Matcher.',
  };
  await assert.rejects(ClipTextEncoder.load('ocelli'), other);
  assert.ok(models.list({ task: 'encode-text' }).some(({ id }) => id === 'openai/clip-vit-large-patch14'));
});

test('the files of a text tower lie in several folders, without a preprocessor', { skip }, async (t) => {
  const file = (name) => bytes(read(`${GOLDEN}/openclip/${name}`));
  const { url } = await serveRoutes(t, {
    '/text_encoder_2/config.json': file('config.json'),
    '/text_encoder_2/model.safetensors': file('model.safetensors'),
    '/tokenizer_2/tokenizer.json': bytes(TOKENIZER['tokenizer.json']),
  });
  const { worker } = workerFactory(wasm);
  const files = {
    config: `${url}/text_encoder_2/config.json`,
    tokenizer: `${url}/tokenizer_2/tokenizer.json`,
    weights: `${url}/text_encoder_2/model.safetensors`,
  };
  const encoder = await ClipTextEncoder.load(files, { worker, dtype: 'f32' });
  t.after(() => encoder.dispose());
  const { projected } = await encoder.encode(SHORT);
  assertClose('projected', projected, tensor(`${GOLDEN}/openclip/expected.safetensors`, 'short.projected'));
});

for (const name of ['openai', 'openclip']) {
  test(`${name}: states are the reference's`, { skip }, async (t) => {
    const encoder = await real(t, name);
    const expected = (/** @type {string} */ key) => tensor(`${GOLDEN}/${name}/expected.safetensors`, key);
    for (const [which, prompt] of [
      ['short', SHORT],
      ['long', LONG],
    ]) {
      for (const [key, options] of [
        ['last_weighed', {}],
        ['last_no_norm', { emphasis: 'no-norm' }],
        ['penultimate_weighed', { skip: 1, finalNorm: false }],
      ]) {
        const { hiddenStates, dims, pooled, projected, weights } = await encoder.encode(prompt, options);
        assertClose(`${which}.${key}`, hiddenStates, expected(`${which}.${key}`));
        assert.deepEqual(dims, expected(`${which}.${key}`).shape);
        assertClose(`${which}.pooled`, pooled, expected(`${which}.pooled`));
        assertClose(`${which}.weights`, weights, expected(`${which}.weights`));
        if (name === 'openclip') assertClose('projected', projected, expected(`${which}.projected`));
        else assert.equal(projected, null);
      }
    }
    const masked = await encoder.encode('a red bus', { attentionMask: true });
    assertClose('masked', masked.hiddenStates, expected('short.masked'));
  });
}

test('a negative prompt is computed once', { skip }, async (t) => {
  const encoder = await real(t, 'openai');
  const totals = [];
  const encode = (prompt) =>
    encoder.encode(prompt, {
      negativePrompt: 'a dog',
      onProgress: ({ loaded, total }) => loaded === total && totals.push(total),
    });
  const first = await encode('a cat');
  const again = await encode('a dog');
  assert.deepEqual(totals, [3, 0], 'layers');
  assert.deepEqual(again.negative, first.negative);
  const { negative, ...prompt } = again;
  assert.deepEqual(prompt, negative);
});

test('prompts without measure are refused, and the model goes on', { skip }, async (t) => {
  const encoder = await real(t, 'openai');
  for (const [prompt, options, sentence] of [
    ['x'.repeat(10_001), {}, /longer than 10000 characters/],
    ['cat '.repeat(2_000), {}, /more than 32 chunks/],
    ['('.repeat(100), {}, /more than 64 brackets/],
    ['(a:1.2.3)', {}, /weight "1.2.3" is no number/],
    ['(a:1000)', {}, /past 100/],
    ['a', { skip: 4 }, /3 layers/],
    ['a', { padding: 5000 }, /padding is the token 5000/],
  ]) {
    await assert.rejects(encoder.encode(prompt, options), { code: 'argument-invalid', message: sentence });
  }
  assert.deepEqual((await encoder.encode('')).dims, [14, 24]);
});

/** A safetensors file as its description has it. */
function parse(file) {
  const bytes = Buffer.from(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__: metadata, ...header } = JSON.parse(bytes.toString('utf8', 8, start));
  return { start, metadata, header, data: bytes.subarray(start) };
}

test('what was encoded becomes a safetensors file', async (t) => {
  const { encoder } = await fake(t);
  const encoded = await encoder.encode('a cat', { negativePrompt: 'projected and blurry' });
  const { start, metadata, header, data } = parse(toSafetensors(encoded));
  assert.equal(start % 8, 0);
  assert.equal(metadata.format, 'pt');
  const all = ['hidden_states', 'pooled', 'tokens', 'weights'];
  const names = [...all, ...all.map((name) => `negative_${name}`), 'negative_projected'];
  assert.deepEqual(Object.keys(header).sort(), names.sort());
  let end = 0;
  for (const { dtype, shape, data_offsets: place } of Object.values(header)) {
    const size = dtype === 'I64' ? 8 : 4;
    assert.deepEqual(place, [end, end + size * shape.reduce((a, b) => a * b, 1)]);
    assert.equal((start + place[0]) % size, 0);
    [, end] = place;
  }
  assert.equal(end, data.length, 'no byte is left over');
  const { shape, data_offsets: place } = header.negative_hidden_states;
  assert.deepEqual(shape, [3, 2]);
  assert.deepEqual(
    Array.from({ length: 6 }, (_, i) => data.readFloatLE(place[0] + 4 * i)),
    [0, 1, 1, 1, 2, 1],
  );
  assert.equal(data.readBigInt64LE(header.tokens.data_offsets[0] + 8), 1n);
});

test('the program of the README runs as it stands', { skip: unbundled }, (t) => {
  const readme = read('pkg/README.md').toString();
  const [, program = ''] = /a whole program, `encode\.mjs`[^\n]*:\n\n```mjs\n(.*?)```/s.exec(readme) ?? [];
  assert.ok(program, 'or this test proves nothing');
  const out = folderOf(t);
  mkdirSync(path.join(out, 'node_modules'));
  symlinkSync(
    fileURLToPath(new URL('../../pkg', import.meta.url)),
    path.join(out, 'node_modules/ocelli'),
    'junction',
  );
  cpSync(new URL('../golden/prompts/openclip/', import.meta.url), path.join(out, 'sdxl/text_encoder_2'), {
    recursive: true,
  });
  mkdirSync(path.join(out, 'sdxl/tokenizer_2'));
  // As they are published there: without a tokenizer.json.
  const { model } = JSON.parse(TOKENIZER['tokenizer.json'].toString());
  const merges = model.merges.map((pair) => [pair].flat().join(' ')).join('\n');
  writeFileSync(path.join(out, 'sdxl/tokenizer_2/vocab.json'), JSON.stringify(model.vocab));
  writeFileSync(path.join(out, 'sdxl/tokenizer_2/merges.txt'), `#version: 0.2\n${merges}\n`);
  writeFileSync(path.join(out, 'encode.mjs'), program);
  const printed = execFileSync(process.execPath, ['encode.mjs'], { cwd: out, encoding: 'utf8' });
  assert.equal(printed, '[ 14, 24 ] 16\n');
  const { header } = parse(readFileSync(path.join(out, 'prompt.safetensors')));
  assert.deepEqual(header.negative_hidden_states.shape, [14, 24]);
});

test('ocelli encode-text writes safetensors and NumPy arrays', { skip: unbundled }, async (t) => {
  const out = folderOf(t);
  const model = path.join(out, 'model');
  mkdirSync(model);
  cpSync(new URL(`../golden/prompts/openclip/`, import.meta.url), model, { recursive: true });
  writeFileSync(path.join(model, 'tokenizer.json'), TOKENIZER['tokenizer.json']);
  const usual = ['encode-text', '--model', model, '--dtype', 'f32'];

  const file = path.join(out, 'prompt.safetensors');
  const done = await ocelli([...usual, SHORT, '--negative', '', '--out', file]);
  assert.equal(done.code, 0, done.err);
  const { header } = parse(readFileSync(file));
  assert.deepEqual(header.hidden_states.shape, [14, 24]);
  assert.deepEqual(header.negative_projected.shape, [16]);
  const found = tensor(path.relative(process.cwd(), file), 'hidden_states');
  const golden = (/** @type {string} */ key) => tensor(`${GOLDEN}/openclip/expected.safetensors`, key);
  assertClose('hidden_states', found.values, golden('short.last_weighed'));

  const array = path.join(out, 'prompt.npy');
  const options = ['--skip', '1', '--no-final-norm', '--out', array];
  assert.equal((await ocelli([...usual, '-', ...options], { input: `${LONG}\n` })).code, 0);
  const bytes = readFileSync(array);
  const start = 10 + bytes.readUInt16LE(8);
  assert.match(bytes.toString('latin1', 10, start), /'shape': \(28, 24\)/);
  const values = Float32Array.from({ length: 28 * 24 }, (_, i) => bytes.readFloatLE(start + 4 * i));
  assertClose('npy', values, golden('long.penultimate_weighed'));

  for (const [args, sentence] of [
    [[SHORT], /Where to\?/],
    [['--out', file], /One prompt is needed/],
    [['a', 'b', '--out', file], /One prompt is needed/],
    [[SHORT, '--out', file], /is there already/],
    [[SHORT, '--out', path.join(out, 'x.txt')], /ends with .safetensors or .npy/],
    [[SHORT, '--negative', 'a', '--out', path.join(out, 'x.npy')], /room for one prompt/],
    [[SHORT, '--skip', 'x', '--out', path.join(out, 'x.npy')], /--skip must be a whole number/],
    [[SHORT, '--skip', '9', '--out', path.join(out, 'x.npy')], /3 layers/],
    [['(a:1.2.3)', '--out', path.join(out, 'x.npy')], /is no number/],
  ]) {
    const { code, err } = await ocelli([...usual, ...args]);
    assert.equal(code, 2, `${args.join(' ')}: ${err}`);
    assert.match(err, sentence);
  }
});
