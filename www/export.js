/**
 * What was found out about the pictures, as files: for photo programs, for spreadsheets, for programs, for web pages, and for
 * those who train models. `files/import.js` reads them back.
 *
 * @typedef {object} Row one picture
 * @property {string} path its name, with its folders where it came with them
 * @property {string[]} tags best first
 * @property {string[]} [subjects] the same as their file spells them, with commas
 * @property {string[]} hierarchy the same below what they imply: `animal|pet|dog`
 * @property {string[]} [paths] those of these that somebody has said: `pets|Minka`
 * @property {string[]} [own] those of its tags that somebody has given it or agreed to
 * @property {string[]} [gone] tags that somebody has taken away
 * @property {string} caption empty where there is none
 * @property {boolean} [captionIsOwn] whether somebody has written or chosen it
 * @property {boolean} [captionIsSaid] whether somebody has done so here, and not in the file
 * @property {string} [captionThere] what its file has said already
 * @property {Blob | null} [original] its file, where that is here
 * @property {Blob} [sidecar] what some program has written beside it, where that was read
 * @property {Blob} [packet] the XMP in its file, as it was when that was here
 *
 * @typedef {'xmp' | 'pictures' | 'csv' | 'json' | 'txt' | 'html' | 'markdown'} Format
 *
 * @typedef {import('./files/texts.js').Form & Wishes} Options
 *
 * @typedef {object} Wishes
 * @property {boolean} [replaceTexts] whether texts that a folder has already give way
 * @property {boolean} [keepCaption] whether captions that pictures and sidecars have already stay, unless ours is somebody's own
 *
 * @typedef {object} Tally what has become of the pictures
 * @property {number} within those that keywords were written into
 * @property {number} beside those that have a sidecar in place of that
 * @property {number} bare those that nothing is known of, which are left as they are
 * @property {number} absent those whose file is not here
 */

import { archivesOf } from './files/archive.js';
import { packetIn } from './files/embedded.js';
import { metadataOf } from './files/metadata.js';
import { partsOf, stemOf } from './files/paths.js';
import { writeTable } from './files/table.js';
import { writeText } from './files/texts.js';
import { withKeywords } from './files/with-keywords.js';
import { mergedXmp, readXmp } from './files/xmp-merge.js';
import { leafOf } from './labels.js';

/** The formats of which all pictures are in one file. @type {Partial<Record<Format, { name: string, type: string, write: (rows: readonly Row[]) => string }>>} */
const LISTS = {
  csv: { name: 'ocelli.csv', type: 'text/csv', write: csv },
  json: { name: 'ocelli.json', type: 'application/json', write: json },
  html: { name: 'ocelli.html', type: 'text/html', write: html },
  markdown: { name: 'ocelli.md', type: 'text/markdown', write: markdown },
};

/** What archives of the others are called. @type {Partial<Record<Format, string>>} */
const ARCHIVES = { xmp: 'ocelli-sidecars', txt: 'ocelli-texts', pictures: 'ocelli-pictures' };

/** @param {Format} format @returns {boolean} whether all pictures are in one file */
export function isList(format) {
  return format in LISTS;
}

/** @returns {Tally} */
export function newTally() {
  return { within: 0, beside: 0, bare: 0, absent: 0 };
}

/**
 * The files of a format, one at a time, as they go into a folder.
 *
 * @param {readonly Row[]} rows
 * @param {Format} format
 * @param {Options} [options]
 * @param {Tally} [tally]
 * @returns {AsyncGenerator<import('./files/folder.js').Entry>}
 */
export async function* filesOf(rows, format, options = {}, tally = newTally()) {
  const list = LISTS[format];
  const said = rows.map((row) => ({ ...row, caption: captionOf(row, options) }));
  if (list) yield { name: list.name, blob: new Blob([list.write(said)], { type: list.type }), replace: true };
  else if (format === 'pictures') yield* pictures(rows, options, tally);
  else if (format === 'txt') {
    const replace = options.replaceTexts ?? false;
    const known = described(said, options);
    for (const { name, text } of known) yield { name, blob: new Blob([text]), replace };
    yield* metadataOf(known, { replace });
  } else {
    const names = namesOf(rows, sidecarNames(rows));
    for (const [i, row] of rows.entries()) yield await sidecar(names[i] ?? '', row, options);
  }
}

/**
 * The same as they are downloaded: one file, or as many archives as it takes.
 *
 * @param {readonly Row[]} rows
 * @param {Format} format
 * @param {Options} [options]
 * @param {Tally} [tally]
 * @param {(done: number) => void} [told] how many files are in an archive; may throw to end it
 * @returns {AsyncGenerator<{ name: string, blob: Blob }>}
 */
export async function* downloadsOf(rows, format, options, tally, told = () => {}) {
  const files = filesOf(rows, format, options, tally);
  const name = ARCHIVES[format];
  if (name === undefined) yield* files;
  else yield* archivesOf(counted(files, told), { name, packs: format !== 'pictures' });
}

/** @template File @param {AsyncIterable<File>} files @param {(done: number) => void} told */
async function* counted(files, told) {
  let done = 0;
  for await (const file of files) {
    yield file;
    told((done += 1));
  }
}

