// candle's own models as wasm, with the compiler and the flags of our fastest variant.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { findWasmBindgen, findWasmToolchain } from '../../../scripts/lib/find.mjs';
import { Failure, ROOT, run } from '../../../scripts/lib/run.mjs';
import { WASM_TARGET } from '../../../scripts/lib/tools.mjs';
import { wasmOptFlags } from '../../../scripts/lib/variants.mjs';

const MANIFEST = path.join(ROOT, 'tests/bench/peers/candle/Cargo.toml');

/** @param {string} out the folder that gets `candle.js` and `candle_bg.wasm`; what is there already is kept */
export async function buildCandle(out) {
  if (existsSync(path.join(out, 'candle_bg.wasm'))) return;
  const [toolchain, bindgen] = [findWasmToolchain(), findWasmBindgen()];
  if (!toolchain || !bindgen) {
    throw new Failure('The tools for wasm are not here: run `npm run setup` first.');
  }
  const target = path.join(ROOT, 'target/bench/candle-build');
  const flags = toolchain.env.CARGO_ENCODED_RUSTFLAGS.replace('+simd128', '+simd128,+relaxed-simd');
  await run(
    toolchain.cargo,
    [
      ...['build', '--release', '--locked', '--manifest-path', MANIFEST, '--target-dir', target],
      ...['--target', WASM_TARGET, ...toolchain.args],
    ],
    { env: { ...toolchain.env, CARGO_ENCODED_RUSTFLAGS: flags } },
  );
  const built = path.join(target, WASM_TARGET, 'release/candle_peer.wasm');
  await run(bindgen, ['--target', 'web', '--out-name', 'candle', '--out-dir', out, built]);
  const wasm = path.join(out, 'candle_bg.wasm');
  const optimiser = path.join(ROOT, 'node_modules/binaryen/bin/wasm-opt');
  await run(process.execPath, [optimiser, ...wasmOptFlags({ relaxed: true }), wasm, '-o', wasm]);
}
