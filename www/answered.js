/**
 * Waits for what models say of pictures.
 *
 * @typedef {import('./pictures.js').Picture} Picture
 */

/**
 * Waits until models have said of pictures what they can; work that was stopped, or whose model is not to be had, is not waited for.
 *
 * @param {import('./session.js').Session} session
 * @param {readonly Picture[]} pictures
 * @param {{ signal?: AbortSignal, told?: (open: number) => void }} [options] `told`: how many pictures are waited for
 * @throws what the signal was aborted with
 */
export async function answered(session, pictures, { signal, told } = {}) {
  const stopped = new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
  for (;;) {
    signal?.throwIfAborted();
    const open = pictures.filter((picture) => isOpen(session, picture)).length;
    if (open === 0) return;
    told?.(open);
    const changed = new Promise((resolve) => session.addEventListener('change', resolve, { once: true }));
    await Promise.race([changed, stopped]);
  }
}

/** @param {import('./session.js').Session} session @param {Picture} picture */
function isOpen({ tags, captions }, picture) {
  return [tags, captions].some(
    ({ status, jobs }) =>
      (status === 'loading' || status === 'ready') &&
      /^(waiting|running)$/.test(jobs.get(picture)?.status ?? ''),
  );
}
