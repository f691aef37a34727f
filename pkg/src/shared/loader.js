/**
 * Files of a model over `fetch`, as streams: no file is ever held whole unless it is a small JSON file.
 *
 * `openFile` asks and judges the answer; `chunks` reads it. A stream that breaks is taken up again where it
 * broke (a range request), as long as the server can show that the file is still the same: the bytes before
 * the break have already gone into the model and cannot be called back.
 *
 * @typedef {import('./types.js').ModelFile} ModelFile
 *
 * @typedef {object} FetchOptions
 * @property {AbortSignal} [signal]
 * @property {(address: string, init?: RequestInit) => Promise<Response>} [fetch] for tests
 * @property {number} [backoff] milliseconds before the first retry; each further one waits twice as long
 */

import { pause, throwIfAborted } from './abort.js';
import { codeOf, errorFor, NetworkError } from './errors.js';
import { watchIntegrity } from './integrity.js';
import { platform } from './platform.js';
import { violatedDirective } from './policy.js';
import {
  contentLength,
  continues,
  discard,
  isEncoded,
  rangeHeaders,
  sameFile,
  versionOf,
} from './responses.js';

/** A network chunk is handed on in pieces of at most this many bytes: each is copied into wasm memory. */
export const MAX_CHUNK = 1 << 20;
/** The largest JSON file accepted. The largest known tokenizer.json of such a model has 4 MB. */
export const MAX_JSON = 32 << 20;

/** How often in a row a broken stream is taken up again. A megabyte of progress starts the count anew. */
const MAX_RETRIES = 4;
const PROGRESS_WORTH = 1 << 20;
const BACKOFF = 250;

/**
 * @typedef {object} OpenFile
 * @property {ModelFile} file
 * @property {Response} response
 * @property {number | null} total its size in bytes; null where the server does not tell it
 */

/**
 * Asks for a file. Resolves when the headers are there and promise a model file.
 *
 * @param {ModelFile} file
 * @param {FetchOptions} [options]
 * @returns {Promise<OpenFile>}
 */
export async function openFile(file, options = {}) {
  const response = await ask(file, options);
  return { file, response, total: isEncoded(response) ? null : contentLength(response) };
}

/**
 * Whether a server still has the version of a file that it had.
 *
 * @param {ModelFile} file
 * @param {string} version see `versionOf`
 * @param {FetchOptions} [options]
 * @returns {Promise<boolean>}
 */
export async function isCurrent(file, version, options = {}) {
  const now = versionOf(await ask(file, options, { method: 'HEAD', cache: 'no-cache' }));
  return now === null || now === version;
}

/**
 * An answer that promises a model file.
 *
 * @param {ModelFile} file
 * @param {FetchOptions} options
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
async function ask(file, options, init = {}) {
  const response = await request(file, {}, options, init).catch(async (cause) => {
    throwIfAborted(options.signal);
    const policy = await violatedDirective(['connect-src', 'default-src'], file.url);
    const why = policy
      ? `the page's content security policy forbids it (connect-src needs ${new URL(file.url).origin})`
      : `${host(file)} ${platform.unreachable}`;
    throw errorFor('network', `${file.name} could not be fetched: ${why}.`, { cause });
  });
  const { status } = response;
  if (status === 404) {
    discard(response);
    throw errorFor('not-found', `${file.name} was not found at ${file.url}.`, { status });
  }
  if (!response.ok) {
    discard(response);
    const hint =
      (status === 401 || status === 403) && !file.access?.headers
        ? ' A private model needs the option headers, such as { authorization: "Bearer …" }.'
        : '';
    const sentence = `The server answered ${status} when asked for ${file.name}.${hint}`;
    throw errorFor('http-status', sentence, { status });
  }
  if (/^text\/html\b/i.test(response.headers.get('content-type') ?? '')) {
    discard(response);
    throw notAModel(file, 'a web page');
  }
  return response;
}

/**
 * Asks for a file, and where there is none, for the others that would do. Not every server says 404 then: stores of objects
 * refuse what they may not list, and servers of single pages send the page.
 *
 * @param {ModelFile} file
 * @param {FetchOptions} [options]
 * @returns {Promise<OpenFile>}
 */
export async function openFirst(file, options = {}) {
  const { others = [] } = file;
  /** @type {unknown[]} */
  const refusals = [];
  for (const candidate of [file, ...others]) {
    try {
      return await openFile(candidate, options);
    } catch (error) {
      if (others.length === 0 || !mayBeAbsent(error)) throw error;
      refusals.push(error);
    }
  }
  const names = others
    .map(({ name }) => name)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');
  const first = refusals.find((error) => codeOf(error) !== 'not-found');
  if (first instanceof NetworkError) throw first;
  if (first instanceof Error) {
    throw errorFor('not-a-model', `${first.message} Neither is there ${names} beside it.`, { cause: first });
  }
  const sentence = `${file.name} was not found at ${file.url}, nor ${names} beside it.`;
  throw errorFor('not-found', sentence, { status: 404 });
}

/** Whether a server may say so of a file that is not there. @param {unknown} error */
export function mayBeAbsent(error) {
  const code = codeOf(error);
  if (error instanceof NetworkError && code === 'http-status') return [401, 403].includes(error.status ?? 0);
  return code === 'not-found' || code === 'not-a-model';
}

/**
 * The bytes of a file, in chunks of at most `MAX_CHUNK`. Whoever stops reading early cancels the download.
 *
 * @param {OpenFile} open
 * @param {FetchOptions & { isWhole?: () => boolean }} [options] `isWhole` tells of what has come whether it can be all, where
 *   the stream ends before its length
 * @returns {AsyncGenerator<Uint8Array, void, void>}
 */
