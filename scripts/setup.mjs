// Installs what is missing on this machine, and only that: `node scripts/setup.mjs [native] [wasm] [npm] [browser]`.
//
// Plain Node without packages, for it runs in a fresh clone. What to do is decided in lib/plan.mjs; here the facts
// are found and the steps carried out. A second run finds nothing to do and says so within a second or two.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findChrome, findFirefox, findWasmBindgen, findWasmToolchain } from './lib/find.mjs';
import { npmState, plan } from './lib/plan.mjs';
import { capture, duration, Failure, main, ROOT, run, say, which } from './lib/run.mjs';
import {
  atLeast,
  oldestNode,
  noThreadsFile,
  oldestRust,
  WASM_TARGET,
  wasmBindgenFolder,
  wasmBindgenVersion,
} from './lib/tools.mjs';

/** @import { Facts, Need, Step } from './lib/plan.mjs' */

/** @type {Need[]} */
const EVERYTHING = ['native', 'wasm', 'npm', 'browser'];

/** Rustup tries for long where its servers do not answer; a target is 25 MB. */
const RUSTUP_LIMIT_MS = 5 * 60_000;

/**
 * Makes sure that everything needed is here.
 * @param {Need[]} [needs]
 */
export async function setup(needs = EVERYTHING) {
  const started = performance.now();
  const { steps, missing } = plan(needs, findFacts());
  if (missing.length > 0) {
    throw new Failure(
      `Please install these by hand, then run this again:\n${missing.map((m) => `  - ${m}`).join('\n')}`,
    );
  }
  for (const step of steps) await carryOut(step);
  if (needs.length === 0) return;
  if (steps.length === 0) say(`Setup: everything needed is here (${needs.join(', ')}).`);
  else {
    verify(needs);
    say(`Setup: done in ${duration(performance.now() - started)}.`);
  }
}

/** @returns {Facts} */
export function findFacts() {
  const rust = which('cargo') ? capture('rustc', ['--version']) : null;
  return {
    platform: process.platform,
    nodeIsNew: atLeast(process.versions.node, oldestNode()),
    oldestNode: oldestNode(),
    apt: which('apt-get') !== null,
    root: process.getuid?.() === 0,
    sudo: which('sudo') !== null,
    terminal: Boolean(process.stdin.isTTY),
    rust,
    oldestRust: oldestRust(),
    rustIsNew: rust !== null && atLeast(rust, oldestRust()),
    cc: which('cc') !== null,
    rustup: which('rustup') !== null,
    wasmToolchain: findWasmToolchain() !== null,
    threads: findWasmToolchain({ threads: true }) !== null,
    noThreads: existsSync(noThreadsFile()) ? noThreadsFile() : null,
    wasmBindgen: findWasmBindgen() !== null,
    wasmBindgenVersion: wasmBindgenVersion(),
    chromePath: process.env.CHROME_PATH || null,
    chrome: findChrome() !== null,
    firefox: findFirefox() !== null,
    npm: findNpmState(),
  };
}

function findNpmState() {
  /** @param {string} file */
  const read = (file) => {
    const full = path.join(ROOT, file);
    return existsSync(full) ? JSON.parse(readFileSync(full, 'utf8')) : null;
  };
  const root = read('package.json');
  /** @type {Record<string, any>} */
  const manifests = { '': root };
  for (const folder of root.workspaces ?? []) {
    const manifest = read(`${folder}/package.json`);
    if (manifest) manifests[folder] = manifest;
  }
  const installed = read('node_modules/.package-lock.json');
  return npmState({ manifests, lock: read('package-lock.json'), installed });
}

/** @param {Step} step */
async function carryOut(step) {
  switch (step.do) {
    case 'rustup':
      return addFromRustup(step);
    case 'apt':
      return installPackages(step);
    case 'threads':
      return prepareThreads(step.from);
    case 'wasm-bindgen':
      return installWasmBindgen(step.version);
    case 'npm':
      return installNpmPackages(step.clean);
  }
}

