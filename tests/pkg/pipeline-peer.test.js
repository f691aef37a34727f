// The same script against ocelli and transformers.js: `npm run test:peers` installs the latter. Where it is not there, what it
// answered before (tests/golden/pipeline/answers.json) stands for it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { visit } from '../golden/pipeline/script.mjs';
import { answersFile, given, importPeer } from './support/peer.js';

const built = existsSync(new URL('../../pkg/wasm/simd128_bg.wasm', import.meta.url));
const peer = await importPeer();
const noWasm = !built && 'pkg/wasm is not built (npm run build:wasm)';
const noPeer = !peer && 'transformers.js is not installed (npm run test:peers)';

/** The largest difference of two numbers that different engines compute in f32, of a size of some units. */
const BOUND = 2e-5;

let kept = existsSync(answersFile) ? JSON.parse(readFileSync(answersFile, 'utf8')) : null;

/** Asserts that answers are alike: the same shapes, keys and texts, and numbers within the bound. */
function assertAlike(found, expected, path) {
  if (typeof expected === 'number') {
    assert.equal(typeof found, 'number', path);
    assert.ok(Math.abs(found - expected) <= BOUND, `${path}: ${found}, and not ${expected}`);
  } else if (typeof expected === 'object' && expected !== null) {
    assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort(), path);
    for (const key of Object.keys(expected)) assertAlike(found[key], expected[key], `${path}.${key}`);
  } else {
    assert.equal(found, expected, path);
  }
}

async function ofPeer(t) {
  const raw = ({ data, width, height, channels }) => new peer.RawImage(data, width, height, channels);
  return JSON.parse(JSON.stringify(await visit(peer, { ...(await given(t)), raw })));
}

async function ofOcelli(t) {
  const asked = await given(t);
  process.env.OCELLI_CACHE = asked.cacheDir;
  const library = await import('../../pkg/src/node-pipeline.js');
  return JSON.parse(JSON.stringify(await visit(library, { ...asked, raw: (pixels) => pixels })));
}

test('transformers.js answers as it did', { skip: noPeer }, async (t) => {
  const answers = await ofPeer(t);
  const scores = answers.fits.map(({ score }) => score);
  assert.ok(Math.max(...scores) - Math.min(...scores) > 0.1, 'or this proves nothing');
  if (process.env.OCELLI_WRITE) {
    const rounded = (_key, value) => (typeof value === 'number' ? Number(value.toPrecision(7)) : value);
    kept = JSON.parse(JSON.stringify(answers, rounded));
    writeFileSync(answersFile, `${JSON.stringify(kept)}\n`);
  }
  assertAlike(answers, kept, 'answers');
});

test('the same script gives the same answers with ocelli', { skip: noWasm }, async (t) => {
  assertAlike(await ofOcelli(t), kept, 'answers');
});

test('texts have the vectors of CLIPTextModelWithProjection', { skip: noWasm || noPeer }, async (t) => {
  const { host, cacheDir } = await given(t);
  Object.assign(peer.env, { remoteHost: host, allowLocalModels: false, cacheDir });
  process.env.OCELLI_CACHE = cacheDir;
  const texts = ['a cat', 'dog', 'the bus in the sea'];
  const tokenizer = await peer.AutoTokenizer.from_pretrained('seeded/clip');
  const model = await peer.CLIPTextModelWithProjection.from_pretrained('seeded/clip', { dtype: 'fp32' });
  const { text_embeds: expected } = await model(tokenizer(texts, { padding: true, truncation: true }));
  const { env, pipeline } = await import('../../pkg/src/node-pipeline.js');
  env.remoteHost = host;
  const embed = await pipeline('feature-extraction', 'seeded/clip', { dtype: 'fp32' });
  const plain = ({ type, dims, data }) => ({ type, dims: [...dims], data: [...data] });
  assertAlike(plain(await embed(texts)), plain(expected), 'texts');
  assertAlike(plain(await embed(texts, { normalize: true })), plain(expected.normalize(2, -1)), 'unit');
  for (const precision of ['binary', 'ubinary']) {
    const bits = await embed(texts, { quantize: true, precision });
    assertAlike(plain(bits), plain(peer.quantize_embeddings(expected, precision)), precision);
  }
  await embed.dispose();
  await model.dispose();
});

test(
  'its own pipeline has no vectors of CLIP for texts, and so nothing to compare',
  { skip: noPeer },
  async (t) => {
    const { host, cacheDir } = await given(t);
    Object.assign(peer.env, { remoteHost: host, allowLocalModels: false, cacheDir });
    const embed = await peer.pipeline('feature-extraction', 'seeded/clip', { dtype: 'fp32' });
    await assert.rejects(embed('a cat'), /pixel_values/);
    await embed.dispose();
  },
);

test(
  'a text that is too long loses its end token there, and so is not compared',
  { skip: noPeer },
  async (t) => {
    const { host, cacheDir } = await given(t);
    Object.assign(peer.env, { remoteHost: host, allowLocalModels: false, cacheDir });
    const tokenizer = await peer.AutoTokenizer.from_pretrained('seeded/clip');
    const lastOf = (text) =>
      Number(tokenizer([text], { padding: true, truncation: true }).input_ids.data.at(-1));
    const end = lastOf('cat');
    assert.notEqual(lastOf('cat '.repeat(40)), end);
  },
);
