import assert from 'node:assert/strict';
import test from 'node:test';
import {
  buildArgs,
  chosenVariants,
  crateArgs,
  releaseEnv,
  VARIANTS,
  wasmOptFlags,
  wasmRustflags,
} from '../../scripts/lib/variants.mjs';

/** @param {string} name */
function variant(name) {
  const found = VARIANTS.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

test('variants that differ in relaxed SIMD alone share the flags of all other crates', () => {
  for (const suffix of ['', '-threads']) {
    const [plain, relaxed] = [variant(`simd128${suffix}`), variant(`relaxed${suffix}`)];
    assert.deepEqual(wasmRustflags(plain), wasmRustflags(relaxed));
    // The converter is a feature of our own crate.
    assert.deepEqual(buildArgs({ ...plain, convert: false }), buildArgs(relaxed));
    assert.deepEqual(crateArgs(plain), []);
    assert.match(crateArgs(relaxed).join(' '), /\+relaxed-simd/);
    assert.ok(!wasmOptFlags(plain).includes('--enable-relaxed-simd'));
    assert.ok(wasmOptFlags(relaxed).includes('--enable-relaxed-simd'));
  }
});

test('shared memory is for threads alone', () => {
  const [single, threads] = [variant('simd128'), variant('simd128-threads')].map((one) =>
    [...wasmRustflags(one), ...buildArgs(one), ...wasmOptFlags(one)].join(' '),
  );
  for (const part of [/\+atomics/, /--shared-memory/, /--features threads/, /--enable-threads/]) {
    assert.doesNotMatch(single ?? '', part);
    assert.match(threads ?? '', part);
  }
});

test('what ships is compiled with all other flags, and without the places of panics', () => {
  const flags = wasmRustflags(variant('simd128-threads'));
  const env = releaseEnv({ CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') });
  assert.deepEqual(env.CARGO_ENCODED_RUSTFLAGS?.split('\x1f'), [...flags, '-Z', 'location-detail=none']);
  assert.equal(env.RUSTC_BOOTSTRAP, '1');
});

test('a command line names variants, or takes all, or one for iterating', () => {
  const all = VARIANTS.map(({ name }) => name);
  assert.deepEqual(chosenVariants([]), all);
  assert.deepEqual(chosenVariants(['--dev', '--all']), all);
  assert.equal(chosenVariants(['--dev']).length, 1);
  assert.deepEqual(chosenVariants(['--dev', '--variant', 'simd128,relaxed-threads']), [
    'simd128',
    'relaxed-threads',
  ]);
  assert.throws(() => chosenVariants(['--variant', 'simd256']), /no variant `simd256`; .*relaxed-threads/);
  assert.throws(() => chosenVariants(['--variant']), /no variant/);
});
