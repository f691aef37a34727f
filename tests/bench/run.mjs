// The benchmark: `npm run bench [-- --quick]`, after `npm run bench:setup` and `npm run build:wasm`.
//
// ocelli and its peers on the same weights and pictures, each in a worker of headless Chromium, measured in turns:
// in every round each contestant is asked once, so that whatever slows the machine down slows all of them. The ratio
// is that of the fastest runs. A table goes to the terminal, everything to target/bench.json. Slow is never an error;
// answers that disagree are.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { findChrome } from '../../scripts/lib/find.mjs';
import { Failure, main, ROOT, say } from '../../scripts/lib/run.mjs';
import { VARIANTS } from '../../scripts/lib/variants.mjs';
import { serve } from '../../scripts/serve.mjs';
import { summarise, table } from './lib/statistics.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const CLIP_ROUNDS = 12;
const BLIP_ROUNDS = 4;
const LABEL_ROUNDS = 3;
/** Least cosine of two contestants' embeddings of the same picture. */
const SAME_F32 = 0.9999;
const SAME_INT8 = 0.99;

/** What the project set out to reach, as ratios of times. */
const COMPARISONS = [
  { name: 'CLIP image, ocelli int8', against: 'CLIP image, ORT int8', target: 0.55 },
  { name: 'CLIP image, ocelli int8, 2 threads', against: 'CLIP image, ORT int8, 2 threads', target: 0.6 },
  { name: 'CLIP image, ocelli f32', against: 'CLIP image, ORT f32', target: 0.75 },
  { name: 'CLIP image, ocelli int8, plain SIMD', against: 'CLIP image, ORT int8' },
  { name: '100 new labels, ocelli int8', against: '100 new labels, transformers.js', target: 0.25 },
  { name: 'BLIP image, ocelli int8', against: 'BLIP image, ORT int8', target: 0.6 },
];

