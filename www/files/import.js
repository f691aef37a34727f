/**
 * What files say of pictures: all that the page itself saves, and sidecars of photo programs. They come from anywhere: what is
 * too large, damaged or of another kind is told in a sentence, and the others are read all the same.
 *
 * @typedef {object} Row what a file says of one picture
 * @property {string} path of the picture, as far as the file tells; `matcher` finds out which one is meant
 * @property {boolean} exact whether the path has the picture's own ending
 * @property {string[]} tags
 * @property {string[]} [own] those of them that somebody has given the picture or agreed to
 * @property {string[]} [gone] tags that the picture has not
 * @property {string[]} hierarchy the same below what they imply: `animal|pet|dog`
 * @property {string} caption empty where there is none
 * @property {string} [alternative] a text that stands for the picture: its caption, or its tags where it has none
 * @property {string} [text] a text that holds caption and tags
 * @property {Blob} [sidecar] the sidecar that it is of: what else is in there is kept when it is saved
 * @property {string} [lies] where that lies, if it came with its folder
 * @property {'parts' | 'text'} [listed] whether a list has that text: with the tags and the caption that are its parts, or alone
 *
 * @typedef {{ name: string, sentence: string }} FileTrouble
 */

import { pathOf } from '../gather.js';
import { answersEndingOf, folderOf, isArchive, isPicturePath, stemOf } from './paths.js';
import { readHtml, readMarkdown } from './alternatives.js';
import { readMetadata } from './metadata.js';
import { readTable } from './table.js';
import { Trouble } from './trouble.js';
import { unzipped } from './unzip.js';
import { readXmp } from './xmp-merge.js';

export { matcher } from './match.js';
export { readText } from './texts.js';

/** Bytes of a list of pictures, and of what is about one picture. */
const MOST_OF_MANY = 200_000_000;
const MOST_OF_ONE = 4_000_000;

/** @type {Record<string, { most: number, read: (text: string, path: string) => Row[] }>} */
const KINDS = {
  xmp: { most: MOST_OF_ONE, read: readSidecar },
  txt: { most: MOST_OF_ONE, read: readTextBeside },
  csv: { most: MOST_OF_MANY, read: readCsv },
  json: { most: MOST_OF_MANY, read: readJson },
  jsonl: { most: MOST_OF_MANY, read: readMetadata },
  html: { most: MOST_OF_MANY, read: readHtml },
  md: { most: MOST_OF_MANY, read: readMarkdown },
};

/**
 * @param {readonly File[]} files
 * @returns {Promise<{ rows: Row[], troubles: FileTrouble[] }>} rows that say something, in the order of the files
 */
export async function readAnswers(files) {
  /** @type {Row[]} */
  const rows = [];
  /** @type {FileTrouble[]} */
  const troubles = [];
  /** @param {string} path @param {() => Row[]} read */
  const take = (path, read) => {
    try {
      for (const row of read()) if (saysSomething(row)) rows.push(row);
    } catch (error) {
      troubles.push({ name: path, sentence: sentenceOf(error) });
    }
  };
  for (const file of files) {
    const path = pathOf(file) ?? file.name;
    try {
      if (isArchive(file.name)) {
        const inside = (/** @type {string} */ name) => kindOf(name) !== undefined;
        for await (const { name, bytes } of unzipped(file, inside)) take(name, () => readFile(bytes, name));
        continue;
      }
      const kind = kindOf(file.name);
      if (!kind) throw unknownKind();
      if (file.size > kind.most) throw tooLarge();
      const bytes = new Uint8Array(await file.arrayBuffer());
      take(path, () => lying(readFile(bytes, path), pathOf(file)));
    } catch (error) {
      troubles.push({ name: path, sentence: sentenceOf(error) });
    }
  }
  return { rows, troubles };
}

/** @param {string} path */
function kindOf(path) {
  const ending = answersEndingOf(path);
  return ending === undefined ? undefined : KINDS[ending];
}

/** @param {Uint8Array} bytes @param {string} path @returns {Row[]} */
function readFile(bytes, path) {
  const kind = kindOf(path);
  if (!kind || bytes.length > kind.most) throw tooLarge();
  return kind.read(decoded(bytes), path);
}

