// Builds the Rust core for the browser into `pkg/wasm/`: `node scripts/build-wasm.mjs [--dev] [--force]`.
//
// cargo -> wasm-bindgen -> wasm-opt. `--dev` builds the same code in a fraction of the time, larger and slower.
// Nothing is built when the sources are those of the last build.

import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { findWasmBindgen, findWasmToolchain } from './lib/find.mjs';
import { capture, duration, Failure, main, ROOT, run, say } from './lib/run.mjs';
import { fingerprint, readStamp, writeStamp } from './lib/stamp.mjs';
import { WASM_OPT_FLAGS, WASM_RUSTFLAGS, WASM_TARGET, wasmBindgenVersion } from './lib/tools.mjs';

const OUT = 'pkg/wasm';
const STAMP = `${OUT}/stamp.json`;
const INPUTS = ['src', 'Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'scripts/build-wasm.mjs'];
const WASM_OPT = 'node_modules/binaryen/package.json';

/** @param {{ dev?: boolean, force?: boolean }} [options] */
export async function buildWasm({ dev = false, force = false } = {}) {
  const started = performance.now();
  const toolchain = findWasmToolchain();
  const bindgen = findWasmBindgen();
  if (!toolchain || !bindgen) {
    throw new Failure('The tools for the wasm build are not here yet: run `npm run setup` first.');
  }
  const inputs = fingerprint(INPUTS, [
    toolchain.version,
    wasmBindgenVersion(),
    ...WASM_RUSTFLAGS,
    ...WASM_OPT_FLAGS,
  ]);
  const profile = dev ? 'wasm-dev' : 'release';
  const last = readStamp(STAMP);
  // What ships serves for iterating too, never the other way round.
  const fits = last?.inputs === inputs && (last.profile === profile || last.profile === 'release');
  if (fits && !force && existsSync(path.join(ROOT, OUT, 'ocelli_bg.wasm'))) {
    say(`Wasm: ${OUT} is up to date (${last.profile}).`);
    return;
  }

  rmSync(path.join(ROOT, STAMP), { force: true });
  say(`Wasm: compiling with ${toolchain.version}, profile ${profile}`, usual(toolchain.kind, dev));
  const cargoArgs = [
    'build',
    '--lib',
    '--locked',
    '--profile',
    profile,
    '--target',
    WASM_TARGET,
    ...toolchain.args,
  ];
  await run(toolchain.cargo, cargoArgs, {
    env: toolchain.env,
    failure: 'The Rust core does not build for wasm (see above).',
  });

  const built = path.join(targetFolder(), WASM_TARGET, profile, 'ocelli.wasm');
  await run(bindgen, ['--target', 'web', '--out-name', 'ocelli', '--out-dir', OUT, built]);
  const wasm = path.join(ROOT, OUT, 'ocelli_bg.wasm');
  const plain = readFileSync(wasm).length;
  if (!dev) await optimise(wasm);
  writeStamp(STAMP, { inputs, profile });
  report(wasm, plain, dev);
  say(`Wasm: built in ${duration(performance.now() - started)}.`);
}

/**
 * @param {string} kind
 * @param {boolean} dev
 */
function usual(kind, dev) {
  if (dev) return 'some 4 minutes the first time, half a minute later';
  return kind === 'target' ? 'usually 5 to 8 minutes' : 'usually 6 to 10 minutes: std is compiled too';
}

function targetFolder() {
  const text = capture('cargo', ['metadata', '--format-version', '1', '--no-deps', '--offline']);
  return text ? JSON.parse(text).target_directory : path.join(ROOT, 'target');
}

/** @param {string} wasm */
async function optimise(wasm) {
  const manifest = path.join(ROOT, WASM_OPT);
  if (!existsSync(manifest)) throw new Failure('wasm-opt is not here yet: run `npm run setup` first.');
  const program = path.join(
    path.dirname(manifest),
    JSON.parse(readFileSync(manifest, 'utf8')).bin['wasm-opt'],
  );
  say('Wasm: optimising with wasm-opt', 'usually about a minute');
  const optimised = `${wasm}.opt`;
  await run(process.execPath, [program, ...WASM_OPT_FLAGS, wasm, '-o', optimised], {
    failure: 'wasm-opt could not optimise the module (see above).',
  });
  renameSync(optimised, wasm);
}

/**
 * @param {string} wasm
 * @param {number} plain bytes before wasm-opt
 * @param {boolean} dev
 */
function report(wasm, plain, dev) {
  const bytes = readFileSync(wasm);
  // A development build is not what anybody downloads: do not spend seconds on compressing it.
  if (dev) return say(`Wasm: ocelli_bg.wasm ${megabytes(bytes.length)} (development build)`);
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const brotli = brotliCompressSync(bytes, { params }).length;
  return say(
    `Wasm: ocelli_bg.wasm ${megabytes(bytes.length)} (${megabytes(plain)} before wasm-opt), ` +
      `gzip ${megabytes(gzip)}, brotli ${megabytes(brotli)}`,
  );
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

await main(import.meta, (args) =>
  buildWasm({ dev: args.includes('--dev'), force: args.includes('--force') }),
);
