/**
 * Searches of many vectors: ocelli's, a plain read of as many bytes, and peers from npm. Each runs in a worker of its own, over the
 * same seeded vectors.
 */

import { serve } from './worker.js';

/** Vectors that are made and added at once. */
const BATCH = 1000;
/** Vectors around one middle, as pictures of one occasion are. */
const CLUSTER = 500;

/** Numbers from -1 to 1. @param {number} seed */
function random(seed) {
  let state = (seed * 0x9e3779b9) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x80000000 - 1;
  };
}

/** @param {Float32Array} vector */
function normalise(vector) {
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
}

/** A vector of length 1, near the middle of its cluster. @param {number} place @param {number} width */
function vectorAt(place, width) {
  const middle = random(1 + Math.floor(place / CLUSTER));
  const own = random(1_000_003 + place);
  return normalise(Float32Array.from({ length: width }, () => middle() + 0.7 * own()));
}

/** @param {number} count @param {number} width */
function* batches(count, width) {
  for (let begin = 0; begin < count; begin += BATCH) {
    const length = Math.min(BATCH, count - begin);
    yield { begin, vectors: Array.from({ length }, (_, i) => vectorAt(begin + i, width)) };
  }
}

/** @param {Float32Array[]} vectors @param {number} width */
function flat(vectors, width) {
  const all = new Float32Array(vectors.length * width);
  vectors.forEach((vector, row) => all.set(vector, row * width));
  return all;
}

/** A bit for each number. @param {Float32Array} vector */
function signs(vector) {
  const bits = new Uint8Array(Math.ceil(vector.length / 8));
  vector.forEach((x, i) => {
    if (x > 0) bits[i >> 3] |= 1 << (i & 7);
  });
  return bits;
}

/** A query is a vector near to one that there is. @param {number} number @param {number} count @param {number} width */
function queryAt(number, count, width) {
  const near = vectorAt((number * 7919) % count, width);
  const own = random(2_000_003 + number);
  return normalise(near.map((x) => x + (0.3 * own()) / Math.sqrt(width)));
}

/**
 * @typedef {object} Search
 * @property {(query: Float32Array, top: number) => number[]} find places, the nearest first
 * @property {() => number} memory bytes
 */

