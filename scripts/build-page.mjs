// Builds the page from `www/` and the package into `dist/`, with compressed copies of its files beside them:
// `node scripts/build-page.mjs [--force]`.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { buildPackage } from './build-package.mjs';
import { compressBelow } from './lib/compress.mjs';
import { duration, Failure, main, ROOT, run, say } from './lib/run.mjs';
import { fingerprint, readStamp, writeStamp } from './lib/stamp.mjs';

const OUT = 'dist';
const STAMP = 'node_modules/.cache/ocelli-page.json';
const INPUTS = [
  'www',
  'webpack.config.js',
  'scripts/build-page.mjs',
  'scripts/lib/compress.mjs',
  'scripts/lib/file-list.mjs',
  'pkg/dist',
  'pkg/wasm',
  'pkg/models',
  'pkg/vocabulary',
  'pkg/lists',
  'pkg/package.json',
  'package-lock.json',
];

/** @param {{ force?: boolean }} [options] */
export async function buildPage({ force = false } = {}) {
  const started = performance.now();
  const webpack = path.join(ROOT, 'node_modules/webpack-cli/bin/cli.js');
  if (!existsSync(webpack)) throw new Failure('webpack is not here yet: run `npm run setup` first.');
  await buildPackage({ force });
  const inputs = fingerprint(INPUTS);
  if (!force && readStamp(STAMP)?.inputs === inputs && existsSync(path.join(ROOT, OUT, 'index.html'))) {
    say(`Page: ${OUT} is up to date.`);
    return;
  }
  say('Page: building with webpack', 'usually 5 to 15 seconds');
  await run(process.execPath, [webpack, '--mode', 'production', '--stats', 'errors-warnings'], {
    failure: 'webpack could not build the page (see above).',
  });
  const sizes = await compressBelow(path.join(ROOT, OUT));
  const [plain, brotli] = [sizes.plain, sizes['.br']].map((bytes) => ((bytes ?? 0) / 1e6).toFixed(1));
  say(`Page: ${plain} MB, in brotli ${brotli} MB`);
  writeStamp(STAMP, { inputs });
  say(`Page: built in ${duration(performance.now() - started)}.`);
}

await main(import.meta, (args) => buildPage({ force: args.includes('--force') }));
