/** @param {readonly Float32Array[]} vectors @returns {Float32Array} one after the other */
export function concatenated(vectors) {
  const all = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const vector of vectors) {
    all.set(vector, end);
    end += vector.length;
  }
  return all;
}
