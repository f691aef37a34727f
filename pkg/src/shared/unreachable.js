/** Why nothing came of a request, as far as it can be told: browsers say no more than that it failed. */

import { violatedDirective } from './policy.js';

/**
 * What an address is that nothing answers at, as it follows the address or its host in a sentence. Only pages and their
 * workers are kept from other sites.
 *
 * @param {string} address
 */
export function unreachable(address) {
  const { location } = globalThis;
  const isElsewhere = location !== undefined && new URL(address).origin !== location.origin;
  return isElsewhere
    ? "is out of reach, or its server does not allow other sites' pages (CORS)"
    : 'is out of reach';
}

/**
 * @param {string} address that was asked for in vain
 * @returns {Promise<string>} the end of a sentence
 */
export async function whyUnreachable(address) {
  const { host, origin } = new URL(address);
  const policy = await violatedDirective(['connect-src', 'default-src'], address);
  if (policy) return `the page's content security policy forbids it (connect-src needs ${origin})`;
  return `${host || address} ${unreachable(address)}`;
}
