import assert from 'node:assert/strict';
import test from 'node:test';
import { loadVocabulary } from '../../pkg/src/node.js';
import { Corrections } from '../../www/corrections.js';
import { above, tagWith, withFiled } from '../../www/tagging.js';

/** What of a tagger's scores is an answer. */

const vocabulary = await loadVocabulary();
const OWN = ['dog', 'cat', 'beach', 'car', 'food', 'flower'];
const options = { signal: new AbortController().signal, onProgress() {} };
const embedding = Float32Array.of(1, 0);

/**
 * A tagger that gives labels the scores that it is told; of others, nothing.
 * @param {Record<string, number>} scores "none" for none of them
 * @param {{ sureThreshold?: number | null, among?: Record<string, number> }} [rest] `among`: where it is asked of all that it can know
 */
const taggerOf = (scores, { sureThreshold = 0.5, among = scores } = {}) =>
  /** @type {any} */ ({
    calibration: { temperature: 1, sureThreshold, noneOffset: 0 },
    embedTexts: async (/** @type {string[]} */ texts) => texts.map((_, i) => Float32Array.of(i, 1 - i)),
    async tag(/** @type {unknown[]} */ pictures, /** @type {any[]} */ labels, /** @type {any} */ { none }) {
      const names = labels.map((label) => label.label ?? label);
      const known = names.every((label) => OWN.includes(label)) ? scores : among;
      const tags = names.map((label, index) => ({ label, score: known[label] ?? 0, index }));
      if (none) tags.push({ label: null, score: scores.none ?? 0, index: -1 });
      return pictures.map(() => tags.sort((a, b) => b.score - a.score));
    },
  });

/** The answer of one picture. @param {any} tagger @param {Partial<import('../../www/tagging.js').Asked>} asked */
async function answer(tagger, asked) {
  const whole = { labels: OWN, template: '{}', vocabulary: null, judged: false, beside: [], ...asked };
  const [found] = await tagWith(tagger, [embedding], whole, options);
  assert.ok(found);
  return found;
}

const names = (/** @type {any[] | undefined} */ tags) => tags?.map(({ label }) => label);

test('of one’s own labels those count that have a fifth of the score, and the others are compared', async () => {
  const clear = await answer(taggerOf({ dog: 0.97, cat: 0.02, car: 0.01 }), {});
  assert.deepEqual(names(clear.tags), ['dog']);
  assert.deepEqual(names(clear.compared)?.slice(0, 2), ['cat', 'car']);
  const several = await answer(taggerOf({ dog: 0.55, beach: 0.4, cat: 0.05 }), {});
  assert.deepEqual(names(several.tags), ['dog', 'beach']);
  const spread = await answer(taggerOf({ dog: 0.19, cat: 0.17, car: 0.17, food: 0.16 }), {});
  assert.deepEqual([spread.tags, spread.sure], [[], false], 'the best is no more than a guess');
  assert.equal(spread.compared?.[0]?.label, 'dog');
});

test('where a picture perhaps shows none of them, none counts until somebody says so', async () => {
  const beside = ['cat', 'teapot'];
  const tagger = taggerOf({ dog: 0.9, cat: 0.1 }, { among: { teapot: 0.95, dog: 0.05 } });
  const found = await answer(tagger, { vocabulary, beside });
  assert.deepEqual([found.tags, found.doubt], [[], { likely: 'teapot' }]);
  assert.deepEqual(names(found.compared)?.slice(0, 2), ['dog', 'cat']);
  // What the picture's file says counts, whatever is doubted.
  assert.deepEqual(names(withFiled(found, ['dog']).tags), ['dog']);
  assert.ok(!names(withFiled(found, ['dog']).compared)?.includes('dog'));
  const corrections = new Corrections();
  const picture = /** @type {any} */ ({ id: 'picture-1' });
  corrections.put(picture, { own: ['dog'], gone: ['cat'], caption: null });
  const said = corrections.answer(picture, found);
  assert.deepEqual(said?.tags, [{ label: 'dog', score: 0.9, index: -1, own: true }]);
  assert.ok(!names(said?.compared)?.some((/** @type {string} */ label) => /dog|cat/.test(label)));
});

test('a label that the vocabulary lists is no other name of what a picture rather shows', async () => {
  // Both words are the same to the model, as "animal" and "food" nearly are.
  const tagger = Object.assign(taggerOf({ dog: 0.9 }, { among: { teapot: 0.95 } }), {
    embedTexts: async (/** @type {string[]} */ texts) => texts.map(() => Float32Array.of(1, 0)),
  });
  const of = (/** @type {string} */ label) =>
    answer(tagger, { vocabulary, beside: ['teapot'], labels: [label] });
  assert.deepEqual((await of('dog')).doubt, { likely: 'teapot' });
  assert.equal((await of('tea kettle of ours')).doubt, null);
});

