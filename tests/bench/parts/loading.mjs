// Starting: the first time, the times after it, and what it takes of memory.

import assert from 'node:assert/strict';
import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';

/** @import { Contest } from '../lib/contest.mjs' */

const ROUNDS = 3;

export const COMPARISONS = [
  { name: 'CLIP start, cold, ocelli int8', against: 'CLIP start, ORT int8' },
  { name: 'CLIP start, kept, ocelli int8', against: 'CLIP start, ORT int8', target: 0.5 },
];

/**
 * The whole of a start, each in a worker that is new: ocelli's from the safetensors file of f32 (cold) and from what
 * it kept (warm); ONNX Runtime's of both int8 towers.
 * @param {Contest} contest
 */
export async function loading(contest) {
  for (let round = 0; round < ROUNDS; round++) {
    await contest.ask('ocelli', 'forget');
    await contest.end('ocelli');
    for (const [row, phase] of [
      ['cold', 'download'],
      ['kept', 'cache'],
    ]) {
      const phases = await contest.time([`CLIP start, ${row}, ocelli int8`, 'ocelli', 'startKept', {}]);
      assert.equal(phases[0], phase);
      await contest.end('ocelli');
    }
    await contest.ask('ort', 'start', { threads: 1 });
    await contest.time([
      'CLIP start, ORT int8',
      'ort',
      'loadAll',
      { names: ['clip-image.q8', 'clip-text.q8'] },
    ]);
    await contest.end('ort');
  }
}

/** Models, the verb that loads them, and their weights below target/full. */
const LOADED = /** @type {const} */ ([
  ['CLIP B/32', 'loadClip', {}, 'openai/clip-vit-base-patch32/resolve/refs/pr/15'],
  ['BLIP base', 'loadBlip', {}, 'Salesforce/blip-image-captioning-base/resolve/main'],
  ['SigLIP B/16, pictures', 'loadTower', { name: 'siglip' }, 'towers/siglip'],
  ['RN50', 'loadTower', { name: 'rn50' }, 'towers/rn50'],
  ['XLM-RoBERTa base, texts', 'loadTower', { name: 'xlm_roberta' }, 'towers/xlm_roberta'],
]);

/**
 * Wasm memory after loading as int8: it never shrinks, so this is its peak. What tokenizer and configuration take is told
 * apart.
 *
 * @param {Contest} contest
 * @param {string} full the folder of the models
 */
export async function memory(contest, full) {
  const rows = [];
  for (const [name, verb, given, folder] of LOADED) {
    await contest.ask('ocelli memory', 'start', { variant: 'relaxed' });
    const { answer } = await contest.ask('ocelli memory', verb, { ...given, dtype: 'int8' });
    await contest.end('ocelli memory');
    const int8 = parameters(path.join(full, folder, 'model.safetensors'));
    rows.push({ name, int8, ...answer, ratio: (answer.all - answer.small) / int8 });
  }
  return rows;
}

/** How many numbers a file of safetensors has: as int8, about as many bytes. @param {string} file */
function parameters(file) {
  const source = openSync(file, 'r');
  try {
    const length = Buffer.alloc(8);
    readSync(source, length);
    const header = Buffer.alloc(Number(length.readBigUInt64LE()));
    readSync(source, header);
    const shapes = Object.entries(JSON.parse(header.toString())).filter(([name]) => name !== '__metadata__');
    return shapes.reduce(
      (sum, [, { shape }]) =>
        sum + shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1),
      0,
    );
  } finally {
    closeSync(source);
  }
}