/** A table for spreadsheets. @param {readonly Row[]} rows */
export function csv(rows) {
  const hasPaths = rows.some(({ paths = [] }) => paths.length > 0);
  const lines = rows.map(({ path, tags, caption, gone = [], paths = [] }) => [
    path,
    tags.join('; '),
    caption,
    gone.join('; '),
    ...(hasPaths ? [paths.join('; ')] : []),
  ]);
  const head = ['picture', 'tags', 'caption', 'rejected', ...(hasPaths ? ['hierarchy'] : [])];
  return writeTable([head, ...lines]);
}

/** @param {readonly Row[]} rows */
export function json(rows) {
  return `${JSON.stringify(
    rows.map(({ path, tags, own = [], gone = [], paths = [], caption }) => ({
      picture: path,
      tags,
      ...(paths.length > 0 && { hierarchy: paths }),
      ...(own.length > 0 && { own }),
      ...(gone.length > 0 && { gone }),
      ...(caption && { caption }),
    })),
    null,
    1,
  )}\n`;
}

/** A list for web pages. @param {readonly Row[]} rows */
export function html(rows) {
  const items = rows.map(
    (row) => `<li><img src="${escape(addressOf(row))}" alt="${escape(insteadOf(row))}" /></li>\n`,
  );
  return `<!doctype html>\n<meta charset="utf-8" />\n<title>Pictures</title>\n<ul>\n${items.join('')}</ul>\n`;
}

