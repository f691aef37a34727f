// Other towers than CLIP's: SigLIP B/16, CLIP's RN50 and EfficientNet-Lite0 for pictures, against every form that ONNX Runtime
// Web may be given; XLM-RoBERTa base for texts.

import assert from 'node:assert/strict';
import { cosine } from '../lib/contest.mjs';

/** @import { Contest, Contestant } from '../lib/contest.mjs' */

const ROUNDS = 10;
/** Least cosine of ocelli's embedding and that of ONNX Runtime in f32. */
const SAME_F32 = 0.9999;
const SAME_INT8 = 0.98;
const SIZE = 224;
/** What all models want of pixels: (x - 127) / 128. */
const PIXELS = { mean: [127, 127, 127].map((x) => x / 255), deviation: [128, 128, 128].map((x) => x / 255) };
/** What ONNX Runtime Web is given; the fastest of them counts. */
const FORMS = /** @type {const} */ ([
  ['f32', ''],
  ['dynamic int8', '.q8'],
  ['static int8', '.qdq'],
]);
const NAMES = /** @type {const} */ ([
  ['siglip', 'SigLIP B/16', 0.48],
  ['rn50', 'RN50', 0.7],
  ['lite0', 'EfficientNet-Lite0', 0.7],
]);

/** Texts of XLM-RoBERTa: how many, and the tokens of each, all of them words. */
const TEXTS = /** @type {const} */ ([
  ['1 text', 1, 16],
  ['32 texts', 32, 16],
]);

export const COMPARISONS = [
  ...TEXTS.map(([what]) => ({
    name: `XLM-RoBERTa, ${what}, ocelli int8`,
    against: [`XLM-RoBERTa, ${what}, ORT dynamic int8`],
    target: 0.5,
  })),
  ...NAMES.flatMap(([, name, target]) => [
    { name: `${name}, ocelli int8`, against: FORMS.map(([form]) => `${name}, ORT ${form}`), target },
    { name: `${name}, ocelli f32`, against: [`${name}, ORT f32`] },
  ]),
  {
    name: 'EfficientNet-Lite0 beside CLIP, ocelli int8',
    against: ['CLIP beside EfficientNet-Lite0, ocelli int8'],
    target: 0.3,
  },
];

/** @param {Contest} contest @returns {Promise<Record<string, number>>} cosines with the f32 of ONNX Runtime */
export async function towers(contest) {
  /** @type {Record<string, number>} */
  const cosines = {};
  for (const [file, name] of NAMES) {
    const answers = await contest.rounds(await contestants(contest, file, name), ROUNDS);
    const reference = answers[`${name}, ORT f32`];
    for (const [row, answer] of Object.entries(answers)) {
      cosines[row] = cosine(answer, reference);
      const least = row.includes('ocelli f32') ? SAME_F32 : row.includes('ocelli') ? SAME_INT8 : 0;
      assert.ok(cosines[row] >= least, `${row} answers otherwise: ${cosines[row]}`);
    }
    await contest.end('ort tower', 'ocelli int8', 'ocelli f32');
  }
  Object.assign(cosines, await readers(contest));
  await besideClip(contest);
  return cosines;
}

/** Texts of as many tokens for both, none of them padding. @param {Contest} contest @returns {Promise<Record<string, number>>} */
async function readers(contest) {
  /** @type {Record<string, number>} */
  const cosines = {};
  await contest.ask('ocelli int8', 'start', { variant: 'relaxed' });
  await contest.ask('ocelli int8', 'loadTower', { name: 'xlm_roberta', dtype: 'int8' });
  await contest.ask('ort tower', 'start', { threads: 1 });
  await contest.ask('ort tower', 'loadAll', { names: ['xlm_roberta', 'xlm_roberta.q8'] });
  for (const [what, rows, length] of TEXTS) {
    const words = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: length - 2 }, (_, i) => 4 + ((7919 * row + 104_729 * i) % 249_000)),
    );
    const ids = words.flatMap((row) => [0, ...row, 2]);
    const given = { rows, length, ids, mask: ids.map(() => 1) };
    const texts = words.map((row) => row.map((id) => `w${id}`).join(' '));
    const row = (/** @type {string} */ by) => `XLM-RoBERTa, ${what}, ${by}`;
    const { answer: exact } = await contest.ask('ort tower', 'texts', { name: 'xlm_roberta', ...given });
    const answers = await contest.rounds(
      [
        [row('ocelli int8'), 'ocelli int8', 'towerTexts', { name: 'xlm_roberta', texts }],
        [row('ORT dynamic int8'), 'ort tower', 'texts', { name: 'xlm_roberta.q8', ...given }],
      ],
      ROUNDS,
    );
    for (const [name, answer] of Object.entries(answers)) cosines[name] = cosine(answer, exact);
    const same = cosines[row('ocelli int8')] ?? 0;
    assert.ok(same >= SAME_INT8, `ocelli answers otherwise: ${same}`);
  }
  await contest.end('ort tower', 'ocelli int8');
  return cosines;
}

/** @param {Contest} contest @param {string} file @param {string} name @returns {Promise<Contestant[]>} */
async function contestants(contest, file, name) {
  /** @type {Contestant[]} */
  const all = [];
  for (const dtype of ['int8', 'f32']) {
    const worker = `ocelli ${dtype}`;
    await contest.ask(worker, 'start', { variant: 'relaxed' });
    await contest.ask(worker, 'loadTower', { name: file, dtype });
    all.push([`${name}, ${worker}`, worker, 'towerImage', { name: file, size: SIZE }]);
  }
  await contest.ask('ort tower', 'start', { threads: 1 });
  for (const [form, ending] of FORMS) {
    const given = `${file}${ending}`;
    await contest.ask('ort tower', 'load', { name: given });
    all.push([`${name}, ORT ${form}`, 'ort tower', 'image', { name: given, size: SIZE, ...PIXELS }]);
  }
  return all;
}

/** The smallest tower and the usual one, in turns. @param {Contest} contest */
async function besideClip(contest) {
  await contest.ask('ocelli int8', 'start', { variant: 'relaxed' });
  await contest.ask('ocelli int8', 'loadClip', { dtype: 'int8' });
  await contest.ask('ocelli int8', 'loadTower', { name: 'lite0', dtype: 'int8' });
  await contest.rounds(
    [
      ['CLIP beside EfficientNet-Lite0, ocelli int8', 'ocelli int8', 'clipImage', {}],
      [
        'EfficientNet-Lite0 beside CLIP, ocelli int8',
        'ocelli int8',
        'towerImage',
        { name: 'lite0', size: SIZE },
      ],
    ],
    ROUNDS,
  );
  await contest.end('ocelli int8');
}
