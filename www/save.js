/**
 * Saves what the session has found out, as the browser saves a file.
 *
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./export.js').Format} Format
 * @typedef {import('./export.js').Row} Row
 */

import { fileOf } from './export.js';

/** How long the browser may take to begin with a file. */
const PATIENCE = 60_000;

/**
 * The rows of all pictures that have an answer.
 *
 * @param {Session} session
 * @param {{ naming: (label: string) => string, vocabulary: import('ocelli').Vocabulary | null }} how tags are called
 * @returns {Row[]}
 */
export function rowsOf(session, { naming, vocabulary }) {
  return session.pictures.flatMap((picture) => {
    const labels = (session.tags.jobs.get(picture)?.result?.tags ?? []).flatMap(({ label }) => label ?? []);
    const caption = session.captions.jobs.get(picture)?.result?.[0]?.caption ?? '';
    if (labels.length === 0 && caption === '') return [];
    const below = (/** @type {string} */ label) =>
      [...(vocabulary?.implied(label) ?? [])].reverse().concat(label).map(naming).join('|');
    return [{ path: picture.path, tags: labels.map(naming), hierarchy: labels.map(below), caption }];
  });
}

/**
 * @param {Row[]} rows
 * @param {Format} format
 * @returns {Promise<string>} the name of the file
 */
export async function save(rows, format) {
  const { name, blob } = await fileOf(rows, format);
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), PATIENCE);
  return name;
}
