/**
 * A transformer on the GPU: of images, which come as patches, or of texts, which come as rows for its first layer.
 *
 * @typedef {import('./types.js').TowerDescription} TowerDescription
 * @typedef {import('./types.js').TowerTensor} TowerTensor
 * @typedef {import('./types.js').ReadTensor} ReadTensor
 * @typedef {import('./types.js').RowsAsked} RowsAsked
 * @typedef {import('./kernels.js').Step} Step
 * @typedef {import('./plan.js').Asked} Asked
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./plan.js').Weights} Weights
 *
 * @typedef {object} TowerOptions
 * @property {import('./tuning.js').Tuning} [tuning] which tiles were fastest, to which this tower adds what it measures: an empty
 *   one has all measured, none has nothing measured
 * @property {boolean} [packed] whether WGSL multiplies packed int8 numbers: by default what the browser says
 * @property {boolean} [half] whether f16 weights are multiplied in f16: by default where the device has `shader-f16`
 * @property {import('./kernels.js').ChooseTile} [tile] which tile products take, in place of what is measured
 * @property {number} [most] images or texts of one submit, at most
 * @property {number} [operations] multiplications and additions of one submit, at most
 */

import { checked, readBack, Uploads, USAGE, write } from './device.js';
import { encodeSteps, Kernels } from './kernels.js';
import { attentionShape } from './kernels/attention.js';
import { largestBuffer, operations, paddedInputs, planTower, resultSizes } from './plan.js';
import { readWeights } from './read-weights.js';
import { Tuner } from './tuning.js';
import { Workspace } from './workspace.js';

/** Operations of one submit, by default: others want to draw in between. A slow GPU needs a second for them. */
const OPERATIONS = 5e11;

/** Workgroups in one dimension of a dispatch, of every device. */
const WORKGROUPS = 65535;

export class GpuTower {
  /** Steps, by how many images or texts of which length, and which rows of them. @type {Map<string, Plan>} */
  #plans = new Map();
  /** Calls share buffers: each waits for the one before. @type {Promise<unknown>} */
  #last = Promise.resolve();
  #kernels;
  #workspace;
  /** What results are read from, apart from what steps are bound to. */
  #reads;
  #uploads;
  #weights;
  #most;
  #operations;

  /**
   * @param {TowerDescription} description
   * @param {{ kernels: Kernels, uploads: Uploads, weights: Weights, workspace: Workspace, most?: number,
   *   operations?: number }} parts
   */
  constructor(
    description,
    { kernels, uploads, weights, workspace, most = Infinity, operations = OPERATIONS },
  ) {
    this.device = uploads.device;
    this.description = description;
    this.#kernels = kernels;
    this.#workspace = workspace;
    this.#reads = new Workspace(this.device);
    this.#uploads = uploads;
    this.#weights = weights;
    this.#most = most;
    this.#operations = operations;
  }

  /**
   * Uploads the weights, layer by layer: each tensor is read, written to its buffer and forgotten. Throws where the device
   * refuses.
   * @param {GPUDevice} device
   * @param {TowerDescription} description
   * @param {ReadTensor} readTensor
   * @param {TowerOptions} [options]
   * @returns {Promise<GpuTower>}
   */
  static async create(
    device,
    description,
    readTensor,
    { tuning, packed, half, tile, most, operations } = {},
  ) {
    check(description);
    const tuner = tuning && new Tuner(device, tuning);
    const measured = tuner && tuner.choose.bind(tuner);
    const kernels = new Kernels(device, { packed, half, tile: tile ?? measured });
    const uploads = new Uploads(device);
    const workspace = new Workspace(device);
    try {
      const weights = await readWeights(uploads, description, readTensor);
      const parts = { kernels, uploads, weights, workspace, most, operations };
      const tower = new GpuTower(description, parts);
      if (description.patches > 0) {
        const { output: rows, layers, keyValues } = description;
        await tower.#plan(1, lengthOf(description), { rows, layers, seen: keyValues !== undefined });
      }
      return tower;
    } catch (error) {
      for (const one of [workspace, uploads, kernels]) one.destroy();
      throw error;
    }
  }

  /**
   * The states after the last layer, before the final norm, of several images or texts: for each one rows asked for x width.
   * Rejects where the device was lost or refuses.
   * @param {Float32Array[]} inputs for each image patches x inputs; for each text rows x width, as many rows of all of them
   * @param {{ rows?: RowsAsked, layers?: number, ends?: Uint32Array }} [options] by default what the description says; `layers`:
   *   so many of them; `ends`: of each text the row that is asked for
   * @returns {Promise<Float32Array[]>}
   */
  async run(inputs, { rows = this.description.output, layers = this.description.layers, ends } = {}) {
    const results = await this.#next(inputs, { rows, layers, seen: false }, ends);
    return results.map(([states]) => /** @type {Float32Array} */ (states));
  }

  /**
   * The same of the states of all rows of images, and what texts see of them: for each of the texts' layers keys and values, side by
   * side in each row.
   * @param {Float32Array[]} inputs
   * @returns {Promise<{ states: Float32Array, keyValues: Float32Array[] }[]>}
   */
  async see(inputs) {
    const { layers } = this.description;
    const results = await this.#next(inputs, { rows: 'all', layers, seen: true });
    return results.map(([states, ...keyValues]) => ({
      states: /** @type {Float32Array} */ (states),
      keyValues,
    }));
  }

