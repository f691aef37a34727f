/**
 * What an index can be asked. It lives in a worker of its own, without a model: vectors come from the page.
 *
 * @typedef {import('../handles.js').IndexHandle} IndexHandle
 * @typedef {import('../handles.js').HitsHandle} HitsHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../../cache/index-store.js').IndexStore} IndexStore
 * @typedef {import('../../shared/protocol.js').Hits} Hits
 * @typedef {import('../../shared/protocol.js').IndexFilter} IndexFilter
 * @typedef {import('../../shared/protocol.js').IndexModel} IndexModel
 * @typedef {import('../../shared/protocol.js').IndexSource} IndexSource
 * @typedef {import('../../shared/protocol.js').IndexState} IndexState
 * @typedef {import('../../shared/protocol.js').Operations} Operations
 * @typedef {import('../../shared/protocol.js').Step} Step
 */

import { codeOf, errorFor } from '../../shared/errors.js';
import { release } from './release.js';

/** Bytes of a file that are read between two looks at the messages. */
const PIECE = 4 << 20;
/** Numbers of vectors that go to the page at once. */
const NUMBERS = 1 << 20;
/** Behind the last row of a group. */
const END = 0xffffffff;

/** An index, empty until the first vectors come. */
export class VectorIndexOperations {
  #wasm;
  #model;
  #openStore;
  /** @type {IndexHandle | null} as wide as its first vectors, so absent before they come */
  #handle = null;
  /** Changes with every row. */
  #version = 0;

  /**
   * @param {Wasm} wasm
   * @param {IndexModel} model
   * @param {() => Promise<IndexStore | null>} openStore
   */
  constructor(wasm, model, openStore) {
    this.#wasm = wasm;
    this.#model = model;
    this.#openStore = openStore;
  }