/** @type {Record<string, (given: { count: number, width: number, read: number[] }) => Promise<Search>>} */
const BUILD = {
  /** All in float32, compared one by one: what is right. */
  async exact({ count, width }) {
    const all = new Float32Array(count * width);
    for (const { begin, vectors } of batches(count, width)) all.set(flat(vectors, width), begin * width);
    return {
      find(query, top) {
        const scores = Array.from({ length: count }, (_, row) => {
          let sum = 0;
          for (let i = 0; i < width; i++) sum += all[row * width + i] * query[i];
          return [row, sum];
        });
        scores.sort((a, b) => b[1] - a[1]);
        return scores.slice(0, top).map(([row]) => row);
      },
      memory: () => all.byteLength,
    };
  },

  async ocelli({ count, width }) {
    const wasm = await import('/pkg/wasm/relaxed.js');
    const { memory } = await wasm.default();
    const before = memory.buffer.byteLength;
    const index = wasm.IndexHandle.create('bench', '', 'int8', width);
    for (const { begin, vectors } of batches(count, width)) {
      index.add(
        vectors.map((_, i) => String(begin + i)),
        flat(vectors, width),
      );
    }
    const ids = index.ids().map(Number);
    return {
      find(query, top) {
        const hits = index.search(query, top, undefined, false);
        const rows = [...hits.rows()].map((row) => ids[row]);
        hits.free();
        return rows;
      },
      memory: () => memory.buffer.byteLength - before,
    };
  },

  /** What any search must do at least: each byte is read once, and added up. */
  async read({ count, width, read }) {
    const { instance } = await WebAssembly.instantiate(new Uint8Array(read));
    const { memory, sum } = /** @type {any} */ (instance.exports);
    const bytes = count * width;
    memory.grow(Math.ceil(bytes / 65_536));
    new Uint8Array(memory.buffer).fill(1);
    return { find: () => [sum(0, bytes)], memory: () => bytes };
  },

  async edgevec({ count, width }) {
    const edgevec = await import('/peers/edgevec/edgevec.js');
    const { memory } = await edgevec.default();
    const before = memory.buffer.byteLength;
    const config = new edgevec.EdgeVecConfig(width);
    // Its flat index takes bits alone: the signs of the numbers.
    config.indexType = edgevec.JsIndexType.Flat;
    config.metric = 'hamming';
    const index = new edgevec.EdgeVec(config);
    const places = new Map();
    for (const { begin, vectors } of batches(count, width)) {
      vectors.forEach((vector, i) => places.set(index.insertBinary(signs(vector)), begin + i));
    }
    return {
      find: (query, top) => index.searchBinary(signs(query), top).map(({ id }) => places.get(id)),
      memory: () => memory.buffer.byteLength - before,
    };
  },

  async voy({ count, width }) {
    // Its script is for bundlers: they would give it the wasm.
    const glue = await import('/peers/voy-search/voy_search_bg.js');
    const imports = { './voy_search_bg.js': glue };
    const { instance } = await WebAssembly.instantiateStreaming(
      fetch('/peers/voy-search/voy_search_bg.wasm'),
      imports,
    );
    glue.__wbg_set_wasm(instance.exports);
    const memory = /** @type {any} */ (instance.exports.memory);
    const before = memory.buffer.byteLength;
    const index = new glue.Voy();
    for (const { begin, vectors } of batches(count, width)) {
      const embeddings = vectors.map((vector, i) => {
        const id = String(begin + i);
        return { id, title: id, url: id, embeddings: [...vector] };
      });
      index.add({ embeddings });
    }
    return {
      find: (query, top) => index.search(query, top).neighbors.map(({ id }) => Number(id)),
      memory: () => memory.buffer.byteLength - before,
    };
  },

  async hnswlib({ count, width }) {
    const memories = watchMemories();
    const { loadHnswlib } = await import('/peers/hnswlib-wasm/dist/hnswlib.js');
    const library = await loadHnswlib();
    const size = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    const index = new library.HierarchicalNSW('ip', width, '');
    index.initIndex(count, 16, 200, 100);
    index.setEfSearch(100);
    for (const { begin, vectors } of batches(count, width)) {
      index.addPoints(
        vectors,
        vectors.map((_, i) => begin + i),
        false,
      );
    }
    return {
      find: (query, top) => [...index.searchKnn(query, top, undefined).neighbors],
      // It begins with more than little needs.
      memory: size,
    };
  },
};

/** The memories of modules that are made from now on: not every library shows its own. @returns {WebAssembly.Memory[]} */
function watchMemories() {
  /** @type {WebAssembly.Memory[]} */
  const memories = [];
  for (const name of /** @type {const} */ (['instantiate', 'instantiateStreaming'])) {
    const original = /** @type {any} */ (WebAssembly[name]);
    /** @type {any} */ (WebAssembly)[name] = async (/** @type {any[]} */ ...given) => {
      const made = await original.apply(WebAssembly, given);
      const { exports } = made.instance ?? made;
      memories.push(...Object.values(exports).filter((one) => one instanceof WebAssembly.Memory));
      return made;
    };
  }
  return memories;
}

/** @type {Search} */
let search;
/** @type {Float32Array[]} */
let queries = [];

serve({
  /** @param {any} given */
  async build({ who, count, width, queryCount, read }) {
    search = await BUILD[who]({ count, width, read });
    queries = Array.from({ length: queryCount }, (_, number) => queryAt(number, count, width));
  },
  /** All queries, one after the other. @param {any} given */
  find: ({ top }) => queries.map((query) => search.find(query, top)),
  memory: () => search.memory(),
});
