/**
 * A tower as the wasm hands it over, in the terms of what computes it on a GPU.
 *
 * @typedef {import('./handles.js').TextTowerHandle} TextTowerHandle
 * @typedef {import('./handles.js').VisionTowerHandle} VisionTowerHandle
 * @typedef {import('./gpu/types.js').ReadTensor} ReadTensor
 * @typedef {import('./gpu/types.js').TowerDescription} TowerDescription
 */

import { release } from './operations/release.js';

/** What a tower of texts has none of: they come as rows for the first layer. */
const NO_PATCHES = { patches: 0, inputs: 0, prefix: 0, preNorm: false };

/** @param {VisionTowerHandle} tower @returns {TowerDescription} */
export function describeVision(tower) {
  return { ...described(tower), output: 'all' };
}

/** @param {TextTowerHandle} tower @returns {TowerDescription} */
export function describeText(tower) {
  return { ...described(tower), ...NO_PATCHES, output: 'ends' };
}

/** @param {Pick<VisionTowerHandle, 'description'>} tower */
function described(tower) {
  const description = JSON.parse(tower.description());
  const { activation } = description;
  return { ...description, activation: activation === 'gelu_pytorch_tanh' ? 'gelu_tanh' : activation };
}

/** The tower's parameters, one at a time, each copied once. @param {Pick<VisionTowerHandle, 'parameter'>} tower @returns {ReadTensor} */
export function readerOf(tower) {
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
