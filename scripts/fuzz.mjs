// Fuzzes the readers of what comes from strangers: `npm run fuzz [-- reader ...] [-- --minutes N]`; see tests/fuzz/README.md.
//
// One reader after the other, with a corpus of its own that is kept between runs. Ends at the first that fails.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { capture, Failure, main, ROOT, run, say } from './lib/run.mjs';
import { filesBelow } from './lib/stamp.mjs';

const TOOLCHAIN = '+nightly';
const OUT = 'target/fuzz';
/** Larger inputs are slow, and find nothing that smaller ones do not. */
const LONGEST = 1 << 16;

/** @type {Record<string, { target: string, seeds: () => string[] }>} */
const READERS = {
  safetensors: { target: 'weights', seeds: () => golden('models', /\.safetensors$/) },
  gguf: { target: 'weights', seeds: () => golden('formats', /\.gguf$/) },
  pytorch: { target: 'weights', seeds: () => golden('formats', /\.bin$/) },
  onnx: { target: 'weights', seeds: () => golden('onnx', /\.onnx$/) },
  packed: { target: 'packed', seeds: () => [] },
  config: { target: 'config', seeds: () => golden('models', /\.(json|csv)$/) },
  tokenizer: { target: 'tokenizer', seeds: () => golden('text', /tokenizer\.json$/) },
  image: { target: 'image', seeds: () => golden('image', /\.(jpe?g|png|webp|gif|bmp|tiff?)$/i) },
};

/** @param {string} folder @param {RegExp} names @returns {string[]} */
function golden(folder, names) {
  return filesBelow(`tests/golden/${folder}`).filter((file) => names.test(file));
}

/** Puts what a run begins with into its corpus. @param {string} corpus @param {string[]} seeds */
function plant(corpus, seeds) {
  mkdirSync(corpus, { recursive: true });
  for (const [i, seed] of seeds.entries()) {
    const file = path.join(corpus, `seed-${i}`);
    if (!existsSync(file)) writeFileSync(file, readFileSync(path.join(ROOT, seed)).subarray(0, LONGEST));
  }
}

await main(import.meta, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    options: { minutes: { type: 'string' } },
    allowPositionals: true,
  });
  const seconds = Math.round(60 * Number(values.minutes ?? 1));
  if (!(seconds > 0)) throw new Failure('--minutes must be a number above zero.');
  const unknown = positionals.find((name) => !(name in READERS));
  if (unknown) {
    throw new Failure(`There is no reader ${unknown}; there are ${Object.keys(READERS).join(', ')}.`);
  }
  if (!capture('cargo', [TOOLCHAIN, 'fuzz', '--version'])) {
    throw new Failure('cargo-fuzz is not here yet: see tests/fuzz/README.md.');
  }
  for (const name of positionals.length > 0 ? positionals : Object.keys(READERS)) {
    const { target, seeds } = /** @type {(typeof READERS)[string]} */ (READERS[name]);
    const corpus = path.join(ROOT, OUT, name, 'corpus');
    const artifacts = path.join(ROOT, OUT, name, 'found');
    plant(corpus, seeds());
    mkdirSync(artifacts, { recursive: true });
    say(`Fuzzing ${name}`, `${seconds} s`);
    await run(
      'cargo',
      [
        ...[
          TOOLCHAIN,
          'fuzz',
          'run',
          '--fuzz-dir',
          'tests/fuzz',
          '--target-dir',
          `${OUT}/build`,
          target,
          corpus,
        ],
        ...['--', `-max_total_time=${seconds}`, `-max_len=${LONGEST}`, `-artifact_prefix=${artifacts}/`],
        ...[
          '-rss_limit_mb=6000',
          '-malloc_limit_mb=6000',
          '-timeout=60',
          '-print_final_stats=1',
          '-verbosity=0',
        ],
      ],
      { failure: `The reader of ${name} failed: what made it fail lies in ${artifacts}.` },
    );
  }
});
