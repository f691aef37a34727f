/**
 * The layers of a model's vision transformer on the GPU, where there is one that computes them right and faster.
 *
 * The wasm decodes, prepares and cuts pictures into patches; the GPU gives back the states after the last layer; what comes
 * then is the wasm's again. The wasm keeps its weights: whatever happens to the GPU, it goes on in its place.
 *
 * @typedef {import('./handles.js').ImageEncodingHandle} ImageEncodingHandle
 * @typedef {import('./handles.js').VisionTowerHandle} VisionTowerHandle
 * @typedef {import('./handles.js').Wasm} Wasm
 * @typedef {import('./gpu/tower.js').GpuTower} GpuTower
 * @typedef {import('./gpu/types.js').ReadTensor} ReadTensor
 * @typedef {import('./gpu/types.js').TowerDescription} TowerDescription
 * @typedef {import('./gpu/tuning.js').Tuning} Tuning
 * @typedef {import('../shared/types.js').Device} Device
 *
 * @typedef {object} Surroundings
 * @property {GPU | undefined} gpu
 * @property {() => Promise<typeof import('./gpu/tower.js')>} load the part of the package that only a GPU needs
 * @property {() => Promise<Tuning>} readTuning what was measured on an earlier visit
 * @property {(tuning: Tuning) => Promise<void>} writeTuning
 *
 * @typedef {object} Chosen
 * @property {Accelerator | null} accelerator
 * @property {string} reason one sentence: why the GPU computes, or does not
 */

import { release } from './operations/release.js';
import { Refusal } from './refusal.js';
import { selfTest } from './self-test.js';

/** Software that stands in for a GPU, by what adapters say of themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|warp/i;

/**
 * @param {Wasm} wasm
 * @param {any} model its handle
 * @param {Device} wanted
 * @param {Surroundings} surroundings
 * @returns {Promise<Chosen>}
 */
export async function accelerate(wasm, model, wanted, surroundings) {
  if (wanted === 'wasm') return { accelerator: null, reason: '' };
  /** @type {VisionTowerHandle | undefined} */
  const tower = model.visionTower;
  if (!tower) {
    const reason = wanted === 'auto' ? '' : 'No GPU, because this model has no vision transformer.';
    return { accelerator: null, reason };
  }
  /** @type {Accelerator | null} */
  let accelerator = null;
  try {
    const { device, name, isSoftware } = await openDevice(surroundings.gpu);
    if (isSoftware && wanted === 'auto') {
      device.destroy();
      throw new Refusal('software stands in for a GPU here');
    }
    // Software takes as long to be measured as to compute, and gains nothing by it.
    const tuning = isSoftware ? undefined : await surroundings.readTuning();
    accelerator = await Accelerator.begin(device, tower, surroundings.load, tuning);
    if (tuning) await surroundings.writeTuning(tuning);
    const { gpu, wasm: own } = await selfTest(wasm, model, accelerator, surroundings.load);
    if (wanted === 'auto' && gpu >= own) {
      throw new Refusal(
        `the GPU takes ${Math.round(gpu)} ms for a picture, WebAssembly ${Math.round(own)} ms`,
      );
    }
    const times = (own / gpu).toFixed(1);
    return { accelerator, reason: `Pictures go through the GPU (${name}), ${times} times as fast.` };
  } catch (error) {
    if (accelerator) accelerator.end();
    else release(tower);
    return { accelerator: null, reason: `No GPU, because ${why(error)}.` };
  }
}

/** @param {unknown} error */
function why(error) {
  return error instanceof Refusal ? error.message : `it failed (${String(error).replace(/\.$/, '')})`;
}