test('of labels that name several things the model is asked about one of them', async () => {
  const beside = ['bird', 'flamingo', 'dog', 'teapot'];
  /** @param {Record<string, number>} scores */
  const of = (scores) =>
    answer(taggerOf(scores), { vocabulary, beside, labels: ['birds', { label: 'dogs', hint: 'animals' }] });
  const bird = await of({ bird: 0.8, birds: 0.1, dog: 0.05 });
  assert.deepEqual([bird.tags, bird.doubt], [[{ label: 'birds', score: 0.8, index: 0 }], null]);
  assert.equal((await of({ bird: 0.2, flamingo: 0.7 })).doubt, null, 'a flamingo is one of the birds');
  assert.deepEqual((await of({ bird: 0.1, teapot: 0.8 })).doubt, { likely: 'teapot' });
});

test('of one’s own labels those that a tag implies are tags as well', async () => {
  const labels = ['dogs', 'dalmatian', 'cat'];
  const beside = ['dog', 'dalmatian', 'cat', 'teapot'];
  const found = await answer(taggerOf({ dog: 0.1, dalmatian: 0.85, cat: 0.05 }), {
    vocabulary,
    beside,
    labels,
  });
  assert.deepEqual(names(found.tags), ['dalmatian', 'dogs']);
  assert.ok(Math.abs((found.tags[1]?.score ?? 0) - 0.95) < 1e-6);
  assert.deepEqual(names(found.compared), ['cat']);
  const dog = await answer(taggerOf({ dog: 0.9, dalmatian: 0.05, cat: 0.05 }), {
    vocabulary,
    beside,
    labels,
  });
  assert.deepEqual(names(dog.tags), ['dogs'], 'not every dog is one');
});

test('what is sure only of several kinds together is the tag, and none of those guesses', async () => {
  const labels = ['animal', 'rooster', 'nautilus', 'lobster', 'car'];
  const scores = { animal: 0.35, rooster: 0.2, nautilus: 0.15, lobster: 0.1, car: 0.06 };
  const found = await answer(taggerOf(scores), { judged: true, vocabulary, labels });
  assert.deepEqual([found.sure, names(found.tags)], [true, ['animal']]);
});

test('none of these is an answer where it comes first, and nothing below it is', async () => {
  const none = await answer(taggerOf({ dog: 0.4, none: 0.5, cat: 0.1 }), { none: true });
  assert.deepEqual([names(none.tags), names(none.compared)?.slice(0, 2)], [[null], ['dog', 'cat']]);
  const one = await answer(taggerOf({ dog: 0.45, none: 0.3, cat: 0.25 }), { none: true });
  assert.deepEqual([names(one.tags), names(one.compared)?.slice(0, 2)], [['dog'], [null, 'cat']]);
});

test('independent scores count from where a label is likelier than none of these', async () => {
  const scores = { dog: 0.9, beach: 0.6, cat: 0.4 };
  const own = await answer(taggerOf(scores), { scores: 'independent' });
  assert.deepEqual(names(own.tags), ['dog', 'beach']);
  const listed = await answer(taggerOf(scores), { scores: 'independent', judged: true, vocabulary });
  assert.ok(['dog', 'beach'].every((label) => names(listed.tags)?.includes(label)));
  assert.ok(!names(listed.tags)?.includes('cat'));
  assert.ok(names(listed.compared)?.includes('cat'));
});

test('several sentences are judged as one is, and of models that tell nothing, noise does not count', async () => {
  const asked = { judged: true, vocabulary, templates: ['a {}', 'the {}'] };
  const unsure = await answer(taggerOf({ teapot: 0.3, car: 0.3 }), { ...asked, labels: ['teapot', 'car'] });
  assert.deepEqual([unsure.tags, unsure.sure], [[], false]);
  const sure = await answer(taggerOf({ teapot: 0.9, car: 0.02 }), { ...asked, labels: ['teapot', 'car'] });
  assert.equal(names(sure.tags)?.[0], 'teapot');
  assert.ok(!names(sure.tags)?.includes('car'));
  const other = taggerOf({ teapot: 0.3, car: 0.04 }, { sureThreshold: null });
  const told = await answer(other, { judged: true, vocabulary, labels: ['teapot', 'car'] });
  assert.equal(names(told.tags)?.[0], 'teapot');
  assert.ok(!names(told.tags)?.includes('car'));
});

test('the least score is that of what is compared, too', async () => {
  const found = await answer(taggerOf({ dog: 0.55, beach: 0.4, cat: 0.05 }), {});
  assert.deepEqual(names(above(found, 0.04)?.compared), ['cat']);
  assert.deepEqual(names(above(found, 0.5)?.tags), ['dog']);
  assert.deepEqual(above(found, 0.5)?.compared, []);
});
