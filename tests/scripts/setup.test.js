import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { npmState, plan } from '../../scripts/lib/plan.mjs';
import { atLeast, DEBIAN, oldestRust, wasmBindgenVersion } from '../../scripts/lib/tools.mjs';

/** @import { Facts, Need, Step } from '../../scripts/lib/plan.mjs' */

/** @type {Need[]} */
const ALL = ['native', 'wasm', 'npm', 'browser'];

/** A Debian on which everything is installed. @type {Facts} */
const READY = {
  platform: 'linux',
  nodeIsNew: true,
  oldestNode: '20.9',
  apt: true,
  root: true,
  sudo: false,
  terminal: false,
  rust: 'rustc 1.95.0',
  oldestRust: '1.88',
  rustIsNew: true,
  cc: true,
  rustup: true,
  wasmToolchain: true,
  threads: true,
  noThreads: null,
  wasmBindgen: true,
  wasmBindgenVersion: '0.2.1',
  chromePath: null,
  chrome: true,
  firefox: true,
  npm: 'ready',
};

/** The same with nothing but what a newcomer has. @type {Facts} */
const FRESH = {
  ...READY,
  wasmToolchain: false,
  threads: false,
  wasmBindgen: false,
  chrome: false,
  npm: 'install',
};

/** @param {Step | null} step @returns {string} */
function line(step) {
  switch (step?.do) {
    case undefined:
      return 'nothing';
    case 'rustup':
      return `rustup ${step.add}, else ${line(step.otherwise)}`;
    case 'apt':
      return [...step.sudo, 'apt', ...step.packages].join(' ');
    case 'threads':
      return `threads from ${line(step.from)}`;
    case 'npm':
      return step.clean ? 'npm ci' : 'npm install';
    default:
      return `${step?.do} ${step?.version}`;
  }
}

/** @param {Partial<Facts>} facts @param {Need[]} [needs] */
const steps = (facts, needs = ALL) => plan(needs, { ...FRESH, ...facts }).steps.map(line);

/** @param {Partial<Facts>} facts @param {Need[]} [needs] */
const missing = (facts, needs = ALL) => plan(needs, { ...FRESH, ...facts }).missing;

const WASM = DEBIAN.wasm.join(' ');

describe('plan', () => {
  test('nothing to do where everything is here', () => {
    assert.deepEqual(plan(ALL, READY), { steps: [], missing: [] });
  });

  test('a fresh Debian with rustup, as root', () => {
    assert.deepEqual(steps({}), [
      `rustup target, else rustup rust-src, else apt ${WASM}`,
      `threads from rustup rust-src, else apt ${WASM}`,
      'wasm-bindgen 0.2.1',
      'npm ci',
      'apt chromium',
    ]);
  });

  test('each part asks for its own only', () => {
    assert.deepEqual(steps({}, ['npm']), ['npm ci']);
    assert.deepEqual(steps({}, ['native']), []);
    assert.deepEqual(steps({}, ['browser']), ['apt chromium']);
    assert.deepEqual(steps({ wasmToolchain: true, threads: true }, ['wasm']), ['wasm-bindgen 0.2.1']);
    assert.deepEqual(missing({ platform: 'darwin', apt: false }, ['native', 'npm']), []);
  });

  test('a user asks sudo, without a password where nobody can type one', () => {
    assert.deepEqual(steps({ root: false, sudo: true }, ['browser']), ['sudo -n apt chromium']);
    assert.deepEqual(steps({ root: false, sudo: true, terminal: true }, ['browser']), ['sudo apt chromium']);
  });

  test('a user without sudo is told what to install', () => {
    const [only, ...more] = missing({ root: false }, ['browser']);
    assert.match(only ?? '', /Chromium or Chrome .*CHROME_PATH/);
    assert.deepEqual(more, []);
  });

  test('without rustup the packages of Debian do', () => {
    assert.deepEqual(steps({ rustup: false }, ['wasm']), [
      `apt ${WASM}`,
      `threads from apt ${WASM}`,
      'wasm-bindgen 0.2.1',
    ]);
  });

  test('on macOS rustup is asked, and the rest named', () => {
    const mac = { platform: 'darwin', apt: false, root: false, sudo: true, cc: false };
    assert.deepEqual(steps(mac, ['wasm']), [
      'rustup target, else rustup rust-src, else nothing',
      'threads from rustup rust-src, else nothing',
      'wasm-bindgen 0.2.1',
    ]);
    const asked = missing(mac).join('\n');
    assert.match(asked, /xcode-select --install/);
    assert.match(asked, /Chromium or Chrome/);
    assert.match(missing({ ...mac, rustup: false }).join('\n'), /target wasm32-unknown-unknown/);
  });

  test('threads are asked for where they can be had, and not again where they could not', () => {
    const one = { wasmToolchain: true, wasmBindgen: true };
    assert.deepEqual(steps(one, ['wasm']), [`threads from rustup rust-src, else apt ${WASM}`]);
    assert.deepEqual(steps({ ...one, noThreads: '/tools/no-threads' }, ['wasm']), []);
    assert.deepEqual(steps({ ...one, rustup: false, root: false }, ['wasm']), []);
    assert.deepEqual(missing({ ...one, rustup: false, root: false }, ['wasm']), []);
  });

  test('another Linux without apt', () => {
    assert.match(missing({ apt: false, rustup: false }).join('\n'), /wasm32-unknown-unknown[^]*Chromium/);
  });

  test('no Rust, or too old a Rust, is said first', () => {
    assert.match(missing({ rust: null, rustIsNew: false })[0] ?? '', /Rust 1\.88 or newer, from rustup/);
    assert.match(missing({ rust: 'rustc 1.63.0', rustIsNew: false })[0] ?? '', /here is rustc 1\.63\.0/);
    assert.deepEqual(missing({ rust: null, rustIsNew: false }, ['npm']), []);
  });

  test('too old a Node', () => {
    assert.deepEqual(missing({ nodeIsNew: false }, ['npm']), ['Node 20.9 or newer']);
  });

  test('a native linker', () => {
    assert.deepEqual(steps({ cc: false }, ['native']), [`apt ${DEBIAN.linker.join(' ')}`]);
  });

  test('a CHROME_PATH that leads nowhere is not papered over', () => {
    const lost = { chromePath: '/opt/chrome' };
    assert.deepEqual(steps(lost, ['browser']), []);
    assert.match(missing(lost, ['browser'])[0] ?? '', /CHROME_PATH names, `\/opt\/chrome`/);
  });

  test('npm packages: by the lock file alone, unless that is behind a package.json', () => {
    assert.deepEqual(steps({ npm: 'outdated-lock' }, ['npm']), ['npm install']);
  });
});

