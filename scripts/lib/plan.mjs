// What setup has to do, decided from facts alone: no file is read and no program run here, so every kind of
// machine can be tested on any.

import { DEBIAN, WASM_TARGET } from './tools.mjs';

/**
 * Parts of the setup. `native` builds and tests Rust, `wasm` builds the browser's core, `npm` the page,
 * `browser` is what only browser tests need, and `firefox` what those in another browser do.
 * @typedef {'native' | 'wasm' | 'npm' | 'browser' | 'firefox'} Need
 */

/**
 * @typedef {object} Facts
 * @property {string} platform as `process.platform` says it
 * @property {boolean} nodeIsNew whether this Node is at least `oldestNode`
 * @property {string} oldestNode
 * @property {boolean} apt whether apt-get is here
 * @property {boolean} root
 * @property {boolean} sudo whether sudo is here
 * @property {boolean} terminal whether a person could type a password
 * @property {string | null} rust the version line of the `rustc` on PATH
 * @property {string} oldestRust
 * @property {boolean} rustIsNew whether `rust` is at least `oldestRust`
 * @property {boolean} cc whether a native linker is here
 * @property {boolean} rustup
 * @property {boolean} wasmToolchain whether some Rust is ready to build for wasm
 * @property {boolean} threads whether some Rust is ready to build for wasm with threads, which takes std's sources
 * @property {string | null} noThreads where it is written down that those sources could not be had, or null
 * @property {boolean} wasmBindgen whether the right wasm-bindgen is here
 * @property {string} wasmBindgenVersion
 * @property {string | null} chromePath what `CHROME_PATH` says
 * @property {boolean} chrome whether a browser was found
 * @property {boolean} firefox whether Firefox was
 * @property {'ready' | 'install' | 'outdated-lock'} npm
 */

/**
 * One thing to do. `rustup` steps may fail: then the step's `otherwise` is done, if there is one. `threads` brings
 * what only the variants with threads need: where it fails, everything works on one thread.
 * @typedef {{ do: 'rustup', add: 'target' | 'rust-src', otherwise: Step | null }
 *   | { do: 'apt', packages: string[], why: string, sudo: string[] }
 *   | { do: 'threads', from: Step }
 *   | { do: 'wasm-bindgen', version: string }
 *   | { do: 'npm', clean: boolean }} Step
 */

/**
 * @param {Need[]} needs
 * @param {Facts} facts
 * @returns {{ steps: Step[], missing: string[] }} the steps in order; or, where `missing` is not empty, what the
 *   person has to install: then nothing should be done at all
 */
export function plan(needs, facts) {
  /** @type {Step[]} */
  const steps = [];
  /** @type {string[]} */
  const missing = [];
  const wanted = new Set(needs);
  const wantsRust = wanted.has('native') || wanted.has('wasm');

  if (!facts.nodeIsNew) missing.push(`Node ${facts.oldestNode} or newer`);
  if (wantsRust && !facts.rust) missing.push(`Rust ${facts.oldestRust} or newer, from rustup`);
  else if (wantsRust && !facts.rustIsNew) {
    const how = facts.rustup ? '`rustup update stable`' : 'install it with rustup';
    missing.push(`Rust ${facts.oldestRust} or newer (here is ${facts.rust}): ${how}`);
  }
  if (wantsRust && !facts.cc) {
    const what =
      facts.platform === 'darwin' ? 'the command line tools: `xcode-select --install`' : 'gcc (or clang)';
    orMissing(apt(DEBIAN.linker, 'the linker that Rust needs', facts), what);
  }
  if (wanted.has('wasm')) {
    if (!facts.wasmToolchain) {
      orMissing(wasmSteps(facts), `Rust's target ${WASM_TARGET}, for example with rustup`);
    }
    // Rustup's ready-made std knows no shared memory.
    const from = facts.threads || facts.noThreads ? null : stdSources(facts);
    if (from) steps.push({ do: 'threads', from });
    if (!facts.wasmBindgen) steps.push({ do: 'wasm-bindgen', version: facts.wasmBindgenVersion });
  }
  if (wanted.has('npm') && facts.npm !== 'ready') steps.push({ do: 'npm', clean: facts.npm === 'install' });
  if (wanted.has('browser') && !facts.chrome) {
    if (facts.chromePath) {
      missing.push(`the browser that CHROME_PATH names, \`${facts.chromePath}\`: it is not there`);
    } else {
      const what = 'Chromium or Chrome (where it is not on PATH, name it in CHROME_PATH)';
      orMissing(apt(DEBIAN.browser, 'the browser for tests', facts), what);
    }
  }
  if (wanted.has('firefox') && !facts.firefox) {
    const what = 'Firefox (where it is not on PATH, name it in FIREFOX_PATH)';
    orMissing(apt(DEBIAN.firefox, 'Firefox for tests', facts), what);
  }
  return { steps, missing };

  /**
   * @param {Step | null} step
   * @param {string} otherwise what to ask of the person when there is no step
   */
  function orMissing(step, otherwise) {
    if (step) steps.push(step);
    else missing.push(otherwise);
  }
}

/**
 * Rustup's ready-made target first; then std's sources from rustup; then Debian's packages.
 * @param {Facts} facts
 * @returns {Step | null}
 */
function wasmSteps(facts) {
  const otherwise = stdSources(facts);
  return facts.rustup ? { do: 'rustup', add: 'target', otherwise } : otherwise;
}

/**
 * Std's sources from rustup, or a Rust of Debian's together with its sources.
 * @param {Facts} facts
 * @returns {Step | null}
 */
function stdSources(facts) {
  const debian = apt(DEBIAN.wasm, 'a Rust that builds for wasm', facts);
  return facts.rustup ? { do: 'rustup', add: 'rust-src', otherwise: debian } : debian;
}

/**
 * @param {string[]} packages
 * @param {string} why
 * @param {Facts} facts
 * @returns {Step | null} null where packages cannot be installed from here
 */
function apt(packages, why, facts) {
  if (facts.platform !== 'linux' || !facts.apt || (!facts.root && !facts.sudo)) return null;
  // Without a terminal a password prompt would wait for ever.
  const sudo = facts.root ? [] : facts.terminal ? ['sudo'] : ['sudo', '-n'];
  return { do: 'apt', packages, why, sudo };
}

/**
 * Whether the installed npm packages are those of the lock file, and the lock file that of the manifests.
 *
 * @param {{ manifests: Record<string, any>, lock: any, installed: any }} state `manifests` by folder (`''` is the
 *   root), `lock` is package-lock.json, `installed` is node_modules/.package-lock.json or null
 * @returns {'ready' | 'install' | 'outdated-lock'}
 */
export function npmState({ manifests, lock, installed }) {
  const locked = lock?.packages ?? {};
  const groups = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];
  for (const [folder, manifest] of Object.entries(manifests)) {
    for (const group of groups) {
      if (!sameEntries(manifest[group], locked[folder]?.[group])) return 'outdated-lock';
    }
  }
  if (!installed) return 'install';
  for (const [place, wanted] of Object.entries(locked)) {
    if (!place.includes('node_modules/')) continue;
    const have = installed.packages?.[place];
    // Packages for other systems are in the lock file and never on this machine.
    if (!have && (wanted.optional || wanted.peer)) continue;
    if (have?.version !== wanted.version || have?.integrity !== wanted.integrity) return 'install';
  }
  return 'ready';
}

/**
 * @param {Record<string, string> | undefined} a
 * @param {Record<string, string> | undefined} b
 */
function sameEntries(a = {}, b = {}) {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
