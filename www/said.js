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

/**
 * Whether somebody has said something of a picture, beyond what models find in it: that may have been written into its file.
 * @param {Session} session
 * @param {Picture} picture
 */
export function hasWords({ captions, corrections, fileWords, tags }, picture) {
  const filed = fileWords.of(picture);
  const isSaid = corrections.of(picture) || filed?.gone?.length || filed?.own?.length || filed?.captionIsOwn;
  if (isSaid) return true;
  const found = new Set(tags.jobs.get(picture)?.result?.tags.map(({ label }) => label));
  const written = captions.jobs.get(picture)?.result?.some(({ caption }) => caption === filed?.caption);
  return Boolean(filed?.tags.some((tag) => !found.has(tag)) || (filed?.caption && !written));
}
