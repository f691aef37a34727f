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
  ...VARIANTS.flatMap((name) => [`wasm/${name}/ocelli.js`, `wasm/${name}/ocelli_bg.wasm`]),
  'wasm/feature-detect.js',
  'types/index.d.ts',
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
    'src/index.js',
    'src/worker/worker.js',
    'vocabulary/everyday.tsv',
  ]) {
    assert.ok(packed.includes(path), `${path} is packed`);
  }
  const strangers = packed.filter(
    (path) => !/^(src|wasm|types|models|vocabulary)\/|^(package\.json|README\.md|LICEN[CS]E.*)$/.test(path),
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

test('every import inside the package leads to a packed file', (t) => {
  const packed = pack(t);
  let imports = 0;
  for (const path of packed.filter((name) => /^src\/.*\.js$/.test(name))) {
    const text = readFileSync(join(root, 'pkg', path), 'utf8');
    for (const [, , target] of text.matchAll(/(from |import\(|new URL\()'([^']+)'/g)) {
      imports += 1;
      // A bare name would need a bundler or an import map, which workers do not even have.
      assert.ok(packed.includes(posix.join(dirname(path), target)), `${path} imports ${target}`);
    }
  }
  assert.ok(imports > 20, 'or this test proves nothing');
});
