// Which JavaScript files may import which: the rules of eslint.config.js on files that break them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ESLint } from 'eslint';
import { ROOT } from '../../scripts/lib/run.mjs';

const eslint = new ESLint({ cwd: ROOT });

/** @type {[string, string, string, string | null][]} */
const CASES = [
  ['the page imports what is shared', 'pkg/src/page/a.js', '../shared/errors.js', null],
  ['and not the worker', 'pkg/src/page/a.js', '../worker/engine.js', 'page/ may not import worker/.'],
  ['nor its operations', 'pkg/src/page/a.js', '../worker/operations/a.js', 'page/ may not import worker/.'],
  [
    'the worker keeps away from the page',
    'pkg/src/worker/a.js',
    '../page/a.js',
    'worker/ may not import page/.',
  ],
  ['also from deeper', 'pkg/src/worker/operations/a.js', '../../page/a.js', 'worker/ may not import page/.'],
  ['its own files it imports', 'pkg/src/worker/operations/a.js', '../handles.js', null],
  [
    'what is shared imports nothing else',
    'pkg/src/shared/a.js',
    '../cache/index.js',
    'shared/ may not import cache/.',
  ],
  [
    'nothing imports the extras',
    'pkg/src/page/a.js',
    '../extras/overlay.js',
    'page/ may not import extras/.',
  ],
  ['the extras import the page', 'pkg/src/extras/a.js', '../page/arguments.js', null],
  [
    'the table of builds imports the wasm',
    'pkg/src/worker/variants.js',
    '../../wasm/relaxed/ocelli.js',
    null,
  ],
  [
    'nobody else does',
    'pkg/src/worker/a.js',
    '../../wasm/relaxed/ocelli.js',
    'Only variants.js and runtime.js of the worker import pkg/wasm.',
  ],
  ['the demo imports the package by name', 'www/a.js', 'ocelli', null],
  ['not by path', 'www/a.js', '../pkg/src/index.js', 'The page imports the package by its name.'],
  [
    'nor from inside of it',
    'www/a.js',
    'ocelli/src/index.js',
    'The page imports what `ocelli` exports, nothing from inside of it.',
  ],
];

for (const [name, filePath, specifier, expected] of CASES) {
  test(name, async () => {
    const [result] = await eslint.lintText(`import '${specifier}';\n`, { filePath });
    const found = result?.messages.filter(({ ruleId }) => ruleId === 'no-restricted-imports') ?? [];
    assert.equal(found.length, expected === null ? 0 : 1);
    if (expected !== null) assert.ok(found[0]?.message.includes(expected), found[0]?.message);
  });
}
