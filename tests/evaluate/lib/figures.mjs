// Figures: shares with their intervals, areas under curves, calibration.

/** The 97.5th percentile of the normal distribution: 95 % lie between it and its negative. */
const Z = 1.959964;

/** Of whatever is drawn at random. */
export const SEED = 20261128;

/**
 * Wilson's 95 % interval of a share.
 * @param {number} right
 * @param {number} all at least one
 * @returns {[number, number]}
 */
export function wilson(right, all) {
  const share = right / all;
  const scale = 1 + Z ** 2 / all;
  const middle = share + Z ** 2 / (2 * all);
  const reach = Z * Math.sqrt((share * (1 - share)) / all + Z ** 2 / (4 * all ** 2));
  return [Math.max(0, (middle - reach) / scale), Math.min(1, (middle + reach) / scale)];
}

/**
 * How often one of `positive` is larger than one of `negative`; equals count half. With Hanley and McNeil's 95 %
 * interval (1982).
 * @param {number[]} positive at least one
 * @param {number[]} negative at least one
 * @returns {{ area: number, interval: [number, number] }}
 */
export function areaUnderCurve(positive, negative) {
  const sorted = [...negative].sort((a, b) => a - b);
  let sum = 0;
  for (const value of positive) sum += (below(sorted, value, false) + below(sorted, value, true)) / 2;
  const area = sum / positive.length / negative.length;
  const q1 = area / (2 - area);
  const q2 = (2 * area ** 2) / (1 + area);
  const spread =
    area * (1 - area) + (positive.length - 1) * (q1 - area ** 2) + (negative.length - 1) * (q2 - area ** 2);
  const reach = Z * Math.sqrt(spread / positive.length / negative.length);
  return { area, interval: [Math.max(0, area - reach), Math.min(1, area + reach)] };
}

/**
 * How many of a sorted list are below a value, or not above it.
 * @param {number[]} sorted
 * @param {number} value
 * @param {boolean} equal whether equals count too
 */
function below(sorted, value, equal) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = /** @type {number} */ (sorted[middle]);
    if (at < value || (equal && at === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The expected calibration error: how far confidence and share of right answers are apart, in bins of equal width, weighed
 * by how many answers are in each.
 * @param {{ confidence: number, right: boolean }[]} answers at least one
 * @param {number} [bins]
 */
export function calibrationError(answers, bins = 15) {
  const sums = Array.from({ length: bins }, () => ({ confidence: 0, right: 0 }));
  for (const { confidence, right } of answers) {
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))];
    if (!bin) continue;
    bin.confidence += confidence;
    bin.right += Number(right);
  }
  return sums.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.right), 0) / answers.length;
}

/**
 * How many of the others score at least as well as the right one; 0 is the first place.
 * @param {ArrayLike<number>} scores
 * @param {number} right
 */
export function rankOf(scores, right) {
  const own = /** @type {number} */ (scores[right]);
  let rank = 0;
  for (let i = 0; i < scores.length; i++) {
    if (i !== right && /** @type {number} */ (scores[i]) >= own) rank += 1;
  }
  return rank;
}

/**
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b of the same length
 */
export function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += /** @type {number} */ (a[i]) * /** @type {number} */ (b[i]);
  return sum;
}

/** Numbers that look random and are always the same ones. @param {number} seed @returns {() => number} from 0 to 1 */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * So many of a list, drawn without replacement, always the same ones.
 * @template T
 * @param {readonly T[]} list
 * @param {number} count
 * @param {number} seed
 * @returns {T[]}
 */
export function sample(list, count, seed) {
  const random = seeded(seed);
  const copy = [...list];
  const most = Math.min(count, copy.length);
  for (let i = 0; i < most; i++) {
    const j = i + Math.floor(random() * (copy.length - i));
    [copy[i], copy[j]] = [/** @type {T} */ (copy[j]), /** @type {T} */ (copy[i])];
  }
  return copy.slice(0, most);
}
