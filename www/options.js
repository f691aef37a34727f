/**
 * What the page's address asks for: where the hub is, and for trying things out, how models run.
 *
 * @typedef {Pick<import('ocelli').LoadOptions, 'base' | 'dtype' | 'threads' | 'device' | 'variant'>} LoadOptions
 */

/**
 * @param {string} search such as `?threads=1` or `?dtype=f32&variant=simd128&base=https://…`
 * @returns {LoadOptions} what is not given is the package's to choose; what is wrong, to refuse
 */
export function loadOptions(search) {
  const given = new URLSearchParams(search);
  const base = given.get('base');
  const dtype = /** @type {import('ocelli').Dtype | null} */ (given.get('dtype'));
  const threads = given.get('threads');
  const device = /** @type {LoadOptions['device'] | null} */ (given.get('device'));
  const variant = /** @type {import('ocelli').VariantName | null} */ (given.get('variant'));
  return {
    ...(base !== null && { base }),
    ...(dtype !== null && { dtype }),
    ...(threads !== null && { threads: threads === 'auto' ? threads : Number(threads) }),
    ...(device !== null && { device }),
    ...(variant !== null && { variant }),
  };
}
