/**
 * What is to be kept of a picture: made of what the session knows, compared with what is kept, and joined with what another tab has
 * written.
 *
 * @typedef {import('./store.js').Entry} Entry
 * @typedef {import('../session.js').Picture} Picture
 * @typedef {import('../session.js').Session} Session
 * @typedef {import('../thumbnails.js').Thumbnails} Thumbnails
 *
 * @typedef {Pick<Entry, 'said' | 'filed' | 'sidecar' | 'lies' | 'packet'>} Told what people and files say of a picture
 */

import { joinedSaid } from '../joining.js';

/** Stands for the copy of what nobody can show: what is known of it is kept all the same. */
const NO_COPY = new Blob([]);

/**
 * Whether more is known of a picture than is kept.
 * @param {Session} session
 * @param {Picture} picture
 * @param {Entry | undefined} kept
 */
export function isNews({ captions, corrections, embeddings, fileWords, recognition, tags }, picture, kept) {
  const isSaid = kept?.said !== corrections.of(picture);
  const job = captions.jobs.get(picture);
  // What people say of a picture that is kept waits for no model.
  if (!tags.engine || job?.status !== 'done' || !embeddings.has(tags.engine, picture)) {
    return kept !== undefined && isSaid;
  }
  return (
    isSaid ||
    kept?.captions !== job.result ||
    kept?.filed !== fileWords.of(picture) ||
    kept?.sidecar !== fileWords.sidecarOf(picture) ||
    kept?.packet !== fileWords.packetOf(picture) ||
    kept?.quick !== picture.key ||
    kept?.content !== picture.content ||
    recognition.isUnread(picture) ||
    kept?.embedding !== embeddings.known(tags.engine, picture)
  );
}

/**
 * @param {Session} session
 * @param {Thumbnails} thumbnails
 * @param {Picture} picture
 * @param {Entry | undefined} kept what models knew of it stands where they are not here
 * @returns {Entry | null} null where not enough is known of it
 */
export function entryOf(session, thumbnails, picture, kept) {
  const { captions, embeddings, tags } = session;
  const copy = thumbnails.of(picture) === '' ? NO_COPY : thumbnails.copyOf(picture);
  const embedding = tags.engine && embeddings.known(tags.engine, picture);
  const result = captions.jobs.get(picture)?.result;
  const known =
    copy && embedding && result
      ? {
          copy,
          embedding,
          tagger: embeddings.probe?.id ?? '',
          captions: result,
          captionModel: captions.model?.id ?? '',
        }
      : kept && modelsOf(kept);
  if (!known) return null;
  const { content, sample, pixels, key, size, name, path, batch, index, taken } = picture;
  return {
    key: entryKey(picture),
    quick: key,
    size,
    content,
    sample,
    ...(pixels && { pixels }),
    name,
    path,
    batch,
    index,
    taken,
    ...known,
    ...toldOf(session, picture),
  };
}

/** @param {Pick<Session, 'corrections' | 'fileWords'>} session @param {Picture} picture @returns {Told} */
export function toldOf({ corrections, fileWords }, picture) {
  const said = corrections.of(picture);
  const [filed, packet] = [fileWords.of(picture), fileWords.packetOf(picture)];
  const [sidecar, lies] = [fileWords.sidecarOf(picture), fileWords.placeOfSidecar(picture)];
  return {
    ...(said && { said }),
    ...(filed && { filed }),
    ...(packet && { packet }),
    ...(sidecar && { sidecar }),
    ...(sidecar && lies !== undefined && { lies }),
  };
}

/** Takes up what was known of pictures that are there again. @param {Pick<Session, 'corrections' | 'fileWords'>} session @param {ReadonlyMap<Picture, Told>} all */
export function tellAgain({ corrections, fileWords }, all) {
  for (const [picture, told] of all) fileWords.restore(picture, told);
  corrections.putAll(
    [...all].map(([picture, { said }]) => ({
      picture,
      said: joinedSaid(undefined, corrections.of(picture), said),
    })),
  );
}

/**
 * @param {Entry | undefined} before what both began with
 * @param {Entry} mine
 * @param {Entry} there as another tab may have written it meanwhile
 * @returns {Entry} what models know as they know it here, and what people say in both
 */
export function joinedEntry(before, mine, there) {
  const said = joinedSaid(before?.said, mine.said, there.said);
  const joined = { ...mine, ...(said && { said }) };
  if (!said) delete joined.said;
  const [filed, packet] = [there.filed ?? mine.filed, there.packet ?? mine.packet];
  if (mine.filed === before?.filed && filed) joined.filed = filed;
  if (mine.packet === before?.packet && packet) joined.packet = packet;
  if (mine.sidecar === before?.sidecar && there.sidecar) {
    Object.assign(joined, { sidecar: there.sidecar, lies: there.lies });
  }
  return joined;
}

/** @param {Picture} picture @returns {string} the key that its entry has */
export function entryKey({ content, key, path }) {
  return content === null ? key : `${content}|${path}`;
}

/** What models know of a picture, and its copy. @param {Entry} entry */
export function modelsOf({ copy, embedding, tagger, captions, captionModel }) {
  return { copy, embedding, tagger, captions, captionModel };
}