  /**
   * Reads a file, or what is kept under a name.
   *
   * @param {IndexSource} source
   * @returns {AsyncGenerator<Step, void, void>}
   */
  async *read(source) {
    if (source.kind === 'blob') {
      yield* this.#readChunks(piecesOf(source.blob), source.blob.size);
      return;
    }
    const candidates = (await (await this.#openStore())?.find(source.name)) ?? [];
    /** @type {unknown} */
    let damage = errorFor('index-missing', `No index is kept here under the name "${source.name}".`);
    for (const { size, chunks } of candidates) {
      try {
        yield* this.#readChunks(chunks(), size);
        return;
      } catch (error) {
        // What was written halfway lies over an older one that is whole.
        if (codeOf(error) !== 'index-invalid') throw error;
        damage = error;
      }
    }
    throw damage;
  }

  /**
   * What can be asked, as the engine runs it.
   *
   * @returns {Record<string, (params: any) => AsyncGenerator<Step, any, void>>}
   */
  get operations() {
    return {
      add: inOneStep((given) => this.add(given)),
      remove: inOneStep((given) => this.remove(given)),
      background: inOneStep((given) => this.background(given)),
      ids: inOneStep(() => this.ids()),
      has: inOneStep((given) => this.has(given)),
      vectors: inOneStep((given) => this.vectors(given)),
      rows: inOneStep((given) => this.rows(given)),
      search: inOneStep((given) => this.search(given)),
      diverse: inOneStep((given) => this.diverse(given)),
      duplicates: (given) => this.duplicates(given),
      file: inOneStep(() => this.file()),
      keep: inOneStep((given) => this.keep(given)),
    };
  }

  /** @returns {IndexState} */
  get state() {
    const handle = this.#handle;
    return {
      model: this.#model,
      width: handle?.width ?? null,
      size: handle?.size ?? 0,
      memory: handle?.memory ?? 0,
      hasBackground: handle?.hasBackground ?? false,
      version: this.#version,
    };
  }

  /** @param {Operations['add']['params']} given @returns {IndexState} */
  add({ ids, vectors, width }) {
    const handle = this.#handle ?? this.#create(width);
    handle.add(ids, vectors);
    this.#changed(handle);
    return this.state;
  }

  /** @param {Operations['remove']['params']} given @returns {Operations['remove']['answer']} */
  remove({ ids }) {
    const removed = this.#handle?.remove(ids) ?? 0;
    if (this.#handle && removed > 0) this.#changed(this.#handle);
    return { removed, state: this.state };
  }

  /** @param {Operations['background']['params']} given @returns {IndexState} */
  background({ vectors, width }) {
    const handle = this.#handle ?? this.#create(width);
    handle.setBackground(vectors);
    this.#handle = handle;
    return this.state;
  }

  /** @returns {Operations['ids']['answer']} */
  ids() {
    return { ids: this.#handle?.ids() ?? [], version: this.#version };
  }

  /** @param {Operations['has']['params']} given @returns {boolean[]} */
  has({ ids }) {
    return ids.map((id) => this.#handle?.row(id) !== undefined);
  }

  /** @param {Operations['vectors']['params']} given @returns {Float32Array} */
  vectors({ ids }) {
    const handle = this.#handle;
    const rows = ids.map((id) => {
      const row = handle?.row(id);
      if (row !== undefined) return row;
      throw errorFor('argument-invalid', `There is no vector under the id "${id}".`);
    });
    const width = handle?.width ?? 0;
    const all = new Float32Array(rows.length * width);
    rows.forEach((row, place) => all.set(handle?.vectors(row, 1) ?? [], place * width));
    return all;
  }

  /** @param {Operations['rows']['params']} given @returns {Operations['rows']['answer']} */
  rows({ begin, version }) {
    if (!this.#handle || version !== this.#version) return null;
    return this.#handle.vectors(begin, Math.max(1, Math.floor(NUMBERS / this.#handle.width)));
  }

  /** @param {Operations['search']['params']} given @returns {Hits | null} */
  search({ query, topK, filter, standard }) {
    if (!this.#handle) return { ids: [], scores: new Float32Array(), standard: new Float32Array() };
    if (this.#isStale(filter)) return null;
    return this.#hits(this.#handle.search(query, topK, this.#bits(filter), standard));
  }

  /** @param {Operations['diverse']['params']} given @returns {Hits | null} */
  diverse({ count, query, lambda, among, filter }) {
    if (!this.#handle) return { ids: [], scores: new Float32Array(), standard: new Float32Array() };
    if (this.#isStale(filter)) return null;
    const bits = this.#bits(filter);
    return this.#hits(this.#handle.diverse(count, query ?? undefined, lambda, among, bits));
  }

  /** @param {Operations['duplicates']['params']} given @returns {AsyncGenerator<Step, string[][] | null, void>} */
  async *duplicates({ threshold, burst }) {
    const handle = this.#handle;
    if (!handle) return [];
    if (burst && burst.version !== this.#version) return null;
    const total = handle.size;
    const scan = handle.beginGroups(threshold, burst?.times, burst?.within ?? 0);
    try {
      for (let left = handle.stepGroups(scan); ; left = handle.stepGroups(scan)) {
        yield { progress: { phase: 'vectors', file: null, loaded: total - left, total } };
        if (left === 0) break;
      }
      return groupsOf(scan.groups(), (row) => handle.id(row));
    } finally {
      release(scan);
    }
  }

  /** The file, in pieces. @returns {Uint8Array[]} */
  file() {
    /** @type {Uint8Array[]} */
    const pieces = [];
    this.#written().write((piece) => void pieces.push(piece));
    return pieces;
  }

  /** Keeps the index under a name. @param {Operations['keep']['params']} given @returns {Promise<void>} */
  async keep({ name }) {
    const handle = this.#written();
    const store = await this.#openStore();
    if (!store) throw errorFor('index-missing', 'Nothing can be kept here: there is no storage for it.');
    const writer = await store.writer(name);
    try {
      handle.write((piece) => writer.write(piece));
      await writer.commit();
    } catch (cause) {
      await writer.abandon();
      const sentence = `The index could not be kept under the name "${name}": the storage may be full.`;
      throw errorFor('index-full', sentence, { cause });
    }
  }

  /** @param {AsyncIterable<Uint8Array>} chunks @param {number} total @returns {AsyncGenerator<Step, void, void>} */
  async *#readChunks(chunks, total) {
    const reader = new this.#wasm.IndexReader();
    let loaded = 0;
    try {
      for await (const chunk of chunks) {
        reader.push(chunk);
        loaded += chunk.length;
        yield { progress: { phase: 'cache', file: null, loaded, total } };
      }
    } catch (error) {
      release(reader);
      throw error;
    }
    this.#handle = this.#wasm.IndexHandle.read(reader);
    const [id = '', revision = '', dtype = ''] = this.#handle.model();
    this.#model = { id, revision, dtype: /** @type {IndexModel['dtype']} */ (dtype) };
  }

  /** @param {number} width */
  #create(width) {
    const { id, revision, dtype } = this.#model;
    return this.#wasm.IndexHandle.create(id, revision, dtype, width);
  }

  /** @param {IndexHandle} handle */
  #changed(handle) {
    this.#handle = handle;
    this.#version += 1;
  }

  #written() {
    if (this.#handle) return this.#handle;
    throw errorFor('argument-invalid', 'The index is empty: there is nothing to write yet.');
  }

  /** Whether a filter was made for rows that have changed since. @param {IndexFilter | null} filter */
  #isStale(filter) {
    return filter !== null && 'bits' in filter && filter.version !== this.#version;
  }

  /** @param {IndexFilter | null} filter */
  #bits(filter) {
    if (filter === null) return undefined;
    return 'bits' in filter ? filter.bits : this.#handle?.bits(filter.ids);
  }

  /** @param {HitsHandle} hits consumed @returns {Hits} */
  #hits(hits) {
    try {
      const ids = [...hits.rows()].map((row) => this.#handle?.id(row) ?? '');
      return { ids, scores: hits.scores(), standard: hits.standard() };
    } finally {
      release(hits);
    }
  }
}

/**
 * An operation that is over before messages could be read.
 *
 * @template P, A
 * @param {(params: P) => A} ask
 * @returns {(params: P) => AsyncGenerator<Step, A, void>}
 */
function inOneStep(ask) {
  // eslint-disable-next-line require-yield -- there is nothing between its steps
  return async function* run(params) {
    return ask(params);
  };
}

/**
 * @param {Uint32Array} rows of groups, each with `END` behind it
 * @param {(row: number) => string} idOf
 */
function groupsOf(rows, idOf) {
  /** @type {string[][]} */
  const groups = [];
  /** @type {string[]} */
  let group = [];
  for (const row of rows) {
    if (row !== END) {
      group.push(idOf(row));
      continue;
    }
    groups.push(group);
    group = [];
  }
  return groups;
}

/** @param {Blob} blob @returns {AsyncGenerator<Uint8Array, void, void>} */
async function* piecesOf(blob) {
  for (let at = 0; at < blob.size; at += PIECE) {
    yield new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer());
  }
}
