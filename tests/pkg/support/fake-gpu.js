// Models whose layers are one line, and a GPU that computes the same, or fails as it is told.

export const WIDTH = 4;
const ROWS = 3;
export const LAYERS = 2;

/** What a layer makes of a number. @param {number} x */
const layer = (x) => 2 * x + 1;

/** What a layer of texts sees of states. @param {Float32Array} states @param {number} i */
const seenBy = (states, i) => states.map((x, at) => Math.sin(x + i + at));

/** A model whose layers take a while, on its own or on a fake GPU. */
export class FakeModel {
  freed = 0;
  advanced = 0;

  /** @param {number} [pause] of each layer @param {{ layers: number, width: number }} [keyValues] what texts see of pictures */
  constructor(pause = 0, keyValues) {
    this.pause = pause;
    this.all = keyValues !== undefined;
    const freed = () => this.freed++;
    this.visionTower = {
      description: () => JSON.stringify({ width: WIDTH, layers: LAYERS, keyValues }),
      keyValues: (/** @type {any} */ look, /** @type {number} */ i) => seenBy(look.states, i),
      parameter: () => undefined,
      patches: (/** @type {any} */ look) => look.states,
      states: (/** @type {any} */ look) => look.states,
      wantsAll: (/** @type {any} */ look) => look.all,
      complete(
        /** @type {any} */ look,
        /** @type {Float32Array} */ states,
        /** @type {Float32Array[]} */ seen,
      ) {
        if (seen.length !== (keyValues?.layers ?? 0)) throw new Error('other keys were asked for');
        look.seen = seen;
        if (states.length !== (look.all ? ROWS : 1) * WIDTH) throw new Error('other states were asked for');
        look.states = states;
        look.byGpu = true;
      },
      free: freed,
    };
  }

  encodeImage() {
    const states = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => Math.sin(i + 1));
    return {
      states,
      all: this.all,
      kept: false,
      left: LAYERS,
      whole() {
        this.all = true;
      },
      keep() {
        this.kept = true;
      },
      free() {},
    };
  }

  /** @param {any} look */
  advance(look) {
    this.advanced++;
    const end = performance.now() + this.pause;
    while (performance.now() < end);
    look.states = look.states.map(layer);
    return --look.left;
  }
}

export const wasm = /** @type {any} */ ({
  Picture: { fromRgba: () => ({ free() {} }), decode: () => ({ free() {} }) },
});

/**
 * @typedef {object} TextRun texts that go through the fake
 * @property {number} number of the run, from 1 on
 * @property {string} rows
 * @property {Float32Array[]} states
 */

/** A number, so that a row is another one than its neighbours. @param {number} text @param {number} at */
const number = (text, at) => Math.sin(1 + 7 * text + 3 * at);

/** A text's rows, two to four of them. @param {number} text */
const rowsOf = (text) => Float32Array.from({ length: (2 + (text % 3)) * WIDTH }, (_, i) => number(text, i));

/** @param {Float32Array} states @param {number} [layers] */
const after = (states, layers = LAYERS) =>
  Array.from({ length: layers }).reduce((/** @type {Float32Array} */ x) => x.map(layer), states);

/** What stands for a text. @param {number} text */
const standsFor = (text) => after(rowsOf(text)).slice(-WIDTH);

/** @param {Float32Array[]} all */
const joined = (all) => Float32Array.from(all.flatMap((one) => [...one]));

/** A tagger's labels, each a number, and its text tower. */
export class FakeTexts {
  freed = 0;
  /** How many the wasm has read. */
  read = 0;

  constructor(pause = 5) {
    const part = (/** @type {any} */ batch, /** @type {number} */ first, /** @type {number} */ count) =>
      batch.texts.slice(first, first + count);
    this.textTower = {
      description: () => JSON.stringify({ width: WIDTH, layers: LAYERS, causal: true }),
      parameter: () => undefined,
      waiting: (/** @type {any} */ set) => set.waiting,
      next(/** @type {any} */ set, /** @type {number} */ limit) {
        const texts = set.next(limit);
        if (texts.length === 0) return undefined;
        const lengths = Uint32Array.from(texts, (/** @type {number} */ text) => 2 + (text % 3));
        return {
          texts,
          count: texts.length,
          length: Math.max(...lengths),
          lengths: () => lengths,
          ends: () => lengths.map((length) => length - 1),
          free() {},
        };
      },
      rows(/** @type {any} */ batch, /** @type {number} */ length) {
        const rows = new Float32Array(batch.count * length * WIDTH);
        for (const [i, text] of batch.texts.entries()) rows.set(rowsOf(text), i * length * WIDTH);
        return rows;
      },
      states: (
        /** @type {any} */ batch,
        /** @type {number} */ first,
        /** @type {number} */ count,
        /** @type {number} */ layers,
      ) => joined(part(batch, first, count).map((/** @type {number} */ text) => after(rowsOf(text), layers))),
      pooled(/** @type {any} */ batch, /** @type {number} */ first, /** @type {number} */ count) {
        const end = performance.now() + pause;
        while (performance.now() < end);
        return joined(part(batch, first, count).map(standsFor));
      },
      complete(/** @type {any} */ set, /** @type {any} */ batch, /** @type {Float32Array} */ states) {
        for (const [i] of batch.texts.entries()) set.take(states.slice(i * WIDTH, (i + 1) * WIDTH));
        return set.pending;
      },
      free: () => this.freed++,
    };
  }

  /** @param {any} set @param {number} limit */
  encodeLabels(set, limit) {
    const texts = set.next(limit);
    this.read += texts.length;
    for (const text of texts) set.take(standsFor(text));
    return set.pending;
  }
}

