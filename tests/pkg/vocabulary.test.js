import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { loadVocabulary } from '../../pkg/src/index.js';
import { parseVocabulary } from '../../pkg/src/extras/vocabulary.js';
import { bytes, serveRoutes } from './support/server.js';

const shipped = readFileSync(new URL('../../pkg/vocabulary/everyday.tsv', import.meta.url), 'utf8');
const everyday = parseVocabulary(shipped);

const HEADER = 'tag\thint\tja\tparents\n';
/** A small vocabulary; `beagle` implies `animal` by two ways, one longer than the other. */
const SMALL = `${HEADER}# animals
animal\t\t動物\t
pet\t\tペット\tanimal
mammal\t\t哺乳類\tanimal
dog\t\t犬\tmammal
bat\ta type of animal\tコウモリ\tmammal
beagle\t\tビーグル\tpet,dog

snow\t\t\t
`;
const small = parseVocabulary(SMALL);

const tag = (label, score, index = 0) => ({ label, score, index });
const short = (tags) => tags.map(({ label, score }) => `${label} ${score}`);

test('the file of the package: size and names', () => {
  assert.ok(everyday.tags.length >= 1700 && everyday.tags.length <= 1800, `${everyday.tags.length} tags`);
  assert.match(shipped, /[^\n]\n$/);
  for (const { tag: name, hint, ja } of everyday.tags) {
    assert.match(name, /^[a-z][a-z'-]*( [a-z][a-z'-]*)*$/);
    // It follows a comma in a sentence: "a photo of a bat, a type of animal."
    assert.match(hint, /^(|an? [a-z]+( [a-z]+)*)$/, name);
    assert.match(ja, /^[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー・A-Z0-9]+$/u, name);
  }
});

test('the file of the package: words with several senses tell theirs', () => {
  const hints = new Map(everyday.tags.map((entry) => [entry.tag, entry.hint]));
  for (const name of [
    'bass',
    'bat',
    'boxer',
    'crane',
    'jaguar',
    'mouse',
    'nail',
    'orange',
    'pitcher',
    'ray',
    'seal',
  ]) {
    assert.match(hints.get(name), /^an? /, name);
  }
});

test('the file of the package: Japanese names differ, but where Japanese has one word', () => {
  const names = new Map();
  for (const { tag: name, ja } of everyday.tags) names.set(ja, [...(names.get(ja) ?? []), name]);
  const shared = [...names.values()].filter((tags) => tags.length > 1);
  assert.deepEqual(shared, [['skateboarding', 'skateboard']]);
});

test('the file of the package: parents are tags, direct, and never lead back', () => {
  const known = new Set(everyday.tags.map((entry) => entry.tag));
  let withParents = 0;
  for (const { tag: name, parents } of everyday.tags) {
    withParents += parents.length > 0 ? 1 : 0;
    assert.equal(new Set(parents).size, parents.length, name);
    const implied = everyday.implied(name);
    assert.ok(!implied.includes(name), name);
    for (const parent of parents) {
      assert.ok(known.has(parent), parent);
      const others = parents.filter((other) => other !== parent);
      assert.ok(!others.some((other) => everyday.implied(other).includes(parent)), `${name}: ${parent}`);
    }
  }
  assert.ok(withParents > 1000, 'or this test proves little');
  assert.deepEqual(everyday.implied('beagle'), ['hound', 'dog', 'mammal', 'animal']);
  assert.deepEqual(everyday.implied('fire truck'), ['truck', 'vehicle']);
});

test('tags and labels are those of the file, in its order, and cannot be changed', () => {
  assert.deepEqual(small.tags[4], {
    tag: 'bat',
    hint: 'a type of animal',
    ja: 'コウモリ',
    parents: ['mammal'],
  });
  assert.deepEqual(small.labels.slice(4, 6), [
    { label: 'bat', hint: 'a type of animal' },
    { label: 'beagle' },
  ]);
  assert.deepEqual(
    small.labels.map(({ label }) => label),
    small.tags.map((entry) => entry.tag),
  );
  for (const part of [
    small,
    small.tags,
    small.tags[0],
    small.tags[5].parents,
    small.labels,
    small.labels[0],
  ]) {
    assert.ok(Object.isFrozen(part));
  }
});