export async function* chunks({ file, response: first, total }, options = {}) {
  const { signal, backoff = BACKOFF } = options;
  const integrity = watchIntegrity(file);
  let response = first;
  let received = 0;
  let skip = 0;
  let retries = 0;
  let unbroken = 0;
  for (;;) {
    /** @type {unknown} */
    let cause;
    const reader = response.body?.getReader();
    try {
      for (;;) {
        throwIfAborted(signal);
        /** @type {ReadableStreamReadResult<Uint8Array> | undefined} */
        let read;
        try {
          read = await reader?.read();
        } catch (error) {
          throwIfAborted(signal);
          cause = error;
          break;
        }
        if (!read || read.done) {
          // More bytes than announced: the length was that of a compressed body, and tells nothing.
          if (total === null || received >= total || options.isWhole?.()) return integrity?.check();
          cause = new Error(`The stream ended after ${received} of ${total} bytes.`);
          break;
        }
        let bytes = read.value;
        if (skip > 0) {
          const skipped = Math.min(skip, bytes.length);
          bytes = bytes.subarray(skipped);
          skip -= skipped;
        }
        if (bytes.length === 0) continue;
        if (received === 0) refuseText(file, bytes);
        unbroken += bytes.length;
        for (let start = 0; start < bytes.length; start += MAX_CHUNK) {
          const chunk = bytes.subarray(start, start + MAX_CHUNK);
          received += chunk.length;
          integrity?.add(chunk);
          yield chunk;
        }
      }
    } finally {
      reader?.cancel().catch(() => {});
    }
    if (unbroken >= PROGRESS_WORTH) retries = 0;
    unbroken = 0;
    ({ response, skip, retries } = await takeUp({
      file,
      first,
      received,
      retries,
      cause,
      signal,
      backoff,
      options,
    }));
  }
}

/**
 * A small file as a whole.
 *
 * @param {OpenFile} open
 * @param {FetchOptions & { onChunk?: (bytes: number) => void, limit?: number }} [options]
 * @returns {Promise<Uint8Array>}
 */
export async function readSmallFile(open, options = {}) {
  const { limit = MAX_JSON, onChunk } = options;
  /** @type {Uint8Array[]} */
  const parts = [];
  let length = 0;
  // A short text may grow when it is compressed, and a server elsewhere hides that it is.
  const isWhole = () => open.response.type === 'cors' && isJson(joined(parts));
  for await (const chunk of chunks(open, { ...options, isWhole })) {
    length += chunk.length;
    if (length > limit) throw notAModel(open.file, `larger than ${limit >> 20} MB`);
    parts.push(chunk);
    onChunk?.(chunk.length);
  }
  return joined(parts);
}

/** @param {Uint8Array} bytes */
function isJson(bytes) {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/**
 * One array of several.
 *
 * @param {readonly Uint8Array[]} parts
 * @returns {Uint8Array<ArrayBuffer>} a copy
 */
export function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * @param {ModelFile} file
 * @param {Record<string, string>} headers
 * @param {FetchOptions} options
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
async function request(file, headers, { signal, fetch = platform.fetch }, init = {}) {
  throwIfAborted(signal);
  const { headers: own, credentials = 'omit' } = file.access ?? {};
  return fetch(file.url, { ...init, signal: signal ?? null, headers: { ...own, ...headers }, credentials });
}

/**
 * A new answer that goes on after `received` bytes. `skip` says how many bytes of it are known already.
 *
 * @param {{ file: ModelFile, first: Response, received: number, retries: number, cause: unknown,
 *   signal: AbortSignal | undefined, backoff: number, options: FetchOptions }} broken
 * @returns {Promise<{ response: Response, skip: number, retries: number }>}
 */
async function takeUp({ file, first, received, retries, cause, signal, backoff, options }) {
  // Offsets count compressed bytes where the body was compressed: such a stream cannot be taken up.
  while (retries < MAX_RETRIES && !isEncoded(first)) {
    await pause(backoff * 2 ** retries, signal);
    retries += 1;
    /** @type {Response} */
    let response;
    try {
      response = await request(file, rangeHeaders(first, received), options);
    } catch (error) {
      throwIfAborted(signal);
      cause = error;
      continue;
    }
    if (response.status === 206 && continues(first, response, received)) {
      return { response, skip: 0, retries };
    }
    if (response.status === 200 && sameFile(first, response)) return { response, skip: received, retries };
    discard(response);
    if (response.ok) {
      throw errorFor('network', `${file.name} changed on the server while it was downloaded: try again.`, {
        cause,
      });
    }
    cause = new NetworkError('http-status', `The server answered ${response.status}.`, {
      status: response.status,
    });
  }
  throw errorFor('network', `The connection was lost while ${file.name} was downloaded.`, { cause });
}

/**
 * Servers answer missing files with web pages, and repositories hold pointers in place of large files. A
 * safetensors file can begin with `<` (a header of 60 bytes) but then has zeros soon after.
 *
 * @param {ModelFile} file
 * @param {Uint8Array} bytes the first ones
 */
function refuseText(file, bytes) {
  const head = bytes.subarray(0, 64);
  if (head.subarray(0, 8).includes(0)) return;
  const text = new TextDecoder().decode(head).trimStart();
  if (text.startsWith('<')) throw notAModel(file, 'a web page');
  if (text.startsWith('version https://git-lfs')) {
    throw notAModel(file, 'a Git LFS pointer, not the file itself');
  }
}

/** @param {ModelFile} file @param {string} what */
function notAModel(file, what) {
  return errorFor('not-a-model', `${file.name} at ${file.url} is no model file: it is ${what}.`);
}

/** @param {ModelFile} file */
function host(file) {
  return new URL(file.url).host || file.url.slice(0, 200);
}
