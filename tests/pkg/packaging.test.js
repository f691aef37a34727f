import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const VARIANTS = ['simd128', 'relaxed', 'simd128-threads', 'relaxed-threads'];
const GENERATED = [
  ...VARIANTS.map((name) => `wasm/${name}_bg.wasm`),
  ...['index', 'pipeline', 'shared', 'worker'].map((name) => `dist/${name}.js`),
  ...['node', 'node-pipeline', 'node-shared', 'node-worker', 'cli'].map((name) => `dist/${name}.js`),
  ...['index', 'pipeline', 'shared', 'worker'].map((name) => `dist/${name}.js.map`),
  'types/index.d.ts',
  'types/pipeline.d.ts',
  'THIRD-PARTY-NOTICES.md',
];

/** Packs a copy of the package as it lies in the repository; returns the paths in the archive. */
function pack(t) {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-pack-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const pkg = join(folder, 'pkg');
  // The repository's ignore file comes along: what it ignores must be packed all the same.
  cpSync(join(root, '.gitignore'), join(folder, '.gitignore'));
  cpSync(join(root, 'pkg'), pkg, { recursive: true });
  for (const path of GENERATED) {
    if (existsSync(join(pkg, path))) continue;
    mkdirSync(dirname(join(pkg, path)), { recursive: true });
    writeFileSync(join(pkg, path), '');
  }
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [{ files }] = JSON.parse(execFileSync('npm', args, { cwd: pkg, encoding: 'utf8', stdio: 'pipe' }));
  return files.map(({ path }) => path);
}

test('the package holds what it needs and nothing else', (t) => {
  const packed = pack(t);
  for (const path of [
    ...GENERATED,
    'package.json',
    'README.md',
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'models/ocelli/README.md',
    'CHANGELOG.md',
    'vocabulary/everyday.tsv',
    'lists/README.md',
    'lists/flavors.txt',
  ]) {
    assert.ok(packed.includes(path), `${path} is packed`);
  }
  const strangers = packed.filter(
    (path) =>
      !/^(dist|types|models|vocabulary|lists)\/|^wasm\/[\w-]+_bg\.wasm$|^(package\.json|README\.md|LICEN[CS]E.*|CHANGELOG\.md|THIRD-PARTY-NOTICES\.md)$/.test(
        path,
      ),
  );
  assert.deepEqual(strangers, []);
  assert.deepEqual(
    packed.filter((path) => /test|node_modules|tsconfig/.test(path)),
    [],
  );
  const models = join(root, 'pkg/models');
  if (existsSync(models)) {
    const present = readdirSync(models, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const shipped = packed.filter((path) => path.startsWith('models/'));
    assert.equal(shipped.length, present.length);
  }
});

/** Every address that a script names relative to itself, as bundlers find them. */
function addresses(text) {
  return [...text.matchAll(/new URL\(["'`]([^"'`]+)["'`],\s*import\.meta\.url\)/g)].map(([, path]) => path);
}

test('what the sources name by address lies in the package, from the sources and from the bundles alike', (t) => {
  const packed = pack(t);
  const named = ['files', 'wasm-files', 'node'].flatMap((name) =>
    addresses(readFileSync(join(root, `pkg/src/${name}.js`), 'utf8')),
  );
  for (const path of named) {
    // Sources and bundles lie equally deep.
    assert.ok(packed.includes(posix.join('dist', path)), `${path} is packed`);
  }
  assert.ok(named.length >= 13, 'or this test proves nothing');
});

test('the sources import nothing by a bare name, but in Node', () => {
  const files = readdirSync(join(root, 'pkg/src'), { recursive: true }).map(String);
  const scripts = files.filter((name) => name.endsWith('.js') && !/^(node|cli)\b/.test(name));
  let imports = 0;
  for (const name of scripts) {
    const text = readFileSync(join(root, 'pkg/src', name), 'utf8');
    for (const [, target] of text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)'/gm)) {
      imports += 1;
      // A bare name would need a bundler or an import map, which workers do not even have.
      assert.match(target, /^\.\.?\//, `${name} imports ${target}`);
    }
  }
  assert.ok(imports > 50, 'or this test proves nothing');
});

test('what pages import is there once: the ways in share a file, and are small beside it', (t) => {
  const dist = join(root, 'pkg/dist');
  if (!existsSync(join(dist, 'shared.js'))) return t.skip('pkg/dist is not built (npm run build:package)');
  const read = (name) => readFileSync(join(dist, `${name}.js`), 'utf8');
  for (const [shared, names] of Object.entries({
    shared: ['index', 'pipeline'],
    'node-shared': ['node', 'node-pipeline'],
  })) {
    const all = read(shared);
    for (const name of names) {
      const own = read(name);
      assert.match(own, new RegExp(`from\\s*["']\\./${shared}\\.js["']`), name);
      assert.ok(own.length < all.length / 2, `${name} has ${own.length} letters of ${all.length}`);
      // The worker is started in one place.
      assert.doesNotMatch(own, /worker\.js/, name);
    }
    assert.match(all, /worker\.js/);
  }
});
