/**
 * A vision transformer on the GPU.
 *
 * @typedef {import('./types.js').TowerDescription} TowerDescription
 * @typedef {import('./types.js').TowerTensor} TowerTensor
 * @typedef {import('./types.js').ReadTensor} ReadTensor
 * @typedef {import('./types.js').RowsAsked} RowsAsked
 */

export class GpuTower {
  /**
   * Uploads the weights, layer by layer: each tensor is read, written to its buffer and forgotten. Throws where the device
   * refuses.
   * @param {GPUDevice} _device
   * @param {TowerDescription} _description
   * @param {ReadTensor} _readTensor
   * @param {{ tuning?: object }} [_options]
   * @returns {Promise<GpuTower>}
   */
  static async create(_device, _description, _readTensor, _options = {}) {
    throw new Error('not written yet');
  }

  /**
   * The states after the last layer, before the final norm, of several images: for each one rows asked for x width.
   * @param {Float32Array[]} _patches for each image patches x inputs
   * @param {{ rows?: RowsAsked }} [_options] by default what the description says
   * @returns {Promise<Float32Array[]>}
   */
  async run(_patches, _options = {}) {
    throw new Error('not written yet');
  }

  /** Bytes of GPU memory held. */
  get bytes() {
    return 0;
  }

  /** Gives the GPU memory back. */
  destroy() {}
}
