// The benchmark: `npm run bench [-- --quick | --only clip,towers,loading,blip,growth,search]`, after `npm run bench:setup` and
// `npm run build:wasm`.
//
// ocelli and its peers on the same weights and pictures, each in a worker of headless Chromium, measured in turns:
// in every round each contestant is asked once, so that whatever slows the machine down slows all of them. The ratio
// is that of the fastest runs. A table goes to the terminal, everything to target/bench.json. Slow is never an error;
// answers that disagree are.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import { chromium } from 'playwright-core';
import { findChrome } from '../../scripts/lib/find.mjs';
import { Failure, main, ROOT, say } from '../../scripts/lib/run.mjs';
import { VARIANTS } from '../../scripts/lib/variants.mjs';
import { serve } from '../../scripts/serve.mjs';
import { Contest } from './lib/contest.mjs';
import { grid, summarise, table } from './lib/statistics.mjs';
import * as blip from './parts/blip.mjs';
import * as clip from './parts/clip.mjs';
import { growth } from './parts/growth.mjs';
import * as loading from './parts/loading.mjs';
import * as searching from './parts/search.mjs';
import * as towers from './parts/towers.mjs';

const FULL = path.join(ROOT, 'target/full');
const BENCH = path.join(ROOT, 'target/bench');
const CANDLE = path.join(BENCH, 'peers/candle');
const DATA = process.env.OCELLI_TRAINING_DATA ?? path.join(ROOT, '../shared/data');
const NEEDED = ['models/lite0.qdq.onnx', 'peers/node_modules/onnxruntime-web', 'peers/candle/candle.js'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

await main(import.meta, async (args) => {
  const parts = chosenParts(args);
  // candle has no convolutional towers.
  const needed = [...parts].every((part) => part === 'towers') ? NEEDED.slice(0, 2) : NEEDED;
  // And searches need no models.
  const isSearch = [...parts].every((part) => part === 'search');
  if (!isSearch && !needed.every((file) => existsSync(path.join(BENCH, file)))) {
    throw new Failure('Run `npm run bench:setup` first.');
  }
  const executablePath = findChrome();
  if (!executablePath) throw new Failure('There is no Chromium: run `npm run setup` first.');
  const server = await serve({
    root: path.join(ROOT, 'tests/bench/contestants'),
    mounts: {
      '/pkg/': path.join(ROOT, 'pkg'),
      '/full/': FULL,
      '/models/': path.join(BENCH, 'models'),
      '/peers/': path.join(BENCH, 'peers/node_modules'),
      '/candle/': CANDLE,
      '/data/': DATA,
    },
  });
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}worker.js`);
    const contest = new Contest(page);
    const cosines = {};
    const more = {};
    if (parts.has('clip')) {
      Object.assign(cosines, await clip.images(contest));
      await clip.twoThreads(contest);
      await clip.texts(contest);
    }
    if (parts.has('towers')) Object.assign(cosines, await towers.towers(contest));
    if (parts.has('loading')) {
      await loading.loading(contest);
      Object.assign(more, { memory: await loading.memory(contest, FULL) });
    }
    if (parts.has('blip')) await blip.blip(contest);
    if (parts.has('search')) {
      const found = await searching.search(contest);
      Object.assign(more, { search: found, recall: await searching.recall(contest, DATA) });
    }
    if (parts.has('growth')) Object.assign(more, { growth: await growth(contest) });
    const comparisons = [clip, towers, loading, blip, searching].flatMap(({ COMPARISONS }) => COMPARISONS);
    const rows = summarise(contest.times, comparisons);
    const machine = {
      cpu: os.cpus()[0]?.model,
      cores: os.cpus().length,
      flags: cpuFlags(),
      chromium: browser.version(),
    };
    const report = { date: new Date().toISOString(), machine, rows, cosines, ...more, sizes: await sizes() };
    mkdirSync(path.join(ROOT, 'target'), { recursive: true });
    writeFileSync(path.join(ROOT, 'target/bench.json'), `${JSON.stringify(report, null, 1)}\n`);
    print(report);
  } finally {
    await browser.close();
    await server.close();
  }
});

/** @param {string[]} args @returns {Set<string>} */
function chosenParts(args) {
  const all = ['clip', 'towers', 'loading', 'blip', 'growth', 'search'];
  const options = /** @type {const} */ ({ quick: { type: 'boolean' }, only: { type: 'string' } });
  const { quick, only } = parseArgs({ args, options }).values;
  const names = only?.split(',') ?? (quick ? all.slice(0, 2) : all);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new Failure(`There is no part \`${unknown}\`; they are ${all.join(', ')}.`);
  }
  return new Set(names);
}

