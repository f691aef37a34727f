// Builds the Rust core for the browser into `pkg/wasm/`, as `<variant>.js` and `<variant>_bg.wasm`:
// `node scripts/build-wasm.mjs [--dev] [--force] [--all | --variant NAME[,NAME]]`.
//
// cargo -> wasm-bindgen -> wasm-opt, for each of four variants: with and without relaxed SIMD, with and without
// threads. `--dev` builds the same code in less time, larger and a little slower, and one variant only where no
// other is named. Nothing is built when the sources are those of the last build.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';
import { findWasmBindgen, findWasmToolchain } from './lib/find.mjs';
import { capture, duration, Failure, main, ROOT, run, say } from './lib/run.mjs';
import { fingerprint, readStamp, writeStamp } from './lib/stamp.mjs';
import { WASM_TARGET, wasmBindgenVersion } from './lib/tools.mjs';
import {
  buildArgs,
  chosenVariants,
  crateEnv,
  DEV_VARIANT,
  LINK_ARGS,
  VARIANTS,
  wasmOptFlags,
  releaseEnv,
} from './lib/variants.mjs';

/** @import { WasmToolchain } from './lib/find.mjs' */
/** @import { Variant } from './lib/variants.mjs' */

/**
 * One variant on its way.
 * @typedef {object} Build
 * @property {Variant} variant
 * @property {WasmToolchain} toolchain
 * @property {'wasm-release' | 'wasm-dev'} profile
 * @property {string} inputs the fingerprint of all that it is made from
 */

const OUT = 'pkg/wasm';
const INPUTS = [
  'src',
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  'scripts/build-wasm.mjs',
  'scripts/lib/rustc-relaxed.mjs',
  'scripts/lib/variants.mjs',
];
const WASM_OPT = 'node_modules/binaryen/package.json';
/** What tells which variants can run. In the package it is a file of its own: workers know no import maps. */
const DETECTOR = 'node_modules/wasm-feature-detect/package.json';
/** What computes digests, and its modules that this takes. */
const HASHES = 'node_modules/@noble/hashes/package.json';
const HASH_MODULES = ['sha2', '_md', '_u64', 'utils'];

/** What the package finds in place of a variant that was not built. */
const ABSENT = {
  '.js': '// This variant was not built: see scripts/build-wasm.mjs.\nexport default null;\n',
  '.d.ts': 'declare const absent: null;\nexport default absent;\n',
};

/** @param {string} name of a variant @param {string} [out] folder */
const stampOf = (name, out = OUT) => `${out}/${name}.stamp.json`;

/** @param {string} name of a variant @param {string} [out] folder */
const wasmOf = (name, out = OUT) => path.join(ROOT, out, `${name}_bg.wasm`);

/** @param {{ dev?: boolean, force?: boolean, names?: string[] }} [options] all variants without `names` */
export async function buildWasm({ dev = false, force = false, names } = {}) {
  const started = performance.now();
  const bindgen = findWasmBindgen();
  if (!bindgen || !findWasmToolchain()) {
    throw new Failure('The tools for the wasm build are not here yet: run `npm run setup` first.');
  }
  copyLibraries();
  const builds = VARIANTS.flatMap((variant) => describe(variant, dev) ?? []);
  const wanted = builds.filter(({ variant }) => !names || names.includes(variant.name));
  if (VARIANTS.some(({ name, threads }) => threads && (!names || names.includes(name))) && !canThreads()) {
    say("Wasm: no variant with threads, for want of std's sources (`rustup component add rust-src`).");
  }
  const due = wanted.filter((build) => force || !isCurrent(build));
  // What was made from other sources must not run beside what is built now.
  for (const { name } of VARIANTS) {
    const build = builds.find(({ variant }) => variant.name === name);
    if (!build || due.includes(build) || !isCurrent(build)) leaveOut(name);
  }
  if (due.length > 0) {
    const what = due.map(({ variant }) => variant.name).join(', ');
    say(`Wasm: building ${what} (profile ${due[0]?.profile})`, usual(due.length, dev));
    // Two lines of builds: what is compiled with shared memory, and what is not, have no crate in common.
    const lines = [false, true].map((threads) => due.filter(({ variant }) => variant.threads === threads));
    await Promise.all(lines.map((line) => buildInTurn(line, bindgen)));
  }
  report(wanted);
  if (due.length > 0) say(`Wasm: built in ${duration(performance.now() - started)}.`);
  else say(`Wasm: ${OUT} is up to date.`);
}

