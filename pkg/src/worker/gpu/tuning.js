/**
 * Which tile is fastest for a product on this device: measured once, for each kind of product.
 *
 * What a GPU does best with depends on its registers, its caches and how many cores it has, none of which WebGPU tells.
 *
 * @typedef {import('./kernels/product.js').TileName} TileName
 * @typedef {import('./kernels.js').Product} Product
 *
 * @typedef {Record<string, TileName>} Tuning what was chosen, by kind of product. It can be stored: devices have keys of their own
 */

import { encodeSteps, usualTile } from './kernels.js';
import { TILES } from './kernels/product.js';
import { KERNELS } from './version.js';

/** Milliseconds that one measurement is to take about. */
const SPAN = 4;
/** Dispatches of one measurement, at most. */
const MOST = 50;
/** How often each is measured; the fastest counts, because noise only ever adds. */
const ROUNDS = 3;
/** How much faster than the usual tile another has to be. */
const WORTH = 0.97;

export class Tuner {
  /** Measurements come one after the other, so as not to disturb each other. @type {Promise<unknown>} */
  #last = Promise.resolve();

  /**
   * @param {GPUDevice} device
   * @param {Tuning} tuning what is known, to which what is measured is added
   */
  constructor(device, tuning) {
    this.device = device;
    this.tuning = tuning;
  }

  /** What of a product its time depends on. @param {Product} product */
  key({ matrix, rows, output }) {
    const { vendor, architecture } = this.device.adapterInfo ?? {};
    // As many rows as the next power of two: batches of nearly the same size are not measured anew.
    const about = 2 ** Math.ceil(Math.log2(rows));
    const { dtype, outputs, inputs } = matrix;
    const how = dtype === 'f16' && this.device.features.has('shader-f16') ? 'half' : dtype;
    return [KERNELS, vendor, architecture, how, output, about, outputs, inputs].join(' ');
  }

  /**
   * The tile to take.
   * @param {Product} product
   * @param {(name: TileName) => Promise<import('./kernels.js').Step>} stepWith makes the product's step with a tile
   * @returns {Promise<TileName>}
   */
  choose(product, stepWith) {
    const choice = this.#last.then(async () => {
      const key = this.key(product);
      const known = this.tuning[key];
      if (known && Object.hasOwn(TILES, known)) return known;
      const best = await this.#measureAll(product, stepWith);
      this.tuning[key] = best;
      return best;
    });
    this.#last = choice.catch(() => {});
    return choice;
  }

  /** @param {Product} product @param {(name: TileName) => Promise<import('./kernels.js').Step>} stepWith */
  async #measureAll({ rows, matrix }, stepWith) {
    const usual = usualTile(rows, matrix.outputs);
    const names = /** @type {TileName[]} */ (Object.keys(TILES)).filter(
      (name) => name === usual || rows > TILES[name].rows / 2,
    );
    if (names.length === 1) return usual;
    const steps = await Promise.all(names.map(stepWith));
    /** @type {Map<TileName, number>} */
    const times = new Map();
    for (const [i, step] of steps.entries()) {
      // The first time is no measure: drivers put off what they can.
      await this.#time(step, 1);
      const once = await this.#time(step, 1);
      const count = Math.max(1, Math.min(MOST, Math.ceil(SPAN / once)));
      for (let round = 0; round < ROUNDS; round++) {
        const time = (await this.#time(step, count)) / count;
        const name = /** @type {TileName} */ (names[i]);
        times.set(name, Math.min(time, times.get(name) ?? Infinity));
      }
    }
    const [fastest = usual] = [...names].sort((a, b) => Number(times.get(a)) - Number(times.get(b)));
    return Number(times.get(fastest)) < WORTH * Number(times.get(usual)) ? fastest : usual;
  }

  /** Milliseconds of so many dispatches. @param {import('./kernels.js').Step} step @param {number} count */
  async #time(step, count) {
    const encoder = this.device.createCommandEncoder();
    encodeSteps(
      encoder,
      Array.from({ length: count }, () => step),
    );
    const begun = performance.now();
    this.device.queue.submit([encoder.finish()]);
    await this.device.queue.onSubmittedWorkDone();
    return performance.now() - begun;
  }
}