test('a byte order mark of Windows and its line ends make no difference', async (t) => {
  const { url } = await serveRoutes(t, { '/v.tsv': bytes(`\ufeff${SMALL.replaceAll('\n', '\r\n')}`) });
  assert.deepEqual((await loadVocabulary(`${url}/v.tsv`)).tags, small.tags);
});

test('a name in a language, and the tag itself where there is none', () => {
  assert.equal(small.name('beagle', 'ja'), 'ビーグル');
  assert.equal(small.name('beagle', 'en'), 'beagle');
  assert.equal(small.name('snow', 'ja'), 'snow');
  assert.equal(small.name('teapot', 'ja'), 'teapot');
  assert.equal(small.name('constructor', 'ja'), 'constructor');
  assert.throws(() => small.name('beagle', 'fr'), { code: 'argument-invalid', message: /"en" or "ja"/ });
});

test('all that a tag implies, nearest first, each once', () => {
  assert.deepEqual(small.implied('beagle'), ['pet', 'dog', 'animal', 'mammal']);
  assert.deepEqual(small.implied('animal'), []);
  assert.deepEqual(small.implied('teapot'), []);
});

test('parents are added with the score of the surest of those that imply them', () => {
  const answer = small.withParents([tag('beagle', 0.5, 5), tag('bat', 0.25, 4), tag('snow', 0.125, 6)]);
  assert.deepEqual(answer, [
    tag('beagle', 0.5, 5),
    tag('dog', 0.5, -1),
    tag('pet', 0.5, -1),
    tag('mammal', 0.5, -1),
    tag('animal', 0.5, -1),
    tag('bat', 0.25, 4),
    tag('snow', 0.125, 6),
  ]);
});

test('a parent in the list keeps its place there and its own score, where that is higher', () => {
  const list = [tag('dog', 0.5, 3), tag('beagle', 0.25, 5), tag('animal', 0.125, 0)];
  const answer = small.withParents(list);
  assert.deepEqual(short(answer), ['dog 0.5', 'mammal 0.5', 'animal 0.5', 'beagle 0.25', 'pet 0.25']);
  assert.deepEqual(
    answer.map(({ index }) => index),
    [3, -1, 0, 5, -1],
  );
  assert.deepEqual(list[2], tag('animal', 0.125, 0), 'what was given stays as it was');
});

test('among equals each tag stands before what it implies, whatever the order given', () => {
  const labels = ['animal', 'dog', 'snow', 'mammal', 'pet', 'beagle'];
  for (const list of [labels, labels.toReversed()]) {
    const order = small.withParents(list.map((label) => tag(label, 0.5))).map(({ label }) => label);
    assert.equal(order.length, labels.length);
    for (const label of labels) {
      for (const parent of small.implied(label)) assert.ok(order.indexOf(label) < order.indexOf(parent));
    }
  }
});

test('among a whole answer a tag has its own score and those of all that imply it', () => {
  const all = [tag('beagle', 0.375, 5), tag('dog', 0.25, 1), tag('snow', 0.125, 6), tag('animal', 0.0625, 0)];
  const answer = small.withParents(all.slice(0, 1), { among: all });
  assert.deepEqual(short(answer), [
    'beagle 0.375',
    'dog 0.625',
    'pet 0.375',
    'mammal 0.625',
    'animal 0.6875',
  ]);
  assert.deepEqual(short(small.withParents([tag('x', 0.5)], { among: all })), ['x 0']);
  assert.throws(() => small.withParents(all, { among: 'all' }), { code: 'argument-invalid' });
});

test('the surest answer is the most particular one whose score, with those that imply it, reaches the threshold', () => {
  const all = [tag('beagle', 0.375, 5), tag('dog', 0.25, 1), tag('snow', 0.25, 6), tag(null, 0.125, -1)];
  const surest = (/** @type {number} */ threshold) => small.surest(all, threshold);
  assert.deepEqual(surest(0.375), tag('beagle', 0.375, 5));
  assert.deepEqual(surest(0.5), tag('dog', 0.625, 1));
  assert.equal(surest(0.75), null);
  assert.equal(small.surest([tag(null, 0.75, -1), tag('dog', 0.25, 1)], 0.2), null, 'none of these');
  assert.equal(small.surest([], 0.5), null);
});

