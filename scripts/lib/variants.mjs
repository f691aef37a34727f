// The four builds of the Rust core, and how they differ.

import { fileURLToPath } from 'node:url';
import { Failure } from './run.mjs';
import { WASM_TARGET } from './tools.mjs';

/**
 * One build of the Rust core. Browsers get the best one that they can run: see `pkg/src/worker/runtime.js`.
 * @typedef {object} Variant
 * @property {string} name of its files in `pkg/wasm`
 * @property {boolean} relaxed with relaxed SIMD
 * @property {boolean} threads with shared memory
 * @property {boolean} [convert] with the converter of weights, which the command line runs in Node
 */

/** @type {readonly Variant[]} */
export const VARIANTS = [
  { name: 'simd128', relaxed: false, threads: false, convert: true },
  { name: 'relaxed', relaxed: true, threads: false },
  { name: 'simd128-threads', relaxed: false, threads: true },
  { name: 'relaxed-threads', relaxed: true, threads: true },
];

/** A rustc with relaxed SIMD. */
const RELAXED_RUSTC = fileURLToPath(new URL('rustc-relaxed.mjs', import.meta.url));

/** Of shared memory: 4 GiB at most, and what wasm-bindgen needs to give each thread its own variables. */
const THREAD_LINK_ARGS = [
  '--shared-memory',
  '--import-memory',
  '--max-memory=4294967296',
  '--export=__wasm_init_tls',
  '--export=__tls_size',
  '--export=__tls_align',
  '--export=__tls_base',
];

/**
 * What all crates are compiled with: 128-bit SIMD, and random numbers (hash seeds) from the browser. Relaxed SIMD
 * is not among it: only our own crates use it, so that the others are compiled once for both.
 * @param {{ threads?: boolean }} [variant]
 */
export function wasmRustflags({ threads = false } = {}) {
  const features = threads ? '+simd128,+atomics,+bulk-memory' : '+simd128';
  const link = threads ? THREAD_LINK_ARGS.flatMap((arg) => ['-C', `link-arg=${arg}`]) : [];
  return ['-C', `target-feature=${features}`, '--cfg', 'getrandom_backend="wasm_js"', ...link];
}

/**
 * Largest function, in nodes of wasm-opt's, that goes into its only caller. Without a limit each does: that is a sixtieth more to
 * download, and the tiles of the kernels, which have functions of their own for the sake of registers, end up in one of 25 kB.
 */
const LARGEST_INLINED = 60;

/**
 * What `wasm-opt` is told: the features that rustc enables for this target and variant, and nothing newer.
 * @param {{ relaxed?: boolean, threads?: boolean }} [variant]
 */
export function wasmOptFlags({ relaxed = false, threads = false } = {}) {
  return [
    '-O3',
    `--one-caller-inline-max-function-size=${LARGEST_INLINED}`,
    '--enable-simd',
    '--enable-bulk-memory',
    '--enable-nontrapping-float-to-int',
    '--enable-sign-ext',
    '--enable-mutable-globals',
    '--enable-reference-types',
    '--enable-multivalue',
    ...(relaxed ? ['--enable-relaxed-simd'] : []),
    ...(threads ? ['--enable-threads'] : []),
  ];
}

/**
 * Cargo's arguments before the `--`.
 * @param {Variant} variant
 */
export function buildArgs({ threads, convert }) {
  const features = [...(threads ? ['threads'] : []), ...(convert ? ['convert'] : [])];
  return ['--target', WASM_TARGET, ...(features.length > 0 ? ['--features', features.join(',')] : [])];
}

/**
 * Rustc's arguments for our own crates alone.
 * @param {Variant} variant
 */
export function crateArgs({ relaxed }) {
  return relaxed ? ['-C', 'target-feature=+relaxed-simd'] : [];
}

/**
 * Rustc's arguments where all crates are linked. Each was optimised before, by its own lights: what is taken over from one into
 * another then is mostly what makes a program larger, and no faster.
 */
export const LINK_ARGS = ['-C', 'llvm-args=-inline-threshold=15'];

/**
 * What ships does without: the place in the sources of each panic that could be, a fortieth of the download. A panic still says
 * what went wrong, and builds for development (`--dev`) say where. The flag is not stable yet, in any compiler.
 */
const RELEASE_RUSTFLAGS = ['-Z', 'location-detail=none'];

/**
 * Variables of a build that ships.
 * @param {Record<string, string>} env of the toolchain
 * @returns {Record<string, string>}
 */
export function releaseEnv({ CARGO_ENCODED_RUSTFLAGS: flags = '' }) {
  const all = [...flags.split('\x1f').filter(Boolean), ...RELEASE_RUSTFLAGS];
  return { RUSTC_BOOTSTRAP: '1', CARGO_ENCODED_RUSTFLAGS: all.join('\x1f') };
}

/**
 * What has cargo give them to rustc: its own command line knows arguments for one crate only.
 * @param {Variant} variant
 * @returns {Record<string, string>}
 */
export function crateEnv({ relaxed }) {
  return relaxed ? { RUSTC_WORKSPACE_WRAPPER: RELAXED_RUSTC } : {};
}

/** Built where one variant is enough, and none is named. */
export const DEV_VARIANT = 'relaxed';

/**
 * The variants that a command line asks for.
 * @param {string[]} args with `--variant NAME[,NAME]` or `--all`; else `--dev` means one and the rest all
 * @returns {string[]}
 */
export function chosenVariants(args) {
  const all = VARIANTS.map(({ name }) => name);
  const at = args.indexOf('--variant');
  if (at < 0) return args.includes('--dev') && !args.includes('--all') ? [DEV_VARIANT] : all;
  const names = (args[at + 1] ?? '').split(',').filter(Boolean);
  const unknown = names.find((name) => !all.includes(name));
  if (names.length === 0 || unknown) {
    throw new Failure(`There is no variant \`${unknown ?? ''}\`; the variants are ${all.join(', ')}.`);
  }
  return names;
}
