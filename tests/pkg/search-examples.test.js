// The examples that hand an index on to other libraries, with those that are there: `npm install --no-save @duckdb/node-api umap-js`,
// or OCELLI_MODULES names a folder of modules.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { folderOf, lines, ocelli, ROOT, SAMPLES, skip } from './support/cli.js';

const FOLDERS = [process.env.OCELLI_MODULES ?? '', path.join(ROOT, 'node_modules')].filter(Boolean);

/** Where a library is installed. @param {string} name */
const find = (name) => FOLDERS.map((folder) => path.join(folder, name)).find(existsSync);

/** Why an example cannot run here. @param {string} name */
const absent = (name) =>
  skip || (!find(name) && `${name} is not installed: \`npm install --no-save ${name}\``);

/** A folder with the example, what it imports, and an index of the samples. */
async function project(t, example, library) {
  const cwd = folderOf(t);
  cpSync(SAMPLES, path.join(cwd, 'photos'), { recursive: true });
  cpSync(path.join(ROOT, 'examples/search', example), path.join(cwd, example));
  const modules = path.join(cwd, 'node_modules');
  mkdirSync(path.dirname(path.join(modules, library)), { recursive: true });
  symlinkSync(path.join(ROOT, 'pkg'), path.join(modules, 'ocelli'), 'junction');
  symlinkSync(find(library), path.join(modules, library), 'junction');
  const made = await ocelli(['index', 'photos', '-o', 'photos.ocelli', '--export', 'photos.parquet'], {
    cwd,
  });
  assert.deepEqual([made.code, made.err], [0, '']);
  return (...args) => lines(execFileSync(process.execPath, [example, ...args], { cwd, encoding: 'utf8' }));
}

test('DuckDB searches what an index exports', { skip: absent('@duckdb/node-api') }, async (t) => {
  const run = await project(t, 'duckdb.mjs', '@duckdb/node-api');
  const found = run('photos.parquet', 'a cat');
  assert.equal(found.length, 8);
  assert.match(found[0], /^photos\/cat\.webp: 0\.[1-9]\d+$/);
});

test('umap-js lays an index out in two dimensions', { skip: absent('umap-js') }, async (t) => {
  const run = await project(t, 'map.mjs', 'umap-js');
  const [head, ...rows] = run('photos.ocelli');
  assert.equal(head, 'id,x,y');
  assert.equal(rows.length, 8);
  assert.equal(new Set(rows).size, 8);
  for (const row of rows) assert.match(row, /^"photos\/\w+\.webp",-?\d+\.\d{3},-?\d+\.\d{3}$/);
});
