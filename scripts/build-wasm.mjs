// Builds the Rust core for the browser into `pkg/wasm/<variant>/`:
// `node scripts/build-wasm.mjs [--dev] [--force] [--variant NAME[,NAME]]`.
//
// cargo -> wasm-bindgen -> wasm-opt, for each of four variants: with and without relaxed SIMD, with and without
// threads. `--dev` builds the same code in less time, larger and a little slower. Nothing is built when the sources
// are those of the last build.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { findWasmBindgen, findWasmToolchain } from './lib/find.mjs';
import { capture, duration, Failure, main, ROOT, run, say } from './lib/run.mjs';
import { fingerprint, readStamp, writeStamp } from './lib/stamp.mjs';
import { VARIANTS, WASM_TARGET, wasmBindgenVersion, wasmOptFlags } from './lib/tools.mjs';

/** @import { Variant } from './lib/tools.mjs' */

const OUT = 'pkg/wasm';
const INPUTS = [
  'src',
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  'scripts/build-wasm.mjs',
  'scripts/lib/tools.mjs',
];
const WASM_OPT = 'node_modules/binaryen/package.json';

/** What the package finds in place of a variant that could not be built here. */
const ABSENT = {
  'ocelli.js': '// This variant was not built: see scripts/build-wasm.mjs.\nexport default null;\n',
  'ocelli.d.ts': 'declare const absent: null;\nexport default absent;\n',
};

/** @param {{ dev?: boolean, force?: boolean, names?: string[] }} [options] */
export async function buildWasm({ dev = false, force = false, names = [] } = {}) {
  const started = performance.now();
  const unknown = names.find((name) => !VARIANTS.some((variant) => variant.name === name));
  if (unknown) {
    throw new Failure(`There is no variant ${unknown}: ${VARIANTS.map(({ name }) => name).join(', ')}.`);
  }
  const wanted = VARIANTS.filter(({ name }) => names.length === 0 || names.includes(name));
  let built = 0;
  /** wasm-opt uses one core: it runs beside the next compilation. @type {Promise<void>} */
  let finishing = Promise.resolve();
  for (const variant of wanted) {
    const stamp = await compile(variant, { dev, force });
    if (!stamp) continue;
    built += 1;
    await finishing;
    finishing = finish(variant, stamp, dev);
  }
  await finishing;
  for (const { name } of VARIANTS) {
    const out = path.join(ROOT, OUT, name);
    if (existsSync(path.join(out, 'ocelli.js'))) continue;
    mkdirSync(out, { recursive: true });
    for (const [file, text] of Object.entries(ABSENT)) writeFileSync(path.join(out, file), text);
  }
  if (built > 0) say(`Wasm: built in ${duration(performance.now() - started)}.`);
  else say(`Wasm: ${OUT} is up to date.`);
}

/**
 * Compiles a variant unless it is up to date; the stamp that it gets when it is finished.
 * @param {Variant} variant
 * @param {{ dev: boolean, force: boolean }} options
 * @returns {Promise<Record<string, string> | null>}
 */
async function compile(variant, { dev, force }) {
  const { name, relaxed, threads } = variant;
  const toolchain = findWasmToolchain(variant);
  const bindgen = findWasmBindgen();
  if (threads && bindgen && !toolchain && findWasmToolchain()) {
    say(`Wasm: ${name} needs std's sources (rustup component add rust-src); going on without it.`);
    return null;
  }
  if (!toolchain || !bindgen) {
    throw new Failure('The tools for the wasm build are not here yet: run `npm run setup` first.');
  }
  const env = JSON.stringify(toolchain.env.CARGO_ENCODED_RUSTFLAGS);
  const inputs = fingerprint(INPUTS, [toolchain.version, wasmBindgenVersion(), env]);
  const profile = dev ? 'wasm-dev' : 'release';
  const out = `${OUT}/${name}`;
  const last = readStamp(`${out}/stamp.json`);
  // What ships serves for iterating too, never the other way round.
  const fits = last?.inputs === inputs && (last.profile === profile || last.profile === 'release');
  if (fits && !force && existsSync(path.join(ROOT, out, 'ocelli_bg.wasm'))) return null;

  rmSync(path.join(ROOT, out), { recursive: true, force: true });
  say(`Wasm: compiling ${name} with ${toolchain.version}, profile ${profile}`, usual(threads));
  // The dependencies of threads are compiled with other flags: side by side, neither is ever compiled twice.
  const folder = path.join(targetFolder(), threads ? 'threads' : '');
  const cargoArgs = [
    'rustc',
    '--lib',
    '--crate-type=cdylib',
    '--locked',
    ...['--profile', profile, '--target', WASM_TARGET, '--target-dir', folder],
    ...(threads ? ['--features', 'threads'] : []),
    ...toolchain.args,
    '--',
    ...(relaxed ? ['-C', 'target-feature=+relaxed-simd'] : []),
  ];
  await run(toolchain.cargo, cargoArgs, {
    env: toolchain.env,
    failure: `The variant ${name} of the Rust core does not build (see above).`,
  });
  const wasm = path.join(folder, WASM_TARGET, profile, 'ocelli.wasm');
  await run(bindgen, ['--target', 'web', '--out-name', 'ocelli', '--out-dir', out, wasm]);
  return { inputs, profile };
}

/**
 * Optimises a compiled variant, says how large it is and leaves the stamp.
 * @param {Variant} variant
 * @param {Record<string, string>} stamp
 * @param {boolean} dev
 */
async function finish(variant, stamp, dev) {
  const out = `${OUT}/${variant.name}`;
  const wasm = path.join(ROOT, out, 'ocelli_bg.wasm');
  if (!dev) await optimise(wasm, variant);
  writeStamp(`${out}/stamp.json`, stamp);
  const bytes = readFileSync(wasm);
  // A development build is not what anybody downloads: do not spend seconds on compressing it.
  if (dev) return say(`Wasm: ${variant.name} ${megabytes(bytes.length)} (development build)`);
  const params = { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const brotli = brotliCompressSync(bytes, { params }).length;
  return say(`Wasm: ${variant.name} ${megabytes(bytes.length)}, brotli ${megabytes(brotli)}`);
}

/** @param {boolean} threads */
function usual(threads) {
  return threads ? '2 to 6 minutes the first time: std is compiled too' : '2 to 5 minutes the first time';
}

function targetFolder() {
  const text = capture('cargo', ['metadata', '--format-version', '1', '--no-deps', '--offline']);
  return text ? JSON.parse(text).target_directory : path.join(ROOT, 'target');
}

/** @param {string} wasm @param {Variant} variant */
async function optimise(wasm, variant) {
  const manifest = path.join(ROOT, WASM_OPT);
  if (!existsSync(manifest)) throw new Failure('wasm-opt is not here yet: run `npm run setup` first.');
  const program = path.join(
    path.dirname(manifest),
    JSON.parse(readFileSync(manifest, 'utf8')).bin['wasm-opt'],
  );
  const optimised = `${wasm}.opt`;
  await run(process.execPath, [program, ...wasmOptFlags(variant), wasm, '-o', optimised], {
    failure: `wasm-opt could not optimise ${variant.name} (see above).`,
  });
  renameSync(optimised, wasm);
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

await main(import.meta, (args) => {
  const at = args.indexOf('--variant');
  return buildWasm({
    dev: args.includes('--dev'),
    force: args.includes('--force'),
    names: at < 0 ? [] : (args[at + 1] ?? '').split(','),
  });
});
