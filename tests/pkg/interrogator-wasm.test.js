/** Prompts from the real wasm behind the real protocol, in Node, against the reference's. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { Captioner, Interrogator, Tagger } from '../../pkg/src/node.js';
import { FakeBackend } from './support/fake-backend.js';
import { workerFactory } from './support/fake-worker.js';
import { bytes, serveRoutes } from './support/server.js';

const root = new URL('../../', import.meta.url);
const folder = new URL('pkg/wasm/', root);
const skip = !existsSync(new URL('simd128_bg.wasm', folder)) && 'pkg/wasm is not built (npm run build:wasm)';
const options = { skip };
const PICTURES = ['fluent-emoji-butterfly', 'noto-rocket', 'twemoji-pizza'];
const CLIP = 'tests/golden/trained/clip-tiny/';
const BLIP = 'tests/golden/trained/blip-tiny/';

/** @type {any} */
let wasm;
if (!skip) {
  wasm = await import(new URL('simd128.js', folder).href);
  wasm.initSync({ module: readFileSync(new URL('simd128_bg.wasm', folder)) });
}

const expected = JSON.parse(readFileSync(new URL('tests/golden/interrogator/expected.json', root), 'utf8'));
const picture = (index) => readFileSync(new URL(`tests/images/drawings/${PICTURES[index]}.png`, root));

/** The files of a folder, served. */
async function serve(t, name) {
  const files = readdirSync(new URL(name, root)).map((file) => [
    `/m/${file}`,
    bytes(readFileSync(new URL(name + file, root))),
  ]);
  return `${(await serveRoutes(t, Object.fromEntries(files))).url}/m/`;
}

async function load(t, Class, name, { backend, ...more } = {}) {
  const { worker } = workerFactory(wasm, { backend: async () => backend });
  const model = await Class.load(await serve(t, name), { worker, ...more });
  t.after(() => model.dispose());
  return model;
}

test('prompts are the reference’s, in every mode', options, async (t) => {
  const tagger = await load(t, Tagger, CLIP, { dtype: 'f32' });
  const interrogator = await Interrogator.load({ tagger, captioner: null, lists: expected.lists });
  // The package ranks in chunks as large as the reference's own.
  const cases = expected.models['clip-tiny'].cases.filter(({ chunk }) => chunk === 2048);
  assert.ok(cases.length >= 18, 'or this test proves nothing');
  for (const { mode, image, caption, min, max, shortlist, prompt, similarity } of cases) {
    const found = await interrogator.interrogate(picture(image), {
      mode,
      shortlist,
      minFlavors: min,
      ...(max !== null && { maxFlavors: max }),
      ...(mode !== 'negative' && { caption }),
    });
    assert.equal(found.prompt, prompt, `${mode} of ${PICTURES[image]}`);
    assert.ok(Math.abs(found.similarity - similarity) < 1e-4, `${found.similarity} instead of ${similarity}`);
    assert.equal(found.caption, caption);
  }
});

test('captions are written, and each prompt on the way is better than the one before', options, async (t) => {
  const [tagger, captioner] = [await load(t, Tagger, CLIP), await load(t, Captioner, BLIP)];
  const interrogator = await Interrogator.load({ tagger, captioner, lists: expected.lists });
  const prompts = [];
  for await (const found of interrogator.stream(picture(1), { maxFlavors: 4 })) prompts.push(found);
  const { caption } = prompts[0];
  assert.equal(caption, await captioner.caption(picture(1)));
  assert.equal(prompts[0].prompt, caption);
  assert.ok(prompts.length > 1, 'something made the caption better');
  const similarities = prompts.map(({ similarity }) => similarity);
  assert.deepEqual(
    similarities,
    similarities.toSorted((a, b) => a - b),
  );
  // What the model itself says of the prompt, read as any other text.
  const { prompt, similarity } = prompts.at(-1);
  const { cosine } = await tagger.similarity([picture(1)], [prompt]);
  assert.ok(Math.abs(cosine[0][0] - similarity) < 1e-4, `${cosine[0][0]}, ${similarity}`);
});

test('terms are kept beside a kept model', options, async (t) => {
  const backend = new FakeBackend();
  const url = await serve(t, CLIP);
  const encoded = async () => {
    const { worker } = workerFactory(wasm, { backend: async () => backend });
    const tagger = await Tagger.load(url, { worker, cache: true });
    const interrogator = await Interrogator.load({ tagger, captioner: null, lists: expected.lists });
    const steps = [];
    await interrogator.prepare({ onProgress: ({ loaded }) => steps.push(loaded) });
    tagger.dispose();
    return steps;
  };
  const first = await encoded();
  const second = await encoded();
  const total = first.at(-1);
  assert.ok(first.length > 5, 'they are read batch by batch');
  assert.deepEqual(second, [0, total], 'and then at once');
  assert.equal(backend.written, 1);
});

test('what cannot be is refused in one sentence, and the model goes on', options, async (t) => {
  const tagger = await load(t, Tagger, CLIP);
  const of = (lists) =>
    Interrogator.load({ tagger, captioner: null, lists: { ...expected.lists, ...lists } });
  const refused = async (lists, code, message) =>
    assert.rejects((await of(lists)).prepare(), { name: 'LabelError', code, message });
  // At once, in the words of the wasm, which has the last.
  for (const kind of Object.keys(expected.lists)) {
    const many = kind === 'negative' ? 'negative terms' : kind;
    const refusal = {
      name: 'LabelError',
      code: 'labels-empty',
      message: `There are no ${many}: give at least one.`,
    };
    await assert.rejects(of({ [kind]: [] }), refusal);
    await assert.rejects(of({ [kind]: new Blob([' \n\r\n']) }), refusal);
    const texts = Object.fromEntries(
      Object.entries(expected.lists).map(([own, terms]) => [own, terms.join('\n')]),
    );
    await assert.rejects(tagger.prepareTerms({ ...texts, [kind]: ' \n' }, {}), refusal);
  }
  await refused(
    { mediums: ['a photo', 'x'.repeat(1001)] },
    'label-too-long',
    /^Medium 2 has 1001 characters/,
  );
  await refused({ flavors: Array(140_000).fill('red') }, 'labels-too-many', /at most 131072/);
  const interrogator = await of({});
  await assert.rejects(interrogator.interrogate(picture(0), { caption: ' ' }), {
    code: 'label-empty',
    message: 'Caption 1 is empty.',
  });
  const { prompt } = await interrogator.interrogate(picture(0), { mode: 'fast', caption: 'a butterfly' });
  assert.match(prompt, /^a butterfly, /);
});
