// Starting: the first time, the times after it, and what it takes of memory.

import assert from 'node:assert/strict';

/** @import { Contest } from '../lib/contest.mjs' */

const ROUNDS = 3;
/** Numbers in the matrices and vectors of CLIP B/32: as int8, about as many bytes. */
const PARAMETERS = 151_277_313;

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

/** Wasm memory after loading CLIP as int8: it never shrinks, so this is its peak. @param {Contest} contest */
export async function memory(contest) {
  await contest.ask('ocelli memory', 'start', { variant: 'relaxed' });
  await contest.ask('ocelli memory', 'loadClip', { dtype: 'int8' });
  const { answer: bytes } = await contest.ask('ocelli memory', 'memory');
  await contest.end('ocelli memory');
  return { bytes, ratio: bytes / PARAMETERS };
}
