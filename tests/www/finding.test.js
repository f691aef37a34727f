import assert from 'node:assert/strict';
import test from 'node:test';
import { find } from '../../www/finding.js';
import { TagNames } from '../../www/tag-names.js';

/** Queries, over stand-ins for the elements and for the search. */

/**
 * @param {Record<string, string[]>} tags of pictures by their names
 * @param {Record<string, string[]>} fits names of the pictures that fit words
 * @param {boolean} [canTell]
 * @param {string[]} [failed] names of the pictures that could not be read
 */
function begin(tags, fits, canTell = true, failed = []) {
  const pictures = Object.keys(tags).map((name) => /** @type {any} */ ({ id: name, name, path: name }));
  /** @type {string[]} */
  const asked = [];
  const search = {
    leave() {},
    find: async (/** @type {string} */ words) => {
      asked.push(words);
      const fitting = pictures.filter(({ name }) => fits[words]?.includes(name));
      return {
        order: [...new Set([...fitting, ...pictures])],
        fitting: canTell ? fitting.length : pictures.length,
        canTell,
      };
    },
  };
  /** @type {{ order: string[] | null }} */
  const arranged = { order: null };
  const session = {
    pictures,
    arrived: pictures,
    shown: pictures,
    arranged: 0,
    tags: {
      jobs: new Map(pictures.map((one) => [one, { status: failed.includes(one.name) ? 'failed' : 'done' }])),
    },
    fileWords: { of: () => undefined },
    captionsOf: () => null,
    answerOf: (/** @type {any} */ { name }) => ({ tags: tags[name]?.map((label) => ({ label })) }),
    arrange: (/** @type {any[] | null} */ order) => (arranged.order = order?.map(({ name }) => name) ?? null),
  };
  const names = new TagNames();
  names.use({ vocabulary: null, language: 'en', others: new Map([['dog', 'Rex']]) });
  names.learn(['sea', 'cat', 'black cat']);
  const finder = Object.assign(new EventTarget(), { cleared: 0, clear: () => (finder.cleared += 1) });
  /** @type {(value: unknown) => void} */
  let shown = () => {};
  const finding = find(
    /** @type {any} */ ({
      session,
      search,
      names,
      finder,
      gallery: {},
      filter: new EventTarget(),
      pictures: new EventTarget(),
      onChange() {},
      show: () => shown(null),
      announce() {},
    }),
  );
  /** @param {string} detail */
  const ask = async (detail) => {
    const done = new Promise((resolve) => (shown = resolve));
    finder.dispatchEvent(new CustomEvent('find', { detail }));
    if (finding.state.busy) await done;
    return { line: finding.state.line, order: arranged.order, asked: asked.splice(0) };
  };
  return Object.assign(ask, { finding, arranged, finder });
}

const PICTURES = { a: ['cat'], b: ['dog'], c: [], d: ['sea'] };

test('a minus alone finds everything but that', async () => {
  const ask = begin(PICTURES, { dog: ['c'], cat: ['a'] });
  assert.deepEqual(await ask('- dog'), {
    line: '2 pictures of 4 without “dog”',
    order: ['a', 'd'],
    asked: ['dog'],
  });
  const two = await ask('-Rex -cat');
  assert.deepEqual([two.line, two.order], ['1 picture of 4 without “Rex” or “cat”', ['d']]);
});

test('what could not be looked at is no picture without anything', async () => {
  const ask = begin(PICTURES, { dog: ['c'] }, true, ['d']);
  const { line, order } = await ask('- dog');
  assert.deepEqual([line, order], ['1 picture of 4 without “dog”', ['a']]);
});

test('where a model cannot tell what fits, a minus goes by tags; where all go, all stay', async () => {
  const byTags = await begin(PICTURES, {}, false)('-cat');
  assert.deepEqual(byTags.order, ['b', 'c', 'd']);
  const all = await begin({ a: ['cat'], b: ['cat'] }, {})('- cat');
  assert.deepEqual(
    [all.line, all.order],
    ['Every picture seems to show “cat”: these are all pictures.', null],
  );
});

test('words are asked as the package reads them, whatever stands first', async () => {
  const ask = begin(PICTURES, { 'sea - dog': ['b', 'd'] });
  const found = await ask('-dog + sea');
  assert.deepEqual(found.asked, ['sea - dog']);
  assert.deepEqual(found.order, ['d']);
  assert.deepEqual((await ask('+ dog')).asked, ['dog']);
  const nothing = await ask('-');
  assert.deepEqual(nothing.asked, []);
  assert.match(nothing.line, /^Write a word behind the sign/);
});

test('where nothing fits a phrase, what fits the labels in it does, and the nearest of it comes first', async () => {
  const fits = { 'black cat': ['b'], dog: ['c', 'd'], sea: ['a', 'c'], cat: [] };
  const ask = begin(PICTURES, fits);
  const both = await ask('a wet Rex by the sea');
  assert.equal(
    both.line,
    'Nothing surely fits all of “a wet Rex by the sea”, but 2 pictures of 4 fit “Rex” and “sea”: the nearest come first.',
  );
  assert.deepEqual(both.order, ['c', 'd']);
  const first = await ask('two black cats by the sea');
  assert.match(first.line, /but 1 picture of 4 fits “black cat”: the nearest come first/);
  assert.deepEqual([first.order, first.asked[1]], [['b'], 'black cat'], 'the longest label there is');
  const nothing = await ask('a wedding in winter');
  assert.equal(
    nothing.line,
    'Nothing surely fits “a wedding in winter”: these are all pictures, the nearest first.',
  );
  assert.deepEqual(nothing.order, ['a', 'b', 'c', 'd']);
});

test('of what fits a phrase, what fits the labels in it comes first', async () => {
  const ask = begin(PICTURES, { 'ships at sea': ['c', 'a', 'b'], sea: ['b'] });
  const { line, order } = await ask('ships at sea');
  assert.deepEqual([line, order], ['3 pictures of 4 fit “ships at sea”', ['b', 'a', 'c']]);
  const called = begin({ ...PICTURES, e: ['cat at sea'] }, { 'cat at sea': ['a'], cat: ['a'], sea: ['a'] });
  assert.deepEqual((await called('cat at sea')).order, ['e', 'a'], 'behind what is called so');
});

test('of pictures that are called so, the nearest come first', async () => {
  const ask = begin({ a: ['cat'], b: ['sea'], c: ['cat'] }, { cat: ['c', 'b'] });
  assert.deepEqual((await ask('cat')).order, ['c', 'a', 'b']);
});

test('where pictures come in, nothing is looked for any more', async () => {
  const ask = begin(PICTURES, { cat: ['a'] });
  assert.deepEqual((await ask('cat')).order, ['a']);
  ask.finding.welcome();
  assert.deepEqual(
    [ask.finding.state.line, ask.finding.state.arranged, ask.arranged.order],
    ['', false, null],
  );
});
