// Every version and every package name that the scripts need, each written once: here, in `Cargo.lock`
// (wasm-bindgen), in `Cargo.toml` (the oldest Rust) or in `package.json` (npm tools).

import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Failure, ROOT } from './run.mjs';

/** Packages of Debian and its relatives. */
export const DEBIAN = {
  /** A Rust that builds for wasm where rustup cannot fetch its target: the compiler, std's sources, a linker. */
  wasm: ['rustc-web', 'cargo-web', 'rust-web-src', 'lld-19'],
  browser: ['chromium'],
  firefox: ['firefox-esr'],
  /** Native builds link with `cc`. */
  linker: ['gcc', 'libc6-dev'],
};

/** The linker within `lld-19`. */
export const DEBIAN_WASM_LINKER = 'wasm-ld-19';

export const WASM_TARGET = 'wasm32-unknown-unknown';

/**
 * The version of wasm-bindgen in `Cargo.lock`; its command line tool has to be the very same.
 * @param {string} [lock] the text of `Cargo.lock`
 */
export function wasmBindgenVersion(lock = readFileSync(path.join(ROOT, 'Cargo.lock'), 'utf8')) {
  const found = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock);
  if (!found?.[1]) throw new Failure('Cargo.lock names no wasm-bindgen, so its tool cannot be chosen.');
  return found[1];
}

/**
 * The oldest Rust that builds the crate, from `rust-version` in `Cargo.toml`.
 * @param {string} [manifest] the text of `Cargo.toml`
 */
export function oldestRust(manifest = readFileSync(path.join(ROOT, 'Cargo.toml'), 'utf8')) {
  return /^rust-version = "([^"]+)"/m.exec(manifest)?.[1] ?? '1.85';
}

/** The oldest Node that runs the scripts and npm's tools, from `engines` in `package.json`. */
export function oldestNode() {
  const { engines } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  return /(\d+(?:\.\d+)*)/.exec(engines.node)?.[1] ?? '20';
}

/**
 * Whether the version in a text such as `rustc 1.95.0 (...)` is at least `least`.
 * @param {string} text
 * @param {string} least
 */
export function atLeast(text, least) {
  const have = (/(\d+(?:\.\d+)+)/.exec(text)?.[1] ?? '0').split('.').map(Number);
  const want = least.split('.').map(Number);
  for (let i = 0; i < want.length; i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Where tools built by setup are kept, for all clones of one person: `OCELLI_TOOLS`, or the user's cache. */
export function toolsFolder() {
  const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
  return process.env.OCELLI_TOOLS || path.join(cache, 'ocelli-tools');
}

/** Where setup puts its own wasm-bindgen. */
export function wasmBindgenFolder(version = wasmBindgenVersion()) {
  return path.join(toolsFolder(), `wasm-bindgen-${version}`);
}

/** Written by setup where it could not get what the variants with threads are built from. */
export function noThreadsFile() {
  return path.join(toolsFolder(), 'no-threads');
}