/** The same for what is written in Markdown. @param {readonly Row[]} rows */
export function markdown(rows) {
  const quoted = (/** @type {string} */ text) =>
    text.replace(/\s*[\r\n]+\s*/g, ' ').replace(/[\\`*_[\]<>&!#~|]/g, '\\$&');
  return rows.map((row) => `![${quoted(insteadOf(row))}](${addressOf(row)})\n`).join('\n');
}

/** What is read in place of a picture. @param {Row} row */
function insteadOf({ tags, caption }) {
  return caption || tags.join(', ');
}

/** @param {Row} row @returns {string} of a picture, as seen from the folder that its path begins in */
function addressOf({ path }) {
  const part = (/** @type {string} */ text) =>
    encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
      /[()'!*]/g,
      (letter) => `%${letter.charCodeAt(0).toString(16)}`,
    );
  return partsOf(path).map(part).join('/');
}

/** @param {string} text */
function escape(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** `photo.jpg.xmp` for each picture. @param {readonly Row[]} rows @returns {Map<string, string>} */
export function sidecars(rows) {
  const names = namesOf(rows, sidecarNames(rows));
  return new Map(rows.map((row, i) => [names[i] ?? '', mergedXmp(null, contentOf(row, {}))]));
}

/**
 * `photo.txt` for each picture: its caption, then its tags, as those have it who train models.
 *
 * @param {readonly Row[]} rows
 * @param {Options} [options]
 * @returns {Map<string, string>} without pictures of which nothing is known that is wanted
 */
export function texts(rows, options = {}) {
  return new Map(described(rows, options).map(({ name, text }) => [name, text]));
}

/**
 * @param {readonly Row[]} rows
 * @param {Options} options
 * @returns {(import('./files/metadata.js').Described & { name: string })[]} the texts, with the names of their files, and what they hold
 */
function described(rows, options) {
  const { parts = 'both' } = options;
  const count = new Map();
  for (const { path } of rows) count.set(stemOf(path), (count.get(stemOf(path)) ?? 0) + 1);
  // Where two pictures differ in their endings alone, both texts say whose they are.
  const names = namesOf(rows, (path) => `${count.get(stemOf(path)) > 1 ? path : stemOf(path)}.txt`);
  const paths = namesOf(rows, String);
  const all = rows.map((row, i) => ({
    name: names[i] ?? '',
    path: paths[i] ?? '',
    text: writeText(row, options),
    caption: parts === 'tags' ? '' : row.caption,
    tags: parts === 'caption' ? [] : row.tags,
  }));
  return all.filter(({ text }) => text !== '');
}

/**
 * What sidecars are called: `photo.jpg.xmp`; where one was read that Adobe's programs have written, as they call it, `photo.xmp`, so that
 * no two contradict each other.
 * @param {readonly Row[]} rows
 * @returns {(path: string) => string}
 */
function sidecarNames(rows) {
  const paths = rows.map(({ path }) => partsOf(path).join('/'));
  const stems = paths.map(stemOf);
  /** @type {Map<string, string>} */
  const adobe = new Map();
  for (const [i, { sidecar }] of rows.entries()) {
    const [path = '', stem = ''] = [paths[i], stems[i]];
    const name = `${stem.slice(stem.lastIndexOf('/') + 1)}.xmp`;
    const isSo = sidecar instanceof File && sidecar.name.toLowerCase() === name.toLowerCase();
    // Where a raw file and its JPEG are both here, nobody knows whose it is.
    if (isSo && stems.filter((one) => one === stem).length === 1) {
      adobe.set(path, `${stem.slice(0, stem.lastIndexOf('/') + 1)}${sidecar.name}`);
    }
  }
  return (path) => adobe.get(path) ?? `${path}.xmp`;
}

/** @param {Row} row @param {Options} options @returns {import('./files/xmp-merge.js').Content} */
function contentOf(row, options) {
  const { tags, subjects = tags, hierarchy, own = [], gone = [] } = row;
  const description = captionOf(row, options);
  return {
    subjects,
    hierarchicalSubjects: hierarchy.filter((one) => one.includes('|')),
    ...(description && { description, descriptionIsOwn: row.captionIsOwn === true }),
    rejected: gone,
    confirmed: own,
  };
}

/** The caption that is saved of a picture: that of its file, where it is to stay. @param {Row} row @param {Options} options */
function captionOf(row, options) {
  const { caption, captionThere = '' } = row;
  return captionThere !== '' && keepsCaption(row, options) ? captionThere : caption;
}

/** @param {Row} row @param {Options} options */
function keepsCaption({ captionIsOwn = false, captionIsSaid = captionIsOwn }, { keepCaption = false }) {
  return keepCaption && !captionIsSaid;
}

/**
 * A sidecar, with all else that is in one which the picture has already, or else in the picture.
 * @param {string} name
 * @param {Row} row
 * @param {Options} options
 * @returns {Promise<import('./files/folder.js').Entry>}
 */
async function sidecar(name, row, options) {
  const content = contentOf(row, options);
  const keepCaption = keepsCaption(row, options);
  const onto = async (/** @type {Blob} */ there) => {
    const text = await there.text();
    // What was read is not compared with itself.
    const left = there === row.sidecar ? content : await stillThere(content, text, row);
    return new Blob([mergedXmp(text, left, { keepCaption })]);
  };
  // What the picture itself says goes along, as some programs read nothing but the sidecar.
  const inPicture = async () =>
    (row.original && (await packetIn(row.original).catch(() => null))) ?? row.packet;
  const base = row.sidecar ?? (await inPicture());
  const known = base ? await onto(base).catch(() => null) : null;
  return { name, of: row.path, blob: known ?? new Blob([mergedXmp(null, content)]), onto };
}

/**
 * What is written without keywords that another program has taken out of a sidecar since it was read.
 * @param {import('./files/xmp-merge.js').Content} content
 * @param {string} text of the sidecar as it is now
 * @param {Row} row
 */
async function stillThere(content, text, { sidecar: before }) {
  const then = before && (await before.text());
  if (then === undefined || then === text) return content;
  const has = new Set(readXmp(text).tags);
  const { subjects = [], hierarchicalSubjects = [], confirmed = [] } = content;
  const gone = readXmp(then).tags.filter((word) => !has.has(word) && !confirmed.includes(word));
  return {
    ...content,
    subjects: subjects.filter((word) => !gone.includes(word)),
    hierarchicalSubjects: hierarchicalSubjects.filter((path) => !gone.includes(leafOf(path))),
  };
}

/**
 * The pictures themselves with keywords in them, or beside them where they can hold none.
 *
 * @param {readonly Row[]} rows
 * @param {Options} options
 * @param {Tally} tally
 * @returns {AsyncGenerator<import('./files/folder.js').Entry>}
 */
async function* pictures(rows, options, tally) {
  const here = rows.filter(({ original }) => original);
  const sidecarOf = sidecarNames(rows);
  tally.absent += rows.length - here.length;
  const names = namesOf(here, String);
  for (const [i, row] of here.entries()) {
    const name = names[i] ?? '';
    const original = /** @type {Blob} */ (row.original);
    const keepCaption = keepsCaption(row, options);
    const isPlain = isBare(row);
    let written = null;
    try {
      if (isPlain) await original.slice(0, 1).arrayBuffer();
      else written = await withKeywords(original, contentOf(row, options), { keepCaption });
    } catch {
      // It was moved, or changed, since it came.
      tally.absent += 1;
      continue;
    }
    yield { name, blob: written ?? original };
    if (isPlain) tally.bare += 1;
    else if (written) {
      tally.within += 1;
      // What else some program has written of it goes with it.
      if (row.sidecar) yield await sidecar(sidecarOf(name), row, options);
    } else {
      tally.beside += 1;
      yield await sidecar(sidecarOf(name), row, options);
    }
  }
}

/** Whether nothing is known of a picture. @param {Row} row */
function isBare({ tags, gone = [], caption }) {
  return tags.length + gone.length === 0 && caption === '';
}

/**
 * @param {readonly Row[]} rows
 * @param {(path: string) => string} rename
 * @returns {string[]} the names of their files, no two alike, and none outside of the folder or archive
 */
function namesOf(rows, rename) {
  const paths = rows.map(({ path }) => partsOf(path).join('/'));
  const wanted = new Set(paths.map(rename));
  /** @type {Set<string>} */
  const taken = new Set();
  return paths.map((path) => {
    let name = rename(path);
    for (let number = 2; taken.has(name); number++) {
      const other = rename(path.replace(/(\.[^./]+)?$/, ` (${number})$1`));
      // A picture that is called so itself keeps its name.
      if (!wanted.has(other)) name = other;
    }
    taken.add(name);
    return name;
  });
}
