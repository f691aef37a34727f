/**
 * A vision transformer on the GPU.
 *
 * @typedef {import('./types.js').TowerDescription} TowerDescription
 * @typedef {import('./types.js').TowerTensor} TowerTensor
 * @typedef {import('./types.js').ReadTensor} ReadTensor
 * @typedef {import('./types.js').RowsAsked} RowsAsked
 * @typedef {import('./kernels.js').Step} Step
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./plan.js').Weights} Weights
 *
 * @typedef {object} TowerOptions
 * @property {import('./tuning.js').Tuning} [tuning] which tiles were fastest, to which this tower adds what it measures: an empty
 *   one has all measured, none has nothing measured
 * @property {boolean} [packed] whether WGSL multiplies packed int8 numbers: by default what the browser says
 * @property {import('./kernels.js').ChooseTile} [tile] which tile products take, in place of what is measured
 * @property {number} [most] images of one submit, at most
 * @property {number} [operations] multiplications and additions of one submit, at most
 */

import { checked, readBack, Uploads, USAGE, write } from './device.js';
import { encodeSteps, Kernels } from './kernels.js';
import { attentionShape } from './kernels/attention.js';
import { largestBuffer, lengthOf, operations, paddedInputs, planTower } from './plan.js';
import { readWeights } from './read-weights.js';
import { Tuner } from './tuning.js';
import { Workspace } from './workspace.js';

/** Operations of one submit, by default: others want to draw in between. A slow GPU needs a second for them. */
const OPERATIONS = 5e11;

/** Workgroups in one dimension of a dispatch, of every device. */
const WORKGROUPS = 65535;

export class GpuTower {
  /** Steps, by how many images and which rows of them. @type {Map<string, Plan>} */
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
  static async create(device, description, readTensor, { tuning, packed, tile, most, operations } = {}) {
    check(description);
    const tuner = tuning && new Tuner(device, tuning);
    const measured = tuner && tuner.choose.bind(tuner);
    const kernels = new Kernels(device, { packed, tile: tile ?? measured });
    const uploads = new Uploads(device);
    const workspace = new Workspace(device);
    try {
      const weights = await readWeights(uploads, description, readTensor);
      const parts = { kernels, uploads, weights, workspace, most, operations };
      const tower = new GpuTower(description, parts);
      await tower.#plan(1, description.output, description.layers);
      return tower;
    } catch (error) {
      for (const one of [workspace, uploads, kernels]) one.destroy();
      throw error;
    }
  }

  /**
   * The states after the last layer, before the final norm, of several images: for each one rows asked for x width.
   * Rejects where the device was lost or refuses.
   * @param {Float32Array[]} patches for each image patches x inputs
   * @param {{ rows?: RowsAsked, layers?: number }} [options] by default what the description says; `layers`: so many of them
   * @returns {Promise<Float32Array[]>}
   */
  run(patches, { rows = this.description.output, layers = this.description.layers } = {}) {
    const result = this.#last.then(() => this.#run(patches, rows, layers));
    this.#last = result.catch(() => {});
    return result;
  }

  /** @param {Float32Array[]} patches @param {RowsAsked} asked @param {number} layers */
  async #run(patches, asked, layers) {
    const { description } = this;
    const numbers = description.patches * description.inputs;
    if (patches.some(({ length }) => length !== numbers)) {
      throw new Error(`The patches of an image are ${numbers} numbers.`);
    }
    if (patches.length === 0) return [];
    const { width } = description;
    const size = (asked === 'class' ? 1 : lengthOf(description)) * width;
    const bytes = size * Float32Array.BYTES_PER_ELEMENT;
    const all = patches.length * bytes;
    const target = await checked(this.device, () =>
      this.#reads.get('read', all, USAGE.MAP_READ | USAGE.COPY_DST),
    );
    for (const { first, images } of this.#shares(patches.length)) {
      const plan = await this.#plan(images, asked, layers);
      await checked(this.device, () => {
        this.#write(plan.patches, patches.slice(first, first + images));
        for (const steps of this.#submits(plan.steps, images)) {
          const encoder = this.device.createCommandEncoder();
          encodeSteps(encoder, steps);
          if (steps.at(-1) === plan.steps.at(-1)) {
            encoder.copyBufferToBuffer(plan.result, 0, target, first * bytes, images * bytes);
          }
          this.device.queue.submit([encoder.finish()]);
        }
      });
    }
    const read = new Float32Array(await readBack(target, all));
    return patches.map((_, i) => read.slice(i * size, (i + 1) * size));
  }

  /** Images in shares that fit into buffers, as even as can be. @param {number} count */
  #shares(count) {
    const { description } = this;
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    const most = Math.max(
      1,
      Math.floor(
        Math.min(
          Math.min(maxStorageBufferBindingSize, maxBufferSize) / largestBuffer(description),
          WORKGROUPS / lengthOf(description),
          this.#operations / operations(description),
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

  /** Steps in submits, of which only one image of a large tower needs several. @param {Step[]} steps @param {number} images */
  #submits(steps, images) {
    const count = Math.ceil((images * operations(this.description)) / this.#operations);
    const length = Math.ceil(steps.length / count);
    return Array.from({ length: Math.ceil(steps.length / length) }, (_, i) =>
      steps.slice(i * length, (i + 1) * length),
    );
  }

  /** @param {number} images @param {RowsAsked} asked @param {number} layers */
  async #plan(images, asked, layers) {
    const key = `${images} ${asked} ${layers}`;
    const known = this.#plans.get(key);
    if (known?.version === this.#workspace.version) return known;
    const plan = await checked(this.device, () => {
      const planned = planTower({
        kernels: this.#kernels,
        workspace: this.#workspace,
        description: this.description,
        weights: this.#weights,
        images,
        asked,
        layers,
      });
      // The device's own complaint, where there is one, says more than what comes of it.
      planned.catch(() => {});
      return planned;
    });
    this.#plans.set(key, plan);
    return plan;
  }

  /** @param {GPUBuffer} buffer @param {Float32Array[]} patches */
  #write(buffer, patches) {
    const { inputs, patches: count } = this.description;
    const padded = paddedInputs(this.description);
    for (const [i, image] of patches.entries()) {
      const filled = padded === inputs ? image : filledUp(image, inputs, padded);
      write(this.device, buffer, filled, i * count * padded * Float32Array.BYTES_PER_ELEMENT);
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
