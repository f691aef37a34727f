// Times into a table: medians, minima and ratios.

/** @param {number[]} times at least one */
export function median(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2;
}

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {number} median
 * @property {number} min
 * @property {string} [against] the row that it is measured against
 * @property {number} [target] the largest ratio of minima that was asked for
 * @property {number} [ratio] of minima: noise only ever adds
 */

/**
 * @param {Map<string, number[]>} times by name, in milliseconds
 * @param {{ name: string, against: string | string[], target?: number }[]} comparisons of several rows, the fastest counts
 * @returns {Row[]}
 */
export function summarise(times, comparisons) {
  return [...times].map(([name, all]) => {
    const row = { name, median: median(all), min: Math.min(...all) };
    const comparison = comparisons.find((one) => one.name === name);
    const [other] = [comparison?.against ?? []]
      .flat()
      .map((against) => ({ against, min: Math.min(...(times.get(against) ?? [Infinity])) }))
      .sort((a, b) => a.min - b.min);
    if (!comparison || !other || other.min === Infinity) return row;
    return { ...row, ...comparison, against: other.against, ratio: row.min / other.min };
  });
}

/** @param {Row[]} rows @returns {string} */
export function table(rows) {
  const cells = rows.map(({ name, median, min, against, ratio, target }) => [
    name,
    median.toFixed(1),
    min.toFixed(1),
    ratio === undefined ? '' : `${ratio.toFixed(2)} x ${against}`,
    target === undefined || ratio === undefined ? '' : `${target} ${ratio <= target ? 'met' : 'missed'}`,
  ]);
  return grid([['what', 'median ms', 'min ms', 'ratio of minima', 'target'], ...cells], [1, 2]);
}

/**
 * Rows of cells under each other.
 * @param {string[][]} rows
 * @param {number[]} numbers the columns that are aligned at their end
 */
export function grid(rows, numbers) {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (/** @type {string[]} */ row) =>
    row
      .map((cell, i) => (numbers.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ');
  return rows.map(line).join('\n').replace(/ +$/gm, '');
}
