import assert from 'node:assert/strict';
import test from 'node:test';
import { readPath, TagPaths } from '../../www/tag-paths.js';

test('a tag is below what stands before it', () => {
  assert.equal(readPath(' pets | cats|Minka '), 'pets|cats|Minka');
  for (const none of ['Minka', '|Minka', 'pets|', '|', '']) assert.equal(readPath(none), null, none);
});

test('what is said by hand is there on the next visit, unless what is kept is damaged', (t) => {
  /** @type {Map<string, string>} */
  const stored = new Map();
  const store = {
    getItem: (/** @type {string} */ key) => stored.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ text) => stored.set(key, text),
    removeItem: (/** @type {string} */ key) => stored.delete(key),
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, 'localStorage');
  Object.defineProperty(globalThis, 'localStorage', { value: store, configurable: true });
  t.after(() => {
    if (before) Object.defineProperty(globalThis, 'localStorage', before);
    else Reflect.deleteProperty(globalThis, 'localStorage');
  });
  const paths = new TagPaths();
  paths.put(paths.with(['pets|Minka', 'sea'], String));
  paths.put(paths.with(['ペット|犬'], () => 'dog'));
  assert.equal(paths.with(['pets|Minka'], String), paths.given, 'that is known');
  const next = new TagPaths();
  assert.deepEqual([...next.given], [...paths.given]);
  next.begin(new Map([['Minka', 'staff|Minka']]));
  assert.deepEqual(
    [next.get('Minka'), next.get('dog'), next.get('sea')],
    ['pets|Minka', 'ペット|犬', undefined],
  );
  next.put(new Map());
  assert.equal(stored.size, 0);
  for (const damaged of ['{', '5', '[5, ["a"], ["a", 5], ["a", "b"], [1, "a|b"]]']) {
    stored.set('ocelli-tag-paths', damaged);
    assert.equal(new TagPaths().given.size, 0, damaged);
  }
});
