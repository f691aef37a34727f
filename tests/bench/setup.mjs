// Makes what the benchmark needs: `npm run bench:setup`. Full-size models with seeded weights in every contestant's
// format (3 GB below target/), the peers from npm, and candle's own models compiled. What is there already is kept.
//
// Python does the first part, in an environment of its own below target/bench, or the one that PYTHON names.

import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { main, ROOT, run, say } from '../../scripts/lib/run.mjs';
import { buildCandle } from './lib/candle.mjs';
import { installPeers } from './lib/peers.mjs';

const HERE = path.join(ROOT, 'tests/bench');
const OUT = path.join(ROOT, 'target/bench');

await main(import.meta, async () => {
  mkdirSync(OUT, { recursive: true });
  const python = process.env.PYTHON ?? (await environment());
  say('Bench: full-size models', 'some minutes the first time');
  await run(python, [path.join(ROOT, 'tests/full/make.py')]);
  await run(python, [path.join(ROOT, 'tests/full/make_towers.py')]);
  await run(python, [path.join(HERE, 'export.py')]);
  await installPeers();
  say("Bench: candle's own models as wasm", 'some minutes the first time');
  await buildCandle(path.join(OUT, 'peers/candle'));
  say('Bench: ready. `npm run bench -- --quick` runs the towers alone.');
});

/** A Python with the packages, made once. */
async function environment() {
  const python = path.join(OUT, 'venv/bin/python');
  if (!existsSync(python)) {
    say('Bench: Python packages into target/bench/venv', 'several minutes, some GB');
    await run('python3', ['-m', 'venv', path.join(OUT, 'venv')]);
  }
  await run(python, ['-m', 'pip', 'install', '-q', '-r', path.join(HERE, 'requirements.txt')]);
  return python;
}
