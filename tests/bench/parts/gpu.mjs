// Image towers on the GPU of a browser: pixels in, embeddings or states out.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { say } from '../../../scripts/lib/run.mjs';
import { cosine } from '../lib/contest.mjs';

/** @import { Contest, Contestant } from '../lib/contest.mjs' */

/** Least cosine of the embeddings of the same picture. */
const SAME = { f32: 0.9999, f16: 0.999, int8: 0.99 };

/** What is compared: how ocelli's verbs and the peer's files name it, and how large its pictures are. */
const MODELS = {
  'CLIP B/32': { name: 'clip', verb: 'loadClip', file: 'clip-image', size: 224, embeds: true },
  // What texts see is computed by ocelli here, and by no file of the peer's.
  'BLIP base': { name: 'blip', verb: 'loadBlip', file: 'blip-image', size: 384, embeds: false },
};

const ours = (/** @type {string} */ title, /** @type {string} */ dtype) => `${title}, ocelli ${dtype}`;
const theirs = (/** @type {string} */ title, /** @type {string} */ dtype) => `${title}, ORT ${dtype}`;

export const COMPARISONS = Object.keys(MODELS).flatMap((title) =>
  ['int8', 'f16', 'f32'].map((dtype) => ({
    name: ours(title, dtype),
    against: [theirs(title, 'f16'), theirs(title, 'f32')],
    target: 0.7,
  })),
);

/**
 * @param {Contest} contest
 * @param {{ models: string, rounds: number, small: boolean }} how the folder of the peer's files; `small`: CLIP in one dtype alone
 */
export async function gpu(contest, { models, rounds, small }) {
  for (const [title, { name, verb, file, size, embeds }] of Object.entries(MODELS).slice(0, small ? 1 : 2)) {
    /** @type {Contestant[]} */
    const contestants = [];
    for (const dtype of small ? ['int8'] : ['int8', 'f16', 'f32']) {
      const worker = `ocelli ${dtype}`;
      await contest.ask(worker, 'start', { variant: 'relaxed' });
      await contest.ask(worker, verb, { dtype });
      const { answer } = await contest.ask(worker, 'takeGpu', { name });
      say(`${title}, ${dtype}: ${answer}`);
      contestants.push([ours(title, dtype), worker, 'gpuImage', { name, size }]);
    }
    for (const [dtype, source] of [
      ['f32', file],
      ['f16', `${file}.f16`],
    ]) {
      if (!existsSync(path.join(models, `${source}.onnx`))) {
        say(`${title}: no ${source}.onnx, so ONNX Runtime is not measured in ${dtype}.`);
        continue;
      }
      const worker = `ort-gpu ${dtype}`;
      await contest.ask(worker, 'start');
      await contest.ask(worker, 'load', { name: source });
      contestants.push([theirs(title, dtype), worker, 'image', { name: source, size }]);
    }
    const answers = await contest.rounds(contestants, rounds);
    if (embeds) compare(answers, answers[theirs(title, 'f32')]);
    await contest.end(...contestants.map(([, worker]) => worker));
  }
}

/** @param {Record<string, number[]>} answers @param {number[]} [reference] */
function compare(answers, reference) {
  for (const [row, answer] of Object.entries(reference ? answers : {})) {
    const least = SAME[/** @type {keyof typeof SAME} */ (row.split(' ').at(-1))];
    const same = cosine(answer, reference ?? []);
    assert.ok(same >= least, `${row} answers otherwise: ${same}`);
  }
}
