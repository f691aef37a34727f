/**
 * Answers that come back out of files: what was saved here, and sidecars of photo programs. They are taken for what people say.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {import('./corrections.js').Change} Change
 *
 * @typedef {object} Said by a file, of one picture
 * @property {readonly string[]} tags
 * @property {readonly string[]} [own]
 * @property {readonly string[]} [gone]
 * @property {readonly string[]} [hierarchy]
 * @property {string} caption
 */

import { answered } from './answered.js';
import { readCaption, readTags } from './corrections.js';
import { toldBy } from './files/embedded.js';
import { filedOf, withoutCommas } from './files/filed.js';
import { BELOW, leafOf } from './labels.js';
import { readPath } from './tag-paths.js';
import { count } from './words.js';

/**
 * @param {object} given
 * @param {import('./session.js').Session} given.session
 * @param {import('./tag-names.js').TagNames} given.names
 * @param {(title: string, changes: ReadonlyMap<Picture, Change>, after: { done: () => void, undone: () => void }) => void} given.correct
 * @param {() => import('./files/texts.js').Form} [given.form] how texts are made here now
 */
export function importer({ session, names, correct, form = () => ({}) }) {
  const labelOf = (/** @type {string} */ name) => names.labelOf(leafOf(name));
  const typed = (/** @type {readonly string[]} */ tags) =>
    tags.flatMap((tag) => readTags(withoutCommas(tag)));
  const labelsOf = (/** @type {readonly string[]} */ tags) => [...new Set(typed(tags).map(labelOf))];

  /** Tags that are below others, beyond what the vocabulary says. @param {Said} said */
  const pathsOf = ({ tags, hierarchy = [] }) => {
    const labels = new Set(labelsOf(tags));
    return [...hierarchy, ...typed(tags)].filter((path) => {
      const [above, label] = [readPath(path)?.split(BELOW).slice(0, -1) ?? [], labelOf(path)];
      return above.length > 0 && labels.has(label) && !names.isBelow(label, above);
    });
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
   * @param {Said} said
   * @param {boolean} gently whether what somebody has said here counts for more
   * @returns {Change | null}
   */
  const newsOf = (picture, { tags, own = [], gone = [], caption }, gently) => {
    const known = new Set(session.answerOf(picture)?.tags.map(({ label }) => label));
    const before = session.corrections.of(picture);
    const [confirmed, rejected] = [new Set(before?.own), new Set(before?.gone)];
    const stays = (/** @type {string} */ label) => gently && (confirmed.has(label) || rejected.has(label));
    const remove = labelsOf(gone).filter((label) => !rejected.has(label) && !stays(label));
    // What a model has found here, too, is somebody's own where they say so.
    const sure = labelsOf(own).filter((label) => !confirmed.has(label));
    const fresh = labelsOf(tags).filter((label) => !known.has(label));
    const add = [...new Set([...sure, ...fresh])].filter((label) => !remove.includes(label) && !stays(label));
    const text = readCaption(caption);
    const isKept = gently && typeof before?.caption === 'string';
    const there = [session.captionsOf(picture)?.[0]?.caption, session.fileWords.of(picture)?.caption];
    const isNew = text !== null && !isKept && !there.some((one) => one && onOneLine(one) === onOneLine(text));
    if (add.length === 0 && remove.length === 0 && !isNew) return null;
    return { add, remove, ...(isNew && { caption: text }) };
  };

  /**
   * @param {readonly File[]} files
   * @param {{ gently?: boolean }} [how] `gently`: whether what somebody has said here counts for more, as where files come again with
   *   their folder
   * @returns {Promise<string>} what has become of them, in sentences; empty where they say nothing
   */
  return async (files, { gently = false } = {}) => {
    const { matcher, readAnswers, readText } = await import('./files/import.js');
    const { rows, troubles } = await readAnswers(files);
    const met = matcher(session.pictures, rows);
    // What models find themselves is no news.
    await answered(
      session,
      rows.flatMap((row) => met(row) ?? []),
    );
    // Pictures may have come and gone meanwhile.
    const pictureOf = matcher(session.pictures, rows);
    const listed = listedTexts(rows, pictureOf);
    /** Those of whose texts nobody can tell where the caption ends. @type {Set<Picture>} */
    const unsure = new Set();
    /** @param {import('./files/import.js').Row} row @param {Picture} picture */
    const said = (row, picture) => {
      const caption = session.captionsOf(picture)?.[0]?.caption ?? '';
      if (row.alternative !== undefined) return toldInstead(row.alternative, caption);
      const told = row.text === undefined ? row : listed.partsOf(row, picture);
      if (told) return told;
      const labels = session.answerOf(picture)?.tags.flatMap(({ label }) => label ?? []) ?? [];
      const isTag = (/** @type {string} */ word) =>
        names.knows(word) || labels.some((label) => names.isCalled(label, word));
      const { isSure, ...parts } = readText(row.text ?? '', { form: form(), caption, isTag });
      if (!isSure) unsure.add(picture);
      return parts;
    };
    /** @type {string[]} */
    const paths = [];
    /** @type {Map<Picture, Change>} */
    const changes = new Map();
    /** What sidecars say that was not known. @type {Map<Picture, import('./file-words.js').News[]>} */
    const heard = new Map();
    let strangers = 0;
    let found = 0;
    /** What lay beside them until now, and where. @type {Map<Picture, { sidecar: Blob, lies: string | undefined } | null>} */
    const earlier = new Map();
    for (const row of rows) {
      const picture = pictureOf(row);
      if (!picture) {
        // A note that lies beside pictures says nothing of any.
        if (!gently || row.text === undefined) strangers += 1;
        continue;
      }
      found += 1;
      if (row.sidecar) {
        const sidecar = session.fileWords.sidecarOf(picture);
        const lies = session.fileWords.placeOfSidecar(picture);
        if (!earlier.has(picture)) earlier.set(picture, sidecar ? { sidecar, lies } : null);
        session.fileWords.putSidecar(picture, { sidecar: row.sidecar, isExact: row.exact, lies: row.lies });
      }
      if (row.sidecar && gently) {
        // It says so until it is read again: who writes it with another program is heard.
        const last = earlier.get(picture);
        const heardOf = session.fileWords.hear(picture, filedOf(row), {
          isExact: row.exact,
          before: last ? await toldBy(last.sidecar) : undefined,
          isSame: last?.lies !== undefined && last.lies === row.lies,
        });
        if (heardOf) heard.set(picture, [...(heard.get(picture) ?? []), heardOf]);
        continue;
      }
      if (listed.isBeside(row, picture)) continue;
      const told = said(row, picture);
      const below = pathsOf(told);
      const isBelow = session.paths.with(below, labelOf) !== session.paths.given;
      paths.push(...below);
      const change = newsOf(picture, told, gently) ?? (isBelow ? {} : null);
      const before = changes.get(picture);
      if (change) changes.set(picture, before ? joined(before, change) : change);
    }
    const [before, after] = [session.paths.given, session.paths.with(paths, labelOf)];
    const done = () => session.paths.put(after);
    const undone = () => session.paths.put(before);
    if (changes.size > 0) {
      correct(`Read what files say of ${count(changes.size, 'picture')}.`, changes, { done, undone });
    }
    if (heard.size > 0) {
      takeOver(session.corrections, heard);
      session.fileWords.heard();
    }
    const news = new Set([...changes.keys(), ...heard.keys()]).size;
    const [trouble] = troubles;
    return [
      news > 0 ? `Read what files say of ${count(news, 'picture')}.` : '',
      unsure.size > 0
        ? `In the texts of ${count(unsure.size, 'picture')} it could not be told for certain where the caption ends: what is long was taken for it, what is short for tags.`
        : '',
      news === 0 && found > 0 ? 'The files say nothing that is not known here.' : '',
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

/**
 * What lists say of texts that lie beside pictures.
 *
 * @param {readonly import('./files/import.js').Row[]} rows
 * @param {(row: import('./files/import.js').Row) => Picture | null} pictureOf
 */
function listedTexts(rows, pictureOf) {
  /** @type {Map<Picture | null, import('./files/import.js').Row>} */
  const lists = new Map();
  const beside = new Set();
  for (const row of rows) {
    if (row.listed) lists.set(pictureOf(row), row);
    else if (row.text !== undefined) beside.add(pictureOf(row));
  }
  const plain = (/** @type {string} */ text) => text.replaceAll('\r\n', '\n').trim();
  return {
    /** @param {typeof rows[number]} row @param {Picture} picture @returns {boolean} whether a text says the same, or something newer */
    isBeside: (row, picture) => row.listed !== undefined && beside.has(picture),
    /** The parts of a text, as long as it is what the list says. @param {typeof rows[number]} row @param {Picture} picture */
    partsOf(row, picture) {
      const list = lists.get(picture);
      const isSame = plain(list?.text ?? '') === plain(row.text ?? '');
      return list?.listed === 'parts' && isSame ? list : null;
    },
  };
}

/** What two files say of a picture: what one of them takes away, it has not. @param {Change} one @param {Change} other @returns {Change} */
function joined(one, other) {
  const caption = other.caption ?? one.caption;
  const remove = [...(one.remove ?? []), ...(other.remove ?? [])];
  return {
    add: [...(one.add ?? []), ...(other.add ?? [])].filter((label) => !remove.includes(label)),
    remove,
    ...(caption !== undefined && { caption }),
  };
}

/** A caption as tables and lists may have it. @param {string} caption */
function onOneLine(caption) {
  return caption.replaceAll(/\s+/g, ' ');
}

/**
 * What people have confirmed and withdrawn in sidecars, they have here.
 * @param {import('./corrections.js').Corrections} corrections
 * @param {ReadonlyMap<Picture, import('./file-words.js').News[]>} heard
 */
function takeOver(corrections, heard) {
  /** @type {Map<Picture, string[]>} */
  const confirmed = new Map();
  /** @type {Map<Picture, { labels: string[], caption: boolean }>} */
  const withdrawn = new Map();
  for (const [picture, all] of heard) {
    const sure = all.flatMap((one) => one.confirmed);
    const labels = all.flatMap((one) => one.withdrawn).filter((label) => !sure.includes(label));
    // One that was written here since stays.
    const said = onOneLine(corrections.of(picture)?.caption ?? '');
    const caption = all.some(({ replaced }) => replaced !== null && onOneLine(replaced) === said);
    if (sure.length > 0) confirmed.set(picture, sure);
    if (labels.length > 0 || caption) withdrawn.set(picture, { labels, caption });
  }
  corrections.withdraw(withdrawn);
  corrections.confirm(confirmed);
}
