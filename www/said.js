/**
 * What people have said of a picture, here or in its file, which comes before what models find: on the page, and where it is saved.
 *
 * @typedef {import('./session.js').Candidate} Candidate
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./session.js').Session} Session
 */

/** @type {readonly Candidate[]} */
const NONE = [];
/** Lists that were made, so that the same is the same again. @type {WeakMap<object, { found: readonly Candidate[], captions: Candidate[] }>} */
const made = new WeakMap();

/**
 * The captions of a picture: what people say here comes first, then what its file says, then what a model finds.
 *
 * @param {Session} session
 * @param {Picture} picture
 * @returns {Candidate[] | null} best first; null as long as there are none
 */
export function shownCaptions(session, picture) {
  const found = session.captionsOf(picture);
  const filed = session.fileWords.of(picture);
  const isSaid = typeof session.corrections.of(picture)?.caption === 'string';
  if (!filed || filed.caption === '' || isSaid || found?.[0]?.caption === filed.caption) return found;
  const known = made.get(filed);
  if (known?.found === (found ?? NONE)) return known.captions;
  /** @type {Candidate[]} */
  const captions = [{ caption: filed.caption, filed: true }, ...(found ?? NONE)];
  made.set(filed, { found: found ?? NONE, captions });
  return captions;
}

/** Whether somebody has said something of a picture. @param {Session} session @param {Picture} picture */
export function hasWords({ corrections, fileWords }, picture) {
  const filed = fileWords.of(picture);
  return Boolean(corrections.of(picture) || filed?.caption || filed?.tags.length);
}
