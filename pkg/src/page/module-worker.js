/**
 * Workers of scripts that may lie elsewhere. Browsers start no worker from another origin, such as a CDN, but a script of
 * the page's own may import from there what its server lets it.
 */

/** One address of such a script for each script that it imports. @type {Map<string, string>} */
const importers = new Map();

/**
 * @param {() => Worker} start makes the worker, of an address in `new Worker` itself, which is where bundlers look for it
 * @param {string} address of the script, where no bundler has moved it
 * @returns {Worker}
 */
export function startModuleWorker(start, address) {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'SecurityError') throw error;
    try {
      return new Worker(importerOf(address), { type: 'module' });
    } catch {
      // Neither way is allowed: the first refusal tells why.
      throw error;
    }
  }
}

/** @param {string} address */
function importerOf(address) {
  const known = importers.get(address);
  if (known) return known;
  const script = new Blob([`import ${JSON.stringify(address)};`], { type: 'text/javascript' });
  const url = URL.createObjectURL(script);
  importers.set(address, url);
  return url;
}