/** @param {GPU | undefined} gpu */
async function openDevice(gpu) {
  if (!gpu) throw new Refusal('this browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Refusal('none is offered here');
  const { vendor = '', architecture = '', description = '', isFallbackAdapter = false } = adapter.info ?? {};
  const requiredFeatures = /** @type {GPUFeatureName[]} */ (
    ['shader-f16', 'subgroups'].filter((name) => adapter.features.has(name))
  );
  // The default limits do. Larger ones let more pictures go through at once.
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits ?? {};
  const requiredLimits = maxBufferSize ? { maxBufferSize, maxStorageBufferBindingSize } : {};
  const device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  const name = [vendor, architecture].filter(Boolean).join(' ') || description || 'unnamed';
  return { device, name, isSoftware: isFallbackAdapter || SOFTWARE.test(`${name} ${description}`) };
}

/** A model's tower on a GPU. */
export class Accelerator {
  #device;
  #tower;
  /** @type {GpuTower | null} */
  #gpu;
  /** Number of layers. */
  layers;
  /** Why it has ended; null while it has not. @type {string | null} */
  lost = null;

  /** @param {GPUDevice} device @param {VisionTowerHandle} tower @param {GpuTower} gpu @param {number} layers */
  constructor(device, tower, gpu, layers) {
    this.#device = device;
    this.#tower = tower;
    this.#gpu = gpu;
    this.layers = layers;
    void device.lost.then(({ message }) => this.end(message || 'the device was lost'));
  }

  /**
   * @param {GPUDevice} device
   * @param {VisionTowerHandle} tower
   * @param {Surroundings['load']} load
   * @param {Tuning} [tuning] to which is added what is measured; without it nothing is
   */
  static async begin(device, tower, load, tuning) {
    try {
      const { GpuTower } = await load();
      const description = describe(tower);
      const gpu = await GpuTower.create(device, description, reader(tower), tuning && { tuning });
      return new Accelerator(device, tower, gpu, description.layers);
    } catch (error) {
      device.destroy();
      throw error;
    }
  }

  /** The tower as the wasm has it. */
  get tower() {
    return this.#tower;
  }

  /**
   * Takes pictures, of which no layer is computed yet, through all of them at once.
   *
   * @param {readonly ImageEncodingHandle[]} encodings of which all or none want the states of all tokens
   * @returns {Promise<number>} how many of them, from the first on, are done; the others are as they were, and the wasm's to do
   */
  async encode(encodings) {
    let done = 0;
    if (!this.#gpu) return done;
    const tower = this.#tower;
    try {
      const rows = encodings.some((encoding) => tower.wantsAll(encoding)) ? 'all' : 'class';
      const states = await this.#gpu.run(
        encodings.map((encoding) => tower.patches(encoding)),
        { rows },
      );
      for (const [i, encoding] of encodings.entries()) {
        tower.complete(encoding, /** @type {Float32Array} */ (states[i]));
        done += 1;
      }
    } catch (error) {
      this.end(why(error));
    }
    return done;
  }

  /**
   * The first of the layers alone, on a GPU tower of its own.
   *
   * @param {ImageEncodingHandle} encoding
   * @param {Surroundings['load']} load
   */
  async firstLayer(encoding, load) {
    const { GpuTower } = await load();
    const description = { ...describe(this.#tower), layers: 1 };
    const gpu = await GpuTower.create(this.#device, description, reader(this.#tower));
    try {
      const [states] = await gpu.run([this.#tower.patches(encoding)], { rows: 'all' });
      return /** @type {Float32Array} */ (states);
    } finally {
      gpu.destroy();
    }
  }

  /** The states after all layers. @param {ImageEncodingHandle} encoding */
  async states(encoding) {
    if (!this.#gpu) throw new Error('the GPU is gone');
    const [states] = await this.#gpu.run([this.#tower.patches(encoding)], { rows: 'all' });
    return /** @type {Float32Array} */ (states);
  }

  /** Gives the GPU back; the wasm does all that comes. @param {string} [reason] */
  end(reason = 'it is not used') {
    if (!this.#gpu) return;
    this.lost = reason;
    this.#gpu.destroy();
    this.#gpu = null;
    this.#device.destroy();
    release(this.#tower);
  }
}

/** @param {VisionTowerHandle} tower @returns {TowerDescription} */
function describe(tower) {
  const description = JSON.parse(tower.description());
  const { activation } = description;
  return {
    ...description,
    activation: activation === 'gelu_pytorch_tanh' ? 'gelu_tanh' : activation,
    output: 'all',
  };
}

/** The tower's parameters, one at a time, each copied once. @param {VisionTowerHandle} tower @returns {ReadTensor} */
function reader(tower) {
  return (name) => {
    const tensor = tower.parameter(name);
    if (!tensor) return undefined;
    try {
      const { dtype, rows, columns, values, scales } = tensor;
      if (rows === 0) return { vector: new Float32Array(values.buffer, values.byteOffset, columns) };
      return { matrix: { dtype, rows, columns, values, ...(scales.length > 0 && { scales }) } };
    } finally {
      release(tensor);
    }
  };
}
