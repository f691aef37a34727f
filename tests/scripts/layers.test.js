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
  ['the table of builds imports the wasm', 'pkg/src/worker/variants.js', '../../wasm/relaxed.js', null],
  [
    'nobody else does',
    'pkg/src/worker/a.js',
    '../../wasm/relaxed.js',
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
  ['a bare name needs a bundler', 'pkg/src/worker/a.js', 'some-library', 'nothing by a bare name'],
  [
    'also where the wasm may be imported',
    'pkg/src/worker/runtime.js',
    'some-library',
    'nothing by a bare name',
  ],
  [
    'which imports no page either',
    'pkg/src/worker/runtime.js',
    '../page/a.js',
    'worker/ may not import page/.',
  ],
  [
    'the index keeps away from the worker',
    'pkg/src/index.js',
    './worker/engine.js',
    'index.js/ may not import worker/.',
  ],
  [
    'and is imported by nobody',
    'pkg/src/worker/a.js',
    '../index.js',
    'Nothing within the package imports its index.',
  ],
  ['a worker is started', 'pkg/src/worker/a.js', '../worker.js', 'started, never imported'],
  ['Node has names of its own', 'pkg/src/node/a.js', 'node:fs', null],
  ['the command line too', 'pkg/src/cli/a.js', 'some-library', null],
  ['which no page imports', 'pkg/src/page/a.js', '../cli/a.js', 'page/ may not import cli/.'],
  ['the package keeps to itself', 'pkg/src/page/a.js', '../../../www/main.js', 'keeps to itself'],
  ['the demo too', 'www/a.js', '../scripts/serve.mjs', 'by its name'],
];

for (const [name, filePath, specifier, expected] of CASES) {
  test(name, async () => {
    const [result] = await eslint.lintText(`import '${specifier}';\n`, { filePath });
    const found = result?.messages.filter(({ ruleId }) => ruleId === 'no-restricted-imports') ?? [];
    assert.equal(found.length, expected === null ? 0 : 1);
    if (expected !== null) assert.ok(found[0]?.message.includes(expected), found[0]?.message);
  });
}

test('what is not a static import is refused as well', async () => {
  for (const code of [
    "await import('../worker/engine.js');\n",
    "new URL('../../wasm/relaxed_bg.wasm', import.meta.url);\n",
    "new URL('../models/ocelli/config.json', import.meta.url);\n",
  ]) {
    const [result] = await eslint.lintText(code, { filePath: 'pkg/src/page/a.js' });
    assert.ok(
      result?.messages.some(({ ruleId }) => ruleId === 'no-restricted-syntax'),
      code,
    );
  }
});
