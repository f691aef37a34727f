// Searches of a hundred thousand vectors, against a plain read of as many bytes and against what npm has; and how much eight bits
// lose on features of photographs.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import binaryen from 'binaryen';
import { say } from '../../../scripts/lib/run.mjs';
import { median } from '../lib/statistics.mjs';

/** @import { Contest } from '../lib/contest.mjs' */

const WIDTH = 512;
const TOP = 50;
const QUERIES = 10;
const ROUNDS = 5;
/** Photographs whose features are compared. */
const PHOTOGRAPHS = 1000;
const name = (/** @type {string} */ who) => `search, ${who}`;

/** Whose answers are exact: they are asked in turns. */
const EXACT = ['ocelli', 'read', 'edgevec', 'voy'];

export const COMPARISONS = [
  { name: name('ocelli'), against: name('read'), target: 1.2 },
  { name: name('edgevec'), against: name('ocelli') },
  { name: name('voy'), against: name('ocelli') },
  { name: name('hnswlib'), against: name('ocelli') },
];

/** Four sums of four numbers each, so that no addition waits for the one before it. */
const READ = `(module
  (memory (export "memory") 1)
  (func (export "sum") (param $at i32) (param $end i32) (result i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (loop $next
      (local.set $a (i32x4.add (local.get $a) (v128.load (local.get $at))))
      (local.set $b (i32x4.add (local.get $b) (v128.load offset=16 (local.get $at))))
      (local.set $c (i32x4.add (local.get $c) (v128.load offset=32 (local.get $at))))
      (local.set $d (i32x4.add (local.get $d) (v128.load offset=48 (local.get $at))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $end))))
    (i32x4.extract_lane 0 (i32x4.add
      (i32x4.add (local.get $a) (local.get $b)) (i32x4.add (local.get $c) (local.get $d))))))`;

/**
 * @param {Contest} contest
 * @param {{ count?: number, hnsw?: boolean }} [options] fewer vectors, to see the shape of it
 */
export async function search(contest, { count = Number(process.env.OCELLI_BENCH_VECTORS ?? 100_000) } = {}) {
  const read = [...binaryenModule()];
  const rows = [];
  const worker = (/** @type {string} */ who) => `search ${who}`;
  const given = { count, width: WIDTH, queryCount: QUERIES, read };
  const right = await build('exact');
  await contest.end(worker('exact'));
  /** @type {string[]} */
  const there = [];
  for (const who of EXACT) if (await build(who)) there.push(who);
  const find = (/** @type {string} */ who) =>
    /** @type {[string, string, string, object]} */ ([name(who), worker(who), 'find', { top: TOP }]);
  await contest.rounds(there.map(find), ROUNDS);
  await contest.end(...there.filter((who) => who !== 'ocelli').map(worker));
  if (await build('hnswlib')) await contest.rounds([find('ocelli'), find('hnswlib')], ROUNDS);
  for (const row of rows) row.ms = median(contest.times.get(name(row.who)) ?? [Number.NaN]) / QUERIES;
  await contest.end(worker('ocelli'), worker('hnswlib'));
  return rows;

  /** Builds an index, and sees how much of what is right it finds. @param {string} who */
  async function build(who) {
    try {
      const { ms } = await contest.ask(worker(who), 'build', { who, ...given });
      const { answer } = await contest.ask(worker(who), 'find', { top: TOP });
      const { answer: memory } = await contest.ask(worker(who), 'memory');
      if (who !== 'exact' && who !== 'read') {
        rows.push({ who, build: ms, memory, recall: recallOf(answer, right), ms: Number.NaN });
      }
      return answer;
    } catch (error) {
      say(`search, ${who}: left out. ${/** @type {Error} */ (error).message}`);
      await contest.end(worker(who));
      return null;
    }
  }
}

/** @param {number[][]} found @param {number[][]} right */
function recallOf(found, right) {
  const shares = right.map((places, query) => {
    const set = new Set(places);
    return (found[query] ?? []).filter((place) => set.has(place)).length / places.length;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

function binaryenModule() {
  const module = binaryen.parseText(READ);
  module.setFeatures(binaryen.Features.SIMD128);
  try {
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/**
 * Of photographs and their parts, the share of the ten nearest in float32 that the index finds.
 *
 * @param {Contest} contest
 * @param {string} data the folder of the photographs
 * @returns {Promise<{ recall: number, queries: number } | null>} null where there are none
 */
export async function recall(contest, data) {
  const list = path.join(data, 'photos.csv');
  if (!existsSync(list)) return null;
  const rows = readFileSync(list, 'utf8').trim().split('\n').slice(1);
  const test = rows.map((row) => row.split(',')).filter(([, , split]) => split === 'test');
  const step = Math.max(1, Math.floor(test.length / PHOTOGRAPHS));
  const urls = test.filter((_, place) => place % step === 0).map(([file]) => `/data/photos/${file}`);
  const { answer } = await contest.ask('features', 'recall', { urls: urls.slice(0, PHOTOGRAPHS) });
  await contest.end('features');
  return answer;
}
