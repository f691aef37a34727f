// The command line beside the browser: a hundred pictures tagged with CLIP B/32, on the same weights, the same variant and as
// many threads, in turns. `npm run bench:cli [-- --threads N] [-- --node PROGRAM]`, after `npm run bench:setup`.
//
// What is compared is the time of the 99 pictures after the first: the time of a run over 100, less that of a run over one, so
// that neither the start of a program nor the load of its model counts.

import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { findChrome } from '../../scripts/lib/find.mjs';
import { capture, Failure, main, ROOT, say } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { median } from './lib/statistics.mjs';

const MODEL = path.join(ROOT, 'target/full/openai/clip-vit-base-patch32/resolve/refs/pr/15');
const SAMPLES = path.join(ROOT, 'www/samples');
const LABELS = ['a cat', 'a cup of coffee', 'a house', 'a mushroom', 'an umbrella', 'a strawberry'];
const COUNT = 100;
const ROUNDS = 3;

await main(import.meta, async (args) => {
  const option = (/** @type {string} */ name, /** @type {string} */ usual) => {
    const at = args.indexOf(`--${name}`);
    return (at >= 0 && args[at + 1]) || usual;
  };
  const [program, threads] = [option('node', process.execPath), option('threads', '1')];
  if (!existsSync(MODEL)) throw new Failure('Run `npm run bench:setup` first.');
  const executablePath = findChrome();
  if (!executablePath) throw new Failure('There is no Chromium: run `npm run setup` first.');
  const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-cli-bench-'));
  const [one, all] = ['one', 'all'].map((name) => path.join(folder, name));
  const samples = readdirSync(SAMPLES).filter((name) => name.endsWith('.webp'));
  for (const [to, count] of /** @type {[string, number][]} */ ([
    [one, 1],
    [all, COUNT],
  ])) {
    mkdirSync(/** @type {string} */ (to));
    for (let i = 0; i < count; i++) {
      const from = path.join(SAMPLES, samples[i % samples.length] ?? '');
      copyFileSync(from, path.join(to, `${String(i).padStart(3, '0')}.webp`));
    }
  }
  const server = await serve({
    root: path.join(ROOT, 'tests/bench/contestants'),
    mounts: { '/ocelli/': path.join(ROOT, 'pkg'), '/m/': MODEL, '/pictures/': /** @type {string} */ (all) },
  });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}worker.js`);
    const runtime = await page.evaluate(async (threads) => {
      const { Tagger } = await import('/ocelli/dist/index.js');
      globalThis.tagger = await Tagger.load('/m/', { threads });
      return globalThis.tagger.runtime;
    }, Number(threads));
    const inBrowser = (/** @type {number} */ count) =>
      page.evaluate(
        async ({ count, labels }) => {
          const started = performance.now();
          for (let i = 0; i < count; i++) {
            const bytes = await (await fetch(`/pictures/${String(i).padStart(3, '0')}.webp`)).arrayBuffer();
            await globalThis.tagger.tag(bytes, labels);
          }
          return performance.now() - started;
        },
        { count, labels: LABELS },
      );
    const onCommandLine = async (/** @type {string} */ pictures) => {
      const started = performance.now();
      await promisify(execFile)(program, [
        path.join(ROOT, 'pkg/dist/cli.js'),
        ...['tag', pictures, '--model', MODEL, '--labels', LABELS.join(','), '--threads', threads, '--json'],
      ]);
      return performance.now() - started;
    };
    /** @type {number[][]} */
    const [browserTimes, cliTimes] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      browserTimes?.push((await inBrowser(COUNT)) - (await inBrowser(1)));
      cliTimes?.push((await onCommandLine(String(all))) - (await onCommandLine(String(one))));
      say(
        `Round ${round + 1}: browser ${browserTimes?.at(-1)?.toFixed(0)} ms, command line ${cliTimes?.at(-1)?.toFixed(0)} ms`,
      );
    }
    const least = [browserTimes, cliTimes].map((times) => Math.min(...(times ?? [])));
    const middle = [browserTimes, cliTimes].map((times) => median(times ?? []));
    const ratio = (/** @type {number[]} */ [a = 1, b = 1]) => (b / a).toFixed(2);
    say(`${runtime.variant}, ${runtime.threads} threads; Node ${capture(program, ['--version'])?.trim()}`);
    console.log(`command line / browser: ${ratio(least)} (least), ${ratio(middle)} (median)`);
  } finally {
    await browser.close();
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
