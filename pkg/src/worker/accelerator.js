/**
 * The layers of a model's vision transformer on the GPU, where there is one that computes them right and faster, and with them
 * those of its text tower (`text-accelerator.js`).
 *
 * The wasm decodes, prepares and cuts pictures into patches; the GPU gives back the states after the last layer; what comes
 * then is the wasm's again. The wasm keeps its weights: whatever happens to the GPU, it goes on in its place.
 *
 * @typedef {import('./handles.js').ImageEncodingHandle} ImageEncodingHandle
 * @typedef {import('./handles.js').VisionTowerHandle} VisionTowerHandle
 * @typedef {import('./handles.js').Wasm} Wasm
 * @typedef {import('./gpu/tower.js').GpuTower} GpuTower
 * @typedef {import('./gpu/types.js').TowerDescription} TowerDescription
 * @typedef {import('./gpu/tuning.js').Tuning} Tuning
 * @typedef {import('../shared/types.js').Device} Device
 *
 * @typedef {object} Surroundings
 * @property {GPU | undefined} gpu
 * @property {() => Promise<typeof import('./gpu/tower.js')>} load the part of the package that only a GPU needs
 * @property {() => Promise<Tuning>} readTuning what was measured on an earlier visit
 * @property {(tuning: Tuning) => Promise<void>} writeTuning
 * @property {string} browser its name and version
 * @property {() => Promise<Record<string, string>>} readRefusals which GPUs were refused on an earlier visit, and why
 * @property {(refusals: Record<string, string>) => Promise<void>} writeRefusals
 *
 * @typedef {object} Chosen
 * @property {Accelerator | null} accelerator
 * @property {string} reason one sentence: why the GPU computes, or does not
 */

import { GpuRefusals } from './gpu-refusals.js';
import { release } from './operations/release.js';
import { answered, Refusal, refuseNonFinite, refuseTrap, why } from './refusal.js';
import { refuseOther, selfTest } from './self-test.js';
import { TextAccelerator } from './text-accelerator.js';
import { describeVision, readerOf } from './tower-tensors.js';

/** Software that stands in for a GPU, by what adapters say of themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|warp/i;

/** Longest waits for a GPU, in milliseconds, of which some hang without a word: for its device, for a tower, and for pictures. */
const PATIENCE = { device: 20_000, tower: 120_000, run: 10_000 };
/** A picture may take so many times as long as in the test. */
const SLOWER = 50;
/** Where the GPU takes so many times as long as the wasm, it is not measured again: less may have been a busy moment. */
const CLEARLY = 1.5;

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
  /** @type {GPUDevice | null} */
  let device = null;
  /** @type {Accelerator | null} */
  let accelerator = null;
  /** @type {GpuRefusals | null} */
  let refusals = null;
  let isTaken = false;
  try {
    const opened = await answered(openDevice(surroundings.gpu), PATIENCE.device, (late) =>
      late.device.destroy(),
    );
    ({ device } = opened);
    const { name, isSoftware } = opened;
    if (wanted === 'auto') {
      if (isSoftware) throw new Refusal('software stands in for a GPU here');
      refusals = new GpuRefusals(surroundings, name, tower);
      const before = await refusals.before();
      if (before) throw new Refusal(`${before}, as an earlier visit has found`);
    }
    // Software takes as long to be measured as to compute, and gains nothing by it. It is waited for, however long it takes.
    const tuning = isSoftware ? undefined : await surroundings.readTuning();
    const patience = isSoftware ? Infinity : PATIENCE.tower;
    isTaken = true;
    const begun = Accelerator.begin(device, tower, surroundings, tuning);
    accelerator = await answered(begun, patience, (late) => late.end());
    const { gpu, wasm: own } = await answered(selfTest(wasm, model, accelerator), patience);
    if (wanted === 'auto' && gpu >= own) {
      throw new Refusal(
        `the GPU takes ${Math.round(gpu)} ms for a picture, WebAssembly ${Math.round(own)} ms`,
        { isLasting: gpu >= CLEARLY * own },
      );
    }
    if (!isSoftware) accelerator.patience = PATIENCE.run + SLOWER * gpu;
    await accelerator.keepTuning();
    if (accelerator.lost) throw new Refusal(accelerator.lost);
    accelerator.takeTexts(model.textTower, surroundings, {
      tuning,
      faster: wanted === 'auto',
      patience: { ...PATIENCE, tower: patience, slower: SLOWER, ...(isSoftware && { run: Infinity }) },
    });
    // Clocks are coarse where pages are not isolated.
    const times = (own / Math.max(gpu, 0.1)).toFixed(1);
    return { accelerator, reason: `Pictures go through the GPU (${name}), ${times} times as fast.` };
  } catch (error) {
    const reason = `No GPU, because ${accelerator?.lost ?? why(error)}.`;
    const isLasting = error instanceof Refusal && error.isLasting && !accelerator?.lost;
    if (isLasting) await refusals?.keep(error.message);
    accelerator?.end();
    device?.destroy();
    if (!isTaken) release(tower);
    refuseTrap(error);
    return { accelerator: null, reason };
  }
}

