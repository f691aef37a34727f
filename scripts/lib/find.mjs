// What is already on this machine: a Rust that builds for wasm, wasm-bindgen, a browser.
// Nothing here changes anything.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { capture, isExecutable, which } from './run.mjs';
import {
  atLeast,
  DEBIAN_WASM_LINKER,
  oldestRust,
  WASM_TARGET,
  wasmBindgenFolder,
  wasmBindgenVersion,
} from './tools.mjs';
import { wasmRustflags } from './variants.mjs';

/**
 * A way to run cargo for wasm.
 * @typedef {object} WasmToolchain
 * @property {'target' | 'rust-src' | 'debian'} kind with the target's own std, or building std from its sources
 * @property {string} cargo the program to run
 * @property {string[]} args what to add after the verb, such as `cargo build`
 * @property {Record<string, string>} env
 * @property {string} version the compiler's version line
 */

/**
 * Building std for the target needs a nightly cargo, or this promise that we know what we do. With `test`, which cargo adds
 * for tests, dependencies are compiled once for what ships and for its tests.
 */
const BUILD_STD = {
  args: ['-Z', 'build-std=std,panic_abort,test'],
  env: { RUSTC_BOOTSTRAP: '1' },
};

/**
 * The best toolchain that is ready for wasm now, or null. `OCELLI_TOOLCHAIN` (`target`, `rust-src` or `debian`)
 * narrows the choice, to try the other ways on a machine that has the first.
 *
 * Threads need a std of their own: the one that comes with the target was compiled without shared memory.
 *
 * @param {{ threads?: boolean }} [variant]
 * @returns {WasmToolchain | null}
 */
export function findWasmToolchain({ threads = false } = {}) {
  const only = process.env.OCELLI_TOOLCHAIN;
  const found = [...ownToolchains(), ...debianToolchain()]
    .filter(({ kind }) => !threads || kind !== 'target')
    .map((toolchain) => ({ ...toolchain, env: { ...toolchain.env, ...flags(threads) } }));
  return (
    found.find((toolchain) => !only || toolchain.kind === only || (threads && only === 'target')) ?? null
  );
}

/** @returns {WasmToolchain[]} */
function ownToolchains() {
  const version = capture('rustc', ['--version']);
  const sysroot = capture('rustc', ['--print', 'sysroot']);
  if (!version || !sysroot || !atLeast(version, oldestRust()) || !which('cargo')) return [];
  const rustlib = path.join(sysroot, 'lib/rustlib');
  /** @type {WasmToolchain[]} */
  const ways = [];
  if (existsSync(path.join(rustlib, WASM_TARGET, 'lib'))) {
    ways.push({ kind: 'target', cargo: 'cargo', args: [], env: {}, version });
  }
  // Debian's own compiler lies in /usr and ships no linker for wasm: it has its own entry below.
  if (sysroot !== '/usr' && existsSync(path.join(rustlib, 'src/rust/library/Cargo.lock'))) {
    const { args, env } = BUILD_STD;
    ways.push({ kind: 'rust-src', cargo: 'cargo', args, env, version });
  }
  return ways;
}

/** @returns {WasmToolchain[]} */
function debianToolchain() {
  const linker = which(DEBIAN_WASM_LINKER);
  const version = isExecutable('/usr/bin/rustc') ? capture('/usr/bin/rustc', ['--version']) : null;
  const sources = existsSync('/usr/lib/rustlib/src/rust/library/Cargo.lock');
  if (!linker || !version || !sources || !atLeast(version, oldestRust())) return [];
  if (!isExecutable('/usr/bin/cargo')) return [];
  const env = {
    ...BUILD_STD.env,
    // rustup's proxies lie first on PATH on many machines: this build wants Debian's programs throughout.
    PATH: `/usr/bin:${process.env.PATH ?? ''}`,
    RUSTC: '/usr/bin/rustc',
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: linker,
  };
  return [{ kind: 'debian', cargo: '/usr/bin/cargo', args: BUILD_STD.args, env, version }];
}

/**
 * The compiler flags, in the variable that overrides all others: builds are the same whatever a shell exports.
 * @param {boolean} threads
 */
function flags(threads) {
  return { CARGO_ENCODED_RUSTFLAGS: wasmRustflags({ threads }).join('\x1f') };
}

/** Wasm-bindgen of exactly the version in `Cargo.lock`: on PATH or built by setup, or null. */
export function findWasmBindgen() {
  const version = wasmBindgenVersion();
  const own = path.join(wasmBindgenFolder(version), 'bin/wasm-bindgen');
  for (const program of [own, which('wasm-bindgen')]) {
    if (program && capture(program, ['--version'])?.endsWith(` ${version}`)) return program;
  }
  return null;
}

/** Where browsers put themselves on macOS, from where no PATH leads. */
const MAC_BROWSERS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The browser for tests: `CHROME_PATH`, else an installed Chromium or Chrome, or null. */
export function findChrome() {
  if (process.env.CHROME_PATH) return isExecutable(process.env.CHROME_PATH) ? process.env.CHROME_PATH : null;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const found = [...names.map(which), ...MAC_BROWSERS.filter(isExecutable)];
  return found.find((file) => file !== null) ?? null;
}

/** Firefox for tests: `FIREFOX_PATH`, else an installed one, or null. */
export function findFirefox() {
  const { FIREFOX_PATH } = process.env;
  if (FIREFOX_PATH) return isExecutable(FIREFOX_PATH) ? FIREFOX_PATH : null;
  const mac = '/Applications/Firefox.app/Contents/MacOS/firefox';
  return which('firefox-esr') ?? which('firefox') ?? (isExecutable(mac) ? mac : null);
}
