/** `ocelli index`: a file of vectors, to be searched. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { Embedder } from '../../page/embedder.js';
import { Index } from '../../page/vector-index.js';
import { destinationOf, replaceFile } from '../destination.js';
import { EXIT, usage } from '../failure.js';
import { openIndexFile } from '../index-file.js';
import { lookForPictures, noPicture, rootOf, sentenceOfUndecoded } from '../inputs.js';
import { modelOf, openModel } from '../model.js';
import { loading } from '../progress.js';
import { amount, tell } from '../terminal.js';
import { work } from '../work.js';

/** @typedef {import('../options.js').Values} Values */
/** @typedef {import('../inputs.js').Picture} Picture */

const FORMATS = /** @type {const} */ (['safetensors', 'npy', 'parquet']);
/** Vectors that are added at once. */
const BATCH = 64;

/** @param {Values} values @param {string[]} names */
export async function index(values, names) {
  const out = values.out === undefined ? null : String(values.out);
  if (out === null) throw usage('Where is the index? Give --out FILE.');
  const format = formatOf(values.export);
  if (names.length === 0 && !format) throw usage('Which pictures? Give files, folders, a glob or -.');
  const { kind, exists } = await destinationOf(out);
  if (kind !== 'file') throw usage(`An index is written to a file, and ${out} is none.`);
  const earlier = exists && values.force !== true ? out : null;
  if (earlier === null && names.length === 0) throw usage(`There is no index ${out} to be exported.`);
  const code = names.length > 0 ? await update(values, names, out, earlier) : EXIT.done;
  if (format && code !== EXIT.interrupted) await writeExport(out, String(values.export), format);
  return code;
}

/**
 * Brings an index to what the pictures are now: what is new or newer than it is embedded; what is gone of what is named, or lay
 * below, is removed. Other folders may only be out of reach, such as those of a disk.
 *
 * @param {Values} values @param {string[]} names @param {string} out @param {string | null} earlier
 */
async function update(values, names, out, earlier) {
  const { model, load } = modelOf(values, 'embed');
  const quiet = values.quiet === true;
  const found = await lookForPictures(names, process.stdin, values.null === true);
  const known = await stateOf(earlier);
  const gone = await missing([...known.ids].filter(within(names, found.pictures)));
  // A picture or a folder that is named, and was removed, is no failure.
  const removed = withFolders(gone);
  const pictures = found.pictures.filter((picture) => !removed.has(path.join(picture.path, '.')));
  // A folder that was emptied is as good as any other; one that no index knows of is more likely a mistake.
  const isFine = pictures.length > 0 || gone.length > 0 || (earlier !== null && (await areFolders(names)));
  if (!isFine) throw noPicture(names, found);
  const due = await changed(pictures, known);
  if (due.length === 0 && gone.length === 0) {
    tell(`${out} is up to date: ${amount(known.ids.size, 'picture')}.`);
    return EXIT.done;
  }
  // Where pictures are only removed, no model is needed.
  const embedder = due.length > 0 ? await openEmbedder(model, load, quiet) : null;
  const threads = load.threads === undefined ? {} : { threads: load.threads };
  const options = { ...threads, ...(embedder && { model: embedder }) };
  try {
    const opened = earlier === null ? await Index.create(options) : await openIndexFile(earlier, options);
    try {
      const code = embedder ? await embedAll(embedder, opened, due, quiet) : EXIT.done;
      const count = await opened.remove(gone);
      if (embedder) await withTexts(opened);
      await replaceFile(out, new Uint8Array(await (await opened.save()).arrayBuffer()));
      const { size } = await stat(out);
      const left = count > 0 ? `; ${count} ${count === 1 ? 'is' : 'are'} gone` : '';
      process.stdout.write(
        `${out}: ${amount(opened.size, 'picture')}, ${(size / 1e6).toFixed(1)} MB${left}\n`,
      );
      return code;
    } finally {
      opened.dispose();
    }
  } finally {
    embedder?.dispose();
    if (found.undecoded > 0) tell(sentenceOfUndecoded(found.undecoded));
  }
}

/** @param {string} model @param {import('../../page/model.js').LoadOptions} load @param {boolean} quiet */
async function openEmbedder(model, load, quiet) {
  const bar = loading({ quiet });
  const embedder = await openModel(model, () =>
    Embedder.load(model, { ...load, onProgress: bar.onProgress }),
  );
  bar.stop();
  return embedder;
}