test('labels unknown to the vocabulary, given twice, or none at all', () => {
  assert.deepEqual(small.withParents([]), []);
  const answer = small.withParents([
    tag('x', 0.25, 0),
    tag('y', 0.25, 1),
    tag('snow', 0.5, 2),
    tag('snow', 0.25, 3),
  ]);
  assert.deepEqual(short(answer), ['snow 0.5', 'snow 0.5', 'x 0.25', 'y 0.25']);
  for (const wrong of [null, 'dog', [null], [{ label: 'dog' }], [tag('dog', NaN)], [tag(5, 0.5)]]) {
    assert.throws(() => small.withParents(wrong), { code: 'argument-invalid' });
  }
});

for (const [what, text, message] of [
  ['an empty file', '', /does not begin with the columns tag, hint, ja, parents/],
  ['another header', 'tag\tja\thint\tparents\ndog\t\t\t\n', /does not begin with the columns/],
  ['no header', 'dog\t\t犬\t\n', /does not begin with the columns/],
  ['a header alone', HEADER, /has no tags/],
  ['a column too few', `${HEADER}# two\ndog\t\t犬\n`, /Line 3 .* does not have 4 columns, but 3/],
  ['a column too many', `${HEADER}dog\t\t犬\t\t\n`, /Line 2 .* columns, but 5/],
  ['a space at an end', `${HEADER}dog \t\t犬\t\n`, /Line 2 .* has spaces around a cell/],
  ['an empty tag', `${HEADER}\ta type of animal\t犬\t\n`, /Line 2 .* has no tag/],
  ['a tag twice', `${HEADER}dog\t\t犬\t\ndog\t\t犬\t\n`, /has the tag "dog" twice/],
  ['an unknown parent', `${HEADER}dog\t\t犬\tmammal\n`, /"dog" has the parent "mammal", which is no tag/],
  ['an empty parent', `${SMALL}pug\t\tパグ\tdog,\n`, /"pug" has the parent "", which is no tag/],
  ['a tag that is its own parent', `${HEADER}dog\t\t犬\tdog\n`, /"dog" lead round in a circle/],
  ['a circle', `${SMALL}a\t\t\tb,dog\nb\t\t\tc\nc\t\t\ta\n`, /"a" lead round in a circle/],
  ['no text', null, /must be a text/],
]) {
  test(`refuses ${what}`, () => {
    assert.throws(() => parseVocabulary(text), { name: 'OcelliError', code: 'argument-invalid', message });
  });
}

test('refuses what is too large, and takes what is as large as can be', () => {
  const lines = (count) => HEADER + Array.from({ length: count }, (_, i) => `t${i}\t\t\t\n`).join('');
  assert.equal(parseVocabulary(lines(10_000)).tags.length, 10_000);
  assert.throws(() => parseVocabulary(lines(10_001)), {
    code: 'argument-invalid',
    message: /more than 10000 tags/,
  });
  const padded = (length) => SMALL + '\n'.repeat(length - SMALL.length);
  assert.equal(parseVocabulary(padded(1 << 20)).tags.length, small.tags.length);
  const message = /larger than 1 MB/;
  assert.throws(() => parseVocabulary(padded((1 << 20) + 1)), { code: 'argument-invalid', message });
});

test('a chain as long as the file may be is followed to its end', () => {
  const chain = Array.from({ length: 10_000 }, (_, i) => `t${i}\t\t\t${i > 0 ? `t${i - 1}` : ''}\n`).join('');
  const long = parseVocabulary(HEADER + chain);
  assert.equal(long.implied('t9999').length, 9_999);
  assert.equal(long.withParents([tag('t9999', 0.5)]).length, 10_000);
});

