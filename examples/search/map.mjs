// A map of a collection: pictures that are alike lie near each other. `node map.mjs photos.ocelli > map.csv`, after
// `npm install ocelli umap-js`. The same lines work in a page.
//
// UMAP is L. McInnes, J. Healy and J. Melville, "UMAP: Uniform Manifold Approximation and Projection", 2018.

import { Index } from 'ocelli';
import { UMAP } from 'umap-js';

const [file = 'photos.ocelli'] = process.argv.slice(2);

const index = await Index.open(file);
const ids = await index.ids();
const vectors = await index.vectors(ids);
index.dispose();

/** Numbers that are the same in each run, for the same map: Marsaglia's xorshift. */
let state = 1;
function random() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

/** Of vectors of length 1, as good as one minus their cosine. @param {number[]} a @param {number[]} b */
function distance(a, b) {
  return 1 - a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
}

const nNeighbors = Math.max(2, Math.min(15, ids.length - 1));
const umap = new UMAP({ nComponents: 2, nNeighbors, minDist: 0.1, distanceFn: distance, random });
const places = await umap.fitAsync(vectors.map((vector) => [...vector]));
console.log('id,x,y');
for (const [i, [x = 0, y = 0]] of places.entries()) {
  console.log(`"${(ids[i] ?? '').replaceAll('"', '""')}",${x.toFixed(3)},${y.toFixed(3)}`);
}
