/**
 * Which pictures somebody means by a word, apart from what the model sees in them: those that have it as a tag, whose caption says it, or
 * whose file or folder is called so.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./tag-names.js').TagNames} TagNames
 */

import { singularOf } from './labels.js';

/** What parts words: all but letters and digits, of whatever script. */
const PARTS = /[^\p{Letter}\p{Mark}\p{Number}]+/u;

/**
 * The label that a word in a query stands for: of several things the one thing, where only that is known.
 * @param {TagNames} names
 * @param {string} word
 * @returns {string} the word itself where no label is known
 */
export function meantBy(names, word) {
  if (names.knows(word)) return names.labelOf(word);
  const one = singularOf(word);
  return names.knows(one) ? names.labelOf(one) : word;
}

/**
 * Pictures that are called what is looked for.
 * @param {Session} session
 * @param {TagNames} names
 * @param {string} text
 * @param {{ byFile?: boolean }} [options] whether names of files and folders count
 * @returns {Picture[]}
 */
export function calledSo(session, names, text, { byFile = true } = {}) {
  const words = text.trim();
  if (words === '') return [];
  const label = meantBy(names, words);
  const singular = rememberSingulars();
  const wanted = wordsIn(words).map(singular);
  const bare = plain(words);
  const isTag = (/** @type {string} */ one) => names.isCalled(one, words) || plain(one) === bare;
  return session.pictures.filter((picture) => {
    const tags = session.answerOf(picture)?.tags ?? [];
    return (
      tags.some((tag) => tag.label !== null && (tag.label === label || isTag(tag.label))) ||
      captionsOf(session, picture).some((caption) => says(caption, wanted, singular)) ||
      (byFile && isWithin(picture.path, words))
    );
  });
}

/** What is said of a picture, here and in its file. @param {Session} session @param {Picture} picture */
function captionsOf(session, picture) {
  const [shown] = session.captionsOf(picture) ?? [];
  return [shown?.caption ?? '', session.fileWords.of(picture)?.caption ?? ''];
}

/** Whether a caption names something, be it one or several. @param {string} caption @param {string} text */
export function isNamed(caption, text) {
  return says(caption, wordsIn(text).map(singularOf), singularOf);
}

/**
 * Whether a caption has all of some words, be it of one thing or of several.
 * @param {string} caption
 * @param {readonly string[]} wanted singulars
 * @param {(word: string) => string} singular
 */
function says(caption, wanted, singular) {
  if (wanted.length === 0) return false;
  const there = new Set(wordsIn(caption).map(singular));
  return wanted.every((word) => there.has(word));
}

/** What finds singulars: captions have few words, over and over. */
function rememberSingulars() {
  /** @type {Map<string, string>} */
  const known = new Map();
  return (/** @type {string} */ word) => {
    const one = known.get(word) ?? singularOf(word);
    known.set(word, one);
    return one;
  };
}

/** @param {string} text */
function wordsIn(text) {
  return plain(text).split(PARTS).filter(Boolean);
}

/** Whether a path has a text in it that is no mere part of a word. @param {string} path @param {string} text */
function isWithin(path, text) {
  const [where, what] = [plain(path), plain(text)];
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, at + 1)) {
    const around = [where[at - 1] ?? '', where[at + what.length] ?? ''];
    if (around.every((letter) => !/[\p{Letter}\p{Number}]/u.test(letter))) return true;
  }
  return false;
}

/** A text without the marks of its letters, which not everybody types: Zurich finds Zürich. @param {string} text */
function plain(text) {
  const letters = text.trim().toLocaleLowerCase().replaceAll('ß', 'ss').normalize('NFD');
  // Those of Latin, Greek and Cyrillic alone: elsewhere they make another letter.
  return letters.replaceAll(/[\u0300-\u036f]/g, '').normalize('NFC');
}
