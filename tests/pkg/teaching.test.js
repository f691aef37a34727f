// Labels taught by examples: the built-in model, the wasm that ships, and drawings in styles that the examples lack.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const DIST = new URL('../../pkg/dist/node.js', import.meta.url);
const WASM = new URL('../../pkg/wasm/simd128_bg.wasm', import.meta.url);
const skip = !(existsSync(DIST) && existsSync(WASM)) && 'the package is not built (npm run build)';

/** A drawing of a thing in a style. */
const drawing = (style, thing) =>
  fileURLToPath(new URL(`../images/drawings/${style}-${thing}.png`, import.meta.url));
/** Nobody has heard of these labels: all that is known of them is in the examples. */
const EXAMPLES = {
  blick: ['noto', 'twemoji', 'fluent-emoji'].map((style) => drawing(style, 'butterfly')),
  zorp: ['noto', 'twemoji', 'fluent-emoji'].map((style) => drawing(style, 'rocket')),
};

/** @type {typeof import('../../pkg/src/index.js')} */
let ocelli;
/** @type {import('../../pkg/src/index.js').Tagger} */
let tagger;

before(async () => {
  if (skip) return;
  ocelli = await import(DIST.href);
  tagger = await ocelli.Tagger.load('ocelli', { threads: 1 });
});
after(() => tagger?.dispose());

test('labels that are made up are learnt from three drawings each', { skip }, async () => {
  /** @type {string[]} */
  const phases = [];
  const teacher = await tagger.teach(EXAMPLES, {
    also: ['pizza'],
    onProgress: ({ phase }) => phases.push(phase),
  });
  assert.deepEqual(teacher.labels, ['blick', 'zorp', 'pizza']);
  assert.deepEqual(teacher.examples, [3, 3, 0]);
  assert.ok(teacher.strength !== null);
  assert.deepEqual([...new Set(phases)], ['image', 'labels', 'fits']);
  for (const [thing, label] of [
    ['butterfly', 'blick'],
    ['rocket', 'zorp'],
    ['pizza', 'pizza'],
  ]) {
    const [best] = await teacher.tag(drawing('openmoji', thing));
    assert.equal(best.label, label, thing);
  }
  const all = await teacher.tag([drawing('openmoji', 'rocket')], { none: true });
  assert.deepEqual(all[0].map(({ label }) => label).toSorted(), ['blick', 'pizza', 'zorp', null].toSorted());
  assert.ok(Math.abs(all[0].reduce((sum, { score }) => sum + score, 0) - 1) < 1e-5);
});

test('what was learnt comes back from JSON, and serves among other labels', { skip }, async () => {
  const teacher = await tagger.teach(EXAMPLES);
  const json = JSON.stringify(teacher.save());
  const later = ocelli.Teacher.load(json, tagger);
  const picture = drawing('openmoji', 'rocket');
  assert.deepEqual(await later.tag(picture), await teacher.tag(picture));
  for (const scores of /** @type {const} */ (['softmax', 'independent'])) {
    const [best] = await tagger.tag(picture, ['chair', 'zorp', 'lake'], {
      teacher: later,
      scores,
      none: true,
    });
    assert.equal(best.label, 'zorp', scores);
  }
  const [plain] = await tagger.tag(picture, ['zorp', 'rocket']);
  assert.equal(plain.label, 'rocket', 'the model itself has learnt nothing');
});

