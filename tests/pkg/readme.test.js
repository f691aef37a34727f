// What the READMEs show of Node runs as it stands, with the package as it is built.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const skip = !existsSync(path.join(ROOT, 'pkg/wasm/simd128_bg.wasm')) && 'the wasm is not built';

/** A folder with a picture, in which the package is installed. @param {import('node:test').TestContext} t */
function project(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-readme-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(path.join(ROOT, 'pkg'), path.join(folder, 'node_modules/ocelli'), 'junction');
  cpSync(path.join(ROOT, 'www/samples/cat.webp'), path.join(folder, 'cat.jpg'));
  return folder;
}

test('pkg/README.md: the program that finds a prompt runs as it stands', { skip }, (t) => {
  const text = readFileSync(path.join(ROOT, 'pkg/README.md'), 'utf8');
  const [, program = ''] = /a whole program for Node, `prompt\.mjs`:\n\n```mjs\n(.*?)```/s.exec(text) ?? [];
  const folder = project(t);
  writeFileSync(path.join(folder, 'prompt.mjs'), program);
  const out = execFileSync(process.execPath, ['prompt.mjs'], { cwd: folder, encoding: 'utf8' });
  assert.match(out, /^a cat[^,]*(, [^,\n]+){1,5} 0\.\d+\n$/);
});

for (const readme of ['README.md', 'pkg/README.md']) {
  test(`${readme}: the program for Node runs as it stands`, { skip }, (t) => {
    const text = readFileSync(path.join(ROOT, readme), 'utf8');
    const [, program = ''] = /a whole program, `describe\.mjs`:\n\n```mjs\n(.*?)```/s.exec(text) ?? [];
    const folder = project(t);
    writeFileSync(path.join(folder, 'describe.mjs'), program);
    const out = execFileSync(process.execPath, ['describe.mjs'], { cwd: folder, encoding: 'utf8' });
    assert.match(out, /label: 'cat'[^]*\na cat.*\n$/);
  });

  test(`${readme}: what is for a page is told apart from what is for Node`, () => {
    const text = readFileSync(path.join(ROOT, readme), 'utf8');
    const [before = ''] = text.split('```js\n');
    assert.match(before.trimEnd().split('\n').at(-1) ?? '', /^In a page\b.*:$/);
  });
}

test('pkg/README.md: the program that searches runs as it stands', { skip }, (t) => {
  const text = readFileSync(path.join(ROOT, 'pkg/README.md'), 'utf8');
  const [, program = ''] = /a whole program, `search\.mjs`:\n\n```mjs\n(.*?)```/s.exec(text) ?? [];
  const folder = project(t);
  writeFileSync(path.join(folder, 'search.mjs'), program);
  const out = execFileSync(process.execPath, ['search.mjs'], { cwd: folder, encoding: 'utf8' });
  assert.match(out, /^\[\s*\{\s*id: 'cat',[^]*\]\n\[\s*\{\s*id: 'cat',[^]*standardScore: null[^]*\]\n$/);
});

test('the program that comes from transformers.js runs as it stands', { skip }, (t) => {
  const text = readFileSync(path.join(ROOT, 'pkg/README.md'), 'utf8');
  const [, program = ''] = /a whole program,\n`pipeline\.mjs`:\n\n```mjs\n(.*?)```/s.exec(text) ?? [];
  const folder = project(t);
  writeFileSync(path.join(folder, 'pipeline.mjs'), program);
  const out = execFileSync(process.execPath, ['pipeline.mjs'], { cwd: folder, encoding: 'utf8' });
  assert.match(out, /^initiate config\.json$[^]*^ready $/m);
  assert.match(out, /\{ label: 'cat', score: 0\.\d+ \},[^]*\ba cat.*\n\[ 2, (\d+) \] \1\n$/);
});
