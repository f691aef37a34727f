// What a release has to agree in.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ROOT } from '../../scripts/lib/run.mjs';
import { obstacles, versions } from '../../scripts/release.mjs';

test('all versions are the same', () => {
  const found = versions();
  assert.equal(new Set(Object.values(found)).size, 1, JSON.stringify(found));
});

test('a release needs a tag, no changes, and one version', () => {
  const found = { 'package.json': '1.2.3', 'Cargo.toml': '1.2.3' };
  assert.deepEqual(obstacles({ tag: 'v1.2.3', clean: true, found }), []);
  assert.deepEqual(obstacles({ tag: null, clean: true, found }), [
    'This commit has no tag of the form v1.2.3.',
  ]);
  assert.deepEqual(obstacles({ tag: 'v1.2.4', clean: false, found: { 'Cargo.toml': '1.2.3' } }), [
    'There are changes that are not committed.',
    'Cargo.toml says 1.2.3, and the tag v1.2.4.',
  ]);
});

test('documents link to files that are there', () => {
  for (const file of [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'examples/README.md',
    'tests/consumers/README.md',
  ]) {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      assert.ok(existsSync(path.join(ROOT, path.dirname(file), target)), `${file} links to ${target}`);
    }
  }
});
