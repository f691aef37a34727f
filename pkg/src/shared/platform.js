/**
 * What ocelli asks of its surroundings, where they differ. A browser's ways are the default; `node.js` and `node-worker.js`
 * put Node's in their place, each in its own thread, before anything else runs.
 *
 * @typedef {object} Platform
 * @property {(address: string, init?: RequestInit) => Promise<Response>} fetch
 * @property {(address: string) => URL} resolve an address as an absolute one. Throws where it is none
 * @property {(blob: Blob) => Promise<Blob>} sendable a blob that can be sent to a worker, with the same bytes
 * @property {string} host what it is, in sentences
 * @property {() => string | null} noSharing why threads may not share memory; null where they may
 * @property {() => number} cores
 * @property {() => void} refuseServer throws where pages are rendered, and nothing is to be loaded
 * @property {(() => import('./types.js').WorkerLike) | null} startWorker where workers are not the browser's
 * @property {(() => Promise<import('../cache/index.js').Backend | null>) | null} openCache where models are not kept in the
 *   browser's storage
 * @property {(() => Promise<import('../cache/index-store.js').Files | null>) | null} openIndexes the same of indexes
 */

/** @type {Platform} */
export const platform = {
  fetch: (address, init) =>
    address.startsWith('data:') ? fetchData(address) : globalThis.fetch(address, init),
  resolve: (address) => new URL(address, baseAddress()),
  sendable: async (blob) => blob,
  host: 'This browser',
  noSharing: () => (globalThis.crossOriginIsolated === true ? null : 'the page is not cross-origin isolated'),
  cores: () => globalThis.navigator?.hardwareConcurrency || 1,
  refuseServer: () => {},
  startWorker: null,
  openCache: null,
  openIndexes: null,
};

/** What relative addresses are relative to: the page's own. */
function baseAddress() {
  const { document, location } =
    /** @type {{ document?: { baseURI: string }, location?: { href: string } }} */ (globalThis);
  return document?.baseURI ?? location?.href;
}

/**
 * An address that a bundler has put in the place of one of the package's: Turbopack's have no host.
 *
 * @param {URL} found
 * @returns {URL}
 */
export function absoluteUrl(found) {
  const text = String(found);
  for (const base of [undefined, baseAddress(), globalThis.origin]) {
    try {
      return new URL(text, base);
    } catch {
      // Relative to something else: a worker that was made of a blob has a base that is none.
    }
  }
  return found;
}

/**
 * Bundlers put small files into addresses, which pages with a strict policy must not fetch.
 *
 * @param {string} address
 * @returns {Promise<Response>}
 */
export async function fetchData(address) {
  const match = /^data:([^,]*?)(;base64)?,(.*)$/s.exec(address);
  if (!match) throw new TypeError('The data address is damaged.');
  const [, type = '', base64, data = ''] = match;
  const text = decodeURIComponent(data);
  const bytes = base64 ? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) : text;
  return new Response(bytes, { headers: { 'content-type': type || 'text/plain' } });
}
