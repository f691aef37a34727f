/**
 * What was measured on the GPUs of this browser: which tile was fastest for each product. Kept in the Cache API; where there is
 * none, or it fails, all is measured again on the next visit.
 *
 * @typedef {import('../worker/gpu/tuning.js').Tuning} Tuning
 */

const CACHE = 'ocelli-gpu';
/** Only a name, of a host that there can never be. */
const ADDRESS = 'https://ocelli.invalid/tuning.json';
/** More than all models of a browser come to. */
const MOST = 2000;

/** @returns {Promise<Tuning>} */
export async function readTuning() {
  try {
    const kept = await (await (await caches.open(CACHE)).match(ADDRESS))?.json();
    const entries = Object.entries(kept ?? {}).slice(0, MOST);
    return Object.fromEntries(entries.filter(([, tile]) => typeof tile === 'string'));
  } catch {
    return {};
  }
}

/** @param {Tuning} tuning */
export async function writeTuning(tuning) {
  try {
    await (await caches.open(CACHE)).put(ADDRESS, new Response(JSON.stringify(tuning)));
  } catch {
    // It is only faster with it.
  }
}