describe('npm state', () => {
  const manifests = { '': { devDependencies: { a: '^1.0.0' } }, pkg: { dependencies: { b: '2' } } };
  const a = { version: '1.0.1', integrity: 'x' };
  const lock = {
    packages: {
      '': { devDependencies: { a: '^1.0.0' } },
      pkg: { dependencies: { b: '2' } },
      'node_modules/a': a,
      'node_modules/ocelli': { resolved: 'pkg', link: true },
      'node_modules/other-system': { version: '1', optional: true },
    },
  };
  const installed = {
    packages: { 'node_modules/a': a, 'node_modules/ocelli': { resolved: 'pkg', link: true } },
  };

  test('ready', () => assert.equal(npmState({ manifests, lock, installed }), 'ready'));

  test('not installed at all, in part, or another version', () => {
    assert.equal(npmState({ manifests, lock, installed: null }), 'install');
    assert.equal(npmState({ manifests, lock, installed: { packages: {} } }), 'install');
    const other = { packages: { ...installed.packages, 'node_modules/a': { ...a, version: '1.0.0' } } };
    assert.equal(npmState({ manifests, lock, installed: other }), 'install');
  });

  test('a dependency that the lock file does not know', () => {
    const more = { ...manifests, pkg: { dependencies: { b: '2', c: '3' } } };
    assert.equal(npmState({ manifests: more, lock, installed }), 'outdated-lock');
    assert.equal(
      npmState({ manifests: { ...manifests, more: { dependencies: { c: '3' } } }, lock, installed }),
      'outdated-lock',
    );
    assert.equal(npmState({ manifests, lock: null, installed }), 'outdated-lock');
  });
});

describe('versions', () => {
  test('are compared by number', () => {
    assert.ok(atLeast('rustc 1.95.0 (f2d3ce0bd 2026-03-21)', '1.88'));
    assert.ok(atLeast('rustc 1.88.0', '1.88'));
    assert.ok(!atLeast('rustc 1.9.0', '1.88'));
    assert.ok(!atLeast('nothing', '1.88'));
  });

  test('come from Cargo.lock and Cargo.toml', () => {
    assert.equal(wasmBindgenVersion('[[package]]\nname = "wasm-bindgen"\nversion = "0.2.99"\n'), '0.2.99');
    assert.match(wasmBindgenVersion(), /^\d+\.\d+\.\d+$/);
    assert.throws(() => wasmBindgenVersion(''), /names no wasm-bindgen/);
    assert.equal(oldestRust('rust-version = "1.90"'), '1.90');
  });
});
