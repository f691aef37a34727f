/**
 * Indexes kept under names: each a file, written beside the one before it, which goes only when the new one is whole. A file
 * tells by its own checksum whether it is.
 *
 * @typedef {object} Candidate a file under a name
 * @property {number} size in bytes
 * @property {() => AsyncGenerator<Uint8Array, void, void>} chunks
 *
 * @typedef {object} IndexWriter
 * @property {(bytes: Uint8Array) => void} write the next bytes, at once
 * @property {() => Promise<void>} commit puts the file in the place of those before it
 * @property {() => Promise<void>} abandon leaves those; never rejects
 *
 * @typedef {object} IndexStore
 * @property {(name: string) => Promise<Candidate[]>} find the newest first; several where one was not written to its end
 * @property {(name: string) => Promise<IndexWriter>} writer
 * @property {() => Promise<string[]>} list names
 * @property {(name: string) => Promise<void>} remove
 *
 * @typedef {object} Files a folder, as far as a store needs one
 * @property {() => Promise<string[]>} names
 * @property {(file: string) => Promise<Candidate>} open
 * @property {(file: string) => Promise<{ write: (bytes: Uint8Array) => void, close: () => Promise<void> }>} create
 * @property {(file: string) => Promise<void>} remove
 */

import { platform } from '../shared/platform.js';

const FOLDER = 'ocelli-indexes';
/** Bytes that are read at once. */
const PIECE = 4 << 20;

/** The storage of this browser, or null where there is none. @returns {Promise<IndexStore | null>} */
export async function openIndexStore() {
  const files = await (platform.openIndexes ?? opfsFiles)();
  return files && storeIn(files);
}

/**
 * Files are called by the name and by a number that grows.
 *
 * @param {Files} files
 * @returns {IndexStore}
 */
export function storeIn(files) {
  /** @param {string} [name] @returns {Promise<{ name: string, file: string, number: number }[]>} the newest first */
  async function entries(name) {
    const found = (await files.names()).flatMap((file) => {
      const [, encoded = '', number = ''] = /^(.+)\.(\d+)\.ocelli$/.exec(file) ?? [];
      return number === '' ? [] : [{ name: decode(encoded), file, number: Number(number) }];
    });
    const wanted = name === undefined ? found : found.filter((entry) => entry.name === name);
    return wanted.sort((a, b) => b.number - a.number);
  }

  return {
    async find(name) {
      return Promise.all((await entries(name)).map(({ file }) => files.open(file)));
    },
    async writer(name) {
      const before = await entries(name);
      const file = `${encode(name)}.${(before[0]?.number ?? 0) + 1}.ocelli`;
      const out = await files.create(file);
      let open = true;
      const close = async () => {
        if (open) await out.close();
        open = false;
      };
      return {
        write: (bytes) => out.write(bytes),
        async commit() {
          await close();
          for (const older of before) await files.remove(older.file).catch(() => {});
        },
        async abandon() {
          await close().catch(() => {});
          await files.remove(file).catch(() => {});
        },
      };
    },
    async list() {
      return [...new Set((await entries()).map(({ name }) => name))].sort();
    },
    async remove(name) {
      for (const { file } of await entries(name)) await files.remove(file);
    },
  };
}

/** A name as every file system takes it. @param {string} name */
function encode(name) {
  return encodeURIComponent(name).replaceAll('*', '%2A');
}

/** @param {string} encoded */
function decode(encoded) {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/**
 * The origin private file system. Only workers can write there in every browser; reading and removing is everybody's.
 *
 * @returns {Promise<Files | null>}
 */
async function opfsFiles() {
  /** @type {any} */
  let folder;
  try {
    folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  } catch {
    // No such storage, or not for this page.
    return null;
  }
  return {
    async names() {
      const names = [];
      for await (const name of folder.keys()) names.push(name);
      return names;
    },
    async open(file) {
      const blob = await (await folder.getFileHandle(file)).getFile();
      return { size: blob.size, chunks: () => pieces(blob) };
    },
    async create(file) {
      const handle = await (await folder.getFileHandle(file, { create: true })).createSyncAccessHandle();
      let at = 0;
      handle.truncate(0);
      return {
        write(bytes) {
          // A full disk may take a part and report no error.
          if (handle.write(bytes, { at }) !== bytes.length) throw new Error('The storage is full.');
          at += bytes.length;
        },
        async close() {
          handle.flush();
          handle.close();
        },
      };
    },
    remove: (file) => folder.removeEntry(file),
  };
}

/** @param {Blob} blob @returns {AsyncGenerator<Uint8Array, void, void>} */
async function* pieces(blob) {
  for (let at = 0; at < blob.size; at += PIECE) {
    yield new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer());
  }
}
