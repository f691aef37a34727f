import assert from 'node:assert/strict';
import test from 'node:test';
import { Lessons } from '../../www/lessons.js';

/** Pictures in many directions, and some in one, all of length 1. */
const SIZE = 64;
const unit = (/** @type {(at: number) => number} */ value) => {
  const vector = Float32Array.from({ length: SIZE }, (_, at) => value(at));
  const length = Math.hypot(...vector);
  return vector.map((one) => one / length);
};
/** Numbers from -1 to 1 that look like chance: a hash of two whole numbers. @param {number} seed */
function noise(seed) {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 31 - 1;
}
const others = Array.from({ length: 60 }, (_, i) => unit((at) => noise(1 + i * SIZE + at)));
const alike = Array.from({ length: 6 }, (_, i) => unit((at) => (at === 0 ? 8 : noise(5000 + i * SIZE + at))));

/** @param {Float32Array[]} vectors */
function library(vectors) {
  const pictures = /** @type {any[]} */ (vectors.map((_, i) => ({ id: String(i) })));
  const known = new Map(pictures.map((picture, i) => [picture, vectors[i]]));
  const lessons = new Lessons((_, picture) => known.get(picture));
  const tagger = /** @type {any} */ ({});
  return { pictures, lessons, of: (picture) => lessons.of(tagger, picture, pictures) };
}

test('a word goes to what is much like its examples, and to nothing else', () => {
  const { pictures, lessons, of } = library([...alike, ...others]);
  assert.deepEqual(of(pictures[0]), [], 'nothing was taught');
  lessons.put(lessons.with('ours', pictures.slice(0, 3)));
  const having = pictures.filter((picture) => of(picture).includes('ours'));
  assert.deepEqual(having, pictures.slice(0, 6));
  assert.equal(of(pictures[4]), of(pictures[4]), 'the same as long as nothing is taught');
  lessons.put(new Map());
  assert.deepEqual(of(pictures[4]), []);
});

test('what is taught later adds to it, and each word stands for itself', () => {
  const { pictures, lessons, of } = library([...alike, ...others]);
  lessons.put(lessons.with('ours', pictures.slice(0, 1)));
  lessons.put(lessons.with('ours', pictures.slice(1, 2)));
  lessons.put(lessons.with('theirs', pictures.slice(10, 11)));
  assert.equal(lessons.examples.get('ours')?.length, 2);
  assert.ok(of(pictures[5]).includes('ours'));
  assert.deepEqual(of(pictures[10]), ['theirs']);
});

test('in a small library, many examples do not make it usual to be like them', () => {
  const kind = Array.from({ length: 17 }, (_, i) =>
    unit((at) => (at === 0 ? 8 : noise(9000 + i * SIZE + at))),
  );
  const { pictures, lessons, of } = library([...kind, ...others.slice(0, 24)]);
  lessons.put(lessons.with('ours', pictures.slice(0, 9)));
  assert.deepEqual(
    pictures.filter((picture) => of(picture).includes('ours')),
    pictures.slice(0, 17),
  );
});

test('among few pictures nobody can tell what is much alike', () => {
  const { pictures, lessons, of } = library(alike);
  lessons.put(lessons.with('ours', pictures.slice(0, 2)));
  assert.deepEqual(of(pictures[3]), []);
});
