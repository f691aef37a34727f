/**
 * Workers of scripts that may lie elsewhere. Browsers start no worker from another origin, such as a CDN, but a script of
 * the page's own may import from there what its server lets it. Pages with Trusted Types start none from a plain address.
 */

import { startPackageWorker, workerAddress } from '../files.js';
import { WorkerError } from '../shared/errors.js';
import { platform } from '../shared/platform.js';
import { watchPolicy } from '../shared/policy.js';

/**
 * Starts the package's worker.
 *
 * @returns {import('../shared/types.js').WorkerLike}
 * @throws {WorkerError} `unsupported-browser` where there are no workers, `worker-failed`
 */
export function startWorker() {
  if (platform.startWorker) return platform.startWorker();
  if (typeof Worker === 'undefined') {
    throw new WorkerError(
      'unsupported-browser',
      'ocelli needs a browser with module workers: load models there, not while a page is rendered on a server.',
    );
  }
  watchPolicy();
  const known = workerAddress();
  // Firefox says so only later, and without a reason.
  if (known && isElsewhere(known)) return startImporter(known.href, null);
  try {
    return startPackageWorker((address) => new Worker(trusted(address.href), { type: 'module' }));
  } catch (error) {
    if (known && isForeign(error)) return startImporter(known.href, error);
    if (!isUntrusted(error)) throw error;
    try {
      if (known) return new Worker(trusted(known.href), { type: 'module' });
    } catch {
      // The first refusal tells why.
    }
    throw new WorkerError(
      'worker-failed',
      "The page's Trusted Types forbid ocelli's worker: allow the policy `ocelli`, or give the option worker.",
      { cause: error },
    );
  }
}

/** @param {unknown} error */
function isForeign(error) {
  return error instanceof DOMException && error.name === 'SecurityError';
}

/** @param {unknown} error */
function isUntrusted(error) {
  return error instanceof TypeError && /trusted/i.test(error.message);
}

/** One address of a script for each script that it imports. @type {Map<string, string>} */
const importers = new Map();

/** @param {URL} address */
function isElsewhere({ origin }) {
  const { location } = globalThis;
  return location !== undefined && location.origin !== 'null' && origin !== location.origin;
}

/** @param {string} address @param {unknown} refusal of the plain way, where it was tried */
function startImporter(address, refusal) {
  const url =
    importers.get(address) ??
    URL.createObjectURL(new Blob([`import ${JSON.stringify(address)};`], { type: 'text/javascript' }));
  importers.set(address, url);
  try {
    return new Worker(trusted(url), { type: 'module' });
  } catch (error) {
    // Neither way is allowed: the first refusal tells why.
    throw refusal ?? error;
  }
}

/** @type {{ createScriptURL: (address: string) => any } | null} */
let trustPolicy = null;

/**
 * An address as pages with Trusted Types demand it, where they let a policy be made.
 *
 * @param {string} address
 * @returns {string}
 */
function trusted(address) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  if (!trustedTypes) return address;
  try {
    trustPolicy ??= trustedTypes.createPolicy('ocelli', {
      createScriptURL: (/** @type {string} */ url) => url,
    });
    return trustPolicy?.createScriptURL(address) ?? address;
  } catch {
    return address;
  }
}
