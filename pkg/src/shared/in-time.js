/** Waiting that ends. */

/**
 * What a promise gives, unless it takes too long.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {number} limit milliseconds; `Infinity` for none
 * @param {() => Error} error what is thrown where it takes longer
 * @param {(late: T) => void} [undo] what is done with something that comes too late
 * @returns {Promise<T>}
 */
export async function inTime(promise, limit, error, undo) {
  if (limit === Infinity) return promise;
  let isLate = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(error());
    }, limit);
  });
  promise.then(
    (value) => isLate && undo?.(value),
    () => {},
  );
  try {
    return await Promise.race([promise, /** @type {Promise<never>} */ (late)]);
  } finally {
    clearTimeout(timer);
  }
}
