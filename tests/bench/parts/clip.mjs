// CLIP's towers: pictures, texts, and both for labels that nobody has seen before.

import assert from 'node:assert/strict';
import { cosine } from '../lib/contest.mjs';
import { words } from '../lib/words.mjs';

/** @import { Contest, Contestant } from '../lib/contest.mjs' */

const IMAGE_ROUNDS = 12;
const TEXT_ROUNDS = 4;
/** Least cosine of two contestants' embeddings of the same picture or text. */
const SAME_F32 = 0.9999;
const SAME_INT8 = 0.99;
const TEMPLATE = 'a photo of a {}.';
/** Each makes new labels of the same words. */
const TEMPLATES = [TEMPLATE, 'a drawing of a {}.', 'a painting of the {}.', 'one {} in a picture.'];

/** @type {[string, object, string][]} name, how it starts, dtype */
const OCELLI = [
  ['ocelli int8', { variant: 'relaxed' }, 'int8'],
  ['ocelli int8, plain SIMD', { variant: 'simd128' }, 'int8'],
  ['ocelli f32', { variant: 'relaxed' }, 'f32'],
];

export const COMPARISONS = [
  { name: 'CLIP image, ocelli int8', against: 'CLIP image, ORT int8', target: 0.55 },
  { name: 'CLIP image, ocelli int8, 2 threads', against: 'CLIP image, ORT int8, 2 threads', target: 0.6 },
  { name: 'CLIP image, ocelli f32', against: 'CLIP image, ORT f32', target: 0.75 },
  { name: 'CLIP image, ocelli int8, plain SIMD', against: 'CLIP image, ORT int8' },
  { name: 'CLIP image, candle f32', against: 'CLIP image, ORT f32' },
  { name: 'CLIP text, 1 label, ocelli int8', against: 'CLIP text, 1 label, ORT int8' },
  { name: 'CLIP text, 100 labels, ocelli int8', against: 'CLIP text, 100 labels, ORT int8' },
  { name: '100 new labels, ocelli int8', against: '100 new labels, transformers.js', target: 0.25 },
];

/** @param {Contest} contest @returns {Promise<Record<string, number>>} cosines with the f32 of ONNX Runtime */
export async function images(contest) {
  /** @type {Contestant[]} */
  const contestants = [];
  for (const [name, start, dtype] of OCELLI) {
    await contest.ask(name, 'start', start);
    await contest.ask(name, 'loadClip', { dtype });
    contestants.push([`CLIP image, ${name}`, name, 'clipImage', {}]);
  }
  for (const [worker, name, file] of [
    ['ort int8', 'ORT int8', 'clip-image.q8'],
    ['ort f32', 'ORT f32', 'clip-image'],
  ]) {
    await contest.ask(worker, 'start', { threads: 1 });
    await contest.ask(worker, 'load', { name: file });
    contestants.push([`CLIP image, ${name}`, worker, 'image', { name: file, size: 224 }]);
  }
  await contest.ask('candle', 'start');
  await contest.ask('candle', 'loadClip');
  contestants.push(['CLIP image, candle f32', 'candle', 'clipImage', {}]);
  const answers = await contest.rounds(contestants, IMAGE_ROUNDS);
  const cosines = compare(answers, answers['CLIP image, ORT f32']);
  await contest.end('ort int8', 'ort f32', 'candle', ...OCELLI.map(([name]) => name));
  return cosines;
}

/** @param {Record<string, number[]>} answers @param {number[]} reference */
function compare(answers, reference) {
  const cosines = Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [name, cosine(answer, reference)]),
  );
  for (const [name, value] of Object.entries(cosines)) {
    assert.ok(value >= (name.includes('int8') ? SAME_INT8 : SAME_F32), `${name} answers otherwise: ${value}`);
  }
  return cosines;
}

/**
 * Pools of threads spin for a while when they have nothing to do, and would slow each other down: here only one
 * contestant is alive at a time, and each has its turn twice.
 * @param {Contest} contest
 */
export async function twoThreads(contest) {
  const name = 'clip-image.q8';
  for (let turn = 0; turn < 2; turn++) {
    await contest.ask('ocelli 2', 'start', { variant: 'relaxed-threads', threads: 2 });
    await contest.ask('ocelli 2', 'loadClip', { dtype: 'int8' });
    await contest.rounds(
      [['CLIP image, ocelli int8, 2 threads', 'ocelli 2', 'clipImage', {}]],
      IMAGE_ROUNDS / 2,
    );
    await contest.end('ocelli 2');
    await contest.ask('ort 2', 'start', { threads: 2 });
    await contest.ask('ort 2', 'load', { name });
    await contest.rounds(
      [['CLIP image, ORT int8, 2 threads', 'ort 2', 'image', { name, size: 224 }]],
      IMAGE_ROUNDS / 2,
    );
    await contest.end('ort 2');
  }
}

/** Texts alone, and one picture against labels never seen before. @param {Contest} contest */
export async function texts(contest) {
  await contest.ask('ocelli int8', 'start', { variant: 'relaxed' });
  await contest.ask('ocelli int8', 'loadClip', { dtype: 'int8' });
  await contest.ask('transformers', 'start', { threads: 1 });
  await contest.ask('ort', 'start', { threads: 1 });
  await contest.ask('ort', 'load', { name: 'clip-text.q8' });
  const all = words(100);
  for (const [name, some] of /** @type {[string, string[]][]} */ ([
    ['1 label', ['teapot']],
    ['100 labels', all],
  ])) {
    const prompts = some.map((word) => TEMPLATE.replace('{}', word));
    // What ONNX Runtime is given: token ids, padded to the longest.
    const { answer: ids } = await contest.ask('transformers', 'ids', { texts: prompts });
    const answers = await contest.rounds(
      [
        [`CLIP text, ${name}, ocelli int8`, 'ocelli int8', 'clipTexts', { texts: prompts }],
        [`CLIP text, ${name}, ORT int8`, 'ort', 'texts', { name: 'clip-text.q8', ...ids }],
      ],
      TEXT_ROUNDS,
    );
    const [ours, theirs] = Object.values(answers);
    const same = cosine(ours, theirs);
    assert.ok(same >= SAME_INT8, `The embeddings of ${name} differ: ${same}`);
  }
  for (const [round, template] of TEMPLATES.entries()) {
    const given = { labels: all, template };
    const contestants = /** @type {Contestant[]} */ ([
      ['100 new labels, ocelli int8', 'ocelli int8', 'tagNew', given],
      ['100 new labels, transformers.js', 'transformers', 'tagNew', given],
    ]);
    for (const contestant of contestants) {
      // The first round warms up.
      const { length } =
        round === 0 ? (await contest.ask(...rest(contestant))).answer : await contest.time(contestant);
      assert.equal(length, all.length);
    }
  }
  await contest.end('transformers', 'ort', 'ocelli int8');
}

/** @param {Contestant} contestant @returns {[string, string, object]} */
function rest([, worker, verb, given]) {
  return [worker, verb, given];
}