/**
 * Puts the libraries that workers need beside the wasm, with their types: the one that detects features, and the one that
 * computes digests.
 */
export function copyLibraries() {
  copyOf(DETECTOR, 'Google LLC', {
    'dist/esm/index.js': 'feature-detect.js',
    'dist/index.d.ts': 'feature-detect.d.ts',
  });
  const names = HASH_MODULES.flatMap((name) => [`${name}.js`, `${name}.d.ts`]);
  copyOf(HASHES, 'Paul Miller', Object.fromEntries(names.map((name) => [name, `hashes/${name}`])));
}

/**
 * Files of an npm package, with a line that says where they come from.
 *
 * @param {string} manifest its package.json
 * @param {string} author
 * @param {Record<string, string>} files what each is called here
 */
function copyOf(manifest, author, files) {
  if (!existsSync(path.join(ROOT, manifest))) {
    throw new Failure('The npm packages are not here yet: run `npm run setup` first.');
  }
  const { name, version, license } = JSON.parse(readFileSync(path.join(ROOT, manifest), 'utf8'));
  for (const [from, to] of Object.entries(files)) {
    const text = readFileSync(path.join(ROOT, path.dirname(manifest), from), 'utf8');
    const out = path.join(ROOT, OUT, to);
    mkdirSync(path.dirname(out), { recursive: true });
    writeFileSync(out, `/*! ${name} ${version}, ${author}, ${license} */\n${text}`);
  }
}

function canThreads() {
  return findWasmToolchain({ threads: true }) !== null;
}

/**
 * How a variant would be built here, or null where it cannot.
 * @param {Variant} variant
 * @param {boolean} dev
 * @returns {Build | null}
 */
function describe(variant, dev) {
  const toolchain = findWasmToolchain(variant);
  if (!toolchain) return null;
  const inputs = fingerprint(INPUTS, [toolchain.version, wasmBindgenVersion(), variant.name]);
  return { variant, toolchain, profile: dev ? 'wasm-dev' : 'wasm-release', inputs };
}

/**
 * Whether the last build of a variant still stands. What ships serves for iterating too, never the other way round.
 * @param {Build} build
 */
function isCurrent({ variant, inputs, profile }) {
  const last = readStamp(stampOf(variant.name));
  const same = last?.inputs === inputs && (last.profile === profile || last.profile === 'wasm-release');
  return same && existsSync(wasmOf(variant.name));
}

/** @param {string} name of a variant */
function leaveOut(name) {
  for (const file of [stampOf(name), wasmOf(name)]) rmSync(path.resolve(ROOT, file), { force: true });
  for (const [end, text] of Object.entries(ABSENT)) {
    writeFileSync(path.join(ROOT, OUT, `${name}${end}`), text);
  }
}

/**
 * Variants that share their compiled dependencies.
 * @param {Build[]} builds
 * @param {string} bindgen
 */
async function buildInTurn(builds, bindgen) {
  /** Wasm-opt uses one core: it runs beside the next compilation. @type {Promise<void>[]} */
  const finishing = [];
  for (const build of builds) {
    await compile(build, bindgen);
    finishing.push(finish(build));
  }
  await Promise.all(finishing);
}

/**
 * Builds the fastest variant as it ships, but for the names of its functions, which are kept: for profiles.
 * @param {string} out folder
 */
export async function buildNamed(out) {
  const variant = VARIANTS.find(({ name }) => name === DEV_VARIANT);
  const [build, bindgen] = [variant && describe(variant, false), findWasmBindgen()];
  if (!build || !bindgen) {
    throw new Failure('The tools for the wasm build are not here yet: run `npm run setup` first.');
  }
  const { name } = build.variant;
  const stamp = stampOf(name, out);
  if (readStamp(stamp)?.inputs === build.inputs) return;
  await compile(build, bindgen, out);
  await optimise(wasmOf(name, out), build.variant, ['-g']);
  writeStamp(stamp, { inputs: build.inputs });
}

