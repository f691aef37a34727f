// Where the time goes: `npm run profile [-- int8|f16|f32]`, after `npm run bench:setup`.
//
// Chromium's own profiler looks at ocelli's wasm every tenth of a millisecond while it works. What it sees are
// functions; each is counted to the kind of work it does, by the part of the source that it comes from.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { buildNamed } from '../../scripts/build-wasm.mjs';
import { findChrome } from '../../scripts/lib/find.mjs';
import { Failure, main, ROOT, say } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { grid } from './lib/statistics.mjs';
import { labels } from './lib/words.mjs';

/** Microseconds between two looks. */
const INTERVAL = 100;
/** The wasm whose functions have names. */
const NAMED_WASM = 'target/bench/named';
/** Functions that are named below each table. */
const NAMED = 6;

/** What tells one build of a crate from another, in the names of its functions. */
const CRATE_HASH = /\[[0-9a-f]{8,}\]/g;
/** The kinds of work, by the first pattern that a function's name fits. @type {[string, RegExp][]} */
const KINDS = [
  ['linear layers, with quantising', /kernels::(gemm|tile|quantize)/],
  ['attention', /kernels::attention/],
  ['layer norm', /(kernels|nn)::norm/],
  ['candle: copies, sums, shapes', /candle_core/],
  ['pictures', /ocelli::image|image::/],
  ['tokenizer', /tokenizers|ocelli::text/],
  ['memory', /mem(cpy|set|move)|alloc/],
];

/** @type {{ name: string, load: string, verb: string, given: object, times: number }[]} */
const WORK = [
  { name: 'CLIP B/32, one picture', load: 'loadClip', verb: 'clipImage', given: {}, times: 20 },
  {
    name: 'CLIP B/32, 32 labels',
    load: 'loadClip',
    verb: 'clipTexts',
    given: { texts: labels(32).map((label) => `a photo of a ${label}.`) },
    times: 20,
  },
  { name: 'BLIP base, one picture', load: 'loadBlip', verb: 'blipImage', given: {}, times: 3 },
  {
    name: 'BLIP base, picture and caption of 20 tokens',
    load: 'loadBlip',
    verb: 'caption',
    given: { minTokens: 20, maxTokens: 20 },
    times: 3,
  },
];

await main(import.meta, async ([dtype = 'int8']) => {
  if (!existsSync(path.join(ROOT, 'target/full'))) throw new Failure('Run `npm run bench:setup` first.');
  const executablePath = findChrome();
  if (!executablePath) throw new Failure('There is no Chromium: run `npm run setup` first.');
  say('Profile: building a wasm with names', 'a minute after a change');
  await buildNamed(NAMED_WASM);
  const server = await serve({
    root: path.join(ROOT, 'tests/bench/contestants'),
    mounts: {
      '/pkg/wasm/relaxed.js': () => path.join(ROOT, NAMED_WASM, 'relaxed.js'),
      '/pkg/wasm/relaxed_bg.wasm': () => path.join(ROOT, NAMED_WASM, 'relaxed_bg.wasm'),
      '/pkg/': path.join(ROOT, 'pkg'),
      '/full/': path.join(ROOT, 'target/full'),
    },
  });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    for (const work of WORK) {
      // A page of its own: the one before is given back with its memory.
      const page = await browser.newPage();
      await page.goto(`${server.url}worker.js`);
      print(work, await profile(page, work, dtype));
      await page.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
});

/**
 * @param {import('playwright-core').Page} page
 * @param {WORK[number]} work
 * @param {string} dtype
 * @returns {Promise<Map<string, number>>} milliseconds of each function, for one time
 */
async function profile(page, { load, verb, given, times }, dtype) {
  const run = (/** @type {{ verb: string, given: object, times: number }} */ what) =>
    page.evaluate(async ({ verb, given, times }) => {
      const { verbs } = await import(`${location.origin}/ocelli-verbs.js`);
      for (let i = 0; i < times; i++) await verbs[verb](given);
    }, what);
  await run({ verb: 'start', given: { variant: 'relaxed' }, times: 1 });
  await run({ verb: load, given: { dtype }, times: 1 });
  await run({ verb, given, times: 1 });
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.setSamplingInterval', { interval: INTERVAL });
  await session.send('Profiler.start');
  await run({ verb, given, times });
  const { profile } = await session.send('Profiler.stop');
  const names = new Map(
    profile.nodes.map(({ id, callFrame }) => [id, callFrame.functionName.replace(CRATE_HASH, '')]),
  );
  /** @type {Map<string, number>} */
  const spent = new Map();
  for (const [i, id] of (profile.samples ?? []).entries()) {
    const name = names.get(id) ?? '';
    const idle = ['(idle)', '(program)', '(root)'].includes(name);
    if (!idle) spent.set(name, (spent.get(name) ?? 0) + (profile.timeDeltas?.[i] ?? 0) / 1000 / times);
  }
  return spent;
}

/** @param {{ name: string }} work @param {Map<string, number>} spent */
function print({ name }, spent) {
  const total = [...spent.values()].reduce((sum, ms) => sum + ms, 0);
  /** @type {Map<string, number>} */
  const kinds = new Map();
  for (const [name, ms] of spent) {
    const kind = KINDS.find(([, pattern]) => pattern.test(name))?.[0] ?? 'everything else';
    kinds.set(kind, (kinds.get(kind) ?? 0) + ms);
  }
  const cells = (/** @type {Map<string, number>} */ map) =>
    [...map]
      .sort(([, a], [, b]) => b - a)
      .map(([what, ms]) => [what.slice(0, 100), ms.toFixed(2), `${((100 * ms) / total).toFixed(1)} %`]);
  say(`\n${grid([[`${name}: ${total.toFixed(1)} ms`, 'ms', 'share'], ...cells(kinds)], [1, 2])}\n`);
  say(grid([['of these, by function', 'ms', 'share'], ...cells(spent).slice(0, NAMED)], [1, 2]));
}
