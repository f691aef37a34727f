import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { compressBelow } from '../../scripts/lib/compress.mjs';

test('copies are written where they are worth it, and made once', async (t) => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'ocelli-compress-'));
  t.after(() => rmSync(root, { recursive: true }));
  const [folder, cache] = [path.join(root, 'dist'), path.join(root, 'cache')];
  mkdirSync(path.join(folder, 'deep'), { recursive: true });
  const text = Buffer.from('the same again and again; '.repeat(100));
  const noise = randomBytes(2000);
  writeFileSync(path.join(folder, 'page.js'), text);
  writeFileSync(path.join(folder, 'page.js.map'), text);
  writeFileSync(path.join(folder, 'picture.png'), text);
  writeFileSync(path.join(folder, 'deep/noise.wasm'), noise);

  const sizes = await compressBelow(folder, cache);
  assert.deepEqual(readdirSync(folder).toSorted(), [
    'deep',
    'page.js',
    'page.js.br',
    'page.js.gz',
    'page.js.map',
    'picture.png',
  ]);
  assert.deepEqual(readdirSync(path.join(folder, 'deep')), ['noise.wasm']);
  const brotli = readFileSync(path.join(folder, 'page.js.br'));
  assert.deepEqual(brotliDecompressSync(brotli), text);
  assert.deepEqual(gunzipSync(readFileSync(path.join(folder, 'page.js.gz'))), text);
  assert.equal(sizes.plain, text.length + noise.length);
  assert.equal(sizes['.br'], brotli.length + noise.length);

  // What is kept is taken, whatever it is.
  const kept = readdirSync(cache).filter((name) => name.endsWith('.br'));
  assert.equal(kept.length, 2);
  for (const name of kept) writeFileSync(path.join(cache, name), 'kept');
  await compressBelow(folder, cache);
  assert.equal(readFileSync(path.join(folder, 'page.js.br'), 'utf8'), 'kept');

  // What is no longer made from anything goes.
  rmSync(path.join(folder, 'deep/noise.wasm'));
  await compressBelow(folder, cache);
  assert.equal(readdirSync(cache).length, 2);
});
