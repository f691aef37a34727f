/** Pictures by their addresses, and what is to be said of those that cannot be had. */

import { throwIfAborted } from '../shared/abort.js';
import { errorFor, ImageError } from '../shared/errors.js';
import { platform } from '../shared/platform.js';
import { discard } from '../shared/responses.js';
import { whyUnreachable } from '../shared/unreachable.js';
import { refuseLarge } from './picture-limits.js';

/** How JPEG, PNG, GIF, WebP, TIFF, AVIF and HEIC, and SVG files begin in Base64. */
const BASE64_BEGINNING = /^\s*(\/9j\/|iVBORw0KGgo|R0lGOD|UklGR|SUkqA|TU0AK|AAAA.GZ0eX|PHN2Z|PD94b)/;
const BASE64_LETTERS = /^[\w+/\s-]+={0,2}\s*$/;
/** A text in these letters is no address from so many of them on, with such a beginning and without. */
const LEAST_KNOWN = 64;
const LEAST_UNKNOWN = 1000;

/**
 * @param {string} address
 * @param {{ signal?: AbortSignal | null | undefined, fetch?: (address: string, init?: RequestInit) => Promise<Response> }} options
 *   `fetch` is for tests
 * @returns {Promise<Blob>}
 * @throws {ImageError} `image-unreadable`, `image-too-large`
 */
export async function fetchPicture(address, { signal, fetch = platform.fetch }) {
  const url = resolved(address);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url.href, { signal: signal ?? null });
  } catch (cause) {
    throwIfAborted(signal);
    throw await withoutAnswer(url, cause);
  }
  refuseAnswer(response, url);
  try {
    return await boundedBlob(response);
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof ImageError) throw cause;
    throw unfetched(url, 'the connection was lost', cause);
  }
}

/** @param {string} address @returns {URL} */
function resolved(address) {
  if (address.trim() === '') throw unreadable('The address of the picture is empty.');
  if (isBase64(address)) {
    throw unreadable(
      'The picture is given as Base64 and not as an address: begin it with "data:image/jpeg;base64,", or give its bytes, in Node Buffer.from(text, "base64").',
    );
  }
  try {
    return platform.resolve(address);
  } catch {
    // The cause would say the same, and hold the whole of the text.
    throw unreadable(`"${address}" is not the address of a picture.`);
  }
}

/**
 * Whether a text is a picture itself, and no address of one: it would be sent to a server, to ask for what lies there.
 *
 * @param {string} text
 */
function isBase64(text) {
  const least = BASE64_BEGINNING.test(text) ? LEAST_KNOWN : LEAST_UNKNOWN;
  return text.length >= least && BASE64_LETTERS.test(text);
}

/** @param {URL} url @param {unknown} cause */
async function withoutAnswer(url, cause) {
  if (url.protocol === 'data:') return unreadable('The data address of the picture is damaged.', cause);
  if (url.protocol === 'blob:') {
    return unfetched(url, 'the address was revoked, or is of another page', cause);
  }
  return unfetched(url, await whyUnreachable(url.href), cause);
}

/** @param {Response} response @param {URL} url */
function refuseAnswer(response, url) {
  const { ok, status, headers } = response;
  const isPage = /^text\/html\b/i.test(headers.get('content-type') ?? '');
  if (ok && !isPage) return;
  discard(response);
  if (url.protocol === 'file:' && status === 404) throw unreadable(`There is no file ${pathOf(url)}.`);
  if (url.protocol === 'file:' && status === 403) {
    throw unreadable(`The file ${pathOf(url)} may not be read.`);
  }
  if (isPage && ok) throw unfetched(url, 'a web page lies there');
  const cause = errorFor('http-status', `The server answered ${status}.`, { status });
  throw unfetched(url, `the server answered ${status}`, cause);
}

/** The path of a file, as people write it. @param {URL} url */
export function pathOf({ pathname }) {
  try {
    return decodeURIComponent(pathname).replace(/^\/(?=[a-z]:)/i, '');
  } catch {
    return pathname;
  }
}

/** @param {URL} url @param {string} why @param {unknown} [cause] */
function unfetched({ href }, why, cause) {
  return unreadable(`The picture at ${href} could not be fetched: ${why}.`, cause);
}

/** @param {string} sentence @param {unknown} [cause] */
function unreadable(sentence, cause) {
  return new ImageError('image-unreadable', sentence, cause === undefined ? {} : { cause });
}

/** @param {Response} response */
async function boundedBlob(response) {
  const parts = [];
  let length = 0;
  const reader = response.body?.getReader();
  try {
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
      length += read.value.length;
      refuseLarge(length);
      parts.push(read.value);
    }
  } finally {
    reader?.cancel().catch(() => {});
  }
  return new Blob(parts, { type: response.headers.get('content-type') ?? '' });
}