  /** @param {Float32Array[]} inputs @param {Asked} asked @param {Uint32Array} [ends] */
  #next(inputs, asked, ends) {
    const results = this.#last.then(() => this.#run(inputs, asked, ends));
    this.#last = results.catch(() => {});
    return results;
  }

  /**
   * For each image or text what a plan ends with.
   * @param {Float32Array[]} inputs @param {Asked} asked @param {Uint32Array} [ends]
   * @returns {Promise<Float32Array[][]>}
   */
  async #run(inputs, asked, ends) {
    const { description } = this;
    const [one] = inputs;
    if (!one) return [];
    const { width, patches } = description;
    const numbers = patches > 0 ? patches * description.inputs : one.length;
    if (inputs.some((input) => input.length !== numbers)) {
      throw new Error(
        patches > 0 ? `The patches of an image are ${numbers} numbers.` : 'Texts have to be of one length.',
      );
    }
    const length = patches > 0 ? lengthOf(description) : numbers / width;
    const sizes = resultSizes(description, length, asked);
    const bytes = sizes.map((size) => size * Float32Array.BYTES_PER_ELEMENT);
    // Each result has a part, in which one image or text follows the other.
    const parts = bytes.map((_, i) => inputs.length * sum(bytes.slice(0, i)));
    const all = inputs.length * sum(bytes);
    const target = await checked(this.device, () =>
      this.#reads.get('read', all, USAGE.MAP_READ | USAGE.COPY_DST),
    );
    for (const { first, images } of this.#shares(inputs.length, length)) {
      const plan = await this.#plan(images, length, asked);
      await checked(this.device, () => {
        this.#write(plan.begin, inputs.slice(first, first + images));
        if (plan.ends) {
          const places = Uint32Array.from(
            { length: images },
            (_, i) => i * length + (ends?.[first + i] ?? 0),
          );
          write(this.device, plan.ends, places);
        }
        for (const steps of this.#submits(plan.steps, images, length)) {
          const encoder = this.device.createCommandEncoder();
          encodeSteps(encoder, steps);
          if (steps.at(-1) === plan.steps.at(-1)) {
            for (const [i, result] of plan.results.entries()) {
              const each = Number(bytes[i]);
              encoder.copyBufferToBuffer(result, 0, target, Number(parts[i]) + first * each, images * each);
            }
          }
          this.device.queue.submit([encoder.finish()]);
        }
      });
    }
    const read = await readBack(target, all);
    return inputs.map((_, image) =>
      sizes.map((size, i) => new Float32Array(read, Number(parts[i]) + image * Number(bytes[i]), size)),
    );
  }

  /** Images or texts in shares that fit into buffers, as even as can be. @param {number} count @param {number} length */
  #shares(count, length) {
    const { description } = this;
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    const most = Math.max(
      1,
      Math.floor(
        Math.min(
          Math.min(maxStorageBufferBindingSize, maxBufferSize) / largestBuffer(description, length),
          WORKGROUPS / length,
          this.#operations / operations(description, length),
          this.#most,
        ),
      ),
    );
    const shares = Math.ceil(count / most);
    return Array.from({ length: shares }, (_, i) => {
      const first = Math.floor((i * count) / shares);
      return { first, images: Math.floor(((i + 1) * count) / shares) - first };
    });
  }

  /**
   * Steps in submits, of which only one image of a large tower needs several.
   * @param {Step[]} steps @param {number} images @param {number} length
   */
  #submits(steps, images, length) {
    const count = Math.ceil((images * operations(this.description, length)) / this.#operations);
    const each = Math.ceil(steps.length / count);
    return Array.from({ length: Math.ceil(steps.length / each) }, (_, i) =>
      steps.slice(i * each, (i + 1) * each),
    );
  }

  /** @param {number} images @param {number} length @param {Asked} asked */
  async #plan(images, length, asked) {
    const key = [images, length, asked.rows, asked.layers, asked.seen].join(' ');
    const known = this.#plans.get(key);
    if (known?.version === this.#workspace.version) return known;
    const plan = await checked(this.device, () => {
      const planned = planTower({
        kernels: this.#kernels,
        workspace: this.#workspace,
        description: this.description,
        weights: this.#weights,
        images,
        length,
        asked,
      });
      // The device's own complaint, where there is one, says more than what comes of it.
      planned.catch(() => {});
      return planned;
    });
    this.#plans.set(key, plan);
    return plan;
  }

  /** @param {GPUBuffer} buffer @param {Float32Array[]} inputs */
  #write(buffer, inputs) {
    const { inputs: numbers } = this.description;
    const padded = paddedInputs(this.description);
    let at = 0;
    for (const input of inputs) {
      const filled = padded === numbers ? input : filledUp(input, numbers, padded);
      write(this.device, buffer, filled, at);
      at += filled.byteLength;
    }
  }

  /** Bytes of GPU memory held. */
  get bytes() {
    return this.#uploads.bytes + this.#workspace.bytes + this.#reads.bytes;
  }

  /** Gives the GPU memory back. */
  destroy() {
    for (const one of [this.#reads, this.#workspace, this.#uploads, this.#kernels]) one.destroy();
    this.#plans.clear();
  }
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((all, one) => all + one, 0);
}

/** Rows of one image. @param {TowerDescription} description */
function lengthOf({ prefix, patches }) {
  return prefix + patches;
}

/** Rows with zeros behind them. @param {Float32Array} rows @param {number} inputs @param {number} padded */
function filledUp(rows, inputs, padded) {
  const filled = new Float32Array((rows.length / inputs) * padded);
  for (let row = 0; row * inputs < rows.length; row++) {
    filled.set(rows.subarray(row * inputs, (row + 1) * inputs), row * padded);
  }
  return filled;
}

/** Throws where the kernels cannot do what is described. @param {TowerDescription} description */
function check({ width, heads, intermediate }) {
  if (width % heads !== 0 || width % 4 !== 0 || intermediate % 4 !== 0) {
    throw new Error(
      `The GPU has no tower of width ${width} with ${heads} heads and an MLP of ${intermediate}.`,
    );
  }
  attentionShape(width / heads);
}
