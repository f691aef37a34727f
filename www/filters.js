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

/** When a camera took it, or else its file was last written. @param {Session} session @param {Picture} picture */
function yearOf(session, picture) {
  const taken = session.fileWords.of(picture)?.taken ?? picture.taken;
  return taken === 0 ? '' : String(new Date(taken).getFullYear());
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
    if (year !== '' && yearOf(session, picture) !== year) return false;
    if (want !== '' && !wants(session, picture, want)) return false;
    if (labels.size === 0) return true;
    const has = new Set(session.answerOf(picture)?.tags.map(({ label }) => label));
    return [...labels].every((label) => has.has(label));
  };
}

/**
 * What there is to choose from, and how many pictures are left with it of those that all else which is chosen leaves.
 * @param {Session} session
 * @param {readonly Picture[]} pictures
 * @param {Chosen} chosen
 * @returns {Choices}
 */
export function choicesOf(session, pictures, chosen) {
  const among = (/** @type {Partial<Chosen>} */ instead) =>
    filterOf(session, { ...chosen, ...instead }) ?? (() => true);
  const [left, ofWants, ofFolders, ofYears] = [
    among({}),
    among({ want: '' }),
    among({ folder: '' }),
    among({ year: '' }),
  ];
  /** @type {Record<'labels' | 'folders' | 'years', Map<string, number>>} */
  const counts = { labels: new Map(), folders: new Map(), years: new Map() };
  const tally = { unsure: 0, untagged: 0, uncaptioned: 0, corrected: 0, failed: 0 };
  const add = (
    /** @type {Map<string, number>} */ map,
    /** @type {string} */ value,
    /** @type {boolean} */ counts,
  ) => map.set(value, (map.get(value) ?? 0) + Number(counts));
  for (const picture of pictures) {
    for (const { label } of left(picture) ? (session.answerOf(picture)?.tags ?? []) : []) {
      if (label !== null) add(counts.labels, label, true);
    }
    for (const want of ofWants(picture) ? /** @type {Want[]} */ (Object.keys(tally)) : []) {
      if (wants(session, picture, want)) tally[want] += 1;
    }
    // Folders and years stay in their places, whatever else is chosen.
    for (let folder = folderOf(picture.path); folder !== ''; folder = folderOf(folder)) {
      add(counts.folders, folder, ofFolders(picture));
    }
    add(counts.years, yearOf(session, picture), ofYears(picture));
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