/** @param {GPU | undefined} gpu */
async function openDevice(gpu) {
  if (!gpu) throw new Refusal('this browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Refusal('none is offered here');
  const { vendor = '', architecture = '', description = '', isFallbackAdapter = false } = adapter.info ?? {};
  // The default limits do. Larger ones let more pictures go through at once.
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits ?? {};
  const requiredLimits = maxBufferSize ? { maxBufferSize, maxStorageBufferBindingSize } : {};
  /** @type {GPUFeatureName[]} */
  const requiredFeatures = adapter.features?.has('shader-f16') ? ['shader-f16'] : [];
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
  #tuning;
  #writeTuning;
  /** How much of what was measured is kept. */
  #kept;
  #width;
  /** What texts see of the states, where the model has such texts. @type {TowerDescription['keyValues']} */
  keyValues;
  /** Numbers of pictures that were seen to give together what they give alone. @type {Set<number>} */
  #proven = new Set([1]);
  /** Number of layers. */
  layers;
  /** Longest wait for a picture, in milliseconds. */
  patience = Infinity;
  /** Why it has ended; null while it has not. @type {string | null} */
  lost = null;
  /** What reads many texts at once, where the model has such a tower. @type {TextAccelerator | null} */
  texts = null;

  /**
   * @param {GPUDevice} device
   * @param {VisionTowerHandle} tower
   * @param {GpuTower} gpu
   * @param {{ description: TowerDescription, tuning: Tuning | undefined, writeTuning: Surroundings['writeTuning'] }} more
   */
  constructor(device, tower, gpu, { description, tuning = {}, writeTuning }) {
    this.#device = device;
    this.#tower = tower;
    this.#gpu = gpu;
    this.#tuning = tuning;
    this.#writeTuning = writeTuning;
    this.#kept = 0;
    this.#width = description.width;
    this.layers = description.layers;
    this.keyValues = description.keyValues;
    void device.lost.then(({ message }) => this.end(sentence(message) || 'the device was lost'));
  }

  /**
   * @param {GPUDevice} device
   * @param {VisionTowerHandle} tower is freed at its end, or where there is no beginning
   * @param {Surroundings} surroundings
   * @param {Tuning} [tuning] to which is added what is measured; without it nothing is
   */
  static async begin(device, tower, { load, writeTuning }, tuning) {
    try {
      const { GpuTower } = await load();
      const description = describeVision(tower);
      const gpu = await GpuTower.create(device, description, readerOf(tower), tuning && { tuning });
      return new Accelerator(device, tower, gpu, { description, tuning, writeTuning });
    } catch (error) {
      release(tower);
      throw error;
    }
  }

  /** The tower as the wasm has it. */
  get tower() {
    return this.#tower;
  }

  /** How many numbers a state has. */
  get width() {
    return this.#width;
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
    try {
      for await (const { encoding, states, keyValues } of this.#computed(encodings)) {
        refuseNonFinite(states);
        this.#tower.complete(encoding, states, keyValues);
        done += 1;
      }
      void this.keepTuning();
    } catch (error) {
      this.end(why(error));
      refuseTrap(error);
    }
    return done;
  }

  /** Pictures with what becomes of them. @param {readonly ImageEncodingHandle[]} encodings */
  async *#computed(encodings) {
    if (this.keyValues) {
      // What texts see of a picture is too much to be read back of several at once.
      for (const encoding of encodings) yield { encoding, ...(await this.see(encoding)) };
      return;
    }
    const tower = this.#tower;
    const rows = encodings.some((encoding) => tower.wantsAll(encoding)) ? 'all' : 'class';
    const patches = encodings.map((encoding) => tower.patches(encoding));
    const all = await this.#run(patches, { rows });
    if (!this.#proven.has(all.length)) await this.#prove(patches, all, rows);
    for (const [i, encoding] of encodings.entries()) {
      const states = /** @type {Float32Array} */ (all[i]);
      yield { encoding, states, keyValues: [] };
    }
  }

  /** The states of all tokens after so many layers. @param {ImageEncodingHandle} encoding @param {number} [layers] by default all */
  async states(encoding, layers = this.layers) {
    const [states] = await this.#run([this.#tower.patches(encoding)], { rows: 'all', layers });
    return /** @type {Float32Array} */ (states);
  }

  /** The same after all layers, and what each layer of texts sees of them. @param {ImageEncodingHandle} encoding */
  async see(encoding) {
    if (!this.#gpu) throw new Refusal(this.lost ?? 'it is gone');
    const [seen] = await answered(this.#gpu.see([this.#tower.patches(encoding)]), this.patience);
    return /** @type {NonNullable<typeof seen>} */ (seen);
  }

  /** @param {Float32Array[]} patches @param {Parameters<GpuTower['run']>[1]} how */
  async #run(patches, how) {
    if (!this.#gpu) throw new Refusal(this.lost ?? 'it is gone');
    return answered(this.#gpu.run(patches, how), this.patience * patches.length);
  }

  /**
   * Other numbers of rows go through other tiles: the first time, the last picture goes through alone as well.
   *
   * @param {Float32Array[]} patches
   * @param {Float32Array[]} states
   * @param {'all' | 'class'} rows
   */
  async #prove(patches, states, rows) {
    const [alone] = await this.#run(patches.slice(-1), { rows });
    const together = states.at(-1) ?? new Float32Array();
    refuseOther(together, alone ?? together, this.#width, `of ${states.length} pictures at once`);
    this.#proven.add(states.length);
  }

  /**
   * Has texts go the same way, once many of them wait.
   *
   * @param {import('./handles.js').TextTowerHandle | undefined} tower is freed at the end
   * @param {Surroundings} surroundings
   * @param {Pick<import('./text-accelerator.js').TextOptions, 'faster' | 'patience'> & { tuning?: Tuning }} options
   */
  takeTexts(tower, { load }, { tuning, ...options }) {
    if (!tower) return;
    this.texts = new TextAccelerator(tower, {
      ...options,
      create: async (description, read) =>
        (await load()).GpuTower.create(this.#device, description, read, tuning && { tuning }),
      keepTuning: () => this.keepTuning(),
    });
  }

  /** Keeps what was measured since the last time, for later visits. */
  async keepTuning() {
    const size = Object.keys(this.#tuning).length;
    if (size === this.#kept) return;
    this.#kept = size;
    await this.#writeTuning(this.#tuning);
  }

  /** Gives the GPU back; the wasm does all that comes. @param {string} [reason] */
  end(reason = 'it is not used') {
    if (!this.#gpu) return;
    this.lost = reason;
    this.texts?.end();
    this.#gpu.destroy();
    this.#gpu = null;
    this.#device.destroy();
    release(this.#tower);
  }
}

/** What a device says, as it goes into a sentence. @param {string} message */
function sentence(message) {
  return message.replace(/\.$/, '');
}