/** @param {any} report */
function print({ machine, rows, cosines, memory, growth, search, recall, sizes }) {
  say(`\n${table(rows)}\n`);
  for (const [name, cosine] of Object.entries(cosines)) {
    say(`cosine with ORT f32, ${name}: ${cosine.toFixed(5)}`);
  }
  if (memory) {
    const cells = memory.map(({ name, int8, small, all, ratio }) => [
      name,
      ...[int8, all, small].map((bytes) => (bytes / 1e6).toFixed(0)),
      ratio.toFixed(2),
    ]);
    const head = ['memory, MB', 'int8 weights', 'peak', 'of it tokenizer', 'rest / weights'];
    say(`\n${grid([head, ...cells], [1, 2, 3, 4])}`);
  }
  if (growth) {
    const cells = growth.map(({ what, count, ms }) => [
      what,
      `${count}`,
      ms.toFixed(0),
      (ms / count).toFixed(2),
    ]);
    say(`\n${grid([['what', 'count', 'ms', 'ms each'], ...cells], [1, 2, 3])}`);
  }
  if (search) {
    const cells = search.map(({ who, build, memory: bytes, recall: share, ms }) => [
      who,
      ms.toFixed(2),
      (build / 1000).toFixed(1),
      (bytes / 1e6).toFixed(0),
      share.toFixed(3),
    ]);
    const head = ['search', 'ms a query', 'built in s', 'memory, MB', 'recall at 50'];
    say(`\n${grid([head, ...cells], [1, 2, 3, 4])}`);
  }
  if (recall) {
    say(
      `\nint8 against float32, of ${recall.queries} photographs' parts: recall at 10 ${recall.recall.toFixed(4)}`,
    );
  }
  const cells = sizes.map(({ name, bytes, brotli }) => [name, `${bytes}`, `${brotli}`]);
  say(`\n${grid([['wasm', 'bytes', 'in brotli'], ...cells], [1, 2])}`);
  say(`\nMachine: ${JSON.stringify(machine)}. All of it is in target/bench.json.`);
}

/** Every contestant's wasm, as it is and compressed. */
async function sizes() {
  const peers = path.join(BENCH, 'peers/node_modules/onnxruntime-web/dist');
  const files = [
    ...VARIANTS.map(({ name }) => [`ocelli, ${name}`, path.join(ROOT, 'pkg/wasm', `${name}_bg.wasm`)]),
    ['ONNX Runtime Web', path.join(peers, 'ort-wasm-simd-threaded.wasm')],
    ["candle's CLIP and BLIP", path.join(CANDLE, 'candle_bg.wasm')],
  ].filter(([, file]) => existsSync(file));
  return Promise.all(
    files.map(async ([name, file]) => {
      const bytes = readFileSync(file);
      return { name, bytes: bytes.length, brotli: (await promisify(brotliCompress)(bytes)).length };
    }),
  );
}

/** What decides how fast products of bytes are. */
function cpuFlags() {
  const info = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return ['avx2', 'avx_vnni', 'avx512_vnni'].filter((flag) => new RegExp(`\\b${flag}\\b`).test(info));
}