/**
 * @param {Build} build
 * @param {string} bindgen
 * @param {string} [out]
 */
async function compile({ variant, toolchain, profile }, bindgen, out = OUT) {
  const { name } = variant;
  const folder = targetFolder(variant);
  const cargoArgs = [
    ...['rustc', '--package', 'ocelli-wasm', '--lib', '--locked'],
    ...['--profile', profile, '--target-dir', folder],
    ...buildArgs(variant),
    ...toolchain.args,
    ...['--', ...LINK_ARGS],
  ];
  await run(toolchain.cargo, cargoArgs, {
    env: {
      ...toolchain.env,
      ...crateEnv(variant),
      ...(profile === 'wasm-release' && releaseEnv(toolchain.env)),
    },
    failure: `The variant ${name} of the Rust core does not build (see above).`,
  });
  const wasm = path.join(folder, WASM_TARGET, profile, 'ocelli_wasm.wasm');
  await run(bindgen, ['--target', 'web', '--out-name', name, '--out-dir', out, wasm]);
}

/**
 * Optimises what ships, and leaves the stamp.
 * @param {Build} build
 */
async function finish({ variant, inputs, profile }) {
  const wasm = wasmOf(variant.name);
  const sizes = { plain: readFileSync(wasm).length };
  // A development build is not what anybody downloads: do not spend seconds on compressing it.
  if (profile === 'wasm-release') {
    await optimise(wasm, variant);
    const bytes = readFileSync(wasm);
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    const brotli = (await promisify(brotliCompress)(bytes, { params })).length;
    Object.assign(sizes, { optimised: bytes.length, brotli });
  }
  writeStamp(stampOf(variant.name), { inputs, profile, sizes });
}

/** @param {string} wasm @param {Variant} variant @param {string[]} [more] options */
async function optimise(wasm, variant, more = []) {
  const manifest = path.join(ROOT, WASM_OPT);
  if (!existsSync(manifest)) throw new Failure('wasm-opt is not here yet: run `npm run setup` first.');
  const program = path.join(
    path.dirname(manifest),
    JSON.parse(readFileSync(manifest, 'utf8')).bin['wasm-opt'],
  );
  const optimised = `${wasm}.opt`;
  await run(process.execPath, [program, ...wasmOptFlags(variant), ...more, wasm, '-o', optimised], {
    failure: `wasm-opt could not optimise ${variant.name} (see above).`,
  });
  renameSync(optimised, wasm);
}

/**
 * Where cargo builds a variant: those with threads in a folder of their own, so that neither line of builds waits for the
 * other's lock.
 * @param {Variant} variant
 */
export function targetFolder({ threads }) {
  const text = capture('cargo', ['metadata', '--format-version', '1', '--no-deps', '--offline']);
  const target = text ? JSON.parse(text).target_directory : path.join(ROOT, 'target');
  return path.join(target, threads ? 'threads' : '');
}

/**
 * @param {number} variants
 * @param {boolean} dev
 */
function usual(variants, dev) {
  if (variants === 1) {
    return dev ? 'some 4 minutes the first time, half a minute later' : 'usually 4 to 6 minutes';
  }
  return dev ? 'some 8 minutes the first time, two minutes later' : 'usually 8 to 12 minutes';
}

/** @param {Build[]} builds */
function report(builds) {
  for (const { variant } of builds) {
    const { profile, sizes } = readStamp(stampOf(variant.name)) ?? {};
    const name = variant.name.padEnd(16);
    const plain = megabytes(sizes?.plain);
    if (profile !== 'wasm-release') console.log(`  ${name} ${plain} (development build)`);
    else {
      const optimised = `${megabytes(sizes.optimised)} after wasm-opt`;
      console.log(`  ${name} ${plain} compiled, ${optimised}, ${megabytes(sizes.brotli)} in brotli`);
    }
  }
}

/** @param {number | undefined} bytes */
function megabytes(bytes = 0) {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

await main(import.meta, (args) => {
  const dev = args.includes('--dev');
  return buildWasm({ dev, force: args.includes('--force'), names: chosenVariants(args) });
});
