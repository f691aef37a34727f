/**
 * The files behind a drop or a choice of a folder: with folders, all that lies below them, also when they are opened again.
 *
 * @typedef {object} Gathered
 * @property {File[]} pictures in the order of their folders and names
 * @property {File[]} answers what says something of them: sidecars, and what was saved here; of files that were given by themselves, whatever may
 * @property {number} others files within folders that are neither, by what they are called
 */

import { isAnswersPath } from './files/paths.js';
import { isRaw, previewOf } from './raw.js';

/** What pictures are called that browsers may not know the type of. */
const PICTURE = /\.(jpe?g|jfif|png|webp|gif|bmp|tiff?|avif|heic|heif|svg|jxl)$/i;
/** Folders below each other, and files in all: what is beyond is some mistake. */
const DEEPEST = 64;
const MOST = 200_000;
/** Files of a folder that are opened at a time. */
const TOGETHER = 32;

/** Where files that came with their folders lay. @type {WeakMap<Blob, string>} */
const paths = new WeakMap();

/** @param {Blob} file @returns {string | undefined} its path below what was dropped or picked, where it came so */
export function pathOf(file) {
  return paths.get(file) ?? ((file instanceof File && file.webkitRelativePath) || undefined);
}

/** Tells where a file lay that came without its folders. @param {Blob} file @param {string} path */
export function placeAt(file, path) {
  paths.set(file, path);
}

/**
 * What is looked at of files: of raw ones the JPEG in them, under their names. Those without stay what they are, and say so.
 * @param {readonly File[]} files
 * @returns {Promise<Blob[]>}
 */
export async function developed(files) {
  /** @type {Blob[]} */
  const all = [];
  for (const file of files) {
    const preview = isRaw(file) ? await previewOf(file).catch(() => null) : null;
    if (preview) paths.set(preview, pathOf(file) ?? file.name);
    all.push(preview ?? file);
  }
  return all;
}

const byName = new Intl.Collator(undefined, { numeric: true });

/**
 * Whether a file is taken for a picture.
 * @param {File} file
 */
function isPicture({ type, name }) {
  return type.startsWith('image/') || PICTURE.test(name) || isRaw({ name });
}

/**
 * What was dropped. Call it before anything is awaited: a drop is gone then.
 *
 * @param {DataTransfer} transfer
 * @param {(found: number) => void} told how many pictures have been found so far
 * @returns {Promise<Gathered>}
 */
export async function gatherDropped(transfer, told) {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  // Files that were made, or come from some program, are no entries of a file system.
  if (!entries.some((entry) => entry?.isDirectory)) return gatherFiles(transfer.files);
  /** @type {Gathered} */
  const gathered = { pictures: [], answers: [], others: 0 };
  for (const entry of entries) {
    if (entry) await gatherEntry(entry, gathered, told, 0);
  }
  return gathered;
}

/**
 * The files of a folder that was picked.
 *
 * @param {Iterable<File>} files with their paths
 * @returns {Gathered}
 */
export function gatherPicked(files) {
  /** @type {Gathered} */
  const gathered = { pictures: [], answers: [], others: 0 };
  for (const file of [...files].slice(0, MOST)) sort(gathered, file, false);
  gathered.pictures.sort((a, b) => byName.compare(a.webkitRelativePath, b.webkitRelativePath));
  return gathered;
}

/**
 * The files of a folder that was picked with leave to open it again.
 *
 * @param {FileSystemDirectoryHandle} folder
 * @param {(found: number) => void} told how many pictures have been found so far
 * @returns {Promise<Gathered>}
 */
export async function gatherFolder(folder, told) {
  /** @type {Gathered} */
  const gathered = { pictures: [], answers: [], others: 0 };
  await gatherHandle(folder, folder.name, gathered, told, 0);
  return gathered;
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} path
 * @param {Gathered} gathered
 * @param {(found: number) => void} told
 * @param {number} depth
 */
async function gatherHandle(folder, path, gathered, told, depth) {
  /** @type {(FileSystemFileHandle | FileSystemDirectoryHandle)[]} */
  const entries = [];
  for await (const entry of folder.values()) entries.push(entry);
  entries.sort((a, b) => byName.compare(a.name, b.name));
  /** @type {Promise<File | null>[]} */
  let files = [];
  for (const [i, entry] of entries.entries()) {
    if (gathered.pictures.length + gathered.others >= MOST) return;
    if (i % TOGETHER === 0) {
      const some = entries.slice(i, i + TOGETHER);
      files = some.map(async (one) => (one.kind === 'file' ? one.getFile().catch(() => null) : null));
    }
    if (entry.kind === 'directory') {
      if (depth >= DEEPEST) continue;
      // Of a folder that cannot be read, the others can.
      await gatherHandle(entry, `${path}/${entry.name}`, gathered, told, depth + 1).catch(() => {});
      continue;
    }
    const file = await files[i % TOGETHER];
    if (file) {
      paths.set(file, `${path}/${file.name}`);
      sort(gathered, file, false);
    } else gathered.others += 1;
    told(gathered.pictures.length);
  }
}

/** Of a folder: sidecars, files as they are saved here, and texts that are called as a picture is. */
const ANSWERS =
  /\.xmp$|^ocelli[^/]*\.(csv|json|html|md|zip)$|\.(jpe?g|png|webp|gif|bmp|tiff?|avif|heic|heif)\.txt$/i;

/** Puts a file where it belongs. @param {Gathered} gathered @param {File} file @param {boolean} alone whether it was given by itself */
function sort(gathered, file, alone) {
  if (isHidden(file.name) && !alone) gathered.others += 1;
  else if (alone ? mayAnswer(file) : ANSWERS.test(file.name)) gathered.answers.push(file);
  // What was given by itself is meant, whatever it is called.
  else if (alone || isPicture(file)) gathered.pictures.push(file);
  else gathered.others += 1;
}

/** Whether a file may say something of pictures, under whatever name it was saved. @param {File} file */
function mayAnswer({ type, name }) {
  return isAnswersPath(name) && !type.startsWith('image/');
}

/** Files that were given by themselves. @param {Iterable<File>} files @returns {Gathered} */
export function gatherFiles(files) {
  /** @type {Gathered} */
  const gathered = { pictures: [], answers: [], others: 0 };
  for (const file of files) sort(gathered, file, true);
  return gathered;
}

/** Files that systems and programs keep for themselves. @param {string} name */
function isHidden(name) {
  return name.startsWith('.');
}

/**
 * @param {FileSystemEntry} entry
 * @param {Gathered} gathered
 * @param {(found: number) => void} told
 * @param {number} depth
 */
async function gatherEntry(entry, gathered, told, depth) {
  if (gathered.pictures.length + gathered.others >= MOST) return;
  if (entry.isDirectory) {
    if (depth >= DEEPEST) return;
    const entries = await entriesOf(/** @type {FileSystemDirectoryEntry} */ (entry));
    entries.sort((a, b) => byName.compare(a.name, b.name));
    for (const one of entries) await gatherEntry(one, gathered, told, depth + 1);
    return;
  }
  const file = await fileOf(/** @type {FileSystemFileEntry} */ (entry));
  if (!file) {
    gathered.others += 1;
    return;
  }
  paths.set(file, entry.fullPath.replace(/^\//, ''));
  sort(gathered, file, depth === 0);
  told(gathered.pictures.length);
}

/**
 * What lies in a folder; as much of it as can be read.
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function entriesOf(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File | null>} null where it cannot be read
 */
function fileOf(entry) {
  return new Promise((resolve) => entry.file(resolve, () => resolve(null)));
}