await main(import.meta, async (args) => {
  const quick = args.includes('--quick');
  const bench = path.join(ROOT, 'target/bench');
  for (const needed of ['models/clip-image.onnx', 'peers/node_modules/onnxruntime-web']) {
    if (!existsSync(path.join(bench, needed))) throw new Failure('Run `npm run bench:setup` first.');
  }
  const executablePath = findChrome();
  if (!executablePath) throw new Failure('There is no Chromium: run `npm run setup` first.');
  const server = await serve({
    root: path.join(ROOT, 'tests/bench/contestants'),
    mounts: {
      '/pkg/': path.join(ROOT, 'pkg'),
      '/full/': path.join(ROOT, 'target/full'),
      '/models/': path.join(bench, 'models'),
      '/peers/': path.join(bench, 'peers/node_modules'),
    },
  });
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}worker.js`);
    const ask = asker(page);
    /** @type {Map<string, number[]>} */
    const times = new Map();
    const cosines = await clip(ask, times);
    await twoThreads(ask, times);
    await labels(ask, times);
    if (!quick) await blip(ask, times);
    const rows = summarise(times, COMPARISONS);
    say(`\n${table(rows)}\n`);
    for (const [name, cosine] of Object.entries(cosines)) {
      say(`cosine with ORT f32, ${name}: ${cosine.toFixed(5)}`);
    }
    const sizes = Object.fromEntries(VARIANTS.map(({ name }) => [name, wasmSize(name)]));
    const machine = {
      cpu: os.cpus()[0]?.model,
      cores: os.cpus().length,
      flags: cpuFlags(),
      chromium: browser.version(),
    };
    const report = { date: new Date().toISOString(), machine, rows, cosines, sizes };
    mkdirSync(path.join(ROOT, 'target'), { recursive: true });
    writeFileSync(path.join(ROOT, 'target/bench.json'), `${JSON.stringify(report, null, 1)}\n`);
    say(`Machine: ${JSON.stringify(machine)}. All of it is in target/bench.json.`);
  } finally {
    await browser.close();
    await server.close();
  }
});

/**
 * @typedef {(name: string, verb: string, given?: object) => Promise<{ ms: number, answer: any }>} Ask
 */

/** Starts contestants as they are named, and asks them. @param {import('playwright-core').Page} page @returns {Ask} */
function asker(page) {
  return async (name, verb, given) => {
    const reply = await page.evaluate(
      ({ name, verb, given }) => {
        const workers = (globalThis.contestants ??= {});
        const script = name.split(' ')[0];
        workers[name] ??= new Worker(`/${script}.js`, { type: 'module' });
        return new Promise((resolve) => {
          workers[name].onmessage = ({ data }) => resolve(data);
          workers[name].onerror = (event) =>
            resolve({ error: event.message || 'the script could not be loaded' });
          if (verb !== 'end') return workers[name].postMessage({ verb, given });
          workers[name].terminate();
          delete workers[name];
          resolve({ ms: 0 });
        });
      },
      { name, verb, given },
    );
    if (reply.error) throw new Failure(`${name}: ${reply.error}`);
    return reply;
  };
}

/** @param {Ask} ask @param {Map<string, number[]>} times */
async function clip(ask, times) {
  const ocelli = [
    ['ocelli int8', { variant: 'relaxed' }, 'int8'],
    ['ocelli int8, plain SIMD', { variant: 'simd128' }, 'int8'],
    ['ocelli f32', { variant: 'relaxed' }, 'f32'],
  ];
  const ort = [
    ['ort int8', 'ORT int8', 1, 'clip-image.q8'],
    ['ort f32', 'ORT f32', 1, 'clip-image'],
  ];
  /** @type {[string, string, string, object][]} */
  const contestants = [];
  for (const [name, start, dtype] of ocelli) {
    await ask(name, 'start', start);
    await ask(name, 'loadClip', { dtype });
    contestants.push([`CLIP image, ${name}`, name, 'clipImage', {}]);
  }
  for (const [worker, name, threads, file] of ort) {
    await ask(worker, 'start', { threads });
    await ask(worker, 'load', { name: file });
    contestants.push([`CLIP image, ${name}`, worker, 'image', { name: file, size: 224 }]);
  }
  const answers = await rounds(ask, times, contestants, CLIP_ROUNDS);
  const reference = answers['CLIP image, ORT f32'];
  const cosines = Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [name, cosine(answer, reference)]),
  );
  for (const [name, value] of Object.entries(cosines)) {
    assert.ok(value >= (name.includes('int8') ? SAME_INT8 : SAME_F32), `${name} answers otherwise: ${value}`);
  }
  for (const [worker] of [...ort, ...ocelli]) await ask(worker, 'end');
  return cosines;
}

/**
 * Pools of threads spin for a while when they have nothing to do, and would slow each other down: here only one
 * contestant is alive at a time, and each has its turn twice.
 * @param {Ask} ask
 * @param {Map<string, number[]>} times
 */
async function twoThreads(ask, times) {
  const name = 'clip-image.q8';
  for (let turn = 0; turn < 2; turn++) {
    await ask('ocelli 2', 'start', { variant: 'relaxed-threads', threads: 2 });
    await ask('ocelli 2', 'loadClip', { dtype: 'int8' });
    const ours = [['CLIP image, ocelli int8, 2 threads', 'ocelli 2', 'clipImage', {}]];
    await rounds(ask, times, ours, CLIP_ROUNDS / 2);
    await ask('ocelli 2', 'end');
    await ask('ort 2', 'start', { threads: 2 });
    await ask('ort 2', 'load', { name });
    const theirs = [['CLIP image, ORT int8, 2 threads', 'ort 2', 'image', { name, size: 224 }]];
    await rounds(ask, times, theirs, CLIP_ROUNDS / 2);
    await ask('ort 2', 'end');
  }
}

/** One picture against labels never seen before: both towers work. @param {Ask} ask @param {Map<string, number[]>} times */
async function labels(ask, times) {
  await ask('ocelli int8', 'start', { variant: 'relaxed' });
  await ask('ocelli int8', 'loadClip', { dtype: 'int8' });
  await ask('transformers', 'start', { threads: 1 });
  for (let round = 0; round < LABEL_ROUNDS; round++) {
    const fresh = Array.from({ length: 100 }, (_, i) => `thing number ${round} ${i}`);
    const [ours, theirs] = [
      await timed(ask, times, '100 new labels, ocelli int8', 'ocelli int8', 'tagNew', { labels: fresh }),
      await timed(ask, times, '100 new labels, transformers.js', 'transformers', 'tagNew', { labels: fresh }),
    ];
    assert.equal(ours.length, theirs.length);
  }
  for (const name of ['transformers', 'ocelli int8']) await ask(name, 'end');
}

/** @param {Ask} ask @param {Map<string, number[]>} times */
async function blip(ask, times) {
  await ask('ocelli blip', 'start', { variant: 'relaxed' });
  await ask('ocelli blip', 'loadBlip', { dtype: 'int8' });
  await ask('ort blip', 'start', { threads: 1 });
  await ask('ort blip', 'load', { name: 'blip-image.q8' });
  const answers = await rounds(
    ask,
    times,
    [
      ['BLIP image, ocelli int8', 'ocelli blip', 'blipImage', {}],
      ['BLIP image, ORT int8', 'ort blip', 'image', { name: 'blip-image.q8', size: 384 }],
      ['BLIP caption of 20 tokens, greedy, ocelli int8', 'ocelli blip', 'caption', {}],
    ],
    BLIP_ROUNDS,
  );
  const same = cosine(answers['BLIP image, ocelli int8'], answers['BLIP image, ORT int8']);
  assert.ok(same >= SAME_INT8, `BLIP's states differ: ${same}`);
}

/**
 * Asks each contestant once a round; the first round only warms up.
 * @param {Ask} ask
 * @param {Map<string, number[]>} times
 * @param {[string, string, string, object][]} contestants name of the row, worker, verb, what it is given
 * @param {number} count
 */
async function rounds(ask, times, contestants, count) {
  /** @type {Record<string, any>} */
  const answers = {};
  for (const [, worker, verb, given] of contestants) await ask(worker, verb, given);
  for (let round = 0; round < count; round++) {
    for (const [name, worker, verb, given] of contestants) {
      answers[name] = await timed(ask, times, name, worker, verb, given);
    }
  }
  return answers;
}

/**
 * @param {Ask} ask
 * @param {Map<string, number[]>} times
 * @param {string} row
 * @param {string} worker
 * @param {string} verb
 * @param {object} given
 */
async function timed(ask, times, row, worker, verb, given) {
  const { ms, answer } = await ask(worker, verb, given);
  times.set(row, [...(times.get(row) ?? []), ms]);
  return answer;
}

/** @param {number[]} a @param {number[]} b */
function cosine(a, b) {
  const dot = (/** @type {number[]} */ x, /** @type {number[]} */ y) =>
    x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** @param {string} variant */
function wasmSize(variant) {
  const file = path.join(ROOT, 'pkg/wasm', variant, 'ocelli_bg.wasm');
  return existsSync(file) ? statSync(file).size : null;
}

/** What decides how fast products of bytes are. */
function cpuFlags() {
  const info = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return ['avx2', 'avx_vnni', 'avx512_vnni'].filter((flag) => new RegExp(`\\b${flag}\\b`).test(info));
}
