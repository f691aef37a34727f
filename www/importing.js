/**
 * Answers that come back out of files: what was saved here, and sidecars of photo programs. They are taken for what people say.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./corrections.js').Change} Change
 */

import { readCaption, readTags } from './corrections.js';
import { count } from './words.js';

/**
 * @param {object} given
 * @param {import('./session.js').Session} given.session
 * @param {import('./tag-names.js').TagNames} given.names
 * @param {(title: string, changes: ReadonlyMap<Picture, Change>) => void} given.correct
 */
export function importer({ session, names, correct }) {
  const labelsOf = (/** @type {readonly string[]} */ tags) =>
    tags.flatMap((tag) => readTags(tag.replaceAll(/[,;]/g, ' '))).map((name) => names.labelOf(name));

  /**
   * What the words of a text are: a caption that is known, or what stands before the first word that is a tag.
   * @param {readonly string[]} words
   * @param {{ tags: string[], caption: string }} asKnown
   */
  const told = (words, asKnown) => {
    if (asKnown.caption !== '') return asKnown;
    const first = words.findIndex((word) => names.knows(word));
    const isSentence = (words[0]?.split(/\s+/).length ?? 0) >= 3;
    const end = first > 0 ? first : first < 0 && isSentence ? 1 : 0;
    return { caption: words.slice(0, end).join(', '), tags: words.slice(end) };
  };

  /**
   * What a text is that stands for a picture: it was made of the caption, or else of tags.
   * @param {string} text
   * @param {string} caption that the picture has
   */
  const toldInstead = (text, caption) => {
    const words = text.split(', ');
    const known = words.filter((word) => names.knows(word)).length;
    const isTags = text !== caption && known > 0 && (known === words.length || known * 2 > words.length);
    return isTags ? { tags: words, caption: '' } : { tags: [], caption: text };
  };

  /**
   * What a file says of a picture, beyond what is known of it here.
   * @param {Picture} picture
   * @param {{ tags: readonly string[], own?: readonly string[], gone?: readonly string[], caption: string }} said
   * @returns {Change | null}
   */
  const newsOf = (picture, { tags, own = [], gone = [], caption }) => {
    const known = new Set(session.answerOf(picture)?.tags.map(({ label }) => label));
    const before = session.corrections.of(picture);
    const [confirmed, rejected] = [new Set(before?.own), new Set(before?.gone)];
    const remove = labelsOf(gone).filter((label) => !rejected.has(label));
    // What a model has found here, too, is somebody's own where they say so.
    const sure = labelsOf(own).filter((label) => !confirmed.has(label));
    const fresh = labelsOf(tags).filter((label) => !known.has(label));
    const add = [...new Set([...sure, ...fresh])].filter((label) => !remove.includes(label));
    const text = readCaption(caption);
    const isNew = text !== null && text !== session.captionsOf(picture)?.[0]?.caption;
    if (add.length === 0 && remove.length === 0 && !isNew) return null;
    return { add, remove, ...(isNew && { caption: text }) };
  };

  const isOpen = (/** @type {Picture} */ picture) =>
    [session.tags, session.captions].some(
      ({ status, jobs }) =>
        (status === 'loading' || status === 'ready') &&
        /^(waiting|running)$/.test(jobs.get(picture)?.status ?? ''),
    );

  /** Waits until models have said of pictures what they can: what they find themselves is no news. @param {readonly Picture[]} pictures */
  const answered = async (pictures) => {
    while (pictures.some(isOpen)) {
      await new Promise((resolve) => session.addEventListener('change', resolve, { once: true }));
    }
  };

  /**
   * @param {readonly File[]} files
   * @returns {Promise<string>} what has become of them, in sentences; empty where they say nothing
   */
  return async (files) => {
    const { fromWords, matcher, readAnswers } = await import('./files/import.js');
    const said = (/** @type {import('./files/import.js').Row} */ row, /** @type {string} */ caption) => {
      if (row.alternative !== undefined) return toldInstead(row.alternative, caption);
      return row.words ? told(row.words, fromWords(row.words, caption)) : row;
    };
    const { rows, troubles } = await readAnswers(files);
    const met = matcher(session.pictures, rows);
    await answered(rows.flatMap((row) => met(row) ?? []));
    // Pictures may have come and gone meanwhile.
    const pictureOf = matcher(session.pictures, rows);
    /** @type {Map<Picture, Change>} */
    const changes = new Map();
    let strangers = 0;
    let found = 0;
    for (const row of rows) {
      const picture = pictureOf(row);
      if (!picture) {
        strangers += 1;
        continue;
      }
      found += 1;
      const caption = session.captionsOf(picture)?.[0]?.caption ?? '';
      const change = newsOf(picture, said(row, caption));
      const before = changes.get(picture);
      if (change) changes.set(picture, before ? joined(before, change) : change);
    }
    if (changes.size > 0) correct(`Read what files say of ${count(changes.size, 'picture')}.`, changes);
    const [trouble] = troubles;
    return [
      changes.size > 0 ? `Read what files say of ${count(changes.size, 'picture')}.` : '',
      changes.size === 0 && found > 0 ? 'The files say nothing that is not known here.' : '',
      strangers > 0
        ? `${count(strangers, 'picture')} that they speak of ${strangers === 1 ? 'is' : 'are'} not here.`
        : '',
      strangers > 0 && found === 0
        ? `Open the ${strangers === 1 ? 'picture' : 'pictures'} first, then ${files.length === 1 ? 'this file' : 'these files'}.`
        : '',
      trouble ? `${trouble.name}: ${trouble.sentence}` : '',
      troubles.length > 1 ? `So it is with ${count(troubles.length - 1, 'other file')}.` : '',
    ]
      .filter(Boolean)
      .join(' ');
  };
}

/** @param {Change} one @param {Change} other @returns {Change} */
function joined(one, other) {
  const caption = other.caption ?? one.caption;
  return {
    add: [...(one.add ?? []), ...(other.add ?? [])],
    remove: [...(one.remove ?? []), ...(other.remove ?? [])],
    ...(caption !== undefined && { caption }),
  };
}
