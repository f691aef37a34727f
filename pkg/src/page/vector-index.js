/**
 * Many pictures, to be searched by text, by picture and by both; exact, and in memory.
 *
 * @typedef {import('./index-export.js').ParquetWriter} ParquetWriter
 * @typedef {import('./index-options.js').DiverseOptions} DiverseOptions
 * @typedef {import('./index-options.js').DuplicateOptions} DuplicateOptions
 * @typedef {import('./index-options.js').Hit} Hit
 * @typedef {import('./index-options.js').IndexCallOptions} IndexCallOptions
 * @typedef {import('./index-options.js').IndexFile} IndexFile
 * @typedef {import('./index-options.js').IndexOptions} IndexOptions
 * @typedef {import('./index-options.js').IndexedImage} IndexedImage
 * @typedef {import('./index-options.js').IndexedVector} IndexedVector
 * @typedef {import('./index-options.js').SearchOptions} SearchOptions
 * @typedef {import('./index-query.js').IndexQuery} IndexQuery
 * @typedef {import('./model-identity.js').ModelIdentity} ModelIdentity
 * @typedef {import('../shared/types.js').Runtime} Runtime
 */

import { openIndexStore } from '../cache/index-store.js';
import { wrong } from './arguments.js';
import { addPictures, addVectors } from './index-add.js';
import { CUTOFF, readBackground } from './index-background.js';
import { exported } from './index-export.js';
import { openIndex, sourceOf } from './index-open.js';
import { checkIds, checkItems, checkName, timeOf } from './index-options.js';
import { embedQuery } from './index-query.js';
import { allVectors, withFilter } from './index-rows.js';
import { IndexWorker } from './index-worker.js';
import { CALL, readOptions } from './options.js';

/** Of the best hits so many are looked at for picks that are near a query. */
const AMONG = 1000;

/**
 * Vectors of one model, each under an id of the caller's: int8, a hundred thousand of 512 numbers in less than 60 MB, all of them
 * compared with each query.
 *
 * @example
 * const index = await Index.create({ model: 'ocelli' });
 * await index.add(files.map((file) => ({ id: file.name, image: file })));
 * const [best] = await index.search('beach + sunset - people');
 */
export class Index {
  #worker;
  /** @type {import('./embedder.js').Embedder | null} */
  #embedder;
  #ownsEmbedder;

  /**
   * @private
   * @param {IndexWorker} worker
   * @param {import('./index-open.js').IndexReader} model
   */
  constructor(worker, { embedder, owned }) {
    if (!(worker instanceof IndexWorker)) {
      throw wrong(
        "An index comes from Index.create or Index.open, as in `await Index.create({ model: 'ocelli' })`.",
      );
    }
    this.#worker = worker;
    this.#embedder = embedder;
    this.#ownsEmbedder = owned;
  }

  /**
   * An empty index.
   *
   * @param {IndexOptions} [options]
   * @returns {Promise<Index>}
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`, and the codes of `Embedder.load` where `model` is a name
   */
  static async create(options = {}) {
    return openIndex(null, options, (worker, model) => new Index(worker, model));
  }

  /**
   * An index of a file, or of what is kept here under a name. A file that is damaged changes nothing.
   *
   * @param {IndexFile} file
   * @param {IndexOptions} [options]
   * @returns {Promise<Index>}
   * @throws {import('../shared/errors.js').IndexError} `index-invalid`: it is no index, or damaged; `index-mismatch`: its vectors are
   *   another model's; `index-missing`: there is none of that name; `index-full`: there is no memory for it
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`, `network`, `http-status`, `not-found`
   */
  static async open(file, options = {}) {
    return openIndex(
      await sourceOf(file, options.signal),
      options,
      (worker, model) => new Index(worker, model),
    );
  }

  /** The names of the indexes that are kept here. @returns {Promise<string[]>} */
  static async kept() {
    return (await (await openIndexStore())?.list()) ?? [];
  }

  /** Removes what is kept under a name; nothing where there is nothing. @param {string} name */
  static async forget(name) {
    await (await openIndexStore())?.remove(checkName(name));
  }

  /** How many vectors there are. */
  get size() {
    return this.#worker.state.size;
  }

  /** Numbers of a vector; null before the first. */
  get width() {
    return this.#worker.state.width;
  }

  /** Bytes that the vectors and their ids take in memory. */
  get memory() {
    return this.#worker.state.memory;
  }

  /** Which model made the vectors. @returns {Readonly<ModelIdentity>} */
  get model() {
    return this.#worker.state.model;
  }

  /** What the search runs on. @returns {Runtime} */
  get runtime() {
    return this.#worker.runtime;
  }