test('what belongs to another model, or is damaged, is refused', { skip }, async () => {
  const saved = (await tagger.teach({ zorp: EXAMPLES.zorp })).save();
  const load = (changed) => () => ocelli.Teacher.load({ ...saved, ...changed }, tagger);
  assert.deepEqual(load({})().labels, ['zorp']);
  const refused = (message) => ({ code: 'argument-invalid', message });
  assert.throws(
    load({ model: 'other' }),
    refused(/whose model is other, and this one's is ocelli: teach it again\.$/),
  );
  assert.throws(load({ revision: 'x' }), refused(/whose revision is x/));
  assert.throws(load({ dtype: 'f32' }), refused(/whose dtype is f32/));
  assert.throws(load({ version: 2 }), refused(/version 2; 1 is read here/));
  assert.throws(load({ format: 'zip' }), refused(/nothing that a teacher has saved/));
  for (const changed of [
    { weights: 'AAA' },
    { weights: '!' },
    { labels: [] },
    { labels: [7] },
    { examples: [] },
    { temperature: '1' },
  ]) {
    assert.throws(load(changed), refused('The saved teacher is damaged.'), JSON.stringify(changed));
  }
  assert.throws(() => ocelli.Teacher.load('{', tagger), refused('The saved teacher is no JSON.'));
  for (const changed of [{ weights: 'AAAAAA==' }, { temperature: 0 }, { temperature: -1 }]) {
    const teacher = load(changed)();
    await assert.rejects(
      teacher.tag(EXAMPLES.zorp[0]),
      { code: 'argument-invalid' },
      JSON.stringify(changed),
    );
  }
});

test('examples that teach nothing are refused before anything is learnt', { skip }, async () => {
  const [picture] = EXAMPLES.zorp;
  const refused = (message) => ({ code: 'argument-invalid', message });
  await assert.rejects(tagger.teach([picture]), refused(/must be an object or a Map/));
  await assert.rejects(tagger.teach({ zorp: [] }), refused(/"zorp" has no pictures/));
  await assert.rejects(tagger.teach({}), { code: 'labels-empty' });
  await assert.rejects(tagger.teach({ ' ': [picture] }), { code: 'label-empty' });
  await assert.rejects(
    tagger.teach({ zorp: picture, blick: [picture] }),
    refused('One picture is an example of both "zorp" and "blick": it can teach neither.'),
  );
  await assert.rejects(tagger.teach({ zorp: picture }, { also: ['zorp'] }), refused(/"zorp" is given twice/));
  await assert.rejects(tagger.teach({ zorp: [picture, 'missing.png'] }), {
    code: 'image-unreadable',
    message: /^Picture 2 of 2/,
  });
  await assert.rejects(tagger.teach(EXAMPLES, { signal: AbortSignal.abort() }), { code: 'aborted' });
  // And the tagger goes on.
  const one = await tagger.teach({ zorp: picture });
  const [best] = await one.tag(drawing('twemoji', 'rocket'), { none: true });
  assert.equal(best.label, 'zorp');
});

test('embeddings serve as well as the pictures that they are of', { skip }, async () => {
  const pictures = await tagger.teach(EXAMPLES);
  const [blick, zorp] = [await tagger.embedImages(EXAMPLES.blick), await tagger.embedImages(EXAMPLES.zorp)];
  const vectors = await tagger.teach({ blick: [EXAMPLES.blick[0], ...blick.slice(1)], zorp });
  assert.deepEqual(vectors.save(), pictures.save());
  const long = zorp[0].map((value) => 2 * value);
  await assert.rejects(tagger.teach({ zorp: [long] }), {
    code: 'argument-invalid',
    message: /Example 1 .* unit length/,
  });
  const other = Float32Array.of(1, 0, 0);
  await assert.rejects(tagger.teach({ zorp: [other] }), {
    code: 'argument-invalid',
    message: /another model/,
  });
});

test('labels with hints are taught in a Map', { skip }, async () => {
  const label = { label: 'zorp', hint: 'a type of vehicle' };
  const teacher = await tagger.teach(
    new Map([
      [label, EXAMPLES.zorp],
      ['blick', EXAMPLES.blick],
    ]),
  );
  assert.deepEqual(teacher.labels, [label, 'blick']);
  const [best] = await tagger.tag(drawing('openmoji', 'rocket'), ['blick', label, 'zorp'], { teacher });
  assert.deepEqual([best.label, best.index], ['zorp', 1]);
});