/** @param {Extract<Step, { do: 'rustup' }>} step */
async function addFromRustup(step) {
  const what = step.add === 'target' ? `the target ${WASM_TARGET}` : "std's sources";
  const args = step.add === 'target' ? ['target', 'add', WASM_TARGET] : ['component', 'add', 'rust-src'];
  say(`Asking rustup for ${what}`, 'usually under a minute');
  try {
    await run('rustup', args, {
      timeoutMs: RUSTUP_LIMIT_MS,
      env: { RUST_BACKTRACE: '0' },
      output: step.otherwise ? 'never' : 'failure',
    });
    if (findWasmToolchain({ threads: step.add === 'rust-src' })) return;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
  if (!step.otherwise) {
    throw new Failure(
      `rustup could not add ${what}: please install ${WASM_TARGET} by hand, then run this again.`,
    );
  }
  say(`rustup cannot supply ${what} here; trying another way.`);
  await carryOut(step.otherwise);
}

/**
 * Where std's sources cannot be had, that is said once and written down: asking in vain may take minutes.
 * @param {Step} from
 */
async function prepareThreads(from) {
  // An earlier step may have brought them.
  if (findWasmToolchain({ threads: true })) return;
  try {
    await carryOut(from);
    if (findWasmToolchain({ threads: true })) return;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
  }
  const file = noThreadsFile();
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "Std's sources could not be had. Delete this file to let the setup try again.\n");
  say(`Without std's sources the wasm is built for one thread only (delete ${file} to try again).`);
}

/** @param {Extract<Step, { do: 'apt' }>} step */
async function installPackages({ packages, why, sudo }) {
  const list = packages.join(' ');
  say(`Installing ${why} with apt-get: ${list}`, 'usually 1 to 3 minutes');
  const [program = '', ...before] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  // Another apt (unattended upgrades on a fresh machine) may hold the lock for a while.
  const common = ['-qq', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0'];
  await run(program, [...before, ...common, 'update'], {
    output: 'failure',
    failure:
      sudo.length > 0 ? 'sudo apt-get update failed (see above).' : 'apt-get update failed (see above).',
  });
  await run(program, [...before, ...common, 'install', '-y', '--no-install-recommends', ...packages], {
    output: 'failure',
    failure: `apt-get could not install ${list} (see above): please install ${why} by hand, then run this again.`,
  });
}

/** Compiling a tool takes longer than all that it then does: it is not optimised. */
const UNOPTIMISED = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  CARGO_PROFILE_RELEASE_LTO: 'off',
};

/** @param {string} version */
async function installWasmBindgen(version) {
  const folder = wasmBindgenFolder(version);
  say(`Building wasm-bindgen ${version} into ${folder}, once for all clones`, 'usually 1 to 3 minutes');
  mkdirSync(folder, { recursive: true });
  const install = ['install', '--quiet', '--version', version, '--root', folder, 'wasm-bindgen-cli'];
  try {
    await run('cargo', [...install, '--locked'], { env: UNOPTIMISED, output: 'never' });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A registry mirror may lag behind the newest of the tool's own dependencies; older ones do as well.
    say('That exact set of dependencies cannot be had here; letting cargo choose them.');
    await run('cargo', install, {
      env: UNOPTIMISED,
      failure: `cargo could not build wasm-bindgen-cli ${version} (see above).`,
    });
  }
}

/** @param {boolean} clean whether the lock file decides alone */
async function installNpmPackages(clean) {
  say(
    clean ? 'Installing the npm packages' : 'Installing npm packages newly named in a package.json',
    'usually under a minute',
  );
  // No package here needs its install script; running none is quicker and safer.
  const common = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', [clean ? 'ci' : 'install', ...common], {
    failure: 'npm could not install the packages (see above).',
  });
}

/**
 * Installing may succeed and still not have brought what was asked for (a stub package, another version).
 * @param {Need[]} needs
 */
function verify(needs) {
  const { steps, missing } = plan(needs, findFacts());
  if (steps.length + missing.length === 0) return;
  const left = [...steps.map((step) => step.do), ...missing].join(', ');
  throw new Failure(`The installation went through, but this is still not usable: ${left}.`);
}

await main(import.meta, async (args) => {
  const unknown = args.find((arg) => !EVERYTHING.includes(/** @type {Need} */ (arg)));
  if (unknown) throw new Failure(`There is no part \`${unknown}\`; the parts are ${EVERYTHING.join(', ')}.`);
  await setup(args.length > 0 ? /** @type {Need[]} */ (args) : EVERYTHING);
});
