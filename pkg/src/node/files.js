/** Files by their paths and `file:` addresses: Node's `fetch` knows neither. */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { fetchData } from '../shared/platform.js';

/** What tells an address from a path. A single letter is a drive of Windows. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/**
 * An address, or the address of the file at a path, from the working directory on.
 *
 * @param {string} address
 * @returns {URL}
 */
export function resolve(address) {
  if (SCHEME.test(address)) return new URL(address);
  const url = pathToFileURL(path.resolve(address));
  if (/[\\/]$/.test(address) && !url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/**
 * `fetch`, for files too: a file that is not there is answered with 404.
 *
 * @param {string} address
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
export async function fetchAny(address, init) {
  if (address.startsWith('data:')) return fetchData(address);
  if (!address.startsWith('file:')) return fetch(address, init);
  init?.signal?.throwIfAborted();
  const name = fileURLToPath(address);
  /** @type {import('node:fs').Stats} */
  let about;
  try {
    about = await stat(name);
    if (!about.isFile()) return new Response(null, { status: 404 });
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return new Response(null, { status: 404 });
    if (code === 'EACCES' || code === 'EPERM') return new Response(null, { status: 403 });
    throw error;
  }
  const headers = new Headers({
    'content-length': String(about.size),
    'last-modified': about.mtime.toUTCString(),
  });
  if (name.endsWith('.wasm')) headers.set('content-type', 'application/wasm');
  if (init?.method === 'HEAD') return new Response(null, { headers });
  // A signal ends the reading through the stream's own cancelling.
  const body = Readable.toWeb(createReadStream(name));
  return new Response(/** @type {ReadableStream<Uint8Array>} */ (body), { headers });
}

/**
 * A blob that can be sent to a worker: those of `openAsBlob`, which are files, can not be.
 *
 * @param {Blob} blob
 * @returns {Promise<Blob>}
 */
export async function sendable(blob) {
  try {
    structuredClone(blob);
    return blob;
  } catch {
    return new Blob([await blob.arrayBuffer()], { type: blob.type });
  }
}