test('fetches a vocabulary by its address', async (t) => {
  const { url, requests } = await serveRoutes(t, { '/mine.tsv': bytes(SMALL) });
  assert.deepEqual((await loadVocabulary(`${url}/mine.tsv`)).tags, small.tags);
  assert.deepEqual((await loadVocabulary(new URL(`${url}/mine.tsv`), { signal: null })).labels, small.labels);
  assert.equal(requests.length, 2);
});

test('asks for the file of the package where no address is given', async (t) => {
  const asked = [];
  t.mock.method(globalThis, 'fetch', async (address) => (asked.push(address), new Response(shipped)));
  assert.deepEqual((await loadVocabulary()).tags, everyday.tags);
  assert.deepEqual(asked, [new URL('../../pkg/vocabulary/everyday.tsv', import.meta.url).href]);
});

test('says what went wrong when a vocabulary cannot be had', async (t) => {
  const { url } = await serveRoutes(t, {
    '/page': bytes('<!doctype html>', { 'content-type': 'text/html' }),
    '/page.tsv': bytes('<!doctype html>'),
    '/busy': (request, response) => response.writeHead(503).end(),
    '/large': bytes(SMALL + '\n'.repeat(1 << 20)),
    '/latin': bytes(Buffer.from([0x74, 0xe9])),
    '/damaged': bytes(`${HEADER}dog\n`),
  });
  const cases = {
    none: { name: 'NetworkError', code: 'not-found', status: 404 },
    busy: { name: 'NetworkError', code: 'http-status', status: 503 },
    page: { name: 'OcelliError', code: 'argument-invalid', message: /is a web page, or/ },
    'page.tsv': { name: 'OcelliError', code: 'argument-invalid', message: /is a web page, or/ },
    large: { name: 'OcelliError', code: 'argument-invalid', message: /larger than 1 MB/ },
    latin: { name: 'OcelliError', code: 'argument-invalid', message: /is no UTF-8 text/ },
    damaged: { name: 'OcelliError', code: 'argument-invalid', message: /Line 2 .* columns, but 1/ },
  };
  for (const [path, error] of Object.entries(cases)) {
    await assert.rejects(loadVocabulary(`${url}/${path}`), error);
  }
  await assert.rejects(loadVocabulary('http://127.0.0.1:1/v.tsv'), { name: 'NetworkError', code: 'network' });
});

test('refuses arguments of the wrong type, and stops when it is told to', async (t) => {
  const invalid = { code: 'argument-invalid' };
  await assert.rejects(loadVocabulary(5), invalid);
  await assert.rejects(loadVocabulary('no address'), invalid);
  await assert.rejects(loadVocabulary('http://x/', null), invalid);
  await assert.rejects(loadVocabulary('http://x/', { signal: 5 }), invalid);
  const controller = new AbortController();
  const { url } = await serveRoutes(t, { '/slow': () => controller.abort('enough') });
  const { signal } = controller;
  const aborted = { name: 'AbortError', code: 'aborted', cause: 'enough' };
  await assert.rejects(loadVocabulary(`${url}/slow`, { signal }), aborted);
  await assert.rejects(loadVocabulary(`${url}/slow`, { signal }), aborted);
});

test('what a better tag implies is left out', () => {
  const vocabulary = parseVocabulary(
    ['tag\thint\tja\tparents', 'animal\t\t\t', 'dog\t\t\tanimal', 'beagle\t\t\tdog', 'cup\t\t\t'].join('\n'),
  );
  const tag = (label, score) => ({ label, score, index: 0 });
  const labels = (tags) => vocabulary.withoutImplied(tags).map(({ label }) => label);
  assert.deepEqual(labels([tag('dog', 0.5), tag('animal', 0.3), tag('cup', 0.1)]), ['dog', 'cup']);
  assert.deepEqual(labels([tag('beagle', 0.2), tag('animal', 0.1), tag('dog', 0.15)]), ['beagle']);
  assert.deepEqual(
    labels([tag('animal', 0.6), tag('dog', 0.3)]),
    ['animal', 'dog'],
    'a better one implies nothing of it',
  );
  assert.deepEqual(labels([tag(null, 0.6), tag('teapot', 0.3)]), [null, 'teapot']);
  assert.throws(() => vocabulary.withoutImplied('dog'), { code: 'argument-invalid' });
});
