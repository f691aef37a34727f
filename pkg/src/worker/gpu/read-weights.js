/**
 * A tower's weights, by their names.
 *
 * @typedef {import('./types.js').TowerDescription} TowerDescription
 * @typedef {import('./types.js').ReadTensor} ReadTensor
 * @typedef {import('./plan.js').Layer} Layer
 * @typedef {import('./plan.js').Weights} Weights
 * @typedef {import('./device.js').Uploads} Uploads
 */

import { checked } from './device.js';
import { findMatrix, readMatrix, readNorm, required, vector } from './weights.js';

/**
 * Reads and uploads all weights. The device is asked after each layer whether it had room for it.
 * @param {Uploads} uploads
 * @param {TowerDescription} description
 * @param {ReadTensor} read
 * @returns {Promise<Weights>}
 */
export async function readWeights(uploads, description, read) {
  const { width, inputs, patches, prefix, preNorm } = description;
  const { device } = uploads;
  const embedding = () => ({
    patchEmbedding: readMatrix(uploads, read, ['patch_embedding'], { outputs: width, inputs }),
    positions: uploads.add('positions', required(read, 'positions', patches * width)),
    prefix: prefix > 0 ? uploads.add('prefix', required(read, 'prefix', prefix * width)) : undefined,
    preNorm: preNorm ? readNorm(uploads, read, 'pre_norm', width) : undefined,
  });
  const first = patches > 0 ? await checked(device, embedding) : {};
  /** @type {Layer[]} */
  const layers = [];
  for (let i = 0; i < description.layers; i++) {
    layers.push(await checked(device, () => readLayer(uploads, description, read, `layers.${i}`)));
  }
  return { ...first, layers, keyValues: await readKeyValues(uploads, description, read) };
}

/** @param {Uploads} uploads @param {TowerDescription} description @param {ReadTensor} read */
async function readKeyValues(uploads, { width, keyValues }, read) {
  if (!keyValues) return undefined;
  const { device } = uploads;
  const shape = { outputs: keyValues.width, inputs: width };
  const norm = await checked(device, () => readNorm(uploads, read, 'post_norm', width));
  /** @type {import('./weights.js').Matrix[]} */
  const layers = [];
  for (let i = 0; i < keyValues.layers; i++) {
    const names = [`key_values.${i}.key`, `key_values.${i}.value`];
    layers.push(await checked(device, () => readMatrix(uploads, read, names, shape)));
  }
  return { norm, layers };
}

/**
 * @param {Uploads} uploads @param {TowerDescription} description @param {ReadTensor} read @param {string} name
 * @returns {Layer}
 */
function readLayer(uploads, { width, intermediate }, read, name) {
  const square = { outputs: width, inputs: width };
  return {
    norm1: readNorm(uploads, read, `${name}.norm1`, width),
    qkv:
      findMatrix(uploads, read, [`${name}.qkv`], { outputs: 3 * width, inputs: width }) ??
      readMatrix(uploads, read, [`${name}.q`, `${name}.k`, `${name}.v`], square),
    out: readMatrix(uploads, read, [`${name}.out`], {
      ...square,
      factor: vector(read, `${name}.scale1`, width),
    }),
    norm2: readNorm(uploads, read, `${name}.norm2`, width),
    up: readMatrix(uploads, read, [`${name}.up`], { outputs: intermediate, inputs: width }),
    down: readMatrix(uploads, read, [`${name}.down`], {
      outputs: width,
      inputs: intermediate,
      factor: vector(read, `${name}.scale2`, width),
    }),
  };
}
