/** Why a worker did not start, as far as it can be told: browsers say no more than that it failed. */

import { workerAddress } from '../files.js';
import { platform } from '../shared/platform.js';
import { violatedDirective } from '../shared/policy.js';
import { unreachable } from '../shared/unreachable.js';

/** @returns {Promise<string | null>} a sentence, or null where nothing speaks for a cause */
export async function startFailure() {
  if (platform.startWorker) return null;
  const directive = await violatedDirective([
    'worker-src',
    'child-src',
    'script-src',
    'script-src-elem',
    'default-src',
  ]);
  if (directive) {
    const { origin } = globalThis.location;
    return `The page's content security policy forbids ocelli's worker: its worker-src needs ${origin}, or blob: where the package lies on another origin.`;
  }
  if (globalThis.origin === 'null') {
    return globalThis.location?.protocol === 'file:'
      ? 'A page that is opened as a file can start no worker: serve its folder, as `npx serve` does.'
      : 'The page is in a sandbox, where it can start no worker: the sandbox needs allow-same-origin.';
  }
  const address = workerAddress();
  return address && whatLies(address);
}

/** @param {URL} address where the worker should be @returns {Promise<string | null>} */
async function whatLies({ href }) {
  const remedy = 'tell with setBase where the package lies';
  try {
    const response = await fetch(href);
    await response.body?.cancel();
    if (!response.ok) {
      return `ocelli's worker could not be loaded: the server answered ${response.status} for ${href}; ${remedy}.`;
    }
    const type = response.headers.get('content-type') ?? '';
    if (!/javascript/i.test(type)) {
      return `ocelli's worker could not be loaded: what lies at ${href} is no script, but ${type || 'of no type'}; ${remedy}.`;
    }
    return null;
  } catch {
    return `ocelli's worker could not be loaded: ${href} ${unreachable(href)}.`;
  }
}
