// Every check that needs no running: formatters, linters, types, layers. `npm run lint [-- check ...]`.
//
// Unlike the tests this goes through all checks before it fails, so that one run shows all there is to mend.

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkLayers } from './check-layers.mjs';
import { findWasmToolchain } from './lib/find.mjs';
import { capture, duration, Failure, main, ROOT, run, say } from './lib/run.mjs';
import { buildArgs, crateArgs, VARIANTS } from './lib/variants.mjs';
import { setup } from './setup.mjs';

/** Thrown by a check that cannot be made on this machine. */
class Unavailable extends Error {}

/** @type {Record<string, () => Promise<void> | void>} */
const CHECKS = {
  layers() {
    const violations = checkLayers();
    for (const { file, line, rule } of violations) console.error(`${file}${line ? `:${line}` : ''}: ${rule}`);
    if (violations.length > 0) throw new Failure('the layers are violated');
  },
  prettier: () => tool('prettier', ['--check', '--log-level=warn', '.']),
  eslint: () => tool('eslint', ['--max-warnings=0', '.']),
  types: async () => {
    for (const project of [
      'scripts/tsconfig.json',
      'pkg/tsconfig.json',
      'pkg/tsconfig.worker.json',
      'pkg/tsconfig.node.json',
      'www/tsconfig.json',
      'www/tsconfig.worker.json',
      'tests/tsconfig.json',
    ]) {
      if (existsSync(path.join(ROOT, project))) await tool('tsc', ['--noEmit', '--project', project]);
    }
  },
  knip: () => tool('knip', ['--no-progress']),
  // What is packed, as others see it: where all of it was built.
  package: async () => {
    const missing = VARIANTS.find(({ name }) => !existsSync(path.join(ROOT, `pkg/wasm/${name}_bg.wasm`)));
    if (missing) throw new Unavailable(`the variant ${missing.name} was not built`);
    const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-lint-'));
    try {
      await run('npm', ['pack', '--silent', '--pack-destination', folder, '--workspace', 'pkg']);
      const tarball = path.join(folder, readdirSync(folder)[0] ?? '');
      await tool('publint', ['--strict', tarball]);
      await tool('attw', ['--profile', 'esm-only', '--quiet', tarball]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  rustfmt: () => {
    if (!capture('cargo', ['fmt', '--version'])) throw new Unavailable('rustfmt is not installed');
    return run('cargo', ['fmt', '--all', '--check']);
  },
  clippy: () => {
    if (!capture('cargo', ['clippy', '--version'])) throw new Unavailable('clippy is not installed');
    return run('cargo', ['clippy', '--quiet', '--locked', '--all-targets', '--', '-D', 'warnings']);
  },
  'clippy-wasm': () => clippyWasm('simd128'),
  // The other halves of all that is compiled for some variants only.
  'clippy-threads': () => clippyWasm('relaxed-threads'),
};

/**
 * Clippy, of what is compiled for a variant. Shared memory makes no difference to what it reads, and would make it read std and
 * all crates anew.
 * @param {string} name of the variant
 */
function clippyWasm(name) {
  const variant = VARIANTS.find((one) => one.name === name);
  const toolchain = findWasmToolchain();
  if (!variant || !toolchain) throw new Unavailable('no Rust that builds wasm is installed');
  const { cargo, args, env } = toolchain;
  if (!capture(cargo, ['clippy', '--version'], env)) {
    throw new Unavailable('clippy is not installed for wasm');
  }
  // The profile of development builds: its build scripts and macros are there already, or will be of use.
  const build = ['--quiet', '--locked', '--lib', '--profile', 'wasm-dev', ...buildArgs(variant), ...args];
  return run(cargo, ['clippy', ...build, '--', '-D', 'warnings', ...crateArgs(variant)], { env });
}

/**
 * A tool of npm's, started without npm.
 * @param {string} name
 * @param {string[]} args
 */
function tool(name, args) {
  return run(path.join(ROOT, 'node_modules/.bin', name), args);
}

await main(import.meta, async (args) => {
  const unknown = args.find((arg) => !(arg in CHECKS));
  if (unknown) {
    throw new Failure(`There is no check \`${unknown}\`; the checks are ${Object.keys(CHECKS).join(', ')}.`);
  }
  const names = args.length > 0 ? args : Object.keys(CHECKS);
  await setup(names.some((name) => name.startsWith('clippy')) ? ['native', 'npm'] : ['npm']);
  /** @type {string[]} */
  const failed = [];
  let passed = 0;
  let skipped = 0;
  for (const name of names) {
    const started = performance.now();
    try {
      await CHECKS[name]?.();
      passed++;
      say(`${name}: fine (${duration(performance.now() - started)})`);
    } catch (error) {
      if (error instanceof Unavailable) {
        skipped++;
        say(`${name}: skipped, for ${error.message}.`);
      } else if (error instanceof Failure) {
        failed.push(name);
        console.error(`✗ ${name}: failed`);
      } else throw error;
    }
  }
  console.log(
    `checks: ${passed} passed, ${failed.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  );
  if (failed.length > 0) throw new Failure(`These checks failed (see above): ${failed.join(', ')}.`);
});