/** Labels, the first of which may be known. */
export class FakeSet {
  /** @type {Float32Array[]} */
  embeddings = [];

  /** @param {number} length @param {number} [known] */
  constructor(length, known = 0) {
    this.length = length;
    this.prompts = length;
    this.known = known;
  }
  get pending() {
    return this.length - this.embeddings.length;
  }
  get waiting() {
    return this.length - Math.max(this.known, this.embeddings.length);
  }
  /** @param {number} limit */
  next(limit) {
    while (this.embeddings.length < this.known) this.take(standsFor(this.embeddings.length));
    return Array.from({ length: Math.min(limit, this.pending) }, (_, i) => this.embeddings.length + i);
  }
  /** @param {Float32Array} embedding */
  take(embedding) {
    this.embeddings.push(embedding);
  }
  /** Whether all are there, and each is its own. */
  get isRight() {
    const same = (/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) =>
      a.length === b.length && a.every((x, i) => x === b[i]);
    return this.pending === 0 && this.embeddings.every((one, text) => same(one, standsFor(text)));
  }
  free() {}
}

/**
 * A GPU, and the part of the package that computes on it.
 * @param {{ info?: object, adapter?: null, wrong?: number, wrongFor?: 'class' | 'several' | 'keys', pause?: number, failAt?: number,
 *   hangAt?: number, endlessAt?: number, create?: Error, texts?: (run: TextRun) => unknown }} [how] `wrong` in the last so many layers, or for what;
 *   `failAt` and `hangAt` the run at which it fails, does not answer, or gives what is not finite, the opening of a device being the first of all; `texts` may
 *   fail, wait, or change the states of texts
 */
export function fakeGpu({
  info = { vendor: 'acme' },
  adapter,
  wrong = 0,
  wrongFor,
  pause = 0,
  failAt = Infinity,
  hangAt = Infinity,
  endlessAt = Infinity,
  create,
  texts,
} = {}) {
  const log = {
    destroyed: 0,
    towers: 0,
    runs: 0,
    textRuns: 0,
    tuned: /** @type {unknown[]} */ ([]),
    refusals: /** @type {Record<string, string>} */ ({}),
    lose: (/** @type {string} */ _message) => {},
  };
  const lost = new Promise((resolve) => (log.lose = (message) => resolve({ message })));
  const device = { lost, destroy: () => log.destroyed++ };
  const silence = new Promise(() => {});
  class GpuTower {
    /** @param {{ width: number, layers: number, patches?: number }} description */
    constructor(description) {
      this.description = description;
      this.layers = description.layers;
    }
    /** @param {any} _device @param {any} description @param {any} _read @param {any} options */
    static async create(_device, description, _read, { tuning } = {}) {
      if (description.patches === 0) await texts?.({ number: 0, rows: '', states: [] });
      if (tuning) tuning.kind = 'small';
      if (create) throw create;
      log.towers++;
      return new GpuTower(description);
    }
    /** @param {Float32Array[]} patches @param {{ rows: string, layers?: number, ends?: Uint32Array }} how */
    async run(patches, { rows, layers = this.layers, ends }) {
      if (ends) return this.runTexts(patches, { rows, layers, ends });
      if (++log.runs >= failAt) throw new Error('the device was lost');
      if (log.runs === hangAt) await silence;
      if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
      const isEndless = log.runs === endlessAt;
      return patches.map((states) => {
        let x = states;
        const all =
          (wrongFor === 'class' && rows === 'class') || (wrongFor === 'several' && patches.length > 1);
        for (let i = 0; i < layers; i++) {
          const isWrong = all || i >= LAYERS - wrong;
          x = x.map((value, at) => (isWrong && at % 2 ? -layer(value) : layer(value)));
        }
        if (isEndless) x[1] = -Infinity;
        return rows === 'class' ? x.slice(0, WIDTH) : x;
      });
    }
    /** @param {Float32Array[]} patches */
    async see(patches) {
      const all = await this.run(patches, { rows: 'all' });
      const { layers } = /** @type {any} */ (this.description).keyValues;
      return all.map((states) => ({
        states,
        keyValues: Array.from({ length: layers }, (_, i) =>
          wrongFor === 'keys' && i > 0 ? seenBy(states, i + 1) : seenBy(states, i),
        ),
      }));
    }
    /** @param {Float32Array[]} inputs @param {{ rows?: string, layers: number, ends: Uint32Array }} how */
    async runTexts(inputs, { rows = 'ends', layers, ends }) {
      if (new Set(inputs.map(({ length }) => length)).size !== 1) throw new Error('texts of several lengths');
      const states = inputs.map((one, i) => {
        const all = after(one, layers);
        const end = (ends[i] ?? NaN) * WIDTH;
        return rows === 'all' ? all : all.slice(end, end + WIDTH);
      });
      log.textRuns++;
      await texts?.({ number: log.textRuns, rows, states });
      return states;
    }
    destroy() {
      log.towers--;
    }
  }
  const found = { info, requestDevice: async () => (hangAt === 0 ? silence : device) };
  const gpu = { requestAdapter: async () => (adapter === null ? null : found) };
  const surroundings = {
    gpu,
    load: async () => ({ GpuTower }),
    browser: 'browser 1',
    readRefusals: async () => log.refusals,
    writeRefusals: async (/** @type {Record<string, string>} */ refusals) => void (log.refusals = refusals),
    readTuning: async () => ({ known: 'large' }),
    writeTuning: async (/** @type {unknown} */ tuning) => void log.tuned.push(tuning),
  };
  return { log, surroundings: /** @type {any} */ (surroundings) };
}
