/**
 * Whether a file is the one that was meant: its SHA-256, computed while it streams by. Browsers have a digest of whole
 * buffers only, and weights are never one.
 *
 * Source of the form, `sha256-` and the digest in Base64: the W3C's Subresource Integrity.
 *
 * @typedef {import('./types.js').ModelFile} ModelFile
 */

import { sha256 } from '../../wasm/hashes/sha2.js';
import { errorFor } from './errors.js';

const FORM = /^sha256-[A-Za-z0-9+/]{43}=$/;

/** Whether a value says what a file has to be. @param {unknown} value */
export function isIntegrity(value) {
  return typeof value === 'string' && FORM.test(value);
}

/**
 * What watches a file go by, or null where nothing is said of it.
 *
 * @param {ModelFile} file
 * @returns {{ add: (bytes: Uint8Array) => void, check: () => void } | null} `check` throws `integrity-mismatch`
 */
export function watchIntegrity({ name, url, access }) {
  const { integrity } = access ?? {};
  const expected = integrity && Object.hasOwn(integrity, name) ? integrity[name] : undefined;
  if (expected === undefined) return null;
  const hash = sha256.create();
  return {
    add: (bytes) => void hash.update(bytes),
    check() {
      const found = `sha256-${btoa(String.fromCharCode(...hash.digest()))}`;
      if (found === expected) return;
      const sentence = `${name} at ${url} is not the file that was asked for: its digest is ${found}, not ${expected}.`;
      throw errorFor('integrity-mismatch', sentence);
    },
  };
}
