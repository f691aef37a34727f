/**
 * Buffers for what lies between two kernels. They are kept from call to call and only ever grow.
 */

import { USAGE } from './device.js';

export class Workspace {
  /** @type {Map<string, GPUBuffer>} */
  #buffers = new Map();

  /** Counts how often a buffer was replaced: what was bound before is of no use then. */
  version = 0;

  /** @param {GPUDevice} device */
  constructor(device) {
    this.device = device;
  }

  /** A buffer of at least so many bytes. @param {string} name @param {number} bytes @param {number} [usage] */
  get(name, bytes, usage = USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST) {
    const had = this.#buffers.get(name);
    if (had && had.size >= bytes) return had;
    if (had) {
      had.destroy();
      this.version++;
    }
    const buffer = this.device.createBuffer({ label: name, size: Math.ceil(bytes / 16) * 16, usage });
    this.#buffers.set(name, buffer);
    return buffer;
  }

  get bytes() {
    return [...this.#buffers.values()].reduce((sum, { size }) => sum + size, 0);
  }

  destroy() {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
    this.version++;
  }
}
