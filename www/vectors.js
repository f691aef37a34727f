/** @param {Float32Array} a @param {Float32Array} b of the same length, both of length 1 @returns {number} their cosine */
export function dot(a, b) {
  return a.reduce((sum, value, place) => sum + value * (b[place] ?? 0), 0);
}
