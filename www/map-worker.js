/**
 * Places vectors in two dimensions, those that are alike near each other (UMAP: McInnes, Healy and Melville 2018). Of many a sample is
 * arranged, and the others go where those are that they are most like. The same vectors always get the same places.
 */

import { UMAP } from 'umap-js';

/** Vectors that are arranged by themselves: what a minute suffices for on a slow machine. */
const SAMPLE = 1500;
/** Neighbours that each is placed by, where there are many; of few, a part: were all of them neighbours, none would be near. */
const NEIGHBOURS = 15;
const LEAST_NEIGHBOURS = 4;
const PART = 1 / 5;
const ROUNDS = 200;
/** Of those beside the sample, how many of it each is placed by. */
const NEAREST = 3;

addEventListener('message', ({ data: { vectors, count, dims } }) => {
  const rows = Array.from({ length: count }, (_, i) => vectors.subarray(i * dims, (i + 1) * dims));
  const step = Math.max(1, count / SAMPLE);
  const chosen = new Set(Array.from({ length: Math.min(count, SAMPLE) }, (_, i) => Math.floor(i * step)));
  const sample = [...chosen];
  const arranged = arrange(sample.map((i) => rows[i]));
  const places = new Float32Array(2 * count);
  sample.forEach((i, k) => places.set(arranged[k] ?? [0, 0], 2 * i));
  rows.forEach((row, i) => {
    if (!chosen.has(i)) places.set(beside(row, sample, rows, places), 2 * i);
  });
  postMessage({ places }, { transfer: [places.buffer] });
});

/** @param {Float32Array[]} rows @returns {number[][]} */
function arrange(rows) {
  // So few have no neighbourhoods.
  if (rows.length < 4) return rows.map((_, i) => [i, 0]);
  const neighbours = Math.min(NEIGHBOURS, Math.max(LEAST_NEIGHBOURS, Math.round(PART * rows.length)));
  const umap = new UMAP({
    nNeighbors: Math.min(neighbours, rows.length - 1),
    nEpochs: ROUNDS,
    minDist: 0.2,
    random: seeded(),
    distanceFn: (a, b) => 1 - dot(a, b),
  });
  const rounds = umap.initializeFit(/** @type {any} */ (rows));
  for (let round = 0; round < rounds; round++) {
    umap.step();
    if (round % 5 === 0) postMessage({ done: round, all: rounds });
  }
  return umap.getEmbedding();
}

/**
 * @param {Float32Array} row
 * @param {number[]} sample
 * @param {Float32Array[]} rows
 * @param {Float32Array} places of the sample
 * @returns {[number, number]}
 */
function beside(row, sample, rows, places) {
  const near = sample
    .map((i) => ({ i, cosine: dot(row, rows[i] ?? row) }))
    .sort((a, b) => b.cosine - a.cosine)
    .slice(0, NEAREST);
  const weights = near.map(({ cosine }) => 1 / (1.001 - Math.min(1, cosine)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const at = (/** @type {0 | 1} */ axis) =>
    near.reduce((total, { i }, k) => total + (places[2 * i + axis] ?? 0) * ((weights[k] ?? 0) / sum), 0);
  return [at(0), at(1)];
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Numbers from 0 to 1 that are always the same (mulberry32). */
function seeded() {
  let state = 7;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