/** @param {string | null} file @returns {Promise<{ ids: Set<string>, time: number }>} */
async function stateOf(file) {
  if (file === null) return { ids: new Set(), time: 0 };
  const opened = await openIndexFile(file, { threads: 1 });
  try {
    return { ids: new Set(await opened.ids()), time: (await stat(file)).mtimeMs };
  } finally {
    opened.dispose();
  }
}

/**
 * Tells of pictures whether they are among those that are named, or below what is named.
 *
 * @param {string[]} names as they were given
 * @param {readonly Picture[]} pictures that lists and globs name
 * @returns {(id: string) => boolean}
 */
function within(names, pictures) {
  const listed = new Set(pictures.map((picture) => path.resolve(picture.path)));
  const roots = names.filter((name) => name !== '-').map((name) => path.resolve(rootOf(name)));
  return (id) => {
    const place = path.resolve(id);
    return listed.has(place) || roots.some((root) => isWithin(root, place));
  };
}

/** @param {string} root @param {string} place both absolute */
function isWithin(root, place) {
  const way = path.relative(root, place);
  return !path.isAbsolute(way) && way.split(path.sep)[0] !== '..';
}

/** @param {string[]} ids */
async function missing(ids) {
  const gone = [];
  for (const id of ids) if (id !== '-' && !(await stat(id).catch(() => null))) gone.push(id);
  return gone;
}

/** The names of pictures and of all folders above them. @param {string[]} pictures */
function withFolders(pictures) {
  const all = new Set(pictures.map((name) => path.normalize(name)));
  for (let name of [...all]) {
    for (name = path.dirname(name); !all.has(name); name = path.dirname(name)) all.add(name);
  }
  return all;
}

/** @param {string[]} names */
async function areFolders(names) {
  const all = await Promise.all(names.map((name) => stat(name).catch(() => null)));
  return all.every((about) => about?.isDirectory());
}

/**
 * The pictures that the index has not, or that are newer than it is, as `make` sees it.
 *
 * @param {Picture[]} pictures
 * @param {{ ids: Set<string>, time: number }} known
 */
async function changed(pictures, { ids, time }) {
  const due = [];
  for (const picture of pictures) {
    const isKnown = ids.has(picture.path) && picture.bytes === undefined;
    const about = isKnown ? await stat(picture.path).catch(() => null) : null;
    if (!about || about.mtimeMs > time) due.push(picture);
  }
  return due;
}

/**
 * @param {Embedder} embedder @param {Index} opened @param {Picture[]} pictures @param {boolean} quiet
 * @returns {Promise<number>} an exit code
 */
async function embedAll(embedder, opened, pictures, quiet) {
  /** @type {{ id: string, vector: Float32Array }[]} */
  let batch = [];
  const flush = async () => {
    const full = batch;
    batch = [];
    await opened.addVectors(full);
  };
  const code = await work({
    pictures,
    jobs: 1,
    quiet,
    open: async () => ({ dispose() {} }),
    async ask(_, bytes, signal) {
      const [vector] = await embedder.embedImages([bytes], { signal });
      return { vector };
    },
    results: {
      known: new Map(),
      isWritten: () => false,
      async add({ path, answer }) {
        batch.push({ id: path, vector: /** @type {Float32Array} */ (answer.vector) });
        if (batch.length === BATCH) await flush();
      },
      onTerminal: false,
    },
    sidecar: null,
  });
  await flush();
  return code;
}

/** Puts the texts into the index that queries are compared with, where its model reads texts. @param {Index} opened */
async function withTexts(opened) {
  try {
    await opened.prepare();
  } catch (error) {
    // Of an image tower alone, as DINOv2's: it is searched by pictures.
    if (/** @type {{ code?: string }} */ (error).code !== 'argument-invalid') throw error;
  }
}

/** @param {unknown} file */
function formatOf(file) {
  if (file === undefined) return null;
  const format = FORMATS.find((one) => String(file).endsWith(`.${one}`));
  if (format) return format;
  throw usage(`--export ends with ${FORMATS.map((one) => `.${one}`).join(', ')}.`);
}

/** @param {string} file of an index @param {string} to @param {typeof FORMATS[number]} format */
async function writeExport(file, to, format) {
  const opened = await openIndexFile(file, { threads: 1 });
  try {
    const blob = await opened.export(format, format === 'parquet' ? { writer: { parquetWriteBuffer } } : {});
    await replaceFile(to, new Uint8Array(await blob.arrayBuffer()));
    if (format === 'npy') {
      const lines = (await opened.ids()).map((path) => `${JSON.stringify({ path })}\n`);
      await replaceFile(`${to}.names.jsonl`, lines.join(''));
    }
  } finally {
    opened.dispose();
  }
}
