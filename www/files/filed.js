/**
 * What files say of a picture: the one that it is in, and sidecars beside it.
 *
 * @typedef {object} Filed
 * @property {readonly string[]} tags
 * @property {ReadonlyMap<string, string>} [spelled] how those are spelled there that are called otherwise here
 * @property {readonly string[]} [own] those of them that somebody has given it or agreed to on this page
 * @property {readonly string[]} [gone] tags that it has not, as somebody has said on this page
 * @property {readonly string[]} [paths] what they are below: `pets|Minka`
 * @property {string} caption empty where there is none
 * @property {boolean} [captionIsOwn] whether somebody has written it, or chosen it, on this page
 * @property {number} [taken] when the camera took it, in milliseconds
 *
 * @typedef {object} Told by an XMP packet, as `readXmp` has it
 * @property {readonly string[]} tags
 * @property {readonly string[]} [own]
 * @property {readonly string[]} [gone]
 * @property {readonly string[]} [hierarchy]
 * @property {string} caption
 * @property {boolean} [captionIsOwn]
 */

import { readCaption, readTags } from '../corrections.js';
import { BELOW, leafOf } from '../labels.js';
import { readPath } from '../tag-paths.js';

/** Keywords of a picture. */
const MOST_TAGS = 50;

/** A keyword as a tag: commas part tags, and so none has any. @param {string} word */
export function withoutCommas(word) {
  return word.replaceAll(/\s*[,;]\s*/g, ' ');
}

/**
 * How two keywords are told apart: photo programs take no capital for another, and here, where commas part tags, there are none in them.
 * @param {string} word
 */
export function keyOf(word) {
  return word
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[,;\s]+/g, ' ')
    .trim();
}

/** @param {Told} told @returns {Filed} */
export function filedOf({ tags, own = [], gone = [], hierarchy = [], caption, captionIsOwn = false }) {
  const all = [...new Set([...hierarchy, ...tags])].slice(0, MOST_TAGS);
  const paths = all.flatMap((path) => readPath(withoutCommas(path)) ?? []);
  const text = readCaption(caption) ?? '';
  return {
    ...tagsIn(tags),
    ...(own.length > 0 && { own: tagsIn(own).tags }),
    ...(gone.length > 0 && { gone: tagsIn(gone).tags }),
    ...(paths.length > 0 && { paths }),
    caption: text,
    ...(captionIsOwn && text !== '' && { captionIsOwn }),
  };
}

/** @param {readonly string[]} keywords @returns {Pick<Filed, 'tags' | 'spelled'>} */
export function tagsIn(keywords) {
  /** @type {Map<string, string>} */
  const words = new Map();
  for (const keyword of keywords) {
    const [tag] = readTags(withoutCommas(keyword)).map(leafOf);
    if (tag !== undefined && !words.has(tag)) words.set(tag, leafOf(keyword.trim()));
  }
  const pairs = [...words].slice(0, MOST_TAGS);
  const spelled = new Map(pairs.filter(([tag, word]) => tag !== word));
  return { tags: pairs.map(([tag]) => tag), ...(spelled.size > 0 && { spelled }) };
}

/** Whether something is said that is worth keeping. @param {Filed} filed */
export function saysAnything({ tags, gone = [], caption, taken }) {
  return tags.length > 0 || gone.length > 0 || caption !== '' || taken !== undefined;
}

/**
 * What two files say together.
 * @param {Filed | undefined} first
 * @param {Filed | undefined} second which counts for more
 * @returns {Filed | undefined}
 */
export function combined(first, second) {
  if (!first || !second) return second ?? first;
  const gone = [...(second.gone ?? []), ...(first.gone ?? []).filter((tag) => !second.tags.includes(tag))];
  const both = (/** @type {readonly string[]} */ a = [], /** @type {readonly string[]} */ b = []) => [
    ...new Set([...b, ...a]),
  ];
  const left = (/** @type {readonly string[]} */ tags) => tags.filter((tag) => !gone.includes(tag));
  const own = left(both(first.own, second.own));
  const paths = both(first.paths, second.paths);
  const spelled = new Map([...(first.spelled ?? []), ...(second.spelled ?? [])]);
  const { caption, captionIsOwn } = second.caption === '' ? first : second;
  const taken = first.taken ?? second.taken;
  return {
    tags: left(both(first.tags, second.tags)),
    ...(spelled.size > 0 && { spelled }),
    ...(own.length > 0 && { own }),
    ...(gone.length > 0 && { gone: [...new Set(gone)] }),
    ...(paths.length > 0 && { paths }),
    caption,
    ...(captionIsOwn && { captionIsOwn }),
    ...(taken !== undefined && { taken }),
  };
}

/**
 * What a file says beyond another one.
 * @param {Filed} filed
 * @param {Filed} other
 * @returns {Filed}
 */
export function beyond({ caption, captionIsOwn, ...filed }, other) {
  const left = (/** @type {'tags' | 'own' | 'gone' | 'paths'} */ kind) =>
    (filed[kind] ?? []).filter((one) => !other[kind]?.includes(one));
  const isSame = caption === other.caption;
  return {
    ...filed,
    tags: left('tags'),
    ...(filed.own && { own: left('own') }),
    ...(filed.gone && { gone: left('gone') }),
    ...(filed.paths && { paths: left('paths') }),
    caption: isSame ? '' : caption,
    ...(captionIsOwn && !isSame && { captionIsOwn }),
  };
}

/**
 * What a sidecar says that another program may have changed: keywords that were taken from it the picture has not, whatever its file and
 * models say, and those that were added to it are not wrong any more.
 * @param {Filed} filed
 * @param {Filed} before what it said when it was read last
 * @param {Filed | undefined} known of the picture until now
 * @returns {Filed}
 */
export function changedSince(filed, before, known) {
  const there = new Set([...filed.tags, ...(filed.paths ?? []).flatMap((path) => path.split(BELOW))]);
  // Of so many keywords nobody can tell which were taken away.
  const taken = filed.tags.length < MOST_TAGS ? before.tags.filter((tag) => !there.has(tag)) : [];
  const isBack = (/** @type {string} */ tag) =>
    filed.tags.includes(tag) && (!before.tags.includes(tag) || (known?.tags.includes(tag) ?? false));
  const gone = [...taken, ...(filed.gone ?? []).filter((tag) => !taken.includes(tag) && !isBack(tag))];
  return { ...filed, gone: gone.length > 0 ? gone : undefined };
}

/** @param {any} filed what was kept @returns {Filed | undefined} undefined where it is nothing of the kind */
export function readFiled(filed) {
  const isTexts = (/** @type {unknown} */ list) =>
    Array.isArray(list) && list.every((one) => typeof one === 'string');
  if (!isTexts(filed?.tags) || typeof filed.caption !== 'string') return undefined;
  const { tags, spelled, own, gone, paths, caption, captionIsOwn, taken } = filed;
  return {
    tags,
    ...(spelled instanceof Map && isTexts([...spelled].flat()) && { spelled }),
    ...(isTexts(own) && { own }),
    ...(isTexts(gone) && { gone }),
    ...(isTexts(paths) && { paths }),
    caption,
    ...(captionIsOwn === true && { captionIsOwn }),
    ...(Number.isFinite(taken) && { taken }),
  };
}
