/** How many of the ten nearest pictures, of features in float32, an index in eight bits finds as well. */

import { Embedder, Index } from '/pkg/dist/index.js';
import { serve } from './worker.js';

const TOP = 10;

/** A part of a picture, some three fifths of each side. @param {Blob} blob @param {number} number */
async function crop(blob, number) {
  const bitmap = await createImageBitmap(blob);
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * 0.6)));
  const canvas = new OffscreenCanvas(width, height);
  const [x, y] = [number % 3, Math.floor(number / 3) % 3];
  const left = ((bitmap.width - width) * x) / 2;
  const top = ((bitmap.height - height) * y) / 2;
  canvas.getContext('2d')?.drawImage(bitmap, -left, -top);
  return canvas;
}

/** @param {Float32Array[]} vectors @param {Float32Array} query */
function nearest(vectors, query) {
  const scores = vectors.map((vector, row) => ({
    row,
    score: vector.reduce((sum, x, i) => sum + x * query[i], 0),
  }));
  return scores.sort((a, b) => b.score - a.score).slice(0, TOP);
}

serve({
  /** @param {{ urls: string[] }} given */
  async recall({ urls }) {
    const embedder = await Embedder.load('ocelli', { tower: 'image' });
    /** @type {Float32Array[]} */
    const whole = [];
    /** @type {Float32Array[]} */
    const parts = [];
    for (const [number, url] of urls.entries()) {
      const blob = await (await fetch(url)).blob();
      whole.push(...(await embedder.embedImages([blob])));
      parts.push(...(await embedder.embedImages([await crop(blob, number)])));
    }
    const index = await Index.create();
    await index.addVectors(whole.map((vector, row) => ({ id: String(row), vector })));
    let found = 0;
    for (const query of parts) {
      const right = new Set(nearest(whole, query).map(({ row }) => String(row)));
      const hits = await index.search(query, { topK: TOP });
      found += hits.filter(({ id }) => right.has(id)).length;
    }
    index.dispose();
    embedder.dispose();
    return { recall: found / (TOP * parts.length), queries: parts.length };
  },
});
