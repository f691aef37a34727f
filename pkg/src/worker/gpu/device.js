/**
 * Buffers, pipelines and errors of a device.
 */

/** `GPUBufferUsage`, in the numbers of the specification: Node has no such name. */
export const USAGE = { MAP_READ: 0x1, COPY_SRC: 0x4, COPY_DST: 0x8, UNIFORM: 0x40, STORAGE: 0x80 };

/** `GPUMapMode.READ` */
const READ = 1;

/**
 * Does something that makes or uses buffers, and throws what the device has to say against it, as far as it is said before the
 * first await: error scopes are a stack, which others use as well.
 * @template T
 * @param {GPUDevice} device
 * @param {() => T} work
 * @returns {Promise<T>}
 */
export async function checked(device, work) {
  const filters = /** @type {const} */ (['validation', 'out-of-memory', 'internal']);
  for (const filter of filters) device.pushErrorScope(filter);
  /** @type {{ result: T } | { thrown: unknown }} */
  let outcome;
  try {
    outcome = { result: work() };
  } catch (thrown) {
    outcome = { thrown };
  }
  const errors = await Promise.all(filters.map(() => device.popErrorScope()));
  if ('thrown' in outcome) throw outcome.thrown;
  const error = errors.find((one) => one !== null);
  if (error) throw new Error(`The GPU refuses: ${error.message}`);
  return outcome.result;
}

/** Pipelines of each device by their text: all its towers have them in common. @type {WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>} */
const compiled = new WeakMap();

/** A kernel, which is compiled once. @param {GPUDevice} device @param {string} label @param {string} code */
export function compile(device, label, code) {
  const pipelines = compiled.get(device) ?? new Map();
  compiled.set(device, pipelines);
  const known = pipelines.get(code);
  if (known) return known;
  const compute = { module: device.createShaderModule({ label, code }), entryPoint: 'main' };
  const pipeline = device.createComputePipelineAsync({ label, layout: 'auto', compute });
  pipelines.set(code, pipeline);
  return pipeline;
}

/** The small buffers of sizes, by what is in them. */
export class Params {
  /** @type {Map<string, GPUBuffer>} */
  #buffers = new Map();

  /** @param {GPUDevice} device */
  constructor(device) {
    this.device = device;
  }

  /** @param {number[]} numbers */
  get(numbers) {
    const key = numbers.join();
    let buffer = this.#buffers.get(key);
    if (!buffer) {
      // A uniform struct's size is a multiple of 16 bytes on some devices.
      const data = new Uint32Array(Math.ceil(numbers.length / 4) * 4);
      data.set(numbers);
      buffer = upload(this.device, 'sizes', data, USAGE.UNIFORM);
      this.#buffers.set(key, buffer);
    }
    return buffer;
  }

  destroy() {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}

/**
 * A buffer with something in it.
 * @param {GPUDevice} device
 * @param {string} label
 * @param {ArrayBufferView} data
 * @param {number} [usage]
 */
export function upload(device, label, data, usage = USAGE.STORAGE) {
  const size = Math.ceil(data.byteLength / 16) * 16;
  const buffer = device.createBuffer({ label, size, usage: usage | USAGE.COPY_DST });
  write(device, buffer, data);
  return buffer;
}

/** Buffers that are filled once, and go together. */
export class Uploads {
  /** @type {GPUBuffer[]} */
  #buffers = [];

  /** @param {GPUDevice} device */
  constructor(device) {
    this.device = device;
  }

  /** @param {string} label @param {ArrayBufferView} data */
  add(label, data) {
    const buffer = upload(this.device, label, data);
    this.#buffers.push(buffer);
    return buffer;
  }

  get bytes() {
    return this.#buffers.reduce((sum, { size }) => sum + size, 0);
  }

  destroy() {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers = [];
  }
}

/**
 * Writes bytes of any number: the last one to three of them in a word of their own.
 * @param {GPUDevice} device
 * @param {GPUBuffer} buffer
 * @param {ArrayBufferView} data
 * @param {number} [at]
 */
export function write(device, buffer, data, at = 0) {
  // What lies in memory that threads share cannot be written from there on every browser.
  const shared = !(data.buffer instanceof ArrayBuffer);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const whole = bytes.length - (bytes.length % 4);
  const source = /** @type {Uint8Array<ArrayBuffer>} */ (shared ? bytes.slice() : bytes);
  if (whole > 0) device.queue.writeBuffer(buffer, at, source, 0, whole);
  if (whole === bytes.length) return;
  const rest = new Uint8Array(4);
  rest.set(source.subarray(whole));
  device.queue.writeBuffer(buffer, at + whole, rest);
}

/**
 * What is in a buffer that can be mapped. Rejects where its device is lost meanwhile.
 * @param {GPUBuffer} buffer
 * @param {number} bytes
 */
export async function readBack(buffer, bytes) {
  await buffer.mapAsync(READ, 0, bytes);
  const copy = buffer.getMappedRange(0, bytes).slice(0);
  buffer.unmap();
  return copy;
}
