/**
 * The layers of a tagger's text tower on the GPU that has its pictures, where many texts wait.
 *
 * A few texts the wasm reads sooner than weights are uploaded, and it reads what texts have in common once. So nothing of this
 * tower is on the GPU before more texts wait than one batch has. The wasm keeps its weights: whatever happens to the GPU, it goes
 * on in its place.
 *
 * @typedef {import('./handles.js').LabelSetHandle} LabelSetHandle
 * @typedef {import('./handles.js').TextBatchHandle} TextBatchHandle
 * @typedef {import('./handles.js').TextTowerHandle} TextTowerHandle
 * @typedef {import('./gpu/tower.js').GpuTower} GpuTower
 * @typedef {import('./gpu/types.js').TowerDescription} TowerDescription
 *
 * @typedef {object} TextOptions
 * @property {(description: TowerDescription, read: import('./gpu/types.js').ReadTensor) => Promise<GpuTower>} create
 * @property {() => Promise<void>} keepTuning
 * @property {boolean} faster whether the GPU has to be faster than the wasm
 * @property {{ tower: number, run: number, slower: number }} patience milliseconds for the tower, and for a batch, beside so many
 *   times what one took in the test
 */

import { concatenated } from '../shared/vectors.js';
import { release } from './operations/release.js';
import { answered, Refusal, refuseNonFinite, refuseTrap, why } from './refusal.js';
import { refuseOther, testTexts } from './self-test.js';
import { describeText, readerOf } from './tower-tensors.js';

/** Texts of one batch; as many as the wasm takes at once, at most. */
const BATCH = 64;
/** Texts of nearly the same length go through the same steps: they are filled up to a multiple of so many rows. */
const ROUND = 8;

export class TextAccelerator {
  #tower;
  #options;
  #description;
  /** @type {GpuTower | null} uploaded once texts wait */
  #gpu = null;
  /** Numbers of texts and of rows that were seen to give what the wasm gives. @type {Set<string>} */
  #proven = new Set();
  /** Longest wait for a batch, in milliseconds. */
  #patience = Infinity;
  #isOver = false;
  /** A sentence about texts, for the runtime, once something has come of them. */
  remark = '';

  /** @param {TextTowerHandle} tower is freed at its end @param {TextOptions} options */
  constructor(tower, options) {
    this.#tower = tower;
    this.#options = options;
    this.#description = describeText(tower);
  }

  /** Whether so many texts of a set wait that they are the GPU's. @param {LabelSetHandle} set */
  takes(set) {
    return !this.#isOver && this.#tower.waiting(set) > BATCH;
  }

  /**
   * Takes the next texts of a set through all layers.
   *
   * @param {LabelSetHandle} set
   * @returns {Promise<number | null>} how many of its texts are pending then; null where the next ones are the wasm's to do
   */
  async encode(set) {
    if (this.#isOver) return null;
    /** @type {TextBatchHandle | undefined} */
    let batch;
    try {
      batch = this.#tower.next(set, BATCH);
      if (!batch) return null;
      const pooled = await this.#pooled(batch);
      return this.#tower.complete(set, batch, pooled);
    } catch (error) {
      this.#refuse(why(error));
      refuseTrap(error);
      return null;
    } finally {
      if (batch) release(batch);
    }
  }

  /** The states that stand for the texts of a batch, one after the other. @param {TextBatchHandle} batch */
  async #pooled(batch) {
    const { count } = batch;
    const rows = this.#rows(batch);
    this.#gpu ??= await this.#open(batch, rows);
    const pooled = await this.#run(batch, rows);
    refuseNonFinite(pooled);
    const shape = `${count} ${rows.length}`;
    if (!this.#proven.has(shape)) {
      const { width } = this.#description;
      const own = this.#tower.pooled(batch, count - 1, 1);
      refuseOther(pooled.subarray(-width), own, width, `of ${count} texts at once`);
      this.#proven.add(shape);
    }
    return pooled;
  }

  /** What goes into the first layer. @param {TextBatchHandle} batch */
  #rows(batch) {
    const { length } = batch;
    // What sees the whole text would see rows that are not its own.
    const filled = this.#description.causal ? Math.ceil(length / ROUND) * ROUND : length;
    return this.#tower.rows(batch, filled);
  }

  /**
   * Uploads the tower, and has texts go through it and through the wasm.
   *
   * @param {TextBatchHandle} batch
   * @param {Float32Array} rows
   */
  async #open(batch, rows) {
    const { create, keepTuning, faster, patience } = this.#options;
    const tower = this.#tower;
    const making = create(this.#description, readerOf(tower));
    const gpu = await answered(making, patience.tower, (late) => late.destroy());
    try {
      /** @type {import('./self-test.js').RunTexts} */
      const run = (count, how) => runOn(gpu, batch, rows, count, how);
      const test = testTexts(tower, batch, run, this.#description);
      const { gpu: own, wasm } = await answered(test, patience.tower);
      if (faster && own >= wasm) {
        throw new Refusal(`the GPU takes ${own.toFixed(1)} ms for a text, WebAssembly ${wasm.toFixed(1)} ms`);
      }
      if (this.#isOver) throw new Refusal('it is gone');
      this.#patience = patience.run + patience.slower * own * BATCH;
      // Clocks are coarse where pages are not isolated.
      const times = (wasm / Math.max(own, 0.01)).toFixed(1);
      this.remark = `Many texts at once go through it as well, ${times} times as fast.`;
      await keepTuning();
      return gpu;
    } catch (error) {
      gpu.destroy();
      throw error;
    }
  }

  /** @param {TextBatchHandle} batch @param {Float32Array} rows */
  async #run(batch, rows) {
    if (!this.#gpu) throw new Refusal('it is gone');
    const pooled = await answered(runOn(this.#gpu, batch, rows, batch.count), this.#patience);
    if (this.#isOver) throw new Refusal('it is gone');
    return pooled;
  }

  /** Leaves texts to the wasm from now on. @param {string} reason */
  #refuse(reason) {
    if (this.#isOver) return;
    this.end();
    this.remark = `Texts are left to WebAssembly, because ${reason}.`;
  }

  /** Gives the GPU's memory back; the wasm reads all texts that come. */
  end() {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#gpu?.destroy();
    this.#gpu = null;
    release(this.#tower);
  }
}

/**
 * What the first texts of a batch become, without the rows that they are filled up with.
 *
 * @param {GpuTower} gpu
 * @param {TextBatchHandle} batch
 * @param {Float32Array} rows of all its texts
 * @param {number} count
 * @param {{ rows?: 'all' | 'ends', layers?: number }} [how] by default the rows that stand for the texts, after all layers
 */
async function runOn(gpu, batch, rows, count, how) {
  const size = rows.length / batch.count;
  const texts = Array.from({ length: count }, (_, i) => rows.subarray(i * size, (i + 1) * size));
  const states = await gpu.run(texts, { ends: batch.ends(), ...how });
  if (how?.rows !== 'all') return concatenated(states);
  const { width } = gpu.description;
  const lengths = batch.lengths();
  return concatenated(states.map((one, i) => one.subarray(0, (lengths[i] ?? 0) * width)));
}
