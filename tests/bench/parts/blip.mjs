// BLIP: what it makes of a picture, and captions of 20 tokens.

import assert from 'node:assert/strict';

/** @import { Contest } from '../lib/contest.mjs' */

const ROUNDS = 4;
/** A caption by candle takes most of a minute. */
const CANDLE_ROUNDS = 1;
const GREEDY = 'BLIP caption of 20 tokens, greedy';
const BEAMS = 'BLIP caption of 20 tokens, 3 beams';

export const COMPARISONS = [
  { name: 'BLIP image, ocelli int8', against: 'BLIP image, ORT int8', target: 0.6 },
  { name: 'BLIP image, ocelli f32', against: 'BLIP image, ORT f32' },
  { name: `${GREEDY}, ocelli int8`, against: `${GREEDY}, candle f32` },
  { name: `${BEAMS}, ocelli int8`, against: `${GREEDY}, candle f32`, target: 0.15 },
  {
    name: `${BEAMS}, ocelli int8, image left out`,
    against: `${GREEDY}, ocelli int8, image left out`,
    target: 1.6,
  },
];

/** @param {Contest} contest */
export async function blip(contest) {
  for (const [dtype, file] of [
    ['int8', 'blip-image.q8'],
    ['f32', 'blip-image'],
  ]) {
    const [ours, theirs] = [`ocelli ${dtype}`, `ort ${dtype}`];
    await contest.ask(ours, 'start', { variant: 'relaxed' });
    await contest.ask(ours, 'loadBlip', { dtype });
    await contest.ask(theirs, 'start', { threads: 1 });
    await contest.ask(theirs, 'load', { name: file });
    await contest.rounds(
      [
        [`BLIP image, ocelli ${dtype}`, ours, 'blipImage', {}],
        [`BLIP image, ORT ${dtype}`, theirs, 'image', { name: file, size: 384 }],
      ],
      dtype === 'int8' ? ROUNDS : ROUNDS / 2,
    );
    await contest.end(theirs);
    if (dtype === 'int8') await captions(contest, ours);
    await contest.end(ours);
  }
  await contest.ask('candle', 'start');
  await contest.ask('candle', 'loadBlip');
  for (let round = 0; round < CANDLE_ROUNDS; round++) {
    const ids = await contest.time([`${GREEDY}, candle f32`, 'candle', 'caption', {}]);
    assert.equal(ids.length, 21);
  }
  await contest.end('candle');
}

/** @param {Contest} contest @param {string} worker */
async function captions(contest, worker) {
  const length = { minTokens: 20, maxTokens: 20 };
  /** @type {[string, object][]} */
  const searches = [
    [GREEDY, length],
    [BEAMS, { ...length, numBeams: 3 }],
  ];
  for (const [, options] of searches) await contest.ask(worker, 'caption', options);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, options] of searches) {
      const { ms, answer } = await contest.ask(worker, 'caption', options);
      for (const [row, time] of [
        [`${name}, ocelli int8`, ms],
        [`${name}, ocelli int8, image left out`, ms - answer.imageMs],
      ]) {
        contest.times.set(row, [...(contest.times.get(row) ?? []), time]);
      }
    }
  }
}
