// The lists of terms that come with the package: how many there are, that each is there once, and what they look like.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../pkg/lists/', import.meta.url));

/** At least and at most so many terms. */
const COUNTS = {
  'artists.txt': [400, 600],
  'drawings.txt': [200, 400],
  'flavors.txt': [600, 1000],
  'mediums.txt': [100, 200],
  'movements.txt': [150, 300],
  'negative.txt': [60, 150],
  'sites.txt': [12, 30],
};
const LONGEST = 50;

const read = (name) => readFileSync(FOLDER + name, 'utf8');

test('each list is there, and nothing else', () => {
  assert.deepEqual(readdirSync(FOLDER).sort(), ['README.md', ...Object.keys(COUNTS)].sort());
});

for (const [name, [least, most]] of Object.entries(COUNTS)) {
  test(`${name} is sorted, in lower case, and has each term once`, () => {
    const text = read(name);
    assert.ok(text.endsWith('\n') && !text.endsWith('\n\n'));
    const terms = text.slice(0, -1).split('\n');
    assert.ok(terms.length >= least && terms.length <= most, `${terms.length} terms`);
    assert.deepEqual(terms, [...new Set(terms)].sort(codePoints), 'sorted, each once');
    for (const term of terms) {
      // A comma would end the term within a prompt.
      assert.match(term, /^[\p{Ll}\p{N}][\p{Ll}\p{N} .'’&/-]*$/u, `${name}: "${term}"`);
      assert.equal(term, term.normalize('NFC').trim().replace(/ {2,}/g, ' '), term);
      assert.ok(term.length <= LONGEST, term);
    }
  });
}

test('mediums have their article, and artists have no preposition', () => {
  const lines = (name) => read(name).trimEnd().split('\n');
  assert.deepEqual(
    lines('mediums.txt').filter((term) => !/^an? /.test(term)),
    [],
  );
  assert.deepEqual(
    lines('mediums.txt').filter((term) => /^a [aeio]/.test(term)),
    [],
  );
  assert.deepEqual(
    lines('artists.txt').filter((term) => /^(by|inspired) /.test(term)),
    [],
  );
});

test('artists of the last hundred years are not among them', () => {
  const names = new Set(read('artists.txt').trimEnd().split('\n'));
  // Those who died soonest after 1925, and a few whom prompts name most.
  const later = [
    'claude monet',
    'mary cassatt',
    'thomas moran',
    'juan gris',
    'alphonse mucha',
    'pablo picasso',
  ];
  assert.deepEqual(
    later.filter((name) => names.has(name)),
    [],
  );
  assert.ok(names.has('vincent van gogh'), 'or this test proves nothing');
});

/** By code points, as files are sorted in the C locale. */
function codePoints(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
