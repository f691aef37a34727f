/**
 * What was found out about the GPUs of this browser: which tile is fastest for each product, and which GPUs were refused. Kept in
 * the Cache API; where there is none, or it fails, all is found out again on the next visit.
 *
 * @typedef {import('../worker/gpu/tuning.js').Tuning} Tuning
 */

const CACHE = 'ocelli-gpu';
/** Only names, of a host that there can never be. */
const ADDRESSES = {
  tuning: 'https://ocelli.invalid/tuning.json',
  refusals: 'https://ocelli.invalid/refusals.json',
};
/** More entries than all models of a browser come to. */
const MOST = 2000;

export const readTuning = () => /** @type {Promise<Tuning>} */ (read(ADDRESSES.tuning));

/** @param {Tuning} tuning */
export const writeTuning = (tuning) => write(ADDRESSES.tuning, tuning);

export const readRefusals = () => read(ADDRESSES.refusals);

/** @param {Record<string, string>} refusals */
export const writeRefusals = (refusals) => write(ADDRESSES.refusals, refusals);

/**
 * Forgets what was found out about the GPUs of this browser: the next load with `device: 'auto'` tries them anew.
 *
 * @returns {Promise<void>}
 */
export async function forgetGpus() {
  if (globalThis.caches) await caches.delete(CACHE);
}

/** @param {string} address @returns {Promise<Record<string, string>>} */
async function read(address) {
  try {
    const kept = await (await (await caches.open(CACHE)).match(address))?.json();
    const entries = Object.entries(kept ?? {}).slice(0, MOST);
    return Object.fromEntries(entries.filter(([, text]) => typeof text === 'string'));
  } catch {
    return {};
  }
}

/** @param {string} address @param {Record<string, string>} entries */
async function write(address, entries) {
  try {
    await (await caches.open(CACHE)).put(address, new Response(JSON.stringify(entries)));
  } catch {
    // It is only faster with it.
  }
}
