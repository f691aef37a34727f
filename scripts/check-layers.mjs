// Checks the boundaries between the layers of the code: `node scripts/check-layers.mjs [folder]`.
//
// Directions of Rust's imports, names that only one layer may know, nothing generated in git, no file too long. Those of
// JavaScript are ESLint's (`eslint.config.js`).
// The reading is textual (lib/sources.mjs): it may be fooled by someone who tries, not by someone who forgets.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { capture, Failure, main, ROOT, say } from './lib/run.mjs';
import { lineOf, rustModules, shippedRust } from './lib/sources.mjs';
import { filesBelow } from './lib/stamp.mjs';

/** A hand-written file that grows past this wants to be two. Unit tests at its end do not count. */
export const MAX_LINES = 500;

/** Which layers of `src/` each layer may name; `lib.rs` names all. @type {Map<string, string[]>} */
const RUST_LAYERS = new Map(
  Object.entries({
    kernels: [],
    pixels: [],
    error: ['kernels'],
    json: [],
    weights: ['kernels', 'error'],
    convert: ['weights', 'kernels', 'error'],
    nn: ['weights', 'kernels', 'error'],
    models: ['nn', 'weights', 'kernels', 'json', 'error'],
    text: ['error'],
    image: ['json', 'error'],
    index: ['kernels', 'error'],
    tasks: ['models', 'nn', 'weights', 'kernels', 'text', 'image', 'error'],
    // A crate of its own over all of them.
    wasm: [],
  }),
);

const BROWSER_CRATES = /\b(wasm_bindgen\w*|js_sys|web_sys|console_error_panic_hook)\b/g;

/** Where builds put things; in git each would be a copy that goes stale. */
const GENERATED = [
  /^(target|dist|coverage)\//,
  /(^|\/)(node_modules|__pycache__|\.venv)\//,
  /^pkg\/(wasm|types|dist)\//,
  /\.(wasm|tgz|pyc|tsbuildinfo|log)$/,
];

const HAND_WRITTEN = /\.(rs|js|mjs|cjs|ts|css|html|py|sh)$|^\.ci\/run$/;

/** Where length is no fault: tests, and their helpers. */
const TESTS = /^tests\/|(^|\/)tests(\.rs$|\/)/;

/**
 * @typedef {{ file: string, line?: number, rule: string }} Violation
 */

/**
 * Every violation in a tree.
 * @param {string} [root]
 * @returns {Violation[]}
 */
export function checkLayers(root = ROOT) {
  const files = listFiles(root);
  /** @param {string} file */
  const read = (file) => readFileSync(path.join(root, file), 'utf8');
  return [
    ...files.filter((file) => /^src\/.*\.rs$/.test(file)).flatMap((file) => checkRust(file, read(file))),
    ...files.filter((file) => HAND_WRITTEN.test(file)).flatMap((file) => checkLength(file, read(file))),
    ...checkGenerated(root, files),
  ];
}

/**
 * What git tracks or would track; in a tree without git, everything but builds.
 * @param {string} root
 * @returns {string[]}
 */
function listFiles(root) {
  const inGit = existsSync(path.join(root, '.git'));
  const listed = inGit
    ? capture('git', ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'])?.split(
        '\0',
      )
    : filesBelow('.', root);
  return (listed ?? []).filter((file) => file && existsSync(path.join(root, file)));
}

/**
 * @param {string} file
 * @param {string} text
 * @returns {Violation[]}
 */
export function checkRust(file, text) {
  /** @type {Violation[]} */
  const violations = [];
  const parts = file.slice('src/'.length, -'.rs'.length).split('/');
  const layer = parts[0] ?? '';
  if (parts.at(-1) === 'mod') parts.pop();
  const code = shippedRust(text);
  if (layer !== 'wasm') {
    for (const match of code.matchAll(BROWSER_CRATES)) {
      const rule = `\`${match[1]}\` is known to src/wasm/ only`;
      violations.push({ file, line: lineOf(code, match.index), rule });
    }
  }
  const allowed = RUST_LAYERS.get(layer);
  if (layer === 'lib' || layer === 'bin' || layer === 'main') return violations;
  if (!allowed) {
    return [...violations, { file, rule: `src/${layer} is no layer that scripts/check-layers.mjs knows` }];
  }
  for (const named of rustModules(code, parts.length)) {
    if (!RUST_LAYERS.has(named.layer) || named.layer === layer || allowed.includes(named.layer)) continue;
    violations.push({
      file,
      line: named.line,
      rule: `the layer \`${layer}\` may not import \`${named.layer}\``,
    });
  }
  return violations;
}

/**
 * @param {string} file
 * @param {string} text
 * @returns {Violation[]}
 */
export function checkLength(file, text) {
  if (TESTS.test(file)) return [];
  const counted = file.endsWith('.rs') ? shippedRust(text) : text;
  const lines = counted.trimEnd().split('\n').length;
  return lines > MAX_LINES ? [{ file, rule: `${lines} lines, where ${MAX_LINES} are a module's limit` }] : [];
}

/**
 * @param {string} root
 * @param {string[]} files
 * @returns {Violation[]}
 */
function checkGenerated(root, files) {
  const inGit = existsSync(path.join(root, '.git'));
  const ignored = inGit
    ? (capture('git', ['-C', root, 'ls-files', '-z', '-c', '-i', '--exclude-standard']) ?? '')
    : '';
  const generated = files.filter((file) => GENERATED.some((pattern) => pattern.test(file)));
  return [...new Set([...generated, ...ignored.split('\0').filter(Boolean)])].map((file) => ({
    file,
    rule: 'generated files are not committed',
  }));
}

await main(import.meta, ([folder]) => {
  const violations = checkLayers(folder ? path.resolve(folder) : ROOT);
  for (const { file, line, rule } of violations) console.error(`${file}${line ? `:${line}` : ''}: ${rule}`);
  if (violations.length > 0) {
    throw new Failure(`The layers are violated in ${violations.length} places (see above).`);
  }
  say('Layers: no violation.');
});
