// Builds what ships of the package's JavaScript, from `pkg/src` into `pkg/dist`: `node scripts/build-package.mjs`.
//
// One file for each way in: no bundler has to follow imports into a worker, and a page without one asks for three files
// instead of sixty. What pages import shares one more, so that nothing of the package is there twice. The addresses of other
// files stay as they are written, for bundlers to find.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { copyLibraries } from './build-wasm.mjs';
import { markDeprecated } from './lib/declarations.mjs';
import { duration, Failure, main, ROOT, run, say } from './lib/run.mjs';
import { fingerprint, readStamp, writeStamp } from './lib/stamp.mjs';
import { VARIANTS } from './lib/variants.mjs';
import { manPage } from './man-page.mjs';

/** @import { Plugin } from 'esbuild' */

const OUT = 'pkg/dist';
const TYPES = 'pkg/types';
const STAMP = 'node_modules/.cache/ocelli-package.json';
const INPUTS = [
  'scripts/build-package.mjs',
  'scripts/lib/declarations.mjs',
  'scripts/man-page.mjs',
  'pkg/package.json',
  'pkg/src',
  'pkg/tsconfig.json',
  'package-lock.json',
];

/** For browsers: what pages import, and what is started. */
const BROWSER = { imported: ['index', 'pipeline'], started: ['worker', 'gpu'] };
/** For Node. */
const NODE = { imported: ['node', 'node-pipeline'], started: ['node-worker'] };

/** The floor of browsers: see README.md. */
const TARGET = ['chrome100', 'firefox114', 'safari16.4'];

/**
 * The generated modules would find their `.wasm` themselves, beside themselves; in a bundle they are elsewhere, and the
 * engine tells them (`pkg/src/wasm-files.js`).
 * @type {Plugin}
 */
const generated = {
  name: 'generated',
  setup(build) {
    build.onLoad({ filter: /[\\/]pkg[\\/]wasm[\\/][\w-]+\.js$/ }, ({ path: file }) => {
      const text = readFileSync(file, 'utf8');
      return { contents: text.replace(/new URL\('[\w-]+_bg\.wasm', import\.meta\.url\)/, 'undefined') };
    });
    // Of a variant that was not built there is no file to be found.
    build.onLoad({ filter: /[\\/]pkg[\\/]src[\\/]wasm-files\.js$/ }, ({ path: file }) => {
      const text = readFileSync(file, 'utf8');
      const there = (/** @type {string} */ name) => existsSync(path.join(ROOT, 'pkg/wasm', name));
      return {
        contents: text.replace(
          /new URL\('\.\.\/wasm\/([\w-]+_bg\.wasm)', import\.meta\.url\)/g,
          (all, name) => (there(name) ? all : 'undefined'),
        ),
      };
    });
  },
};

/** @param {{ force?: boolean }} [options] */
export async function buildPackage({ force = false } = {}) {
  const started = performance.now();
  if (!existsSync(path.join(ROOT, 'node_modules/esbuild'))) {
    throw new Failure('esbuild is not here yet: run `npm run setup` first.');
  }
  copyLibraries();
  const glue = VARIANTS.map(({ name }) => `pkg/wasm/${name}.js`);
  const built = VARIANTS.filter(({ name }) => existsSync(path.join(ROOT, `pkg/wasm/${name}_bg.wasm`)));
  const inputs = fingerprint(
    [...INPUTS, ...glue],
    built.map(({ name }) => name),
  );
  if (!force && readStamp(STAMP)?.inputs === inputs && existsSync(path.join(ROOT, OUT, 'index.js'))) {
    say(`Package: ${OUT} is up to date.`);
    return;
  }
  say('Package: bundling', 'seconds');
  // A variant that was never built is absent: tests of the package need none.
  for (const file of glue) {
    if (existsSync(path.join(ROOT, file))) continue;
    mkdirSync(path.join(ROOT, 'pkg/wasm'), { recursive: true });
    writeFileSync(
      path.join(ROOT, file),
      '// This variant was not built: see scripts/build-wasm.mjs.\nexport default null;\n',
    );
  }
  const { build } = await import('esbuild');
  /** @type {import('esbuild').BuildOptions} */
  const common = {
    absWorkingDir: ROOT,
    bundle: true,
    format: 'esm',
    outdir: OUT,
    minify: true,
    // What the package says of side effects is about its bundles.
    ignoreAnnotations: true,
    legalComments: 'eof',
    plugins: [generated],
    logLevel: 'warning',
  };
  const entries = (/** @type {string[]} */ names) => names.map((name) => `pkg/src/${name}.js`);
  // Maps, for whoever meets an error in a page; in Node they would be a fifth of the package's scripts for nobody.
  /** @type {import('esbuild').BuildOptions} */
  const browser = { ...common, target: TARGET, sourcemap: 'linked' };
  const shared = (/** @type {string} */ chunkNames) => ({ splitting: true, chunkNames });
  await build({ ...browser, ...shared('shared'), entryPoints: entries(BROWSER.imported) });
  await build({ ...browser, entryPoints: entries(BROWSER.started) });
  leaveImports(path.join(ROOT, OUT, 'worker.js'));
  // Libraries of CommonJS ask for Node's modules by `require`.
  const banner = {
    js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
  };
  // As it is written: Node prints the whole line of an error that nobody caught, and the name of its class.
  /** @type {import('esbuild').BuildOptions} */
  const node = { ...common, platform: 'node', target: 'node20.19', minify: false, minifySyntax: true };
  await build({ ...node, ...shared('node-shared'), entryPoints: entries(NODE.imported) });
  await build({ ...node, entryPoints: entries(NODE.started) });
  await build({ ...node, entryPoints: entries(['cli']), banner });
  await run(process.execPath, [
    path.join(ROOT, 'node_modules/typescript/bin/tsc'),
    ...['--project', 'pkg/tsconfig.json', '--outDir', TYPES],
  ]);
  markDeprecated(path.join(ROOT, TYPES));
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'pkg/package.json'), 'utf8'));
  writeFileSync(path.join(ROOT, OUT, 'ocelli.1'), manPage(version));
  // Scripts of workers are started by their address, and export nothing.
  writeFileSync(path.join(ROOT, TYPES, 'worker.d.ts'), 'export {};\n');
  writeStamp(STAMP, { inputs });
  say(`Package: built in ${duration(performance.now() - started)}.`);
}

/**
 * Tells bundlers to leave the import of a script alone whose address is computed: esbuild drops such words where it minifies.
 * @param {string} file
 */
function leaveImports(file) {
  const text = readFileSync(file, 'utf8');
  const marked = text.replace(
    /\bimport\((?=[\w$]+\))/g,
    'import(/* webpackIgnore: true */ /* @vite-ignore */ ',
  );
  if (marked === text) throw new Failure(`${OUT}/worker.js has no import that bundlers are to leave alone.`);
  writeFileSync(file, marked);
}

await main(import.meta, (args) => buildPackage({ force: args.includes('--force') }));