  /**
   * Adds pictures. What the index has under the same id is replaced. A picture that cannot be read is left out, and told of;
   * what was added before an error or an abort stays.
   *
   * @param {readonly IndexedImage[]} images
   * @param {IndexCallOptions} [options] `onProgress` is told of the phase `image`, in pictures
   * @returns {Promise<{ id: string, error: import('../shared/errors.js').ImageError }[]>} those that could not be read
   * @throws {import('../shared/errors.js').IndexError} `index-full`, `index-mismatch`
   * @throws {import('../shared/errors.js').AbortError} `aborted`
   * @throws {import('../shared/errors.js').WorkerError} `disposed`, `worker-failed`
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
   */
  async add(images, options = {}) {
    const { signal, onProgress } = readOptions(options, CALL);
    const items = checkItems(images, 'image');
    return addPictures(this.#worker, this.#reader('pictures'), items, { signal, onProgress });
  }

  /**
   * Adds vectors of the index's model, brought to length 1. What the index has under the same id is replaced. It is all of them
   * or, on an error, none.
   *
   * @param {readonly IndexedVector[]} vectors
   * @returns {Promise<void>}
   * @throws {import('../shared/errors.js').IndexError} `index-full`, `index-mismatch`: they are of another width
   * @throws {import('../shared/errors.js').WorkerError} `disposed`, `worker-failed`
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`: an id is empty or there twice, a vector is all zeros or
   *   not of numbers
   */
  async addVectors(vectors) {
    const items = checkItems(vectors, 'vector');
    if (items.length > 0) await addVectors(this.#worker, items);
  }

  /**
   * Removes vectors by their ids; those that are not there are passed over.
   *
   * @param {Iterable<string>} ids
   * @returns {Promise<number>} how many there were
   */
  async remove(ids) {
    const { removed, state } = await this.#worker.ask('remove', { ids: checkIds(ids) });
    this.#worker.hear(state);
    return removed;
  }

  /**
   * Reads the texts that queries are compared with, before the first query comes, which then need not wait for them.
   *
   * @param {{ signal?: AbortSignal | null }} [options]
   * @returns {Promise<void>}
   * @throws {import('../shared/errors.js').AbortError} `aborted`
   * @throws {import('../shared/errors.js').WorkerError} `disposed`, `worker-failed`
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`: the model reads no texts
   */
  async prepare(options = {}) {
    const { signal } = readOptions(options, ['signal']);
    this.#reader('texts');
    await readBackground(this.#worker, this.#embedder, signal);
  }

  /** All ids, in no order. @returns {Promise<string[]>} */
  async ids() {
    return [...(await this.#worker.rows()).ids];
  }

  /** Whether there is a vector under an id. @param {string} id @returns {Promise<boolean>} */
  async has(id) {
    const [found = false] = await this.#worker.ask('has', { ids: checkIds([id]) });
    return found;
  }

  /**
   * Vectors by their ids, as they are kept: in eight bits.
   *
   * @param {Iterable<string>} ids
   * @returns {Promise<Float32Array[]>}
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`: there is none under an id
   */
  async vectors(ids) {
    const wanted = checkIds(ids);
    const all = await this.#worker.ask('vectors', { ids: wanted });
    const width = all.length / Math.max(1, wanted.length);
    return wanted.map((_, place) => all.slice(place * width, (place + 1) * width));
  }

  /**
   * The nearest vectors, the nearest first; none where nothing fits a text.
   *
   * @param {IndexQuery} query
   * @param {SearchOptions} [options]
   * @returns {Promise<Hit[]>}
   * @throws {import('../shared/errors.js').ImageError} of a picture that cannot be read
   * @throws {import('../shared/errors.js').LabelError} `label-empty`, `label-too-long`
   * @throws {import('../shared/errors.js').IndexError} `index-mismatch`
   * @throws {import('../shared/errors.js').AbortError} `aborted`
   * @throws {import('../shared/errors.js').WorkerError} `disposed`, `worker-failed`
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
   */
  async search(query, options = {}) {
    const {
      topK = 20,
      filter,
      threshold,
      cutoff,
      signal,
    } = readOptions(options, ['topK', 'filter', 'threshold', 'cutoff', 'signal']);
    const { vector, isText } = await this.#embed(query, signal);
    const least = cutoff === undefined ? (isText ? CUTOFF : null) : cutoff;
    const standard = isText && (await readBackground(this.#worker, this.#embedder, signal));
    if (least !== null && !standard && cutoff !== undefined) {
      throw wrong('The option cutoff is for queries of texts, of a model that reads texts.');
    }
    const found = await withFilter(this.#worker, filter, (rows) =>
      this.#worker.ask('search', { query: vector, topK, filter: rows, standard }, { signal }),
    );
    /** @type {Hit[]} */
    const hits = found.ids.map((id, place) => ({
      id,
      score: found.scores[place] ?? 0,
      standardScore: standard ? (found.standard[place] ?? 0) : null,
    }));
    return hits.filter(
      ({ score, standardScore }) =>
        (threshold === undefined || score >= threshold) &&
        (least === null || standardScore === null || standardScore >= least),
    );
  }

  /**
   * Groups of pictures that are nearly the same: each is close to another of its group (single linkage). Every pair is looked at,
   * which takes a hundred thousand vectors a minute or so; with `times` only those of a burst.
   *
   * @param {DuplicateOptions} [options]
   * @returns {Promise<string[][]>} ids, two and more in each
   * @throws {import('../shared/errors.js').AbortError} `aborted`
   * @throws {import('../shared/errors.js').WorkerError} `disposed`, `worker-failed`
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
   */
  async duplicates(options = {}) {
    const read = readOptions(options, ['threshold', 'times', 'within', ...CALL]);
    const { threshold = 0.95, times, within = 10_000, signal, onProgress } = read;
    if (!times && read.within !== undefined) throw wrong('The option within needs times.');
    return this.#worker.withRows(({ ids, version }) => {
      const burst = times && { times: Float64Array.from(ids, (id) => timeOf(times(id))), within, version };
      return this.#worker.ask('duplicates', { threshold, burst: burst ?? null }, { signal, onProgress });
    });
  }

  /**
   * A few pictures that show how different all are (farthest-point traversal, Gonzalez 1985); with a query, of those near to it
   * (maximal marginal relevance, Carbonell and Goldstein 1998).
   *
   * @param {DiverseOptions} [options]
   * @returns {Promise<Pick<Hit, 'id' | 'score'>[]>} in the order in which they were picked. The score is the cosine with the query
   *   or, without one, with the pick before that is most alike
   * @throws {import('../shared/errors.js').AbortError} `aborted`
   * @throws {import('../shared/errors.js').WorkerError} `disposed`, `worker-failed`
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
   */
  async diverse(options = {}) {
    const read = readOptions(options, ['count', 'query', 'lambda', 'filter', 'signal']);
    const { count = 10, query, lambda = 0.5, filter, signal } = read;
    const wanted = query === undefined ? null : (await this.#embed(query, signal)).vector;
    const found = await withFilter(this.#worker, filter, (rows) =>
      this.#worker.ask('diverse', { count, query: wanted, lambda, among: AMONG, filter: rows }, { signal }),
    );
    return found.ids.map((id, place) => ({ id, score: found.scores[place] ?? 0 }));
  }

  /**
   * The index as a file, for `Index.open` and for `npx ocelli search`.
   *
   * @returns {Promise<Blob>}
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`: nothing was ever added
   */
  async save() {
    const pieces = await this.#worker.ask('file', {});
    return new Blob(/** @type {Uint8Array<ArrayBuffer>[]} */ (pieces), { type: 'application/octet-stream' });
  }

  /**
   * Keeps the index in this browser (in its origin private file system; in Node in a folder), for `Index.open({ name })`. What was
   * kept under the name before goes when the new one is whole.
   *
   * @param {string} name
   * @returns {Promise<void>}
   * @throws {import('../shared/errors.js').IndexError} `index-full`, `index-missing`: there is no storage
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
   */
  async keep(name) {
    await this.#worker.ask('keep', { name: checkName(name) });
  }

  /**
   * All vectors in f32, for other programs: `safetensors` (the tensor `embeddings`; the ids are JSON in the metadata `ids`), `npy`
   * (the vectors alone, in the order of `ids()`) or `parquet` (the columns `id` and `embedding`), written with npm's
   * `hyparquet-writer`, which is given as `writer`.
   *
   * @param {'safetensors' | 'npy' | 'parquet'} format
   * @param {{ writer?: ParquetWriter }} [options]
   * @returns {Promise<Blob>}
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
   * @example
   * import * as writer from 'hyparquet-writer';
   * const file = await index.export('parquet', { writer });
   */
  async export(format, options = {}) {
    const { writer } = readOptions(options, ['writer']);
    const { ids, parts } = await allVectors(this.#worker);
    const { id, revision, dtype } = this.model;
    const table = { ids, parts, width: this.width ?? 0, metadata: { model: id, revision, dtype } };
    return exported(table, format, writer);
  }

  /** Frees the memory, and ends the model where the index has loaded it. What was not saved is lost. */
  dispose() {
    this.#worker.dispose();
    if (this.#ownsEmbedder) this.#embedder?.dispose();
  }

  /** @param {IndexQuery} query @param {AbortSignal | null | undefined} signal */
  #embed(query, signal) {
    return this.#worker.reading(() =>
      embedQuery(query, {
        reader: (what) => this.#reader(what),
        vectors: (ids) => this.vectors(ids),
        width: this.width,
        signal: signal ?? null,
      }),
    );
  }

  /** What reads pictures or texts. @param {string} what */
  #reader(what) {
    this.#worker.assertOpen();
    if (this.#embedder) return this.#embedder;
    throw wrong(
      `The index has no model that reads ${what}: give one, as in Index.create({ model: 'ocelli' }) or Index.open(file, { model: 'ocelli' }).`,
    );
  }
}
