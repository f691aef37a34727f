import { existsSync, readFileSync } from 'node:fs';
import { bytes } from './server.js';

/** What the golden tests of Rust are made of, for tests of the whole package. */

const ROOT = new URL('../../../', import.meta.url);

/** @param {string} path from the root of the repository */
export const read = (path) => readFileSync(new URL(path, ROOT));

/** @param {string} path from the root of the repository */
export const has = (path) => existsSync(new URL(path, ROOT));

/** Routes of a model's folder. @param {string} folder from the root of the repository @param {Record<string, any>} [others] */
export function folderRoutes(folder, others = {}) {
  const names = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'model.safetensors'];
  const there = names
    .filter((name) => has(`${folder}/${name}`))
    .map((name) => [name, read(`${folder}/${name}`)]);
  const files = { ...Object.fromEntries(there), ...others };
  return Object.fromEntries(Object.entries(files).map(([name, body]) => [`/m/${name}`, bytes(body)]));
}

/** A tensor of single precision in a safetensors file. @param {string} path @param {string} name */
export function tensor(path, name) {
  const file = read(path);
  const start = 8 + Number(file.readBigUInt64LE());
  const { dtype, shape, data_offsets: place } = JSON.parse(file.toString('utf8', 8, start))[name];
  if (dtype !== 'F32') throw new Error(`${name} in ${path} is ${dtype}.`);
  const data = file.subarray(start + place[0], start + place[1]);
  return { shape, values: Float32Array.from({ length: data.length / 4 }, (_, i) => data.readFloatLE(4 * i)) };
}

/** How many pictures `pixels` has. */
const IMAGES = 3;

/**
 * The pixels of the golden models as pictures, rounded to 8 bits: numbers from -2 to 2, as `pixels` of
 * tests/golden/models/make.py makes them.
 *
 * @param {number} size
 */
export function pictures(size) {
  const area = size * size;
  return Array.from({ length: IMAGES }, (_, image) => {
    const data = new Uint8ClampedArray(4 * area).fill(255);
    for (let i = 0; i < 3 * area; i += 1) {
      const index = 3 * area * image + i;
      const square = Math.imul(Math.imul(index, index), 2654435761);
      const sum = (square + Math.imul(index, 40503)) >>> 0;
      const hashed = (sum ^ (sum >>> 15)) >>> 0;
      data[4 * (i % area) + Math.floor(i / area)] = Math.round(((hashed >>> 8) / 2 ** 24) * 255);
    }
    return { data, width: size, height: size };
  });
}

/** What makes those pixels of such pictures again. @param {number} size */
export const preprocessor = (size) =>
  JSON.stringify({
    size: { height: size, width: size },
    rescale_factor: 4 / 255,
    image_mean: [2, 2, 2],
    image_std: [1, 1, 1],
  });