/** @param {Uint8Array} bytes @returns {string} */
function decoded(bytes) {
  const [first, second] = bytes;
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const encoding = !isWide ? 'utf-8' : first === 0xff ? 'utf-16le' : 'utf-16be';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Trouble('answers-damaged', 'This file is no text in UTF-8.', { cause });
  }
}

/** `photo.jpg.xmp`, and Adobe's `photo.xmp`. @param {string} text @param {string} path @returns {Row[]} */
function readSidecar(text, path) {
  const sidecar = new File([text], path.slice(path.lastIndexOf('/') + 1));
  return [{ ...namedBy(path), ...readXmp(text), sidecar }];
}

/** Rows of sidecars, with where those lie. @param {Row[]} rows @param {string | undefined} path of their file, where it has one */
function lying(rows, path) {
  return path === undefined || folderOf(path) === ''
    ? rows
    : rows.map((row) => (row.sidecar ? { ...row, lies: path } : row));
}

/** `photo.txt`. @param {string} text @param {string} path @returns {Row[]} */
function readTextBeside(text, path) {
  return [{ ...namedBy(path), tags: [], hierarchy: [], caption: '', text: text.trim() }];
}

/** @param {string} path of a file that is called as its picture is */
function namedBy(path) {
  const named = stemOf(path);
  return { path: named, exact: isPicturePath(named) };
}

/** @param {string} text @returns {Row[]} */
function readCsv(text) {
  const [head = [], ...lines] = readTable(text);
  const columns = head.map((name) => name.trim().toLowerCase());
  const [picture = -1, tags = -1, caption = -1, rejected = -1, hierarchy = -1] = [
    'picture',
    'tags',
    'caption',
    'rejected',
    'hierarchy',
  ].map((name) => columns.indexOf(name));
  const listed = (/** @type {string} */ cell) =>
    cell
      .split(';')
      .map((tag) => tag.trim())
      .filter(Boolean);
  if (picture < 0 || (tags < 0 && caption < 0)) {
    throw new Trouble('answers-damaged', 'This table has no columns “picture”, “tags” and “caption”.');
  }
  return lines.map((cells) => ({
    path: cells[picture] ?? '',
    exact: true,
    tags: listed(cells[tags] ?? ''),
    ...(rejected >= 0 && { gone: listed(cells[rejected] ?? '') }),
    hierarchy: listed(cells[hierarchy] ?? ''),
    caption: (cells[caption] ?? '').trim(),
  }));
}

/** @param {string} text @returns {Row[]} */
function readJson(text) {
  let list;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw new Trouble('answers-damaged', 'This file is no JSON.', { cause });
  }
  if (!Array.isArray(list) || !list.every((one) => typeof one?.picture === 'string')) {
    throw new Trouble('answers-damaged', 'This file is no list of pictures.');
  }
  const texts = (/** @type {unknown} */ tags) =>
    Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string' && tag.trim() !== '') : [];
  return list.map(({ picture, tags, own, gone, hierarchy, caption }) => ({
    path: picture,
    exact: true,
    tags: texts(tags),
    ...(Array.isArray(own) && { own: texts(own) }),
    ...(Array.isArray(gone) && { gone: texts(gone) }),
    hierarchy: texts(hierarchy),
    caption: typeof caption === 'string' ? caption : '',
  }));
}

/** @param {Row} row */
function saysSomething({
  path,
  tags,
  own = [],
  gone = [],
  hierarchy,
  caption,
  alternative = '',
  text = '',
  sidecar,
}) {
  return (
    path !== '' &&
    (sidecar !== undefined ||
      [tags, own, gone, hierarchy].some(({ length }) => length > 0) ||
      [caption, alternative, text].some((one) => one !== ''))
  );
}

function unknownKind() {
  const sentence =
    'This kind of file is not read back in: sidecars, CSV, JSON, JSON Lines, HTML, Markdown, texts and zips of them are.';
  return new Trouble('answers-unknown', sentence);
}

function tooLarge() {
  return new Trouble('answers-too-large', 'This file is larger than keywords ever are.');
}

/** @param {unknown} error */
function sentenceOf(error) {
  return error instanceof Trouble ? error.message : 'This file could not be read.';
}
