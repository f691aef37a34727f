/**
 * Which pictures are shown: those that have some tags, lie in some folder, are of some year, or of which something is still to be
 * said.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./session.js').Session} Session
 *
 * @typedef {'unsure' | 'untagged' | 'uncaptioned' | 'corrected' | 'failed'} Want what is special about pictures
 *
 * @typedef {object} Chosen
 * @property {ReadonlySet<string>} labels all of which a picture has
 * @property {Want | ''} want
 * @property {string} folder or what lies below it; empty for all
 * @property {string} year empty for all
 *
 * @typedef {object} Choice one of what can be chosen, and how many pictures it has
 * @property {string} value
 * @property {number} count
 *
 * @typedef {object} Choices
 * @property {Choice[]} labels the most frequent first
 * @property {Record<Want, number>} wants
 * @property {Choice[]} folders
 * @property {Choice[]} years the latest first
 */

import { folderOf } from './files/paths.js';

/** @type {Chosen} */
export const ALL = Object.freeze({ labels: new Set(), want: '', folder: '', year: '' });

/** @param {Chosen} chosen */
export function isAll({ labels, want, folder, year }) {
  return labels.size === 0 && want === '' && folder === '' && year === '';
}

/** @param {Session} session @param {Picture} picture @param {Want} want */
function wants(session, picture, want) {
  switch (want) {
    case 'unsure': {
      const answer = session.answerOf(picture);
      return answer?.sure === false || (answer?.tags.length === 0 && Boolean(answer.doubt));
    }
    case 'untagged':
      return !session.answerOf(picture)?.tags.some(({ label }) => label !== null);
    case 'uncaptioned':
      return (session.captionsOf(picture)?.length ?? 0) === 0;
    case 'corrected':
      return session.corrections.of(picture) !== undefined;
    case 'failed':
      return session.hasFailed(picture);
  }
}

/** @param {Picture} picture when its file was last written, which cameras do when they take it */
function yearOf({ taken }) {
  return taken > 0 ? String(new Date(taken).getFullYear()) : '';
}

/**
 * @param {Session} session
 * @param {Chosen} chosen
 * @returns {((picture: Picture) => boolean) | null} null for all
 */
export function filterOf(session, chosen) {
  if (isAll(chosen)) return null;
  const { labels, want, folder, year } = chosen;
  return (picture) => {
    if (folder !== '' && !`${folderOf(picture.path)}/`.startsWith(`${folder}/`)) return false;
    if (year !== '' && yearOf(picture) !== year) return false;
    if (want !== '' && !wants(session, picture, want)) return false;
    if (labels.size === 0) return true;
    const has = new Set(session.answerOf(picture)?.tags.map(({ label }) => label));
    return [...labels].every((label) => has.has(label));
  };
}

/** What there is to choose from. @param {Session} session @param {readonly Picture[]} pictures @returns {Choices} */
export function choicesOf(session, pictures) {
  /** @type {Record<'labels' | 'folders' | 'years', Map<string, number>>} */
  const counts = { labels: new Map(), folders: new Map(), years: new Map() };
  const tally = { unsure: 0, untagged: 0, uncaptioned: 0, corrected: 0, failed: 0 };
  const add = (/** @type {Map<string, number>} */ map, /** @type {string} */ value) =>
    map.set(value, (map.get(value) ?? 0) + 1);
  for (const picture of pictures) {
    for (const { label } of session.answerOf(picture)?.tags ?? []) {
      if (label !== null) add(counts.labels, label);
    }
    for (const want of /** @type {Want[]} */ (Object.keys(tally))) {
      if (wants(session, picture, want)) tally[want] += 1;
    }
    for (let folder = folderOf(picture.path); folder !== ''; folder = folderOf(folder)) {
      add(counts.folders, folder);
    }
    add(counts.years, yearOf(picture));
  }
  const listed = (/** @type {Map<string, number>} */ map) =>
    [...map].map(([value, count]) => ({ value, count })).filter(({ value }) => value !== '');
  return {
    labels: listed(counts.labels).sort((a, b) => b.count - a.count || a.value.localeCompare(b.value)),
    wants: tally,
    folders: listed(counts.folders).sort((a, b) => a.value.localeCompare(b.value)),
    years: listed(counts.years).sort((a, b) => b.value.localeCompare(a.value)),
  };
}
